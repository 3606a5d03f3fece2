//! The iCalendar texts that we originate: the event of a booking, invitations, the feed, free/busy. Start with
//! [`booking_event`] and [`feed`].
//!
//! Whatever a guest typed goes through [`clean`], so that no text can end its line and begin a property of its own.

mod event;
mod feed;
mod lines;
mod vtimezone;

pub use event::{EventStatus, EventText, InvitationText, Method, Person, booking_event, invitation};
pub use feed::{FeedSlot, FeedText, FreeBusyText, feed, free_busy};
pub use lines::{Breaks, clean};

/// Who wrote it (RFC 5545 3.7.3).
const PRODID: &str = "-//officehours//officehours//EN";
