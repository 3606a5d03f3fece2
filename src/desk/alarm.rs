//! What is wrong with a host's sources and bookings, by what is published and stored: looked at again and again, so that what is
//! over is seen too. Start with [`Desk::watch_over`].

use super::{Desk, HostDesk};
use crate::alert::{AlertKind, Condition, Known, Plan, Tellable};
use crate::availability::{BusyInterval, Host, HostId, Interval, Undated, event_summary};
use crate::booking::{Booking, BookingId, BookingState, Effect, Payload};
use crate::language::AlertPhrases;
use crate::store::{CalendarKey, EffectFilter, EffectKind, EffectState, Lane, OutboxEntry, OwnEvent, StoreError};
use crate::sync::{CalendarBusy, Oddity, SyncHandle, TroubleKind, holds_uid};
use jiff::Timestamp;
use std::collections::HashSet;

/// A host is told of so many events without a start at once.
const MOST_UNDATED: usize = 20;

/// What is looked at of one host.
struct Sight<'a> {
    desk: &'a HostDesk,
    /// The bookings ahead that hold their slots.
    ahead: Vec<Booking>,
    own: Vec<OwnEvent>,
    now: Timestamp,
}

impl Desk {
    /// Looks at every host who wants alerts, remembers what follows, with its mails, and logs what is new and what is over.
    pub async fn watch_over(&self) -> Result<(), StoreError> {
        let world = self.world();
        let watched = world.hosts.iter().filter(|desk| desk.alert_after.is_some());
        self.store.forget_other_alerts(watched.map(|desk| desk.host().id.clone()).collect()).await?;
        for desk in &world.hosts {
            let Some(after) = desk.alert_after else { continue };
            let host = &desk.host().id;
            let now = self.clock.now();
            let known = self.known(desk, now).await?;
            let how = Tellable { after, by_mail: world.mailed() && desk.alerts };
            log(host, &self.store.follow_alerts(host, known, how, now).await?);
        }
        Ok(())
    }

    async fn known(&self, desk: &HostDesk, now: Timestamp) -> Result<Known, StoreError> {
        let host = &desk.host().id;
        let window = Interval::new(now, Timestamp::MAX);
        let ahead = match window {
            Some(window) => self.store.holding(host, window).await?,
            None => Vec::new(),
        };
        let own = self.store.own_events(host, now).await?;
        let sight = Sight { desk, ahead, own, now };
        let mut known = Known::default();
        sight.sources(&mut known);
        if let Some(inbox) = &self.world().inbox {
            answers(inbox, &mut known);
        }
        sight.conflicts(&mut known);
        sight.restored(&mut known);
        sight.undated(&mut known);
        let failing = EffectFilter { host: Some(host.clone()), ..EffectFilter::default() };
        let pending = self.store.effects(EffectFilter { state: Some(EffectState::Pending), ..failing.clone() }).await?;
        known.conditions.extend(sight.refused_writes(&pending));
        for entry in self.store.effects(EffectFilter { state: Some(EffectState::Failed), ..failing }).await? {
            if let Some(booking) = self.store.booking(entry.booking).await? {
                known.conditions.extend(sight.failed_mail(&entry, &booking));
            }
        }
        self.odd_events(&sight, &mut known).await?;
        for missing in self.store.missing_events(host, now).await?.into_iter().filter(|missing| missing.doubted) {
            if let Some(booking) = sight.ahead.iter().find(|booking| booking.id == missing.booking) {
                let condition = sight.of_booking(AlertKind::ManyGone, booking.id, sight.name(booking));
                known.conditions.push(Condition { since: missing.since, ..condition });
            }
        }
        Ok(known)
    }

    /// Events of bookings that became what a booking cannot be (standards E4.6).
    async fn odd_events(&self, sight: &Sight<'_>, known: &mut Known) -> Result<(), StoreError> {
        let host = sight.desk.host();
        let calendars = self.store.calendars(&host.id).await?;
        for event in sight.own.iter().filter(|event| event.settled && event.state.holds_slot()) {
            let Some(place) = &event.place else { continue };
            let in_it = |key: &CalendarKey| key.account == place.account && place.href.starts_with(&key.href);
            let Some(key) = calendars.iter().map(|calendar| &calendar.key).find(|key| in_it(key)) else { continue };
            let Some(object) = self.store.object(key, &place.href).await? else { continue };
            let facts = event_summary(&object.data, &host.zone);
            if facts.is_none() && !holds_uid(&object.data, &event.uid) {
                continue;
            }
            let phrases = sight.phrases();
            let became = match Oddity::of(facts.as_ref()) {
                Some(Oddity::Series) => phrases.made_series,
                Some(Oddity::AllDay) => phrases.made_all_day,
                Some(Oddity::Timeless) => phrases.made_timeless,
                None => continue,
            };
            if let Some(booking) = sight.ahead.iter().find(|booking| booking.id == event.booking) {
                let what = became(&sight.name(booking));
                known.conditions.push(sight.of_booking(AlertKind::OddEvent, booking.id, what));
            }
        }
        Ok(())
    }

    /// True when a mail to the guest of this booking was given up.
    pub(super) async fn guest_missed_a_mail(&self, booking: BookingId) -> Result<bool, StoreError> {
        let filter =
            EffectFilter { booking: Some(booking), state: Some(EffectState::Failed), ..EffectFilter::default() };
        let failed = self.store.effects(filter).await?;
        Ok(failed.iter().any(|entry| {
            let payload = Payload::from_json(&entry.payload);
            matches!(payload.map(|payload| payload.effect), Ok(Effect::Mail(message)) if message.is_to_guest())
        }))
    }
}

impl Sight<'_> {
    /// Sources that cannot be read.
    fn sources(&self, known: &mut Known) {
        for source in &self.desk.accounts {
            let (health, name) = (source.health(), source.name().to_owned());
            let kinds = [AlertKind::Unreachable, AlertKind::LoginRefused];
            let Some(trouble) = health.trouble else {
                if health.read_at.is_none() {
                    // This process has not tried yet.
                    known.unknown.extend(kinds.map(|kind| (kind, Some(name.clone()))));
                }
                continue;
            };
            let kind = match trouble.kind {
                TroubleKind::Login | TroubleKind::LoggedOut => AlertKind::LoginRefused,
                // Ours, not the host's.
                TroubleKind::Store => continue,
                _ => AlertKind::Unreachable,
            };
            let what = format!("{name}: {}", trouble.what);
            known.conditions.push(Condition { kind, subject: name, what, since: trouble.since });
        }
    }

    /// Bookings at the same time as an event that came in, or that their host has put onto an event or another booking: on a phone that
    /// is not seen (standards E4.1). Told once for each time that a booking is at.
    fn conflicts(&self, known: &mut Known) {
        let snapshot = self.desk.board.snapshot();
        if snapshot.as_of.is_none() {
            known.unknown.push((AlertKind::Conflict, None));
        }
        let phrases = self.phrases();
        let mut found: Vec<(&Booking, String)> = doubled(&self.ahead)
            .into_iter()
            .map(|(booking, other)| (booking, (phrases.with_another)(&self.name(booking), &self.name(other))))
            .collect();
        let mut at_risk = self.ahead.iter().filter(|booking| snapshot.busy.overlaps(booking.time)).peekable();
        // Whose events they are is put together only when there are some.
        let causes = at_risk.peek().map(|_| self.desk.board.causes().1).unwrap_or_default();
        for booking in at_risk {
            if let Some((calendar, busy)) = conflict(&causes, booking) {
                let title = match busy.cause.summary.as_str() {
                    "" => phrases.untitled.to_owned(),
                    title => (phrases.quoted)(title),
                };
                found.push((booking, (phrases.at_same_time)(&self.name(booking), &title, calendar)));
            }
        }
        for (booking, what) in found {
            let subject = format!("{} {}", booking.id, booking.time.start());
            if !known.conditions.iter().any(|other| other.kind == AlertKind::Conflict && other.subject == subject) {
                let condition = self.of_booking(AlertKind::Conflict, booking.id, what);
                known.conditions.push(Condition { subject, ..condition });
            }
        }
    }

    /// Events of which nobody knows when they are.
    fn undated(&self, known: &mut Known) {
        if self.desk.board.snapshot().as_of.is_none() {
            known.unknown.push((AlertKind::Undated, None));
        }
        let mut subjects = HashSet::new();
        for (calendar, Undated { uid, summary }) in self.desk.board.undated() {
            let is_own = self.own.iter().any(|own| Some(&own.uid) == uid.as_ref());
            let subject = uid.unwrap_or_else(|| calendar.clone());
            if is_own || subjects.len() == MOST_UNDATED || !subjects.insert(subject.clone()) {
                continue;
            }
            let title = match summary.as_str() {
                "" => self.phrases().untitled.to_owned(),
                title => (self.phrases().quoted)(title),
            };
            let what = format!("{calendar}: {title} ({subject})");
            known.conditions.push(Condition { kind: AlertKind::Undated, subject, what, since: self.now });
        }
    }

    /// Events of ended bookings that are there again (standards E4.8).
    fn restored(&self, known: &mut Known) {
        let snapshot = self.desk.board.snapshot();
        if snapshot.as_of.is_none() {
            known.unknown.push((AlertKind::Restored, None));
        }
        for event in self.own.iter().filter(|event| !event.delete_pending && event.settled) {
            let phrases = self.phrases();
            let [cancelled, declined, lapsed] = phrases.ended;
            let ended = match event.state {
                BookingState::Cancelled => cancelled,
                BookingState::Declined => declined,
                BookingState::Expired => lapsed,
                _ => continue,
            };
            if let Some(busy) = self.desk.board.busy_of(&event.uid) {
                let what = (phrases.back)(&busy.cause.summary, &self.when(busy.interval.start()), ended);
                known.conditions.push(self.of_booking(AlertKind::Restored, event.booking, what));
            }
        }
    }

    /// Events that cannot be written or removed until the host acts: one alert for all of them.
    fn refused_writes(&self, pending: &[OutboxEntry]) -> Option<Condition> {
        let refused: Vec<&OutboxEntry> =
            pending.iter().filter(|entry| entry.kind.lane() == Lane::Calendar && entry.needs_host).collect();
        let first = refused.first()?;
        let error = first.last_error.as_deref().unwrap_or_default();
        let what = (self.phrases().changes_wait)(i64::try_from(refused.len()).unwrap_or(i64::MAX), error);
        let since = refused.iter().map(|entry| entry.created_at).min().unwrap_or(self.now);
        Some(Condition { kind: AlertKind::WriteRefused, subject: "bookings".to_owned(), what, since })
    }

    /// A mail that was given up, while the booking lies ahead.
    fn failed_mail(&self, entry: &OutboxEntry, booking: &Booking) -> Option<Condition> {
        if entry.kind != EffectKind::Mail || booking.time.end() <= self.now {
            return None;
        }
        let error = entry.last_error.as_deref().unwrap_or_default();
        let what = (self.phrases().undelivered)(&self.name(booking), error);
        Some(self.of_booking(AlertKind::MailFailed, booking.id, what))
    }

    fn of_booking(&self, kind: AlertKind, booking: BookingId, what: String) -> Condition {
        Condition { kind, subject: booking.to_string(), what, since: self.now }
    }

    fn host(&self) -> &Host {
        self.desk.host()
    }

    /// A booking, for its host.
    fn name(&self, booking: &Booking) -> String {
        format!("{}: {}, {}", booking.title, booking.guest.name, self.when(booking.time.start()))
    }

    fn when(&self, at: Timestamp) -> String {
        let (civil, language) = (self.host().zone.civil(at), self.host().language);
        format!("{}, {}", language.long_date(civil.date()), language.clock(civil))
    }

    fn phrases(&self) -> &'static AlertPhrases {
        &self.host().language.phrases().alert
    }
}

/// The mailbox of guests' answers, where it cannot be read.
fn answers(inbox: &SyncHandle, known: &mut Known) {
    let (health, name) = (inbox.health(), inbox.name().to_owned());
    let kinds = [AlertKind::InboxUnreachable, AlertKind::InboxRefused];
    let Some(trouble) = health.trouble else {
        if health.read_at.is_none() {
            known.unknown.extend(kinds.map(|kind| (kind, Some(name.clone()))));
        }
        return;
    };
    let kind = match trouble.kind {
        TroubleKind::Store => return,
        kind if kind.needs_the_host() => AlertKind::InboxRefused,
        _ => AlertKind::InboxUnreachable,
    };
    let what = format!("{name}: {}", trouble.what);
    known.conditions.push(Condition { kind, subject: name, what, since: trouble.since });
}

/// The bookings that their host has put onto another of theirs, with that one. Each pair once; those who share a slot are none.
fn doubled(ahead: &[Booking]) -> Vec<(&Booking, &Booking)> {
    let share = |a: &Booking, b: &Booking| a.seats > 1 && a.meeting == b.meeting && a.time == b.time;
    let is_on = |booking: &Booking, other: &Booking| {
        let is_first = !other.placed_by_host || booking.id < other.id;
        booking.id != other.id && is_first && booking.time.overlaps(other.time) && !share(booking, other)
    };
    let placed = ahead.iter().filter(|booking| booking.placed_by_host);
    placed
        .flat_map(|booking| ahead.iter().filter(move |other| is_on(booking, other)).map(move |other| (booking, other)))
        .collect()
}

/// The first event of another's that overlaps the booking, and its calendar's name.
fn conflict<'a>(causes: &'a [CalendarBusy], booking: &Booking) -> Option<(&'a str, &'a BusyInterval)> {
    let overlaps = |busy: &BusyInterval| {
        // The host has moved the event, and the booking is about to follow.
        let is_own = busy.cause.uid.as_deref() == Some(&booking.uid);
        !is_own && busy.interval.intersection(booking.time).is_some()
    };
    causes.iter().find_map(|calendar| {
        let found = calendar.intervals.iter().find(|busy| overlaps(busy))?;
        Some((calendar.name.as_str(), found))
    })
}

/// No words of the alert: they name guests and events.
fn log(host: &HostId, plan: &Plan) {
    for (kind, subject) in &plan.raised {
        tracing::error!(%host, alert = kind.as_str(), subject, "The host is alerted; officehours check tells of what.");
    }
    for (kind, subject) in &plan.over {
        tracing::info!(%host, alert = kind.as_str(), subject, "What the host was alerted to is over.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn booking(number: u128, from: i64, to: i64, placed_by_host: bool) -> Booking {
        let at = |minute: i64| Timestamp::from_second(60 * minute).unwrap();
        let made = Booking::sample(Interval::new(at(from), at(to)).unwrap(), BookingState::Confirmed);
        Booking { id: BookingId(Uuid::from_u128(number)), placed_by_host, ..made }
    }

    #[test]
    fn bookings_that_their_host_put_onto_others_are_doubled_and_those_of_one_slot_are_not() {
        let pairs = |ahead: &[Booking]| -> Vec<(u128, u128)> {
            doubled(ahead).into_iter().map(|(a, b)| (a.id.0.as_u128(), b.id.0.as_u128())).collect()
        };
        let there = booking(1, 0, 30, false);
        assert_eq!(pairs(&[there.clone(), booking(2, 20, 50, true)]), [(2, 1)]);
        assert_eq!(pairs(&[there.clone(), booking(2, 30, 60, true)]), [], "one after the other");
        assert_eq!(pairs(&[booking(1, 0, 30, true), booking(2, 20, 50, true)]), [(1, 2)], "once");
        let seat = |booking: Booking| Booking { seats: 3, ..booking };
        assert_eq!(pairs(&[seat(there.clone()), seat(booking(2, 0, 30, true))]), []);
        assert_eq!(pairs(&[seat(there), seat(booking(2, 10, 40, true))]), [(2, 1)]);
    }
}
