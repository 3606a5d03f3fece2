//! How the desk wakes the outbox, and how it learns that something was delivered.

use crate::store::Lane;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// Between the desk and the outbox. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OutboxSignal {
    /// One for each who listens: a wake-up is for all of them, whichever listens first.
    calendar: Arc<Notify>,
    mail: Arc<Notify>,
    links: Arc<Notify>,
    delivered: Arc<Delivered>,
}

/// Deliveries so far, and who waits for the next, woken in the order of their coming.
#[derive(Debug, Default)]
struct Delivered {
    count: AtomicU64,
    waiting: Notify,
}

/// Waits for the next delivery.
#[derive(Debug)]
pub struct Watch {
    delivered: Arc<Delivered>,
    seen: u64,
}

impl OutboxSignal {
    /// A new pair of ends in one.
    pub fn new() -> OutboxSignal {
        OutboxSignal {
            calendar: Arc::default(),
            mail: Arc::default(),
            links: Arc::default(),
            delivered: Arc::default(),
        }
    }

    /// There is something to deliver.
    pub fn wake(&self) {
        self.calendar.notify_one();
        self.mail.notify_one();
        self.links.notify_one();
    }

    /// Waits until there may be something to deliver in this lane.
    pub async fn woken(&self, lane: Lane) {
        match lane {
            Lane::Calendar => self.calendar.notified().await,
            Lane::Mail => self.mail.notified().await,
        }
    }

    /// Waits until there may be a link to the desk to be mailed.
    pub async fn links_woken(&self) {
        self.links.notified().await;
    }

    /// Something was delivered, or will not be for now.
    pub fn delivered(&self) {
        self.delivered.count.fetch_add(1, Ordering::AcqRel);
        self.delivered.waiting.notify_waiters();
    }

    /// Sees every delivery from now on.
    pub fn watch(&self) -> Watch {
        Watch { seen: self.delivered.count.load(Ordering::Acquire), delivered: self.delivered.clone() }
    }
}

impl Default for OutboxSignal {
    fn default() -> OutboxSignal {
        OutboxSignal::new()
    }
}

impl Watch {
    /// Waits for a delivery after the last one that was seen.
    pub async fn changed(&mut self) {
        loop {
            // Listening first: what is delivered between the look and the wait is not missed.
            let mut next = pin!(self.delivered.waiting.notified());
            next.as_mut().enable();
            let count = self.delivered.count.load(Ordering::Acquire);
            if count != self.seen {
                self.seen = count;
                return;
            }
            next.await;
        }
    }
}
