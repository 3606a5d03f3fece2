//! The recurrence set of an event (RFC 5545 3.8.5): DTSTART, rules and dates together, less what is excluded.
//! Start with [`RecurrenceSet`].

use super::budget::Budget;
use super::expand::{First, Truncated, expand};
use super::local::{DAY, Local, day_of_date, local_of};
use crate::ical::{EventTime, Length, RecurrenceRule, Steady, Until, Zone};
use jiff::Timestamp;
use std::ops::Range;

/// Steps for a question of which only a warning depends.
const MUCH_FOR_A_WARNING: u64 = 10_000;

/// The instances of one event, before overrides.
///
/// It is expanded on the wall clock of DTSTART (the host's for dates and floating times); an instance is named by its
/// instant, so that EXDATE and RECURRENCE-ID name it from any zone, and in an all-day series by its day.
#[derive(Clone, Debug)]
pub struct RecurrenceSet {
    zone: Zone,
    host: Zone,
    all_day: bool,
    start: Local,
    rules: Vec<RecurrenceRule>,
    ex_rules: Vec<RecurrenceRule>,
    dates: Vec<Instance>,
    ex_keys: Vec<i64>,
    ex_days: Vec<i64>,
}

/// One instance of a recurrence set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// What names it: seconds since 1970, or in an all-day series those of its midnight on the wall.
    pub key: i64,
    /// Its start on the wall clock of the series, in seconds since 1970 there.
    pub local: i64,
    /// Its own length, if a PERIOD gave one.
    pub length: Option<Length>,
}

/// What a RECURRENCE-ID or EXDATE names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Name {
    /// The instance of that key.
    Key(i64),
    /// All instances of that day on the wall: a DATE for a timed series.
    Day(i64),
}

/// The instances within a range of wall-clock time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    /// In order of their keys, each once.
    pub found: Vec<Instance>,
    /// Where the work became too much: from this wall-clock time on anything may happen, until the second, if it is known.
    pub truncated: Option<(i64, Option<i64>)>,
}

impl RecurrenceSet {
    /// The set of DTSTART alone. `host` is the zone of floating times and days.
    pub fn new(start: &EventTime, host: &Zone) -> RecurrenceSet {
        RecurrenceSet {
            zone: start.zone(host),
            host: host.clone(),
            all_day: start.is_date(),
            start: local_of(start.civil()),
            rules: Vec::new(),
            ex_rules: Vec::new(),
            dates: Vec::new(),
            ex_keys: Vec::new(),
            ex_days: Vec::new(),
        }
    }

    /// Adds an RRULE.
    pub fn add_rule(&mut self, mut rule: RecurrenceRule) {
        if self.all_day {
            // "The BYSECOND, BYMINUTE and BYHOUR rule parts MUST NOT be specified when the associated DTSTART property
            // has a DATE value type. These rule parts MUST be ignored".
            (rule.by_hour, rule.by_minute, rule.by_second) = Default::default();
        }
        self.rules.push(rule);
    }

    /// Adds an EXRULE (RFC 2445 4.8.5.2): what it produces is taken away.
    pub fn add_ex_rule(&mut self, mut rule: RecurrenceRule) {
        if self.all_day {
            (rule.by_hour, rule.by_minute, rule.by_second) = Default::default();
        }
        self.ex_rules.push(rule);
    }

    /// Adds an RDATE, with a length of its own if it is a PERIOD.
    pub fn add_date(&mut self, time: &EventTime, length: Option<Length>) {
        let instance = match self.name(time) {
            Some(Name::Key(key)) if self.all_day => Instance { key, local: key, length },
            Some(Name::Key(key)) => {
                let Some(local) = self.zone.local(key) else { return };
                Instance { key, local, length }
            }
            Some(Name::Day(day)) => {
                let local = day * DAY + self.start.rem_euclid(DAY);
                let Some(key) = self.zone.second(local) else { return };
                Instance { key, local, length }
            }
            None => return,
        };
        self.dates.push(instance);
    }

    /// Adds an EXDATE.
    pub fn add_ex_date(&mut self, time: &EventTime) {
        match self.name(time) {
            Some(Name::Key(key)) => self.ex_keys.push(key),
            Some(Name::Day(day)) => self.ex_days.push(day),
            None => {}
        }
    }

    /// Sorts what [`RecurrenceSet::add_ex_date`] was given; to be called after the last of them.
    pub fn finish(&mut self) {
        self.ex_keys.sort_unstable();
        self.ex_days.sort_unstable();
    }

    /// True when it holds more than DTSTART could alone.
    pub fn is_recurring(&self) -> bool {
        !self.rules.is_empty() || !self.dates.is_empty()
    }

    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    pub(crate) fn is_all_day(&self) -> bool {
        self.all_day
    }

    /// What a RECURRENCE-ID or EXDATE names in this series; `None` beyond the range of time.
    pub(crate) fn name(&self, time: &EventTime) -> Option<Name> {
        if self.all_day {
            return Some(Name::Key(self.day_meant(time)? * DAY));
        }
        match time {
            EventTime::Date(date) => Some(Name::Day(day_of_date(*date))),
            time => time.instant(&self.host).map(|instant| Name::Key(instant.as_second())),
        }
    }

    /// The wall-clock start, in this series, of what a RECURRENCE-ID names.
    pub(crate) fn local_named(&self, name: Name) -> Option<Local> {
        match name {
            Name::Day(day) => Some(day * DAY + self.start.rem_euclid(DAY)),
            Name::Key(key) if self.all_day => Some(key),
            Name::Key(key) => self.zone.local(key),
        }
    }

    /// The day that a time means in an all-day series: midnight UTC is how some write a date.
    fn day_meant(&self, time: &EventTime) -> Option<i64> {
        let local = match time {
            EventTime::Utc(instant) if instant.as_second().rem_euclid(DAY) != 0 => {
                self.host.local(instant.as_second())?
            }
            time => local_of(time.civil()),
        };
        Some(local.div_euclid(DAY))
    }

    /// True when an EXDATE names it.
    pub(crate) fn excludes(&self, name: Name) -> bool {
        match name {
            Name::Key(key) => {
                self.ex_keys.binary_search(&key).is_ok()
                    || !self.ex_days.is_empty()
                        && self
                            .zone
                            .local(key)
                            .is_some_and(|local| self.ex_days.binary_search(&local.div_euclid(DAY)).is_ok())
            }
            Name::Day(day) => self.ex_days.binary_search(&day).is_ok(),
        }
    }

    /// The instances whose start on the wall clock (seconds since 1970 there; half-open) is in `range`, and those RDATEs
    /// whose own length reaches into it.
    pub fn instances(&self, range: Range<i64>, budget: &mut Budget) -> Instances {
        self.instances_with(First::Happens, range, budget)
    }

    /// The instances in `range` that are there, or are not, only because DTSTART is taken to happen and to be the first of
    /// COUNT where no rule produces it, which RFC 5545 3.8.5.3 calls undefined. Empty where that is too much work to know.
    pub(crate) fn disputed(&self, range: Range<i64>) -> Vec<Instance> {
        let mut budget = Budget::new(MUCH_FOR_A_WARNING);
        let mut fires = |rule: &RecurrenceRule| {
            let mut out = Vec::new();
            let outcome =
                expand(rule, self.start, First::OnlyIfItFires, self.start..self.start + 1, &mut budget, &mut out);
            outcome.is_err() || !out.is_empty()
        };
        if self.rules.is_empty() || self.rules.iter().any(&mut fires) {
            return Vec::new();
        }
        let ours = self.instances_with(First::Happens, range.clone(), &mut budget);
        let others = self.instances_with(First::OnlyIfItFires, range, &mut budget);
        if ours.truncated.is_some() || others.truncated.is_some() {
            return Vec::new();
        }
        let without = |all: &Instances, instance: &Instance| {
            all.found.binary_search_by_key(&instance.key, |other| other.key).is_err()
        };
        let of_ours = ours.found.iter().filter(|instance| without(&others, instance));
        of_ours.chain(others.found.iter().filter(|instance| without(&ours, instance))).copied().collect()
    }

    fn instances_with(&self, first: First, range: Range<i64>, budget: &mut Budget) -> Instances {
        let mut instances = Instances::default();
        let mut locals = Vec::new();
        let mut clock = self.clock();
        for rule in &self.rules {
            locals.clear();
            let limit = self.limit(rule.until);
            let range = range.start..range.end.min(limit.end());
            let outcome = expand(rule, self.start, first, range, budget, &mut locals);
            instances.found.extend(
                locals.iter().filter_map(|local| clock.instance(*local)).filter(|instance| limit.allows(instance)),
            );
            if let Err(Truncated { from }) = outcome {
                let reach = (limit != Limit::None).then(|| limit.end());
                instances.truncated = Some(match instances.truncated {
                    Some((earlier, other)) => (earlier.min(from), other.zip(reach).map(|(a, b)| a.max(b))),
                    None => (from, reach),
                });
            }
        }
        if self.rules.is_empty() && range.contains(&self.start) {
            instances.found.extend(clock.instance(self.start));
        }
        let reaches = |date: &&Instance| {
            let own =
                date.length.map_or(0, |length| (length.days + 2).saturating_mul(DAY).saturating_add(length.seconds));
            date.local < range.end && date.local.saturating_add(own) >= range.start
        };
        instances.found.extend(self.dates.iter().filter(reaches));
        if !instances.found.is_sorted_by_key(|instance| instance.key) {
            instances.found.sort_by_key(|instance| instance.key);
        }
        instances.found.dedup_by(|later, first| {
            let same = later.key == first.key;
            if same {
                // Of two PERIODs that begin together the longer.
                first.length = first.length.into_iter().chain(later.length).max_by_key(|length| length.about());
            }
            same
        });
        if !self.ex_keys.is_empty() || !self.ex_days.is_empty() {
            instances.found.retain(|instance| {
                self.ex_keys.binary_search(&instance.key).is_err()
                    && self.ex_days.binary_search(&instance.local.div_euclid(DAY)).is_err()
            });
        }
        for rule in &self.ex_rules {
            locals.clear();
            let limit = self.limit(rule.until);
            // Truncated: what is not known to be excluded happens.
            let _ = expand(rule, self.start, First::OnlyIfItFires, range.clone(), budget, &mut locals);
            let mut keys: Vec<i64> = locals
                .iter()
                .filter_map(|local| clock.instance(*local))
                .filter(|i| limit.allows(i))
                .map(|i| i.key)
                .collect();
            keys.sort_unstable();
            instances.found.retain(|instance| keys.binary_search(&instance.key).is_err());
        }
        instances
    }

    pub(super) fn clock(&self) -> Clock<'_> {
        Clock { set: self, steady: None }
    }

    /// The last instant, in seconds since 1970, at which an instance could start by UNTIL.
    pub(crate) fn last_start(&self, until: Option<Until>) -> Option<i64> {
        match self.limit(until) {
            Limit::None => None,
            Limit::Local(local) if self.all_day => self.host.second(local.div_euclid(DAY) * DAY),
            Limit::Local(local) => self.zone.second(local),
            Limit::Instant(instant, _) => Some(instant.as_second()),
        }
    }

    /// UNTIL, on this series' clock.
    pub(crate) fn limit(&self, until: Option<Until>) -> Limit {
        match until {
            None => Limit::None,
            Some(Until::Date(date)) => Limit::Local((day_of_date(date) + 1) * DAY - 1),
            Some(Until::Local(time)) if self.all_day => Limit::Local((local_of(time).div_euclid(DAY) + 1) * DAY - 1),
            Some(Until::Local(time)) => Limit::Local(local_of(time)),
            Some(Until::Utc(instant)) if self.all_day => {
                let day = self.day_meant(&EventTime::Utc(instant)).unwrap_or(i64::MAX / DAY - 1);
                Limit::Local((day + 1) * DAY - 1)
            }
            Some(Until::Utc(instant)) => Limit::Instant(instant, self.zone.local(instant.as_second())),
        }
    }
}

/// From the wall clock of a series to instances. Times come in order, mostly: the offset is looked up where it may have
/// changed, not for each.
pub(super) struct Clock<'s> {
    set: &'s RecurrenceSet,
    steady: Option<Steady>,
}

impl Clock<'_> {
    pub(super) fn instance(&mut self, local: Local) -> Option<Instance> {
        if self.set.all_day {
            let midnight = local.div_euclid(DAY) * DAY;
            return Some(Instance { key: midnight, local: midnight, length: None });
        }
        let known = self.steady.and_then(|steady| steady.second(local));
        let key = match known {
            Some(second) => second,
            None => {
                let (second, steady) = self.set.zone.steady(local)?;
                self.steady = Some(steady);
                second
            }
        };
        Some(Instance { key, local, length: None })
    }
}

/// The last moment at which an instance may start; it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    None,
    Local(Local),
    /// An instant, and what the wall shows then.
    Instant(Timestamp, Option<Local>),
}

impl Limit {
    /// A wall-clock time after which none starts. Generous, as the wall may be set back: see [`Limit::allows`].
    pub(crate) fn end(self) -> Local {
        match self {
            Limit::None | Limit::Instant(_, None) => Local::MAX,
            Limit::Local(local) => local + 1,
            Limit::Instant(_, Some(local)) => local + DAY,
        }
    }

    pub(super) fn allows(self, instance: &Instance) -> bool {
        match self {
            Limit::None => true,
            Limit::Local(local) => instance.local <= local,
            Limit::Instant(instant, _) => instance.key <= instant.as_second(),
        }
    }
}
