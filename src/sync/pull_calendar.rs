//! One calendar brought up to date: by sync tokens, by CTag, or by a list, as its server was seen to allow. Start with
//! [`AccountSync::pull`].

use super::board::window_of;
use super::plan::{Plan, plan};
use super::pull::{AccountSync, SyncError};
use super::strategy::{Strategy, Way};
use crate::caldav::{self, Changes, ETag, ErrorKind, Expected, FailedObject, Fetched, Href, SyncToken, Wanted};
use crate::store::{PullCommit, PullOutcome, StoredCalendar, StoredObject};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};

/// A calendar is compared with the server's whole listing this often, whatever its sync tokens say (RFC 6578 servers lose
/// changes over a restore from backup).
const RELIST: SignedDuration = SignedDuration::from_hours(24);
/// A first reading keeps what it has fetched after so many objects: one that is broken off goes on from there.
const PART: usize = 500;

impl AccountSync {
    /// Brings one calendar up to date: by sync token, else by CTag and listing, as its server was seen to allow. `ctag` is what the
    /// account's listing said of it in this pass, if there was one. What it brought is stored, though something kept it from reading
    /// everything: then the calendar is as old as before.
    pub(super) async fn pull(
        &self,
        stored: &StoredCalendar,
        ctag: Option<&str>,
        now: Timestamp,
    ) -> (PullOutcome, Result<(), SyncError>) {
        let mut brought = PullOutcome::default();
        let result = self.pull_into(&mut brought, stored, ctag, now).await;
        (brought, result)
    }

    async fn pull_into(
        &self,
        brought: &mut PullOutcome,
        stored: &StoredCalendar,
        ctag: Option<&str>,
        now: Timestamp,
    ) -> Result<(), SyncError> {
        let calendar = Href::new(stored.key.href.clone());
        // Changes were told since the CTag was last seen. There are servers to whose tokens a calendar that was deleted and made again is
        // the old one, with more in it: what was told is compared with what is there.
        let changed = ctag.is_some() && stored.ctag.is_none();
        let relist = changed || stored.listed_at.is_none_or(|at| now.duration_since(at) >= RELIST);
        let mut learnt = Strategy::parse(stored.strategy.as_deref());
        let held_token = stored.sync_token.as_deref().and_then(SyncToken::new);
        let mut kept_token = stored.sync_token.clone();
        let mut report_failed = false;
        // A server that could not sync is asked again each day.
        if learnt.takes_tokens() || relist {
            let token = held_token.as_ref();
            let mut changes = self.client.changes(&calendar, token).await;
            if matches!(&changes, Err(error) if may_be_listed(error)) {
                // It may be the token that the server fails at.
                kept_token = None;
            }
            if let Ok(Changes::Delta { changed, complete: false, .. }) = &changes
                && (relist || self.is_a_list(stored, changed).await?)
            {
                // What the token tells comes first: there are servers that give an object made anew the version of the old one. The list
                // that follows says what is gone; only with it is the calendar read.
                let objects = self.fetch_told(brought, stored, changed, &[]).await?.0;
                brought.add(self.store.commit_part(&stored.key, objects).await?);
                changes = self.client.changes(&calendar, None).await;
            }
            let blind = matches!(&changes, Ok(Changes::Delta { changed, removed, complete: false, .. })
                if changed.is_empty() && removed.is_empty() && ctag.is_some() && stored.ctag.is_some() && ctag != stored.ctag.as_deref());
            if blind || (token.is_some() && matches!(changes, Ok(Changes::TokenInvalid))) {
                // Servers lose tokens routinely, and some lose changes: begin anew, and fetch only what differs.
                kept_token = None;
                changes = self.client.changes(&calendar, None).await;
            }
            match changes {
                Ok(Changes::Delta { token, changed, removed, complete: false }) => {
                    if learnt.failures > 0 {
                        learnt.failures = 0;
                        self.store.set_strategy(&stored.key, learnt.stored()).await?;
                    }
                    let delta = Delta { token, ctag, changed: &changed, removed: &removed };
                    return self.take_delta(brought, stored, delta, now).await;
                }
                Ok(Changes::Delta { token, changed, complete: true, .. }) => {
                    learnt.way = Way::Tokens;
                    let listed = self.with_hidden(&calendar, changed, Some(&token), &mut learnt, now).await?;
                    let listing =
                        Listing { listed, token: Some(token.as_str().to_owned()), ctag: ctag.map(str::to_owned) };
                    return self.take_listing(brought, stored, listing, learnt, now).await;
                }
                // A server that has synced before fails for now; one that never did cannot.
                Ok(Changes::Unsupported | Changes::TokenInvalid) if held_token.is_none() => learnt.way = Way::List,
                Ok(Changes::Unsupported | Changes::TokenInvalid) => {}
                Err(error) if may_be_listed(&error) => {
                    report_failed = true;
                    learnt.note_failed_report();
                    tracing::info!(host = %self.settings.host.id, account = self.settings.id, %error, "A sync report failed; the calendar is listed instead.");
                }
                Err(error) => return Err(error.into()),
            }
        }
        // The CTag is read before the listing: read after it, a change in between would be lost.
        let ctag = self.client.state(&calendar).await?.ctag;
        if !relist
            && !report_failed
            && learnt.again.is_empty()
            && !learnt.hides
            && ctag.is_some()
            && ctag == stored.ctag
        {
            return Ok(self.store.mark_read(&stored.key, now).await?);
        }
        if matches!(learnt.way, Way::Ctag | Way::List) {
            learnt.way = if ctag.is_some() { Way::Ctag } else { Way::List };
        }
        let mut listed = self.client.list(&calendar).await?;
        if ctag.is_some() && stored.ctag.is_some() && ctag != stored.ctag && self.is_as_held(stored, &listed).await? {
            // The list shows nothing of the change that the CTag tells of, and may be one from before it. (It may be our own write, too.)
            listed = self.client.list(&calendar).await?;
        }
        if relist || learnt.hides {
            listed = self.with_hidden(&calendar, listed, None, &mut learnt, now).await?;
        }
        // The old token stays, unless the server failed at it: what changed since is told again, and taking it twice does no harm.
        self.take_listing(brought, stored, Listing { listed, token: kept_token, ctag }, learnt, now).await
    }

    /// Whether what came as changes is a list in truth: most of what we hold, as we hold it. So some servers answer a token that they
    /// no longer know, and say nothing of what is gone.
    async fn is_a_list(&self, stored: &StoredCalendar, changed: &[caldav::Member]) -> Result<bool, SyncError> {
        if changed.is_empty() {
            return Ok(false);
        }
        let held = self.store.object_etags(&stored.key).await?;
        let told: HashMap<&Href, Option<&ETag>> =
            changed.iter().map(|member| (&member.href, member.etag.as_ref())).collect();
        let same = held.iter().filter(|(href, etag)| {
            told.get(&Href::new(href.as_str())).is_some_and(|told| told.map(ETag::as_str) == etag.as_deref())
        });
        Ok(same.count() * 2 > held.len())
    }

    /// Whether a list is of what we hold, in the very versions.
    async fn is_as_held(&self, stored: &StoredCalendar, listed: &[caldav::Member]) -> Result<bool, SyncError> {
        let held = self.store.object_etags(&stored.key).await?;
        let entry = |member: &caldav::Member| (member.href.to_string(), member.etag.as_ref().map(ToString::to_string));
        let listed: Vec<_> = listed.iter().map(entry).collect();
        Ok(plan(&held, &listed, Href::new) == Plan::default())
    }

    /// A list, and with it what only a query by time names: some servers leave out of the one what they tell in the other. The query
    /// spans what slots are made of. A server that fails at it is believed its list, until it was seen to hide something.
    async fn with_hidden(
        &self,
        calendar: &Href,
        mut listed: Vec<caldav::Member>,
        token: Option<&SyncToken>,
        learnt: &mut Strategy,
        now: Timestamp,
    ) -> Result<Vec<caldav::Member>, SyncError> {
        let window = window_of(&self.settings.host, now);
        let mut found = match self.client.query(calendar, (window.start(), window.end())).await {
            Ok(found) => found,
            Err(error) if learnt.hides || error.retry_after().is_some() => return Err(error.into()),
            Err(error) => match error.kind() {
                ErrorKind::Unauthorized | ErrorKind::TooManyRequests { .. } => return Err(error.into()),
                _ => {
                    tracing::info!(host = %self.settings.host.id, account = self.settings.id, %error, "A query failed; the calendar's list stands alone.");
                    return Ok(listed);
                }
            },
        };
        retain_unlisted(&mut found, &listed);
        if found.is_empty() {
            learnt.hides = false;
            return Ok(listed);
        }
        // Made between the two answers, or hidden: another list tells.
        let mut second = self.client.list(calendar).await?;
        let mut hidden = found.clone();
        retain_unlisted(&mut hidden, &second);
        learnt.hides = !hidden.is_empty();
        retain_unlisted(&mut second, &listed);
        if let Some(token) = token
            && !learnt.hides
            && let Ok(Changes::Delta { changed, .. }) = self.client.changes(calendar, Some(token)).await
        {
            // What the sync report left out and does not tell as a change either, it hides.
            let mut untold = found;
            retain_unlisted(&mut untold, &changed);
            if !untold.is_empty() {
                learnt.way = Way::List;
            }
        }
        listed.extend(second);
        listed.extend(hidden);
        Ok(listed)
    }

    /// Takes the changes since a token.
    async fn take_delta(
        &self,
        brought: &mut PullOutcome,
        stored: &StoredCalendar,
        delta: Delta<'_>,
        now: Timestamp,
    ) -> Result<(), SyncError> {
        let Delta { token, ctag, changed, removed } = delta;
        let (objects, gone) = self.fetch_told(brought, stored, changed, removed).await?;
        // A CTag is kept while the tokens tell of no change since it was read: a later one that differs shows that they are blind.
        let unchanged = changed.is_empty() && removed.is_empty();
        let commit = PullCommit {
            key: stored.key.clone(),
            // An answer that tells of nothing moves nothing on: one that was kept from before, or is of another calendar, does no harm.
            token: stored.sync_token.clone().filter(|_| unchanged).or_else(|| Some(token.as_str().to_owned())),
            ctag: ctag.map(str::to_owned).or_else(|| stored.ctag.clone()).filter(|_| unchanged),
            changed: objects,
            removed: gone,
            full: false,
            read_at: now,
            listed: false,
        };
        brought.add(self.store.commit_pull(commit).await?);
        Ok(())
    }

    /// Reads what a report of changes tells of: what there is, and what is gone. Fails when something cannot be read; the rest is stored
    /// all the same.
    async fn fetch_told(
        &self,
        brought: &mut PullOutcome,
        stored: &StoredCalendar,
        changed: &[caldav::Member],
        removed: &[Href],
    ) -> Result<(Vec<StoredObject>, Vec<String>), SyncError> {
        // Our copy has each object under the spelling that it was first listed with.
        let held = self.store.object_etags(&stored.key).await?;
        let spelt: HashMap<Href, &str> =
            held.iter().map(|(href, _)| (Href::new(href.as_str()), href.as_str())).collect();
        // What is said to be gone is asked for by its name before its time is freed.
        let doubted = removed.iter().filter(|href| spelt.contains_key(href));
        let doubted = doubted.map(|href| Wanted { href: href.clone(), expected: Expected::Gone });
        let wanted: Vec<Wanted> = changed.iter().map(listed).chain(doubted).collect();
        let mut fetch = Fetch::default();
        let mut objects = fetch.take(self.client.fetch(&Href::new(stored.key.href.clone()), &wanted).await);
        for object in &mut objects {
            if let Some(known) = spelt.get(&Href::new(object.href.as_str())) {
                object.href = (*known).to_owned();
            }
        }
        if let Some(error) = fetch.unread() {
            brought.add(self.store.commit_part(&stored.key, objects).await?);
            return Err(error);
        }
        let gone =
            fetch.gone.iter().map(|href| spelt.get(href).map_or_else(|| href.to_string(), |known| (*known).to_owned()));
        Ok((objects, gone.collect()))
    }

    /// Takes a complete listing: fetches what differs, and what is to be read once more; forgets what is gone.
    async fn take_listing(
        &self,
        brought: &mut PullOutcome,
        stored: &StoredCalendar,
        listing: Listing,
        mut learnt: Strategy,
        now: Timestamp,
    ) -> Result<(), SyncError> {
        learnt.note_list(&listing.listed);
        let held = self.store.object_etags(&stored.key).await?;
        let again: HashSet<Href> = learnt.again.iter().map(Href::new).collect();
        let versions: HashMap<&Href, &caldav::Member> =
            listing.listed.iter().map(|member| (&member.href, member)).collect();
        let entry = |member: &caldav::Member| {
            let etag = member.etag.as_ref().filter(|_| !again.contains(&member.href));
            (member.href.to_string(), etag.map(ToString::to_string))
        };
        let all: Vec<(String, Option<String>)> = listing.listed.iter().map(entry).collect();
        let plan = plan(&held, &all, Href::new);
        let calendar = Href::new(stored.key.href.clone());
        // What a listing leaves out is asked for by its name before its time is freed.
        let (doubted, mut removed): (Vec<String>, Vec<String>) =
            plan.forget.into_iter().partition(|href| Href::new(href.as_str()).is_within(&calendar));
        let doubted = doubted.iter().map(|href| Wanted { href: Href::new(href.as_str()), expected: Expected::Gone });
        let fetch = plan.fetch.iter().filter_map(|href| versions.get(&Href::new(href.as_str())));
        let wanted: Vec<Wanted> = fetch.map(|member| listed(member)).chain(doubted).collect();
        let (parts, rest) = match stored.read_at {
            Some(_) => (&[][..], &wanted[..]),
            None => wanted.split_at(wanted.len().saturating_sub(1) / PART * PART),
        };
        let mut fetch = Fetch::default();
        let mut objects = Vec::new();
        for part in parts.chunks(PART).chain([rest]) {
            if !objects.is_empty() {
                brought.add(self.store.commit_part(&stored.key, std::mem::take(&mut objects)).await?);
            }
            objects = fetch.take(self.client.fetch(&calendar, part).await);
            if fetch.broken_off.is_some() {
                break;
            }
        }
        removed.extend(fetch.gone.iter().map(Href::to_string));
        // What was read once more is not read a third time; sync tokens tell what changes.
        let versions: HashMap<Href, Option<&str>> =
            held.iter().map(|(href, etag)| (Href::new(href.as_str()), etag.as_deref())).collect();
        let is_second = |object: &&caldav::Object| {
            again.contains(&object.href)
                && versions.get(&object.href).copied().flatten() == object.etag.as_ref().map(ETag::as_str)
        };
        let first: Vec<_> = fetch.read.iter().filter(|object| !is_second(object)).cloned().collect();
        let unread = fetch.unread();
        // A token that has not moved on tells what changes, too, but not of a first reading: there is none.
        learnt.note_read(if learnt.takes_tokens() && unread.is_none() { &[] } else { &first });
        if unread.is_some() {
            let read: HashSet<&Href> = fetch.read.iter().map(|object| &object.href).collect();
            learnt.again.extend(again.iter().filter(|href| !read.contains(href)).map(Href::to_string));
        }
        // Before the changes: a calendar that was read once more for nothing is none the worse.
        let strategy = learnt.stored();
        if strategy != stored.strategy {
            self.store.set_strategy(&stored.key, strategy).await?;
        }
        if let Some(error) = unread {
            brought.add(self.store.commit_part(&stored.key, objects).await?);
            return Err(error);
        }
        let commit = PullCommit {
            key: stored.key.clone(),
            token: listing.token,
            ctag: listing.ctag,
            changed: objects,
            removed,
            full: false,
            listed: true,
            read_at: now,
        };
        brought.add(self.store.commit_pull(commit).await?);
        Ok(())
    }
}

/// What a report of changes tells.
struct Delta<'a> {
    token: SyncToken,
    ctag: Option<&'a str>,
    changed: &'a [caldav::Member],
    removed: &'a [Href],
}

/// What fetches of one calendar came to.
#[derive(Default)]
struct Fetch {
    /// What was read, without its text.
    read: Vec<caldav::Object>,
    gone: Vec<Href>,
    failed: Vec<FailedObject>,
    broken_off: Option<caldav::Error>,
}

impl Fetch {
    /// Takes what one fetch came to; gives what is to be stored.
    fn take(&mut self, fetched: Fetched) -> Vec<StoredObject> {
        let Fetched { objects, gone, failed, broken_off } = fetched;
        let named = |object: &caldav::Object| caldav::Object {
            href: object.href.clone(),
            etag: object.etag.clone(),
            data: Vec::new(),
        };
        self.read.extend(objects.iter().map(named));
        self.gone.extend(gone);
        self.failed.extend(failed);
        self.broken_off = broken_off.or(self.broken_off.take());
        objects.into_iter().map(StoredObject::from).collect()
    }

    /// What cannot be read is busy, and nobody knows when: the calendar counts as not read until the server gives it.
    fn unread(&mut self) -> Option<SyncError> {
        if let Some(error) = self.broken_off.take() {
            return Some(error.into());
        }
        // The same each time, for whoever is told.
        self.failed.sort_by(|a, b| b.href.as_str().cmp(a.href.as_str()));
        let first = self.failed.pop()?;
        Some(SyncError::Unread { more: self.failed.len(), error: first.error })
    }
}

/// A complete list of a calendar's objects, with the marks that stand for it.
struct Listing {
    listed: Vec<caldav::Member>,
    token: Option<String>,
    ctag: Option<String>,
}

/// What a list, or a report of changes, says of an object that is to be read.
fn listed(member: &caldav::Member) -> Wanted {
    Wanted { href: member.href.clone(), expected: Expected::Version(member.etag.clone()) }
}

/// Leaves what is not in `listed`.
fn retain_unlisted(members: &mut Vec<caldav::Member>, listed: &[caldav::Member]) {
    let known: HashSet<&Href> = listed.iter().map(|member| &member.href).collect();
    members.retain(|member| !known.contains(&member.href));
}

/// Whether the server failed at the report, and may still be able to list: it was not about the login, and it can be talked to. Whether
/// there is a calendar, and whether it can answer in time, its state tells.
fn may_be_listed(error: &caldav::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(_)
            | ErrorKind::Timeout
            | ErrorKind::NotFound
            | ErrorKind::BadAnswer
            | ErrorKind::Rejected { .. }
            | ErrorKind::Conflict
            | ErrorKind::TooLarge
    )
}

/// As our copy keeps it.
impl From<caldav::Object> for StoredObject {
    fn from(object: caldav::Object) -> StoredObject {
        let etag = object.etag.map(|etag| etag.to_string());
        StoredObject { href: object.href.to_string(), etag, data: object.data }
    }
}

#[cfg(test)]
mod tests;
