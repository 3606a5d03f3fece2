//! A calendar published by URL (`[[host.subscription]]`): its whole file is one object of our copy. Start with
//! [`SubscriptionSync::pass`].

use super::board::SourceSettings;
use super::lone::{Lone, Reading};
use super::pull::{Pass, SyncError};
use crate::caldav::{Reach, Subscribed, Validators, fetch_subscription};
use crate::ical::{ContentLines, Zone, ZoneNames};
use crate::store::{CalendarKey, PullCommit, PullOutcome, Store, StoredCalendar, StoredObject};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fmt::Write;
use url::{Host, Url};

/// The one object.
const OBJECT: &str = "calendar.ics";

/// Brings a subscription up to date.
#[derive(Clone)]
pub struct SubscriptionSync {
    pub(super) lone: Lone,
    url: Url,
    reach: Reach,
    poll: SignedDuration,
}

/// The URL is as good as a password.
impl fmt::Debug for SubscriptionSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubscriptionSync({}/{})", self.lone.key.host, self.lone.name)
    }
}

/// What is known of the version that we hold; stored with it, as JSON.
#[derive(Default, Serialize, Deserialize)]
struct Version {
    etag: Option<String>,
    last_modified: Option<String>,
    /// X-WR-TIMEZONE, as written.
    zone: Option<String>,
}

impl SubscriptionSync {
    /// The subscription of a URL, to be read every `poll`. One that is itself written as an address of this machine may be read there; any other
    /// is kept out of private networks.
    pub fn new(url: Url, poll: SignedDuration, reading: Reading, store: Store) -> SubscriptionSync {
        let name = url.host_str().unwrap_or_default().to_owned();
        let mut digest = String::new();
        for byte in Sha256::digest(url.as_str()).iter().take(16) {
            // Writing to a String does not fail.
            let _ = write!(digest, "{byte:02x}");
        }
        let key = CalendarKey {
            host: reading.host.id.clone(),
            account: format!("subscription:{digest}"),
            // Shown in logs: of the URL no more than the host.
            href: format!("{}://{name}/", url.scheme()),
        };
        let reach = if is_of_this_machine(&url) { Reach::Anywhere } else { Reach::Public };
        SubscriptionSync { lone: Lone { reading, key, name, store }, url, reach, poll }
    }

    /// How often it is to be read.
    pub fn poll(&self) -> SignedDuration {
        self.poll
    }

    /// One pass at `now`. Fails as a whole only when the store does.
    pub async fn pass(&self, now: Timestamp) -> Result<Pass, SyncError> {
        let stored = self.lone.row().await?;
        let (brought, result) = match self.read(&stored, now).await {
            Ok(brought) => (brought, Ok(())),
            Err(error) => (PullOutcome::default(), Err(error)),
        };
        self.lone.passed(&stored, brought, result, now).await
    }

    async fn read(&self, stored: &StoredCalendar, now: Timestamp) -> Result<PullOutcome, SyncError> {
        let Version { etag, last_modified, .. } = version(stored);
        match fetch_subscription(&self.url, &Validators { etag, last_modified }, self.reach).await? {
            Subscribed::NotModified => {
                self.lone.store.mark_read(&stored.key, now).await?;
                Ok(PullOutcome::default())
            }
            Subscribed::Body { data, validators: Validators { etag, last_modified } } => {
                let version = Version { etag: etag.clone(), last_modified, zone: zone_name(&data) };
                let commit = PullCommit {
                    key: stored.key.clone(),
                    token: None,
                    // With the body in one transaction: older validators would call it unchanged when it is not.
                    ctag: serde_json::to_string(&version).ok(),
                    changed: vec![StoredObject { href: OBJECT.to_owned(), etag, data }],
                    removed: Vec::new(),
                    full: true,
                    read_at: now,
                    listed: true,
                };
                Ok(self.lone.store.commit_pull(commit).await?)
            }
        }
    }

    /// The subscription as a source, with when it was read. Its floating times are in the zone that the file names.
    pub async fn sources(&self) -> Result<Vec<(SourceSettings, Option<Timestamp>)>, SyncError> {
        let stored = self.lone.store.calendar(&self.lone.key).await?;
        let zone = self.zone(stored.as_ref().and_then(|stored| version(stored).zone));
        Ok(vec![(self.lone.source(zone), stored.and_then(|stored| stored.read_at))])
    }

    fn zone(&self, named: Option<String>) -> Zone {
        let of_host = &self.lone.reading.host.zone;
        named.map_or_else(|| of_host.clone(), |name| ZoneNames::new(of_host, Vec::new()).zone(&name))
    }
}

fn version(stored: &StoredCalendar) -> Version {
    stored.ctag.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn zone_name(data: &[u8]) -> Option<String> {
    let found = ContentLines::new(data).flatten().find(|property| property.name == "X-WR-TIMEZONE")?;
    Some(found.text().trim().to_owned()).filter(|name| !name.is_empty())
}

/// Whether the URL is written with an address of this machine.
fn is_of_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::lone::tests::{Bench, calendar, event, noon};
    use super::*;
    use crate::caldav::scripted::{Log, answer, serve_raw};
    use crate::sync::Source;
    use std::sync::{Arc, Mutex};

    /// A subscription to a server that gives the answer in the cell, with the store that it goes to.
    async fn subscribed(first: String) -> (Bench, Source, Arc<Mutex<String>>, Log) {
        let cell = Arc::new(Mutex::new(first));
        let given = cell.clone();
        let (url, log) = serve_raw(move |_| given.lock().unwrap().clone()).await;
        let (bench, reading) = Bench::new();
        let url = url.join("secret/calendar.ics?key=secret").unwrap();
        let poll = SignedDuration::from_mins(15);
        let source = Source::Subscription(SubscriptionSync::new(url, poll, reading, bench.store.clone()));
        (bench, source, cell, log)
    }

    #[tokio::test]
    async fn a_calendar_is_read_and_not_sent_again_while_it_is_unchanged() {
        let body = calendar(&(event("a", "20300603T080000Z") + &event("b", "20300604T080000Z")));
        let (bench, source, cell, log) = subscribed(answer(200, "ETag: \"1\"\r\n", &body)).await;
        assert_eq!(bench.busy(&source).await, (vec![], None), "never read");
        let pass = source.pass(noon(0)).await.unwrap();
        assert!(pass.rediscovered);
        let both = vec!["2030-06-03T08:00:00Z".to_owned(), "2030-06-04T08:00:00Z".to_owned()];
        assert_eq!(bench.busy(&source).await, (both.clone(), Some(noon(0))));

        *cell.lock().unwrap() = answer(304, "", "");
        let pass = source.pass(noon(15)).await.unwrap();
        assert!(pass.calendars[0].result.is_ok() && pass.calendars[0].brought.is_empty() && !pass.rediscovered);
        assert!(log.lock().unwrap()[1].head.contains("if-none-match: \"1\""));
        assert_eq!(bench.busy(&source).await, (both, Some(noon(15))));

        *cell.lock().unwrap() = answer(200, "", &calendar(&event("b", "20300604T080000Z")));
        source.pass(noon(30)).await.unwrap();
        assert_eq!(bench.busy(&source).await, (vec!["2030-06-04T08:00:00Z".to_owned()], Some(noon(30))));
    }

    #[tokio::test]
    async fn a_failure_keeps_what_is_known_with_its_age_and_does_not_tell_the_url() {
        let body = calendar(&event("a", "20300603T080000Z"));
        let (bench, source, cell, _) = subscribed(answer(200, "", &body)).await;
        source.pass(noon(0)).await.unwrap();
        let half = body.split("DURATION").next().unwrap();
        for bad in [answer(200, "", half), answer(200, "", ""), answer(404, "", ""), answer(500, "", ""), String::new()]
        {
            *cell.lock().unwrap() = bad;
            let error = bench.failure(&source, noon(15)).await;
            assert!(!error.contains("secret"), "{error}");
            assert_eq!(bench.busy(&source).await, (vec!["2030-06-03T08:00:00Z".to_owned()], Some(noon(0))));
        }
        let shown = format!("{source:?} {:?}", source.sources().await.unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[tokio::test]
    async fn the_zone_that_the_file_names_is_for_its_floating_times_alone() {
        let floating = event("a", "20300603T080000") + &event("b", "20300604T080000Z");
        let named = |zone: &str| answer(200, "", &calendar(&format!("X-WR-TIMEZONE:{zone}\r\n{floating}")));
        let (bench, source, cell, _) = subscribed(named("America/New_York")).await;
        for (zone, start) in [
            ("America/New_York", "2030-06-03T12:00:00Z"),
            ("Tokyo Standard Time", "2030-06-02T23:00:00Z"),
            ("Nowhere", "2030-06-03T06:00:00Z"),
        ] {
            *cell.lock().unwrap() = named(zone);
            assert!(source.pass(noon(0)).await.unwrap().rediscovered);
            let (busy, _) = bench.busy(&source).await;
            assert_eq!(busy, [start.to_owned(), "2030-06-04T08:00:00Z".to_owned()], "{zone}");
        }
        *cell.lock().unwrap() = answer(200, "", &calendar(&floating));
        source.pass(noon(0)).await.unwrap();
        assert_eq!(bench.busy(&source).await.0[0], "2030-06-03T06:00:00Z", "the host's zone");
    }

    #[test]
    fn only_an_address_of_this_machine_that_is_written_so_may_be_read_there() {
        for url in ["http://127.0.0.1:8000/x", "http://localhost/", "https://[::1]/", "http://[::ffff:127.0.0.1]/"] {
            assert!(is_of_this_machine(&url.parse().unwrap()), "{url}");
        }
        for url in ["http://10.0.0.1/", "https://example.org/", "https://localhost.example.org/", "http://[fd00::1]/"] {
            assert!(!is_of_this_machine(&url.parse().unwrap()), "{url}");
        }
    }
}
