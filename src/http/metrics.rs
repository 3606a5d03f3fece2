//! Counters, in the text format of Prometheus. Start with [`Metrics`].

use crate::alert::AlertKind;
use crate::booking::BookingState;
use crate::desk::LaneCount;
use axum::http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The kinds of routes: what they are counted as, and how they are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RouteClass {
    /// What everyone may see.
    Page,
    /// A page behind a token.
    Private,
    /// A page of the host's desk.
    Desk,
    /// JSON.
    Api,
    /// ICS and free/busy.
    Feed,
    /// Style, script, icon.
    Asset,
    /// Health and metrics.
    Ops,
}

impl RouteClass {
    /// By the path, without the path of the public URL.
    pub(super) fn of(path: &str) -> RouteClass {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        match first {
            "api" => RouteClass::Api,
            "b" if path.ends_with("/sooner.ics") => RouteClass::Feed,
            "b" | "h" => RouteClass::Private,
            "desk" => RouteClass::Desk,
            "-" if !path.starts_with("/-/problems") => RouteClass::Asset,
            "embed.js" => RouteClass::Asset,
            "healthz" | "readyz" | "metrics" => RouteClass::Ops,
            _ if path.ends_with(".ics") || path.ends_with(".ifb") => RouteClass::Feed,
            _ => RouteClass::Page,
        }
    }

    /// Feeds are fetched from the shared addresses of Google and Microsoft; assets are cached for ever; health is asked
    /// for by machines.
    pub(super) fn is_limited(self) -> bool {
        matches!(self, RouteClass::Page | RouteClass::Private | RouteClass::Desk | RouteClass::Api)
    }

    fn as_str(self) -> &'static str {
        match self {
            RouteClass::Page => "page",
            RouteClass::Private => "booking",
            RouteClass::Desk => "desk",
            RouteClass::Api => "api",
            RouteClass::Feed => "feed",
            RouteClass::Asset => "asset",
            RouteClass::Ops => "ops",
        }
    }
}

impl EncodeLabelValue for RouteClass {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), fmt::Error> {
        self.as_str().encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: RouteClass,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabel {
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TroubleLabels {
    host: String,
    source: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabel {
    answer: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// The counters of this process. Cheap to clone; the clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<RequestLabels, Counter>,
    bookings: Family<StateLabel, Counter>,
    feeds: Family<AnswerLabel, Counter>,
    ages: Family<HostLabel, Gauge>,
    outbox: OutboxGauges,
    alerts: Family<KindLabel, Gauge>,
    troubles: Family<TroubleLabels, Gauge>,
}

/// How the outbox stands, by lane.
#[derive(Clone, Default)]
struct OutboxGauges {
    waiting: Family<LaneLabel, Gauge>,
    failed: Family<LaneLabel, Gauge>,
    oldest: Family<LaneLabel, Gauge>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    /// Counters at zero. Names begin with `officehours_`.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("officehours");
        let (requests, bookings, feeds) = (Family::default(), Family::default(), Family::default());
        let (ages, troubles, alerts) = (Family::default(), Family::default(), Family::default());
        let outbox = OutboxGauges::default();
        registry.register("http_requests", "Answered requests, by kind of route and status", Family::clone(&requests));
        registry.register(
            "bookings",
            "Bookings granted here, repeated requests included, by the state they were answered with",
            Family::clone(&bookings),
        );
        registry.register("feed_fetches", "Answered feed requests, by answer", Family::clone(&feeds));
        let of_lane = [
            ("outbox_waiting", "Effects that wait to be done, by lane", &outbox.waiting),
            ("outbox_failed", "Effects that were given up, by lane", &outbox.failed),
            ("outbox_oldest_seconds", "How long the oldest waiting effect waits, by lane", &outbox.oldest),
        ];
        for (name, help, family) in of_lane {
            registry.register(name, help, Family::clone(family));
        }
        registry.register("alerts_open", "What hosts are alerted to and is not over, by kind", Family::clone(&alerts));
        registry.register(
            "calendar_age_seconds",
            "Age of the oldest reading of a host's calendars; -1 before the first",
            Family::clone(&ages),
        );
        registry.register(
            "source_trouble_seconds",
            "For how long a source of busy time could not be read, by what is wrong; absent when nothing is",
            Family::clone(&troubles),
        );
        Metrics { registry: Arc::new(Mutex::new(registry)), requests, bookings, feeds, ages, troubles, outbox, alerts }
    }

    /// How the outbox and the alerts stand; lanes and kinds that are not named are forgotten.
    pub(super) fn outbox(&self, lanes: &[LaneCount], alerts: &[(AlertKind, i64)]) {
        let OutboxGauges { waiting, failed, oldest } = &self.outbox;
        for family in [waiting, failed, oldest] {
            family.clear();
        }
        for LaneCount { lane, waiting: waits, failed: fails, oldest: age } in lanes {
            for (family, value) in [(waiting, waits), (failed, fails), (oldest, age)] {
                family.get_or_create(&LaneLabel { lane }).set(*value);
            }
        }
        self.alerts.clear();
        for (kind, open) in alerts {
            self.alerts.get_or_create(&KindLabel { kind: kind.as_str() }).set(*open);
        }
    }

    /// Lets another part of the process add its own metrics.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn request(&self, route: RouteClass, status: StatusCode) {
        self.requests.get_or_create(&RequestLabels { route, status: status.as_u16() }).inc();
    }

    pub(super) fn booking(&self, state: BookingState) {
        self.bookings.get_or_create(&StateLabel { state: state.as_str() }).inc();
    }

    pub(super) fn feed(&self, answer: &'static str) {
        self.feeds.get_or_create(&AnswerLabel { answer }).inc();
    }

    /// The ages of the hosts' data, in seconds; hosts that are not named are forgotten.
    pub(super) fn ages(&self, ages: impl IntoIterator<Item = (String, i64)>) {
        self.ages.clear();
        for (host, age) in ages {
            self.ages.get_or_create(&HostLabel { host }).set(age);
        }
    }

    /// The sources that cannot be read: host, source, what is wrong, for how many seconds; others are forgotten.
    pub(super) fn troubles(&self, troubles: impl IntoIterator<Item = (String, String, &'static str, i64)>) {
        self.troubles.clear();
        for (host, source, kind, seconds) in troubles {
            self.troubles.get_or_create(&TroubleLabels { host, source, kind }).set(seconds);
        }
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = text::encode(&mut out, &registry) {
            tracing::error!(%error, "The metrics cannot be written");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_classed_by_their_path() {
        for (path, class) in [
            ("/", RouteClass::Page),
            ("/noether/office-hour/2026-12-01T13:00:00Z", RouteClass::Page),
            ("/b/token/invitation.ics", RouteClass::Private),
            ("/h/token", RouteClass::Private),
            ("/desk", RouteClass::Desk),
            ("/desk/export/bookings.csv", RouteClass::Desk),
            ("/desk.ics", RouteClass::Feed),
            ("/noether.ics", RouteClass::Feed),
            ("/noether/freebusy.ifb", RouteClass::Feed),
            ("/api/v1/hosts/noether", RouteClass::Api),
            ("/-/style.css", RouteClass::Asset),
            ("/-/problems/stale", RouteClass::Page),
            ("/metrics", RouteClass::Ops),
            ("/bernoulli", RouteClass::Page),
        ] {
            assert_eq!(RouteClass::of(path), class, "{path}");
        }
    }

    #[test]
    fn what_was_counted_is_written_with_its_labels() {
        let metrics = Metrics::new();
        metrics.request(RouteClass::Feed, StatusCode::NOT_MODIFIED);
        metrics.booking(BookingState::Confirmed);
        metrics.ages([("noether".to_owned(), 12)]);
        metrics.troubles([("noether".to_owned(), "work".to_owned(), "login", 90)]);
        metrics.register(|registry| registry.register("outbox_waiting", "Effects that wait", Gauge::<i64>::default()));
        let text = metrics.text();
        for line in [
            r#"officehours_http_requests_total{route="feed",status="304"} 1"#,
            r#"officehours_bookings_total{state="confirmed"} 1"#,
            r#"officehours_calendar_age_seconds{host="noether"} 12"#,
            r#"officehours_source_trouble_seconds{host="noether",source="work",kind="login"} 90"#,
            "officehours_outbox_waiting 0",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
