//! A month as a grid of days, and the slots of its days. Pure. Start with [`Month`].

use super::when;
use crate::desk::Slot;
use crate::ical::Zone;
use crate::language::Language;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// A month in the host's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Month {
    first: Date,
}

impl Month {
    pub(super) fn of(date: Date) -> Month {
        Month { first: date.first_of_month() }
    }

    /// Reads `2026-12`.
    pub(super) fn parse(text: &str) -> Option<Month> {
        let is_month = text.len() == 7 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        is_month.then(|| format!("{text}-01").parse().ok().map(Month::of)).flatten()
    }

    pub(super) fn next(self) -> Option<Month> {
        self.first.checked_add(1.month()).ok().map(Month::of)
    }

    pub(super) fn previous(self) -> Option<Month> {
        self.first.checked_sub(1.month()).ok().map(Month::of)
    }

    /// `2026-12`.
    pub(super) fn param(self) -> String {
        self.first.strftime("%Y-%m").to_string()
    }

    /// `December 2026`.
    pub(super) fn title(self, language: Language) -> String {
        language.month_title(self.first)
    }

    pub(super) fn contains(self, date: Date) -> bool {
        date.first_of_month() == self.first
    }

    /// Whole weeks, in the order of the language; days of other months are `None`.
    pub(super) fn weeks(self, language: Language) -> Vec<Vec<Option<Date>>> {
        let lead = language.week().iter().position(|day| *day == self.first.weekday()).unwrap_or(0);
        let days = (1..=self.first.days_in_month())
            .filter_map(|day| Date::new(self.first.year(), self.first.month(), day).ok().map(Some));
        let mut cells: Vec<Option<Date>> = std::iter::repeat_n(None, lead).chain(days).collect();
        cells.resize(cells.len().next_multiple_of(7), None);
        cells.chunks(7).map(<[Option<Date>]>::to_vec).collect()
    }
}

/// The slots of each date at the host, in order.
pub(super) fn by_day(slots: &[Slot], zone: &Zone) -> BTreeMap<Date, Vec<Slot>> {
    let mut days: BTreeMap<Date, Vec<Slot>> = BTreeMap::new();
    for slot in slots {
        days.entry(zone.civil(slot.time.start()).date()).or_default().push(*slot);
    }
    days
}

/// A slot as a line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SlotLine {
    pub(super) url: String,
    /// UTC.
    pub(super) start: String,
    /// `14:00`, with its offset on a day when the clocks change.
    pub(super) clock: String,
    /// `08:00`, or with the weekday when it is another date there.
    pub(super) guest: Option<String>,
    /// `3 seats left`.
    pub(super) seats: Option<String>,
}

/// The slots of one date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DayLines {
    /// `Tuesday 1 December 2026`.
    pub(super) title: String,
    pub(super) slots: Vec<SlotLine>,
}

/// How a list of slots is written.
pub(super) struct Lines<'a> {
    pub(super) host: &'a Zone,
    pub(super) guest: Option<&'a Zone>,
    /// The seats of the meeting type.
    pub(super) seats: u32,
    pub(super) language: Language,
}

impl Lines<'_> {
    pub(super) fn day(&self, date: Date, slots: &[Slot], url: impl Fn(Timestamp) -> String) -> DayLines {
        let offset = |slot: &Slot| self.host.offset(slot.time.start());
        let clocks_change = slots.iter().any(|slot| slots.first().is_some_and(|first| offset(first) != offset(slot)));
        let line = |slot: &Slot| {
            let at = slot.time.start();
            let mut clock = self.language.clock(self.host.civil(at));
            if clocks_change {
                clock = format!("{clock} ({})", when::offset(self.host, at));
            }
            let guest = self.guest.filter(|guest| guest.offset(at) != self.host.offset(at)).map(|guest| {
                let theirs = guest.civil(at);
                let clock = self.language.clock(theirs);
                if theirs.date() == date {
                    clock
                } else {
                    format!("{} {clock}", self.language.weekday_short(theirs.weekday()))
                }
            });
            let seats = (self.seats > 1).then(|| (self.language.phrases().page.seats_left)(i64::from(slot.seats_left)));
            SlotLine { url: url(at), start: super::super::fault::rfc3339(at), clock, guest, seats }
        };
        DayLines { title: self.language.long_date(date), slots: slots.iter().map(line).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::Interval;
    use jiff::SignedDuration;

    fn slot(start: &str) -> Slot {
        let start: Timestamp = start.parse().unwrap();
        Slot { time: Interval::new(start, start + SignedDuration::from_mins(30)).unwrap(), seats_left: 1 }
    }

    #[test]
    fn a_month_is_whole_weeks_from_monday() {
        let weeks = Month::parse("2026-12").unwrap().weeks(Language::English);
        assert_eq!(weeks.len(), 5);
        assert_eq!(weeks[0][0], None);
        assert_eq!(weeks[0][1], Some(jiff::civil::date(2026, 12, 1)));
        assert_eq!(weeks[4][3], Some(jiff::civil::date(2026, 12, 31)));
        assert_eq!(weeks[4][4], None);
        assert_eq!(Month::parse("2027-02").unwrap().weeks(Language::English).len(), 4);
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in ["", "2026-13", "2026-1", "26-12-1", "2026-12-01", "+26-012"] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
        assert_eq!(Month::parse("9999-12").unwrap().next(), None);
    }

    #[test]
    fn a_day_is_the_hosts() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let days = by_day(&[slot("2026-11-30T22:30:00Z"), slot("2026-11-30T23:00:00Z")], &berlin);
        let days: Vec<String> = days.keys().map(Date::to_string).collect();
        assert_eq!(days, ["2026-11-30", "2026-12-01"]);
    }

    #[test]
    fn the_repeated_hour_is_told_apart_by_its_offset() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let lines = Lines { host: &berlin, guest: None, seats: 1, language: Language::English };
        let date = jiff::civil::date(2026, 10, 25);
        let day = lines.day(date, &[slot("2026-10-25T00:30:00Z"), slot("2026-10-25T01:30:00Z")], |_| String::new());
        let clocks: Vec<&str> = day.slots.iter().map(|slot| slot.clock.as_str()).collect();
        assert_eq!(clocks, ["02:30 (UTC+2)", "02:30 (UTC+1)"]);
    }

    #[test]
    fn the_guests_weekday_is_said_when_it_differs() {
        let (berlin, tokyo) = (Zone::named("Europe/Berlin").unwrap(), Zone::named("Asia/Tokyo").unwrap());
        let lines = Lines { host: &berlin, guest: Some(&tokyo), seats: 3, language: Language::English };
        let day = lines.day(
            jiff::civil::date(2026, 12, 1),
            &[slot("2026-12-01T08:00:00Z"), slot("2026-12-01T16:00:00Z")],
            |_| String::new(),
        );
        let guests: Vec<_> = day.slots.iter().map(|slot| slot.guest.as_deref().unwrap()).collect();
        assert_eq!(guests, ["17:00", "Wed 01:00"]);
        assert_eq!(day.slots[0].seats.as_deref(), Some("1 seat left"));
    }
}
