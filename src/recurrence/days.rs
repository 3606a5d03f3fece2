//! Which days a rule names (RFC 5545 3.3.10, the table of BYxxx parts): every part as a test of one date.

use super::bits::Bits;
use super::local::{civil_of, day_of, is_leap, month_length, weekday_of, year_length};
use crate::ical::{Frequency, RecurrenceRule, Skip};

/// The days of a rule: a day is in it when it passes every part, those included that DTSTART stands in for.
#[derive(Debug)]
pub(super) struct Days {
    months: Bits,
    month_day: Option<(Bits, Bits)>,
    year_day: Option<(Vec<i16>, bool)>,
    week_no: Option<(Bits, Bits)>,
    by_day: Option<ByDay>,
    week_start: i64,
    skip: Skip,
}

#[derive(Debug, Default)]
struct ByDay {
    /// Weekdays without a number.
    every: Bits,
    /// For each weekday, which ones from the start and from the end of the scope.
    nth: [(Bits, Bits); 7],
    has_nth: bool,
    /// What the numbers count in: the month, else the year.
    within_month: bool,
}

impl Days {
    /// `start` is the day number of DTSTART.
    pub(super) fn of(rule: &RecurrenceRule, start: i64) -> Days {
        let (_, month, day) = civil_of(start);
        let yearly = rule.freq == Frequency::Yearly;
        let mut days = Days {
            months: rule.by_month,
            month_day: None,
            year_day: None,
            week_no: None,
            by_day: None,
            week_start: i64::from(rule.week_start),
            skip: rule.skip,
        };
        if !rule.by_month_day.is_empty() || !rule.by_month_day_from_end.is_empty() {
            days.month_day = Some((rule.by_month_day, rule.by_month_day_from_end));
        }
        if !rule.by_year_day.is_empty() {
            days.year_day = Some((rule.by_year_day.clone(), rule.by_year_day.iter().any(|n| *n < 0)));
        }
        if !rule.by_week_no.is_empty() || !rule.by_week_no_from_end.is_empty() {
            days.week_no = Some((rule.by_week_no, rule.by_week_no_from_end));
        }
        if !rule.by_day.is_empty() {
            let mut by_day = ByDay { within_month: !yearly || !rule.by_month.is_empty(), ..ByDay::default() };
            // "The BYDAY rule part MUST NOT be specified with a numeric value when the FREQ rule part is not set to
            // MONTHLY or YEARLY", nor with BYWEEKNO: there the number means nothing.
            let numbers = rule.freq >= Frequency::Monthly && !(yearly && days.week_no.is_some());
            for entry in &rule.by_day {
                match (entry.ordinal.filter(|_| numbers), by_day.nth.get_mut(usize::from(entry.weekday))) {
                    (Some(n), Some(nth)) => {
                        by_day.has_nth = true;
                        let bits = if n > 0 { &mut nth.0 } else { &mut nth.1 };
                        bits.insert(n.unsigned_abs().into());
                    }
                    _ => by_day.every.insert(entry.weekday.into()),
                }
            }
            days.by_day = Some(by_day);
        }
        // "Information, not contained in the rule, necessary to determine the various recurrence instance start time
        // and dates are derived from the Start Time (DTSTART)".
        let named = days.month_day.is_some() || days.year_day.is_some() || days.by_day.is_some();
        if !named && (days.week_no.is_some() && yearly || rule.freq == Frequency::Weekly) {
            days.by_day = Some(ByDay { every: Bits::only(weekday_of(start)), ..ByDay::default() });
        } else if !named && days.week_no.is_none() && rule.freq >= Frequency::Monthly {
            days.month_day = Some((Bits::only(day), Bits::default()));
            if yearly && days.months.is_empty() {
                days.months = Bits::only(month);
            }
        }
        days
    }

    /// True when no date at all passes, whatever the year.
    pub(super) fn never(&self) -> bool {
        let Some((from_start, from_end)) = &self.month_day else { return false };
        let longest = |month: i64| month_length(2000, month);
        let months = if self.months.is_empty() { Bits::from_iter(1..=12) } else { self.months };
        self.skip == Skip::Omit
            && !months.iter().any(|month| from_start.iter().chain(from_end.iter()).any(|day| day <= longest(month)))
    }

    /// True for a day number that is in it. Not for SKIP, which moves days: see [`Days::of_month`].
    pub(super) fn contains(&self, day: i64) -> bool {
        if !self.needs_date() {
            return self.by_day.as_ref().is_none_or(|by_day| by_day.every.contains(weekday_of(day)));
        }
        let (year, month, day_of_month) = civil_of(day);
        self.has_month(month) && self.passes(year, day_of_month, month_length(year, month), day)
    }

    fn needs_date(&self) -> bool {
        !self.months.is_empty()
            || self.month_day.is_some()
            || self.year_day.is_some()
            || self.week_no.is_some()
            || self.by_day.as_ref().is_some_and(|by_day| by_day.has_nth)
    }

    pub(super) fn has_month(&self, month: i64) -> bool {
        self.months.is_empty() || self.months.contains(month)
    }

    /// Adds the days of a month that are in it and in `from..to`, in order.
    pub(super) fn of_month(&self, year: i64, month: i64, from: i64, to: i64, out: &mut Vec<i64>) {
        if !self.has_month(month) {
            return;
        }
        let length = month_length(year, month);
        let first = day_of(year, month, 1);
        for day in first.max(from)..(first + length).min(to) {
            if self.passes(year, day - first + 1, length, day) {
                out.push(day);
            }
        }
        self.skipped(length, first, (from, to), out);
    }

    /// RFC 7529 4.1: a day of the month that this month lacks moves, when SKIP says so.
    fn skipped(&self, length: i64, first: i64, (from, to): (i64, i64), out: &mut Vec<i64>) {
        let Some((from_start, from_end)) = &self.month_day else { return };
        let (after, before) = match self.skip {
            Skip::Omit => return,
            Skip::Backward => (first + length - 1, first - 1),
            Skip::Forward => (first + length, first),
        };
        for (lacking, moved) in [(from_start, after), (from_end, before)] {
            if lacking.iter().any(|day| day > length) {
                self.moved(moved, (from, to), out);
            }
        }
    }

    /// As [`Days::skipped`], for a day of the year that this year lacks.
    pub(super) fn skipped_of_year(&self, year: i64, from: i64, to: i64, out: &mut Vec<i64>) {
        let Some((numbers, _)) = &self.year_day else { return };
        let length = year_length(year);
        let (first, last) = (day_of(year, 1, 1), day_of(year, 12, 31));
        let (after, before) = match self.skip {
            Skip::Omit => return,
            Skip::Backward => (last, first - 1),
            Skip::Forward => (last + 1, first),
        };
        for number in numbers.iter().map(|number| i64::from(*number)) {
            if number.abs() > length {
                self.moved(if number > 0 { after } else { before }, (from, to), out);
            }
        }
    }

    fn moved(&self, day: i64, (from, to): (i64, i64), out: &mut Vec<i64>) {
        let weekday = self.by_day.as_ref().is_none_or(|by_day| by_day.every.contains(weekday_of(day)));
        if weekday && (from..to).contains(&day) {
            out.push(day);
        }
    }

    /// True when days may move into the period before or after their own.
    pub(super) fn skips(&self) -> bool {
        self.skip != Skip::Omit
    }

    fn passes(&self, year: i64, day_of_month: i64, length: i64, day: i64) -> bool {
        if let Some((from_start, from_end)) = &self.month_day
            && !from_start.contains(day_of_month)
            && !from_end.contains(length - day_of_month + 1)
        {
            return false;
        }
        if let Some((numbers, negative)) = &self.year_day {
            let number = day - day_of(year, 1, 1) + 1;
            let from_end = number - year_length(year) - 1;
            let has = |n: i64| i16::try_from(n).is_ok_and(|n| numbers.binary_search(&n).is_ok());
            if !(has(number) || *negative && has(from_end)) {
                return false;
            }
        }
        if let Some((from_start, from_end)) = &self.week_no {
            let (week, weeks) = self.week_of(day);
            if !from_start.contains(week) && !from_end.contains(weeks - week + 1) {
                return false;
            }
        }
        let Some(by_day) = &self.by_day else { return true };
        let weekday = weekday_of(day);
        if by_day.every.contains(weekday) {
            return true;
        }
        let Some((from_start, from_end)) = usize::try_from(weekday).ok().and_then(|at| by_day.nth.get(at)) else {
            return false;
        };
        if from_start.is_empty() && from_end.is_empty() {
            return false;
        }
        let (before, after) = if by_day.within_month {
            (day_of_month - 1, length - day_of_month)
        } else {
            let since = day - day_of(year, 1, 1);
            (since, year_length(year) - 1 - since)
        };
        from_start.contains(before / 7 + 1) || from_end.contains(after / 7 + 1)
    }

    /// The number of the day's week and how many weeks its year has: week 1 is the first with four days or more in the
    /// year, so that a week belongs to the year of its fourth day.
    fn week_of(&self, day: i64) -> (i64, i64) {
        let fourth = day + 3 - (weekday_of(day) - self.week_start).rem_euclid(7);
        let (year, _, _) = civil_of(fourth);
        let first_day = day_of(year, 1, 1);
        let week = (fourth - first_day) / 7 + 1;
        let first_fourth = (self.week_start + 3 - weekday_of(first_day)).rem_euclid(7);
        let weeks = (365 + i64::from(is_leap(year)) - first_fourth + 6) / 7;
        (week, weeks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_numbered_as_iso_8601_does_when_they_begin_on_monday() {
        let days = Days::of(&RecurrenceRule::parse("FREQ=YEARLY;BYWEEKNO=1").unwrap(), 0);
        let mut date = jiff::civil::date(1995, 1, 1);
        while date.year() < 2035 {
            let iso = date.iso_week_date();
            let day = crate::recurrence::local::day_of_date(date);
            assert_eq!(days.week_of(day), (iso.week().into(), iso.weeks_in_year().into()), "{date}");
            date = date.tomorrow().unwrap();
        }
    }
}
