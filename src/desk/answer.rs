//! What the desk is asked and what it answers: plain values.

use crate::availability::{Host, HostId, Interval, MeetingId, MeetingType};
use crate::booking::{Booking, BookingState, Guest, Refused};
use crate::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

pub use crate::availability::{NotASlot, Slot, Taken};

/// The slots on offer, and how fresh they are.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Sorted by start. Empty unless fresh.
    pub slots: Vec<Slot>,
    /// How old the data is.
    pub freshness: Freshness,
}

/// How old a host's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Every calendar was read within `max_staleness`; the oldest reading.
    Fresh(Timestamp),
    /// A calendar was not read for longer: nothing can be booked.
    Stale(Timestamp),
    /// A calendar was never read: nothing can be booked.
    NeverRead,
}

/// A published text with its validators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The bytes to send.
    pub body: bytes::Bytes,
    /// Strong ETag with its quotes.
    pub etag: String,
    /// When these bytes came to be; whole seconds.
    pub modified: Timestamp,
}

/// A guest's wish.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// Whose time.
    pub host: HostId,
    /// What.
    pub meeting: MeetingId,
    /// When.
    pub start: Timestamp,
    /// Who; already checked field by field.
    pub guest: Guest,
    /// `Idempotency-Key` with the digest of the whole request.
    pub idempotency: Option<IdempotencyKey>,
    /// For the limits: the guest's IP address (the proxy's word, where it is trusted).
    pub from: Option<std::net::IpAddr>,
    /// Names the proof of work that came with it; each is good for one booking.
    pub proof: Option<String>,
    /// True when the guest's address is to be confirmed although the meeting type does not ask for it: there was no proof.
    pub confirm_address: bool,
}

/// An `Idempotency-Key` and what was sent with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The header's value.
    pub key: String,
    /// SHA-256 of method, path and body: another request with the same key is refused.
    pub request: [u8; 32],
}

/// A booking as its guest or host may see it.
#[derive(Clone, Debug)]
pub struct BookingView {
    /// The booking.
    pub booking: Booking,
    /// Its host, as configured now; `None` when no longer configured.
    pub host: Option<Arc<Host>>,
    /// Its meeting type, as configured now.
    pub meeting: Option<Arc<MeetingType>>,
    /// The guest's token: the last segment of `manage_url`. Empty in the host's view.
    pub guest_token: String,
    /// What the forms of its page carry, and nothing but its page knows: a program that posts without having read it changes nothing.
    pub form_token: String,
    /// True when mail is set up, so that an invitation comes by mail.
    pub mailed: bool,
    /// True when a mail to the guest was given up: looked at only where the guest's own page is asked for.
    pub missed_mail: bool,
}

/// One lane of the outbox, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneCount {
    /// Its word.
    pub lane: &'static str,
    /// Effects that wait.
    pub waiting: i64,
    /// Effects that were given up.
    pub failed: i64,
    /// How long the oldest waits, in seconds.
    pub oldest: i64,
}

/// What a host does with a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is firm.
    Approve,
    /// It is not wanted.
    Decline,
    /// It is called off.
    Cancel,
    /// It is moved to the time that the guest's calendar proposed.
    AcceptProposal,
}

/// Why a booking was not made or moved.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// No such host or meeting type.
    #[error("there is no such meeting type")]
    Unknown,
    /// The start is past, off the grid or outside the hours: it can never be booked.
    #[error("{0}")]
    NotASlot(NotASlot),
    /// On the grid but not on offer; with the nearest free slots.
    #[error("that time is not on offer")]
    Taken {
        /// What keeps it.
        why: Taken,
        /// The nearest slots on offer.
        alternatives: Vec<Interval>,
    },
    /// The host's data is too old to book on, or was never read.
    #[error("the host's calendar cannot be read at the moment")]
    Stale {
        /// When to try again.
        retry_after: SignedDuration,
    },
    /// Too many requests of this address or guest.
    #[error("too many bookings from this address")]
    Limited {
        /// When to try again.
        retry_after: SignedDuration,
    },
    /// The proof of work made a booking before: each is good for one.
    #[error("this proof of work was used for another booking")]
    ProofSpent,
    /// The same idempotency key is being answered just now.
    #[error("a request with this Idempotency-Key is in progress")]
    InProgress,
    /// The idempotency key was used with another request.
    #[error("this Idempotency-Key was used with another request")]
    KeyReused,
    /// The booking to be moved is unknown.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The store failed; nothing was booked.
    #[error("the booking could not be stored")]
    Store(#[from] StoreError),
}

impl ReserveError {
    /// Whether the store failed for now, as by a full disk: the same may succeed later.
    pub fn passes(&self) -> bool {
        match self {
            ReserveError::Store(error) => error.kind().passes(),
            ReserveError::Token(error) => error.passes(),
            _ => false,
        }
    }
}

impl TokenError {
    /// Whether the store failed for now, as by a full disk: the same may succeed later.
    pub fn passes(&self) -> bool {
        matches!(self, TokenError::Store(error) if error.kind().passes())
    }
}

impl From<Refused> for TokenError {
    fn from(refused: Refused) -> TokenError {
        match refused {
            Refused::State(state) => TokenError::Closed(state),
            Refused::Over => TokenError::Over,
        }
    }
}

/// Why a token opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Unknown, revoked or expired: the same answer for all.
    #[error("there is no such booking")]
    Unknown,
    /// The booking's state does not allow it, such as moving a cancelled one.
    #[error("the booking is {0}")]
    Closed(BookingState),
    /// It has ended: there is nothing to move or to call off any more.
    #[error("the booking is over")]
    Over,
    /// The store failed.
    #[error("the booking could not be read")]
    Store(#[from] StoreError),
}
