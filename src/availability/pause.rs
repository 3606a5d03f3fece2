//! A pause: the host takes no new bookings for now.

use jiff::Timestamp;

/// A pause of a host's. What is booked stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// It is over then; `None`: when the host says so.
    pub until: Option<Timestamp>,
}

impl Pause {
    /// Whether it holds at `now`.
    pub fn holds(self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
