//! How others ask for a source to be read anew, and see how it does: at most one pass is under way, and one pass answers all who
//! waited for it. Start with [`SyncHandle`].

use super::health::Health;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// Data older than this is read anew when somebody looks at it, and no more often than that.
const DEMAND_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Asks for a pass over one source. Cheap to clone; clones speak of the same source.
#[derive(Clone, Debug)]
pub struct SyncHandle {
    name: Arc<str>,
    requests: mpsc::Sender<Request>,
    health: watch::Sender<Health>,
    demand: Arc<Mutex<Demand>>,
}

/// Somebody waits for a pass: told true when everything of the source was read.
pub type Request = oneshot::Sender<bool>;

/// The other end: whoever runs the passes.
pub type Requests = mpsc::Receiver<Request>;

/// What decides whether somebody's look at the data is a reason to read it anew.
#[derive(Clone, Copy, Debug, Default)]
struct Demand {
    running: bool,
    demanded_at: Option<Timestamp>,
    closed_until: Option<Timestamp>,
    next_at: Option<Timestamp>,
}

impl Demand {
    fn is_due(self, read_at: Option<Timestamp>, now: Timestamp) -> bool {
        let long_ago = |at: Option<Timestamp>| at.is_none_or(|at| now.duration_since(at) >= DEMAND_AFTER);
        let closed = self.closed_until.is_some_and(|until| now < until);
        !self.running && !closed && long_ago(self.demanded_at) && long_ago(read_at)
    }
}

impl SyncHandle {
    /// A handle of the source of this name, and the end that answers it.
    pub fn new(name: &str) -> (SyncHandle, Requests) {
        let (requests, answers) = mpsc::channel(1024);
        let (health, demand) = (watch::Sender::new(Health::default()), Arc::default());
        (SyncHandle { name: name.into(), requests, health, demand }, answers)
    }

    /// The source's name, as the host knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits for a pass that begins after this call. False when something could not be read, when the server has asked for a
    /// pause that is not over, or when nobody runs passes.
    pub async fn fresh(&self) -> bool {
        let (done, answer) = oneshot::channel();
        self.requests.send(done).await.is_ok() && answer.await.unwrap_or(false)
    }

    /// Asks for a pass without waiting for it.
    pub fn nudge(&self) {
        let (done, _) = oneshot::channel();
        // A full channel means that a pass is about to begin anyway.
        let _ = self.requests.try_send(done);
    }

    /// Somebody looks at the data at `now`: if it is older than 30 s, a pass is asked for. At most one each 30 s, none
    /// beside one that is under way, none while the server has asked for a pause. Never waits.
    pub fn demand(&self, now: Timestamp) {
        let read_at = self.health.borrow().read_at;
        let mut demand = self.lock();
        if demand.is_due(read_at, now) {
            demand.demanded_at = Some(now);
            drop(demand);
            self.nudge();
        }
    }

    /// How the source does.
    pub fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// When the next pass begins by itself; `None`: not known, or one is under way.
    pub fn next_at(&self) -> Option<Timestamp> {
        let demand = self.lock();
        demand.next_at.filter(|_| !demand.running)
    }

    /// The next pass begins then by itself: for whoever runs the passes.
    pub fn next(&self, at: Timestamp) {
        self.lock().next_at = Some(at);
    }

    /// Follows how the source does.
    pub fn watch_health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// A pass begins: for whoever runs the passes.
    pub fn begins(&self) {
        self.lock().running = true;
    }

    /// A pass has ended so; until `closed_until` nothing but time makes the next: for whoever runs the passes.
    pub fn ended(&self, health: Health, closed_until: Option<Timestamp>) {
        {
            let mut demand = self.lock();
            (demand.running, demand.closed_until) = (false, closed_until);
        }
        self.health.send_replace(health);
    }

    fn lock(&self) -> MutexGuard<'_, Demand> {
        // Every change under the lock is one assignment.
        self.demand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn asked(requests: &mut Requests) -> usize {
        std::iter::from_fn(|| requests.try_recv().ok()).count()
    }

    #[test]
    fn many_looks_at_old_data_are_one_pass_and_looks_at_fresh_data_none() {
        let (handle, mut requests) = SyncHandle::new("work");
        let look = |from: i64, to: i64| (from..to).for_each(|second| handle.demand(at(second)));
        look(0, 10);
        assert_eq!(asked(&mut requests), 1);
        handle.begins();
        look(10, 100);
        assert_eq!(asked(&mut requests), 0, "one is under way");
        handle.ended(Health { read_at: Some(at(100)), trouble: None }, None);
        look(100, 130);
        assert_eq!(asked(&mut requests), 0, "it is fresh");
        look(130, 189);
        assert_eq!(asked(&mut requests), 2, "nobody has run it: asked again after 30 s");
    }

    #[test]
    fn a_pause_that_the_server_asked_for_is_kept() {
        let (handle, mut requests) = SyncHandle::new("work");
        handle.ended(Health::default(), Some(at(3600)));
        (0..3600).for_each(|second| handle.demand(at(second)));
        assert_eq!(asked(&mut requests), 0);
        handle.demand(at(3600));
        assert_eq!(asked(&mut requests), 1);
    }
}
