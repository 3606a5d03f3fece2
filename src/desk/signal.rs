//! How the desk wakes the outbox, and how it learns that something was delivered.

use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// Between the desk and the outbox. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OutboxSignal {
    wake: Arc<Notify>,
    delivered: Arc<watch::Sender<u64>>,
}

/// Waits for the next delivery.
#[derive(Debug)]
pub struct Watch(watch::Receiver<u64>);

impl OutboxSignal {
    /// A new pair of ends in one.
    pub fn new() -> OutboxSignal {
        OutboxSignal { wake: Arc::default(), delivered: Arc::new(watch::Sender::new(0)) }
    }

    /// There is something to deliver.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until there is something to deliver.
    pub async fn woken(&self) {
        self.wake.notified().await;
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
