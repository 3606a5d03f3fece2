//! What a text takes from a host's time, case by case: who blocks, what cannot be read, broken text, bombs.

use super::*;
use crate::availability::{AllDay, Counting, Tentative, Title, Unanswered};
use serde_json::Value;

fn window(from: &str, to: &str) -> Interval {
    Interval::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
}

fn rules(zone: &str) -> BusyRules {
    BusyRules {
        zone: Zone::named(zone).unwrap(),
        owner: vec!["mailto:prof@example.edu".to_owned()],
        counting: Counting::default(),
    }
}

fn counting(counting: Counting) -> BusyRules {
    BusyRules { counting, ..rules("America/New_York") }
}

/// `lines` in a VEVENT in a VCALENDAR; a line `--` begins another VEVENT.
fn event(lines: &str) -> String {
    let events = lines.split("--\n").map(|lines| format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\n"));
    format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", events.collect::<String>())
}

/// Busy time in March and April 2026 for a host in New York, and the number of warnings.
fn busy_by(rules: &BusyRules, lines: &str) -> (String, usize) {
    let busy = object_busy(event(lines).as_bytes(), rules, window("2026-03-01T00:00Z", "2026-05-01T00:00Z"));
    let set: crate::availability::IntervalSet = busy.intervals.iter().map(|busy| busy.interval).collect();
    let short = |at: jiff::Timestamp| at.strftime("%d.%m. %H:%M").to_string();
    let all: Vec<String> = set.iter().map(|i| format!("{}-{}", short(i.start()), short(i.end()))).collect();
    (all.join(", "), busy.warnings.len())
}

fn busy(lines: &str) -> (String, usize) {
    busy_by(&rules("America/New_York"), lines)
}

const HOUR: &str = "DTSTART:20260310T100000Z\nDTEND:20260310T110000Z\n";
const TAKEN: &str = "10.03. 10:00-10.03. 11:00";

#[test]
fn sabres_free_busy_cases_hold() {
    let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/oracles/sabre-freebusy.json")).unwrap();
    let file: Value = serde_json::from_slice(&text).unwrap();
    let mut count = 0;
    for case in file["cases"].as_array().unwrap().iter().filter(|case| case["vavailability"].is_null()) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let instant = |text: &str| match crate::ical::parse_written(text) {
            Some(crate::ical::Written::Instant(instant)) => instant,
            _ => panic!("{text}"),
        };
        let window = Interval::new(instant(&text(&case["range"][0])), instant(&text(&case["range"][1]))).unwrap();
        let expected: crate::availability::IntervalSet = case["expected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| {
                let line = text(line);
                let (start, end) = line.rsplit_once(':').unwrap().1.split_once('/').unwrap();
                Interval::new(instant(start), instant(end)).unwrap()
            })
            .collect();
        let zone = case["timezone"].as_str().unwrap_or("UTC");
        let found = object_busy(text(&case["input"]).as_bytes(), &rules(zone), window);
        let found: crate::availability::IntervalSet = found.intervals.iter().map(|busy| busy.interval).collect();
        assert_eq!(found.clipped(window), expected, "{}", case["name"]);
        count += 1;
    }
    assert_eq!(count, 19);
}

#[test]
fn transp_status_partstat_and_outlooks_status_decide() {
    let attendee = |answer: &str| format!("ATTENDEE;PARTSTAT={answer}:mailto:prof@example.edu");
    for (lines, expected) in [
        ("TRANSP:TRANSPARENT".to_owned(), false),
        ("TRANSP:opaque".to_owned(), true),
        ("STATUS:cancelled".to_owned(), false),
        ("STATUS:TENTATIVE".to_owned(), true),
        ("STATUS:NONSENSE".to_owned(), true),
        (attendee("DECLINED"), false),
        (attendee("DELEGATED"), false),
        (attendee("TENTATIVE"), true),
        (attendee("NEEDS-ACTION"), true),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:other@example.edu".to_owned(), true),
        ("ATTENDEE;EMAIL=prof@example.edu;PARTSTAT=DECLINED:urn:uuid:1".to_owned(), false),
        (format!("{}\n{}", attendee("DECLINED"), attendee("ACCEPTED")), true),
        ("X-MICROSOFT-CDO-BUSYSTATUS:FREE".to_owned(), false),
        ("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE".to_owned(), false),
        ("X-MICROSOFT-CDO-BUSYSTATUS:FREE\nTRANSP:OPAQUE".to_owned(), true),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF\nTRANSP:TRANSPARENT".to_owned(), true),
        ("X-MICROSOFT-CDO-INTENDEDSTATUS:FREE\nTRANSP:TRANSPARENT".to_owned(), false),
        ("X-MICROSOFT-CDO-BUSYSTATUS:BUSY\nX-MICROSOFT-CDO-INTENDEDSTATUS:FREE".to_owned(), true),
    ] {
        assert_eq!(busy(&format!("{HOUR}{lines}")).0, if expected { TAKEN } else { "" }, "{lines}");
    }
}

#[test]
fn tentative_and_all_day_count_as_the_host_says() {
    let free = counting(Counting { tentative: Tentative::Free, ..Counting::default() });
    for lines in [
        "STATUS:TENTATIVE",
        "ATTENDEE;PARTSTAT=TENTATIVE:mailto:prof@example.edu",
        "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",
    ] {
        assert_eq!(busy_by(&free, &format!("{HOUR}{lines}")).0, "", "{lines}");
    }
    let day = "DTSTART;VALUE=DATE:20260310";
    let taken = "10.03. 04:00-11.03. 04:00";
    let by = |all_day, lines: &str| {
        busy_by(&counting(Counting { all_day, ..Counting::default() }), &format!("{day}\n{lines}")).0
    };
    assert_eq!(by(AllDay::Obey, ""), taken);
    assert_eq!(by(AllDay::Free, ""), "");
    assert_eq!(by(AllDay::Busy, "TRANSP:TRANSPARENT"), taken);
    assert_eq!(by(AllDay::Busy, "STATUS:CANCELLED"), "");
    assert_eq!(
        by(AllDay::Obey, "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:prof@example.edu"),
        "",
        "a stranger's invitation"
    );
}

#[test]
fn an_invitation_without_an_answer_counts_as_the_host_says() {
    let asked = "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:prof@example.edu";
    let day = "DTSTART;VALUE=DATE:20260310";
    let all_day = "10.03. 04:00-11.03. 04:00";
    for (unanswered, timed, whole) in
        [(Unanswered::Timed, TAKEN, ""), (Unanswered::Busy, TAKEN, all_day), (Unanswered::Free, "", "")]
    {
        let rules = counting(Counting { unanswered, ..Counting::default() });
        assert_eq!(busy_by(&rules, &format!("{HOUR}{asked}")).0, timed, "{unanswered:?}");
        assert_eq!(busy_by(&rules, &format!("{day}\n{asked}")).0, whole, "{unanswered:?}");
        assert_eq!(busy_by(&rules, HOUR).0, TAKEN, "not an invitation");
    }
}

#[test]
fn what_leaves_the_host_free_counts_where_they_say_so() {
    let all = counting(Counting { transparent: true, ..Counting::default() });
    for lines in
        ["TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE", "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"]
    {
        assert_eq!(busy_by(&all, &format!("{HOUR}{lines}")).0, TAKEN, "{lines}");
    }
    assert_eq!(busy_by(&all, &format!("{HOUR}STATUS:CANCELLED")).0, "");
    assert_eq!(busy_by(&all, &format!("{HOUR}ATTENDEE;PARTSTAT=DECLINED:mailto:prof@example.edu")).0, "");
    let elsewhere = counting(Counting { working_elsewhere: true, ..Counting::default() });
    assert_eq!(busy_by(&elsewhere, &format!("{HOUR}X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE")).0, TAKEN);
    assert_eq!(busy_by(&elsewhere, &format!("{HOUR}X-MICROSOFT-CDO-BUSYSTATUS:FREE")).0, "");
}

#[test]
fn events_with_an_ignored_title_do_not_count_and_are_told() {
    let titles = ["Canceled: *", "Lunch"].iter().filter_map(|title| Title::new(title)).collect();
    let rules = counting(Counting { ignore_titles: titles, ..Counting::default() });
    let read = |lines: &str| {
        let window = window("2026-03-01T00:00Z", "2026-05-01T00:00Z");
        let found = object_busy(event(lines).as_bytes(), &rules, window);
        (found.intervals.len(), found.ignored.len())
    };
    assert_eq!(read(&format!("{HOUR}SUMMARY:CANCELED: Faculty\n")), (0, 1));
    assert_eq!(read(&format!("{HOUR}SUMMARY:Lunch\nTRANSP:TRANSPARENT\n")), (0, 0), "it would not count anyway");
    assert_eq!(read(&format!("{HOUR}SUMMARY:Lunch with Ada\n")), (1, 0));
    let renamed = "RECURRENCE-ID:20260311T100000Z\nDTSTART:20260311T100000Z\nDURATION:PT1H\nSUMMARY:Talk\n";
    let series = format!("{HOUR}SUMMARY:lunch\nRRULE:FREQ=DAILY;COUNT=3\n--\n{renamed}");
    assert_eq!(read(&series), (1, 2), "an instance has its own title");
}

#[test]
fn what_cannot_be_read_is_busy_as_far_as_it_can_be_read() {
    for (lines, expected, warnings) in [
        // A rule that cannot be expanded: from its start on, as far as UNTIL lets it reach.
        ("DTSTART:20260310T100000Z\nDURATION:PT1H\nRRULE:FREQ=FORTNIGHTLY", "10.03. 10:00-01.05. 00:00", 1),
        (
            "DTSTART:20260310T100000Z\nDURATION:PT1H\nRRULE:RSCALE=HEBREW;FREQ=YEARLY;UNTIL=20260320T100000Z",
            "10.03. 10:00-20.03. 11:00",
            1,
        ),
        ("DTSTART:20260310T100000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT\nRRULE:FREQ=FORTNIGHTLY", "", 1),
        // An end that cannot be read ends nothing.
        ("DTSTART:20260426T100000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;UNTIL=soon", "26.04. 10:00-26.04. 11:00", 1),
        (
            "DTSTART:20260419T100000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=0",
            "19.04. 10:00-19.04. 11:00, 26.04. 10:00-26.04. 11:00",
            1,
        ),
        // An exclusion that cannot be read excludes nothing.
        ("DTSTART:20260310T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=1\nEXDATE:2026", TAKEN, 1),
        ("DTSTART:20260310T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=1\nEXRULE:FREQ=DAILY;BYDAY=XX", TAKEN, 1),
        (
            "DTSTART:20260310T100000Z\nDURATION:PT1H\nRDATE:20260311T100000Z,nonsense",
            "10.03. 10:00-10.03. 11:00, 11.03. 10:00-11.03. 11:00",
            1,
        ),
        // Its length as far as it can be read.
        ("DTSTART:20260310T100000Z\nDTEND:later\nDURATION:PT1H", TAKEN, 1),
        ("DTSTART:20260310T100000Z\nDTEND:later", "", 1),
        ("DTSTART;VALUE=DATE:20260310\nDTEND:later", "10.03. 04:00-11.03. 04:00", 1),
        ("DTSTART:20260310T100000Z\nDTEND:20260310T090000Z", "", 1),
        ("DTSTART:20260310T100000Z\nDTEND:20260310T103000Z\nDURATION:PT1H", TAKEN, 1),
        // No start: nothing can be said but that.
        ("DTSTART:00000000T000000\nDTEND:20260310T110000Z", "", 1),
        ("SUMMARY:x", "", 1),
        // A time in no zone that is known is in the host's: 10:00 in New York is 14:00Z.
        ("DTSTART;TZID=Nowhere/Land:20260310T100000\nDURATION:PT1H", "10.03. 14:00-10.03. 15:00", 1),
        ("DTSTART:20260310T100000Z\nDTSTART:20260311T100000Z\nDURATION:PT1H", TAKEN, 1),
    ] {
        assert_eq!(busy(lines), (expected.to_owned(), warnings), "{lines}");
    }
}

#[test]
fn an_event_without_a_start_that_would_count_is_named() {
    for (lines, named) in [
        ("SUMMARY:Exam\nDTSTART:00000000T000000\nDTEND:20260310T110000Z", true),
        ("SUMMARY:Exam", true),
        ("SUMMARY:Exam\nDTSTART:soon\nTRANSP:TRANSPARENT", false),
        ("SUMMARY:Exam\nDTSTART:soon\nSTATUS:CANCELLED", false),
        ("SUMMARY:Exam\nDTSTART:soon\nRECURRENCE-ID:20260310T100000Z", false),
        ("SUMMARY:Exam\nDTSTART:20260310T100000Z", false),
    ] {
        let text = event(lines);
        let read =
            object_busy(text.as_bytes(), &rules("America/New_York"), window("2026-03-01T00:00Z", "2026-05-01T00:00Z"));
        let undated = read.undated;
        let names: Vec<&str> = undated.iter().map(|event| event.summary.as_str()).collect();
        assert_eq!(names, if named { vec!["Exam"] } else { vec![] }, "{lines}");
    }
}

#[test]
fn a_vtimezone_that_differs_from_its_name_is_told_and_not_believed() {
    let vtimezone = |from: &str, to: &str, start: &str| {
        format!(
            "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19701025T030000\nTZOFFSETFROM:{from}\n\
             TZOFFSETTO:{to}\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:{start}\n\
             TZOFFSETFROM:{to}\nTZOFFSETTO:{from}\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
        )
    };
    let read = |zone: &str, start: &str| {
        let text = event(&format!("DTSTART;TZID={start}\nDURATION:PT1H"));
        let text = text.replace("BEGIN:VCALENDAR\n", &format!("BEGIN:VCALENDAR\n{zone}"));
        let found = object_busy(text.as_bytes(), &rules("UTC"), window("2026-03-01T00:00Z", "2026-05-01T00:00Z"));
        (found.intervals.iter().map(|busy| busy.interval.start().to_string()).collect::<Vec<_>>(), found.warnings)
    };
    let in_berlin = "Europe/Berlin:20260410T100000";
    let (good, late) = (vtimezone("+0200", "+0100", "19810329T020000"), vtimezone("+0200", "+0100", "20270328T020000"));
    let expected = vec!["2026-04-10T08:00:00Z".to_owned()];
    assert_eq!(read(&good, in_berlin), (expected.clone(), Vec::new()));
    for (stale, says) in [
        (late, "differs from the time zone database at 2026-03-29T01:00:00Z (+01 against +02)"),
        (vtimezone("+0300", "+0200", "19810329T020000"), "differs from the time zone database at 2026-03-01T00:00:00Z"),
    ] {
        let (starts, warnings) = read(&stale, in_berlin);
        assert_eq!(starts, expected);
        assert_eq!((warnings.len(), warnings[0].uid.as_deref()), (1, Some("1")));
        assert!(
            warnings[0].what.contains(says) && warnings[0].what.contains("the database was believed"),
            "{warnings:?}"
        );
        assert_eq!(read(&stale, "Europe/Paris:20260410T100000").1, [], "nothing uses it");
        assert_eq!(read(&stale, "Europe/Berlin:20270410T100000").1, [], "nothing is in the window");
    }
}

#[test]
fn broken_text_is_read() {
    let plain = event(HOUR);
    let read = |text: &[u8]| {
        let found = object_busy(text, &rules("UTC"), window("2026-03-01T00:00Z", "2026-05-01T00:00Z"));
        found.intervals.iter().map(|busy| busy.interval.start().to_string()).collect::<Vec<_>>()
    };
    let expected = ["2026-03-10T10:00:00Z"];
    for text in [
        plain.replace('\n', "\r"),
        plain.replace('\n', "\r\n"),
        format!("\u{FEFF}{plain}"),
        plain.to_lowercase(),
        plain.replace("END:VEVENT\n", ""),
        plain.replace("END:VCALENDAR\n", ""),
        plain.replace("BEGIN:VCALENDAR\n", ""),
        plain.replace("DTSTART:", "DTSTART;VALUE=DATE:"),
        plain.replace("DTSTART:", "DTSTART;TZID=Europe/Berlin:"),
        plain.replace("UID:1\n", ""),
        plain.replace("UID:1\n", "UID:1\nDESCRIPTION:one\ntwo: three\nfour\n"),
        plain.replace("UID:1\n", &format!("UID:1\nDESCRIPTION:{}\n", "long ".repeat(5000))),
    ] {
        assert_eq!(read(text.as_bytes()), expected, "{text}");
    }
    let mut latin1 = plain.replace("UID:1\n", "UID:1\nSUMMARY:Z?rich\n").into_bytes();
    let at = latin1.iter().position(|b| *b == b'?').unwrap();
    latin1[at] = 0xFC;
    assert_eq!(read(&latin1), expected);
    for text in ["", "<html></html>", "BEGIN:VCALENDAR"] {
        let found = object_busy(text.as_bytes(), &rules("UTC"), window("2026-03-01T00:00Z", "2026-05-01T00:00Z"));
        assert_eq!((found.intervals.len(), found.warnings.len()), (0, 1), "{text}");
    }
}

#[test]
fn one_bad_event_costs_its_neighbours_nothing() {
    let text = event(&format!("DTSTART:never\n--\n{HOUR}--\nRRULE:FREQ=DAILY\n"));
    let found = object_busy(text.as_bytes(), &rules("UTC"), window("2026-03-01T00:00Z", "2026-05-01T00:00Z"));
    assert_eq!((found.intervals.len(), found.warnings.len(), found.uids), (1, 2, vec!["1".to_owned()]));
}

#[test]
fn two_masters_of_one_uid_both_block_and_an_override_replaces_in_both() {
    let other = "DTSTART:20260310T150000Z\nDURATION:PT1H\n";
    assert_eq!(busy(&format!("{HOUR}--\n{other}")).0, "10.03. 10:00-10.03. 11:00, 10.03. 15:00-10.03. 16:00");
    let series = "DTSTART:20260310T100000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\n";
    let moved = "RECURRENCE-ID:20260311T100000Z\nDTSTART:20260311T120000Z\nDURATION:PT1H\n";
    assert_eq!(
        busy(&format!("{series}--\n{series}--\n{moved}")).0,
        "10.03. 10:00-10.03. 11:00, 11.03. 12:00-11.03. 13:00"
    );
}

#[test]
fn overrides_without_their_series_stand_for_themselves() {
    let orphan = |id: &str, start: &str| format!("RECURRENCE-ID:{id}\nDTSTART:{start}\nDURATION:PT1H\n");
    let two = format!(
        "{}--\n{}",
        orphan("20260310T090000Z", "20260310T100000Z"),
        orphan("20260317T090000Z", "20260317T100000Z")
    );
    assert_eq!(busy(&two).0, "10.03. 10:00-10.03. 11:00, 17.03. 10:00-17.03. 11:00");
    let newer = format!(
        "{}SEQUENCE:1\n--\n{}",
        orphan("20260310T090000Z", "20260310T100000Z"),
        orphan("20260310T090000Z", "20260310T120000Z")
    );
    assert_eq!(busy(&newer).0, TAKEN);
}

#[test]
fn an_override_of_an_all_day_series_may_name_its_day_as_midnight() {
    let series = "DTSTART;VALUE=DATE:20260310\nRRULE:FREQ=DAILY;COUNT=2\n";
    for id in [
        "RECURRENCE-ID:20260311T000000Z",
        "RECURRENCE-ID:20260311T040000Z",
        "RECURRENCE-ID;TZID=America/New_York:20260311T000000",
    ] {
        let text = format!("{series}--\n{id}\nDTSTART:20260311T140000Z\nDURATION:PT1H\n");
        assert_eq!(busy(&text).0, "10.03. 04:00-11.03. 04:00, 11.03. 14:00-11.03. 15:00", "{id}");
    }
    for exdate in ["EXDATE:20260311T000000Z", "EXDATE:20260311T040000Z", "EXDATE;VALUE=DATE:20260311"] {
        assert_eq!(busy(&format!("{series}{exdate}")).0, "10.03. 04:00-11.03. 04:00", "{exdate}");
    }
}

#[test]
fn travel_time_is_busy_before_the_start_of_each_instance() {
    let text = format!("{HOUR}X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=2\n");
    assert_eq!(busy(&text).0, "10.03. 09:30-10.03. 11:00, 11.03. 09:30-11.03. 11:00");
    let without = counting(Counting { travel_time: false, ..Counting::default() });
    assert_eq!(busy_by(&without, &text).0, "10.03. 10:00-10.03. 11:00, 11.03. 10:00-11.03. 11:00");
    let opens =
        object_opens(event(&text).as_bytes(), &rules("UTC"), window("2026-03-01T00:00Z", "2026-03-11T00:00Z"), None);
    assert_eq!(opens, [window("2026-03-10T10:00Z", "2026-03-10T11:00Z")]);
}

#[test]
fn a_bomb_is_bounded_and_busy_from_where_it_was_given_up() {
    let series = |rule: &str| format!("DTSTART:20260310T100000Z\nDURATION:PT1S\nRRULE:{rule}\n");
    let (found, warnings) = busy(&series("FREQ=SECONDLY"));
    assert!(found.starts_with("10.03. 10:00-01.05. 00:00"), "{found}");
    assert_eq!(warnings, 1);
    let (found, _) =
        busy("DTSTART:19700101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY;COUNT=4294967295;BYHOUR=1,2,3,4,5,6\n");
    assert_eq!(found, "27.02. 23:59-01.05. 00:00", "counting was given up long before the window");
    for (never, warnings) in [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 1),
        ("FREQ=SECONDLY;INTERVAL=2;BYSECOND=1", 1),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", 1),
        ("FREQ=HOURLY;INTERVAL=4000000000", 0),
    ] {
        assert_eq!(busy(&series(never)), ("10.03. 10:00-10.03. 10:00".to_owned(), warnings), "{never}");
    }
}

#[test]
fn a_start_that_no_rule_produces_is_told_where_it_changes_what_is_busy() {
    let tuesday = "DTSTART:20260310T100000Z\nDURATION:PT1H\n";
    for (lines, warned) in [
        ("RRULE:FREQ=WEEKLY;BYDAY=TH", true),
        ("RRULE:FREQ=WEEKLY;BYDAY=TU,TH", false),
        ("RRULE:FREQ=WEEKLY;BYDAY=TH\nRRULE:FREQ=WEEKLY;BYDAY=TU", false),
        ("RRULE:FREQ=WEEKLY;BYDAY=TH\nRDATE:20260310T100000Z", false),
        ("RRULE:FREQ=WEEKLY;BYDAY=TH\nEXDATE:20260310T100000Z", false),
        // One Thursday more or less, by whether it is the first of COUNT.
        ("RRULE:FREQ=WEEKLY;BYDAY=TH;COUNT=3\nEXDATE:20260310T100000Z", true),
        ("RRULE:FREQ=WEEKLY;BYDAY=TH;COUNT=30\nEXDATE:20260310T100000Z", false),
        ("RRULE:FREQ=WEEKLY;BYDAY=TH;UNTIL=20260309T100000Z", false),
        ("RRULE:FREQ=WEEKLY;BYDAY=TH\nTRANSP:TRANSPARENT", false),
        ("RRULE:FREQ=WEEKLY;BYDAY=TH\n--\nRECURRENCE-ID:20260310T100000Z\nDTSTART:20260311T100000Z", false),
    ] {
        let found = object_busy(
            event(&format!("{tuesday}{lines}")).as_bytes(),
            &rules("UTC"),
            window("2026-03-01T00:00Z", "2026-05-01T00:00Z"),
        );
        let says = |warning: &Warning| warning.what.contains("not one that its rule produces");
        assert_eq!(found.warnings.iter().filter(|warning| says(warning)).count(), usize::from(warned), "{lines}");
    }
    let later = object_busy(
        event(&format!("{tuesday}RRULE:FREQ=WEEKLY;BYDAY=TH\n")).as_bytes(),
        &rules("UTC"),
        window("2026-04-01T00:00Z", "2026-05-01T00:00Z"),
    );
    assert_eq!((later.warnings, later.intervals.len()), (Vec::new(), 5));
}

#[test]
fn events_of_a_title_open_time_unless_cancelled_or_not_understood() {
    let opens = |lines: &str| {
        let text = event(lines);
        object_opens(
            text.as_bytes(),
            &rules("UTC"),
            window("2026-03-01T00:00Z", "2026-05-01T00:00Z"),
            Some("office hours"),
        )
        .len()
    };
    let series = format!("{HOUR}SUMMARY: Office Hours\nTRANSP:TRANSPARENT\nRRULE:FREQ=WEEKLY;COUNT=3\n");
    assert_eq!(opens(&series), 3);
    assert_eq!(
        opens(&format!(
            "{series}--\n{}",
            "RECURRENCE-ID:20260317T100000Z\nDTSTART:20260317T100000Z\nSUMMARY:Office hours\nSTATUS:CANCELLED\n"
        )),
        2
    );
    assert_eq!(opens(&format!("{HOUR}SUMMARY:Lunch\n")), 0);
    assert_eq!(opens(&format!("{HOUR}SUMMARY:Office hours\nRRULE:FREQ=EVER\n")), 0);
}

#[test]
fn the_facts_of_an_event_are_told() {
    let text =
        event(&format!("{HOUR}SUMMARY:a\\, b\nLOCATION:Room\nSTATUS:Confirmed\nTRANSP:transparent\nSEQUENCE:7\n"));
    let facts = event_summary(text.as_bytes(), &Zone::utc()).unwrap();
    assert_eq!((facts.uid.as_str(), facts.summary.as_str(), facts.location.as_str()), ("1", "a, b", "Room"));
    assert_eq!((facts.status.as_deref(), facts.transparency.as_deref()), (Some("CONFIRMED"), Some("TRANSPARENT")));
    assert_eq!(
        (facts.start.to_string(), facts.end.to_string()),
        ("2026-03-10T10:00:00Z".to_owned(), "2026-03-10T11:00:00Z".to_owned())
    );
    assert_eq!((facts.sequence, facts.all_day, facts.recurring), (7, false, false));
    assert_eq!(event_summary(b"BEGIN:VCALENDAR", &Zone::utc()), None);
}

#[test]
fn an_event_that_its_owner_declined_is_called_off_and_one_that_a_guest_declined_is_not() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let of = |attendee: &str| {
        let event = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260303T100000Z\nDTEND:20260303T103000Z\n{attendee}\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let owner = ["mailto:noether@example.edu", "/principals/noether/", "urn:uuid:6c9b3c5a-0f0e"].map(str::to_owned);
        event_summary(event.as_bytes(), &zone).unwrap().is_called_off(&owner)
    };
    assert!(of("ATTENDEE;PARTSTAT=DECLINED:MAILTO:Noether@example.edu"));
    assert!(of("ATTENDEE;PARTSTAT=DECLINED:mailto:noether%40example.edu"));
    assert!(of("ATTENDEE;PARTSTAT=DECLINED:/principals/noether"));
    assert!(of("ATTENDEE;PARTSTAT=DECLINED:urn:uuid:6C9B3C5A-0F0E"));
    assert!(of("ATTENDEE;PARTSTAT=DECLINED;EMAIL=noether@example.edu:/aMTIzNDU2Nzg5/principal/"));
    assert!(!of("ATTENDEE;PARTSTAT=DECLINED:/principals/ada/"));
    assert!(!of("ATTENDEE;PARTSTAT=ACCEPTED:mailto:noether@example.edu"));
    assert!(!of("ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.org"));
    assert!(of("STATUS:CANCELLED"));
}

#[test]
fn who_declined_is_read_as_scheduling_servers_write_it() {
    let event = |attendees: &str| {
        let text = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260303T100000Z\nDTEND:20260303T103000Z\n\
             ORGANIZER;CN=Emmy Noether:mailto:noether@example.edu\n{attendees}END:VEVENT\nEND:VCALENDAR\n"
        );
        event_summary(text.as_bytes(), &Zone::utc()).unwrap().declined
    };
    for attendee in [
        "ATTENDEE;PARTSTAT=DECLINED;SCHEDULE-STATUS=2.0:mailto:ada@example.org",
        "ATTENDEE;CN=\"Lovelace; Ada: x\";PARTSTAT=declined;ROLE=REQ-PARTICIPANT:MAILTO:Ada@Example.org",
        "attendee;partstat=\"DECLINED\":mailto: ada@example.org",
        "ATTENDEE;CN=Ada Lovelace;CUTYPE=INDIVIDUAL;PARTSTAT=DECLINED;X-NUM-GUESTS=\n 0:mailto:ada@examp\n le.org",
    ] {
        let host = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:noether@example.edu";
        assert_eq!(event(&format!("{host}\n{attendee}\n")), ["ada@example.org"], "{attendee}");
    }
    for attendee in [
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.org",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;SCHEDULE-STATUS=1.2:mailto:ada@example.org",
        "ATTENDEE;CN=PARTSTAT=DECLINED:mailto:ada@example.org",
        "ATTENDEE:mailto:ada@example.org?PARTSTAT=DECLINED",
        "X-ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.org",
    ] {
        assert_eq!(event(&format!("{attendee}\n")), [""; 0], "{attendee}");
    }
    let by_uuid = "ATTENDEE;PARTSTAT=DECLINED;EMAIL=\"Ada@example.org\":urn:uuid:6C9B3C5A\n";
    assert_eq!(event(by_uuid), ["urn:uuid:6c9b3c5a", "ada@example.org"]);
    let both = "ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.org\nATTENDEE;PARTSTAT=DECLINED:mailto:eve@example.net\n";
    assert_eq!(event(both), ["ada@example.org", "eve@example.net"]);
}
