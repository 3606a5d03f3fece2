//! A meeting type: what can be booked, a length and rules.

use super::{Hours, host::is_url_id};
use jiff::SignedDuration;
use std::fmt;
use std::sync::Arc;

/// The `id` of a meeting type, as in URLs: `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeetingId(Arc<str>);

impl MeetingId {
    /// `None` when it is no id.
    pub fn new(id: &str) -> Option<MeetingId> {
        is_url_id(id).then(|| MeetingId(id.into()))
    }

    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MeetingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What can be booked. Durations are elapsed time.
#[derive(Clone, Debug)]
pub struct MeetingType {
    /// In URLs.
    pub id: MeetingId,
    /// As guests see it.
    pub title: String,
    /// As guests see it; may be empty.
    pub description: String,
    /// Length of a slot.
    pub duration: SignedDuration,
    /// A slot may start every step, counted from the start of each span of hours.
    pub step: SignedDuration,
    /// Kept free before a slot.
    pub buffer_before: SignedDuration,
    /// Kept free after a slot.
    pub buffer_after: SignedDuration,
    /// No slot sooner than this.
    pub notice: SignedDuration,
    /// None later than this.
    pub horizon: SignedDuration,
    /// Bookings of this type on one day of the host's.
    pub per_day: Option<u32>,
    /// Bookings of one guest's address in a span of time.
    pub per_guest: Option<PerGuest>,
    /// Guests per slot; at least 1.
    pub seats: u32,
    /// Where it takes place; may be empty.
    pub location: String,
    /// What makes a booking firm.
    pub confirm: Confirm,
    /// How long before it starts the guest is reminded.
    pub reminders: Vec<SignedDuration>,
    /// What the guest is asked.
    pub questions: Vec<Question>,
    /// Instead of the host's hours.
    pub hours: Option<Hours>,
}

/// `count` bookings within any `span` of elapsed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerGuest {
    /// At most this many.
    pub count: u32,
    /// In any span of this length.
    pub span: SignedDuration,
}

/// What makes a booking firm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confirm {
    /// The booking itself.
    #[default]
    Instant,
    /// The guest's address is confirmed first.
    Email,
    /// The host decides.
    Approval,
}

/// A question to the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The form field and the key in `answers`.
    pub id: String,
    /// As guests see it.
    pub label: String,
    /// An empty answer is refused.
    pub required: bool,
}
