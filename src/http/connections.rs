//! Which connections wait for a request, or for the rest of one, so that the one that waits longest can make room for a newcomer:
//! slow and idle clients cannot starve the others.

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio_util::sync::CancellationToken;

/// The connections that wait for a request, longest first.
#[derive(Clone, Default)]
pub(super) struct Connections {
    idle: Arc<Mutex<Idle>>,
}

#[derive(Default)]
struct Idle {
    next: u64,
    waiting: BTreeMap<u64, CancellationToken>,
}

impl Connections {
    /// A new connection, which waits for its first request. `close` is cancelled when it must go.
    pub(super) fn open(&self, close: CancellationToken) -> Connection {
        let connection = Connection { all: self.clone(), close, place: Mutex::new(None) };
        connection.waits();
        connection
    }

    /// Closes the connection that has waited longest; false when none waits.
    pub(super) fn evict(&self) -> bool {
        let evicted = self.lock().waiting.pop_first();
        evicted.map(|(_, close)| close.cancel()).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection; forgotten when it is dropped.
pub(super) struct Connection {
    all: Connections,
    close: CancellationToken,
    place: Mutex<Option<u64>>,
}

impl Connection {
    /// A whole request has come, its body included: it cannot be evicted until it is answered.
    pub(super) fn works(&self) {
        if let Some(place) = self.place().take() {
            self.all.lock().waiting.remove(&place);
        }
    }

    /// The answer is on its way: from now on it can be evicted.
    pub(super) fn waits(&self) {
        let mut place = self.place();
        let mut idle = self.all.lock();
        if let Some(place) = place.take() {
            idle.waiting.remove(&place);
        }
        let next = idle.next;
        idle.next += 1;
        idle.waiting.insert(next, self.close.clone());
        *place = Some(next);
    }

    fn place(&self) -> MutexGuard<'_, Option<u64>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a request that arrives; when it is all there, its connection works.
pub(super) struct Arriving {
    body: Incoming,
    connection: Arc<Connection>,
}

impl Arriving {
    pub(super) fn new(body: Incoming, connection: Arc<Connection>) -> Arriving {
        if body.is_end_stream() {
            connection.works();
        }
        Arriving { body, connection }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.connection.works();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.works();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_waits_longest_goes_first() {
        let all = Connections::default();
        let tokens: Vec<CancellationToken> = (0..3).map(|_| CancellationToken::new()).collect();
        let open: Vec<Connection> = tokens.iter().map(|token| all.open(token.clone())).collect();
        let cancelled = || tokens.iter().map(CancellationToken::is_cancelled).collect::<Vec<_>>();
        open[0].works();
        assert!(all.evict());
        assert_eq!(cancelled(), [false, true, false]);
        open[0].waits();
        assert!(all.evict());
        assert_eq!(cancelled(), [false, true, true]);
        drop(open);
        assert!(!all.evict());
    }
}
