//! Answers the cases that `tests/differential/run.py` generates, to be held against other engines there. It is a test
//! so that nothing of it is in the program: without `OFFICEHOURS_CASES` it has nothing to do.

use crate::availability::{BusyRules, Counting, Interval, IntervalSet, Tentative, object_busy};
use crate::ical::{EventTime, RecurrenceRule, Written, Zone, parse_written};
use crate::recurrence::local::{datetime_of, local_of};
use crate::recurrence::{Budget, RecurrenceSet};
use serde_json::{Value, json};
use std::io::Write;

#[test]
fn cases_of_the_differential_test_are_answered() {
    let Ok(input) = std::env::var("OFFICEHOURS_CASES") else { return };
    let output = std::env::var("OFFICEHOURS_ANSWERS").unwrap();
    let mut out = std::io::BufWriter::new(std::fs::File::create(output).unwrap());
    for line in std::fs::read_to_string(input).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let answer = if case.get("rule").is_some() { rule(&case) } else { calendar(&case) };
        writeln!(out, "{answer}").unwrap();
    }
    out.flush().unwrap();
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

/// `{"rule", "start", "to"}`, on one clock: the starts before `to`. `more` are further RRULEs, `ex` EXRULEs.
fn rule(case: &Value) -> Value {
    let wall = |key: &str| match parse_written(text(case, key)) {
        Some(Written::Local(time)) => time,
        Some(Written::Date(date)) => date.at(0, 0, 0, 0),
        other => panic!("{other:?}"),
    };
    let utc = Zone::utc();
    let start = wall("start");
    let mut set = RecurrenceSet::new(&EventTime::Floating(start), &utc);
    match RecurrenceRule::parse(text(case, "rule")) {
        Ok(rule) => set.add_rule(rule),
        Err(error) => return json!({ "refused": error.to_string() }),
    }
    let further = |key: &str| {
        let rules = case.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        rules.into_iter().map(|rule| RecurrenceRule::parse(rule.as_str().unwrap()).unwrap())
    };
    further("more").for_each(|rule| set.add_rule(rule));
    further("ex").for_each(|rule| set.add_ex_rule(rule));
    let mut budget = Budget::new(50_000_000);
    let from = case.get("from").map_or(local_of(start), |_| local_of(wall("from")));
    let found = set.instances(from..local_of(wall("to")), &mut budget);
    let starts: Vec<String> =
        found.found.iter().map(|i| datetime_of(i.local).unwrap().strftime("%Y%m%dT%H%M%S").to_string()).collect();
    json!({ "starts": starts, "truncated": found.truncated.is_some() })
}

/// `{"ics", "from", "to", "tz", "owner"}`: as `officehours busy --ics` answers.
fn calendar(case: &Value) -> Value {
    let window = Interval::new(text(case, "from").parse().unwrap(), text(case, "to").parse().unwrap()).unwrap();
    let owner = case["owner"].as_array().unwrap().iter().map(|owner| owner.as_str().unwrap().to_lowercase()).collect();
    let rules = BusyRules {
        zone: Zone::named(text(case, "tz")).unwrap(),
        owner,
        counting: Counting {
            tentative: if case["tentative_free"] == true { Tentative::Free } else { Tentative::Busy },
            ..Counting::default()
        },
    };
    let found = object_busy(text(case, "ics").as_bytes(), &rules, window);
    let busy: IntervalSet = found.intervals.iter().map(|busy| busy.interval).collect();
    let busy: Vec<Value> =
        busy.clipped(window).iter().map(|i| json!([i.start().to_string(), i.end().to_string()])).collect();
    let warnings: Vec<String> = found.warnings.into_iter().map(|warning| warning.what).collect();
    json!({ "busy": busy, "warnings": warnings })
}
