//! What must hold of busy time whatever the calendar: generated calendars, and fixtures mutated without end.

use super::{BusyRules, Counting, Interval, IntervalSet, object_busy, object_opens};
use crate::ical::Zone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn rules(zone: &str) -> BusyRules {
    BusyRules {
        zone: Zone::named(zone).unwrap(),
        owner: vec!["mailto:prof@example.edu".to_owned()],
        counting: Counting::default(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn busy(text: &str, zone: &str, from: i64, to: i64) -> IntervalSet {
    let window = Interval::new(at(from), at(to)).unwrap();
    let found = object_busy(text.as_bytes(), &rules(zone), window);
    assert!(found.intervals.is_sorted_by_key(|busy| (busy.interval.start(), busy.interval.end())));
    assert!(found.intervals.iter().all(|busy| busy.interval.overlaps(window)));
    let set: IntervalSet = found.intervals.iter().map(|busy| busy.interval).collect();
    set.clipped(window)
}

fn list(values: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(values)
}

/// A rule of parts that may make little sense together.
fn rule() -> impl Strategy<Value = String> {
    let part = list(&[
        "BYDAY=MO",
        "BYDAY=MO,WE,FR",
        "BYDAY=1MO,-1FR,TU",
        "BYDAY=SA,SU",
        "BYMONTHDAY=1,15,31",
        "BYMONTHDAY=-1",
        "BYMONTH=3,10",
        "BYYEARDAY=1,100,-1",
        "BYWEEKNO=1,20,53",
        "BYHOUR=1,2,3",
        "BYMINUTE=0,30",
        "BYSETPOS=1,-1",
        "BYSETPOS=2",
        "WKST=SU",
        "INTERVAL=2",
        "INTERVAL=3",
        "INTERVAL=7",
        "COUNT=5",
        "COUNT=40",
        "UNTIL=20270301",
        "UNTIL=20261025T003000Z",
    ]);
    let freq = list(&["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "DAILY", "WEEKLY", "HOURLY"]);
    (freq, prop::collection::btree_set(part, 0..5)).prop_map(|(freq, parts)| {
        let mut rule = format!("FREQ={freq}");
        let mut names: Vec<&str> = Vec::new();
        for part in parts {
            let name = part.split('=').next().unwrap();
            if !names.contains(&name) {
                names.push(name);
                rule = format!("{rule};{part}");
            }
        }
        rule
    })
}

const ZONES: [&str; 5] =
    ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"];

fn calendar() -> impl Strategy<Value = String> {
    let zone = prop::sample::select(&ZONES[..]);
    let start = (2024i16..2027, 1i8..13, 1i8..29, 0i8..24, prop::sample::select(vec![0i8, 15, 30]));
    let length = list(&["DURATION:PT1H", "DURATION:P1D", "DURATION:PT26H", "DURATION:P1DT30M", "DURATION:PT15M"]);
    let kind = list(&["date", "floating", "utc", "zoned", "zoned", "zoned"]);
    let extra = prop::collection::vec((1i64..60, list(&["exdate", "rdate", "override", "future", "cancelled"])), 0..4);
    (zone, start, length, kind, rule(), extra).prop_map(
        |(zone, (year, month, day, hour, minute), length, kind, rule, extra)| {
            let time = jiff::civil::date(year, month, day).at(hour, minute, 0, 0);
            let spelled = |name: &str, time: jiff::civil::DateTime| match kind {
                "date" => format!("{name};VALUE=DATE:{}", time.strftime("%Y%m%d")),
                "floating" => format!("{name}:{}", time.strftime("%Y%m%dT%H%M%S")),
                "utc" => format!("{name}:{}", time.strftime("%Y%m%dT%H%M%SZ")),
                _ => format!("{name};TZID={zone}:{}", time.strftime("%Y%m%dT%H%M%S")),
            };
            let mut master = format!("BEGIN:VEVENT\nUID:1\n{}\n{length}\nRRULE:{rule}\n", spelled("DTSTART", time));
            let mut others = String::new();
            for (days, what) in extra {
                let then = time.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
                let moved = then.checked_add(SignedDuration::from_hours(3)).unwrap();
                match what {
                    "exdate" => master.push_str(&format!("{}\n", spelled("EXDATE", then))),
                    "rdate" => master.push_str(&format!("{}\n", spelled("RDATE", moved))),
                    _ => {
                        let id = spelled(
                            if what == "future" { "RECURRENCE-ID;RANGE=THISANDFUTURE" } else { "RECURRENCE-ID" },
                            then,
                        );
                        let status = if what == "cancelled" { "STATUS:CANCELLED\n" } else { "" };
                        others.push_str(&format!(
                            "BEGIN:VEVENT\nUID:1\n{id}\n{}\nDURATION:PT2H\n{status}END:VEVENT\n",
                            spelled("DTSTART", moved)
                        ));
                    }
                }
            }
            format!("BEGIN:VCALENDAR\n{master}END:VEVENT\n{others}END:VCALENDAR\n")
        },
    )
}

const DAY: i64 = 86_400;
/// 2026-01-01.
const NEW_YEAR: i64 = 1_767_225_600;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_window_has_what_a_larger_one_has_there(text in calendar(), host in prop::sample::select(&ZONES[..]), from in 0i64..400, days in 1i64..90, before in 0i64..200, after in 0i64..200) {
        let (from, to) = (NEW_YEAR + from * DAY + 1800, NEW_YEAR + (from + days) * DAY);
        let small = busy(&text, host, from, to);
        let large = busy(&text, host, from - before * DAY, to + after * DAY);
        prop_assert_eq!(small, large.clipped(Interval::new(at(from), at(to)).unwrap()));
    }

    #[test]
    fn splitting_a_window_in_two_changes_nothing(text in calendar(), host in prop::sample::select(&ZONES[..]), from in 0i64..400, days in 2i64..90, cut in 1i64..5000) {
        let (from, to) = (NEW_YEAR + from * DAY, NEW_YEAR + (from + days) * DAY);
        let cut = from + cut * 601 % (to - from - 1) + 1;
        let halves = busy(&text, host, from, cut).union(&busy(&text, host, cut, to));
        prop_assert_eq!(halves, busy(&text, host, from, to));
    }

    #[test]
    fn four_centuries_later_in_utc_all_is_the_same(rule in rule().prop_filter("UNTIL stays", |rule| !rule.contains("UNTIL")), day in 1i8..29, month in 1i8..13) {
        let text = |year: i16| format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:{year}{month:02}{day:02}T101500Z\nDURATION:PT45M\nRRULE:{rule}\nEND:VEVENT\nEND:VCALENDAR\n");
        let shift = 146_097 * DAY;
        let now = busy(&text(2025), "UTC", NEW_YEAR, NEW_YEAR + 500 * DAY);
        let then = busy(&text(2425), "UTC", NEW_YEAR + shift, NEW_YEAR + 500 * DAY + shift);
        let shifted: IntervalSet = now.iter().map(|i| Interval::new(i.start() + SignedDuration::from_secs(shift), i.end() + SignedDuration::from_secs(shift)).unwrap()).collect();
        prop_assert_eq!(shifted, then);
    }

    #[test]
    fn a_year_of_whole_weeks_later_weekly_and_daily_rules_are_the_same(rule in list(&["FREQ=WEEKLY;BYDAY=MO,WE;INTERVAL=2", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;COUNT=20", "FREQ=DAILY;BYDAY=MO,TU;COUNT=30", "FREQ=HOURLY;INTERVAL=5"]), day in 1i64..300) {
        let text = |second: i64| format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:{}\nDURATION:PT45M\nRRULE:{rule}\nEND:VEVENT\nEND:VCALENDAR\n", at(second).strftime("%Y%m%dT%H%M%SZ"));
        let shift = 364 * DAY;
        let start = NEW_YEAR + day * DAY + 36_000;
        let now = busy(&text(start), "UTC", NEW_YEAR, NEW_YEAR + 300 * DAY);
        let then = busy(&text(start + shift), "UTC", NEW_YEAR + shift, NEW_YEAR + 300 * DAY + shift);
        let shifted: IntervalSet = now.iter().map(|i| Interval::new(i.start() + SignedDuration::from_secs(shift), i.end() + SignedDuration::from_secs(shift)).unwrap()).collect();
        prop_assert_eq!(shifted, then);
    }
}

/// A small generator of our own, so that a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// Bytes that mean something to a reader of calendars.
const PIECES: [&[u8]; 24] = [
    b"\r\n ",
    b"\n",
    b"\r",
    b":",
    b";",
    b"\"",
    b",",
    b"=",
    b"\xFF\xFE",
    b"\0",
    b"BEGIN:VEVENT\r\n",
    b"END:VEVENT\r\n",
    b"BEGIN:X\r\n",
    b"RRULE:FREQ=SECONDLY\r\n",
    b"RRULE:FREQ=MINUTELY;BYSETPOS=-1;COUNT=4294967295\r\n",
    b"DTSTART:99991231T235959Z\r\n",
    b"DTSTART:00010101T000000\r\n",
    b"DURATION:P99999999999D\r\n",
    b"RANGE=THISANDFUTURE;",
    b"INTERVAL=4000000000;",
    b"TZOFFSETFROM:-9999\r\n",
    b"BYDAY=-53SU;",
    b"X-APPLE-TRAVEL-DURATION:P9999999W\r\n",
    b"RDATE;VALUE=PERIOD:99991231T000000Z/P9999W\r\n",
];

fn mutated(text: &[u8], random: &mut Random) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..=random.below(6) {
        let from = random.below(text.len() + 1);
        let to = (from + random.below(40)).min(text.len());
        match random.below(6) {
            0 => drop(text.drain(from..to)),
            1 => {
                let piece = PIECES[random.below(PIECES.len())];
                text.splice(from..from, piece.iter().copied());
            }
            2 => {
                let copy = text[from..to].to_vec();
                let place = random.below(text.len() + 1);
                text.splice(place..place, copy);
            }
            3 if from < text.len() => text[from] = u8::try_from(random.below(256)).unwrap(),
            4 if from < text.len() && text[from].is_ascii_digit() => {
                text[from] = b'0' + u8::try_from(random.below(10)).unwrap()
            }
            5 => text.truncate(text.len().max(8) - random.below(8)),
            _ => {}
        }
    }
    text
}

#[test]
fn no_mutation_of_a_fixture_makes_a_panic_or_takes_long() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for sub in ["busy", "ical"] {
        let Ok(entries) = std::fs::read_dir(folder.join(sub)) else { continue };
        let mut paths: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "ics"))
            .collect();
        paths.sort();
        seeds.extend(paths.iter().map(|path| std::fs::read(path).unwrap()));
    }
    assert!(seeds.len() >= 59);
    let rounds = std::env::var("OFFICEHOURS_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    let mut random = Random(0x5545_2026_1124);
    let (window, rules) = (Interval::new(at(NEW_YEAR), at(NEW_YEAR + 150 * DAY)).unwrap(), rules("America/New_York"));
    let mut slowest = (Duration::ZERO, Vec::new());
    for round in 0..rounds {
        let mut text = seeds[round % seeds.len()].clone();
        if random.below(4) == 0 {
            let other = &seeds[random.below(seeds.len())];
            let cut = random.below(text.len());
            text.truncate(cut);
            text.extend_from_slice(&other[random.below(other.len())..]);
        }
        let text = mutated(&text, &mut random);
        let began = Instant::now();
        let found = object_busy(&text, &rules, window);
        object_opens(&text, &rules, window, Some("x"));
        let took = began.elapsed();
        assert!(found.intervals.iter().all(|busy| busy.interval.overlaps(window)));
        if took > slowest.0 {
            slowest = (took, text);
        }
    }
    // The build for tests is some ten times slower than the program.
    assert!(slowest.0 < Duration::from_secs(3), "{:?}\n{}", slowest.0, String::from_utf8_lossy(&slowest.1));
}
