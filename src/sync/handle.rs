//! How others ask for an account to be read anew: at most one pass is under way, and one pass answers all who waited for it.

use tokio::sync::{mpsc, oneshot};

/// Asks for a pass over one account. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SyncHandle {
    requests: mpsc::Sender<Request>,
}

/// Somebody waits for a pass: told true when every calendar of the account was read.
pub type Request = oneshot::Sender<bool>;

/// The other end: whoever runs the passes.
pub type Requests = mpsc::Receiver<Request>;

impl SyncHandle {
    /// A handle and the end that answers it.
    pub fn new() -> (SyncHandle, Requests) {
        let (requests, answers) = mpsc::channel(1024);
        (SyncHandle { requests }, answers)
    }

    /// Waits for a pass that begins after this call. False when a calendar could not be read, or nobody runs passes.
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
}
