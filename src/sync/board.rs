//! The published state of a host: an immutable [`Snapshot`] that requests read without locks or SQL, made anew when a
//! calendar, a booking or the day changes. Start with [`HostBoard`].

mod timeline;

use crate::availability::{
    BusyInterval, BusyRules, Held, Host, Interval, IntervalSet, ObjectBusy, Pause, Undated, Warning,
    object_availability, object_busy, object_opens,
};
use crate::store::{CalendarKey, OwnEvent, StoredObject};
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use timeline::Timeline;

/// How far beyond the farthest horizon events are expanded, so that the days pass without expanding all of them anew.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 8);
/// How much of that may be used up before they are.
const SLACK: SignedDuration = SignedDuration::from_hours(24 * 3);
/// How far behind now they are expanded: bookings that are moved, and buffers that reach back.
const BEHIND: SignedDuration = SignedDuration::from_hours(24 * 4);

/// What is known of a host at one moment. Immutable; what has not changed since the last is shared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// When the calendar that was read longest ago was read. `None`: one was never read.
    pub as_of: Option<Timestamp>,
    /// When the calendars are busy, without the events of `held`; known within `window` only.
    pub busy: Arc<IntervalSet>,
    /// What events open, beside the hours; sorted, they may overlap.
    pub opened: Arc<[Interval]>,
    /// The bookings that hold their slots.
    pub held: Arc<[Held]>,
    /// While it holds, the host takes no new bookings.
    pub pause: Option<Pause>,
    /// What `busy` is known of.
    pub window: Interval,
}

/// What one calendar contributes to a snapshot: busy time with its causes, and what its events open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarBusy {
    /// Its name, as the host knows it.
    pub name: String,
    /// When it was last read.
    pub read_at: Option<Timestamp>,
    /// Sorted by start; they may overlap. Empty when it is not read for busy time.
    pub intervals: Vec<BusyInterval>,
    /// What would be busy but for `ignore_titles`.
    pub ignored: Vec<BusyInterval>,
    /// What its events open, beside the hours.
    pub opens: Vec<Interval>,
    /// What was not understood in it.
    pub warnings: Vec<Warning>,
}

/// Which events of a calendar open time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opens {
    /// Those of this SUMMARY; `None`: all.
    pub summary: Option<String>,
}

/// A calendar as a source of busy or opened time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// Which calendar.
    pub key: CalendarKey,
    /// Its name.
    pub name: String,
    /// How its events are read.
    pub rules: BusyRules,
    /// Whether it makes the host busy.
    pub busy: bool,
    /// The events in it that open time, if any do; they are not busy.
    pub opens: Option<Opens>,
    /// Whether its objects are availability (RFC 7953) and not events.
    pub is_availability: bool,
}

/// What one object of a calendar contributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contribution {
    /// What it takes from the host's time, and what was not understood.
    pub busy: ObjectBusy,
    /// What it opens.
    pub opens: Vec<Interval>,
}

impl SourceSettings {
    /// What the text of an object contributes within `window`.
    pub fn read(&self, data: &[u8], window: Interval) -> Contribution {
        if self.is_availability {
            return self.read_availability(data, window);
        }
        let opens = match &self.opens {
            Some(opens) => object_opens(data, &self.rules, window, opens.summary.as_deref()),
            None => Vec::new(),
        };
        // What is not understood in a calendar that opens time is told too, and its events are recognised as ours or not.
        let mut busy = if self.busy || self.opens.is_some() {
            object_busy(data, &self.rules, window)
        } else {
            ObjectBusy::default()
        };
        // An event that opens time does not also take it; of a calendar that only opens time, none does.
        busy.intervals.retain(|busy| self.busy && !opens.contains(&busy.interval));
        busy.ignored.retain(|busy| self.busy && !opens.contains(&busy.interval));
        Contribution { busy, opens }
    }
}

impl SourceSettings {
    fn read_availability(&self, data: &[u8], window: Interval) -> Contribution {
        let read = object_availability(data, &self.rules, window);
        let busy = ObjectBusy { intervals: read.unavailable, warnings: read.warnings, ..ObjectBusy::default() };
        Contribution { busy, opens: if self.opens.is_some() { read.available.iter().collect() } else { Vec::new() } }
    }
}

/// A host with the sources of their time. Sources change under a short lock; readers take the snapshot without one.
#[derive(Debug)]
pub struct HostBoard {
    /// The host.
    pub host: Arc<Host>,
    sources: Mutex<Sources>,
    snapshot: ArcSwap<Snapshot>,
    /// What other processes had changed in the store when all of it was taken.
    others: AtomicI64,
}

/// What the snapshot is made of, and what of it has been put together already.
#[derive(Debug)]
struct Sources {
    window: Interval,
    calendars: BTreeMap<CalendarKey, Source>,
    own: HashMap<String, OwnEvent>,
    /// Which objects hold the events of a UID: the calendar and the href of each.
    by_uid: HashMap<String, BTreeSet<(CalendarKey, Arc<str>)>>,
    busy: Timeline,
    opened: Timeline,
    published: Snapshot,
}

#[derive(Debug)]
struct Source {
    settings: SourceSettings,
    read_at: Option<Timestamp>,
    objects: BTreeMap<Arc<str>, Counted>,
}

/// What an object contributes, and what of it counts.
#[derive(Debug)]
struct Counted {
    contribution: Contribution,
    busy: bool,
    opens: bool,
}

impl HostBoard {
    /// A host of whom nothing is known yet.
    pub fn new(host: Arc<Host>, now: Timestamp) -> HostBoard {
        let sources = Sources::new(window_of(&host, now));
        let snapshot = ArcSwap::from_pointee(sources.published.clone());
        HostBoard { host, sources: Mutex::new(sources), snapshot, others: AtomicI64::new(i64::MIN) }
    }

    /// What is known now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// What is known now, with what makes it so: each calendar that is read for anything, for the host's eyes only. It is
    /// put together when it is asked for.
    pub fn causes(&self) -> (Arc<Snapshot>, Vec<CalendarBusy>) {
        let sources = self.lock();
        (self.snapshot(), sources.calendars.values().map(Source::causes).collect())
    }

    /// The events that would count as busy and have no start that can be read, each with the name of its calendar.
    pub fn undated(&self) -> Vec<(String, Undated)> {
        let sources = self.lock();
        let of = |source: &Source| {
            let undated = source.objects.values().flat_map(|object| object.contribution.busy.undated.iter().cloned());
            undated.map(|event| (source.settings.name.clone(), event)).collect::<Vec<_>>()
        };
        sources.calendars.values().filter(|source| source.settings.busy).flat_map(of).collect()
    }

    /// When an event of this UID counts as busy, and why: the first time of those that are read.
    pub fn busy_of(&self, uid: &str) -> Option<BusyInterval> {
        let sources = self.lock();
        let counted = |(key, href): &(CalendarKey, Arc<str>)| {
            let counted = sources.calendars.get(key)?.objects.get(href).filter(|counted| counted.busy)?;
            let mut intervals = counted.contribution.busy.intervals.iter();
            intervals.find(|busy| busy.cause.uid.as_deref() == Some(uid)).cloned()
        };
        sources.by_uid.get(uid)?.iter().find_map(counted)
    }

    /// True when the days have passed so far that all objects are to be expanded anew, by [`HostBoard::replace`].
    pub fn is_window_used_up(&self, now: Timestamp) -> bool {
        let wanted = window_of(&self.host, now);
        let have = self.lock().window;
        wanted.end().duration_since(have.end()) > AHEAD - SLACK
    }

    /// All that is stored was taken, with what other processes had changed in it before
    /// ([`Store::changes_of_others`](crate::store::Store::changes_of_others)).
    pub fn takes_changes_of_others(&self, others: i64) {
        self.others.store(others, Ordering::Relaxed);
    }

    /// True when other processes have changed nothing since.
    pub fn has_changes_of_others(&self, others: i64) -> bool {
        self.others.load(Ordering::Relaxed) == others
    }

    /// True when exactly these calendars are known, read as these settings say.
    pub fn has(&self, wanted: &[SourceSettings]) -> bool {
        let sources = self.lock();
        sources.calendars.len() == wanted.len()
            && wanted
                .iter()
                .all(|settings| sources.calendars.get(&settings.key).is_some_and(|s| s.settings == *settings))
    }

    /// Takes these calendars with all of their objects instead of all that were known, over the window that `now` wants.
    pub fn replace(&self, now: Timestamp, calendars: Vec<(SourceSettings, Option<Timestamp>, Vec<StoredObject>)>) {
        let window = window_of(&self.host, now);
        // What takes long is done before the lock is taken.
        let read: Vec<_> = calendars
            .into_iter()
            .map(|(settings, read_at, objects)| {
                let read = |object: StoredObject| (object.href.into(), settings.read(&object.data, window));
                let objects: Vec<(Arc<str>, Contribution)> = objects.into_iter().map(read).collect();
                (settings, read_at, objects)
            })
            .collect();
        let mut sources = self.lock();
        let (own, held) = (std::mem::take(&mut sources.own), sources.published.held.clone());
        let pause = sources.published.pause;
        *sources = Sources::new(window);
        sources.own = own;
        (sources.published.held, sources.published.pause) = (held, pause);
        for (settings, read_at, objects) in read {
            let key = settings.key.clone();
            sources.calendars.insert(key.clone(), Source { settings, read_at, objects: BTreeMap::new() });
            for (href, contribution) in objects {
                sources.put(&key, href, contribution);
            }
        }
        self.publish(&mut sources);
    }

    /// Takes what we wrote ourselves to one calendar, before it is read again.
    pub fn wrote(&self, key: &CalendarKey, written: &[StoredObject], removed: &[String]) {
        self.pulled(key, None, written, removed);
    }

    /// Takes what a pull of one calendar brought; `read_at` is when it was read, if it was read whole.
    pub fn pulled(&self, key: &CalendarKey, read_at: Option<Timestamp>, changed: &[StoredObject], removed: &[String]) {
        let mut sources = self.lock();
        let window = sources.window;
        for href in removed {
            sources.take(key, href);
        }
        let read = |source: &Source, object: &StoredObject| source.settings.read(&object.data, window);
        for object in changed {
            if let Some(contribution) = sources.calendars.get(key).map(|source| read(source, object)) {
                sources.put(key, object.href.as_str().into(), contribution);
            }
        }
        if let Some(source) = sources.calendars.get_mut(key) {
            source.read_at = read_at.or(source.read_at);
        }
        self.publish(&mut sources);
    }

    /// Takes the host's bookings as they are now: `own` are the events that are ours.
    pub fn booked(&self, held: Vec<Held>, own: Vec<OwnEvent>) {
        let own: HashMap<String, OwnEvent> = own.into_iter().map(|event| (event.uid.clone(), event)).collect();
        let mut sources = self.lock();
        if *sources.published.held == *held && sources.own == own {
            return;
        }
        if *sources.published.held != *held {
            sources.published.held = held.into();
        }
        let before = std::mem::replace(&mut sources.own, own);
        let changed = before.keys().filter(|uid| sources.own.get(*uid) != before.get(*uid));
        let changed = changed.chain(sources.own.keys().filter(|uid| !before.contains_key(*uid)));
        let changed: BTreeSet<_> = changed.filter_map(|uid| sources.by_uid.get(uid)).flatten().cloned().collect();
        for (key, href) in changed {
            if let Some(contribution) = sources.take(&key, &href) {
                sources.put(&key, href, contribution);
            }
        }
        self.publish(&mut sources);
    }

    /// Takes whether the host takes new bookings.
    pub fn paused(&self, pause: Option<Pause>) {
        let mut sources = self.lock();
        if sources.published.pause != pause {
            sources.published.pause = pause;
            self.publish(&mut sources);
        }
    }

    fn publish(&self, sources: &mut Sources) {
        self.snapshot.store(Arc::new(sources.snapshot()));
    }

    fn lock(&self) -> MutexGuard<'_, Sources> {
        // Every change under the lock is complete before anything can panic.
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The window that busy time is to be known in.
pub(super) fn window_of(host: &Host, now: Timestamp) -> Interval {
    let farthest = host.meetings.iter().map(|meeting| meeting.horizon + meeting.duration + meeting.buffer_after).max();
    let instant = Interval::new(now, now.checked_add(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX));
    let instant = instant.or_else(|| Interval::new(Timestamp::MIN, Timestamp::MAX));
    match instant {
        Some(instant) => instant.widened(BEHIND, farthest.unwrap_or_default() + AHEAD),
        None => unreachable!("time has a beginning and an end"),
    }
}

impl Sources {
    fn new(window: Interval) -> Sources {
        let (busy, opened, held) = Default::default();
        Sources {
            window,
            calendars: BTreeMap::new(),
            own: HashMap::new(),
            by_uid: HashMap::new(),
            busy: Timeline::default(),
            opened: Timeline::default(),
            published: Snapshot { as_of: None, busy, opened, held, pause: None, window },
        }
    }

    /// Takes an object of a known calendar, instead of what was at its href.
    fn put(&mut self, key: &CalendarKey, href: Arc<str>, contribution: Contribution) {
        self.take(key, &href);
        let busy = !self.is_own(&contribution.busy);
        // The event of a booking opens nothing, wherever it is written.
        let opens = !contribution.busy.uids.iter().any(|uid| self.own.contains_key(uid));
        if busy {
            self.busy.add(contribution.busy.intervals.iter().map(|busy| busy.interval));
        }
        if opens {
            self.opened.add(contribution.opens.iter().copied());
        }
        for uid in &contribution.busy.uids {
            self.by_uid.entry(uid.clone()).or_default().insert((key.clone(), href.clone()));
        }
        if let Some(source) = self.calendars.get_mut(key) {
            source.objects.insert(href, Counted { contribution, busy, opens });
        }
    }

    /// Takes an object away; what it contributed.
    fn take(&mut self, key: &CalendarKey, href: &str) -> Option<Contribution> {
        let (href, counted) = self.calendars.get_mut(key)?.objects.remove_entry(href)?;
        let Counted { contribution, busy, opens } = counted;
        if busy {
            self.busy.remove(contribution.busy.intervals.iter().map(|busy| busy.interval));
        }
        if opens {
            self.opened.remove(contribution.opens.iter().copied());
        }
        let place = (key.clone(), href);
        for uid in &contribution.busy.uids {
            if let Some(places) = self.by_uid.get_mut(uid) {
                places.remove(&place);
                if places.is_empty() {
                    self.by_uid.remove(uid);
                }
            }
        }
        Some(contribution)
    }

    /// What is to be published: what has changed is put together anew, all else is shared with the last.
    fn snapshot(&mut self) -> Snapshot {
        let mut read = self.calendars.values().map(|source| source.read_at);
        self.published.as_of = read
            .try_fold(None, |oldest: Option<Timestamp>, at| {
                at.map(|at| Some(oldest.map_or(at, |oldest| oldest.min(at))))
            })
            .flatten();
        if let Some(busy) = self.busy.changed_union() {
            self.published.busy = Arc::new(busy);
        }
        if let Some(opened) = self.opened.changed() {
            self.published.opened = opened.into();
        }
        self.published.clone()
    }

    /// True for the event of a booking that the booking itself already accounts for: where it is as the booking has it,
    /// or where the booking has ended and its event is about to be removed. An event that the host has moved is busy
    /// where it is until the booking has followed it.
    fn is_own(&self, busy: &ObjectBusy) -> bool {
        !busy.uids.is_empty()
            && busy.uids.iter().all(|uid| {
                self.own.get(uid).is_some_and(|own| {
                    if own.state.holds_slot() {
                        busy.intervals.iter().all(|busy| busy.interval == own.time)
                    } else {
                        own.delete_pending
                    }
                })
            })
    }
}

impl Source {
    fn causes(&self) -> CalendarBusy {
        let objects = || self.objects.values();
        let busy = objects().filter(|object| object.busy);
        let mut intervals: Vec<BusyInterval> =
            busy.flat_map(|object| object.contribution.busy.intervals.iter().cloned()).collect();
        intervals.sort_by_key(|busy| busy.interval);
        let opening = objects().filter(|object| object.opens);
        let mut opens: Vec<Interval> = opening.flat_map(|object| object.contribution.opens.iter().copied()).collect();
        opens.sort_unstable();
        CalendarBusy {
            name: self.settings.name.clone(),
            read_at: self.read_at,
            intervals,
            ignored: objects().flat_map(|object| object.contribution.busy.ignored.iter().cloned()).collect(),
            opens,
            warnings: objects().flat_map(|object| object.contribution.busy.warnings.iter().cloned()).collect(),
        }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
