//! Other projects' expected recurrences (fixtures/oracles) against ours. Where they differ, `disagreements.md` there
//! has the rule and the sentence of the RFC; a difference that is not in it fails, and so does one that is no more.

use super::local::{DAY, LOCAL_END, datetime_of, day_of, local_of};
use super::{Budget, First, RecurrenceSet, expand};
use crate::ical::{EventTime, RecurrenceRule, Written, Zone, parse_written};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/oracles")
}

fn cases(name: &str) -> Vec<Value> {
    let text = std::fs::read(folder().join(name)).unwrap();
    let mut file: Value = serde_json::from_slice(&text).unwrap();
    std::mem::take(file["cases"].as_array_mut().unwrap())
}

/// `oracle DTSTART rule` of every explained difference.
fn explained() -> BTreeSet<String> {
    let text = std::fs::read_to_string(folder().join("disagreements.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("- `")?.split_once('`'));
    lines.map(|(rule, _)| rule.to_owned()).collect()
}

fn local(text: &str) -> i64 {
    match parse_written(text).unwrap_or_else(|| panic!("{text}")) {
        Written::Date(date) => local_of(date.at(0, 0, 0, 0)),
        Written::Local(time) => local_of(time),
        Written::Instant(instant) => instant.as_second(),
    }
}

fn shown(locals: &[i64]) -> Vec<String> {
    locals.iter().map(|local| datetime_of(*local).unwrap().to_string()).collect()
}

/// The first `count` instances from `from` on, on the wall clock of `zone`. `first` tells whether DTSTART counts that
/// the rule does not produce: no other engine does it as we do, so both are tried.
fn ours(rule: &str, start: i64, all_day: bool, zone: &Zone, from: i64, count: usize, first: First) -> Option<Vec<i64>> {
    let rule = RecurrenceRule::parse(rule).ok()?;
    let time = datetime_of(start).unwrap();
    let event = if all_day { EventTime::Date(time.date()) } else { EventTime::Zoned(time, zone.clone()) };
    let set = RecurrenceSet::new(&event, zone);
    let mut end = from.max(start) + 40 * DAY;
    loop {
        let mut budget = Budget::new(200_000_000);
        let limit = set.limit(rule.until);
        let found: Vec<i64> = if first == First::Happens {
            let mut set = set.clone();
            set.add_rule(rule.clone());
            let instances = set.instances(from..end, &mut budget);
            assert_eq!(instances.truncated, None);
            instances.found.iter().map(|i| if all_day { i.local } else { zone.local(i.key).unwrap() }).collect()
        } else {
            let mut locals = Vec::new();
            expand(&rule, start, first, from..end.min(limit.end()), &mut budget, &mut locals).unwrap();
            let keep = |local: &i64| limit.allows(&set.clock().instance(*local).unwrap());
            locals.into_iter().filter(keep).map(|local| zone.local(zone.second(local).unwrap()).unwrap()).collect()
        };
        if found.len() >= count || end >= LOCAL_END.min(day_of(2500, 1, 1) * DAY) {
            return Some(found.into_iter().take(count).collect());
        }
        end = start.max(from) + (end - start.max(from)) * 4;
    }
}

struct Case {
    oracle: &'static str,
    rule: String,
    start: String,
    zone: String,
    from: Option<String>,
    instances: Vec<String>,
    /// Nothing follows the last of `instances`.
    complete: bool,
    /// The other engine does not expand it at all.
    refused: bool,
}

fn all_cases() -> Vec<Case> {
    let strings = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .map(|list| list.iter().map(|item| item.as_str().unwrap().to_owned()).collect())
            .unwrap_or_default()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for case in cases("libical-recur.json") {
        all.push(Case {
            oracle: "libical",
            rule: text(&case["rrule"]),
            start: text(&case["dtstart"]),
            zone: "UTC".to_owned(),
            from: None,
            instances: strings(&case["instances"]),
            complete: case["instances_complete"] == true && case["finite"] == true,
            refused: case.get("error").is_some(),
        });
    }
    for case in cases("dateutil-rrule.json") {
        all.push(Case {
            oracle: "dateutil",
            rule: text(&case["rrule"]),
            start: text(&case["dtstart"]),
            zone: "UTC".to_owned(),
            from: None,
            instances: strings(&case["instances"]),
            complete: case["complete"] == true,
            refused: false,
        });
    }
    for case in cases("icaljs-recur.json") {
        let dates = strings(&case["dates"]);
        let start = case.get("dtStart").map(text).unwrap_or_else(|| dates.first().cloned().unwrap_or_default());
        if start.is_empty() {
            continue;
        }
        let complete = case["until"] == true || case["byCount"] == true || case["noInstance"] == true;
        all.push(Case {
            oracle: "ical.js",
            rule: text(&case["rrule"]),
            start,
            zone: "UTC".to_owned(),
            from: None,
            instances: dates,
            complete,
            refused: false,
        });
    }
    for case in cases("sabre-rrule.json") {
        all.push(Case {
            oracle: "sabre",
            rule: text(&case["rrule"]),
            start: text(&case["dtstart"]),
            zone: text(&case["tz"]),
            from: case["fast_forward"].as_str().map(str::to_owned),
            instances: strings(&case["instances"]),
            complete: case["complete"] == true,
            refused: false,
        });
    }
    all
}

#[test]
fn the_week_that_december_shares_is_expanded_where_libical_refuses() {
    let start = local("20241230");
    let rule = "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=30;BYWEEKNO=1;UNTIL=20320101";
    let found = ours(rule, start, true, &Zone::utc(), start, 9, First::Happens).unwrap();
    let expected = ["2024", "2025", "2030", "2031"].map(|year| format!("{year}-12-30T00:00:00"));
    assert_eq!(shown(&found), expected, "the years whose 30 December is a Monday, Tuesday or Wednesday of week 1");
}

#[test]
fn every_difference_from_other_engines_is_explained() {
    let explained = explained();
    let mut differences = BTreeSet::new();
    let mut unexplained = Vec::new();
    let cases = all_cases();
    assert_eq!(cases.len(), 581);
    for case in &cases {
        let name = format!("{} {} {}", case.oracle, case.start, case.rule);
        let zone = Zone::named(&case.zone).unwrap();
        let all_day = matches!(parse_written(&case.start), Some(Written::Date(_)));
        let expected: Vec<i64> = case.instances.iter().map(|text| local(text)).collect();
        let start = local(&case.start);
        let from = case.from.as_deref().map_or(start, local);
        let count = expected.len() + usize::from(case.complete || case.refused);
        let either = [First::Happens, First::OnlyIfItFires]
            .map(|first| ours(&case.rule, start, all_day, &zone, from, count, first));
        let alike = match case.refused {
            true => either.iter().all(Option::is_none),
            false => either.iter().any(|found| found.as_ref() == Some(&expected)),
        };
        if alike {
            continue;
        }
        differences.insert(name.clone());
        if !explained.contains(&name) {
            let found = either[0].as_ref().map_or("refused".to_owned(), |found| format!("{:?}", shown(found)));
            unexplained.push(format!("- `{name}`\n    theirs {:?}\n    ours   {found}", shown(&expected)));
        }
    }
    let gone: Vec<&String> = explained.difference(&differences).collect();
    assert!(unexplained.is_empty() && gone.is_empty(), "{}\nexplained but alike: {gone:?}", unexplained.join("\n"));
}
