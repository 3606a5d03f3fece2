//! What a host notes of a booking for themselves: told to nobody, and gone with the booking.

use std::str::FromStr;

/// What a host notes of a booking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// In the host's words; may be empty.
    pub note: String,
    /// Whether the guest came; `None`: not said.
    pub attendance: Option<Attendance>,
}

/// Whether the guest came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attendance {
    /// They did.
    Came,
    /// They did not.
    Missed,
}

impl Attendance {
    /// Its word in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Attendance::Came => "came",
            Attendance::Missed => "missed",
        }
    }
}

impl FromStr for Attendance {
    type Err = ();

    fn from_str(word: &str) -> Result<Attendance, ()> {
        [Attendance::Came, Attendance::Missed].into_iter().find(|known| known.as_str() == word).ok_or(())
    }
}
