//! A booking takes another state or another time, with what follows from it. See [`Store::change`].

use super::booking::{by_id, with_columns};
use super::effect::{NewEffect, insert_effects};
use super::error::Result;
use super::reserve::{GuestLimits, Refused, judged, over_limit};
use super::value::At;
use super::{End, Store};
use crate::booking::Booking;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

/// A booking as it shall be.
#[derive(Clone, Debug)]
pub struct Change {
    /// The new value. Its `id` and `created_at` stay as they are in the store.
    pub booking: Booking,
    /// `updated_at` of the value that the new one was made from.
    pub expected_updated_at: Timestamp,
    /// What follows from it, in order.
    pub effects: Vec<NewEffect>,
    /// What else must hold; for a booking that takes another time.
    pub limits: GuestLimits,
    /// Now.
    pub now: Timestamp,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is stored, and this is what is stored: `updated_at` is later than before even when the clock stands still.
    Done(Box<Booking>),
    /// It was changed meanwhile: this is what it is now. Decide anew.
    Stale(Box<Booking>),
    /// There is no such booking.
    Unknown,
    /// Another booking is in the way, or too near.
    Overlaps,
    /// All seats of the slot are taken.
    SeatsTaken,
    /// The day has enough bookings of the type.
    DayFull,
    /// The guest has enough bookings.
    GuestLimit,
}

impl From<Refused> for Changed {
    fn from(refused: Refused) -> Changed {
        match refused {
            Refused::Overlaps => Changed::Overlaps,
            Refused::SeatsTaken => Changed::SeatsTaken,
            Refused::DayFull => Changed::DayFull,
            Refused::GuestLimit => Changed::GuestLimit,
        }
    }
}

/// The instant that marks a change of what was last changed at `before`: always a later one, so that it tells versions apart.
pub(super) fn touched(before: Timestamp, now: Timestamp) -> Timestamp {
    before.checked_add(SignedDuration::from_micros(1)).unwrap_or(before).max(now)
}

/// Writes every column that may change. The triggers judge it.
pub(super) fn update(tx: &Connection, booking: &Booking) -> rusqlite::Result<usize> {
    let mut update = tx.prepare_cached(
        "UPDATE booking SET host = :host, meeting = :meeting, title = :title, location = :location, event_location = :event_location, starts_at = :starts_at, ends_at = :ends_at,
             buffer_before = :buffer_before, buffer_after = :buffer_after, seats = :seats, state = :state,
             guest_name = :guest_name, guest_email = :guest_email, guest_key = :guest_key, guest_note = :guest_note, guest_zone = :guest_zone,
             guest_language = :guest_language, answers = :answers, uid = :uid, sequence = :sequence, told = :told,
             told_start = :told_start, told_end = :told_end, declined = :declined, answered = :answered, organizer = :organizer, placed_by_host = :placed_by_host,
             firm_at = CASE WHEN starts_at <> :starts_at OR ends_at <> :ends_at OR (state <> 'confirmed' AND :state = 'confirmed')
                 THEN :updated_at ELSE firm_at END, updated_at = :updated_at,
             expires_at = :expires_at, event_account = :event_account, event_href = :event_href, event_etag = :event_etag
         WHERE id = :id",
    )?;
    with_columns(booking, |columns| update.execute(columns))
}

impl Store {
    /// Changes a booking and stores what follows from it, together or not at all. Refused when it was changed meanwhile, and when it would
    /// take a place that is not free.
    pub async fn change(&self, change: Change) -> Result<Changed> {
        self.write(move |tx| {
            let Some(current) = by_id(tx, change.booking.id)? else { return Ok(End::Rollback(Changed::Unknown)) };
            if At(current.updated_at).micros() != At(change.expected_updated_at).micros() {
                return Ok(End::Rollback(Changed::Stale(Box::new(current))));
            }
            let mut booking = change.booking;
            booking.created_at = current.created_at;
            booking.updated_at = touched(current.updated_at, booking.updated_at);
            if change.limits.must_fit {
                // Judged as a guest's would be.
                let as_of_a_guest = Booking { placed_by_host: false, ..booking.clone() };
                if let Some(refused) = judged(update(tx, &as_of_a_guest))? {
                    return Ok(End::Rollback(refused.into()));
                }
            }
            if let Some(refused) = judged(update(tx, &booking))? {
                return Ok(End::Rollback(refused.into()));
            }
            if let Some(refused) = over_limit(tx, &booking, change.limits, change.now)? {
                return Ok(End::Rollback(refused.into()));
            }
            insert_effects(tx, &booking, &change.effects, change.now)?;
            let stored = by_id(tx, booking.id)?.unwrap_or(booking);
            Ok(End::Commit(Changed::Done(Box::new(stored))))
        })
        .await
    }
}
