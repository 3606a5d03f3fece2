//! One rule to the wall-clock times at which it fires, by seeking: the first period that can matter is computed from
//! the range asked for, not walked to from DTSTART. Only COUNT has to count. See [`expand`].

use super::bits::Bits;
use super::budget::{Budget, OCCURRENCE};
use super::days::Days;
use super::local::{DAY, LOCAL_END, Local, civil_of, day_of, month_length, weekday_of};
use crate::ical::{Frequency, RecurrenceRule};
use std::ops::{ControlFlow, Range};

/// Whether DTSTART is in the set although the rule does not produce it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// "The DTSTART property value SHOULD be synchronized with the recurrence rule, if specified": where it is not, it
    /// happens all the same and is the first of COUNT.
    Happens,
    /// Only what the rule produces: EXRULE takes nothing away by accident.
    OnlyIfItFires,
}

/// The work was more than the budget: what comes at `from` or later is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Truncated {
    /// Everything before is known.
    pub(crate) from: Local,
}

/// Adds to `out`, in order, the times in `range` at which `rule`, begun at `start`, fires. UNTIL is not looked at: an
/// instant needs the zone, so the caller ends `range` by it and filters.
pub(crate) fn expand(
    rule: &RecurrenceRule,
    start: Local,
    first: First,
    range: Range<Local>,
    budget: &mut Budget,
    out: &mut Vec<Local>,
) -> Result<(), Truncated> {
    let range = range.start.max(start)..range.end.min(LOCAL_END);
    if range.is_empty() || !budget.spend(1) {
        return if range.is_empty() { Ok(()) } else { Err(Truncated { from: range.start }) };
    }
    let mut run = Run { rule, start, first, range, left: rule.count, budget, out, known: start, last: None };
    if first == First::Happens && run.take(start).is_break() {
        return run.outcome();
    }
    let _ = run.walk();
    run.outcome()
}

struct Run<'a> {
    rule: &'a RecurrenceRule,
    start: Local,
    first: First,
    range: Range<Local>,
    left: Option<u64>,
    budget: &'a mut Budget,
    out: &'a mut Vec<Local>,
    /// Everything before is done; [`DONE`] when all is.
    known: Local,
    /// The latest time taken: SKIP may name one twice.
    last: Option<Local>,
}

const DONE: Local = Local::MAX;

impl Run<'_> {
    fn outcome(&self) -> Result<(), Truncated> {
        if self.known >= self.range.end { Ok(()) } else { Err(Truncated { from: self.known.max(self.range.start) }) }
    }

    fn done(&mut self) -> ControlFlow<()> {
        self.known = DONE;
        ControlFlow::Break(())
    }

    fn spend(&mut self, steps: u64, at: Local) -> ControlFlow<()> {
        self.known = self.known.max(at);
        if self.budget.spend(steps) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// A time that the rule produces, later than all before.
    fn fires(&mut self, time: Local) -> ControlFlow<()> {
        let again = self.last.is_some_and(|last| time <= last);
        if time < self.start || (time == self.start && self.first == First::Happens) || again {
            return ControlFlow::Continue(());
        }
        self.take(time)
    }

    fn take(&mut self, time: Local) -> ControlFlow<()> {
        self.last = Some(time);
        if time >= self.range.end || self.left == Some(0) {
            return self.done();
        }
        if time >= self.range.start {
            self.spend(OCCURRENCE, time)?;
            self.out.push(time);
        } else {
            self.spend(1, time)?;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
            if *left == 0 {
                return self.done();
            }
        }
        ControlFlow::Continue(())
    }

    /// Where to begin: with COUNT at DTSTART, since all before must be counted.
    fn seek(&self) -> Local {
        if self.left.is_some() { self.start } else { self.range.start }
    }

    fn walk(&mut self) -> ControlFlow<()> {
        let days = Days::of(self.rule, self.start.div_euclid(DAY));
        if days.never() {
            return self.done();
        }
        match self.rule.freq {
            Frequency::Yearly | Frequency::Monthly => self.walk_months(&days),
            Frequency::Weekly => self.walk_weeks(&days),
            Frequency::Daily => self.walk_days(&days),
            Frequency::Hourly => self.walk_clock(&days, 3600),
            Frequency::Minutely => self.walk_clock(&days, 60),
            Frequency::Secondly => self.walk_clock(&days, 1),
        }
    }

    /// The seconds of a day at which the rule fires on a day that it names, in order.
    fn times(&mut self) -> Result<Vec<i64>, ControlFlow<()>> {
        let of_day = self.start.rem_euclid(DAY);
        let or = |bits: Bits, implied: i64| if bits.is_empty() { Bits::only(implied) } else { bits };
        let hours = if self.rule.by_hour.is_empty() { Bits::only(of_day / 3600) } else { self.rule.by_hour };
        let minutes = or(self.rule.by_minute, of_day / 60 % 60);
        let seconds = or(self.rule.by_second, of_day % 60);
        let mut times = Vec::with_capacity(1);
        for hour in hours.iter() {
            for minute in minutes.iter() {
                if let stop @ ControlFlow::Break(()) = self.spend(1, self.start) {
                    return Err(stop);
                }
                times.extend(seconds.iter().map(|second| hour * 3600 + minute * 60 + second));
            }
        }
        Ok(times)
    }

    /// One period: its days in order, each with the times, of which BYSETPOS chooses.
    fn period(&mut self, days: &[i64], times: &[i64]) -> ControlFlow<()> {
        if self.rule.by_set_pos.is_empty() {
            for day in days {
                for time in times {
                    self.fires(day * DAY + time)?;
                }
            }
            return ControlFlow::Continue(());
        }
        for at in positions(&self.rule.by_set_pos, days.len() * times.len()) {
            if let (Some(day), Some(time)) = (days.get(at / times.len()), times.get(at % times.len())) {
                self.fires(day * DAY + time)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The days of a period that must be looked at: all, where BYSETPOS or COUNT counts them.
    fn day_range(&self) -> Range<i64> {
        if self.rule.by_set_pos.is_empty() {
            self.seek().div_euclid(DAY)..self.range.end.div_euclid(DAY) + 1
        } else {
            i64::MIN..i64::MAX
        }
    }

    fn walk_months(&mut self, days: &Days) -> ControlFlow<()> {
        let times = match self.times() {
            Ok(times) => times,
            Err(stop) => return stop,
        };
        let yearly = self.rule.freq == Frequency::Yearly;
        let unit = if yearly { 12 } else { 1 };
        let step = i64::from(self.rule.interval) * unit;
        let month_index = |local: Local| {
            let (year, month, _) = civil_of(local.div_euclid(DAY));
            if yearly { year * 12 } else { year * 12 + month - 1 }
        };
        let origin = month_index(self.start);
        // A day that SKIP moves may fall into the period before or after its own.
        let slack = if days.skips() { DAY } else { 0 };
        let mut at = origin + (month_index(self.seek() - slack) - origin).max(0) / step * step;
        let last = month_index(self.range.end + slack);
        let within = self.day_range();
        let mut found = Vec::new();
        while at <= last {
            let year = at.div_euclid(12);
            self.spend(1, day_of(year, at.rem_euclid(12) + 1, 1) * DAY)?;
            found.clear();
            for index in at..at + unit {
                let month = index.rem_euclid(12) + 1;
                if days.has_month(month) {
                    self.spend(4, self.known)?;
                    days.of_month(year, month, within.start, within.end, &mut found);
                }
            }
            if days.skips() {
                days.skipped_of_year(year, within.start, within.end, &mut found);
                found.sort_unstable();
                found.dedup();
            }
            self.period(&found, &times)?;
            at += step;
        }
        self.done()
    }

    fn walk_weeks(&mut self, days: &Days) -> ControlFlow<()> {
        let times = match self.times() {
            Ok(times) => times,
            Err(stop) => return stop,
        };
        let week_start = i64::from(self.rule.week_start);
        let week_of = |local: Local| {
            let day = local.div_euclid(DAY);
            day - (weekday_of(day) - week_start).rem_euclid(7)
        };
        let step = i64::from(self.rule.interval) * 7;
        let origin = week_of(self.start);
        let mut week = origin + (week_of(self.seek()) - origin).max(0) / step * step;
        let within = self.day_range();
        let mut found = Vec::new();
        while week * DAY < self.range.end {
            self.spend(2, week * DAY)?;
            found.clear();
            found.extend((week.max(within.start)..(week + 7).min(within.end)).filter(|day| days.contains(*day)));
            self.period(&found, &times)?;
            week = week.saturating_add(step);
        }
        self.done()
    }

    fn walk_days(&mut self, days: &Days) -> ControlFlow<()> {
        let times = match self.times() {
            Ok(times) => times,
            Err(stop) => return stop,
        };
        let step = i64::from(self.rule.interval);
        let origin = self.start.div_euclid(DAY);
        let mut day = origin + (self.seek().div_euclid(DAY) - origin).max(0) / step * step;
        while day * DAY < self.range.end {
            self.spend(1, day * DAY)?;
            if days.contains(day) {
                self.period(&[day], &times)?;
            }
            day += step;
        }
        self.done()
    }

    /// HOURLY, MINUTELY and SECONDLY: steps of `unit` seconds times INTERVAL, leaping over what a part rules out.
    fn walk_clock(&mut self, days: &Days, unit: i64) -> ControlFlow<()> {
        let rule = self.rule;
        let step = i64::from(rule.interval) * unit;
        let origin = self.start.div_euclid(unit) * unit;
        // What INTERVAL can ever reach: from an even second by twos never an odd one.
        let reachable = |bits: Bits, size: i64, unit_of_bits: i64| {
            let (mut bits, cycle) = (bits, size * unit_of_bits);
            let common = gcd(step, cycle);
            bits.retain(|n| {
                common <= unit_of_bits || (n * unit_of_bits - origin.rem_euclid(cycle)).rem_euclid(common) == 0
            });
            bits
        };
        let hours = if unit == 3600 { reachable(rule.by_hour, 24, 3600) } else { rule.by_hour };
        let minutes = if unit == 60 { reachable(rule.by_minute, 60, 60) } else { rule.by_minute };
        let seconds = if unit == 1 { reachable(rule.by_second, 60, 1) } else { rule.by_second };
        if (hours.is_empty() && !rule.by_hour.is_empty())
            || (unit <= 60 && minutes.is_empty() && !rule.by_minute.is_empty())
            || (unit == 1 && seconds.is_empty() && !rule.by_second.is_empty())
        {
            return self.done();
        }
        let within = self.within_period(unit);
        let plain = rule.by_month.is_empty()
            && rule.by_month_day.is_empty()
            && rule.by_month_day_from_end.is_empty()
            && rule.by_year_day.is_empty()
            && rule.by_week_no.is_empty()
            && rule.by_week_no_from_end.is_empty()
            && rule.by_day.is_empty()
            && rule.by_hour.is_empty()
            && rule.by_minute.is_empty()
            && rule.by_second.is_empty();
        // One instance a period: COUNT is only a place to end, and need not be counted.
        if let (true, true, Some(count)) = (plain, rule.by_set_pos.is_empty(), self.rule.count) {
            let last =
                i64::try_from(count - 1).ok().and_then(|n| n.checked_mul(step)).and_then(|n| n.checked_add(self.start));
            self.range.end = self.range.end.min(last.map_or(LOCAL_END, |last| last.saturating_add(1)));
            self.left = None;
        }
        let align = |time: Local| {
            let steps = (time - origin).div_euclid(step) + i64::from((time - origin).rem_euclid(step) != 0);
            origin + steps.max(0) * step
        };
        let mut time = align((self.seek() - unit + 1).max(origin));
        while time < self.range.end {
            self.spend(1, time)?;
            let day = time.div_euclid(DAY);
            if !plain {
                let next = if !days.contains(day) {
                    let (year, month, _) = civil_of(day);
                    if days.has_month(month) {
                        (day + 1) * DAY
                    } else {
                        (day_of(year, month, 1) + month_length(year, month)) * DAY
                    }
                } else if !hours.is_empty() && !hours.contains(time.rem_euclid(DAY) / 3600) {
                    (time.div_euclid(3600) + 1) * 3600
                } else if unit <= 60 && !minutes.is_empty() && !minutes.contains(time.rem_euclid(3600) / 60) {
                    (time.div_euclid(60) + 1) * 60
                } else if unit == 1 && !seconds.is_empty() && !seconds.contains(time.rem_euclid(60)) {
                    time + 1
                } else {
                    time
                };
                if next > time {
                    time = align(next);
                    continue;
                }
            }
            if rule.by_set_pos.is_empty() {
                for second in &within {
                    self.fires(time + second)?;
                }
            } else {
                for at in positions(&rule.by_set_pos, within.len()) {
                    if let Some(second) = within.get(at) {
                        self.fires(time + second)?;
                    }
                }
            }
            time += step;
        }
        self.done()
    }

    /// The seconds within an hour or minute at which the rule fires.
    fn within_period(&self, unit: i64) -> Vec<i64> {
        let or = |bits: Bits, implied: i64| if bits.is_empty() { Bits::only(implied) } else { bits };
        let seconds = or(self.rule.by_second, self.start.rem_euclid(60));
        match unit {
            3600 => {
                let minutes = or(self.rule.by_minute, self.start.rem_euclid(3600) / 60);
                minutes.iter().flat_map(|minute| seconds.iter().map(move |second| minute * 60 + second)).collect()
            }
            60 => seconds.iter().collect(),
            _ => vec![0],
        }
    }
}

/// The places that BYSETPOS names in a set of `size`, in order, each once.
fn positions(by_set_pos: &[i16], size: usize) -> Vec<usize> {
    let mut places: Vec<usize> = by_set_pos
        .iter()
        .filter_map(|position| {
            let distance = usize::from(position.unsigned_abs());
            if *position > 0 { distance.checked_sub(1).filter(|at| *at < size) } else { size.checked_sub(distance) }
        })
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
