//! What every handler holds: the desk, the settings of this moment, the clock and the counters. Start with [`AppState`].

use super::fault::{Fault, Problem};
use super::limiter::{Rate, Requests};
use super::look::{Look, LookFile, LookSource};
use super::{Metrics, TrustedProxies};
use crate::availability::HostId;
use crate::booking::Links;
use crate::desk::Desk;
use crate::language::Language;
use arc_swap::ArcSwap;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tells the time; the real one is made by the daemon.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What the config says about serving. Replaced as a whole on reload.
#[derive(Debug)]
pub struct Settings {
    /// Prints public URLs.
    pub links: Links,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// True when `/` lists the hosts.
    pub directory: bool,
    /// True when `/metrics`, `/healthz` and `/readyz` are on the public router, because there is no `metrics_listen`.
    pub public_metrics: bool,
    /// True when mail is set up: pages promise a mail only then.
    pub mailed: bool,
    /// `[limits] requests_per_ip`; `None` is "off".
    pub requests_per_ip: Option<Rate>,
    /// `[limits] overlays_per_ip`; `None` is "off".
    pub overlays_per_ip: Option<Rate>,
    /// The sites that may show pages in a frame, as origins.
    pub embed: Vec<String>,
    /// What pages are written in for who asks for none of our languages.
    pub language: Language,
    look: Look,
    looks: BTreeMap<HostId, Look>,
}

/// From what [`Settings`] are made.
#[derive(Debug, Default)]
pub struct SettingsSource {
    /// `[server] public_url`.
    pub public_url: String,
    /// `[server] trusted_proxies`.
    pub trusted_proxies: TrustedProxies,
    /// `[server] directory`.
    pub directory: bool,
    /// No `[server] metrics_listen`.
    pub public_metrics: bool,
    /// There is a `[mail]`.
    pub mailed: bool,
    /// `[limits] requests_per_ip`; `None` is "off".
    pub requests_per_ip: Option<Rate>,
    /// `[limits] overlays_per_ip`; `None` is "off".
    pub overlays_per_ip: Option<Rate>,
    /// `[server] embed`.
    pub embed: Vec<String>,
    /// `[server] language`.
    pub language: Language,
    /// `[server.look]`.
    pub look: LookSource,
    /// `[host.look]` of those who have one.
    pub looks: Vec<(HostId, LookSource)>,
}

impl Settings {
    /// Settings as the config has them.
    pub fn new(source: SettingsSource) -> Settings {
        Settings {
            links: Links::new(&source.public_url),
            trusted_proxies: source.trusted_proxies,
            directory: source.directory,
            public_metrics: source.public_metrics,
            mailed: source.mailed,
            embed: source.embed,
            language: source.language,
            look: Look::new(source.look),
            looks: source.looks.into_iter().map(|(host, look)| (host, Look::new(look))).collect(),
            requests_per_ip: source.requests_per_ip,
            overlays_per_ip: source.overlays_per_ip,
        }
    }

    /// How all pages look.
    pub(super) fn look(&self) -> &Look {
        &self.look
    }

    /// How the pages of a host look, in addition.
    pub(super) fn look_of(&self, host: &HostId) -> Option<&Look> {
        self.looks.get(host)
    }

    /// A file of any look, with its media type.
    pub(super) fn look_file(&self, name: &str) -> Option<(Bytes, &'static str)> {
        let looks = std::iter::once(&self.look).chain(self.looks.values());
        looks.filter_map(|look| look.file(name)).next().map(|LookFile { bytes, kind, .. }| (bytes.clone(), *kind))
    }
}

/// What every handler holds. Cheap to clone; the clones share the settings.
#[derive(Clone)]
pub struct AppState {
    pub(super) desk: Desk,
    pub(super) shell: Shell,
    /// What was counted of each address's overlays; forgotten at a restart.
    overlays: Requests,
    /// Calendars that are being sent or compared just now: each is held in memory.
    uploads: Arc<Semaphore>,
}

/// How many guests' calendars are in memory at once, of 2 MB each.
const UPLOADS: usize = 32;

impl AppState {
    /// `clock` tells the time; `metrics` counts; `requests` is what was counted of each address so far.
    pub fn new(desk: Desk, settings: Settings, clock: Clock, metrics: Metrics, requests: Requests) -> AppState {
        AppState {
            desk,
            overlays: Requests::default(),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            shell: Shell { settings: Arc::new(ArcSwap::from_pointee(settings)), clock, metrics, requests },
        }
    }

    /// Puts new settings in place for all clones; requests in flight keep the old ones.
    pub fn reload(&self, settings: Settings) {
        self.shell.settings.store(Arc::new(settings));
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shell.now()
    }

    /// Counts a request of a kind that is not counted anyway. `Err` when there were too many.
    pub(super) fn count_request(&self, from: Option<IpAddr>) -> Result<(), Fault> {
        let Some(rate) = self.settings().requests_per_ip else { return Ok(()) };
        let counted = self.shell.requests.check(rate, from, self.now());
        counted.map_err(|wait| Fault::new(Problem::TooManyRequests).retry_after(wait))
    }

    /// Counts a calendar that a guest compares, and makes room for it while the permit is held. `Err` when there were too many, or are.
    pub(super) fn admit_overlay(&self, from: Option<IpAddr>) -> Result<OwnedSemaphorePermit, Fault> {
        let too_many = |wait| Fault::new(Problem::TooManyRequests).retry_after(wait);
        if let Some(rate) = self.settings().overlays_per_ip {
            self.overlays.check(rate, from, self.now()).map_err(too_many)?;
        }
        self.uploads.clone().try_acquire_owned().map_err(|_| too_many(SignedDuration::from_secs(10)))
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.shell.metrics
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        self.shell.settings.load_full()
    }
}

/// What the layers around the handlers need: everything but the desk.
#[derive(Clone)]
pub(super) struct Shell {
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) requests: Requests,
}

impl Shell {
    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
