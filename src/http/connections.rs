//! Which connections wait for a request, or for the rest of one, so that one of them can make room for a newcomer: of the
//! address that has most of them, the one that waits longest. Slow and idle clients cannot starve the others.

use super::limiter::one_network;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The connections that wait for a request, by address.
#[derive(Clone)]
pub(super) struct Connections {
    idle: Arc<Mutex<Idle>>,
    /// How many of one address may wait longer than `patience`.
    per_address: usize,
    patience: Duration,
}

#[derive(Default)]
struct Idle {
    next: u64,
    /// Of each address that has any, by the place in the order in which they began to wait.
    waiting: HashMap<IpAddr, BTreeMap<u64, Waiting>>,
}

struct Waiting {
    since: Instant,
    close: CancellationToken,
    /// It has had an answer before: a client keeps it for the next request, and would lose that if it were closed just then.
    kept: bool,
}

impl Connections {
    /// None yet. When more than `per_address` of one address (of an IPv6 /64) wait that never had an answer, the longest of these
    /// goes once it has waited for `patience`: many who come at once through one proxy or from one lecture hall have sent their
    /// requests by then.
    pub(super) fn new(per_address: usize, patience: Duration) -> Connections {
        Connections { idle: Arc::default(), per_address, patience }
    }

    /// A new connection, which waits for its first request. `close` is cancelled when it must go.
    pub(super) fn open(&self, address: IpAddr, close: CancellationToken) -> Connection {
        let connection =
            Connection { all: self.clone(), address: one_network(address), close, place: Mutex::new(None) };
        connection.wait(false);
        connection
    }

    /// Closes one that waits, of the address that has most of them the longest; false when none waits.
    pub(super) fn evict(&self) -> bool {
        let mut idle = self.lock();
        let fullest = idle.waiting.iter().max_by_key(|(_, places)| {
            let first = places.first_key_value().map_or(u64::MAX, |(place, _)| *place);
            (places.len(), std::cmp::Reverse(first))
        });
        let address = fullest.map(|(address, _)| *address);
        address.is_some_and(|address| idle.close_longest(address))
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Idle {
    fn close_longest(&mut self, address: IpAddr) -> bool {
        let Entry::Occupied(mut places) = self.waiting.entry(address) else { return false };
        let longest = places.get_mut().pop_first();
        if places.get().is_empty() {
            places.remove();
        }
        longest.map(|(_, waiting)| waiting.close.cancel()).is_some()
    }

    fn forget(&mut self, address: IpAddr, place: u64) {
        if let Entry::Occupied(mut places) = self.waiting.entry(address) {
            places.get_mut().remove(&place);
            if places.get().is_empty() {
                places.remove();
            }
        }
    }
}

/// One connection; forgotten when it is dropped.
pub(super) struct Connection {
    all: Connections,
    address: IpAddr,
    close: CancellationToken,
    place: Mutex<Option<u64>>,
}

impl Connection {
    /// A whole request has come, its body included: it cannot be evicted until it is answered.
    pub(super) fn works(&self) {
        if let Some(place) = self.place().take() {
            self.all.lock().forget(self.address, place);
        }
    }

    /// The answer is on its way: from now on it can be evicted.
    pub(super) fn waits(&self) {
        self.wait(true);
    }

    fn wait(&self, kept: bool) {
        let mut place = self.place();
        let mut idle = self.all.lock();
        if let Some(place) = place.take() {
            idle.forget(self.address, place);
        }
        let next = idle.next;
        idle.next += 1;
        let places = idle.waiting.entry(self.address).or_default();
        places.insert(next, Waiting { since: Instant::now(), close: self.close.clone(), kept });
        let mut fresh = places.iter().filter(|(_, waiting)| !waiting.kept);
        let longest = fresh
            .next()
            .filter(|(_, longest)| {
                longest.since.elapsed() >= self.all.patience && fresh.count() >= self.all.per_address
            })
            .map(|(place, longest)| (*place, longest.close.clone()));
        *place = Some(next);
        if let Some((longest, close)) = longest {
            idle.forget(self.address, longest);
            close.cancel();
        }
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

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn the_address_with_most_that_wait_gives_way_first_and_one_that_works_never() {
        let all = Connections::new(3, Duration::ZERO);
        let tokens: Vec<CancellationToken> = (0..6).map(|_| CancellationToken::new()).collect();
        let open: Vec<Connection> =
            tokens.iter().zip([1, 2, 2, 2, 3, 2]).map(|(token, last)| all.open(address(last), token.clone())).collect();
        let gone = || tokens.iter().map(|token| u8::from(token.is_cancelled())).collect::<Vec<_>>();
        assert_eq!(gone(), [0, 1, 0, 0, 0, 0], "a fourth of one address: its own longest goes");
        open[2].works();
        assert!(all.evict());
        assert_eq!(gone(), [0, 1, 0, 1, 0, 0], "of the address with most");
        assert!(all.evict() && all.evict() && all.evict() && !all.evict());
        assert_eq!(gone(), [1, 1, 0, 1, 1, 1], "what works stays");
        open[2].waits();
        drop(open);
        assert!(!all.evict() && all.lock().waiting.is_empty(), "nothing is kept of those that are gone");
    }

    #[test]
    fn many_who_come_at_once_from_one_address_are_let_in() {
        let all = Connections::new(3, Duration::from_secs(3600));
        let tokens: Vec<CancellationToken> = (0..200).map(|_| CancellationToken::new()).collect();
        let open: Vec<Connection> = tokens.iter().map(|token| all.open(address(1), token.clone())).collect();
        assert!(tokens.iter().all(|token| !token.is_cancelled()));
        // Nor is one closed that a client keeps for its next request.
        let kept = Connections::new(3, Duration::ZERO);
        let others: Vec<CancellationToken> = (0..9).map(|_| CancellationToken::new()).collect();
        let reused: Vec<Connection> = others
            .iter()
            .map(|token| {
                let connection = kept.open(address(1), token.clone());
                connection.waits();
                connection
            })
            .collect();
        assert!(others.iter().all(|token| !token.is_cancelled()));
        drop(reused);
        assert!(all.evict() && tokens[0].is_cancelled(), "unless there is no room at all");
        drop(open);
    }

    #[test]
    fn the_connection_that_waits_longest_goes_first() {
        let all = Connections::new(9, Duration::ZERO);
        let tokens: Vec<CancellationToken> = (0..3).map(|_| CancellationToken::new()).collect();
        let open: Vec<Connection> = tokens.iter().map(|token| all.open(address(1), token.clone())).collect();
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
