//! The host's list of a day as the store keeps it: what it says was decided once, so that it is the same when it is sent again.

use super::Booking;
use crate::availability::Interval;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A booking in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayEntry {
    id: String,
    start: Timestamp,
    end: Timestamp,
    /// As in the booking.
    pub title: String,
    /// As in the booking; may be empty.
    pub location: String,
    /// Who comes.
    pub guest_name: String,
    /// Their mail address.
    pub guest_email: String,
    /// The IANA name of the zone that the guest sees times in.
    pub guest_zone: Option<String>,
}

impl DayEntry {
    /// What the list says of a booking.
    pub fn of(booking: &Booking) -> DayEntry {
        DayEntry {
            id: booking.id.to_string(),
            start: booking.time.start(),
            end: booking.time.end(),
            title: booking.title.clone(),
            location: booking.location.clone(),
            guest_name: booking.guest.name.clone(),
            guest_email: booking.guest.email.clone(),
            guest_zone: booking.guest.time_zone.clone(),
        }
    }

    /// Which booking it is.
    pub fn booking(&self) -> Option<super::BookingId> {
        Uuid::parse_str(&self.id).ok().map(super::BookingId)
    }

    /// When it is.
    pub fn time(&self) -> Option<Interval> {
        Interval::new(self.start, self.end)
    }
}
