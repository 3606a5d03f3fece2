//! What a calendar object may cost, and that what it takes no more of is busy.

use super::*;
use crate::availability::Counting;

fn window() -> Interval {
    Interval::new("2026-03-01T00:00Z".parse().unwrap(), "2026-04-30T00:00Z".parse().unwrap()).unwrap()
}

fn busy(events: &str) -> ObjectBusy {
    let rules =
        BusyRules { zone: Zone::named("Europe/Berlin").unwrap(), owner: Vec::new(), counting: Counting::default() };
    object_busy(format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n").as_bytes(), &rules, window())
}

#[test]
fn a_bomb_is_bounded_and_busy_from_where_it_is_not_known() {
    for rule in ["FREQ=SECONDLY", "FREQ=SECONDLY;COUNT=4294967295;BYSECOND=0,2,4", "FREQ=SECONDLY;BYSETPOS=1"] {
        let event =
            format!("BEGIN:VEVENT\nUID:bomb\nDTSTART:20200101T000000Z\nDURATION:PT0S\nRRULE:{rule}\nEND:VEVENT\n");
        let found = busy(&event);
        let [stretch] = found.intervals.as_slice() else { panic!("{rule}: {:?}", found.intervals) };
        assert_eq!(stretch.cause.what, BusyKind::Truncated, "{rule}");
        assert!(stretch.interval.end() >= window().end(), "{rule}: busy to the end of what is asked");
        assert!(found.warnings.iter().any(|warning| warning.uid.as_deref() == Some("bomb")), "{rule}");
    }
}

#[test]
fn a_bomb_takes_nothing_from_its_neighbours() {
    let bomb = "BEGIN:VEVENT\nUID:bomb\nDTSTART:20260101T000000Z\nDURATION:PT0S\nRRULE:FREQ=SECONDLY\nEND:VEVENT\n";
    let event = "BEGIN:VEVENT\nUID:1\nDTSTART:20260303T100000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nEND:VEVENT\n";
    let found = busy(&format!("{bomb}{event}"));
    let weekly = found.intervals.iter().filter(|busy| busy.cause.uid.as_deref() == Some("1"));
    assert_eq!(weekly.filter(|busy| busy.cause.what == BusyKind::Event).count(), 9);
}
