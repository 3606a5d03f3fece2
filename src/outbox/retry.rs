//! When to try again. Pure.

use crate::caldav::ErrorKind;
use jiff::{SignedDuration, Timestamp};

/// When to try again, and whether the host has to do something first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Not before this.
    pub due_at: Timestamp,
    /// True when it will not go away by itself.
    pub needs_host: bool,
}

/// How an effect on the calendar failed, by what is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The server is away, busy or slow: it passes by itself.
    Passing,
    /// The server fails at this very request while others may go well: it may pass any moment, and may be for the host to see to.
    Failing,
    /// Nothing was sent, since it would have led elsewhere or a login has ended: looking again costs nobody anything.
    Unsent,
    /// The server will not do what was asked, or does another thing: it stays so until somebody changes something, mostly.
    Stubborn,
    /// Only the host can change it.
    Refused,
}

impl Failed {
    /// As the server's answer, or its silence, says.
    pub fn of(kind: &ErrorKind) -> Failed {
        match kind {
            ErrorKind::Network
            | ErrorKind::Timeout
            | ErrorKind::Locked
            | ErrorKind::TooManyRequests { .. }
            | ErrorKind::Unavailable { .. } => Failed::Passing,
            ErrorKind::Server(_) | ErrorKind::BadAnswer | ErrorKind::TooLarge => Failed::Failing,
            // A redirect that leads away and a wrong certificate are often a page in between, of a network or of the server.
            ErrorKind::Insecure | ErrorKind::Tls | ErrorKind::PrivateAddress | ErrorKind::LoginEnded => Failed::Unsent,
            ErrorKind::NotFound
            | ErrorKind::PreconditionFailed
            | ErrorKind::UidConflict { .. }
            | ErrorKind::Conflict
            | ErrorKind::Rejected { .. }
            | ErrorKind::NoCalendars => Failed::Stubborn,
            ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::Quota | ErrorKind::Settings => Failed::Refused,
        }
    }
}

/// The longest wait while a server is away: once it is back, an event is there within 30 seconds.
const LONGEST: SignedDuration = SignedDuration::from_secs(20);
/// The wait after an answer that only the host can change, such as a wrong password: no login is locked out by us.
const REFUSED: SignedDuration = SignedDuration::from_mins(15);
/// A permission may be a passing fault of the server: so many tries come soon.
const REFUSALS_SOON: u32 = 2;
/// A write that meets another's is refused by many servers, and goes well the next time. After so many refusals, a quarter of a minute,
/// the host is told; the waits grow on.
const RACES: u32 = 5;
/// After so many failures of one request, some ten minutes, the host is told.
const MANY: u32 = 35;
/// An effect of a booking that ended so long ago is given up.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(5 * 24);

/// When to try again after `attempts` failures, the last of this kind. `jitter` is from 0 up to 1.
pub fn retry(failed: Failed, retry_after: Option<SignedDuration>, attempts: u32, jitter: f64, now: Timestamp) -> Retry {
    let doubled = |longest| SignedDuration::from_millis(500 << attempts.min(12)).min(longest);
    let soon = doubled(LONGEST).mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 4.0);
    let (wait, needs_host) = match failed {
        Failed::Passing => (soon, false),
        Failed::Failing => (soon, attempts >= MANY),
        Failed::Unsent => (soon, true),
        Failed::Stubborn => (doubled(REFUSED), attempts >= RACES),
        Failed::Refused if attempts <= REFUSALS_SOON => (SignedDuration::from_secs(5), true),
        Failed::Refused => (REFUSED, true),
    };
    let wait = retry_after.map_or(wait, |asked| asked.max(wait));
    Retry { due_at: now.checked_add(wait).unwrap_or(Timestamp::MAX), needs_host }
}

/// Whether an effect of a booking that ended then is given up: nobody is helped by it any more, and the booking is to be erased some day.
pub(super) fn is_over(booking_end: Timestamp, now: Timestamp) -> bool {
    now.duration_since(booking_end) >= GIVE_UP
}

/// The first wait for a mail server, doubled each time.
const MAIL_FIRST: SignedDuration = SignedDuration::from_secs(30);
/// The longest.
const MAIL_LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// A message that could not be sent for so long is given up: as mail servers do (RFC 5321 4.5.4.1).
const MAIL_GIVE_UP: SignedDuration = SignedDuration::from_hours(5 * 24);

/// When to try a message again after `attempts` failures; `None`: not any more.
pub fn mail_retry(created_at: Timestamp, attempts: u32, now: Timestamp) -> Option<Timestamp> {
    if now.duration_since(created_at) >= MAIL_GIVE_UP {
        return None;
    }
    let doubled = MAIL_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(10));
    now.checked_add(doubled.min(MAIL_LONGEST)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(kind: ErrorKind, attempts: u32) -> SignedDuration {
        retry(Failed::of(&kind), None, attempts, 1.0, Timestamp::UNIX_EPOCH)
            .due_at
            .duration_since(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_server_that_is_away_is_tried_at_least_every_twenty_seconds() {
        assert_eq!(wait(ErrorKind::Network, 1), SignedDuration::from_secs(1));
        assert!(wait(ErrorKind::Network, 3) > wait(ErrorKind::Network, 2));
        assert_eq!(wait(ErrorKind::Network, 4_000_000_000), LONGEST);
    }

    #[test]
    fn a_mail_is_tried_sooner_and_later_for_five_days() {
        let (mut now, mut waits) = (Timestamp::UNIX_EPOCH, Vec::new());
        while let Some(due) = mail_retry(Timestamp::UNIX_EPOCH, u32::try_from(waits.len()).unwrap() + 1, now) {
            waits.push(due.duration_since(now).as_secs());
            now = due;
        }
        assert_eq!(waits[..8], [30, 60, 120, 240, 480, 960, 1920, 3600]);
        let days = now.duration_since(Timestamp::UNIX_EPOCH).as_hours() / 24;
        assert!(days == 5 && waits.len() < 130, "{days} {}", waits.len());
    }

    #[test]
    fn a_redirect_that_leads_away_may_be_gone_the_next_moment() {
        let retry = retry(Failed::of(&ErrorKind::Insecure), None, 9, 1.0, Timestamp::UNIX_EPOCH);
        assert!(retry.needs_host && retry.due_at.duration_since(Timestamp::UNIX_EPOCH) <= LONGEST);
    }

    #[test]
    fn what_a_server_will_not_do_is_tried_soon_then_seldom_and_the_host_is_told() {
        let after = |failed, attempts| retry(failed, None, attempts, 1.0, Timestamp::UNIX_EPOCH);
        let mut spent = Timestamp::UNIX_EPOCH;
        for attempts in 1..RACES {
            let Retry { due_at, needs_host } = after(Failed::of(&ErrorKind::Rejected { status: 400 }), attempts);
            assert!(!needs_host, "a race of two writers ends");
            spent += due_at.duration_since(Timestamp::UNIX_EPOCH);
        }
        assert_eq!(spent.as_second(), 15);
        for kind in [ErrorKind::Conflict, ErrorKind::PreconditionFailed, ErrorKind::UidConflict { href: None }] {
            assert!(after(Failed::of(&kind), RACES).needs_host);
            let Retry { due_at, needs_host } = after(Failed::of(&kind), 100);
            assert!(needs_host && due_at.duration_since(Timestamp::UNIX_EPOCH) == REFUSED, "{kind:?}");
        }
        // A server that fails at this one request, and may be well the next moment.
        assert!(!after(Failed::of(&ErrorKind::Server(500)), MANY - 1).needs_host);
        let failing = after(Failed::of(&ErrorKind::Server(500)), MANY);
        assert!(failing.needs_host && failing.due_at.duration_since(Timestamp::UNIX_EPOCH) <= LONGEST);
        // One that is away is told of as a source that cannot be read.
        assert!(!after(Failed::of(&ErrorKind::Network), 100_000).needs_host);
    }

    #[test]
    fn an_effect_outlives_its_booking_by_some_days() {
        let end = Timestamp::UNIX_EPOCH;
        assert!(!is_over(end, end + SignedDuration::from_hours(119)) && is_over(end, end + GIVE_UP));
        assert!(!is_over(end + GIVE_UP, end));
    }

    #[test]
    fn a_refused_login_is_not_hammered() {
        assert_eq!(wait(ErrorKind::Unauthorized, 3), REFUSED);
    }

    #[test]
    fn the_server_may_ask_for_more_time() {
        let asked = SignedDuration::from_mins(10);
        let retry = retry(Failed::Passing, Some(asked), 1, 0.0, Timestamp::UNIX_EPOCH);
        assert_eq!(retry.due_at.duration_since(Timestamp::UNIX_EPOCH), asked);
    }
}
