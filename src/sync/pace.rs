//! How long to wait between two passes over a source (standards A4.1 to A4.3): pure, by [`pause`].

use super::health::{Setback, TroubleKind};
use jiff::SignedDuration;
use std::time::Duration;

/// The first wait after a failure.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait after failures that go away by themselves, unless the poll is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// The first wait after a server asked for fewer requests and did not say how few.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest wait that a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// After the first refused login: a server whose list of users is away refuses everybody.
const FIRST_REFUSAL: Duration = Duration::from_secs(5 * 60);
/// After the second: each further try counts towards a lock-out. A changed config begins anew.
const REFUSED: Duration = Duration::from_secs(3600);

/// What is to be kept between two passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// How long.
    pub wait: Duration,
    /// Whether nobody's wish shortens it: the server asked for it, or refuses the login.
    pub closed: bool,
}

/// The pause after a pass: the poll, or a wait that doubles with each failure, or what the server asks for. `failures` counts the
/// passes in a row that failed, with this one; `chance` of 0 to 255 spreads the hosts of one server over time: up to a tenth
/// sooner, after a failure up to a quarter, and never sooner than a server asks.
pub fn pause(setback: Option<&Setback>, failures: u32, poll: Duration, chance: u8) -> Pause {
    let doubled = |first: Duration| first.saturating_mul(1 << failures.saturating_sub(1).min(12));
    let share = |of: Duration| of / 255 * u32::from(chance);
    let Some(setback) = setback else { return Pause { wait: poll - share(poll / 10), closed: false } };
    match (setback.kind, setback.retry_after) {
        // It is not for this source to find out: it costs nothing to look whether another has.
        (TroubleKind::Login, _) if !setback.asked => Pause { wait: poll, closed: true },
        (TroubleKind::Login, _) => {
            let wait = if failures < 2 { FIRST_REFUSAL } else { REFUSED }.max(poll);
            Pause { wait: wait + share(wait / 10), closed: true }
        }
        (_, Some(asked)) => {
            let asked = Duration::try_from(asked.max(SignedDuration::ZERO)).unwrap_or(LONGEST_PAUSE);
            let asked = asked.clamp(Duration::from_secs(1), LONGEST_PAUSE);
            Pause { wait: asked + share(asked / 10), closed: true }
        }
        (TroubleKind::Paused, None) => {
            let wait = doubled(FIRST_PAUSE).min(LONGEST_PAUSE);
            Pause { wait: wait + share(wait / 10), closed: true }
        }
        _ => {
            let wait = doubled(FIRST_WAIT.min(poll)).min(poll.max(LONGEST_WAIT));
            Pause { wait: wait - share(wait / 4), closed: false }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Duration = Duration::from_secs(300);

    fn setback(kind: TroubleKind, retry_after: Option<i64>) -> Setback {
        Setback { kind, what: String::new(), retry_after: retry_after.map(SignedDuration::from_secs), asked: true }
    }

    #[test]
    fn polls_of_many_hosts_are_spread_and_none_is_late() {
        assert_eq!(pause(None, 0, POLL, 0), Pause { wait: POLL, closed: false });
        assert_eq!(pause(None, 0, POLL, 255).wait.as_secs(), 270);
    }

    #[test]
    fn failures_double_the_wait_up_to_the_poll() {
        let down = setback(TroubleKind::Unreachable, None);
        let waits: Vec<u64> = (1..12).map(|failures| pause(Some(&down), failures, POLL, 0).wait.as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(pause(Some(&down), u32::MAX, Duration::from_secs(1), 0).wait, LONGEST_WAIT);
        let least = pause(Some(&down), 3, POLL, 255).wait;
        assert!(least >= Duration::from_millis(5990) && least < Duration::from_secs(8), "{least:?}");
        assert!(!pause(Some(&down), 3, POLL, 0).closed);
    }

    #[test]
    fn a_server_gets_the_rest_that_it_asks_for_up_to_an_hour() {
        for (asked, least) in [(120, 120), (7200, 3600), (0, 1), (-5, 1)] {
            for kind in [TroubleKind::Paused, TroubleKind::Server] {
                let pause = pause(Some(&setback(kind, Some(asked))), 1, Duration::from_secs(1), 255);
                assert!(pause.closed && pause.wait >= Duration::from_secs(least), "{asked}: {pause:?}");
                assert!(pause.wait <= Duration::from_secs(least) * 11 / 10);
            }
        }
        let wait = |failures| pause(Some(&setback(TroubleKind::Paused, None)), failures, POLL, 0).wait.as_secs();
        assert_eq!((wait(1), wait(2), wait(20)), (30, 60, 3600));
    }

    #[test]
    fn a_refused_login_is_tried_once_more_and_then_hourly() {
        let refused = setback(TroubleKind::Login, None);
        assert_eq!(pause(Some(&refused), 1, POLL, 0), Pause { wait: FIRST_REFUSAL, closed: true });
        assert_eq!(pause(Some(&refused), 2, POLL, 0), Pause { wait: REFUSED, closed: true });
        let not_asked = Setback { asked: false, ..refused };
        assert_eq!(pause(Some(&not_asked), 9, POLL, 255), Pause { wait: POLL, closed: true });
    }
}
