//! What the parts of the store promise together, and the values that its tests are made of.

mod alerts;
mod crash;
mod desk;
mod inbox;
mod keep;
mod missing;
mod opening;
mod outbox;
mod pulls;
mod reminders;
mod slots;

use super::{Change, Changed, GuestLimits, NewBooking, NewEffect, Reserved, Store};
use crate::availability::{HostId, Interval, MeetingId};
use crate::booking::{Booking, BookingId, BookingState, Guest};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Minutes since some day.
fn minute(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
}

fn minutes(from: i64, to: i64) -> Interval {
    Interval::new(minute(from), minute(to)).unwrap()
}

fn host() -> HostId {
    HostId::new("noether").unwrap()
}

/// A booking of its own guest, without buffers.
fn booking(number: u128, time: Interval) -> Booking {
    let made = Booking::sample(time, BookingState::Reserved);
    Booking {
        id: BookingId(Uuid::from_u128(number)),
        location: "Room 2.12".to_owned(),
        event_location: "Room 2.12 (Main building)".to_owned(),
        guest: Guest {
            email: format!("Guest{number}@Example.edu"),
            note: "line one\nline two".to_owned(),
            time_zone: Some("Europe/Paris".to_owned()),
            language: Some(crate::language::Language::French),
            answers: vec![crate::booking::Answer {
                question: "topic".into(),
                label: "Topic?".into(),
                text: "Rings".into(),
            }],
            ..made.guest
        },
        uid: format!("uid-{number}@example.edu"),
        created_at: minute(0),
        updated_at: minute(0),
        ..made
    }
}

fn hash(number: u128, of: u8) -> [u8; 32] {
    let mut hash = [of; 32];
    hash[..16].copy_from_slice(&number.to_be_bytes());
    hash
}

fn new(booking: Booking) -> NewBooking {
    let number = booking.id.0.as_u128();
    NewBooking {
        booking,
        guest_token_hash: hash(number, 1),
        confirm_token_hash: None,
        host_token_hash: hash(number, 2),
        effects: Vec::new(),
        hits: Vec::new(),
        idempotency: None,
        limits: GuestLimits::default(),
        now: minute(0),
    }
}

impl Store {
    async fn take(&self, booking: Booking) -> Reserved {
        self.reserve(new(booking)).await.unwrap()
    }

    /// Changes what is stored.
    async fn alter(&self, number: u128, alter: impl FnOnce(&mut Booking), effects: Vec<NewEffect>) -> Changed {
        let mut booking = self.booking(BookingId(Uuid::from_u128(number))).await.unwrap().unwrap();
        let expected_updated_at = booking.updated_at;
        alter(&mut booking);
        let change = Change { booking, expected_updated_at, effects, limits: GuestLimits::default(), now: minute(1) };
        self.change(change).await.unwrap()
    }

    /// Raw SQL on the connection that writes.
    async fn sql(&self, sql: &str) -> rusqlite::Result<()> {
        let sql = sql.to_owned();
        self.inner.writer.run(move |connection| Ok(connection.execute_batch(&sql))).await.unwrap()
    }
}
