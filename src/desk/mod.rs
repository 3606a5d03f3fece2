//! What a guest or a host can do: see what is on offer, reserve, cancel, move, confirm, decide. The only writer of bookings.
//! Start with [`Desk`].

mod answer;
mod change;
mod document;
mod explain;
mod invitation;
mod observe;
mod offer;
mod outcome;
mod remind;
mod reserve;
mod signal;
mod token;
mod world;

pub use answer::*;
pub use remind::DigestOf;
pub use reserve::network;
pub use signal::{OutboxSignal, Watch};
pub use token::TokenSource;
pub use world::{HostDesk, Limits, Rate, WhenDeclined, World};

use crate::availability::{Clock, Host, HostId, Interval};
use crate::booking::{Booking, BookingId, Links};
use crate::store::{Store, StoreError};
use arc_swap::ArcSwap;
use document::Documents;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// Bookings that ended longer ago decide nothing any more.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 8);

/// The one door to offers and bookings. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    world: Arc<ArcSwap<World>>,
    store: Store,
    outbox: OutboxSignal,
    clock: Clock,
    tokens: TokenSource,
    documents: Arc<Documents>,
    /// One at a time: what was read of the store earlier is never published later.
    refreshing: Arc<tokio::sync::Mutex<()>>,
    /// The idempotency keys that are being answered just now.
    in_progress: Arc<Mutex<HashSet<String>>>,
}

impl Desk {
    /// A desk for these hosts.
    pub fn new(world: World, store: Store, outbox: OutboxSignal, clock: Clock, tokens: TokenSource) -> Desk {
        Desk {
            world: Arc::new(ArcSwap::from_pointee(world)),
            store,
            outbox,
            clock,
            tokens,
            documents: Arc::default(),
            refreshing: Arc::default(),
            in_progress: Arc::default(),
        }
    }

    /// Goes on with another config.
    pub fn replace_world(&self, world: World) {
        self.world.store(Arc::new(world));
    }

    /// What the config makes of the desk, now.
    pub fn world(&self) -> Arc<World> {
        self.world.load_full()
    }

    /// The hosts, in the order of the config.
    pub fn hosts(&self) -> Vec<Arc<Host>> {
        self.world().hosts.iter().map(|desk| desk.host().clone()).collect()
    }

    /// The host of that id.
    pub fn host(&self, id: &str) -> Option<Arc<Host>> {
        self.world().host(id).map(|desk| desk.host().clone())
    }

    /// Prints URLs.
    pub fn links(&self) -> Links {
        self.world().links.clone()
    }

    /// True when the store answers.
    pub async fn is_store_open(&self) -> bool {
        self.store.ping().await
    }

    /// Puts the host's bookings, as they are stored, into what is published.
    pub async fn refresh(&self, host: &HostId) -> Result<(), StoreError> {
        let _one_at_a_time = self.refreshing.lock().await;
        if let Some(desk) = self.world().host_by_id(host) {
            let since = self.clock.now().checked_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
            let window = Interval::new(since, Timestamp::MAX);
            let held = match window {
                Some(window) => self.store.holding(host, window).await?,
                None => Vec::new(),
            };
            let own = self.store.own_events(host, since).await?;
            desk.board.booked(held.iter().filter_map(Booking::held).collect(), own);
        }
        Ok(())
    }

    /// A booking as its guest sees it.
    fn view(&self, booking: Booking) -> BookingView {
        let world = self.world();
        let host = world.host_by_id(&booking.host).map(|desk| desk.host().clone());
        let meeting = host.as_ref().and_then(|host| host.meeting(booking.meeting.as_str())).cloned();
        let guest_token = self.tokens.guest(booking.id);
        BookingView { booking, host, meeting, guest_token, mailed: world.mailed() }
    }

    /// The links that its guest gets of a booking: to its page, and to where the address is confirmed.
    pub fn guest_links(&self, booking: BookingId) -> (String, String) {
        let links = self.links();
        (links.booking(&self.tokens.guest(booking)), links.confirmation(&self.tokens.confirm(booking)))
    }

    /// The token that opens the host's page of a booking.
    pub fn host_token(&self, booking: BookingId) -> String {
        self.tokens.host(booking)
    }
}
