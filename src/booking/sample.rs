//! A booking that was never made: what templates are tried with, and what tests start from.

use super::{Booking, BookingId, BookingState, Guest};
use crate::availability::{HostId, Interval, MeetingId};
use jiff::SignedDuration;
use uuid::Uuid;

impl Booking {
    /// Ada Lovelace's, of the type `office-hour` of the host `noether`, in one state; no mail was sent and no event written. Made at the
    /// start of its time.
    pub fn sample(time: Interval, state: BookingState) -> Booking {
        let (Some(host), Some(meeting)) = (HostId::new("noether"), MeetingId::new("office-hour")) else {
            unreachable!("both are ids")
        };
        Booking {
            id: BookingId(Uuid::nil()),
            host,
            meeting,
            title: "Office hour".to_owned(),
            location: String::new(),
            event_location: String::new(),
            time,
            buffer_before: SignedDuration::ZERO,
            buffer_after: SignedDuration::ZERO,
            seats: 1,
            state,
            guest: Guest {
                name: "Ada Lovelace".to_owned(),
                email: "ada@example.org".to_owned(),
                note: String::new(),
                time_zone: None,
                language: None,
                answers: Vec::new(),
            },
            uid: "019cb1f0-0000-7000-8000-000000000000".to_owned(),
            sequence: 0,
            told: None,
            told_time: None,
            declined: None,
            answered: None,
            organizer: None,
            placed_by_host: false,
            created_at: time.start(),
            updated_at: time.start(),
            expires_at: None,
            event: None,
        }
    }
}
