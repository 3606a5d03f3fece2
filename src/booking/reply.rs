//! What the calendar of a guest answers to an invitation by mail (RFC 5546 3.2.3, 3.2.6, 3.2.7), and whether it is believed. Pure.
//! Start with [`judge`].
//!
//! Anybody can write a mail in anybody's name. So an answer counts only in the name of the guest's own address, for the invitation
//! as it stands, and in its turn; and what it leads to is never more than a mail to that address, or a few lines to the host. It
//! calls a booking off only where it quotes the guest's own link, with which its sender could do so anyway.

use super::{Booking, BookingState};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// More mails than this to a host follow from no invitation, whatever comes.
const MOST_TOLD: u32 = 3;
/// No clock is so wrong: what claims to be later could silence all answers after it.
const FARTHEST_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// An answer, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// UID of the event that it is about.
    pub uid: String,
    /// The address that the mail came from, in lower case.
    pub from: String,
    /// ATTENDEE: who answers; a mail address in lower case.
    pub attendee: String,
    /// What they answer.
    pub said: Said,
    /// SEQUENCE of the invitation that is answered; 0 when absent (RFC 5545 3.8.7.4).
    pub sequence: u32,
    /// DTSTAMP: when it was answered.
    pub stamp: Option<Timestamp>,
    /// The last segments of what in it looks like a link to a guest's page.
    pub tokens: Vec<String>,
}

/// What somebody answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Whether they come.
    pub what: Says,
    /// COMMENT; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// Whether somebody comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// They come.
    Accepted,
    /// Perhaps.
    Tentative,
    /// They do not.
    Declined,
    /// Somebody else comes in their place (DELEGATED-TO): a mail address, which may be empty.
    Delegated(String),
    /// They propose another time (COUNTER), from and to.
    Proposes(Timestamp, Timestamp),
    /// They ask for the invitation again (REFRESH).
    Again,
}

/// The last answer that was believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// SEQUENCE of the invitation that it answers.
    pub sequence: u32,
    /// Its DTSTAMP.
    pub stamp: Option<Timestamp>,
    /// What it said.
    pub said: Said,
    /// How many answers to this invitation led to a mail that is sent each time.
    pub told: u32,
}

/// What an answer leads to, when the guest does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDecline {
    /// The guest is asked by mail whether the booking is to be cancelled.
    Ask,
    /// It is cancelled: only of an answer that proves to be the guest's.
    Cancel,
    /// Nothing.
    Nothing,
}

/// Why an answer is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// It is not the guest's, or not sent from the guest's address (RFC 5546 3.2.3: a "party crasher").
    #[error("it does not come from the guest's address in the guest's own name")]
    Stranger,
    /// The booking has ended or begun, or its guest was never invited.
    #[error("there is no invitation that it could answer")]
    NoInvitation,
    /// The invitation was sent anew since, with another time.
    #[error("it answers an invitation that no longer holds")]
    Outdated,
    /// A later answer was read, or this very one.
    #[error("it is no newer than the last answer")]
    Older,
    /// It claims to come from the future.
    #[error("its DTSTAMP lies in the future")]
    Future,
    /// There were enough of them.
    #[error("the invitation was answered often enough")]
    TooMany,
}

/// What is to be remembered of an answer at `now`, if it is believed.
pub fn judge(reply: &Reply, booking: &Booking, now: Timestamp) -> Result<Answered, Ignored> {
    let guest = booking.guest.email.trim().to_lowercase();
    if guest.is_empty() || reply.from != guest || reply.attendee != guest {
        return Err(Ignored::Stranger);
    }
    let stands = matches!(booking.state, BookingState::Confirmed | BookingState::Reserved);
    let Some(told) = booking.told.filter(|_| stands && booking.time.start() > now) else {
        return Err(Ignored::NoInvitation);
    };
    // One that is on its way to another time is invited anew when it is there.
    if reply.sequence < told || booking.sequence != told {
        return Err(Ignored::Outdated);
    }
    if reply.stamp.is_some_and(|stamp| stamp.duration_since(now) > FARTHEST_AHEAD) {
        return Err(Ignored::Future);
    }
    let before = booking.answered.as_ref().filter(|before| before.sequence == told);
    if before.is_some_and(|before| reply.stamp <= before.stamp) {
        return Err(Ignored::Older);
    }
    let tells = matches!(reply.said.what, Says::Delegated(_) | Says::Proposes(..) | Says::Again);
    let told_before = before.map_or(0, |before| before.told);
    if tells && told_before >= MOST_TOLD {
        return Err(Ignored::TooMany);
    }
    Ok(Answered { sequence: told, stamp: reply.stamp, said: reply.said.clone(), told: told_before + u32::from(tells) })
}
