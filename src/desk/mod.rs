//! What a guest or a host can do: see what is on offer, reserve, cancel, move, confirm, decide. The only writer of bookings.
//! Start with [`Desk`].

mod answer;

pub use answer::*;

use crate::availability::{Host, HostId, Interval, MeetingId, MeetingType};
use jiff::Timestamp;
use std::sync::Arc;

/// The one door to offers and bookings. Cheap to clone.
#[derive(Clone)]
pub struct Desk {}

impl Desk {
    /// The hosts, in the order of the config.
    pub fn hosts(&self) -> Vec<Arc<Host>> {
        unimplemented!()
    }

    /// The host of that id.
    pub fn host(&self, id: &str) -> Option<Arc<Host>> {
        let _ = id;
        unimplemented!()
    }

    /// The slots of a meeting type that are on offer now and start within `window`. Reads the published snapshot: no lock, no SQL.
    pub fn offer(&self, host: &Host, meeting: &MeetingType, window: Interval) -> Offer {
        let _ = (host, meeting, window);
        unimplemented!()
    }

    /// How old the host's data is.
    pub fn freshness(&self, host: &HostId) -> Freshness {
        let _ = host;
        unimplemented!()
    }

    /// The bookable feed of a host, or of one of their meeting types. `None` before the host was ever read.
    pub fn feed(&self, host: &HostId, meeting: Option<&MeetingId>) -> Option<Arc<Document>> {
        let _ = (host, meeting);
        unimplemented!()
    }

    /// The VFREEBUSY of a host. `None` before the host was ever read.
    pub fn free_busy(&self, host: &HostId) -> Option<Arc<Document>> {
        let _ = host;
        unimplemented!()
    }

    /// Why a start can or cannot be booked, by the published snapshot; what the slot page shows before anything is posted.
    pub fn slot(&self, host: &Host, meeting: &MeetingType, start: Timestamp) -> Result<Slot, ReserveError> {
        let _ = (host, meeting, start);
        unimplemented!()
    }

    /// Books: checks, reads the calendars anew (3 s at most), reserves in one transaction, and waits up to 3 s for the event.
    /// With an idempotency key: the same request gives the same answer.
    pub async fn reserve(&self, request: Reservation) -> Result<BookingView, ReserveError> {
        let _ = request;
        unimplemented!()
    }

    /// The booking of a guest's token.
    pub async fn booking(&self, token: &str) -> Result<BookingView, TokenError> {
        let _ = token;
        unimplemented!()
    }

    /// The booking of a host's token.
    pub async fn booking_for_host(&self, token: &str) -> Result<BookingView, TokenError> {
        let _ = token;
        unimplemented!()
    }

    /// The event of a guest's booking as an iCalendar text with METHOD:PUBLISH, to be imported.
    pub async fn invitation(&self, token: &str) -> Result<String, TokenError> {
        let _ = token;
        unimplemented!()
    }

    /// Calls a booking off, for its guest. Again and again: the same answer.
    pub async fn cancel(&self, token: &str) -> Result<BookingView, TokenError> {
        let _ = token;
        unimplemented!()
    }

    /// Moves a booking to another slot of its meeting type, for its guest.
    pub async fn move_to(&self, token: &str, start: Timestamp) -> Result<BookingView, ReserveError> {
        let _ = (token, start);
        unimplemented!()
    }

    /// The guest's address is theirs. Again: the same answer.
    pub async fn confirm_email(&self, token: &str) -> Result<BookingView, TokenError> {
        let _ = token;
        unimplemented!()
    }

    /// The host approves, declines or cancels, by the host's token.
    pub async fn decide(&self, token: &str, decision: Decision) -> Result<BookingView, TokenError> {
        let _ = (token, decision);
        unimplemented!()
    }
}
