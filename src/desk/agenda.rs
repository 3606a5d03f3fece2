//! What a host does with their bookings at the desk: sees them, decides, moves, notes. Every method takes the host whose session it
//! is: another's booking is not there.

use super::{Decision, Desk, ReserveError, TokenError};
use crate::availability::HostId;
use crate::booking::{Attendance, Booking, BookingId, Mark};
use crate::store::{BookingFilter, StoreError};
use jiff::Timestamp;

/// How many past bookings a page has.
const PAGE: u32 = 30;

/// A booking with what its host noted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The booking.
    pub booking: Booking,
    /// What is noted.
    pub mark: Mark,
}

/// Where a host may move a booking to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// To a slot that is free by every rule; that they take no new bookings for now does not count.
    OnOffer,
    /// To any time that is ahead, whatever is there: the host knows.
    Anywhere,
}

impl Desk {
    /// The bookings of a host that hold their slots and are not over, by start.
    pub async fn bookings_ahead(&self, host: &HostId) -> Result<Vec<Noted>, StoreError> {
        let filter = BookingFilter { from: Some(self.clock.now()), ..BookingFilter::default() };
        let mut bookings = self.store.bookings(Some(host), filter).await?;
        bookings.retain(|booking| booking.state.holds_slot());
        self.noted(bookings).await
    }

    /// A page, from 0, of the bookings of a host that are over or ended, the latest first; and whether there is another page.
    pub async fn bookings_past(&self, host: &HostId, page: u32) -> Result<(Vec<Noted>, bool), StoreError> {
        let skip = page.saturating_mul(PAGE);
        let mut bookings = self.store.past_bookings(host, self.clock.now(), skip, PAGE + 1).await?;
        let more = bookings.len() > PAGE as usize;
        bookings.truncate(PAGE as usize);
        Ok((self.noted(bookings).await?, more))
    }

    /// All bookings of a host, or of all hosts, by start; of one guest's address, if it is given.
    pub async fn bookings_noted(&self, host: Option<&HostId>, guest: Option<String>) -> Result<Vec<Noted>, StoreError> {
        let filter = BookingFilter { guest, ..BookingFilter::default() };
        let bookings = self.store.bookings(host, filter).await?;
        self.noted(bookings).await
    }

    /// Bookings with what is noted of them.
    pub async fn noted(&self, bookings: Vec<Booking>) -> Result<Vec<Noted>, StoreError> {
        let mut marks = self.store.marks(bookings.iter().map(|booking| booking.id).collect()).await?;
        let noted = bookings.into_iter().map(|booking| {
            let mark = marks.remove(&booking.id).unwrap_or_default();
            Noted { booking, mark }
        });
        Ok(noted.collect())
    }

    /// A booking of a host's.
    pub async fn booking_of_host(&self, host: &HostId, id: BookingId) -> Result<Noted, TokenError> {
        let booking = self.owned(host, id).await?;
        let noted = self.noted(vec![booking]).await?;
        noted.into_iter().next().ok_or(TokenError::Unknown)
    }

    async fn owned(&self, host: &HostId, id: BookingId) -> Result<Booking, TokenError> {
        let booking = self.store.booking(id).await?.filter(|booking| booking.host == *host);
        // One without an address names nobody any more: it waits for its event to be removed.
        booking.filter(|booking| !booking.guest.email.is_empty()).ok_or(TokenError::Unknown)
    }

    /// The host approves, declines or cancels; `word` is theirs to the guest, in the mail that follows, and may be empty.
    pub async fn decide_as_host(
        &self,
        host: &HostId,
        id: BookingId,
        decision: Decision,
        word: &str,
    ) -> Result<Booking, TokenError> {
        let booking = self.owned(host, id).await?;
        self.decide_saying(booking, decision, word).await
    }

    /// The host moves a booking.
    pub async fn move_as_host(
        &self,
        host: &HostId,
        id: BookingId,
        start: Timestamp,
        placement: Placement,
    ) -> Result<Booking, ReserveError> {
        let booking = self.owned(host, id).await?;
        self.move_for_host(booking, start, placement).await
    }

    /// The host notes something for themselves, in place of what was noted.
    pub async fn note(&self, host: &HostId, id: BookingId, note: String) -> Result<(), TokenError> {
        let booking = self.owned(host, id).await?;
        if self.store.note_booking(booking.id, note).await? { Ok(()) } else { Err(TokenError::Unknown) }
    }

    /// The host notes whether the guest came: of a booking that has begun and was not called off.
    pub async fn note_attendance(
        &self,
        host: &HostId,
        id: BookingId,
        attendance: Option<Attendance>,
    ) -> Result<(), TokenError> {
        let booking = self.owned(host, id).await?;
        if !booking.state.holds_slot() || booking.time.start() > self.clock.now() {
            return Err(TokenError::Closed(booking.state));
        }
        if self.store.mark_attendance(booking.id, attendance).await? { Ok(()) } else { Err(TokenError::Unknown) }
    }
}
