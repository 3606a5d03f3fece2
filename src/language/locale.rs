//! Dates, clocks and lengths as a language writes them. The zone rules are `ical::Zone`'s: here are wall clocks only.
//! Start with [`Locale`], or with the methods of `Language`, which use it.

use super::Language;
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Weekday};

/// How a language writes dates and times.
#[derive(Clone, Copy, Debug)]
pub struct Locale {
    /// How it is written.
    pub direction: Direction,
    /// From Monday, as in the middle of a sentence.
    pub weekdays: [&'static str; 7],
    /// From Monday, shortened to stand beside a time: `Wed 14:00`.
    pub weekdays_short: [&'static str; 7],
    /// From Monday, two letters or so: the heads of a month's columns.
    pub weekdays_narrow: [&'static str; 7],
    /// From January, as in the middle of a date.
    pub months: [&'static str; 12],
    /// Weekday, day, month and year as a date.
    pub long_date: fn(&str, i8, &str, i16) -> String,
    /// Month and year as a heading.
    pub month_title: fn(&str, i16) -> String,
    /// What the clock shows.
    pub clock: Clock,
    /// A start and an end that the clock shows.
    pub times: fn(&str, &str) -> String,
    /// What a week begins with.
    pub first_weekday: Weekday,
    /// `1 minute`, `2 minutes`.
    pub minutes: fn(i64) -> String,
    /// `1 hour`, `2 hours`.
    pub hours: fn(i64) -> String,
}

/// How a language is written, as HTML's `dir` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `ltr`.
    LeftToRight,
    /// `rtl`.
    RightToLeft,
}

/// What the clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `14:00`.
    Hours24,
    /// `2:00 PM`.
    Hours12,
}

impl Language {
    fn locale(self) -> &'static Locale {
        &self.phrases().locale
    }

    /// The value of HTML's `dir`.
    pub fn direction(self) -> &'static str {
        match self.locale().direction {
            Direction::LeftToRight => "ltr",
            Direction::RightToLeft => "rtl",
        }
    }

    /// `Tuesday 3 March 2026`, `Dienstag, 3. März 2026`.
    pub fn long_date(self, date: Date) -> String {
        let locale = self.locale();
        (locale.long_date)(self.weekday(date.weekday()), date.day(), month(locale, date), date.year())
    }

    /// `Tuesday 3 March`, `Dienstag, 3. März`.
    pub fn day_and_month(self, date: Date) -> String {
        (self.phrases().guest.day_month)(self.weekday(date.weekday()), date.day(), month(self.locale(), date))
    }

    /// `March 2026`.
    pub fn month_title(self, date: Date) -> String {
        let locale = self.locale();
        (locale.month_title)(month(locale, date), date.year())
    }

    /// `Tuesday`.
    pub fn weekday(self, day: Weekday) -> &'static str {
        of_week(&self.locale().weekdays, day)
    }

    /// `Tue`.
    pub fn weekday_short(self, day: Weekday) -> &'static str {
        of_week(&self.locale().weekdays_short, day)
    }

    /// `Tu`.
    pub fn weekday_narrow(self, day: Weekday) -> &'static str {
        of_week(&self.locale().weekdays_narrow, day)
    }

    /// The days of a week in the order of a calendar on the wall.
    pub fn week(self) -> [Weekday; 7] {
        let first = self.locale().first_weekday;
        std::array::from_fn(|day| first.wrapping_add(i64::try_from(day).unwrap_or(0)))
    }

    /// `14:00`, `2:00 PM`.
    pub fn clock(self, time: DateTime) -> String {
        let form = match self.locale().clock {
            Clock::Hours24 => "%H:%M",
            Clock::Hours12 => "%-I:%M %p",
        };
        time.strftime(form).to_string()
    }

    /// `14:00–14:30`, `14:00–14:30 Uhr`, `2:00–2:30 PM`.
    pub fn times(self, start: DateTime, end: DateTime) -> String {
        (self.locale().times)(&self.clock(start), &self.clock(end))
    }

    /// `30 minutes`, `1 hour`, `1 hour 30 minutes`.
    pub fn length(self, duration: SignedDuration) -> String {
        let Locale { minutes, hours, .. } = self.locale();
        match (duration.as_mins() / 60, duration.as_mins() % 60) {
            (0, rest) => minutes(rest),
            (whole, 0) => hours(whole),
            (whole, rest) => format!("{} {}", hours(whole), minutes(rest)),
        }
    }
}

fn of_week(names: &'static [&'static str; 7], day: Weekday) -> &'static str {
    let at = usize::try_from(day.to_monday_zero_offset()).unwrap_or(0);
    names.get(at).copied().unwrap_or_default()
}

fn month(locale: &Locale, date: Date) -> &'static str {
    let at = usize::try_from(date.month() - 1).unwrap_or(0);
    locale.months.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Language::{self, *};
    use jiff::SignedDuration;
    use jiff::civil::{Weekday, date};

    #[test]
    fn a_date_has_its_weekday_and_year_in_the_order_of_the_language() {
        let cases = [
            (English, "Tuesday 3 March 2026", "Sunday 1 March 2026"),
            (AmericanEnglish, "Tuesday, March 3, 2026", "Sunday, March 1, 2026"),
            (German, "Dienstag, 3. März 2026", "Sonntag, 1. März 2026"),
            (French, "mardi 3 mars 2026", "dimanche 1er mars 2026"),
            (Spanish, "martes, 3 de marzo de 2026", "domingo, 1 de marzo de 2026"),
        ];
        for (language, third, first) in cases {
            assert_eq!(language.long_date(date(2026, 3, 3)), third);
            assert_eq!(language.long_date(date(2026, 3, 1)), first);
        }
        let days = Language::ALL.iter().map(|language| language.day_and_month(date(2026, 3, 1)));
        let days: Vec<String> = days.collect();
        assert_eq!(
            days,
            ["Sunday 1 March", "Sunday, March 1", "Sonntag, 1. März", "dimanche 1er mars", "domingo 1 de marzo"]
        );
        assert_eq!(Spanish.month_title(date(2026, 12, 1)), "diciembre de 2026");
        assert_eq!(German.month_title(date(2026, 12, 1)), "Dezember 2026");
    }

    #[test]
    fn the_clock_has_twelve_or_twenty_four_hours() {
        let (noon, later) = (date(2026, 3, 3).at(11, 30, 0, 0), date(2026, 3, 3).at(14, 5, 0, 0));
        assert_eq!(English.times(noon, later), "11:30–14:05");
        assert_eq!(German.times(noon, later), "11:30–14:05 Uhr");
        assert_eq!(AmericanEnglish.times(noon, later), "11:30 AM – 2:05 PM");
        assert_eq!(AmericanEnglish.times(later, date(2026, 3, 3).at(14, 30, 0, 0)), "2:05–2:30 PM");
        assert_eq!(AmericanEnglish.clock(date(2026, 3, 3).at(0, 0, 0, 0)), "12:00 AM");
        assert_eq!(French.clock(date(2026, 3, 3).at(0, 0, 0, 0)), "00:00");
    }

    #[test]
    fn a_week_begins_where_the_language_has_it() {
        assert_eq!(German.week()[0], Weekday::Monday);
        assert_eq!(AmericanEnglish.week()[..2], [Weekday::Sunday, Weekday::Monday]);
        assert_eq!(AmericanEnglish.week()[6], Weekday::Saturday);
        for language in Language::ALL {
            let narrow = language.week().map(|day| language.weekday_narrow(day));
            assert!(narrow.iter().all(|name| !name.is_empty() && name.chars().count() <= 3), "{narrow:?}");
        }
    }

    #[test]
    fn one_is_told_from_many() {
        let length = |language: Language, minutes| language.length(SignedDuration::from_mins(minutes));
        assert_eq!(
            [1, 30, 60, 61, 150].map(|m| length(English, m)),
            ["1 minute", "30 minutes", "1 hour", "1 hour 1 minute", "2 hours 30 minutes"]
        );
        assert_eq!(length(German, 61), "1 Stunde 1 Minute");
        assert_eq!(length(French, 0), "0 minute", "nothing is singular in French");
        assert_eq!(length(Spanish, 120), "2 horas");
    }
}
