//! One pass over an account: find its calendars, bring our copy of each up to date. Whatever fails leaves what we hold as it
//! was, with the time when it was last read. Start with [`AccountSync::pass`].

use super::board::{Opens, SourceSettings};
use super::plan::plan;
use crate::availability::{AllDay, BusyRules, Host, Tentative};
use crate::caldav::{self, Changes, Client, ErrorKind, Fetched, Href, SyncToken};
use crate::store::{
    AccountFacts, CalendarEntry, CalendarKey, CalendarRole, Failure, PullCommit, PullOutcome, Store, StoreError,
    StoredCalendar, StoredObject,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

/// The calendars of an account are looked for anew this often: one that the host makes is busy soon.
const REDISCOVER: SignedDuration = SignedDuration::from_mins(10);
/// A calendar is compared with the server's whole listing this often, whatever its sync tokens say (RFC 6578 servers lose
/// changes over a restore from backup).
const RELIST: SignedDuration = SignedDuration::from_hours(24);

/// What the config says of an account.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Whose account.
    pub host: Arc<Host>,
    /// Its id.
    pub id: String,
    /// Names or hrefs of the calendars that make the host busy; `None`: all that are not marked transparent.
    pub calendars: Option<Vec<String>>,
    /// How all-day events count.
    pub all_day: AllDay,
    /// How tentative events count.
    pub tentative: Tentative,
    /// Name or href of the calendar that bookings are written to, if it is in this account.
    pub bookings: Option<String>,
    /// Name or href of the calendar whose events open time, and their SUMMARY (`None`: any), if it is in this account.
    pub opens: Option<(String, Option<String>)>,
}

/// Brings an account up to date.
#[derive(Clone)]
pub struct AccountSync {
    /// What the config says.
    pub settings: Arc<AccountSettings>,
    /// Speaks to its server.
    pub client: Client,
    /// Keeps our copy.
    pub store: Store,
}

impl std::fmt::Debug for AccountSync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccountSync({}/{})", self.settings.host.id, self.settings.id)
    }
}

/// What a pass brought.
#[derive(Debug, Default)]
pub struct Pass {
    /// Each calendar that was to be read, in the order of the listing.
    pub calendars: Vec<CalendarPass>,
    /// True when the sources may not be what they were: the list of calendars was read anew, or a file's own zone.
    pub rediscovered: bool,
}

/// What a pass brought of one calendar.
#[derive(Debug)]
pub struct CalendarPass {
    /// Which.
    pub key: CalendarKey,
    /// Its name.
    pub name: String,
    /// What changed, or why it could not be read.
    pub result: Result<PullOutcome, SyncError>,
}

impl CalendarPass {
    /// True when there is nothing at the calendar's address.
    fn is_lost(&self) -> bool {
        matches!(&self.result, Err(SyncError::Server(error)) if matches!(error.kind(), ErrorKind::NotFound))
    }
}

/// Why a calendar or an account could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The server.
    #[error(transparent)]
    Server(#[from] caldav::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The config names a calendar that the account does not have.
    #[error(
        "account {account:?} has no calendar {calendar:?}; it has {found}: correct [[host.account]] calendars, or make the calendar"
    )]
    NoSuchCalendar {
        /// The account's id.
        account: String,
        /// As the config has it.
        calendar: String,
        /// What there is.
        found: String,
    },
    /// A folder of `.ics` files.
    #[error("the folder {folder:?} could not be read: {what}")]
    Folder {
        /// Its path.
        folder: PathBuf,
        /// What is wrong, in which file, and what to do.
        what: String,
    },
}

impl AccountSync {
    /// One pass at `now`. Fails as a whole only when the account's calendars were never found, and cannot be.
    pub async fn pass(&self, now: Timestamp) -> Result<Pass, SyncError> {
        let mut pass = Pass::default();
        let settings = &self.settings;
        let facts = self.facts().await?;
        let due = facts.as_ref().is_none_or(|facts| now.duration_since(facts.discovered_at) >= REDISCOVER);
        if due {
            match self.discover(now).await {
                Ok(()) => pass.rediscovered = true,
                // The calendars that we know are read all the same, and say for themselves what is wrong.
                Err(SyncError::Server(error)) if facts.is_some() => {
                    tracing::warn!(host = %settings.host.id, account = settings.id, %error, "The account's calendars could not be listed anew.");
                }
                Err(error) => return Err(error),
            }
        }
        for (stored, _) in self.wanted().await? {
            let result = self.pull(&stored, now).await;
            if let Err(error) = &result {
                self.store.mark_failed(&stored.key, Failure { error: error.to_string(), at: now }).await?;
            }
            pass.calendars.push(CalendarPass { key: stored.key, name: stored.name, result });
        }
        if !pass.rediscovered && pass.calendars.iter().any(|calendar| calendar.is_lost()) {
            // A calendar that is not where it was may have been deleted or moved: the account says.
            self.discover(now).await?;
            pass.rediscovered = true;
            let known = self.wanted().await?;
            pass.calendars.retain(|calendar| known.iter().any(|(stored, _)| stored.key == calendar.key));
        }
        for (key, name, error) in self.missing().await? {
            pass.calendars.push(CalendarPass { key, name, result: Err(error) });
        }
        Ok(pass)
    }

    /// Finds the account's calendars.
    async fn discover(&self, now: Timestamp) -> Result<(), SyncError> {
        let found = self.client.discover().await?;
        let settings = &self.settings;
        let facts = AccountFacts {
            principal: found.principal.map(|href| href.to_string()),
            addresses: found.addresses,
            discovered_at: now,
            server: found.server,
        };
        let entries = found
            .calendars
            .into_iter()
            .filter(|calendar| calendar.vevent && !calendar.subscribed)
            .map(|calendar| CalendarEntry {
                href: calendar.href.to_string(),
                name: calendar.name,
                role: CalendarRole { busy: !calendar.transparent, writable: calendar.writable },
            })
            .collect();
        self.store.set_calendars(&settings.host.id, &settings.id, entries).await?;
        self.store.set_account(&settings.host.id, &settings.id, facts).await?;
        Ok(())
    }

    /// The stored calendars of the account that are to be read, with what they are read for.
    async fn wanted(&self) -> Result<Vec<(StoredCalendar, SourceSettings)>, SyncError> {
        let settings = &self.settings;
        let facts = self.facts().await?;
        let owner = owner_addresses(&settings.host, facts.as_ref().map_or(&[], |facts| facts.addresses.as_slice()));
        let calendars = self.store.calendars(&settings.host.id).await?;
        let mut wanted = Vec::new();
        for stored in calendars.into_iter().filter(|stored| stored.key.account == settings.id) {
            let bookings = settings.bookings.as_ref().is_some_and(|name| is_named(&stored, name));
            let opens = settings
                .opens
                .as_ref()
                .filter(|(name, _)| is_named(&stored, name))
                .map(|(_, summary)| Opens { summary: summary.clone() });
            let busy = match &settings.calendars {
                Some(names) => names.iter().any(|name| is_named(&stored, name)),
                // A calendar all of whose events open time has none that take it.
                None => stored.role.busy && opens.as_ref().is_none_or(|opens| opens.summary.is_some()),
            };
            if busy || bookings || opens.is_some() {
                let source = SourceSettings {
                    key: stored.key.clone(),
                    name: stored.name.clone(),
                    rules: BusyRules {
                        zone: settings.host.zone.clone(),
                        owner: owner.clone(),
                        all_day: settings.all_day,
                        tentative: settings.tentative,
                    },
                    busy,
                    opens,
                };
                wanted.push((stored, source));
            }
        }
        Ok(wanted)
    }

    /// The sources of this account, with when each was read. A calendar that the config names and the account lacks is a
    /// source that was never read, and so is an account that was never reached: nothing can be booked until that is put
    /// right.
    pub async fn sources(&self) -> Result<Vec<(SourceSettings, Option<Timestamp>)>, SyncError> {
        let settings = &self.settings;
        let wanted = self.wanted().await?;
        let mut sources: Vec<_> = wanted.into_iter().map(|(stored, source)| (source, stored.read_at)).collect();
        let rules = BusyRules {
            zone: settings.host.zone.clone(),
            owner: Vec::new(),
            all_day: settings.all_day,
            tentative: settings.tentative,
        };
        let mut unread: Vec<(CalendarKey, String)> =
            self.missing().await?.into_iter().map(|(key, name, _)| (key, name)).collect();
        if self.facts().await?.is_none() {
            unread.push((self.key(String::new()), settings.id.clone()));
        }
        sources.extend(
            unread
                .into_iter()
                .map(|(key, name)| (SourceSettings { key, name, rules: rules.clone(), busy: true, opens: None }, None)),
        );
        Ok(sources)
    }

    async fn facts(&self) -> Result<Option<AccountFacts>, SyncError> {
        Ok(self.store.account(&self.settings.host.id, &self.settings.id).await?.and_then(|account| account.facts))
    }

    /// Each calendar that the config names and that the account does not have.
    async fn missing(&self) -> Result<Vec<(CalendarKey, String, SyncError)>, SyncError> {
        let settings = &self.settings;
        let mut known = self.store.calendars(&settings.host.id).await?;
        known.retain(|stored| stored.key.account == settings.id);
        if self.facts().await?.is_none() {
            return Ok(Vec::new());
        }
        let named = settings.calendars.iter().flatten();
        let named = named.chain(&settings.bookings).chain(settings.opens.iter().map(|(name, _)| name));
        // One calendar may be named for several purposes.
        let named: BTreeSet<&String> = named.collect();
        let found = known.iter().map(|stored| format!("{:?}", stored.name)).collect::<Vec<_>>().join(", ");
        Ok(named
            .into_iter()
            .filter(|name| !known.iter().any(|stored| is_named(stored, name)))
            .map(|name| {
                let found = if found.is_empty() { "none".to_owned() } else { found.clone() };
                let error = SyncError::NoSuchCalendar { account: settings.id.clone(), calendar: name.clone(), found };
                (self.key(name.clone()), name.clone(), error)
            })
            .collect())
    }

    fn key(&self, href: String) -> CalendarKey {
        CalendarKey { host: self.settings.host.id.clone(), account: self.settings.id.clone(), href }
    }

    /// The stored calendar that bookings are written to.
    pub async fn bookings_calendar(&self) -> Result<Option<StoredCalendar>, SyncError> {
        let Some(name) = &self.settings.bookings else { return Ok(None) };
        let calendars = self.store.calendars(&self.settings.host.id).await?;
        Ok(calendars.into_iter().find(|stored| stored.key.account == self.settings.id && is_named(stored, name)))
    }

    /// Brings one calendar up to date: by sync token, else by CTag and listing.
    async fn pull(&self, stored: &StoredCalendar, now: Timestamp) -> Result<PullOutcome, SyncError> {
        let calendar = Href::new(stored.key.href.clone());
        let relist = stored.listed_at.is_none_or(|at| now.duration_since(at) >= RELIST);
        let held_token = stored.sync_token.as_deref().and_then(SyncToken::new);
        let mut kept_token = stored.sync_token.clone();
        // A server that could not sync is asked again each day.
        if stored.strategy.as_deref() != Some(LISTING) || relist {
            let token = held_token.as_ref().filter(|_| !relist);
            let mut changes = self.client.changes(&calendar, token).await;
            if token.is_some() && matches!(changes, Ok(Changes::TokenInvalid)) {
                // Servers lose tokens routinely: begin anew, and fetch only what differs.
                kept_token = None;
                changes = self.client.changes(&calendar, None).await;
            }
            match changes {
                Ok(Changes::Delta { token, changed, removed, complete: false }) => {
                    return self.take_delta(stored, token, &changed, &removed, now).await;
                }
                Ok(Changes::Delta { token, changed, complete: true, .. }) => {
                    if stored.strategy.is_some() {
                        self.store.set_strategy(&stored.key, None).await?;
                    }
                    return self.take_listing(stored, changed, Some(token.as_str().to_owned()), None, now).await;
                }
                // A server that has synced before fails for now; one that never did cannot.
                Ok(Changes::Unsupported | Changes::TokenInvalid) if held_token.is_none() => {
                    self.store.set_strategy(&stored.key, Some(LISTING.to_owned())).await?;
                }
                Ok(Changes::Unsupported | Changes::TokenInvalid) => {}
                Err(error) if is_about_the_report(&error) => {
                    tracing::info!(host = %self.settings.host.id, account = self.settings.id, %error, "A sync report failed; the calendar is listed instead.");
                }
                Err(error) => return Err(error.into()),
            }
        }
        // The CTag is read before the listing: read after it, a change in between would be lost.
        let ctag = self.client.state(&calendar).await?.ctag;
        if !relist && ctag.is_some() && ctag == stored.ctag {
            self.store.mark_read(&stored.key, now).await?;
            return Ok(PullOutcome::default());
        }
        let listed = self.client.list(&calendar).await?;
        // The old token stays: what changed since is told again, and taking it twice does no harm.
        self.take_listing(stored, listed, kept_token, ctag, now).await
    }

    /// Takes the changes since a token.
    async fn take_delta(
        &self,
        stored: &StoredCalendar,
        token: SyncToken,
        changed: &[caldav::Member],
        removed: &[Href],
        now: Timestamp,
    ) -> Result<PullOutcome, SyncError> {
        // Our copy has each object under the spelling that it was first listed with.
        let held = self.store.object_etags(&stored.key).await?;
        let spelt: HashMap<Href, &str> =
            held.iter().map(|(href, _)| (Href::new(href.as_str()), href.as_str())).collect();
        // What is said to be gone is asked for by its name before its time is freed.
        let doubted = removed.iter().filter(|href| spelt.contains_key(href));
        let hrefs: Vec<Href> = changed.iter().map(|member| &member.href).chain(doubted).cloned().collect();
        let fetched = all_read(self.client.fetch(&Href::new(stored.key.href.clone()), &hrefs).await?)?;
        let commit = PullCommit {
            key: stored.key.clone(),
            token: Some(token.as_str().to_owned()),
            ctag: None,
            changed: fetched
                .objects
                .into_iter()
                .map(|object| {
                    let known = spelt.get(&object.href).map(|href| (*href).to_owned());
                    let object = stored_object(object);
                    StoredObject { href: known.unwrap_or(object.href), ..object }
                })
                .collect(),
            removed: fetched
                .gone
                .iter()
                .map(|href| spelt.get(href).map_or_else(|| href.to_string(), |known| (*known).to_owned()))
                .collect(),
            full: false,
            read_at: now,
            listed: false,
        };
        Ok(self.store.commit_pull(commit).await?)
    }

    /// Takes a complete listing: fetches what differs, forgets what is gone.
    async fn take_listing(
        &self,
        stored: &StoredCalendar,
        listed: Vec<caldav::Member>,
        token: Option<String>,
        ctag: Option<String>,
        now: Timestamp,
    ) -> Result<PullOutcome, SyncError> {
        let held = self.store.object_etags(&stored.key).await?;
        let listed: Vec<(String, Option<String>)> = listed
            .into_iter()
            .map(|member| (member.href.to_string(), member.etag.map(|etag| etag.to_string())))
            .collect();
        let plan = plan(&held, &listed, Href::new);
        let calendar = Href::new(stored.key.href.clone());
        // What a listing leaves out is asked for by its name before its time is freed.
        let (doubted, mut removed): (Vec<String>, Vec<String>) =
            plan.forget.into_iter().partition(|href| Href::new(href.as_str()).is_within(&calendar));
        let hrefs: Vec<Href> = plan.fetch.iter().chain(&doubted).map(|href| Href::new(href.as_str())).collect();
        let fetched = all_read(self.client.fetch(&calendar, &hrefs).await?)?;
        removed.extend(fetched.gone.iter().map(Href::to_string));
        let commit = PullCommit {
            key: stored.key.clone(),
            token,
            ctag,
            changed: fetched.objects.into_iter().map(stored_object).collect(),
            removed,
            full: false,
            listed: true,
            read_at: now,
        };
        Ok(self.store.commit_pull(commit).await?)
    }
}

/// Whether the server failed at the report, and may still be able to list: it answered, and not about the login.
fn is_about_the_report(error: &caldav::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(_)
            | ErrorKind::BadAnswer
            | ErrorKind::Rejected { .. }
            | ErrorKind::Conflict
            | ErrorKind::TooLarge
    )
}

/// The remembered behaviour of a server without sync-collection.
const LISTING: &str = "listing";

/// What cannot be read is busy, and nobody knows when: the calendar counts as not read until the server gives it.
fn all_read(mut fetched: Fetched) -> Result<Fetched, caldav::Error> {
    match fetched.failed.pop() {
        Some(failed) => Err(failed.error),
        None => Ok(fetched),
    }
}

fn stored_object(object: caldav::Object) -> StoredObject {
    StoredObject { href: object.href.to_string(), etag: object.etag.map(|etag| etag.to_string()), data: object.data }
}

/// Whether the config means this calendar: by its name, its href, or the href's last segment.
pub fn is_named(stored: &StoredCalendar, name: &str) -> bool {
    is_named_so(&stored.key.href, &stored.name, name)
}

/// Whether `wanted` is a calendar's name, its href, or its href's last segment.
pub fn is_named_so(href: &str, name: &str, wanted: &str) -> bool {
    let href = Href::new(href);
    name == wanted || href == Href::new(wanted) || href.name() == wanted
}

/// All calendar user addresses of the host, lower case: config and account (RFC 6638 2.4.1).
pub(super) fn owner_addresses(host: &Host, account: &[String]) -> Vec<String> {
    let configured = std::iter::once(&host.email).chain(&host.aliases).map(|address| format!("mailto:{address}"));
    let mut all: Vec<String> = configured.chain(account.iter().cloned()).map(|a| a.to_lowercase()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::super::lone::tests::{Bench, calendar, event, noon};
    use super::*;
    use crate::caldav::scripted::{Seen, answer, multistatus, serve};
    use crate::store::CalendarRole;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// What the server has, each with its ETag.
    fn listed(names: &[&str]) -> String {
        let one = |name: &&str| {
            format!(
                "<response><href>/c/{name}.ics</href><propstat><prop><getetag>\"1\"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
            )
        };
        names.iter().map(one).collect()
    }

    fn got(seen: &Seen, there: &[&str]) -> String {
        let name = seen.path.trim_start_matches("/c/").trim_end_matches(".ics");
        if there.contains(&name) {
            answer(200, "Content-Type: text/calendar\r\nETag: \"1\"\r\n", &calendar(&event(name, "20300603T080000Z")))
        } else {
            answer(404, "", "")
        }
    }

    #[tokio::test]
    async fn what_is_said_to_be_gone_is_asked_for_by_name_before_it_is_forgotten() {
        // The third answer forgets "a", which is there; and so does the fourth, a whole listing. "b" is gone at last.
        let turn = AtomicUsize::new(0);
        let (client, _) = serve(move |seen| {
            if seen.method == "GET" {
                let later = turn.load(Ordering::Relaxed) > 2;
                return got(seen, if later { &["a", "c"] } else { &["a", "b", "c"] });
            }
            if seen.body.contains("multiget") {
                return multistatus("");
            }
            let token = |number: usize| format!("<sync-token>t{number}</sync-token>");
            let gone = |name: &str| {
                format!("<response><href>/c/{name}.ics</href><status>HTTP/1.1 404 Not Found</status></response>")
            };
            match turn.fetch_add(1, Ordering::Relaxed) {
                0 => multistatus(&(listed(&["a", "b", "c"]) + &token(0))),
                1 => multistatus(&(gone("a") + &gone("never-seen") + &token(1))),
                2 => answer(403, "", ""),
                _ => multistatus(&(listed(&["c"]) + &token(3))),
            }
        })
        .await;
        let (bench, reading) = Bench::new();
        let settings = AccountSettings {
            host: reading.host.clone(),
            id: "work".into(),
            calendars: None,
            all_day: reading.all_day,
            tentative: reading.tentative,
            bookings: None,
            opens: None,
        };
        let sync = AccountSync { settings: Arc::new(settings), client, store: bench.store.clone() };
        let host = &reading.host.id;
        let role = CalendarRole { busy: true, writable: None };
        let entry = CalendarEntry { href: "/c/".into(), name: "c".into(), role };
        bench.store.set_calendars(host, "work", vec![entry]).await.unwrap();
        let mut held = Vec::new();
        for minute in 0..3 {
            let stored = bench.store.calendars(host).await.unwrap().remove(0);
            sync.pull(&stored, noon(minute)).await.unwrap();
            let names = bench.store.objects(&stored.key).await.unwrap().into_iter().map(|object| object.href);
            held.push(names.collect::<BTreeSet<String>>().into_iter().collect::<Vec<_>>().join(" "));
        }
        assert_eq!(held, ["/c/a.ics /c/b.ics /c/c.ics", "/c/a.ics /c/b.ics /c/c.ics", "/c/a.ics /c/c.ics"]);
    }
}
