//! A booking: a slot taken by a guest, its states, and what follows from a change. Start with [`Booking`].

mod appointment;
mod day;
mod guest;
mod invite;
mod links;
mod mark;
mod payload;
mod reply;
mod sample;
mod state;
mod transition;
pub mod when;

pub use appointment::{Appointment, place};
pub use day::DayEntry;
pub use guest::{Answer, Guest};
pub use invite::{Organizer, guest_event, organizer};
pub use links::Links;
pub use mark::{Attendance, Mark};
pub use payload::Payload;
pub use reply::{Answered, Ignored, OnDecline, Reply, Said, Says, judge};
pub use state::BookingState;
pub use transition::{Command, Effect, Message, Refused, first_effects, transition};

use crate::availability::{Held, HostId, Interval, MeetingId};
use crate::ical::write::Person;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use uuid::Uuid;

/// Names a booking, for good. Not a secret: who holds it may not read or change the booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BookingId(pub Uuid);

impl fmt::Display for BookingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A slot taken by a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// Its name.
    pub id: BookingId,
    /// Whose time it is.
    pub host: HostId,
    /// What was booked.
    pub meeting: MeetingId,
    /// The meeting type's title when it was booked.
    pub title: String,
    /// Where it is: the meeting type's location when it was booked, or what the host has written into its event since; may be empty.
    pub location: String,
    /// LOCATION of its event when that was last read, in one line: a server may write it in its own way. What differs is the host's edit.
    pub event_location: String,
    /// When it is.
    pub time: Interval,
    /// Kept free before it.
    pub buffer_before: SignedDuration,
    /// Kept free after it.
    pub buffer_after: SignedDuration,
    /// Guests that may hold this slot together.
    pub seats: u32,
    /// Where it stands.
    pub state: BookingState,
    /// Who booked it.
    pub guest: Guest,
    /// UID of its event, on the calendar and in the invitation. Never used again.
    pub uid: String,
    /// SEQUENCE of its event: rises with each change of time and with the cancel (RFC 5546 2.1.4).
    pub sequence: u32,
    /// SEQUENCE of the last invitation that the guest was sent; `None` before there was one.
    pub told: Option<u32>,
    /// The time that the last invitation said; `None` before there was one.
    pub told_time: Option<Interval>,
    /// SEQUENCE of the invitation that the guest's calendar declined; `None`: none.
    pub declined: Option<u32>,
    /// The last answer of the guest's calendar that came by mail; `None`: none.
    pub answered: Option<Answered>,
    /// ORGANIZER of its invitations, settled when it was made: the same, to the letter, in each, whatever the config becomes. `None` of
    /// one that is older than this rule, until the daemon has started.
    pub organizer: Option<Person>,
    /// True when the host put it where it is, by moving its event or at the desk: it may then lie over other events.
    pub placed_by_host: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When an unconfirmed one lapses.
    pub expires_at: Option<Timestamp>,
    /// The path on the server of the calendar that its event is written to, as `account/href`; `None` before there is one.
    pub event: Option<EventPlace>,
}

/// Where the event of a booking is on the calendar server, and which version of it we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPlace {
    /// The `id` of the account.
    pub account: String,
    /// The path of the calendar object, as the server writes it.
    pub href: String,
    /// The ETag of the version that we last wrote or read.
    pub etag: Option<String>,
}

impl Booking {
    /// The other time that the guest's calendar proposed for the invitation as it stands.
    pub fn proposal(&self) -> Option<Interval> {
        self.proposed().filter(|_| self.answered.as_ref().is_some_and(|answered| answered.sequence == self.sequence))
    }

    /// The same, of whatever invitation.
    fn proposed(&self) -> Option<Interval> {
        match self.answered.as_ref()?.said.what {
            Says::Proposes(start, end) => Interval::new(start, end),
            _ => None,
        }
    }

    /// Whether its time has passed.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.time.end() <= now
    }

    /// Its hold on the host's time, while it has one.
    pub fn held(&self) -> Option<Held> {
        self.state.holds_slot().then(|| Held {
            id: self.id.0,
            meeting: self.meeting.clone(),
            time: self.time,
            buffer_before: self.buffer_before,
            buffer_after: self.buffer_after,
        })
    }
}
