//! The published state of a host: an immutable [`Snapshot`] that requests read without locks or SQL, made anew when a
//! calendar, a booking or the day changes. Start with [`HostBoard`].

use crate::availability::{
    BusyInterval, BusyRules, Held, Host, Interval, IntervalSet, ObjectBusy, Warning, object_availability, object_busy,
    object_opens,
};
use crate::store::{CalendarKey, OwnEvent, StoredObject};
use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How far beyond the farthest horizon events are expanded, so that the days pass without expanding all of them anew.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 8);
/// How much of that may be used up before they are.
const SLACK: SignedDuration = SignedDuration::from_hours(24 * 3);
/// How far behind now they are expanded: bookings that are moved, and buffers that reach back.
const BEHIND: SignedDuration = SignedDuration::from_hours(24 * 4);

/// What is known of a host at one moment. Immutable.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When the calendar that was read longest ago was read. `None`: one was never read.
    pub as_of: Option<Timestamp>,
    /// When the calendars are busy, without the events of `held`; known within `window` only.
    pub busy: IntervalSet,
    /// The same with what makes it busy, a calendar each, and each calendar that is read for anything else: for the host's
    /// eyes only.
    pub causes: Vec<Arc<CalendarBusy>>,
    /// What events open, beside the hours.
    pub opened: Vec<Interval>,
    /// The bookings that hold their slots.
    pub held: Vec<Held>,
    /// What `busy` is known of.
    pub window: Interval,
}

/// What one calendar contributes: busy time with its causes, and what its events open.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug, Default)]
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
}

#[derive(Debug)]
struct Sources {
    window: Interval,
    calendars: BTreeMap<CalendarKey, Source>,
    own: HashMap<String, OwnEvent>,
    held: Vec<Held>,
}

#[derive(Debug)]
struct Source {
    settings: SourceSettings,
    read_at: Option<Timestamp>,
    objects: HashMap<String, Contribution>,
}

impl HostBoard {
    /// A host of whom nothing is known yet.
    pub fn new(host: Arc<Host>, now: Timestamp) -> HostBoard {
        let window = window_of(&host, now);
        let sources = Sources { window, calendars: BTreeMap::new(), own: HashMap::new(), held: Vec::new() };
        let snapshot = ArcSwap::from_pointee(sources.snapshot());
        HostBoard { host, sources: Mutex::new(sources), snapshot }
    }

    /// What is known now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// True when the days have passed so far that all objects are to be expanded anew, by [`HostBoard::replace`].
    pub fn is_window_used_up(&self, now: Timestamp) -> bool {
        let wanted = window_of(&self.host, now);
        let have = self.lock().window;
        wanted.end().duration_since(have.end()) > AHEAD - SLACK
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
        let calendars = calendars
            .into_iter()
            .map(|(settings, read_at, objects)| {
                let objects =
                    objects.into_iter().map(|o| (o.href, settings.read(&o.data, window))).collect::<HashMap<_, _>>();
                (settings.key.clone(), Source { settings, read_at, objects })
            })
            .collect();
        let mut sources = self.lock();
        sources.window = window;
        sources.calendars = calendars;
        self.publish(&sources);
    }

    /// Takes what a pull of one calendar brought.
    pub fn pulled(&self, key: &CalendarKey, read_at: Timestamp, changed: &[StoredObject], removed: &[String]) {
        self.change(key, Some(read_at), changed, removed);
    }

    /// Takes what we wrote ourselves to one calendar, before it is read again.
    pub fn wrote(&self, key: &CalendarKey, written: &[StoredObject], removed: &[String]) {
        self.change(key, None, written, removed);
    }

    fn change(&self, key: &CalendarKey, read_at: Option<Timestamp>, changed: &[StoredObject], removed: &[String]) {
        let mut sources = self.lock();
        let window = sources.window;
        if let Some(source) = sources.calendars.get_mut(key) {
            source.read_at = read_at.or(source.read_at);
            for href in removed {
                source.objects.remove(href);
            }
            for object in changed {
                source.objects.insert(object.href.clone(), source.settings.read(&object.data, window));
            }
        }
        self.publish(&sources);
    }

    /// Takes the host's bookings as they are now: `own` are the events that are ours.
    pub fn booked(&self, held: Vec<Held>, own: Vec<OwnEvent>) {
        let own: HashMap<String, OwnEvent> = own.into_iter().map(|event| (event.uid.clone(), event)).collect();
        let mut sources = self.lock();
        if sources.held == held && sources.own == own {
            return;
        }
        sources.held = held;
        sources.own = own;
        self.publish(&sources);
    }

    fn publish(&self, sources: &Sources) {
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
    fn snapshot(&self) -> Snapshot {
        let causes: Vec<Arc<CalendarBusy>> = self
            .calendars
            .values()
            .map(|source| {
                let ignored = source.objects.values().flat_map(|object| object.busy.ignored.iter().cloned()).collect();
                let foreign = source.objects.values().filter(|object| !self.is_own(&object.busy));
                let mut intervals: Vec<BusyInterval> =
                    foreign.flat_map(|object| object.busy.intervals.iter().cloned()).collect();
                intervals.sort_unstable_by_key(|busy| busy.interval);
                // The event of a booking opens nothing, wherever it is written.
                let theirs = source
                    .objects
                    .values()
                    .filter(|object| !object.busy.uids.iter().any(|uid| self.own.contains_key(uid)));
                let mut opens: Vec<Interval> = theirs.flat_map(|object| object.opens.iter().copied()).collect();
                opens.sort_unstable();
                let warnings =
                    source.objects.values().flat_map(|object| object.busy.warnings.iter().cloned()).collect();
                Arc::new(CalendarBusy {
                    name: source.settings.name.clone(),
                    read_at: source.read_at,
                    intervals,
                    ignored,
                    opens,
                    warnings,
                })
            })
            .collect();
        let read: Vec<Option<Timestamp>> = self.calendars.values().map(|source| source.read_at).collect();
        Snapshot {
            as_of: if read.contains(&None) { None } else { read.into_iter().flatten().min() },
            busy: causes.iter().flat_map(|calendar| calendar.intervals.iter().map(|busy| busy.interval)).collect(),
            opened: causes.iter().flat_map(|calendar| calendar.opens.iter().copied()).collect(),
            causes,
            held: self.held.clone(),
            window: self.window,
        }
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

#[cfg(test)]
mod tests;
