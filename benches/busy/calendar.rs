//! The calendars that are measured: the same for every engine.

use officehours::availability::{BusyRules, Counting, Interval};
use officehours::ical::Zone;

/// Sixty days from 1 March 2026.
pub(crate) fn window() -> Interval {
    Interval::new("2026-03-01T00:00Z".parse().unwrap(), "2026-04-30T00:00Z".parse().unwrap()).unwrap()
}

pub(crate) fn rules() -> BusyRules {
    BusyRules {
        zone: Zone::named("Europe/Berlin").unwrap(),
        owner: vec!["mailto:prof@example.edu".to_owned()],
        counting: Counting::default(),
    }
}

/// A start on the wall clock of Berlin, and a rule.
pub(crate) type Recurrence = (String, String);

/// Rules as people make them, begun between 1990 and 2026.
pub(crate) fn recurrences(count: usize) -> Vec<Recurrence> {
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
    (0..count).map(|n| (begun(n * 7919), kinds[n % kinds.len()].to_owned())).collect()
}

/// 10,000 events of some years, of which one in four recurs; each an object of its own, as CalDAV has them.
pub(crate) fn objects() -> Vec<String> {
    let recurring = recurrences(2_500);
    (0..10_000)
        .map(|n| {
            let (start, rule) = match recurring.get(n / 4).filter(|_| n % 4 == 0) {
                Some((start, rule)) => (start.clone(), format!("RRULE:{rule}\r\n")),
                None => {
                    let day = format!("{}{:02}{:02}", 2019 + n % 8, 1 + n % 12, 1 + n % 28);
                    (format!("{day}T{:02}0000", 8 + n % 9), String::new())
                }
            };
            object(n, &start, &rule)
        })
        .collect()
}

/// One event; `rule` is its line, or nothing.
pub(crate) fn object(number: usize, start: &str, rule: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VEVENT\r\nUID:{number}@bench\r\nDTSTAMP:20260101T000000Z\r\n\
         CREATED:20260101T000000Z\r\nLAST-MODIFIED:20260101T000000Z\r\nDTSTART;TZID=Europe/Berlin:{start}\r\nDURATION:PT1H\r\n\
         {rule}SUMMARY:Something that takes place\r\nLOCATION:Room 2.12\r\nDESCRIPTION:Some words about what it is and\\n\r\n  who comes.\r\n\
         ATTENDEE;CN=Somebody;PARTSTAT=ACCEPTED:mailto:somebody@example.edu\r\nATTENDEE;CN=Prof;PARTSTAT=ACCEPTED:mailto:prof@example.edu\r\n\
         BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}
