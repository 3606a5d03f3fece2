//! When the events of a text happen: masters, overrides and ranges of one UID taken together (RFC 5545 3.8.4.4,
//! 3.2.13), each instance an interval. Whether it counts, the caller decides. Start with [`Objects`].

use super::{Interval, Warning};
use crate::ical::{Component, Event, EventTime, Length, Written, Zone, ZoneNames, disagreement, parse_written};
use crate::recurrence::local::{DAY, Local, local_of};
use crate::recurrence::{Budget, Instance, Name, RecurrenceSet};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};

/// One interval that an event takes.
#[derive(Clone, Debug)]
pub(super) struct Happening {
    pub(super) interval: Interval,
    /// Which event: an index for [`Objects::event`].
    pub(super) event: usize,
    pub(super) kind: Kind,
}

/// How well it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Event,
    Unreadable,
    Truncated,
}

/// Whether an event counts; the second argument is true when the instance is all day.
pub(super) type Counts<'c> = &'c dyn Fn(&Event<'_>, bool) -> bool;

/// The events of a text.
pub(super) struct Objects<'a> {
    pub(super) calendars: &'a [Component<'a>],
    pub(super) host: &'a Zone,
    events: Vec<Event<'a>>,
    budget: Budget,
    pub(super) warnings: Vec<Warning>,
}

impl<'a> Objects<'a> {
    /// Takes what [`crate::ical::read`] found in `size` bytes. `host` is the zone of floating times and days.
    pub(super) fn new(calendars: &'a [Component<'a>], size: usize, host: &'a Zone) -> Objects<'a> {
        let mut objects =
            Objects { calendars, host, events: Vec::new(), budget: Budget::for_object(size), warnings: Vec::new() };
        if calendars.is_empty() {
            objects.warn(None, "there is no calendar in it: nothing could be read".to_owned());
        }
        for calendar in calendars {
            let mut zones = ZoneNames::new(host, calendar.children("VTIMEZONE").collect());
            for component in calendar.children("VEVENT") {
                let event = Event::read(component, &mut zones, host);
                if !event.problems.is_empty() {
                    let what = format!("line {}: {}", component.line, event.problems.join("; "));
                    objects.warn(event.uid.clone(), what);
                }
                objects.events.push(event);
            }
            if !calendar.ended {
                objects.warn(None, "BEGIN:VCALENDAR or END:VCALENDAR is missing: it may be cut off".to_owned());
            }
        }
        objects
    }

    /// The AVAILABLE components of a VAVAILABILITY, which recur as events do (RFC 7953 3.1).
    pub(super) fn available(
        calendar: &'a Component<'a>,
        vavailability: &'a Component<'a>,
        size: usize,
        host: &'a Zone,
    ) -> Objects<'a> {
        let mut zones = ZoneNames::new(host, calendar.children("VTIMEZONE").collect());
        let events = vavailability.children("AVAILABLE").map(|component| Event::read(component, &mut zones, host));
        let events = events.collect();
        let calendars = std::slice::from_ref(calendar);
        Objects { calendars, host, events, budget: Budget::for_object(size), warnings: Vec::new() }
    }

    /// Without the time that it takes to get there.
    pub(super) fn without_travel(mut self) -> Objects<'a> {
        for event in &mut self.events {
            event.travel = 0;
        }
        self
    }

    pub(super) fn warn(&mut self, uid: Option<String>, what: String) {
        self.warnings.push(Warning { uid, what });
    }

    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &Event<'a>> {
        self.events.iter()
    }

    pub(super) fn event(&self, index: usize) -> Option<&Event<'a>> {
        self.events.get(index)
    }

    /// Each UID once, in the order of the text.
    pub(super) fn uids(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        self.events.iter().filter_map(|event| event.uid.clone()).filter(|uid| seen.insert(uid.clone())).collect()
    }

    /// All that counts and overlaps the window, in no particular order.
    pub(super) fn happenings(&mut self, window: Interval, counts: Counts<'_>) -> Vec<Happening> {
        let mut groups: Vec<Group> = Vec::new();
        let mut by_uid: HashMap<Option<&str>, usize> = HashMap::new();
        for (index, event) in self.events.iter().enumerate() {
            let group = *by_uid.entry(event.uid.as_deref()).or_insert_with(|| {
                groups.push(Group::default());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(group) {
                if event.is_override { &mut group.overrides } else { &mut group.masters }.push(index);
            }
        }
        let mut found = Vec::new();
        let mut odd_starts = Vec::new();
        let mut budget = self.budget.clone();
        for group in groups {
            let mut expansion = Expansion {
                host: self.host,
                events: &self.events,
                window,
                counts,
                budget: &mut budget,
                found: &mut found,
                odd_starts: &mut odd_starts,
            };
            expansion.group(group);
        }
        for happening in &found {
            if happening.kind == Kind::Truncated {
                let uid = self.events.get(happening.event).and_then(|event| event.uid.clone());
                let what =
                    format!("its recurrence is too much work to expand: busy from {} on", happening.interval.start());
                self.warnings.push(Warning { uid, what });
            }
        }
        let mut odd_starts: Vec<Option<String>> =
            odd_starts.iter().filter_map(|index| self.events.get(*index)).map(|event| event.uid.clone()).collect();
        odd_starts.dedup();
        for uid in odd_starts {
            let what =
                "its start is not one that its rule produces: it was taken to happen, and to be the first of COUNT";
            self.warn(uid, what.to_owned());
        }
        if !found.is_empty() {
            self.compare_zones(window);
        }
        found
    }

    /// Warns of each VTIMEZONE that an event uses and that differs from the rules of its name within the window.
    fn compare_zones(&mut self, window: Interval) {
        for vtimezone in self.calendars.iter().flat_map(|calendar| calendar.children("VTIMEZONE")) {
            let Some((zone, what)) = disagreement(vtimezone, window.start(), window.end()) else { continue };
            let uses = |event: &&Event<'_>| matches!(&event.start, Some(EventTime::Zoned(_, of)) if *of == zone);
            let mut users = self.events.iter().filter(uses);
            let Some(first) = users.next() else { continue };
            let uid = first.uid.clone().filter(|uid| users.all(|other| other.uid.as_ref() == Some(uid)));
            if !self.warnings.iter().any(|warning| warning.what == what) {
                self.warnings.push(Warning { uid, what });
            }
        }
    }
}

/// When an event that starts then and lasts so long ends.
pub(super) fn end_of(start: &EventTime, length: Length, host: &Zone) -> Option<Timestamp> {
    let zone = start.zone(host);
    let end = if start.is_date() {
        host.second(local_of(start.civil()).saturating_add(length.days.saturating_mul(DAY))).unwrap_or(i64::MAX)
    } else {
        after(&zone, start.instant(host)?.as_second(), length)?
    };
    Some(timestamp(end))
}

/// `start` plus days on the wall clock, then seconds exactly.
fn after(zone: &Zone, start: i64, length: Length) -> Option<i64> {
    let days_later = if length.days == 0 {
        start
    } else {
        let local = zone.local(start)?.saturating_add(length.days.saturating_mul(DAY));
        zone.second(local).unwrap_or(i64::MAX)
    };
    Some(days_later.saturating_add(length.seconds))
}

/// As far as time goes.
fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The events of one UID, as indices.
#[derive(Debug, Default)]
struct Group {
    masters: Vec<usize>,
    overrides: Vec<usize>,
}

struct Expansion<'e, 'a> {
    host: &'e Zone,
    events: &'e [Event<'a>],
    window: Interval,
    counts: Counts<'e>,
    budget: &'e mut Budget,
    found: &'e mut Vec<Happening>,
    /// Events that are busy, or free, in the window by how an unsynchronized DTSTART is read.
    odd_starts: &'e mut Vec<usize>,
}

/// How instances lie in time from some RECURRENCE-ID on: the master's way, or that of a THISANDFUTURE override.
struct Placement {
    event: usize,
    /// Wall-clock starts of the instances that it governs.
    from: Local,
    to: Local,
    zone: Zone,
    all_day: bool,
    /// What is added to an instance's wall-clock start.
    delta: i64,
    /// True when the instance's own instant is its start.
    in_place: bool,
    length: Length,
    travel: i64,
}

impl Expansion<'_, '_> {
    fn group(&mut self, mut group: Group) {
        if group.masters.is_empty() {
            // An override with a rule and no series to belong to is a series.
            let rule = |index: &usize| self.events.get(*index).is_some_and(|event| !event.rules.is_empty());
            (group.masters, group.overrides) = group.overrides.iter().partition(|index| rule(index));
        }
        let mut series: Vec<(usize, RecurrenceSet)> = Vec::new();
        for index in group.masters {
            let Some(event) = self.events.get(index) else { continue };
            let Some(start) = &event.start else { continue };
            if group.overrides.is_empty()
                && event.rules.is_empty()
                && event.dates.is_empty()
                && event.ex_dates.is_empty()
            {
                self.single(index, event);
                continue;
            }
            series.push((index, series_of(event, start, self.host)));
        }
        let overrides = self.overrides(&group.overrides, series.first().map(|(_, set)| set));
        for (index, set) in &series {
            self.unreadable(*index, set);
            self.series(*index, set, &overrides);
        }
        for (index, name) in overrides.instances() {
            let Some(event) = self.events.get(index) else { continue };
            // EXDATE and an override for one instance: it is gone.
            let excluded = |(_, set): &(usize, RecurrenceSet)| {
                let name = event.recurrence_id.as_ref().and_then(|id| set.name(id));
                name.is_some_and(|name| set.excludes(name))
            };
            if name.is_none() || series.is_empty() || !series.iter().all(excluded) {
                self.single(index, event);
            }
        }
    }

    /// An event that is not expanded.
    fn single(&mut self, index: usize, event: &Event<'_>) {
        let Some(start) = &event.start else { return };
        let instants = start.instant(self.host).zip(end_of(start, event.length(), self.host));
        let Some((start_at, end)) = instants else { return };
        let travel = if start.is_date() { 0 } else { event.travel };
        let (from, to) = (start_at.as_second().saturating_sub(travel), end.as_second());
        // Most events of a calendar are past: whether they count need not be known.
        if self.within(from, to).is_some() && (self.counts)(event, start.is_date()) {
            self.push(index, from, to, Kind::Event);
        }
    }

    /// The interval, if it overlaps the window.
    fn within(&self, start: i64, end: i64) -> Option<Interval> {
        Interval::new(timestamp(start), timestamp(end)).filter(|interval| interval.overlaps(self.window))
    }

    fn push(&mut self, event: usize, start: i64, end: i64, kind: Kind) {
        let Some(interval) = self.within(start, end) else { return };
        match self.found.last_mut() {
            // A series that overlaps itself is one stretch: many instances of a bomb take no memory.
            Some(last) if last.event == event && last.kind == kind && last.interval.overlaps(interval) => {
                let (start, end) =
                    (last.interval.start().min(interval.start()), last.interval.end().max(interval.end()));
                last.interval = Interval::new(start, end).unwrap_or(interval);
            }
            _ => self.found.push(Happening { interval, event, kind }),
        }
    }

    /// Of several overrides for one instance the newest: SEQUENCE, then DTSTAMP, then the later in the file.
    fn overrides(&self, indices: &[usize], series: Option<&RecurrenceSet>) -> Overrides {
        let mut newest: HashMap<Name, (i64, i64, usize)> = HashMap::new();
        let mut ranges: HashMap<Name, (i64, i64, usize)> = HashMap::new();
        let mut overrides = Overrides::default();
        for index in indices {
            let Some(event) = self.events.get(*index) else { continue };
            let name = event.recurrence_id.as_ref().and_then(|id| match series {
                Some(series) => series.name(id),
                None => RecurrenceSet::new(id, self.host).name(id),
            });
            let Some(name) = name else {
                overrides.nameless.push(*index);
                continue;
            };
            let version = (event.sequence, stamp(event), *index);
            let keep_newest = |known: &mut HashMap<Name, (i64, i64, usize)>| {
                let known = known.entry(name).or_insert(version);
                *known = version.max(*known);
            };
            keep_newest(&mut newest);
            if event.this_and_future {
                keep_newest(&mut ranges);
            }
        }
        let plain = |map: HashMap<Name, (i64, i64, usize)>| {
            let mut list: Vec<(Name, usize)> = map.into_iter().map(|(name, (_, _, index))| (name, index)).collect();
            list.sort_unstable();
            list
        };
        overrides.named = plain(newest);
        overrides.ranges = plain(ranges);
        overrides
    }

    /// A rule that cannot be expanded: busy from its start on, as far as it could reach.
    fn unreadable(&mut self, index: usize, set: &RecurrenceSet) {
        let Some(event) = self.events.get(index) else { return };
        let Some(start) = event.start.as_ref().and_then(|start| start.instant(self.host)) else { return };
        for error in event.rules.iter().filter_map(|rule| rule.as_ref().err()) {
            if !(self.counts)(event, set.is_all_day()) {
                return;
            }
            let last = set.last_start(error.until);
            let end = last.and_then(|last| after(set.zone(), last, event.length()));
            let end = end.unwrap_or(i64::MAX).min(self.window.end().as_second().saturating_add(1));
            self.push(index, start.as_second(), end, Kind::Unreadable);
        }
    }

    fn series(&mut self, index: usize, set: &RecurrenceSet, overrides: &Overrides) {
        let Some(event) = self.events.get(index) else { return };
        let mut placements = vec![Placement {
            event: index,
            from: Local::MIN,
            to: Local::MAX,
            zone: set.zone().clone(),
            all_day: set.is_all_day(),
            delta: 0,
            in_place: !set.is_all_day(),
            length: event.length(),
            travel: event.travel,
        }];
        let mut ranges: Vec<Placement> =
            overrides.ranges.iter().filter_map(|(_, range)| self.range(*range, set)).collect();
        ranges.sort_by_key(|range| range.from);
        for range in ranges {
            if let Some(before) = placements.last_mut() {
                before.to = range.from;
            }
            placements.push(range);
        }
        let names = overrides.named.iter().filter_map(|(_, index)| {
            let id = self.events.get(*index)?.recurrence_id.as_ref()?;
            set.name(id)
        });
        let names: HashSet<Name> = names.collect();
        for placement in placements {
            let Some(event) = self.events.get(placement.event) else { continue };
            if (self.counts)(event, placement.all_day) {
                self.placed(&placement, set, &names);
            }
        }
    }

    /// How the instances after a THISANDFUTURE override lie: moved on the wall clock by what it moves its own.
    fn range(&self, index: usize, set: &RecurrenceSet) -> Option<Placement> {
        let event = self.events.get(index)?;
        let start = event.start.as_ref()?;
        let id = set.local_named(set.name(event.recurrence_id.as_ref()?)?)?;
        let all_day = start.is_date();
        let zone = if all_day || set.is_all_day() { start.zone(self.host) } else { set.zone().clone() };
        let local = if start.zone(self.host) == zone {
            local_of(start.civil())
        } else {
            zone.local(start.instant(self.host)?.as_second())?
        };
        let named = if all_day { id.div_euclid(DAY) * DAY } else { id };
        Some(Placement {
            event: index,
            from: id,
            to: Local::MAX,
            zone,
            all_day,
            delta: local - named,
            in_place: !all_day && !set.is_all_day() && local == named,
            length: event.length(),
            travel: event.travel,
        })
    }

    fn placed(&mut self, placement: &Placement, set: &RecurrenceSet, overridden: &HashSet<Name>) {
        let Placement { zone, length, delta, .. } = placement;
        let travel = if placement.all_day { 0 } else { placement.travel };
        let wall = |instant: Timestamp| zone.local(instant.as_second()).unwrap_or(instant.as_second());
        // A day on both sides, for what the wall clock may be set by.
        let whole_days = if length.days > 0 { length.days.saturating_add(1) } else { 0 };
        let back = whole_days.saturating_add(1).saturating_mul(DAY).saturating_add(length.seconds);
        let from = wall(self.window.start()).saturating_sub(back).saturating_sub(*delta);
        let to = wall(self.window.end()).saturating_add(DAY).saturating_add(travel).saturating_sub(*delta);
        // Its own instance is the override itself.
        let first = if placement.from == Local::MIN { placement.from } else { placement.from + 1 };
        let mut share = self.budget.share();
        let range = from.max(first)..to.min(placement.to);
        let instances = set.instances(range.clone(), &mut share);
        self.budget.give_back(share);
        let taken = |expansion: &Self, instance: &Instance| {
            let outside = instance.local < first || instance.local >= placement.to;
            let replaced = !overridden.is_empty()
                && (overridden.contains(&Name::Key(instance.key))
                    || overridden.contains(&Name::Day(instance.local.div_euclid(DAY))));
            let placed = expansion.place(placement, instance).filter(|_| !outside && !replaced);
            placed.map(|(start, end)| (start.saturating_sub(travel), end))
        };
        for instance in &instances.found {
            if let Some((start, end)) = taken(self, instance) {
                self.push(placement.event, start, end, Kind::Event);
            }
        }
        let shows =
            |instance: &Instance| taken(self, instance).is_some_and(|(start, end)| self.within(start, end).is_some());
        if instances.truncated.is_none() && set.disputed(range).iter().any(shows) {
            self.odd_starts.push(placement.event);
        }
        if let Some((from, reach)) = instances.truncated {
            let start = zone.second(from.saturating_add(*delta)).unwrap_or(i64::MIN).saturating_sub(travel);
            let last = reach.unwrap_or(Local::MAX).min(placement.to).saturating_add(*delta);
            let end = zone.second(last).and_then(|last| after(zone, last, *length)).unwrap_or(i64::MAX);
            self.push(
                placement.event,
                start,
                end.min(self.window.end().as_second().saturating_add(1)),
                Kind::Truncated,
            );
        }
    }

    /// Start and end of an instance, as seconds since 1970.
    fn place(&self, placement: &Placement, instance: &Instance) -> Option<(i64, i64)> {
        let length = instance.length.unwrap_or(placement.length);
        if placement.all_day {
            let midnight = (instance.local.div_euclid(DAY) * DAY).saturating_add(placement.delta);
            let days = length.days.saturating_add((length.seconds + DAY - 1) / DAY).max(1);
            return Some((
                self.host.second(midnight)?,
                self.host.second(midnight.saturating_add(days.saturating_mul(DAY))).unwrap_or(i64::MAX),
            ));
        }
        let start = if placement.in_place {
            instance.key
        } else {
            placement.zone.second(instance.local.saturating_add(placement.delta))?
        };
        Some((start, after(&placement.zone, start, length)?))
    }
}

/// The overrides of one UID.
#[derive(Default)]
struct Overrides {
    /// The newest for each instance.
    named: Vec<(Name, usize)>,
    /// The newest THISANDFUTURE for each instance.
    ranges: Vec<(Name, usize)>,
    /// Those whose RECURRENCE-ID cannot be read: they happen, and so does what they may replace.
    nameless: Vec<usize>,
}

impl Overrides {
    fn instances(&self) -> impl Iterator<Item = (usize, Option<Name>)> {
        let named = self.named.iter().map(|(name, index)| (*index, Some(*name)));
        named.chain(self.nameless.iter().map(|index| (*index, None)))
    }
}

fn stamp(event: &Event<'_>) -> i64 {
    match event.component.get("DTSTAMP").and_then(|stamp| parse_written(&stamp.value)) {
        Some(Written::Instant(instant)) => instant.as_second(),
        Some(Written::Local(time)) => local_of(time),
        _ => i64::MIN,
    }
}

fn series_of(event: &Event<'_>, start: &EventTime, host: &Zone) -> RecurrenceSet {
    let mut set = RecurrenceSet::new(start, host);
    for rule in event.rules.iter().flatten() {
        set.add_rule(rule.clone());
    }
    for rule in &event.ex_rules {
        set.add_ex_rule(rule.clone());
    }
    for (time, length) in &event.dates {
        set.add_date(time, *length);
    }
    for time in &event.ex_dates {
        set.add_ex_date(time);
    }
    set.finish();
    set
}
