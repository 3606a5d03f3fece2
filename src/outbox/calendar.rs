//! The calendar lane: writes and removes the events of bookings. A conditional PUT is not a lock on real servers, so each write
//! is read back, and after a lost answer we look before we write again. Start with [`Outbox::run`].

use super::event_text;
use super::lane::{Means, Open, Pace, work};
use super::record::finished;
use super::retry::{Failed, Retry, is_over, retry};
use crate::availability::{Clock, EventFacts, Host, HostId, event_summary};
use crate::booking::{Booking, BookingState, Payload, place};
use crate::caldav::{Client, Error, ErrorKind, Href, Object};
use crate::desk::{Desk, OutboxSignal, TokenError, Version};
use crate::ical::write::{EventText, booking_event};
use crate::ical::{Zone, replace_event};
use crate::store::{
    CalendarKey, EffectKind, EffectOutcome, FinishEffect, Lane, OutboxEntry, Store, StoreError, StoredObject,
};
use crate::sync::{AccountSync, DOUBTED_FOR, Oddity, SyncError, Whereabouts, holds_uid, is_too_many, parent};
use arc_swap::ArcSwap;
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A lease longer than any request; a server that is down gets four of its 32.
const PACE: Pace = Pace { lane: Lane::Calendar, lease: SignedDuration::from_mins(5), at_once: 32, of_one_host: 4 };

/// Where each account's events go. Replaced as a whole when the config changes.
#[derive(Debug, Default)]
pub struct Targets {
    /// Every account of every host.
    pub accounts: HashMap<(HostId, String), AccountSync>,
    /// The account that a host's bookings are written to.
    pub bookings: HashMap<HostId, String>,
}

impl Targets {
    /// Takes over which accounts had their login refused: of another config, only one try finds out whether it works.
    pub fn distrust_as(&self, before: &Targets) {
        for (key, account) in &self.accounts {
            if before.accounts.get(key).is_some_and(|before| before.client.is_refused()) {
                account.client.distrust();
            }
        }
    }

    /// The hosts whose bookings go to an account that refuses the login.
    fn refused(&self) -> Vec<HostId> {
        let refuses = |(host, account): (&HostId, &String)| {
            let target = self.accounts.get(&(host.clone(), account.clone()));
            target.is_some_and(|target| target.client.is_refused())
        };
        self.bookings.iter().filter(|entry| refuses(*entry)).map(|(host, _)| host.clone()).collect()
    }
}

/// That a calendar is gone with the event in it is believed after so long.
const BELIEVE_NO_CALENDAR: SignedDuration = SignedDuration::from_hours(6);

/// The calendar lane.
#[derive(Debug)]
pub struct Outbox {
    /// Where events go.
    pub targets: Arc<ArcSwap<Targets>>,
    /// Keeps the entries.
    pub store: Store,
    /// Records what came of them.
    pub desk: Desk,
    /// Wakes us.
    pub signal: OutboxSignal,
    /// Tells the time.
    pub clock: Clock,
}

/// Why an effect was not performed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Server(#[from] Error),
    #[error(transparent)]
    Sync(#[from] SyncError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Desk(#[from] TokenError),
    #[error("the outbox entry cannot be read: {0}")]
    Payload(#[from] serde_json::Error),
    #[error("the config has no calendar for the bookings of this host: set [host.bookings] calendar")]
    NoCalendar,
    #[error("the server answered that the event was written, and holds something else")]
    NotAsWritten,
    #[error("the server answered that the event was removed, and still holds it")]
    NotGone,
    #[error("the event is not on the calendar any more; it is looked for again before that is believed")]
    Missing {
        /// When.
        again: SignedDuration,
    },
    #[error("the calendar of the event is not there: make it again, or cancel the booking")]
    NoCalendarThere,
    #[error(
        "the event {0} on the calendar, and what is to become of that is the host's to say: make it one event with a time \
         again, or delete it"
    )]
    Odd(Oddity),
}

impl Failure {
    /// What is to be done about it, and how long the server asks us to wait.
    fn to_retry(&self) -> (Failed, Option<SignedDuration>) {
        match self {
            Failure::Server(error) | Failure::Sync(SyncError::Server(error)) => {
                (Failed::of(error.kind()), error.retry_after())
            }
            Failure::NoCalendar | Failure::NoCalendarThere | Failure::Odd(_) => (Failed::Refused, None),
            Failure::NotAsWritten | Failure::NotGone | Failure::Payload(_) => (Failed::Stubborn, None),
            Failure::Missing { again } => (Failed::Passing, Some(*again)),
            Failure::Sync(_) | Failure::Store(_) | Failure::Desk(_) => (Failed::Passing, None),
        }
    }
}

impl Outbox {
    /// Delivers what is due until `shutdown`; what is under way then is finished. Fails only when the store does, and not by a
    /// full disk: that passes.
    pub async fn run(&self, shutdown: CancellationToken) -> Result<(), StoreError> {
        let means = Means { store: &self.store, signal: &self.signal, clock: &self.clock };
        // Where the login is refused, effects wait: each try counts towards a lock-out, and the account's own polls find out.
        let open = || Open::AllBut(self.targets.load().refused());
        work(PACE, means, open, |entry| self.deliver(entry, &shutdown), &shutdown).await
    }

    /// Performs one effect and records what came of it.
    async fn deliver(&self, entry: OutboxEntry, shutdown: &CancellationToken) {
        let Err(failure) = self.perform(&entry).await else { return };
        let (now, host, attempts) = (self.clock.now(), &entry.host, entry.attempts + 1);
        let (failed, retry_after) = failure.to_retry();
        let jitter = f64::from(u32::try_from(entry.id.rem_euclid(97)).unwrap_or(0)) / 97.0;
        let Retry { due_at, needs_host } = retry(failed, retry_after, attempts, jitter, now);
        let booking = self.store.booking(entry.booking).await.ok().flatten();
        let given_up = booking.is_some_and(|booking| is_over(booking.time.end(), now));
        if given_up {
            tracing::error!(%host, booking = %entry.booking, effect = entry.kind.as_str(), error = %failure, "An event could not be written or removed; the booking is long over, and it is not tried again.");
        } else if needs_host {
            tracing::error!(%host, booking = %entry.booking, effect = entry.kind.as_str(), error = %failure, "An event could not be written or removed, and will not be until the host acts.");
        } else {
            tracing::warn!(%host, booking = %entry.booking, effect = entry.kind.as_str(), error = %failure, attempts, "An event could not be written or removed; it will be tried again.");
        }
        let error = failure.to_string();
        let outcome = match given_up {
            true => EffectOutcome::Failed { error },
            false => EffectOutcome::Retry { due_at, error, needs_host },
        };
        let finish =
            FinishEffect { id: entry.id, at: now, outcome, expected_updated_at: None, more_effects: Vec::new() };
        if let Err(error) = finished(&self.store, finish, shutdown).await {
            tracing::error!(booking = %entry.booking, %error, "The failure of an effect could not be recorded; its lease will run out.");
        }
    }

    async fn perform(&self, entry: &OutboxEntry) -> Result<(), Failure> {
        let Some(booking) = self.store.booking(entry.booking).await? else {
            return Ok(self.desk.effect_is_moot(entry).await?);
        };
        match entry.kind {
            // A booking that has ended meanwhile has a removal behind this write.
            EffectKind::PutEvent if !booking.state.holds_slot() || booking.state == BookingState::AwaitingEmail => {
                Ok(self.desk.effect_is_moot(entry).await?)
            }
            // An earlier write has brought it as it stands now; since then the event is the host's to change.
            EffectKind::PutEvent if booking.state == BookingState::Confirmed => {
                Ok(self.desk.effect_is_moot(entry).await?)
            }
            EffectKind::PutEvent => self.put(entry, booking).await,
            EffectKind::DeleteEvent => self.remove(entry, booking).await,
            EffectKind::Mail => Ok(()),
        }
    }

    /// The account of the booking's event, and the calendar that it is in or goes to.
    async fn target(&self, booking: &Booking) -> Result<(AccountSync, CalendarKey), Failure> {
        let targets = self.targets.load_full();
        let account = match &booking.event {
            Some(place) => &place.account,
            None => targets.bookings.get(&booking.host).ok_or(Failure::NoCalendar)?,
        };
        let sync = targets.accounts.get(&(booking.host.clone(), account.clone())).ok_or(Failure::NoCalendar)?;
        let href = match &booking.event {
            Some(place) => parent(&place.href).to_owned(),
            None => sync.bookings_calendar().await?.ok_or(Failure::NoCalendar)?.key.href,
        };
        let key = CalendarKey { host: booking.host.clone(), account: account.clone(), href };
        Ok((sync.clone(), key))
    }

    async fn put(&self, entry: &OutboxEntry, booking: Booking) -> Result<(), Failure> {
        let (sync, key) = self.target(&booking).await?;
        let host = &sync.settings.host;
        let link = self.desk.links().host_booking(&self.desk.host_token(booking.id));
        let text = event_text(&booking, host, &link);
        let client = &sync.client;
        let Placed { href, replaced, created } = match &booking.event {
            None => {
                let href = Href::new(key.href.clone()).child(&format!("{}.ics", booking.uid));
                // After a lost answer: look, never write twice.
                let there = match entry.attempts {
                    0 => None,
                    _ => already_there(&sync, &key, &booking, &href).await?,
                };
                match there {
                    Some(object) if is_written(&object, &booking, host, &link) => Placed::found(object.href),
                    Some(object) => overwrite(client, &object, text, &host.zone).await?,
                    None => create(client, &href, &booking_event(&text), &booking).await?,
                }
            }
            Some(place) => {
                match sync.locate(&booking.uid, &Href::new(place.href.clone())).await? {
                    // The answer was lost, or an earlier write had this change with it already.
                    Whereabouts::At(object) if is_written(&object, &booking, host, &link) => Placed::found(object.href),
                    Whereabouts::At(object) => overwrite(client, &object, text, &host.zone).await?,
                    Whereabouts::Nowhere => {
                        return match self.look_again(&booking, sync.settings.grace).await? {
                            Some(again) => Err(Failure::Missing { again }),
                            None => Ok(self.desk.event_was_gone(entry).await?),
                        };
                    }
                    Whereabouts::WithItsCalendar => return Err(Failure::NoCalendarThere),
                }
            }
        };
        // Where the host has taken it, it was written.
        let key = match &booking.event {
            Some(_) => CalendarKey { href: parent(href.as_str()).to_owned(), ..key },
            None => key,
        };
        let object = client.get(&href).await?.ok_or(Failure::NotAsWritten)?;
        let facts = as_booked(&object, &booking, host, &link);
        // A server may drop STATUS, but an event that stays tentative was not written.
        let facts = facts.filter(|facts| !facts.is_tentative() || booking.state == BookingState::AwaitingApproval);
        let facts = facts.ok_or(Failure::NotAsWritten)?;
        if booking.event.is_some() {
            self.store.note_found(booking.id).await?;
        }
        let sequence = Payload::from_json(&entry.payload)?.sequence.max(booking.sequence);
        let object = StoredObject::from(object);
        // The host may have approved it meanwhile, which is the next write's to bring.
        let tentative = booking.state == BookingState::AwaitingApproval;
        let version = Version { sequence, tentative, place: place(&facts.location), created, uid: facts.uid };
        self.desk.event_written(entry, key, object, replaced, version).await?;
        tracing::info!(host = %booking.host, booking = %booking.id, "The event of a booking is on the calendar.");
        Ok(())
    }

    /// The event of a booking is nowhere: when to look again before that is believed, by the same rules as of events on which nothing of
    /// ours is under way (`sync::reconcile`). `None`: it is believed.
    async fn look_again(&self, booking: &Booking, grace: SignedDuration) -> Result<Option<SignedDuration>, StoreError> {
        let now = self.clock.now();
        let (missing, count, of) = self.store.note_missing(&booking.host, booking.id, now).await?;
        let is_doubted = missing.doubted || is_too_many(count, of);
        let (needed, longest) = match is_doubted {
            true => (DOUBTED_FOR.max(grace), SignedDuration::from_mins(10)),
            false => (grace, SignedDuration::from_secs(30)),
        };
        let left = needed - now.duration_since(missing.since);
        Ok((left > SignedDuration::ZERO).then(|| left.clamp(SignedDuration::from_secs(1), longest)))
    }

    async fn remove(&self, entry: &OutboxEntry, booking: Booking) -> Result<(), Failure> {
        let (sync, key) = self.target(&booking).await?;
        let last = match &booking.event {
            Some(place) => Href::new(place.href.clone()),
            None => Href::new(key.href.clone()).child(&format!("{}.ics", booking.uid)),
        };
        // The host may have changed or moved the event since we last saw it; it goes all the same, by its present ETag.
        let (mut href, mut version) = (last.clone(), None);
        match sync.locate(&booking.uid, &last).await? {
            Whereabouts::At(object) => {
                if let Some(odd) = odd(event_summary(&object.data, &sync.settings.host.zone).as_ref()) {
                    return Err(Failure::Odd(odd));
                }
                href = object.href.clone();
                version = object.etag.as_ref().map(ToString::to_string);
                sync.client.delete(&href, object.etag.as_ref()).await?;
                if sync.client.get(&href).await?.is_some_and(|object| holds_uid(&object.data, &booking.uid)) {
                    return Err(Failure::NotGone);
                }
            }
            Whereabouts::Nowhere => {}
            // A proxy without its server says so of everything; the host may have deleted the calendar, too.
            Whereabouts::WithItsCalendar if self.clock.now().duration_since(entry.created_at) < BELIEVE_NO_CALENDAR => {
                return Err(Failure::NoCalendarThere);
            }
            Whereabouts::WithItsCalendar => {}
        }
        let key = match href == last {
            true => key,
            false => CalendarKey { href: parent(href.as_str()).to_owned(), ..key },
        };
        self.desk.event_removed(entry, key, href.to_string(), version).await?;
        tracing::info!(host = %booking.host, booking = %booking.id, "The event of a booking is off the calendar.");
        Ok(())
    }
}

/// Where the event of a booking is, after a write or without one.
struct Placed {
    href: Href,
    /// The version that was written over.
    replaced: Option<String>,
    /// It was not there before.
    created: bool,
}

impl Placed {
    /// It was there already, as it shall be.
    fn found(href: Href) -> Placed {
        Placed { href, replaced: None, created: false }
    }
}

/// What an earlier request, whose answer was lost, may have left: at the event's own address, where our copy has it, or where the
/// server has put it by a name of its own.
async fn already_there(
    sync: &AccountSync,
    key: &CalendarKey,
    booking: &Booking,
    href: &Href,
) -> Result<Option<Object>, Failure> {
    if let Some(object) = sync.client.get(href).await? {
        return Ok(Some(object));
    }
    match sync.locate(&booking.uid, href).await? {
        Whereabouts::At(object) => Ok(Some(object)),
        Whereabouts::Nowhere | Whereabouts::WithItsCalendar => Ok(sync.newcomer(key, &booking.uid).await?),
    }
}

/// Writes the event over the version that was just read, whatever else is in it.
async fn overwrite(client: &Client, object: &Object, text: EventText, zone: &Zone) -> Result<Placed, Failure> {
    let facts = event_summary(&object.data, zone);
    if let Some(odd) = odd(facts.as_ref()) {
        return Err(Failure::Odd(odd));
    }
    // A program of the host's may have counted further than we have (standards E4.1): servers refuse a version that is older by its count.
    let theirs = facts.and_then(|facts| u32::try_from(facts.sequence).ok()).unwrap_or(0);
    let sequence = text.sequence.max(theirs.saturating_add(1).min(i32::MAX.unsigned_abs()));
    let text = EventText { sequence, ..text };
    let patched = replace_event(&object.data, &text).unwrap_or_else(|| booking_event(&text).into_bytes());
    let data = String::from_utf8_lossy(&patched);
    let (href, replaced) = match &object.etag {
        Some(etag) => (client.update(&object.href, etag, &data).await?.href, Some(etag.to_string())),
        // Nothing to be conditional on (standards A2.15): what the host does within these two requests is not seen.
        None => match client.get(&object.href).await? {
            Some(again) if again.data == object.data => (client.replace(&object.href, &data).await?.href, None),
            _ => return Err(Failure::NotAsWritten),
        },
    };
    Ok(Placed { href, replaced, created: false })
}

/// What the host has made of the event, where a change of ours would be a guess (standards E4.6): one that only lost its time gets it again.
fn odd(facts: Option<&EventFacts>) -> Option<Oddity> {
    Oddity::of(facts).filter(|odd| *odd != Oddity::Timeless)
}

/// Creates the event; an answer that leaves its fate open is settled by looking.
async fn create(client: &Client, href: &Href, data: &str, booking: &Booking) -> Result<Placed, Failure> {
    match client.create(href, data).await {
        Ok(written) => Ok(Placed { href: written.href, replaced: None, created: true }),
        Err(error) => {
            let named = match error.kind() {
                ErrorKind::UidConflict { href: Some(named) } => Some(named.clone()),
                _ => None,
            };
            for place in [Some(href.clone()), named].into_iter().flatten() {
                if let Ok(Some(object)) = client.get(&place).await
                    && holds_uid(&object.data, &booking.uid)
                {
                    return Ok(Placed::found(object.href));
                }
            }
            Err(error.into())
        }
    }
}

/// The object as the booking's event at the booking's time, if it is that. Some servers (DavMail) give events UIDs of their own: then it
/// is known by the host's link in it (standards A3.5).
fn as_booked(object: &Object, booking: &Booking, host: &Host, link: &str) -> Option<EventFacts> {
    let is_ours = |facts: &EventFacts| facts.uid == booking.uid || facts.description.contains(link);
    event_summary(&object.data, &host.zone)
        .filter(|facts| is_ours(facts) && facts.time() == Some(booking.time) && !facts.is_cancelled())
}

/// Whether the object is the event as the write of this booking leaves it.
fn is_written(object: &Object, booking: &Booking, host: &Host, link: &str) -> bool {
    let is_tentative = booking.state == BookingState::AwaitingApproval;
    as_booked(object, booking, host, link)
        .is_some_and(|facts| facts.sequence >= i64::from(booking.sequence) && facts.is_tentative() == is_tentative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_its_account() {
        let place = crate::booking::EventPlace { account: "work".into(), href: "/a/b.ics".into(), etag: None };
        assert_eq!((place.account.as_str(), parent(&place.href)), ("work", "/a/"));
    }
}
