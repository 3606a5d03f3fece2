//! Events that open time, from the text of a calendar to the slots.

use super::*;
use crate::availability::{Confirm, Counting, MeetingId, MeetingType, Situation};
use crate::booking::{BookingId, BookingState};

const NOW: &str = "2026-03-01T10:00:00Z";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Half an hour is to be met for, at no weekly hours.
pub(super) fn host() -> Arc<Host> {
    let meeting = MeetingType {
        id: MeetingId::new("talk").unwrap(),
        title: "Talk".into(),
        description: String::new(),
        duration: SignedDuration::from_mins(30),
        step: SignedDuration::from_mins(30),
        buffer_before: SignedDuration::ZERO,
        buffer_after: SignedDuration::ZERO,
        notice: SignedDuration::ZERO,
        horizon: SignedDuration::from_hours(24 * 40),
        per_day: None,
        per_guest: None,
        seats: 1,
        location: String::new(),
        confirm: Confirm::Instant,
        reminders: Vec::new(),
        questions: Vec::new(),
        hours: None,
    };
    Arc::new(Host { meetings: vec![Arc::new(meeting)], ..Host::sample() })
}

pub(super) fn source(name: &str, busy: bool, opens: Option<Option<&str>>) -> SourceSettings {
    let host = host();
    SourceSettings {
        key: CalendarKey { host: host.id.clone(), account: "work".into(), href: format!("/{name}/") },
        name: name.to_owned(),
        rules: BusyRules {
            zone: host.zone.clone(),
            owner: vec!["mailto:noether@example.edu".into()],
            counting: Counting::default(),
        },
        busy,
        opens: opens.map(|summary| Opens { summary: summary.map(str::to_owned) }),
        is_availability: false,
    }
}

/// An object of these VEVENTs, ` | ` between their lines.
pub(super) fn object(uid: &str, events: &[&str]) -> StoredObject {
    let event = |lines: &&str| format!("BEGIN:VEVENT\nUID:{uid}\n{}\nEND:VEVENT\n", lines.replace(" | ", "\n"));
    let data = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", events.iter().map(event).collect::<String>());
    StoredObject { href: format!("/{uid}.ics"), etag: None, data: data.into_bytes() }
}

/// Tuesdays from 14 to 15 o'clock; not on the 10th, and on the 18th instead of the 17th.
fn office_hours() -> StoredObject {
    object(
        "hours",
        &[
            "SUMMARY:Office hours | DTSTART;TZID=Europe/Berlin:20260106T140000 | DURATION:PT1H | RRULE:FREQ=WEEKLY | EXDATE;TZID=Europe/Berlin:20260310T140000",
            "SUMMARY:Office hours | RECURRENCE-ID;TZID=Europe/Berlin:20260317T140000 | DTSTART;TZID=Europe/Berlin:20260318T160000 | DURATION:PT30M",
        ],
    )
}

pub(super) fn board(calendars: Vec<(SourceSettings, Option<Timestamp>, Vec<StoredObject>)>) -> HostBoard {
    let board = HostBoard::new(host(), at(NOW));
    board.replace(at(NOW), calendars);
    board
}

/// The starts on offer in the first four weeks of March, in Berlin.
fn starts(board: &HostBoard) -> Vec<String> {
    let (snapshot, host) = (board.snapshot(), &board.host);
    let situation = Situation {
        meeting: &host.meetings[0],
        hours: &host.hours,
        zone: &host.zone,
        opened: &snapshot.opened,
        busy: &snapshot.busy,
        held: &snapshot.held,
        pause: None,
        takes_bookings: true,
        now: at(NOW),
    };
    let march = Interval::new(at("2026-03-01T00:00:00Z"), at("2026-03-28T00:00:00Z")).unwrap();
    let local = |slot: &crate::availability::Slot| host.zone.civil(slot.time.start()).strftime("%d. %H:%M").to_string();
    situation.slots(march).iter().map(local).collect()
}

const OPEN: [&str; 5] = ["03. 14:00", "03. 14:30", "18. 16:00", "24. 14:00", "24. 14:30"];

#[test]
fn weekly_events_with_exceptions_open_exactly_their_time_until_they_are_deleted() {
    let settings = source("Office hours", false, Some(Some("Office hours")));
    let board = board(vec![(settings.clone(), Some(at(NOW)), vec![office_hours()])]);
    assert_eq!(starts(&board), OPEN);
    assert!(board.snapshot().busy.is_empty());
    board.pulled(&settings.key, Some(at(NOW)), &[], &["/hours.ics".to_owned()]);
    assert_eq!(starts(&board), [""; 0]);
    board.pulled(&settings.key, Some(at(NOW)), &[office_hours()], &[]);
    assert_eq!(starts(&board), OPEN);
}

#[test]
fn the_other_events_of_the_calendar_are_busy_only_if_it_counts_as_busy() {
    let objects =
        || vec![office_hours(), object("lunch", &["SUMMARY:Lunch | DTSTART:20260303T130000Z | DURATION:PT10M"])];
    let of = |busy: bool| board(vec![(source("Work", busy, Some(Some("office hours "))), Some(at(NOW)), objects())]);
    assert_eq!(starts(&of(false)), OPEN);
    assert!(of(false).snapshot().busy.is_empty());
    assert_eq!(starts(&of(true)), OPEN[1..]);
    assert_eq!(of(true).snapshot().busy.len(), 1, "lunch alone");
}

#[test]
fn another_calendar_closes_what_was_opened() {
    let lecture = object("lecture", &["SUMMARY:Lecture | DTSTART:20260324T133000Z | DURATION:PT1H"]);
    let board = board(vec![
        (source("Office hours", false, Some(None)), Some(at(NOW)), vec![office_hours()]),
        (source("Work", true, None), Some(at(NOW)), vec![lecture]),
    ]);
    assert_eq!(starts(&board), OPEN[..4]);
}

#[test]
fn an_opening_calendar_that_was_not_read_leaves_the_host_unread() {
    let board = board(vec![
        (source("Office hours", false, Some(None)), None, Vec::new()),
        (source("Work", true, None), Some(at(NOW)), Vec::new()),
    ]);
    assert_eq!(board.snapshot().as_of, None);
    let names: Vec<_> = board.causes().1.iter().map(|c| (c.name.clone(), c.read_at)).collect();
    assert_eq!(names, [("Office hours".to_owned(), None), ("Work".to_owned(), Some(at(NOW)))]);
}

#[test]
fn what_is_not_understood_opens_nothing_and_is_told() {
    let odd = object("odd", &["SUMMARY:Office hours | DTSTART:20260303T090000Z | DURATION:PT1H | RRULE:FREQ=EVER"]);
    let board = board(vec![(source("Office hours", false, Some(None)), Some(at(NOW)), vec![odd])]);
    assert_eq!(starts(&board), [""; 0]);
    assert_eq!(board.causes().1[0].warnings.len(), 1);
}

#[test]
fn the_event_of_a_booking_opens_nothing() {
    let time = Interval::new(at("2026-03-05T13:00:00Z"), at("2026-03-05T13:30:00Z")).unwrap();
    let event = object("ours", &["SUMMARY:Talk: Ada | DTSTART:20260305T130000Z | DURATION:PT30M"]);
    let board = board(vec![(source("Office hours", false, Some(None)), Some(at(NOW)), vec![event])]);
    assert_eq!(starts(&board), ["05. 14:00"]);
    let own = OwnEvent {
        booking: BookingId(uuid::Uuid::nil()),
        uid: "ours".into(),
        place: None,
        state: BookingState::Confirmed,
        time,
        location: String::new(),
        delete_pending: false,
        settled: true,
    };
    board.booked(Vec::new(), vec![own]);
    assert_eq!(starts(&board), [""; 0]);
}
