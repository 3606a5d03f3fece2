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

/// The longest wait while a server is away: once it is back, an event is there within 30 seconds.
const LONGEST: SignedDuration = SignedDuration::from_secs(20);
/// The wait after an answer that only the host can change, such as a wrong password: no login is locked out by us.
const REFUSED: SignedDuration = SignedDuration::from_mins(15);

/// When to try again after `attempts` failures, the last of this kind. `jitter` is from 0 up to 1.
pub fn retry(
    kind: &ErrorKind,
    retry_after: Option<SignedDuration>,
    attempts: u32,
    jitter: f64,
    now: Timestamp,
) -> Retry {
    // A redirect that leads away and a wrong certificate are often a page in between, of a network or of the server.
    let may_pass = matches!(kind, ErrorKind::Insecure | ErrorKind::Tls);
    // Nothing is sent while a login has ended: looking costs nobody anything.
    let is_over = *kind == ErrorKind::LoginEnded;
    let refused =
        matches!(kind, ErrorKind::Unauthorized | ErrorKind::Forbidden | ErrorKind::Quota | ErrorKind::Settings);
    let wait = if refused {
        // A permission may be a passing fault of the server: the first tries come soon.
        if attempts <= 2 { SignedDuration::from_secs(5) } else { REFUSED }
    } else {
        let doubled = SignedDuration::from_millis(500 << attempts.min(8));
        doubled.min(LONGEST).mul_f64(0.75 + jitter.clamp(0.0, 1.0) / 4.0)
    };
    let wait = retry_after.map_or(wait, |asked| asked.max(wait));
    Retry { due_at: now.checked_add(wait).unwrap_or(Timestamp::MAX), needs_host: refused || may_pass || is_over }
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
        retry(&kind, None, attempts, 1.0, Timestamp::UNIX_EPOCH).due_at.duration_since(Timestamp::UNIX_EPOCH)
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
        let retry = retry(&ErrorKind::Insecure, None, 9, 1.0, Timestamp::UNIX_EPOCH);
        assert!(retry.needs_host && retry.due_at.duration_since(Timestamp::UNIX_EPOCH) <= LONGEST);
    }

    #[test]
    fn a_refused_login_is_not_hammered() {
        assert_eq!(wait(ErrorKind::Unauthorized, 3), REFUSED);
    }

    #[test]
    fn the_server_may_ask_for_more_time() {
        let asked = SignedDuration::from_mins(10);
        let retry = retry(&ErrorKind::Unavailable { retry_after: None }, Some(asked), 1, 0.0, Timestamp::UNIX_EPOCH);
        assert_eq!(retry.due_at.duration_since(Timestamp::UNIX_EPOCH), asked);
    }
}
