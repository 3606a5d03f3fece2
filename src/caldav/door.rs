//! Whether an account's server is asked at all, and how soon, by what it has answered: shared by everybody who speaks to it with the
//! same login. Pure but for its lock; times are passed in. Read [`Door::ask`] first.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The least time between two requests, once a server has asked for fewer.
const FIRST_SPACING: Duration = Duration::from_millis(100);
/// The most: the slowest servers known take one request in two seconds.
const MOST_SPACING: Duration = Duration::from_secs(2);
/// After so many good answers in a row, requests may follow each other twice as fast.
const GOOD_ENOUGH: u32 = 10;

/// A 401 within so long of an answer that let the login in is about what was asked, unless another follows: there are servers that
/// refuse a calendar so, or a write.
const LET_IN: Duration = Duration::from_secs(60);

/// An account's door to its server.
#[derive(Debug, Default)]
pub(crate) struct Door(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The login was refused, and no later answer says otherwise.
    refused: bool,
    /// When the login was let in last, unless a 401 has followed.
    let_in: Option<Instant>,
    /// The server asked for a pause, by this status.
    closed: Option<(Instant, u16)>,
    /// Between two requests.
    spacing: Duration,
    /// Not before this, the next.
    next: Option<Instant>,
    good: u32,
}

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It is sent, not before this.
    At(Instant),
    /// It is not sent: each further try counts towards a lock-out.
    Refused,
    /// It is not sent: the server asked for a pause with this status, of which so much is left.
    Closed(u16, Duration),
}

impl Door {
    /// A request is to be sent at `now`. `careful`: it is the one try by which is found out whether the login works again.
    pub(crate) fn ask(&self, careful: bool, now: Instant) -> Entry {
        let mut state = self.lock();
        if let Some((until, status)) = state.closed.filter(|(until, _)| now < *until) {
            return Entry::Closed(status, until - now);
        }
        if state.refused && !careful {
            return Entry::Refused;
        }
        let at = state.next.map_or(now, |next| next.max(now));
        state.next = (!state.spacing.is_zero()).then(|| at + state.spacing);
        Entry::At(at)
    }

    /// The server has answered at `now` with this status, and asked for this pause.
    pub(crate) fn answered(&self, status: u16, pause: Option<Duration>, now: Instant) {
        let mut state = self.lock();
        if let Some(pause) = pause.filter(|_| matches!(status, 429 | 503)) {
            state.closed = Some((now + pause, status));
        }
        match status {
            401 => {
                let was_let_in = state.let_in.take().is_some_and(|at| now.saturating_duration_since(at) < LET_IN);
                state.refused |= !was_let_in;
            }
            429 => {
                (state.spacing, state.good) = ((state.spacing * 2).clamp(FIRST_SPACING, MOST_SPACING), 0);
                state.next = Some(now + state.spacing);
            }
            200..=299 => {
                (state.refused, state.let_in, state.good) = (false, Some(now), state.good.saturating_add(1));
                if state.good >= GOOD_ENOUGH && !state.spacing.is_zero() {
                    let halved = state.spacing / 2;
                    (state.spacing, state.good) = (if halved < FIRST_SPACING { Duration::ZERO } else { halved }, 0);
                }
            }
            _ => {}
        }
    }

    /// The login was refused a moment ago: the first who knocks is the careful one.
    pub(crate) fn distrust(&self) {
        self.lock().refused = true;
    }

    /// Whether the login was refused, and no later answer says otherwise.
    pub(crate) fn is_refused(&self) -> bool {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is an assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn after_a_refused_login_only_the_careful_one_knocks_until_it_is_let_in() {
        let (door, now) = (Door::default(), Instant::now());
        assert_eq!(door.ask(false, now), Entry::At(now));
        door.answered(401, None, now);
        for seconds in 0..10_000 {
            assert_eq!(door.ask(false, now + SECOND * seconds), Entry::Refused);
        }
        assert_eq!(door.ask(true, now), Entry::At(now));
        door.answered(500, None, now);
        assert!(door.is_refused(), "a failure says nothing about the login");
        door.answered(207, None, now);
        assert_eq!(door.ask(false, now), Entry::At(now));
    }

    #[test]
    fn a_401_between_good_answers_is_about_what_was_asked() {
        let (door, now) = (Door::default(), Instant::now());
        for second in 0..20 {
            door.answered(207, None, now + SECOND * second);
            door.answered(401, None, now + SECOND * second);
            assert!(!door.is_refused());
        }
        door.answered(401, None, now + SECOND * 20);
        assert!(door.is_refused(), "two in a row");
        door.answered(207, None, now + SECOND * 20);
        door.answered(401, None, now + SECOND * 80);
        assert!(door.is_refused(), "it was let in long ago");
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_everybodys() {
        let (door, now) = (Door::default(), Instant::now());
        door.answered(503, Some(SECOND * 20), now);
        for careful in [false, true] {
            assert_eq!(door.ask(careful, now + SECOND * 5), Entry::Closed(503, SECOND * 15));
            assert_eq!(door.ask(careful, now + SECOND * 20), Entry::At(now + SECOND * 20));
        }
        door.answered(207, Some(SECOND), now);
        assert_eq!(door.ask(false, now + SECOND * 20), Entry::At(now + SECOND * 20), "that is no answer to wait by");
    }

    #[test]
    fn requests_follow_each_other_more_slowly_once_the_server_has_asked_for_fewer() {
        let (door, now) = (Door::default(), Instant::now());
        let ask = |at: Instant| match door.ask(false, at) {
            Entry::At(at) => at,
            other => panic!("{other:?}"),
        };
        assert_eq!((ask(now), ask(now)), (now, now));
        for _ in 0..3 {
            door.answered(429, None, now);
        }
        let (first, second) = (ask(now), ask(now));
        assert_eq!((first - now, second - now), (FIRST_SPACING * 4, FIRST_SPACING * 8));
        (0..20).for_each(|_| door.answered(429, None, now));
        assert_eq!(ask(now) - now, MOST_SPACING);
        // It is found again how fast the server can be asked.
        let mut at = now + SECOND * 100;
        for _ in 0..GOOD_ENOUGH * 6 {
            at = ask(at);
            door.answered(207, None, at);
        }
        assert_eq!((ask(at + SECOND), ask(at + SECOND)), (at + SECOND, at + SECOND));
    }
}
