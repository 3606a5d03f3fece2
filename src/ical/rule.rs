//! Recurrence rules as text (RFC 5545 3.3.10) and as values. Start with [`RecurrenceRule`].

use super::time::{Written, parse_written};
use crate::recurrence::Bits;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use std::borrow::Cow;

/// FREQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Frequency {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// UNTIL: the last instant, wall-clock time or day at which an instance may start; it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A day, on the clock of DTSTART.
    Date(Date),
    /// A time on the clock of DTSTART.
    Local(DateTime),
    /// An instant.
    Utc(Timestamp),
}

/// SKIP (RFC 7529): what becomes of a day that a month does not have. Only together with RSCALE=GREGORIAN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Skip {
    /// There is no such instance: RFC 5545.
    #[default]
    Omit,
    /// It moves to the last day of that month.
    Backward,
    /// It moves to the first day of the next month.
    Forward,
}

/// A BYDAY entry: every such weekday, or the n-th of the month or year (from its end when negative).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WeekdayNum {
    /// `None`: every such weekday.
    pub ordinal: Option<i16>,
    /// 0 is Monday.
    pub weekday: u8,
}

/// An RRULE or EXRULE. A part that is absent is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecurrenceRule {
    /// FREQ.
    pub freq: Frequency,
    /// INTERVAL, at least 1.
    pub interval: u32,
    /// COUNT, at least 1.
    pub count: Option<u64>,
    /// UNTIL.
    pub until: Option<Until>,
    /// BYSECOND, 0 to 59.
    pub by_second: Bits,
    /// BYMINUTE, 0 to 59.
    pub by_minute: Bits,
    /// BYHOUR, 0 to 23.
    pub by_hour: Bits,
    /// BYDAY, sorted.
    pub by_day: Vec<WeekdayNum>,
    /// BYMONTHDAY from the start, 1 to 31.
    pub by_month_day: Bits,
    /// BYMONTHDAY from the end, 1 to 31.
    pub by_month_day_from_end: Bits,
    /// BYYEARDAY, 1 to 366 or -366 to -1, sorted.
    pub by_year_day: Vec<i16>,
    /// BYWEEKNO from the start, 1 to 53.
    pub by_week_no: Bits,
    /// BYWEEKNO from the end, 1 to 53.
    pub by_week_no_from_end: Bits,
    /// BYMONTH, 1 to 12.
    pub by_month: Bits,
    /// BYSETPOS, sorted, without 0.
    pub by_set_pos: Vec<i16>,
    /// WKST; 0 is Monday.
    pub week_start: u8,
    /// SKIP.
    pub skip: Skip,
    /// What was not understood but leaves the rule usable; each says what was assumed.
    pub oddities: Vec<String>,
}

/// A rule that cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RuleError {
    /// Why, for the reader of a log.
    pub reason: String,
    /// As far as the rule could reach, where that can be read.
    pub until: Option<Until>,
}

impl RecurrenceRule {
    /// A rule with nothing but FREQ.
    pub fn every(freq: Frequency) -> RecurrenceRule {
        RecurrenceRule {
            freq,
            interval: 1,
            count: None,
            until: None,
            by_second: Bits::default(),
            by_minute: Bits::default(),
            by_hour: Bits::default(),
            by_day: Vec::new(),
            by_month_day: Bits::default(),
            by_month_day_from_end: Bits::default(),
            by_year_day: Vec::new(),
            by_week_no: Bits::default(),
            by_week_no_from_end: Bits::default(),
            by_month: Bits::default(),
            by_set_pos: Vec::new(),
            week_start: 0,
            skip: Skip::Omit,
            oddities: Vec::new(),
        }
    }

    /// Reads `FREQ=WEEKLY;BYDAY=MO,WE`. Parts may stand in any order and case.
    ///
    /// Where a part cannot be read, the reading that gives more busy time is taken, with a line in `oddities`; where
    /// there is none, the rule is refused.
    pub fn parse(text: &str) -> Result<RecurrenceRule, RuleError> {
        let text = text.trim();
        let text = text
            .get(..6)
            .filter(|start| start.eq_ignore_ascii_case("RRULE:"))
            .map_or(text, |_| text.get(6..).unwrap_or(""));
        let mut parts: Vec<(Cow<'_, str>, &str)> = Vec::with_capacity(4);
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            parts.push((upper(name.trim()), value.trim()));
        }
        let until = parts.iter().find(|(name, _)| name == "UNTIL").and_then(|(_, value)| parse_until(value));
        read(&parts, until).map_err(|reason| RuleError { reason, until })
    }
}

fn read(parts: &[(Cow<'_, str>, &str)], until: Option<Until>) -> Result<RecurrenceRule, String> {
    for (at, (name, value)) in parts.iter().enumerate() {
        let earlier = parts.get(..at).unwrap_or_default();
        if earlier.iter().any(|(other, first)| other == name && !first.eq_ignore_ascii_case(value)) {
            return Err(format!("it has {name} twice"));
        }
    }
    let freq = parts.iter().find(|(name, _)| name == "FREQ").ok_or("it has no FREQ")?.1;
    let freq = match upper(freq).as_ref() {
        "SECONDLY" => Frequency::Secondly,
        "MINUTELY" => Frequency::Minutely,
        "HOURLY" => Frequency::Hourly,
        "DAILY" => Frequency::Daily,
        "WEEKLY" => Frequency::Weekly,
        "MONTHLY" => Frequency::Monthly,
        "YEARLY" => Frequency::Yearly,
        _ => return Err(format!("FREQ={freq} is no frequency")),
    };
    let mut rule = RecurrenceRule { until, ..RecurrenceRule::every(freq) };
    for (name, value) in parts {
        if value.is_empty() {
            rule.oddities.push(format!("{name} is empty and was ignored"));
            continue;
        }
        match name.as_ref() {
            "FREQ" => {}
            "INTERVAL" => {
                rule.interval = number(value).filter(|n| *n > 0).ok_or(format!("INTERVAL={value} is no interval"))?;
            }
            "COUNT" => match number::<u64>(value).filter(|n| *n > 0) {
                Some(count) => rule.count = Some(count),
                None => rule.oddities.push(format!("COUNT={value} is no count: the series was taken as endless")),
            },
            "UNTIL" if until.is_none() => {
                rule.oddities.push(format!("UNTIL={value} is no time: the series was taken as endless"));
            }
            "UNTIL" => {}
            "BYSECOND" => rule.by_second = bits(name, value, 0..=60, &mut rule.oddities)?.folded_second(),
            "BYMINUTE" => rule.by_minute = bits(name, value, 0..=59, &mut rule.oddities)?,
            "BYHOUR" => rule.by_hour = bits(name, value, 0..=23, &mut rule.oddities)?,
            "BYMONTH" => rule.by_month = bits(name, value, 1..=12, &mut rule.oddities)?,
            "BYMONTHDAY" => {
                (rule.by_month_day, rule.by_month_day_from_end) = signed_bits(name, value, 31, &mut rule.oddities)?;
            }
            "BYWEEKNO" => {
                (rule.by_week_no, rule.by_week_no_from_end) = signed_bits(name, value, 53, &mut rule.oddities)?;
            }
            "BYYEARDAY" => rule.by_year_day = list(name, value, 366, &mut rule.oddities)?,
            "BYSETPOS" => rule.by_set_pos = list(name, value, 366, &mut rule.oddities)?,
            "BYDAY" => rule.by_day = weekdays(value, &mut rule.oddities)?,
            "WKST" => match weekday(value) {
                Some(day) => rule.week_start = day,
                None => rule.oddities.push(format!("WKST={value} is no weekday: weeks were taken to begin on Monday")),
            },
            "RSCALE" if value.eq_ignore_ascii_case("GREGORIAN") => {}
            "RSCALE" => return Err(format!("its calendar RSCALE={value} is not known")),
            "SKIP" => {
                rule.skip = match upper(value).as_ref() {
                    "OMIT" => Skip::Omit,
                    "BACKWARD" => Skip::Backward,
                    "FORWARD" => Skip::Forward,
                    _ => return Err(format!("SKIP={value} is not known")),
                }
            }
            _ => return Err(format!("its part {name} is not known")),
        }
    }
    Ok(rule)
}

/// In upper case: most are.
pub(super) fn upper(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_lowercase()) { text.to_ascii_uppercase().into() } else { text.into() }
}

fn parse_until(text: &str) -> Option<Until> {
    match parse_written(text)? {
        Written::Date(date) => Some(Until::Date(date)),
        Written::Local(time) => Some(Until::Local(time)),
        Written::Instant(instant) => Some(Until::Utc(instant)),
    }
}

/// A number without sign; one too large for its type is as large as that can be.
fn number<T: TryFrom<u128> + Bounded>(text: &str) -> Option<T> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse::<u128>().ok().and_then(|n| T::try_from(n).ok()).unwrap_or(T::MOST))
}

trait Bounded {
    const MOST: Self;
}
impl Bounded for u32 {
    const MOST: u32 = u32::MAX;
}
impl Bounded for u64 {
    const MOST: u64 = u64::MAX;
}

/// The numbers of a list within `-most..=most`, without 0, sorted. Those that no calendar can have are dropped.
fn list(name: &str, value: &str, most: i16, oddities: &mut Vec<String>) -> Result<Vec<i16>, String> {
    let mut numbers = Vec::new();
    for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let number: i64 = item.parse().map_err(|_| format!("{name}={item} is no number"))?;
        match i16::try_from(number).ok().filter(|n| *n != 0 && n.abs() <= most) {
            Some(number) => numbers.push(number),
            None => oddities.push(format!("{name}={item} never comes and was ignored")),
        }
    }
    if numbers.is_empty() {
        return Err(format!("{name}={value} never comes"));
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn signed_bits(name: &str, value: &str, most: i16, oddities: &mut Vec<String>) -> Result<(Bits, Bits), String> {
    let (mut from_start, mut from_end) = (Bits::default(), Bits::default());
    for number in list(name, value, most, oddities)? {
        let bits = if number > 0 { &mut from_start } else { &mut from_end };
        bits.insert(number.unsigned_abs().into());
    }
    Ok((from_start, from_end))
}

fn bits(
    name: &str,
    value: &str,
    range: std::ops::RangeInclusive<i64>,
    oddities: &mut Vec<String>,
) -> Result<Bits, String> {
    let mut bits = Bits::default();
    for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let number: i64 = item.parse().map_err(|_| format!("{name}={item} is no number"))?;
        if range.contains(&number) {
            bits.insert(number);
        } else {
            oddities.push(format!("{name}={item} never comes and was ignored"));
        }
    }
    if bits.is_empty() { Err(format!("{name}={value} never comes")) } else { Ok(bits) }
}

fn weekdays(value: &str, oddities: &mut Vec<String>) -> Result<Vec<WeekdayNum>, String> {
    let mut days = Vec::new();
    for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let wrong = || format!("BYDAY={item} is no weekday");
        let split = item.len().checked_sub(2).filter(|at| item.is_char_boundary(*at)).ok_or_else(wrong)?;
        let (ordinal, name) = item.split_at(split);
        let weekday = weekday(name).ok_or_else(wrong)?;
        let ordinal = match ordinal.trim() {
            "" => None,
            text => Some(text.parse::<i16>().map_err(|_| wrong())?),
        };
        match ordinal {
            Some(n) if n == 0 || n.abs() > 53 => oddities.push(format!("BYDAY={item} never comes and was ignored")),
            _ => days.push(WeekdayNum { ordinal, weekday }),
        }
    }
    if days.is_empty() {
        return Err(format!("BYDAY={value} never comes"));
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// 0 is Monday.
fn weekday(text: &str) -> Option<u8> {
    const NAMES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let at = NAMES.iter().position(|name| name.eq_ignore_ascii_case(text))?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_read_in_any_order_and_case() {
        let rule = RecurrenceRule::parse(
            "byday=+1mo,-2SU,WE;Freq=YEARLY;INTERVAL=2;UNTIL=20300101;BYMONTH=1,12;BYMONTHDAY=-1,31;BYYEARDAY=1,-366;\
             BYWEEKNO=53,-1;BYHOUR=0,23;BYMINUTE=59;BYSECOND=60;BYSETPOS=-1,1;WKST=SU;",
        )
        .unwrap();
        assert_eq!(rule.freq, Frequency::Yearly);
        assert_eq!(rule.interval, 2);
        assert_eq!(rule.until, Some(Until::Date(jiff::civil::date(2030, 1, 1))));
        assert_eq!(rule.by_day.len(), 3);
        assert!(rule.by_month.contains(12) && rule.by_month_day.contains(31) && rule.by_month_day_from_end.contains(1));
        assert_eq!(rule.by_year_day, [-366, 1]);
        assert!(rule.by_second.contains(59), "a leap second is read as the 59th");
        assert_eq!(rule.week_start, 6);
        assert!(rule.oddities.is_empty(), "{:?}", rule.oddities);
    }

    #[test]
    fn what_cannot_be_expanded_is_refused_with_its_reach() {
        for (text, reason) in [
            ("COUNT=3", "it has no FREQ"),
            ("FREQ=FORTNIGHTLY", "FREQ=FORTNIGHTLY is no frequency"),
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0 is no interval"),
            ("RSCALE=CHINESE;FREQ=YEARLY", "its calendar RSCALE=CHINESE is not known"),
            ("FREQ=YEARLY;BYEASTER=1", "its part BYEASTER is not known"),
            ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX is no weekday"),
            ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32 never comes"),
            ("FREQ=DAILY;COUNT=2;COUNT=3", "it has COUNT twice"),
        ] {
            assert_eq!(RecurrenceRule::parse(text).unwrap_err().reason, reason, "{text}");
        }
        let until = RecurrenceRule::parse("FREQ=EVER;UNTIL=20260401").unwrap_err().until;
        assert_eq!(until, Some(Until::Date(jiff::civil::date(2026, 4, 1))));
    }

    #[test]
    fn an_end_that_cannot_be_read_makes_a_series_endless_with_a_word() {
        for text in ["FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=-1", "FREQ=DAILY;COUNT=few"] {
            let rule = RecurrenceRule::parse(text).unwrap();
            assert_eq!((rule.count, rule.until, rule.oddities.len()), (None, None, 1), "{text}");
        }
        assert_eq!(RecurrenceRule::parse("FREQ=DAILY;INTERVAL=99999999999999999999").unwrap().interval, u32::MAX);
    }
}
