//! Wall-clock arithmetic on plain integers: the proleptic Gregorian calendar (RFC 5545 3.3.4), without zones.
//!
//! A [`Local`] counts the seconds that a clock on the wall shows since 1970-01-01T00:00:00. Expansion happens in
//! these; only its results become instants, so that a change of offset never drifts a series.

use jiff::civil::{Date, DateTime};

/// Wall-clock seconds since 1970-01-01T00:00:00 of the same clock.
pub(crate) type Local = i64;

/// Seconds of a day on the wall.
pub(crate) const DAY: i64 = 86_400;

/// The first wall-clock time that cannot be written: 10000-01-01.
pub(crate) const LOCAL_END: Local = 253_402_300_800;

/// The day number (0 is 1970-01-01) of a date.
pub(crate) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that the leap day is the last: H. Hinnant, "chrono-compatible low-level date algorithms".
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day number.
pub(crate) fn civil_of(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The weekday of a day number: 0 is Monday.
pub(crate) fn weekday_of(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// True in leap years.
pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days in a month.
pub(crate) fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days in a year.
pub(crate) fn year_length(year: i64) -> i64 {
    365 + i64::from(is_leap(year))
}

/// The day number of a date.
pub(crate) fn day_of_date(date: Date) -> i64 {
    day_of(date.year().into(), date.month().into(), date.day().into())
}

/// The wall-clock seconds of a date and time; fractions of a second are dropped.
pub(crate) fn local_of(time: DateTime) -> Local {
    day_of_date(time.date()) * DAY
        + i64::from(time.hour()) * 3600
        + i64::from(time.minute()) * 60
        + i64::from(time.second())
}

/// The date and time of wall-clock seconds; `None` beyond what [`DateTime`] holds.
pub(crate) fn datetime_of(local: Local) -> Option<DateTime> {
    let (year, month, day) = civil_of(local.div_euclid(DAY));
    let second = local.rem_euclid(DAY);
    let part = |n: i64| i8::try_from(n).ok();
    DateTime::new(
        i16::try_from(year).ok()?,
        part(month)?,
        part(day)?,
        part(second / 3600)?,
        part(second / 60 % 60)?,
        part(second % 60)?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_with_jiff_for_800_years() {
        let mut date = jiff::civil::date(1599, 12, 31);
        for day in day_of(1599, 12, 31)..day_of(2400, 1, 2) {
            assert_eq!(civil_of(day), (date.year().into(), date.month().into(), date.day().into()));
            assert_eq!(day_of_date(date), day);
            assert_eq!(weekday_of(day), i64::from(date.weekday().to_monday_zero_offset()));
            date = date.tomorrow().unwrap();
        }
    }

    #[test]
    fn the_end_of_time_is_the_first_that_cannot_be_written() {
        assert!(datetime_of(LOCAL_END - 1).is_some());
        assert_eq!(datetime_of(LOCAL_END), None);
        let time = jiff::civil::date(1969, 12, 31).at(23, 59, 58, 0);
        assert_eq!(local_of(time), -2);
        assert_eq!(datetime_of(-2), Some(time));
    }
}
