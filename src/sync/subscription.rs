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
        let result = self.read(&stored, now).await;
        self.lone.passed(result, now).await
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
