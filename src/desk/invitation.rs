//! The event of a booking for the guest's own calendar: the download, and what invitations by mail say.

use super::{BookingView, Desk, TokenError};
use crate::booking::{Booking, BookingState};
use crate::ical::Zone;
use crate::ical::write::{EventStatus, EventText, InvitationText, Method, Person, invitation};

impl Desk {
    /// The event of a guest's booking as a download (METHOD:PUBLISH; CANCEL once it is off), with the UID of the event on
    /// the host's calendar. The guest's own link is in it.
    pub async fn invitation(&self, token: &str) -> Result<String, TokenError> {
        let view = self.booking(token).await?;
        let method = if view.booking.state.holds_slot() { Method::Publish } else { Method::Cancel };
        Ok(invitation(&self.invitation_text(&view, method)))
    }

    fn invitation_text(&self, view: &BookingView, method: Method) -> InvitationText {
        let booking = &view.booking;
        let link = self.links().booking(&view.guest_token);
        let host = view.host.as_ref();
        let name = host.map_or_else(|| booking.host.to_string(), |host| host.name.clone());
        let zone = host.map_or_else(Zone::utc, |host| host.zone.clone());
        InvitationText {
            method,
            event: guest_event(booking, &name, zone, &link),
            organizer: Person { name, email: host.map(|host| host.email.clone()).unwrap_or_default() },
            attendee: Person { name: booking.guest.name.clone(), email: booking.guest.email.clone() },
            url: link,
        }
    }
}

/// The event as its guest sees it: with whom it is, and the link to change it.
fn guest_event(booking: &Booking, host_name: &str, zone: Zone, link: &str) -> EventText {
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
