//! The same question to each engine: how many instances of a rule, or busy intervals of an object, are in the window.

use super::calendar::Recurrence;
use officehours::availability::Interval;
use officehours::ical::{EventTime, RecurrenceRule, Zone};
use officehours::recurrence::{Budget, RecurrenceSet};

pub(crate) fn ours((start, rule): &Recurrence, zone: &Zone, window: Interval) -> usize {
    let start = EventTime::Zoned(jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", start).unwrap(), zone.clone());
    let mut set = RecurrenceSet::new(&start, zone);
    set.add_rule(RecurrenceRule::parse(rule).unwrap());
    let wall = |at| jiff::tz::TimeZone::UTC.to_timestamp(zone.civil(at)).unwrap().as_second();
    set.instances(wall(window.start())..wall(window.end()), &mut Budget::new(10_000_000)).found.len()
}

/// The `rrule` crate. It refuses an UNTIL before DTSTART.
pub(crate) fn rrule((start, rule): &Recurrence) -> usize {
    let Ok(set) = format!("DTSTART;TZID=Europe/Berlin:{start}\nRRULE:{rule}").parse::<rrule::RRuleSet>() else {
        return 0;
    };
    let at = |text: &str| {
        let time = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap();
        time.and_utc().with_timezone(&rrule::Tz::UTC)
    };
    set.after(at("2026-03-01T00:00")).before(at("2026-04-30T00:00")).all(u16::MAX).dates.len()
}

/// `ical-rs`: walks from DTSTART, on the wall clock.
pub(crate) fn ical_rs((start, rule): &Recurrence) -> usize {
    use ical::recur::{IcalRecurDateTime, IcalRecurRule, expand::IcalRecurExpand};
    let number = |from: usize, to: usize| start[from..to].parse::<u16>().unwrap();
    let begun = IcalRecurDateTime {
        hour: number(9, 11).try_into().unwrap(),
        ..IcalRecurDateTime::date(
            number(0, 4).into(),
            number(4, 6).try_into().unwrap(),
            number(6, 8).try_into().unwrap(),
        )
    };
    let day = |at: &IcalRecurDateTime| (at.year, at.month, at.day);
    IcalRecurExpand::new(IcalRecurRule::parse(rule).unwrap(), begun)
        .skip_while(|at| day(at) < (2026, 3, 1))
        .take_while(|at| day(at) < (2026, 4, 30))
        .count()
}

/// `calcard`, from the text of an object. It has no window, only a number of instances from DTSTART on: 14,000 are a
/// daily rule's since 1990.
pub(crate) fn calcard(object: &str, window: Interval) -> usize {
    let calendar = calcard::icalendar::ICalendar::parse(object).unwrap();
    let expanded = calendar.expand_dates(chrono_tz::Europe::Berlin, 14_000);
    let (from, to) = (window.start().as_second(), window.end().as_second());
    expanded.events.iter().filter(|event| (from..to).contains(&event.start.timestamp())).count()
}
