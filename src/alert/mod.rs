//! What a host has to be told beside their bookings: that something is wrong, once, and that it is over, once. Pure. Start with
//! [`Condition`] (how things are), [`Episode`] (what is remembered of it) and [`plan`].

mod episode;

pub use episode::{Condition, Episode, Known, LastNotice, Notice, Plan, Tellable, plan};

use std::fmt;
use std::str::FromStr;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A source of busy time cannot be read.
    Unreachable,
    /// The calendar server refuses the login, or the login has ended.
    LoginRefused,
    /// Events of bookings cannot be written or removed until the host acts: no permission, no room.
    WriteRefused,
    /// An event came into the calendar at the time of a booking, or the host has moved a booking onto an event or another booking.
    Conflict,
    /// A mail about a booking was refused for good, or could not be sent for days.
    MailFailed,
    /// The event of a booking became a series or an all-day event, or has no time that can be read.
    OddEvent,
    /// The event of a booking that was cancelled is on the calendar again.
    Restored,
    /// The mailbox of guests' answers cannot be read.
    InboxUnreachable,
    /// The mailbox of guests' answers refuses the login, or cannot be opened as the config has it.
    InboxRefused,
    /// An event of a calendar has no start that can be read: nobody knows when it takes the host's time.
    Undated,
    /// So many events of bookings are gone from the calendar at once that it is not believed of itself.
    ManyGone,
}

impl AlertKind {
    /// All of them.
    pub const ALL: [AlertKind; 11] = [
        AlertKind::Unreachable,
        AlertKind::LoginRefused,
        AlertKind::WriteRefused,
        AlertKind::Conflict,
        AlertKind::MailFailed,
        AlertKind::OddEvent,
        AlertKind::Restored,
        AlertKind::InboxUnreachable,
        AlertKind::InboxRefused,
        AlertKind::Undated,
        AlertKind::ManyGone,
    ];

    /// Its word in the store, in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertKind::Unreachable => "unreachable",
            AlertKind::LoginRefused => "login-refused",
            AlertKind::WriteRefused => "write-refused",
            AlertKind::Conflict => "conflict",
            AlertKind::MailFailed => "mail-failed",
            AlertKind::OddEvent => "odd-event",
            AlertKind::Restored => "restored",
            AlertKind::InboxUnreachable => "inbox-unreachable",
            AlertKind::InboxRefused => "inbox-refused",
            AlertKind::Undated => "undated",
            AlertKind::ManyGone => "many-gone",
        }
    }

    /// Whether it passes by itself more often than not: then it is told only after the host's `alert_after`.
    pub fn may_pass(self) -> bool {
        matches!(self, AlertKind::Unreachable | AlertKind::InboxUnreachable)
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AlertKind {
    type Err = ();

    fn from_str(word: &str) -> Result<AlertKind, ()> {
        AlertKind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(())
    }
}
