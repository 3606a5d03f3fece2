//! The availability that a host keeps on their calendar server (`[host.hours] availability`): the `calendar-availability`
//! of the scheduling inbox (RFC 7953 7.2.4) is the one object of our copy. Start with [`AvailabilitySync::pass`].

use super::board::{Opens, SourceSettings};
use super::lone::{Lone, Reading};
use super::pull::{Pass, SyncError};
use crate::caldav::{Client, Href};
use crate::store::{CalendarKey, PullCommit, PullOutcome, Store, StoredCalendar, StoredObject};
use jiff::Timestamp;

/// The one object.
const OBJECT: &str = "calendar-availability";

/// Brings the availability of an account up to date.
#[derive(Clone)]
pub struct AvailabilitySync {
    pub(super) lone: Lone,
    account: String,
    client: Client,
    opens: bool,
}

impl std::fmt::Debug for AvailabilitySync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AvailabilitySync({}/{})", self.lone.key.host, self.account)
    }
}

impl AvailabilitySync {
    /// The availability kept in the account of that id, which `client` speaks to. `opens` tells whether what is available
    /// is open: where the host has no other hours.
    pub fn new(account: &str, client: Client, reading: Reading, store: Store, opens: bool) -> AvailabilitySync {
        let key = CalendarKey {
            host: reading.host.id.clone(),
            account: format!("availability:{account}"),
            href: OBJECT.to_owned(),
        };
        let name = format!("availability of {account}");
        AvailabilitySync { lone: Lone { reading, key, name, store }, account: account.to_owned(), client, opens }
    }

    /// The account's id.
    pub fn account(&self) -> &str {
        &self.account
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
        let no_inbox = || SyncError::NoAvailability { account: self.account.clone() };
        let principal = self.principal().await?.ok_or_else(no_inbox)?;
        let inbox = self.client.inbox(&principal).await?.ok_or_else(no_inbox)?;
        let held = self.lone.store.objects(&stored.key).await?;
        let mut text = self.client.availability(&inbox).await?;
        if text.is_none() && !held.is_empty() {
            // All that it kept busy would be free: an answer that is another's does not come twice.
            text = self.client.availability(&inbox).await?;
        }
        if stored.read_at.is_some()
            && held.first().map(|object| object.data.as_slice()) == text.as_deref().map(str::as_bytes)
        {
            self.lone.store.mark_read(&stored.key, now).await?;
            return Ok(PullOutcome::default());
        }
        let changed = text.map(|text| StoredObject { href: OBJECT.to_owned(), etag: None, data: text.into_bytes() });
        let commit = PullCommit {
            key: stored.key.clone(),
            token: None,
            ctag: None,
            changed: changed.into_iter().collect(),
            removed: Vec::new(),
            full: true,
            read_at: now,
            listed: true,
        };
        Ok(self.lone.store.commit_pull(commit).await?)
    }

    /// As the account's own pass has found it, else asked.
    async fn principal(&self) -> Result<Option<Href>, SyncError> {
        let known = self.lone.store.account(&self.lone.key.host, &self.account).await?.and_then(|known| known.facts);
        match known.and_then(|facts| facts.principal) {
            Some(principal) => Ok(Some(Href::new(principal))),
            None => Ok(self.client.discover().await?.principal),
        }
    }

    /// The availability as a source, with when it was read.
    pub async fn sources(&self) -> Result<Vec<(SourceSettings, Option<Timestamp>)>, SyncError> {
        let stored = self.lone.store.calendar(&self.lone.key).await?;
        let zone = self.lone.reading.host.zone.clone();
        let mut source = self.lone.source(zone);
        source.is_availability = true;
        source.opens = self.opens.then_some(Opens { summary: None });
        Ok(vec![(source, stored.and_then(|stored| stored.read_at))])
    }
}

#[cfg(test)]
mod tests {
    use super::super::lone::tests::{Bench, noon};
    use super::*;
    use crate::caldav::scripted::{Seen, answer, multistatus, serve};
    use crate::sync::Source;
    use std::sync::{Arc, Mutex};

    fn found(href: &str, properties: &str, status: &str) -> String {
        multistatus(&format!(
            "<response><href>{href}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 {status}</status></propstat></response>"
        ))
    }

    /// A server whose availability is what is told, with the status of the property.
    fn server(told: Arc<Mutex<(String, String)>>) -> impl Fn(&Seen) -> String + Send + Sync + 'static {
        move |seen| match seen.path.as_str() {
            "/" => found("/", "<current-user-principal><href>/prof/</href></current-user-principal>", "200 OK"),
            "/prof/" if seen.body.contains("calendar-home-set") => {
                let home = "<C:calendar-home-set><href>/prof/</href></C:calendar-home-set>";
                found("/prof/", &format!("<resourcetype><principal/></resourcetype>{home}"), "200 OK")
            }
            "/prof/" if seen.body.contains("schedule-inbox-URL") => {
                found("/prof/", "<C:schedule-inbox-URL><href>/prof/in/</href></C:schedule-inbox-URL>", "200 OK")
            }
            "/prof/" => found("/prof/", "<resourcetype><collection/></resourcetype>", "200 OK"),
            "/prof/in/" => {
                let (text, status) = told.lock().unwrap().clone();
                found("/prof/in/", &format!("<C:calendar-availability>{text}</C:calendar-availability>"), &status)
            }
            _ => answer(404, "", ""),
        }
    }

    #[tokio::test]
    async fn what_is_outside_of_it_is_busy_and_what_cannot_be_read_keeps_its_age() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VAVAILABILITY\r\nUID:v\r\nDTSTART:20300604T000000Z\r\n\
                    DTEND:20300605T000000Z\r\nBEGIN:AVAILABLE\r\nUID:a\r\nDTSTART:20300604T090000Z\r\n\
                    DTEND:20300604T120000Z\r\nEND:AVAILABLE\r\nEND:VAVAILABILITY\r\nEND:VCALENDAR\r\n";
        let told = Arc::new(Mutex::new((text.to_owned(), "200 OK".to_owned())));
        let (client, _) = serve(server(told.clone())).await;
        let (bench, reading) = Bench::new();
        let sync = AvailabilitySync::new("work", client, reading, bench.store.clone(), true);
        let source = Source::Availability(sync);
        assert_eq!(bench.busy(&source).await.1, None, "never read");
        source.pass(noon(0)).await.unwrap();
        let expected = vec!["2030-06-04T00:00:00Z".to_owned(), "2030-06-04T12:00:00Z".to_owned()];
        assert_eq!(bench.busy(&source).await, (expected.clone(), Some(noon(0))));
        let opened: Vec<String> = bench.board.snapshot().opened.iter().map(|open| open.start().to_string()).collect();
        assert_eq!(opened, ["2030-06-04T09:00:00Z"], "it is the only hours");

        let same = source.pass(noon(5)).await.unwrap();
        assert!(!same.rediscovered && same.calendars[0].result.is_ok() && same.calendars[0].brought.is_empty());
        assert_eq!(bench.busy(&source).await.1, Some(noon(5)));

        told.lock().unwrap().1 = "403 Forbidden".to_owned();
        assert!(bench.failure(&source, noon(6)).await.contains("may not do this"));
        assert_eq!(bench.busy(&source).await, (expected, Some(noon(5))));

        told.lock().unwrap().1 = "404 Not Found".to_owned();
        source.pass(noon(7)).await.unwrap();
        assert_eq!(bench.busy(&source).await, (Vec::new(), Some(noon(7))), "nothing is said of the host's time");
    }

    #[tokio::test]
    async fn a_server_without_scheduling_has_none_to_read() {
        let (client, _) = serve(|seen: &Seen| match seen.path.as_str() {
            "/" => found("/", "<current-user-principal><href>/prof/</href></current-user-principal>", "200 OK"),
            "/prof/" => {
                let home = "<C:calendar-home-set><href>/prof/</href></C:calendar-home-set>";
                found("/prof/", &format!("<resourcetype><principal/></resourcetype>{home}"), "200 OK")
            }
            _ => answer(404, "", ""),
        })
        .await;
        let (bench, reading) = Bench::new();
        let source = Source::Availability(AvailabilitySync::new("work", client, reading, bench.store.clone(), false));
        let error = bench.failure(&source, noon(0)).await;
        assert!(error.contains("no scheduling inbox") && error.contains("[host.hours]"), "{error}");
        assert_eq!(bench.busy(&source).await.1, None);
    }
}
