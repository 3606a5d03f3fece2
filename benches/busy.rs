//! How fast busy time is, beside the `rrule` crate in the same run: a calendar of 10,000 events over 60 days, 10,000
//! recurring events, and one weekly rule since 1990.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use criterion::{Criterion, criterion_group, criterion_main};
use officehours::availability::{BusyRules, Counting, Interval, object_busy};
use officehours::ical::{EventTime, RecurrenceRule, Zone};
use officehours::recurrence::{Budget, RecurrenceSet};
use std::hint::black_box;

fn window() -> Interval {
    Interval::new("2026-03-01T00:00Z".parse().unwrap(), "2026-04-30T00:00Z".parse().unwrap()).unwrap()
}

fn rules() -> BusyRules {
    BusyRules {
        zone: Zone::named("Europe/Berlin").unwrap(),
        owner: vec!["mailto:prof@example.edu".to_owned()],
        counting: Counting::default(),
    }
}

/// Rules as people make them, begun between 1990 and 2026.
fn recurrences(count: usize) -> Vec<(String, String)> {
    let kinds = [
        "FREQ=WEEKLY;BYDAY=MO,WE",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
        "FREQ=MONTHLY;BYDAY=-1FR",
        "FREQ=MONTHLY;BYMONTHDAY=15",
        "FREQ=YEARLY",
        "FREQ=WEEKLY;UNTIL=20260320T100000Z",
        "FREQ=WEEKLY;COUNT=12",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    ];
    let begun = |n: usize| format!("{}{:02}{:02}T{:02}0000", 1990 + n % 37, 1 + n % 12, 1 + n % 28, 8 + n % 9);
    (0..count).map(|n| (begun(n * 7919), kinds.get(n % kinds.len()).unwrap().to_string())).collect()
}

/// One in four recurs, as in a calendar of some years; each an object of its own, as CalDAV has them.
fn objects() -> Vec<String> {
    let recurring = recurrences(2_500);
    let mut objects = Vec::new();
    for n in 0..10_000 {
        let (start, rule) = match recurring.get(n / 4).filter(|_| n % 4 == 0) {
            Some((start, rule)) => (start.clone(), format!("RRULE:{rule}\r\n")),
            None => (format!("{}{:02}{:02}T{:02}0000", 2019 + n % 8, 1 + n % 12, 1 + n % 28, 8 + n % 9), String::new()),
        };
        objects.push(format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VEVENT\r\nUID:{n}@bench\r\nDTSTAMP:20260101T000000Z\r\n\
             CREATED:20260101T000000Z\r\nLAST-MODIFIED:20260101T000000Z\r\nDTSTART;TZID=Europe/Berlin:{start}\r\nDURATION:PT1H\r\n\
             {rule}SUMMARY:Something that takes place\r\nLOCATION:Room 2.12\r\nDESCRIPTION:Some words about what it is and\\n\r\n  who comes.\r\n\
             ATTENDEE;CN=Somebody;PARTSTAT=ACCEPTED:mailto:somebody@example.edu\r\nATTENDEE;CN=Prof;PARTSTAT=ACCEPTED:mailto:prof@example.edu\r\n\
             BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        ));
    }
    objects
}

fn ours(zone: &Zone, start: &str, rule: &str, window: Interval) -> usize {
    let start = EventTime::Zoned(jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", start).unwrap(), zone.clone());
    let mut set = RecurrenceSet::new(&start, zone);
    set.add_rule(RecurrenceRule::parse(rule).unwrap());
    let wall = |at| jiff::tz::TimeZone::UTC.to_timestamp(zone.civil(at)).unwrap().as_second();
    set.instances(wall(window.start())..wall(window.end()), &mut Budget::new(10_000_000)).found.len()
}

fn rrules(start: &str, rule: &str) -> usize {
    // It refuses an UNTIL before DTSTART.
    let Ok(set) = format!("DTSTART;TZID=Europe/Berlin:{start}\nRRULE:{rule}").parse::<rrule::RRuleSet>() else {
        return 0;
    };
    let at = |text: &str| {
        let time = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap();
        time.and_utc().with_timezone(&rrule::Tz::UTC)
    };
    set.after(at("2026-03-01T00:00")).before(at("2026-04-30T00:00")).all(u16::MAX).dates.len()
}

fn benches(c: &mut Criterion) {
    let (window, rules) = (window(), rules());
    let objects = objects();
    let mut group = c.benchmark_group("10,000 events, 60 days");
    group.sample_size(10);
    group.bench_function("text to busy time", |b| {
        b.iter(|| {
            objects.iter().map(|text| object_busy(text.as_bytes(), &rules, window).intervals.len()).sum::<usize>()
        })
    });
    group.finish();
    let one = objects.first().unwrap();
    c.bench_function("one changed event", |b| b.iter(|| object_busy(black_box(one.as_bytes()), &rules, window)));

    let recurrences = recurrences(10_000);
    let mut group = c.benchmark_group("10,000 rules, 60 days");
    group.sample_size(10);
    group.bench_function("ours", |b| {
        b.iter(|| recurrences.iter().map(|(start, rule)| ours(&rules.zone, start, rule, window)).sum::<usize>())
    });
    group.bench_function("rrule", |b| {
        b.iter(|| recurrences.iter().map(|(start, rule)| rrules(start, rule)).sum::<usize>())
    });
    group.finish();

    let mut group = c.benchmark_group("weekly since 1990, 60 days");
    for (name, start) in [("1990", "19900101T100000"), ("last week", "20260223T100000")] {
        group.bench_function(format!("ours, begun {name}"), |b| {
            b.iter(|| ours(&rules.zone, black_box(start), "FREQ=WEEKLY;BYDAY=MO,WE", window))
        });
        group.bench_function(format!("rrule, begun {name}"), |b| {
            b.iter(|| rrules(black_box(start), "FREQ=WEEKLY;BYDAY=MO,WE"))
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
