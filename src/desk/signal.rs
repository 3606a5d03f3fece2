//! How the desk wakes the outbox, and how it learns that something was delivered.

use crate::store::Lane;
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// Between the desk and the outbox. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OutboxSignal {
    /// One for each who listens: a wake-up is for all of them, whichever listens first.
    calendar: Arc<Notify>,
    mail: Arc<Notify>,
    links: Arc<Notify>,
    delivered: Arc<watch::Sender<u64>>,
}

/// Waits for the next delivery.
#[derive(Debug)]
pub struct Watch(watch::Receiver<u64>);

impl OutboxSignal {
    /// A new pair of ends in one.
    pub fn new() -> OutboxSignal {
        OutboxSignal {
            calendar: Arc::default(),
            mail: Arc::default(),
            links: Arc::default(),
            delivered: Arc::new(watch::Sender::new(0)),
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
        self.delivered.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Sees every delivery from now on.
    pub fn watch(&self) -> Watch {
        Watch(self.delivered.subscribe())
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
        if self.0.changed().await.is_err() {
            // The outbox has ended: nothing will be delivered any more.
            std::future::pending::<()>().await;
        }
    }
}
