//! A booking as an event of its guest (RFC 5545; INTERFACE "Mail"): what invitations and the download say. Pure.

use super::{Booking, BookingState};
use crate::ical::Zone;
use crate::ical::write::{EventStatus, EventText, Person};
use crate::language::Language;

/// Whom invitations come from: ORGANIZER.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Organizer {
    /// The service's mailbox, with the host's name: answers reach the host by Reply-To.
    #[default]
    Service,
    /// The host; the service's mailbox is SENT-BY.
    Host,
}

/// ORGANIZER of a host's invitations: where mail is not set up there is no mailbox, and it is the host.
pub fn organizer(name: &str, host: Option<&str>, mailbox: Option<&str>, kind: Organizer) -> Person {
    let sent_by = match kind {
        Organizer::Host => mailbox.filter(|mailbox| host.is_some_and(|host| !host.eq_ignore_ascii_case(mailbox))),
        Organizer::Service => None,
    };
    let email = match kind {
        Organizer::Host => host.or(mailbox),
        Organizer::Service => mailbox.or(host),
    };
    Person { sent_by: sent_by.map(str::to_owned), ..Person::new(name, email.unwrap_or_default()) }
}

/// The event as its guest sees it: with whom it is, and the guest's own link to change it.
pub fn guest_event(booking: &Booking, host_name: &str, zone: Zone, link: &str, language: Language) -> EventText {
    let phrases = language.phrases();
    EventText {
        uid: booking.uid.clone(),
        sequence: booking.sequence,
        start: booking.time.start(),
        end: booking.time.end(),
        zone,
        summary: format!("{}: {host_name}", booking.title),
        description: format!("{}\n\n{}\n{link}", (phrases.with)(&booking.title, host_name), phrases.move_or_cancel),
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
