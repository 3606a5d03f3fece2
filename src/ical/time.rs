//! DATE and DATE-TIME (RFC 5545 3.3.4, 3.3.5) and DURATION (3.3.6) as written and as values. Start with [`EventTime`].

use super::zone::Zone;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

/// When an event starts or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTime {
    /// A whole day: DATE.
    Date(Date),
    /// Wall-clock time of whoever looks: no zone.
    Floating(DateTime),
    /// An instant, written with `Z`.
    Utc(Timestamp),
    /// Wall-clock time of a zone.
    Zoned(DateTime, Zone),
}

impl EventTime {
    /// True for a DATE.
    pub fn is_date(&self) -> bool {
        matches!(self, EventTime::Date(_))
    }

    /// The zone on whose clock it is written; `host` for dates and floating times.
    pub fn zone(&self, host: &Zone) -> Zone {
        match self {
            EventTime::Date(_) | EventTime::Floating(_) => host.clone(),
            EventTime::Utc(_) => Zone::utc(),
            EventTime::Zoned(_, zone) => zone.clone(),
        }
    }

    /// What the clock of [`EventTime::zone`] shows; midnight for a date.
    pub fn civil(&self) -> DateTime {
        match self {
            EventTime::Date(date) => date.to_datetime(Time::midnight()),
            EventTime::Floating(time) | EventTime::Zoned(time, _) => *time,
            EventTime::Utc(instant) => TimeZone::UTC.to_datetime(*instant),
        }
    }

    /// The instant; of a date its first, in the host's zone.
    pub fn instant(&self, host: &Zone) -> Option<Timestamp> {
        match self {
            EventTime::Utc(instant) => Some(*instant),
            EventTime::Zoned(time, zone) => zone.instant(*time),
            EventTime::Date(_) | EventTime::Floating(_) => host.instant(self.civil()),
        }
    }
}

/// A date or time as its text alone has it, before any TZID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Date(Date),
    Local(DateTime),
    Instant(Timestamp),
}

/// Reads `20260310`, `20260310T100000`, `20260310T100000Z`, and what is written instead of them: `T1000`, a fraction,
/// an offset, the separators of ISO 8601's extended form, hour 24, second 60.
pub(crate) fn parse_written(text: &str) -> Option<Written> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
        None => (text, None),
    };
    let [century, year, month, day] = pairs(date, b'-')?;
    let date = Date::new(i16::from(century) * 100 + i16::from(year), month, day).ok()?;
    let Some(time) = time else { return Some(Written::Date(date)) };
    let (clock, zone) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => (time.get(..at)?, time.get(at..)?),
        None => (time, ""),
    };
    let clock = clock.split(['.', ',']).next()?.trim();
    let clock = pairs(clock, b':').or_else(|| pairs(clock, b':').map(|[hour, minute]| [hour, minute, 0]));
    let [hour, minute, second] = clock?;
    let local = if (hour, minute, second) == (24, 0, 0) {
        date.tomorrow().ok()?.to_datetime(Time::midnight())
    } else {
        date.to_datetime(Time::new(hour, minute, if second == 60 { 59 } else { second }, 0).ok()?)
    };
    let offset = match zone.trim() {
        "" => return Some(Written::Local(local)),
        "Z" | "z" => Offset::UTC,
        zone => Offset::from_seconds(parse_offset(zone)?).ok()?,
    };
    // The last hours of the year 9999 are later than the last instant: they are how some write "for ever".
    Some(Written::Instant(offset.to_timestamp(local).unwrap_or(Timestamp::MAX)))
}

/// The numbers of two digits each that a text is, `separator`s left out, when there are just so many.
fn pairs<const COUNT: usize>(text: &str, separator: u8) -> Option<[i8; COUNT]> {
    let mut digits = text.bytes().filter(|byte| *byte != separator);
    let mut digit = || digits.next().filter(u8::is_ascii_digit).map(|byte| byte - b'0');
    let mut pairs = [0; COUNT];
    for pair in &mut pairs {
        *pair = i8::try_from(digit()? * 10 + digit()?).ok()?;
    }
    digits.next().is_none().then_some(pairs)
}

/// A UTC offset in seconds (RFC 5545 3.3.14): `+0530`, `-053000`, `+05:30`, `+05`. `+5730`, which is no hour, was once
/// `+005730`: the local mean time of a server that lost its zeros.
pub(crate) fn parse_offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |n| n.parse::<i32>().ok());
    let (hours, minutes, seconds) = match digits.len() {
        1 | 2 => (digits.parse().ok()?, 0, 0),
        4 if part(0, 2)? > 24 => (0, part(0, 2)?, part(2, 4)?),
        4 | 6 => (part(0, 2)?, part(2, 4)?, part(4, 6)?),
        _ => return None,
    };
    (hours <= 25 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

/// The length of an event: days on the wall clock, then seconds exactly (RFC 5545 3.3.6, 3.8.5.3). Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Length {
    /// On the wall clock: a day over a change of offset has 23 or 25 hours.
    pub days: i64,
    /// Of elapsed time, after the days.
    pub seconds: i64,
}

impl Length {
    /// Elapsed seconds.
    pub fn exact(seconds: i64) -> Length {
        Length { days: 0, seconds }
    }

    /// Days on the wall clock.
    pub fn days(days: i64) -> Length {
        Length { days, seconds: 0 }
    }

    /// In seconds, a day as 24 hours: to tell which of two is longer.
    pub(crate) fn about(self) -> i64 {
        self.days.saturating_mul(86_400).saturating_add(self.seconds)
    }

    /// Reads a DURATION: `P1W`, `P1DT2H`, `PT90M`, also the broken `PT2D` and `P2DT`. `Err` when it is negative.
    pub(crate) fn parse(text: &str) -> Option<Result<Length, Length>> {
        // No event lasts longer than the calendar.
        const MOST: i64 = 400_000_000_000;
        let text = text.trim().to_ascii_uppercase();
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(&text)),
        };
        let rest = rest.strip_prefix('P')?;
        let mut length = Length::default();
        let mut number: Option<i64> = None;
        let (mut any, mut time) = (false, false);
        for c in rest.chars() {
            if let Some(digit) = c.to_digit(10) {
                number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit.into()).min(MOST));
                continue;
            }
            if c == 'T' && number.is_none() && !time {
                time = true;
                continue;
            }
            let count = number.take()?;
            match c {
                'W' => length.days += count.min(MOST / 86_400) * 7,
                'D' => length.days += count.min(MOST / 86_400),
                'H' => length.seconds += count.saturating_mul(3600).min(MOST),
                'M' if time => length.seconds += count.saturating_mul(60).min(MOST),
                'S' => length.seconds += count,
                _ => return None,
            }
            any = true;
        }
        if !any || number.is_some() || length.days > MOST || length.seconds > 4 * MOST {
            return None;
        }
        Some(if negative && length != Length::default() { Err(length) } else { Ok(length) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_written_and_as_miswritten() {
        let local = |text: &str| Written::Local(text.parse().unwrap());
        let instant = |text: &str| Written::Instant(text.parse().unwrap());
        for (text, expected) in [
            ("20260310", Written::Date(jiff::civil::date(2026, 3, 10))),
            (" 2026-03-10 ", Written::Date(jiff::civil::date(2026, 3, 10))),
            ("20260310T100000", local("2026-03-10T10:00")),
            ("20260310T1000", local("2026-03-10T10:00")),
            ("20260310t100000z", instant("2026-03-10T10:00Z")),
            ("2026-03-10T10:00:00.000Z", instant("2026-03-10T10:00Z")),
            ("20260310T100000+0100", instant("2026-03-10T09:00Z")),
            ("20260310T240000", local("2026-03-11T00:00")),
            ("20260310T235960", local("2026-03-10T23:59:59")),
            ("16010101T000000", local("1601-01-01T00:00")),
        ] {
            assert_eq!(parse_written(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "00000000T000000",
            "20260230",
            "20260310T",
            "20260310T250000",
            "soon",
            "2026031",
            "20260310T100000Q",
            "2026\u{FC}310",
        ] {
            assert_eq!(parse_written(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_are_read_as_written_and_as_miswritten() {
        for (text, seconds) in [
            ("+0530", 19_800),
            ("-053000", -19_800),
            ("+05:30", 19_800),
            ("0100", 3600),
            ("+1", 3600),
            ("+5730", 57 * 60 + 30),
            ("-0000", 0),
        ] {
            assert_eq!(parse_offset(text), Some(seconds), "{text}");
        }
        for text in ["", "+", "+05301", "+0599", "five"] {
            assert_eq!(parse_offset(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_keep_days_and_seconds_apart() {
        let of = |days, seconds| Some(Ok(Length { days, seconds }));
        for (text, expected) in [
            ("P1W", of(7, 0)),
            ("P1D", of(1, 0)),
            ("PT24H", of(0, 86_400)),
            ("P1DT2H3M4S", of(1, 7384)),
            ("p1dt1h", of(1, 3600)),
            ("PT2D", of(2, 0)),
            ("P2DT", of(2, 0)),
            ("+PT15M", of(0, 900)),
            ("PT0S", of(0, 0)),
            ("-PT15M", Some(Err(Length::exact(900)))),
        ] {
            assert_eq!(Length::parse(text), expected, "{text}");
        }
        for text in ["", "P", "PT", "P1", "P1M", "P1Y", "1H", "PT1.5H", "PTH"] {
            assert_eq!(Length::parse(text), None, "{text}");
        }
        assert!(Length::parse("P99999999999999999999DT99999999999999999999H").unwrap().is_ok());
    }
}
