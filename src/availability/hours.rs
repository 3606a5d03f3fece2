//! Hours: when the host is willing to meet, in wall-clock time.

use jiff::civil::{Date, Weekday};
use std::fmt;

/// A range of wall-clock time within one day, in minutes since midnight: `start` is in it, `end` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeRange {
    start: u16,
    end: u16,
}

impl TimeRange {
    /// `None` unless `start` < `end` <= 24:00, in minutes.
    pub fn new(start: u16, end: u16) -> Option<TimeRange> {
        (start < end && end <= 24 * 60).then_some(TimeRange { start, end })
    }

    /// Minutes since midnight.
    pub fn start(&self) -> u16 {
        self.start
    }

    /// Minutes since midnight; 1440 is the end of the day.
    pub fn end(&self) -> u16 {
        self.end
    }

    /// Reads `09:00-12:30`; the end may be `24:00`.
    pub fn parse(text: &str) -> Result<TimeRange, HoursError> {
        let wrong = || HoursError::new(text, "a range of time is written 09:00-12:00");
        let minutes = |clock: &str| -> Option<u16> {
            let (hour, minute) = clock.split_once(':')?;
            let digits = |t: &str, lengths: std::ops::RangeInclusive<usize>| {
                (lengths.contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit()))
                    .then(|| t.parse::<u16>().ok())
                    .flatten()
            };
            let (hour, minute) = (digits(hour, 1..=2)?, digits(minute, 2..=2)?);
            (minute < 60 && (hour < 24 || (hour == 24 && minute == 0))).then_some(hour * 60 + minute)
        };
        let (start, end) = text.split_once('-').ok_or_else(wrong)?;
        let (start, end) = (minutes(start).ok_or_else(wrong)?, minutes(end).ok_or_else(wrong)?);
        TimeRange::new(start, end)
            .ok_or_else(|| HoursError::new(text, "the end of a range of time must be after its start, on the same day"))
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.start / 60, self.start % 60, self.end / 60, self.end % 60)
    }
}

/// The ranges of each weekday.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeeklyHours {
    days: [Vec<TimeRange>; 7],
}

impl WeeklyHours {
    /// Adds a line such as `Mon-Fri 09:00-12:00 13:00-17:00` or `Tue,Thu 10:00-11:00`.
    pub fn add(&mut self, line: &str) -> Result<(), HoursError> {
        let mut words = line.split_whitespace();
        let days = words
            .next()
            .ok_or_else(|| HoursError::new(line, "say which days, then which times: Mon-Fri 09:00-12:00"))?;
        let days = parse_days(days)?;
        let ranges = words.map(TimeRange::parse).collect::<Result<Vec<_>, _>>()?;
        if ranges.is_empty() {
            return Err(HoursError::new(line, "the days need at least one range of time, such as 09:00-12:00"));
        }
        for (day, open) in self.days.iter_mut().zip(days) {
            if open {
                day.extend(&ranges);
                day.sort_unstable();
            }
        }
        Ok(())
    }

    /// The ranges of a weekday, sorted by start; they may overlap.
    pub fn on(&self, day: Weekday) -> &[TimeRange] {
        self.days.get(usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)).map_or(&[], Vec::as_slice)
    }

    /// True when no day is open.
    pub fn is_empty(&self) -> bool {
        self.days.iter().all(Vec::is_empty)
    }
}

/// Which days (Monday first) a word such as `Mon-Fri`, `Tue` or `Sat,Sun` names. `Fri-Mon` goes over the weekend.
fn parse_days(word: &str) -> Result<[bool; 7], HoursError> {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let index = |name: &str| -> Result<usize, HoursError> {
        let lower = name.to_lowercase();
        let found = NAMES.iter().position(|full| lower.len() >= 3 && full.starts_with(&lower));
        found.ok_or_else(|| HoursError::new(name, "a day is Mon, Tue, Wed, Thu, Fri, Sat or Sun"))
    };
    let mut days = [false; 7];
    for part in word.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (index(first)?, index(last)?),
            None => (index(part)?, index(part)?),
        };
        let count = (last + 7 - first) % 7 + 1;
        for (day, open) in days.iter_mut().enumerate() {
            *open |= (day + 7 - first) % 7 < count;
        }
    }
    Ok(days)
}

/// The ranges of some dates, instead of the weekday's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateHours {
    /// The first date, in the host's zone.
    pub first: Date,
    /// The last date; it counts.
    pub last: Date,
    /// Empty: closed.
    pub ranges: Vec<TimeRange>,
}

impl DateHours {
    /// Reads `2026-12-24..2027-01-06 closed` or `2026-12-01 10:00-15:00`.
    pub fn parse(line: &str) -> Result<DateHours, HoursError> {
        let usage = "a date line is written 2026-12-24..2027-01-06 closed, or 2026-12-01 10:00-15:00";
        let mut words = line.split_whitespace();
        let dates = words.next().ok_or_else(|| HoursError::new(line, usage))?;
        let (first, last) = dates.split_once("..").unwrap_or((dates, dates));
        let date = |text: &str| -> Result<Date, HoursError> {
            let date = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
            date.ok_or_else(|| HoursError::new(text, "a date is written 2026-12-24"))
        };
        let (first, last) = (date(first)?, date(last)?);
        if last < first {
            return Err(HoursError::new(dates, "the last date is before the first"));
        }
        let rest: Vec<&str> = words.collect();
        let mut ranges = match rest.as_slice() {
            [] => return Err(HoursError::new(line, usage)),
            ["closed"] => Vec::new(),
            ranges => ranges.iter().copied().map(TimeRange::parse).collect::<Result<Vec<_>, _>>()?,
        };
        ranges.sort_unstable();
        Ok(DateHours { first, last, ranges })
    }
}

/// When the host is willing to meet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// Each week.
    pub weekly: WeeklyHours,
    /// Dates that replace a day's hours, wherever they come from; of several lines for one date the last counts.
    pub dates: Vec<DateHours>,
}

impl Hours {
    /// What `dates` says of a date, if anything.
    pub fn exception(&self, date: Date) -> Option<&DateHours> {
        self.dates.iter().rev().find(|line| line.first <= date && date <= line.last)
    }
}

/// A line of hours that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?}: {advice}")]
pub struct HoursError {
    /// The part that cannot be read.
    pub text: String,
    /// What to write instead.
    pub advice: &'static str,
}

impl HoursError {
    fn new(text: &str, advice: &'static str) -> HoursError {
        HoursError { text: text.to_owned(), advice }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekly(lines: &[&str]) -> WeeklyHours {
        let mut hours = WeeklyHours::default();
        for line in lines {
            hours.add(line).unwrap();
        }
        hours
    }

    fn on(hours: &WeeklyHours, day: Weekday) -> String {
        hours.on(day).iter().map(TimeRange::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn weekly_lines_add_up() {
        let hours = weekly(&["Mon-Fri 09:00-12:00 13:00-17:00", "Wed 18:00-19:00"]);
        assert_eq!(on(&hours, Weekday::Monday), "09:00-12:00 13:00-17:00");
        assert_eq!(on(&hours, Weekday::Wednesday), "09:00-12:00 13:00-17:00 18:00-19:00");
        assert_eq!(on(&hours, Weekday::Saturday), "");
    }

    #[test]
    fn days_can_be_listed_and_go_over_the_weekend() {
        let hours = weekly(&["Tue,Thu 10:00-11:00", "sat-Mon 9:00-24:00"]);
        assert_eq!(on(&hours, Weekday::Thursday), "10:00-11:00");
        assert_eq!(on(&hours, Weekday::Sunday), "09:00-24:00");
        assert_eq!(on(&hours, Weekday::Monday), "09:00-24:00");
        assert_eq!(on(&hours, Weekday::Friday), "");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (line, part) in [
            ("Mon-Fri", "Mon-Fri"),
            ("Mo 09:00-10:00", "Mo"),
            ("Mon 9-10", "9-10"),
            ("Mon 10:00-09:00", "10:00-09:00"),
            ("Mon 09:00-24:01", "09:00-24:01"),
            ("Mon 09:00-10:60", "09:00-10:60"),
        ] {
            assert_eq!(WeeklyHours::default().add(line).unwrap_err().text, part, "{line}");
        }
        for line in ["2026-12-24", "2026-12-24..2026-12-01 closed", "2026-13-01 closed", "24.12. closed", ""] {
            assert!(DateHours::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_last_line_for_a_date_counts() {
        let hours = Hours {
            dates: ["2026-12-24..2027-01-06 closed", "2027-01-04 10:00-15:00"]
                .map(|l| DateHours::parse(l).unwrap())
                .to_vec(),
            ..Hours::default()
        };
        let of = |date: &str| hours.exception(date.parse().unwrap()).map(|line| line.ranges.len());
        assert_eq!(of("2026-12-23"), None);
        assert_eq!(of("2027-01-06"), Some(0));
        assert_eq!(of("2027-01-04"), Some(1));
    }
}
