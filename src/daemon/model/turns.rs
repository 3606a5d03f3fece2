//! Who comes next: everything that is done (a transaction, a request's arrival, an answer's return, a mail) waits for its turn, and
//! the dice decide whose it is and how it goes.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::oneshot;

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A transaction of the store.
    Transaction,
    /// A request that is on its way to the server; true when it changes something there.
    Request(bool),
    /// An answer that is on its way back.
    Answer,
    /// A mail that is on its way.
    Mail,
    /// A task that begins.
    Begin,
}

/// How it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// As it should.
    Well,
    /// The disk is full; the network loses it; the mail server is away.
    Fails,
    /// The server answers that it cannot.
    Refused(u16),
    /// It reaches the server after its sender has given up.
    Late,
}

#[derive(Default)]
struct Waiting {
    tickets: Vec<(What, oneshot::Sender<Fate>)>,
    /// Nothing waits: for what belongs to no step.
    at_once: bool,
}

/// The queue that has no order. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Waiting>>);

impl Turns {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap()
    }

    /// Waits for its turn. Whoever waits when the process dies waits for ever.
    pub(super) fn wait(&self, what: What) -> BoxFuture<'static, Fate> {
        let mut waiting = self.lock();
        if waiting.at_once {
            return futures_util::future::ready(Fate::Well).boxed();
        }
        let (go, went) = oneshot::channel();
        waiting.tickets.push((what, go));
        async move {
            match went.await {
                Ok(fate) => fate,
                Err(_) => futures_util::future::pending().await,
            }
        }
        .boxed()
    }

    /// What waits, the longest first.
    pub(super) fn waiting(&self) -> Vec<What> {
        let mut waiting = self.lock();
        // What was given up while it waited has no turn.
        waiting.tickets.retain(|(_, go)| !go.is_closed());
        waiting.tickets.iter().map(|(what, _)| *what).collect()
    }

    /// It is this one's turn.
    pub(super) fn go(&self, index: usize, fate: Fate) {
        let (_, go) = self.lock().tickets.remove(index);
        let _ = go.send(fate);
    }

    /// The process has died.
    pub(super) fn forget_all(&self) {
        self.lock().tickets.clear();
    }

    /// Nothing waits from here on, or everything does.
    pub(super) fn at_once(&self, at_once: bool) {
        self.lock().at_once = at_once;
    }
}

/// Repeatable chance: Knuth's MMIX generator, of which the high bits are good enough here.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995)
    }

    /// A number below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// True in `per_mille` of 1,000 throws.
    pub(super) fn once_in_1000(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of them; `None` of none.
    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.below(all.len() as u64) as usize) }
    }
}
