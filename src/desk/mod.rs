//! What a guest or a host can do: see what is on offer, reserve, cancel, move, confirm, decide. The only writer of bookings.
//! Start with [`Desk`].

mod agenda;
mod alarm;
mod answer;
mod change;
mod document;
mod explain;
mod export;
mod forget;
mod invitation;
mod keeping;
mod observe;
mod offer;
mod outcome;
mod overlay;
mod pause;
mod proof;
mod remind;
mod reply;
mod report;
mod reserve;
mod session;
mod signal;
mod sooner;
mod token;
mod week;
mod world;

pub use agenda::{Noted, Placement};
pub use answer::*;
pub use export::{csv, json};
pub use outcome::Version;
pub use overlay::{GuestCalendar, Overlay, OverlayError};
pub use proof::{Challenge, Proof};
pub use remind::DigestOf;
pub use report::{CalendarReport, SourceReport};
pub use reserve::network;
pub use session::{AtDesk, SESSION};
pub use signal::{OutboxSignal, Watch};
pub use token::TokenSource;
pub use world::{BlockList, HostDesk, Keep, Limits, Rate, WhenDeclined, World};

use crate::alert::AlertKind;
use crate::availability::{Clock, Host, HostId, Interval};
use crate::booking::{Booking, BookingId, Links};
use crate::store::{LaneStats, Store, StoreError};
use arc_swap::ArcSwap;
use document::Documents;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
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
    refreshing: Arc<Refreshing>,
    /// The idempotency keys that are being answered just now.
    in_progress: Arc<Mutex<HashSet<String>>>,
    /// Guests' calendars that are being compared just now.
    overlays: overlay::Room,
}

/// Publishing what is stored: one at a time, so that what was read of the store earlier is never published later.
#[derive(Debug, Default)]
struct Refreshing {
    asked: AtomicU64,
    /// Of each host, all that was asked for up to here is published.
    done: tokio::sync::Mutex<HashMap<HostId, u64>>,
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
            overlays: overlay::Room::default(),
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

    /// What waits in the outbox and what was given up.
    pub async fn outbox_counts(&self) -> Result<Vec<LaneCount>, StoreError> {
        let (now, stats) = (self.clock.now(), self.store.stats().await?);
        let count = |lane: LaneStats| LaneCount {
            lane: lane.lane.as_str(),
            waiting: lane.pending,
            failed: lane.failed,
            oldest: lane.oldest.map_or(0, |since| now.duration_since(since).as_secs()),
        };
        Ok(stats.lanes.into_iter().map(count).collect())
    }

    /// How many alerts are open, of each kind.
    pub async fn open_alerts(&self) -> Result<Vec<(AlertKind, i64)>, StoreError> {
        let open = self.store.open_alerts().await?;
        let of = |kind| open.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count);
        Ok(AlertKind::ALL.into_iter().map(|kind| (kind, of(kind))).collect())
    }

    /// Puts the host's bookings, as they are stored, into what is published. Of many who ask at once, the first does it for all
    /// who asked before it began.
    pub async fn refresh(&self, host: &HostId) -> Result<(), StoreError> {
        let mine = self.refreshing.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut done = self.refreshing.done.lock().await;
        if done.get(host).is_some_and(|upto| *upto >= mine) {
            return Ok(());
        }
        let upto = self.refreshing.asked.load(Ordering::SeqCst);
        if let Some(desk) = self.world().host_by_id(host) {
            let since = self.clock.now().checked_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
            let window = Interval::new(since, Timestamp::MAX);
            let held = match window {
                Some(window) => self.store.holding(host, window).await?,
                None => Vec::new(),
            };
            let own = self.store.own_events(host, since).await?;
            desk.board.booked(held.iter().filter_map(Booking::held).collect(), own);
            desk.board.paused(self.store.pause_of(host).await?);
        }
        done.insert(host.clone(), upto);
        Ok(())
    }

    /// A booking as its guest sees it.
    fn view(&self, booking: Booking) -> BookingView {
        let world = self.world();
        let host = world.host_by_id(&booking.host).map(|desk| desk.host().clone());
        let meeting = host.as_ref().and_then(|host| host.meeting(booking.meeting.as_str())).cloned();
        let guest_token = self.tokens.guest(booking.id);
        let form_token = self.tokens.guest_form(booking.id);
        BookingView { booking, host, meeting, guest_token, form_token, mailed: world.mailed(), missed_mail: false }
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
