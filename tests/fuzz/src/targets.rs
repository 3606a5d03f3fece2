//! The four things that are fuzzed. Each takes any bytes, and panics when what comes of them is wrong or takes too long.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use officehours::availability::{
    AllDay, BusyKind, BusyRules, Counting, Interval, IntervalSet, ObjectBusy, Tentative, event_summary, object_busy,
    object_opens,
};
use officehours::ical::write::{EventStatus, EventText};
use officehours::ical::{Component, ContentLines, EventTime, RecurrenceRule, Zone, check_whole, read, replace_event};
use officehours::recurrence::{Budget, Instances, RecurrenceSet};
use std::time::Duration;

/// How long one computation may take.
pub struct Bound {
    /// What is counted: the CPU time of the thread, where that can be had.
    pub clock: fn() -> Duration,
    /// For 10 kB or less; in proportion for more.
    pub limit: Duration,
}

impl Bound {
    /// Runs it. Whoever is over the limit runs twice more: only what is always slow is slow.
    fn run<T>(&self, size: usize, work: impl Fn() -> T) -> T {
        let limit = self.limit.mul_f64((size as f64 / 10_000.0).max(1.0));
        let timed = || {
            let began = (self.clock)();
            let result = work();
            ((self.clock)() - began, result)
        };
        let (mut took, result) = timed();
        for _ in 0..2 {
            if took > limit {
                took = took.min(timed().0);
            }
        }
        assert!(took <= limit, "{took:?} for {size} bytes");
        result
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a constant of this file")
}

/// One of a few zones, by a number.
fn zone_of(number: usize) -> Zone {
    let names = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Africa/Casablanca"];
    let name = names.get(number % names.len()).expect("within");
    Zone::named(name).expect("a zone of every database")
}

/// The reader of content lines and components, and what changes an object.
pub fn reader(data: &[u8], bound: &Bound) {
    let calendars = bound.run(data.len(), || read(data));
    let mut properties = 0;
    let mut open: Vec<(&Component<'_>, usize)> = calendars.iter().map(|calendar| (calendar, 1)).collect();
    while let Some((component, depth)) = open.pop() {
        assert!(depth <= 8 && component.name.bytes().all(|b| !b.is_ascii_lowercase()));
        properties += component.properties.len();
        open.extend(component.components.iter().map(|inner| (inner, depth + 1)));
    }
    let mut line = 0;
    let mut lines = 0;
    for property in ContentLines::new(data).flatten() {
        assert!(property.line > line && !property.name.is_empty());
        line = property.line;
        lines += 1;
        property.param("TZID");
        assert!(property.text().len() <= property.value.len());
    }
    assert!(properties <= lines);
    let _ = check_whole(data);
    let zone = zone_of(data.len());
    bound.run(data.len(), || event_summary(data, &zone));
    let text = EventText {
        uid: "u".into(),
        sequence: 3,
        start: at("2026-03-02T09:00:00Z"),
        end: at("2026-03-02T09:30:00Z"),
        zone,
        summary: "Talk".into(),
        description: String::new(),
        location: String::new(),
        status: EventStatus::Confirmed,
        stamp: at("2026-01-01T00:00:00Z"),
        created: at("2026-01-01T00:00:00Z"),
        last_modified: at("2026-01-01T00:00:00Z"),
    };
    if let Some(once) = bound.run(data.len(), || replace_event(data, &text)) {
        let twice = replace_event(&once, &text).expect("what was changed can be changed");
        assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
    }
}

/// RRULE as text, and its expansion: the first line is a start (`20260102T090000`, or a date), each other one a rule.
pub fn rule(data: &[u8], bound: &Bound) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let start = lines.next().unwrap_or_default().trim();
    let zone = zone_of(data.len());
    let start = match (DateTime::strptime("%Y%m%dT%H%M%S", start), jiff::civil::Date::strptime("%Y%m%d", start)) {
        (Ok(time), _) => EventTime::Zoned(time, zone.clone()),
        (_, Ok(date)) => EventTime::Date(date),
        _ => EventTime::Utc(at("2024-02-29T22:30:00Z")),
    };
    let mut set = RecurrenceSet::new(&start, &zone);
    for line in lines.take(3) {
        if let Ok(rule) = bound.run(data.len(), || RecurrenceRule::parse(line)) {
            set.add_rule(rule);
        }
    }
    set.finish();
    let day = |number: i64| (20_454 + number) * 86_400;
    let of = |from: i64, to: i64| {
        let found: Instances =
            bound.run(data.len(), || set.instances(day(from)..day(to), &mut Budget::for_object(data.len())));
        assert!(found.found.is_sorted_by(|a, b| a.key < b.key));
        assert!(found.found.iter().all(|instance| (day(from)..day(to)).contains(&instance.local) || start.is_date()));
        found
    };
    let (whole, left, right) = (of(0, 400), of(0, 133), of(133, 400));
    if [&whole, &left, &right].iter().all(|part| part.truncated.is_none()) {
        let mut parts = [left.found, right.found].concat();
        // On both sides of a boundary within a fold the wall clock is the same.
        parts.sort_by_key(|instance| instance.key);
        parts.dedup_by_key(|instance| instance.key);
        assert_eq!(whole.found, parts);
    }
}

/// VTIMEZONE and zone names: the first line is a TZID, the others are within its VTIMEZONE. A weekly hour in that zone
/// is never lost, whatever the zone is.
pub fn zone(data: &[u8], bound: &Bound) {
    let text = String::from_utf8_lossy(data);
    let (name, observances) = text.split_once('\n').unwrap_or((&text, ""));
    let name: String = name.chars().filter(|c| !c.is_control() && *c != '"').collect();
    let object = format!(
        "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:{name}\n{observances}\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:weekly\n\
         DTSTART;TZID=\"{name}\":20240101T120000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nEND:VEVENT\nEND:VCALENDAR\n"
    );
    let window = Interval::new(at("2026-01-01T00:00:00Z"), at("2026-06-01T00:00:00Z")).expect("in order");
    let found = bound.run(data.len(), || object_busy(object.as_bytes(), &rules(data.len()), window));
    let weekly = |uid: &Option<String>| uid.as_deref() == Some("weekly");
    let hours = found.intervals.iter().filter(|busy| weekly(&busy.cause.uid)).map(|busy| busy.interval);
    let hours: Vec<Interval> = hours.collect();
    assert!((20..=23).contains(&hours.len()) || object.matches("weekly").count() > 1, "{} of 22 weeks", hours.len());
    assert!(hours.iter().all(|hour| hour.duration() == SignedDuration::from_hours(1)) || text.contains("BEGIN"));
}

/// How events are read, by a number.
fn rules(number: usize) -> BusyRules {
    BusyRules {
        zone: zone_of(number),
        owner: vec!["mailto:prof@example.edu".into()],
        counting: Counting {
            all_day: if number % 7 == 3 { AllDay::Busy } else { AllDay::Obey },
            tentative: if number % 7 == 5 { Tentative::Free } else { Tentative::Busy },
            ..Counting::default()
        },
    }
}

/// From the text of an object to busy time, whole: all of a window is what its two parts are.
pub fn busy(data: &[u8], bound: &Bound) {
    let rules = rules(data.len());
    let days = [at("2026-01-01T00:00:00Z"), at("2026-03-08T07:15:00Z"), at("2026-06-01T00:00:00Z")];
    let of = |from: usize, to: usize| {
        let window = Interval::new(days[from], days[to]).expect("in order");
        let found = bound.run(data.len(), || object_busy(data, &rules, window));
        let intervals = || found.intervals.iter().map(|busy| busy.interval);
        assert!(intervals().all(|interval| interval.overlaps(window)));
        assert!(intervals().is_sorted_by_key(|interval| interval.start()));
        let set: IntervalSet = intervals().collect();
        (found, set.clipped(window))
    };
    let ((whole, all), (left, before), (right, after)) = (of(0, 2), of(0, 1), of(1, 2));
    let known = |part: &ObjectBusy| part.intervals.iter().all(|busy| busy.cause.what != BusyKind::Truncated);
    let exrule = String::from_utf8_lossy(data).to_ascii_uppercase().contains("EXRULE");
    if known(&whole) && known(&left) && known(&right) && !exrule {
        assert_eq!(all, before.union(&after));
    }
    let window = Interval::new(days[0], days[2]).expect("in order");
    bound.run(data.len(), || object_opens(data, &rules, window, None));
}
