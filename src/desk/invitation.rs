//! The event of a booking for the guest's own calendar: the download, and what invitations by mail say.

use super::{BookingView, Desk, TokenError};
use crate::booking::{guest_event, organizer};
use crate::ical::Zone;
use crate::ical::write::{InvitationText, Method, Person, invitation};

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
        let world = self.world();
        let link = self.links().booking(&view.guest_token);
        let host = view.host.as_ref();
        let language = booking.guest.language.or(host.map(|host| host.language)).unwrap_or_default();
        let name = host.map_or_else(|| booking.host.to_string(), |host| host.name.clone());
        let zone = host.map_or_else(Zone::utc, |host| host.zone.clone());
        InvitationText {
            method,
            event: guest_event(booking, &name, zone, &link, language),
            // ORGANIZER is the same, to the letter, in the download and in every mail.
            organizer: booking.organizer.clone().unwrap_or_else(|| {
                let email = host.map(|host| host.email.as_str());
                organizer(&name, email, world.mailbox.as_deref(), world.organizer)
            }),
            attendee: Person::new(&booking.guest.name, &booking.guest.email),
            url: link,
        }
    }
}
