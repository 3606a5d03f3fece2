//! The event of a booking as it goes to the calendar (RFC 5545; INTERFACE "The event of a booking"). Pure.

use crate::availability::Host;
use crate::booking::{Booking, BookingState};
use crate::ical::write::{EventStatus, EventText};
use std::fmt::Write;

/// What the host reads in their calendar: who comes, and the host's link. Never the guest's link.
pub fn event_text(booking: &Booking, host: &Host, host_link: &str) -> EventText {
    let guest = &booking.guest;
    let mut description = format!("{}\n{}\n", guest.name, guest.email);
    for answer in guest.answers.iter().filter(|answer| !answer.text.is_empty()) {
        let _ = write!(description, "\n{}\n{}\n", answer.label, answer.text);
    }
    if !guest.note.is_empty() {
        let _ = write!(description, "\n{}\n", guest.note);
    }
    let _ = write!(description, "\n{host_link}");
    EventText {
        uid: booking.uid.clone(),
        sequence: booking.sequence,
        stamp: booking.updated_at,
        created: booking.created_at,
        last_modified: booking.updated_at,
        start: booking.time.start(),
        end: booking.time.end(),
        zone: host.zone.clone(),
        summary: format!("{}: {}", booking.title, guest.name),
        description,
        location: booking.location.clone(),
        status: match booking.state {
            BookingState::AwaitingApproval => EventStatus::Tentative,
            _ => EventStatus::Confirmed,
        },
    }
}
