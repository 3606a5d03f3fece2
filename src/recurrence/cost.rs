//! What expanding costs, in steps of the budget: the same on every machine.

use super::{Budget, RecurrenceSet};
use crate::ical::{EventTime, RecurrenceRule, Zone};

const ENOUGH: u64 = 10_000_000;
/// Sixty days from 1 March 2026.
const WINDOW: std::ops::Range<i64> = 1_772_323_200..1_772_323_200 + 60 * 86_400;

/// The steps that it took, and how many instances there are.
fn cost(start: &str, rule: &str, window: std::ops::Range<i64>) -> (u64, usize) {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let mut set = RecurrenceSet::new(&EventTime::Zoned(start.parse().unwrap(), zone.clone()), &zone);
    set.add_rule(RecurrenceRule::parse(rule).unwrap());
    let mut budget = Budget::new(ENOUGH);
    let instances = set.instances(window, &mut budget);
    assert_eq!(instances.truncated, None, "{rule}");
    (ENOUGH - budget.left(), instances.found.len())
}

#[test]
fn a_series_of_1990_costs_what_one_of_last_week_does() {
    for rule in [
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=MO,WE",
        "FREQ=DAILY",
        "FREQ=MONTHLY;BYDAY=-1MO",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=2MO",
        "FREQ=HOURLY;INTERVAL=6",
        "FREQ=MINUTELY;INTERVAL=90",
        "FREQ=SECONDLY;INTERVAL=86400",
    ] {
        let (old, few) = cost("1990-01-01T10:00", rule, WINDOW);
        let (young, many) = cost("2026-02-23T10:00", rule, WINDOW);
        assert!(old <= young + 4 && few.abs_diff(many) <= 1, "{rule}: {old} steps for {few}, {young} for {many}");
        assert!(old < 100 * (few as u64 + 2), "{rule}: {old} steps for {few} instances");
    }
}

#[test]
fn a_rule_that_cannot_fire_costs_nothing() {
    let for_ever = WINDOW.start..WINDOW.start + 7_000 * 366 * 86_400;
    for rule in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4,6;BYMONTHDAY=31",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=-30",
        "FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1",
        "FREQ=SECONDLY;INTERVAL=60;BYSECOND=1",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
    ] {
        // Once for DTSTART, which happens though the rule does not fire.
        let (steps, found) = cost("1990-01-01T10:00", rule, for_ever.clone());
        assert!(steps < 10 && found == 0, "{rule}: {steps} steps, {found} instances");
    }
}
