//! What alerts to a host say, as fields of [`AlertPhrases`]. What a server answered is quoted as it came, in whatever language.

use crate::alert::AlertKind;

/// What alerts say.
#[derive(Clone, Copy, Debug)]
pub struct AlertPhrases {
    /// The subject, of what is wrong.
    pub subject: fn(&str) -> String,
    /// The subject when that is over.
    pub over_subject: fn(&str) -> String,
    /// Above what is over.
    pub over: &'static str,
    /// A source of busy time cannot be read.
    pub unreachable: AlertWords,
    /// The calendar server refuses the login.
    pub login_refused: AlertWords,
    /// Events of bookings cannot be written.
    pub write_refused: AlertWords,
    /// An event came in at the time of a booking, or a booking was put onto one.
    pub conflict: AlertWords,
    /// A mail about a booking was given up.
    pub mail_failed: AlertWords,
    /// The event of a booking became what a booking cannot be.
    pub odd_event: AlertWords,
    /// The event of an ended booking is there again.
    pub restored: AlertWords,
    /// The mailbox of guests' answers cannot be read.
    pub inbox_unreachable: AlertWords,
    /// The mailbox of guests' answers refuses the login.
    pub inbox_refused: AlertWords,
    /// An event of a calendar has no start that can be read.
    pub undated: AlertWords,
    /// Many events of bookings are gone at once.
    pub many_gone: AlertWords,
    /// How many.
    pub so_many: fn(usize) -> String,

    /// A booking lies over an event: the booking, the event, its calendar.
    pub at_same_time: fn(&str, &str, &str) -> String,
    /// A booking lies over another booking: the one, the other.
    pub with_another: fn(&str, &str) -> String,
    /// The title of an event, within a sentence.
    pub quoted: fn(&str) -> String,
    /// In place of the title of an event that has none.
    pub untitled: &'static str,
    /// The event of this booking was made a series.
    pub made_series: fn(&str) -> String,
    /// The event of this booking was made an all-day event.
    pub made_all_day: fn(&str) -> String,
    /// The event of this booking has no time that can be read.
    pub made_timeless: fn(&str) -> String,
    /// The event of this title and time is in the calendar, though its booking was cancelled, declined or has lapsed: one of `ended`.
    pub back: fn(&str, &str, &str) -> String,
    /// How a booking ended: cancelled, declined, lapsed.
    pub ended: [&'static str; 3],
    /// So many changes of bookings wait, because of this error.
    pub changes_wait: fn(i64, &str) -> String,
    /// A mail about this booking could not be delivered, because of this error.
    pub undelivered: fn(&str, &str) -> String,
}

/// A kind of alert.
#[derive(Clone, Copy, Debug)]
pub struct AlertWords {
    /// What is wrong, for the subject.
    pub wrong: &'static str,
    /// What it means and what to do.
    pub advice: &'static str,
}

impl AlertPhrases {
    /// The words of a kind.
    pub fn of(&self, kind: AlertKind) -> AlertWords {
        match kind {
            AlertKind::Unreachable => self.unreachable,
            AlertKind::LoginRefused => self.login_refused,
            AlertKind::WriteRefused => self.write_refused,
            AlertKind::Conflict => self.conflict,
            AlertKind::MailFailed => self.mail_failed,
            AlertKind::OddEvent => self.odd_event,
            AlertKind::Restored => self.restored,
            AlertKind::InboxUnreachable => self.inbox_unreachable,
            AlertKind::InboxRefused => self.inbox_refused,
            AlertKind::Undated => self.undated,
            AlertKind::ManyGone => self.many_gone,
        }
    }
}
