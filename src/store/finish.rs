//! How an attempt at an effect ends: its outcome, the booking's resulting state, and our copy of the object, in one transaction.

use super::booking::by_id;
use super::calendar::CalendarKey;
use super::change::{touched, update};
use super::effect::{NewEffect, insert_effects};
use super::error::{Result, StoreError};
use super::object::{self, StoredObject};
use super::value::At;
use super::{End, Store};
use crate::booking::{Booking, BookingId, BookingState, EventPlace};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// The end of an attempt.
#[derive(Clone, Debug)]
pub struct FinishEffect {
    /// The effect.
    pub id: i64,
    /// When it ended.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: EffectOutcome,
    /// What follows from it, behind what the booking has. Left out when the booking did not take the step of [`BookingUpdate::step`].
    pub more_effects: Vec<NewEffect>,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum EffectOutcome {
    /// It is done.
    Done {
        /// What it means for the booking.
        booking: Option<BookingUpdate>,
        /// What it means for our copy of the calendar; left out when the calendar is not known.
        object: Option<(CalendarKey, ObjectUpdate)>,
    },
    /// It is to be tried again.
    Retry {
        /// Not before this.
        due_at: Timestamp,
        /// What went wrong.
        error: String,
    },
    /// It is given up.
    Failed {
        /// What went wrong.
        error: String,
    },
}

/// What a done effect means for its booking.
#[derive(Clone, Debug)]
pub struct BookingUpdate {
    /// The state that follows, if it is still in the one that the effect was meant for: a booking that was cancelled while its event was
    /// being written stays cancelled.
    pub step: Option<StateStep>,
    /// Where its event is now; `None` when there is none.
    pub event: Option<EventPlace>,
}

/// From one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateStep {
    /// The state that it must be in.
    pub from: BookingState,
    /// The state that it is in then.
    pub to: BookingState,
}

/// What a done effect means for our copy of a calendar.
#[derive(Clone, Debug)]
pub enum ObjectUpdate {
    /// The server has this now.
    Put(StoredObject),
    /// The server has nothing at this href any more.
    Forget(String),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It is stored; the booking as it is now.
    Stored(Box<Booking>),
    /// It was finished before, or its booking is erased: nothing was changed.
    Already,
}

impl Store {
    /// Stores how an attempt ended, with all that it means, together or not at all.
    pub async fn finish(&self, finish: FinishEffect) -> Result<Finished> {
        self.write(move |tx| {
            let mut statement = tx.prepare_cached("SELECT booking FROM effect WHERE id = ?1 AND state = 'pending'")?;
            let id: Option<BookingId> = statement.query_row(params![finish.id], |row| row.get(0)).optional()?;
            let Some(mut booking) = id.map(|id| by_id(tx, id)).transpose()?.flatten() else {
                return Ok(End::Rollback(Finished::Already));
            };
            let mut stepped = true;
            match finish.outcome {
                EffectOutcome::Done { booking: change, object } => {
                    // The payload may name a guest, and nobody needs it any more.
                    tx.prepare_cached(
                        "UPDATE effect SET state = 'done', finished_at = ?2, payload = '', claimed_until = NULL, claimed_by = NULL,
                             last_error = NULL WHERE id = ?1",
                    )?
                    .execute(params![finish.id, At(finish.at)])?;
                    if let Some(BookingUpdate { step, event }) = change {
                        stepped = step.is_none_or(|step| step.from == booking.state);
                        if let Some(step) = step.filter(|_| stepped) {
                            booking.state = step.to;
                        }
                        booking.event = event;
                        booking.updated_at = touched(booking.updated_at, finish.at);
                        update(tx, &booking)?;
                    }
                    if let Some((key, change)) = object {
                        update_object(tx, &key, change)?;
                    }
                }
                EffectOutcome::Retry { due_at, error } => {
                    tx.prepare_cached(
                        "UPDATE effect SET due_at = ?2, last_error = ?3, claimed_until = NULL, claimed_by = NULL WHERE id = ?1",
                    )?
                    .execute(params![finish.id, At(due_at), error])?;
                }
                EffectOutcome::Failed { error } => {
                    tx.prepare_cached(
                        "UPDATE effect SET state = 'failed', finished_at = ?2, last_error = ?3, claimed_until = NULL, claimed_by = NULL
                         WHERE id = ?1",
                    )?
                    .execute(params![finish.id, At(finish.at), error])?;
                }
            }
            if stepped {
                insert_effects(tx, &booking, &finish.more_effects, finish.at)?;
            }
            Ok(End::Commit(Finished::Stored(Box::new(booking))))
        })
        .await
    }
}

fn update_object(tx: &Connection, key: &CalendarKey, change: ObjectUpdate) -> Result<()> {
    let calendar = match key.row_id(tx) {
        Ok(calendar) => calendar,
        // Forgotten meanwhile: there is no copy to keep in step.
        Err(StoreError::UnknownCalendar { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    match change {
        ObjectUpdate::Put(object) => object::put(tx, calendar, &object),
        ObjectUpdate::Forget(href) => object::forget(tx, calendar, &href).map(|_| ()),
    }
}
