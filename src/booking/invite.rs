//! A booking as an event of its guest (RFC 5545; INTERFACE "Mail"): what invitations and the download say. Pure.

use super::{Booking, BookingState};
use crate::ical::Zone;
use crate::ical::write::{EventStatus, EventText};

/// The event as its guest sees it: with whom it is, and the guest's own link to change it.
pub fn guest_event(booking: &Booking, host_name: &str, zone: Zone, link: &str) -> EventText {
    EventText {
        uid: booking.uid.clone(),
        sequence: booking.sequence,
        start: booking.time.start(),
        end: booking.time.end(),
        zone,
        summary: format!("{}: {host_name}", booking.title),
        description: format!("{} with {host_name}\n\nMove or cancel:\n{link}", booking.title),
        location: booking.location.clone(),
        status: match booking.state {
            BookingState::Confirmed => EventStatus::Confirmed,
            _ => EventStatus::Tentative,
        },
        stamp: booking.updated_at,
        created: booking.created_at,
        last_modified: booking.updated_at,
    }
}
