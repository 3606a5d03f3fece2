//! How an attempt at an effect ends: its outcome, the booking's resulting state, and our copy of the object, in one transaction.

use super::booking::by_id;
use super::calendar::CalendarKey;
use super::change::{touched, update};
use super::effect::{NewEffect, insert_effects};
use super::error::{Result, StoreError};
use super::object::{self, StoredObject};
use super::value::At;
use super::{End, Store};
use crate::booking::{Booking, BookingId};
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
    /// `updated_at` of the booking that the outcome was decided on; looked at when the outcome changes the booking.
    pub expected_updated_at: Option<Timestamp>,
    /// What follows from it, behind what the booking has.
    pub more_effects: Vec<NewEffect>,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum EffectOutcome {
    /// It is done.
    Done {
        /// The booking as it is then; `None`: as it was.
        booking: Option<Box<Booking>>,
        /// What it means for our copy of the calendar; left out when the calendar is not known.
        object: Option<(CalendarKey, ObjectUpdate)>,
    },
    /// It is to be tried again.
    Retry {
        /// Not before this.
        due_at: Timestamp,
        /// What went wrong.
        error: String,
        /// True when it will not go away until the host acts.
        needs_host: bool,
    },
    /// It is given up.
    Failed {
        /// What went wrong.
        error: String,
    },
}

/// What a done effect means for our copy of a calendar. A pull that came between the effect and this knows better: only the version
/// that the effect has met is changed, and everything else is left to the next pull, which will be told of it.
#[derive(Clone, Debug)]
pub enum ObjectUpdate {
    /// The server had `object` in place of the version `replaced`; `None`: of nothing.
    Put {
        /// As it was read back.
        object: StoredObject,
        /// ETag of the version that it was written over.
        replaced: Option<String>,
    },
    /// The server had nothing at the href any more.
    Forget {
        /// Where it was.
        href: String,
        /// ETag of the version that was removed.
        version: Option<String>,
    },
}

impl ObjectUpdate {
    /// Where the object is or was.
    pub fn href(&self) -> &str {
        match self {
            ObjectUpdate::Put { object, .. } => &object.href,
            ObjectUpdate::Forget { href, .. } => href,
        }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It is stored; the booking as it is now.
    Stored(Box<Booking>),
    /// The booking changed meanwhile: nothing was stored, the outcome is to be decided anew.
    Stale,
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
            match finish.outcome {
                EffectOutcome::Done { booking: change, object } => {
                    // The payload may name a guest, and nobody needs it any more.
                    tx.prepare_cached(
                        "UPDATE effect SET state = 'done', finished_at = ?2, payload = '', claimed_until = NULL, claimed_by = NULL,
                             last_error = NULL, needs_host = 0 WHERE id = ?1",
                    )?
                    .execute(params![finish.id, At(finish.at)])?;
                    if let Some(next) = change {
                        if Some(booking.updated_at) != finish.expected_updated_at {
                            return Ok(End::Rollback(Finished::Stale));
                        }
                        booking = Booking { updated_at: touched(booking.updated_at, next.updated_at), ..*next };
                        update(tx, &booking)?;
                    }
                    if let Some((key, change)) = object {
                        update_object(tx, &key, change)?;
                    }
                }
                EffectOutcome::Retry { due_at, error, needs_host } => {
                    tx.prepare_cached(
                        "UPDATE effect SET due_at = ?2, last_error = ?3, needs_host = ?4, claimed_until = NULL, claimed_by = NULL WHERE id = ?1",
                    )?
                    .execute(params![finish.id, At(due_at), error, needs_host])?;
                }
                EffectOutcome::Failed { error } => {
                    tx.prepare_cached(
                        "UPDATE effect SET state = 'failed', finished_at = ?2, last_error = ?3, claimed_until = NULL, claimed_by = NULL
                         WHERE id = ?1",
                    )?
                    .execute(params![finish.id, At(finish.at), error])?;
                }
            }
            insert_effects(tx, &booking, &finish.more_effects, finish.at)?;
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
    let held = object::etag(tx, calendar, change.href())?;
    match change {
        ObjectUpdate::Put { object, replaced } if replaced.is_some() && held.as_ref() == Some(&replaced) => {
            object::put(tx, calendar, &object)
        }
        ObjectUpdate::Forget { href, version } if held.as_ref() == Some(&version) => {
            object::forget(tx, calendar, &href).map(|_| ())
        }
        _ => Ok(()),
    }
}
