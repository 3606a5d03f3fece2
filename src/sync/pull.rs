//! One pass over an account: find its calendars, bring our copy of each up to date. Whatever fails leaves what we hold as it
//! was, with the time when it was last read. Start with [`AccountSync::pass`].

use super::board::{Opens, SourceSettings};
use crate::availability::{BusyRules, Counting, Host};
use crate::caldav::{self, Client, Discovery, ErrorKind, Href};
use crate::ical::calendar_zone;
use crate::store::{
    AccountFacts, CalendarEntry, CalendarKey, CalendarRole, Failure, PullOutcome, Store, StoreError, StoredCalendar,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

/// The calendars of an account are looked for anew this often: one that the host makes is busy soon.
const REDISCOVER: SignedDuration = SignedDuration::from_mins(10);

/// What the config says of an account.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Whose account.
    pub host: Arc<Host>,
    /// Its id.
    pub id: String,
    /// Names or hrefs of the calendars that make the host busy; `None`: all that are not marked transparent.
    pub calendars: Option<Vec<String>>,
    /// Which events of its calendars count.
    pub counting: Counting,
    /// Name or href of the calendar that bookings are written to, if it is in this account.
    pub bookings: Option<String>,
    /// How long the event of a booking stays gone before that is believed.
    pub grace: SignedDuration,
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
    /// True when it was never read before: what an earlier pass, broken off, has fetched of it is not among the changes.
    pub first: bool,
    /// What changed, as far as it was read.
    pub brought: PullOutcome,
    /// Why not all of it could be read.
    pub result: Result<(), SyncError>,
}

impl Pass {
    /// Whether every calendar that there is was read. One that the config names and the account lacks holds nothing.
    pub fn all_read(&self) -> bool {
        let is_missing = |calendar: &CalendarPass| {
            matches!(calendar.result, Err(SyncError::NoSuchCalendar { .. } | SyncError::Subscribed { .. }))
        };
        self.calendars.iter().all(|calendar| calendar.result.is_ok() || is_missing(calendar))
    }
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
    /// Single events that the server does not give. What it gives beside them is taken.
    #[error("{error}{}: nobody knows when that is, so nothing is booked on old data until it can be read", and_more(*more))]
    Unread {
        /// Why not, and which.
        error: caldav::Error,
        /// How many others there are.
        more: usize,
    },
    /// The server refused the login or asked for a pause at the calendar before: this one was left alone.
    #[error("not asked after the calendar before it: {why}")]
    NotAsked {
        /// What was the matter there.
        why: String,
    },
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
    /// The config names a calendar that the server itself only subscribes to: asked for its events it says that there are none.
    #[error(
        "{calendar:?} in account {account:?} is a subscription that the server names and does not hold: take it out of \
         [[host.account]] calendars and add [[host.subscription]] with its url"
    )]
    Subscribed {
        /// The account's id.
        account: String,
        /// As the config has it.
        calendar: String,
    },
    /// The config asks for availability of a server that has none.
    #[error(
        "account {account:?} has no scheduling inbox, where availability would be kept: leave `availability` out of [host.hours]"
    )]
    NoAvailability {
        /// The account's id.
        account: String,
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
    /// One pass at `now`. Fails as a whole only when the account's calendars were never found, and cannot be. It is by a pass that is
    /// found out whether a login that was refused works again.
    pub async fn pass(&self, now: Timestamp) -> Result<Pass, SyncError> {
        let knocking = AccountSync { client: self.client.careful(), ..self.clone() };
        knocking.read(now).await
    }

    async fn read(&self, now: Timestamp) -> Result<Pass, SyncError> {
        let mut pass = Pass::default();
        let mut ctags = HashMap::new();
        let settings = &self.settings;
        let facts = self.facts().await?;
        let due = facts.as_ref().is_none_or(|facts| now.duration_since(facts.discovered_at) >= REDISCOVER)
            // A calendar that the config names may be made, or made again, any moment.
            || !self.missing().await?.is_empty();
        if due {
            match self.discover(now).await {
                Ok(found) => (pass.rediscovered, ctags) = (true, found),
                // The calendars that we know are read all the same, and say for themselves what is wrong.
                Err(SyncError::Server(error)) if facts.is_some() && !error.wants_rest() => {
                    tracing::warn!(host = %settings.host.id, account = settings.id, %error, "The account's calendars could not be listed anew.");
                }
                Err(error) => return Err(error),
            }
        }
        let mut rest = None;
        for (stored, _) in self.wanted().await? {
            let ctag = ctags.get(&Href::new(stored.key.href.as_str())).map(String::as_str);
            let (brought, result) = match &rest {
                None => self.pull(&stored, ctag, now).await,
                Some(why) => (PullOutcome::default(), Err(SyncError::NotAsked { why: String::clone(why) })),
            };
            if let Err(SyncError::Server(error)) = &result
                && error.wants_rest()
            {
                rest = Some(error.to_string());
            }
            if let Err(error) = &result {
                self.store.mark_failed(&stored.key, Failure { error: error.to_string(), at: now }).await?;
            }
            let first = stored.read_at.is_none();
            pass.calendars.push(CalendarPass { key: stored.key, name: stored.name, first, brought, result });
        }
        if !pass.rediscovered && pass.calendars.iter().any(|calendar| calendar.is_lost()) {
            // A calendar that is not where it was may have been deleted or moved: the account says.
            self.discover(now).await?;
            pass.rediscovered = true;
            let known = self.wanted().await?;
            pass.calendars.retain(|calendar| known.iter().any(|(stored, _)| stored.key == calendar.key));
        }
        for (key, name, error) in self.missing().await? {
            let brought = PullOutcome::default();
            pass.calendars.push(CalendarPass { key, name, first: true, brought, result: Err(error) });
        }
        Ok(pass)
    }

    /// Finds the account's calendars; gives their CTags.
    async fn discover(&self, now: Timestamp) -> Result<HashMap<Href, String>, SyncError> {
        let mut found = self.client.discover().await?;
        if self.loses(&found).await? {
            // What a calendar holds would be free: a list that was kept from before, or is another's, does not come twice.
            found = self.client.discover().await?;
        }
        let unlisted = self.unlisted(&found).await?;
        let ctags = found.calendars.iter();
        let ctags = ctags.filter_map(|calendar| Some((calendar.href.clone(), calendar.ctag.clone()?))).collect();
        let settings = &self.settings;
        let before = self.facts().await?.map(|facts| facts.subscribed).unwrap_or_default();
        let facts = AccountFacts {
            url: Some(self.client.address().to_string()),
            principal: found.principal.map(|href| href.to_string()),
            addresses: found.addresses,
            discovered_at: now,
            server: found.server,
            subscribed: found
                .calendars
                .iter()
                .filter(|calendar| calendar.subscribed)
                .map(|calendar| (calendar.name.clone(), calendar.href.to_string()))
                .collect(),
        };
        let entries = found
            .calendars
            .into_iter()
            .filter(|calendar| calendar.vevent && !calendar.subscribed)
            .map(|calendar| CalendarEntry {
                href: calendar.href.to_string(),
                name: calendar.name,
                role: CalendarRole { busy: !calendar.transparent, writable: calendar.writable },
                time_zone: calendar.time_zone,
            })
            .chain(unlisted)
            .collect();
        self.store.set_calendars(&settings.host.id, &settings.id, entries).await?;
        // Where the config names calendars, whoever wrote it has chosen.
        for name in newly_named(&before, &facts.subscribed).filter(|_| settings.calendars.is_none()) {
            tracing::warn!(host = %settings.host.id, account = settings.id, calendar = name, "A subscription that the server names and does not hold is not counted as busy; add [[host.subscription]] with its url, which officehours check tells.");
        }
        self.store.set_account(&settings.host.id, &settings.id, facts).await?;
        Ok(ctags)
    }

    /// The known calendars that the account no longer lists, and that are there by their own answer, or may be: a list may be wrong for
    /// long, where one of several homes fails or a server does not say what a collection is.
    async fn unlisted(&self, found: &Discovery) -> Result<Vec<CalendarEntry>, SyncError> {
        let listed: HashSet<&Href> = found.calendars.iter().map(|calendar| &calendar.href).collect();
        let mut unlisted = Vec::new();
        let found_from = self.facts().await?.and_then(|facts| facts.url);
        if found_from.is_some_and(|url| url != self.client.address().as_str()) {
            // The config means another account by now.
            return Ok(unlisted);
        }
        for StoredCalendar { key, name, role, time_zone, .. } in self.known().await? {
            let href = Href::new(key.href.as_str());
            if listed.contains(&href) || self.client.is_gone(&href).await? {
                continue;
            }
            tracing::warn!(host = %key.host, account = key.account, calendar = name, "The account no longer lists a calendar, whose own answer is not that it is gone; it is read on.");
            unlisted.push(CalendarEntry { href: key.href, name, role, time_zone });
        }
        Ok(unlisted)
    }

    /// Whether a calendar that makes the host busy would do so no longer.
    async fn loses(&self, found: &Discovery) -> Result<bool, SyncError> {
        let known = self.known().await?.into_iter().filter(|stored| stored.role.busy);
        let counts = |calendar: &&caldav::Calendar| calendar.vevent && !calendar.subscribed && !calendar.transparent;
        let counted: HashSet<&Href> = found.calendars.iter().filter(counts).map(|calendar| &calendar.href).collect();
        Ok(known.into_iter().any(|stored| !counted.contains(&Href::new(stored.key.href))))
    }

    /// The stored calendars of the account that are to be read, with what they are read for.
    async fn wanted(&self) -> Result<Vec<(StoredCalendar, SourceSettings)>, SyncError> {
        let settings = &self.settings;
        let owner = self.owner().await?;
        let mut wanted = Vec::new();
        for stored in self.known().await? {
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
                let host_zone = &settings.host.zone;
                let zone = stored.time_zone.as_deref().and_then(|property| calendar_zone(property, host_zone));
                let source = SourceSettings {
                    key: stored.key.clone(),
                    name: stored.name.clone(),
                    rules: BusyRules {
                        zone: zone.unwrap_or_else(|| host_zone.clone()),
                        owner: owner.clone(),
                        counting: settings.counting.clone(),
                    },
                    busy,
                    opens,
                    is_availability: false,
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
        let rules =
            BusyRules { zone: settings.host.zone.clone(), owner: Vec::new(), counting: settings.counting.clone() };
        let mut unread: Vec<(CalendarKey, String)> =
            self.missing().await?.into_iter().map(|(key, name, _)| (key, name)).collect();
        if self.facts().await?.is_none() {
            unread.push((self.key(String::new()), settings.id.clone()));
        }
        sources.extend(unread.into_iter().map(|(key, name)| {
            (SourceSettings { key, name, rules: rules.clone(), busy: true, opens: None, is_availability: false }, None)
        }));
        Ok(sources)
    }

    /// All calendar user addresses of the host, as the config and the account have them.
    pub async fn owner(&self) -> Result<Vec<String>, SyncError> {
        let facts = self.facts().await?;
        Ok(owner_addresses(&self.settings.host, facts.as_ref().map_or(&[], |facts| facts.addresses.as_slice())))
    }

    /// The stored calendars of the account.
    async fn known(&self) -> Result<Vec<StoredCalendar>, SyncError> {
        let mut known = self.store.calendars(&self.settings.host.id).await?;
        known.retain(|stored| stored.key.account == self.settings.id);
        Ok(known)
    }

    async fn facts(&self) -> Result<Option<AccountFacts>, SyncError> {
        Ok(self.store.account(&self.settings.host.id, &self.settings.id).await?.and_then(|account| account.facts))
    }

    /// Each calendar that the config names and that the account does not have.
    async fn missing(&self) -> Result<Vec<(CalendarKey, String, SyncError)>, SyncError> {
        let settings = &self.settings;
        let known = self.known().await?;
        let Some(facts) = self.facts().await? else { return Ok(Vec::new()) };
        let named = settings.calendars.iter().flatten();
        let named = named.chain(&settings.bookings).chain(settings.opens.iter().map(|(name, _)| name));
        // One calendar may be named for several purposes.
        let named: BTreeSet<&String> = named.collect();
        let found = known.iter().map(|stored| format!("{:?}", stored.name)).collect::<Vec<_>>().join(", ");
        Ok(named
            .into_iter()
            .filter(|name| !known.iter().any(|stored| is_named(stored, name)))
            .map(|name| {
                if facts.subscribed.iter().any(|(called, href)| is_named_so(href, called, name)) {
                    let error = SyncError::Subscribed { account: settings.id.clone(), calendar: name.clone() };
                    return (self.key(name.clone()), name.clone(), error);
                }
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
        Ok(self.known().await?.into_iter().find(|stored| is_named(stored, name)))
    }
}

/// The subscriptions, names and hrefs, that were not among those before.
fn newly_named<'a>(before: &'a [(String, String)], now: &'a [(String, String)]) -> impl Iterator<Item = &'a str> {
    let is_new = |(_, href): &&(String, String)| before.iter().all(|(_, known)| known != href);
    now.iter().filter(is_new).map(|(name, _)| name.as_str())
}

pub(super) fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more)") }
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

    #[test]
    fn a_subscription_is_told_of_once() {
        let of = |names: &[&str]| -> Vec<(String, String)> {
            names.iter().map(|name| ((*name).to_owned(), format!("/c/{name}/"))).collect()
        };
        let new = |before: &[&str], now: &[&str]| {
            let (before, now) = (of(before), of(now));
            newly_named(&before, &now).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(new(&[], &["Lectures", "Holidays"]), "Lectures Holidays");
        assert_eq!(new(&["Lectures"], &["Lectures", "Holidays"]), "Holidays");
        assert_eq!(new(&["Lectures", "Holidays"], &["Holidays"]), "");
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
            if seen.body.contains("multiget") || seen.body.contains("calendar-query") {
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
            counting: reading.counting.clone(),
            bookings: None,
            grace: SignedDuration::from_mins(5),
            opens: None,
        };
        let sync = AccountSync { settings: Arc::new(settings), client, store: bench.store.clone() };
        let host = &reading.host.id;
        let role = CalendarRole { busy: true, writable: None };
        let entry = CalendarEntry { href: "/c/".into(), name: "c".into(), role, time_zone: None };
        bench.store.set_calendars(host, "work", vec![entry]).await.unwrap();
        let mut held = Vec::new();
        for minute in 0..3 {
            let stored = bench.store.calendars(host).await.unwrap().remove(0);
            sync.pull(&stored, None, noon(minute)).await.1.unwrap();
            let names = bench.store.objects(&stored.key).await.unwrap().into_iter().map(|object| object.href);
            held.push(names.collect::<BTreeSet<String>>().into_iter().collect::<Vec<_>>().join(" "));
        }
        assert_eq!(held, ["/c/a.ics /c/b.ics /c/c.ics", "/c/a.ics /c/b.ics /c/c.ics", "/c/a.ics /c/c.ics"]);
    }
}
