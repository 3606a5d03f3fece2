//! Where a booking stands.

use std::fmt;
use std::str::FromStr;

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BookingState {
    /// It holds its slot until the guest's address is confirmed, or lapses. Nothing is on the calendar.
    AwaitingEmail,
    /// It holds its slot until the host decides; a tentative event is on the calendar.
    AwaitingApproval,
    /// It is durably the guest's and its event is on its way to the calendar server.
    Reserved,
    /// The calendar server has its event.
    Confirmed,
    /// The guest or the host called it off.
    Cancelled,
    /// The host did not approve it.
    Declined,
    /// It was not confirmed in time.
    Expired,
}

impl BookingState {
    /// All of them.
    pub const ALL: [BookingState; 7] = [
        BookingState::AwaitingEmail,
        BookingState::AwaitingApproval,
        BookingState::Reserved,
        BookingState::Confirmed,
        BookingState::Cancelled,
        BookingState::Declined,
        BookingState::Expired,
    ];

    /// True while it holds its slot.
    pub fn holds_slot(self) -> bool {
        !matches!(self, BookingState::Cancelled | BookingState::Declined | BookingState::Expired)
    }

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            BookingState::AwaitingEmail => "awaiting-email",
            BookingState::AwaitingApproval => "awaiting-approval",
            BookingState::Reserved => "reserved",
            BookingState::Confirmed => "confirmed",
            BookingState::Cancelled => "cancelled",
            BookingState::Declined => "declined",
            BookingState::Expired => "expired",
        }
    }
}

impl fmt::Display for BookingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BookingState {
    type Err = ();

    fn from_str(word: &str) -> Result<BookingState, ()> {
        BookingState::ALL.into_iter().find(|state| state.as_str() == word).ok_or(())
    }
}
