//! English as in the United States: the words of `en`, other dates and clocks.

use super::{GuestPhrases, Clock, Locale, Phrases, en};
use jiff::civil::Weekday;

pub(super) const PHRASES: Phrases = Phrases {
    name: "English (US)",
    locale: Locale {
        long_date: |weekday, day, month, year| format!("{weekday}, {month} {day}, {year}"),
        clock: Clock::Hours12,
        times: |start, end| match (start.split_once(' '), end.split_once(' ')) {
            (Some((start, from)), Some((_, to))) if from == to => format!("{start}–{end}"),
            _ => format!("{start} – {end}"),
        },
        first_weekday: Weekday::Sunday,
        ..en::PHRASES.locale
    },
    guest: GuestPhrases {
        day_month: |weekday, day, month| format!("{weekday}, {month} {day}"),
        ..en::PHRASES.guest
    },
    ..en::PHRASES
};
