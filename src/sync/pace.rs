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

/// How many passes in a row have failed, with the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// For whatever reason.
    pub all: u32,
    /// For the reason of the last one: what a server asks for after an outage is not made longer by the outage.
    pub alike: u32,
    kind: Option<TroubleKind>,
}

impl Failures {
    /// After one more pass.
    #[must_use]
    pub fn after(self, setback: Option<&Setback>) -> Failures {
        let Some(setback) = setback else { return Failures::default() };
        let before = if self.kind == Some(setback.kind) { self.alike } else { 0 };
        Failures { all: self.all.saturating_add(1), alike: before.saturating_add(1), kind: Some(setback.kind) }
    }
}

/// The pause after a pass: the poll, or a wait that doubles with each failure, or what the server asks for; `chance` of 0 to 255
/// spreads the hosts of one server over time: up to a tenth sooner, after a failure up to a quarter, and never sooner than a server
/// asks.
pub fn pause(setback: Option<&Setback>, failures: Failures, poll: Duration, chance: u8) -> Pause {
    let doubled = |first: Duration, failures: u32| first.saturating_mul(1 << failures.saturating_sub(1).min(12));
    let share = |of: Duration| of / 255 * u32::from(chance);
    let Some(setback) = setback else { return Pause { wait: poll - share(poll / 10), closed: false } };
    match (setback.kind, setback.retry_after) {
        // It is not for this source to find out: it costs nothing to look whether another has.
        (TroubleKind::Login, _) if !setback.asked => Pause { wait: poll, closed: true },
        (TroubleKind::Login, _) => {
            let wait = if failures.alike < 2 { FIRST_REFUSAL } else { REFUSED }.max(poll);
            Pause { wait: wait + share(wait / 10), closed: true }
        }
        (_, Some(asked)) => {
            let asked = Duration::try_from(asked.max(SignedDuration::ZERO)).unwrap_or(LONGEST_PAUSE);
            let asked = asked.clamp(Duration::from_secs(1), LONGEST_PAUSE);
            Pause { wait: asked + share(asked / 10), closed: true }
        }
        (TroubleKind::Paused, None) => {
            let wait = doubled(FIRST_PAUSE, failures.alike).min(LONGEST_PAUSE);
            Pause { wait: wait + share(wait / 10), closed: true }
        }
        _ => {
            let wait = doubled(FIRST_WAIT.min(poll), failures.all).min(poll.max(LONGEST_WAIT));
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

    /// So many in a row, all alike.
    fn alike(count: u32) -> Failures {
        Failures { all: count, alike: count, kind: None }
    }

    #[test]
    fn what_a_server_asks_for_after_an_outage_is_not_made_longer_by_it() {
        let (down, paused) = (setback(TroubleKind::Unreachable, None), setback(TroubleKind::Paused, None));
        let outage = (0..40).fold(Failures::default(), |failures, _| failures.after(Some(&down)));
        let first = outage.after(Some(&paused));
        assert_eq!((first.all, first.alike), (41, 1));
        assert_eq!(pause(Some(&paused), first, POLL, 0).wait, FIRST_PAUSE);
        let second = first.after(Some(&paused));
        assert_eq!(pause(Some(&paused), second, POLL, 0).wait, FIRST_PAUSE * 2);
        assert_eq!(pause(Some(&down), second.after(Some(&down)), POLL, 0).wait, POLL);
        assert_eq!(second.after(None), Failures::default());
    }

    #[test]
    fn polls_of_many_hosts_are_spread_and_none_is_late() {
        assert_eq!(pause(None, alike(0), POLL, 0), Pause { wait: POLL, closed: false });
        assert_eq!(pause(None, alike(0), POLL, 255).wait.as_secs(), 270);
    }

    #[test]
    fn failures_double_the_wait_up_to_the_poll() {
        let down = setback(TroubleKind::Unreachable, None);
        let waits: Vec<u64> =
            (1..12).map(|failures| pause(Some(&down), alike(failures), POLL, 0).wait.as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(pause(Some(&down), alike(u32::MAX), Duration::from_secs(1), 0).wait, LONGEST_WAIT);
        let least = pause(Some(&down), alike(3), POLL, 255).wait;
        assert!(least >= Duration::from_millis(5990) && least < Duration::from_secs(8), "{least:?}");
        assert!(!pause(Some(&down), alike(3), POLL, 0).closed);
    }

    #[test]
    fn a_server_gets_the_rest_that_it_asks_for_up_to_an_hour() {
        for (asked, least) in [(120, 120), (7200, 3600), (0, 1), (-5, 1)] {
            for kind in [TroubleKind::Paused, TroubleKind::Server] {
                let pause = pause(Some(&setback(kind, Some(asked))), alike(1), Duration::from_secs(1), 255);
                assert!(pause.closed && pause.wait >= Duration::from_secs(least), "{asked}: {pause:?}");
                assert!(pause.wait <= Duration::from_secs(least) * 11 / 10);
            }
        }
        let wait = |failures| pause(Some(&setback(TroubleKind::Paused, None)), alike(failures), POLL, 0).wait.as_secs();
        assert_eq!((wait(1), wait(2), wait(20)), (30, 60, 3600));
    }

    #[test]
    fn a_refused_login_is_tried_once_more_and_then_hourly() {
        let refused = setback(TroubleKind::Login, None);
        assert_eq!(pause(Some(&refused), alike(1), POLL, 0), Pause { wait: FIRST_REFUSAL, closed: true });
        assert_eq!(pause(Some(&refused), alike(2), POLL, 0), Pause { wait: REFUSED, closed: true });
        let not_asked = Setback { asked: false, ..refused };
        assert_eq!(pause(Some(&not_asked), alike(9), POLL, 255), Pause { wait: POLL, closed: true });
    }
}
