//! Whatever changes in whatever order, what is published is what would be, were all of it read anew.

use super::tests::{at, board, host, object, source};
use super::*;
use crate::booking::{BookingId, BookingState};
use proptest::prelude::*;

/// One thing that happens to a board.
#[derive(Clone, Debug)]
enum Change {
    /// A pull of a calendar brings objects (which, as what) and takes some away.
    Pulled(usize, Vec<(usize, usize)>, Vec<usize>),
    /// We write an object ourselves.
    Wrote(usize, usize, usize),
    /// The bookings are these: the events of these objects, by their state.
    Booked(Vec<(usize, usize)>),
    /// All is read anew.
    Replaced,
}

/// What an event may be, ` | ` between its lines: single, in the past, long, recurring, all day, opening, broken.
const EVENTS: [&str; 12] = [
    "DTSTART:20260303T130000Z | DURATION:PT1H",
    "DTSTART:20260303T133000Z | DURATION:PT1H",
    "DTSTART:20260303T233000Z | DURATION:PT3H",
    "DTSTART:20250303T130000Z | DURATION:PT1H",
    "DTSTART;VALUE=DATE:20260101 | DTEND;VALUE=DATE:20260601",
    "DTSTART;TZID=Europe/Berlin:19900101T090000 | DURATION:PT45M | RRULE:FREQ=WEEKLY;BYDAY=MO,TH",
    "DTSTART;TZID=Europe/Berlin:20260101T120000 | DURATION:PT1H | RRULE:FREQ=DAILY",
    "DTSTART:20260301T000000Z | DURATION:PT15M | RRULE:FREQ=HOURLY;INTERVAL=5",
    "SUMMARY:Open | DTSTART;TZID=Europe/Berlin:20260106T140000 | DURATION:PT1H | RRULE:FREQ=WEEKLY",
    "SUMMARY:Open | DTSTART;TZID=Europe/Berlin:20260106T143000 | DURATION:PT1H | RRULE:FREQ=WEEKLY;COUNT=9",
    "DTSTART:20260303T130000Z | RRULE:FREQ=EVER",
    "DTSTART:20260303T130000Z | DURATION:PT0S",
];

const OBJECTS: usize = 6;
const STATES: [BookingState; 3] = [BookingState::Confirmed, BookingState::AwaitingApproval, BookingState::Cancelled];

/// An object of one event, or of two of one UID; those of the same number have the same UID in each calendar.
fn stored(number: usize, what: usize) -> StoredObject {
    let first = EVENTS[what % EVENTS.len()];
    let second = "RECURRENCE-ID:20260303T130000Z | DTSTART:20260304T150000Z | DURATION:PT30M";
    let events: &[&str] = if what >= EVENTS.len() { &[first, second] } else { &[first] };
    object(&format!("u{number}"), events)
}

fn own(number: usize, state: usize) -> OwnEvent {
    OwnEvent {
        booking: BookingId(uuid::Uuid::from_u128(number as u128)),
        uid: format!("u{number}"),
        place: None,
        state: STATES[state % STATES.len()],
        time: Interval::new(at("2026-03-03T13:00:00Z"), at("2026-03-03T14:00:00Z")).unwrap(),
        location: String::new(),
        delete_pending: state >= STATES.len(),
        settled: true,
    }
}

fn change() -> impl Strategy<Value = Change> {
    let what = || 0..EVENTS.len() * 2;
    prop_oneof![
        6 => (0..3usize, prop::collection::vec((0..OBJECTS, what()), 0..4), prop::collection::vec(0..OBJECTS, 0..2))
            .prop_map(|(calendar, changed, removed)| Change::Pulled(calendar, changed, removed)),
        2 => (0..3usize, 0..OBJECTS, what()).prop_map(|(calendar, number, what)| Change::Wrote(calendar, number, what)),
        3 => prop::collection::vec((0..OBJECTS, 0..STATES.len() * 2), 0..4).prop_map(Change::Booked),
        1 => Just(Change::Replaced),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_published_after_any_changes_is_what_reading_all_anew_would_publish(
        changes in prop::collection::vec(change(), 1..12),
    ) {
        let settings =
            [source("Work", true, None), source("Open", false, Some(Some("Open"))), source("Both", true, Some(None))];
        let mut stored_now: [BTreeMap<usize, StoredObject>; 3] = Default::default();
        let mut read_at = [at("2026-03-01T10:00:00Z"); 3];
        let mut bookings = (Vec::new(), Vec::new());
        let all = |stored: &[BTreeMap<usize, StoredObject>; 3], read_at: [Timestamp; 3]| {
            let calendars = settings.iter().zip(stored).zip(read_at);
            let calendars = calendars.map(|((settings, objects), at)| (settings.clone(), Some(at), objects.values().cloned().collect()));
            calendars.collect::<Vec<_>>()
        };
        let changed = board(all(&stored_now, read_at));
        for (step, change) in (1i64..).zip(changes) {
            let now = at("2026-03-01T10:00:00Z") + SignedDuration::from_mins(step);
            match change {
                Change::Pulled(calendar, objects, removed) => {
                    let hrefs: Vec<String> = removed.iter().map(|number| format!("/u{number}.ics")).collect();
                    removed.iter().for_each(|number| drop(stored_now[calendar].remove(number)));
                    let objects: Vec<(usize, StoredObject)> = objects.into_iter().map(|(number, what)| (number, stored(number, what))).collect();
                    let brought: Vec<StoredObject> = objects.iter().map(|(_, object)| object.clone()).collect();
                    stored_now[calendar].extend(objects);
                    read_at[calendar] = now;
                    changed.pulled(&settings[calendar].key, Some(now), &brought, &hrefs);
                }
                Change::Wrote(calendar, number, what) => {
                    stored_now[calendar].insert(number, stored(number, what));
                    changed.wrote(&settings[calendar].key, &[stored(number, what)], &[]);
                }
                Change::Booked(events) => {
                    let events: BTreeMap<usize, OwnEvent> = events.into_iter().map(|(number, state)| (number, own(number, state))).collect();
                    let held = events.values().map(|own| Held {
                        id: own.booking.0,
                        meeting: host().meetings[0].id.clone(),
                        time: own.time,
                        buffer_before: SignedDuration::ZERO,
                        buffer_after: SignedDuration::ZERO,
                    });
                    bookings = (held.collect::<Vec<_>>(), events.into_values().collect::<Vec<_>>());
                    changed.booked(bookings.0.clone(), bookings.1.clone());
                }
                Change::Replaced => changed.replace(at("2026-03-01T10:00:00Z"), all(&stored_now, read_at)),
            }
            let anew = board(all(&stored_now, read_at));
            anew.booked(bookings.0.clone(), bookings.1.clone());
            let ((ours, causes), (theirs, their_causes)) = (changed.causes(), anew.causes());
            prop_assert_eq!(ours.as_ref(), theirs.as_ref());
            prop_assert_eq!(&causes, &their_causes);
            // And both are what they are defined to be.
            let busy: IntervalSet = causes.iter().flat_map(|calendar| calendar.intervals.iter().map(|busy| busy.interval)).collect();
            prop_assert_eq!(ours.busy.as_ref(), &busy);
            let mut opened: Vec<Interval> = causes.iter().flat_map(|calendar| calendar.opens.iter().copied()).collect();
            opened.sort_unstable();
            prop_assert_eq!(ours.opened.as_ref(), opened.as_slice());
        }
    }
}

#[test]
fn what_has_not_changed_is_shared_with_the_snapshot_before() {
    let settings = source("Work", true, None);
    let board = board(vec![(settings.clone(), Some(at("2026-03-01T10:00:00Z")), vec![stored(0, 0)])]);
    let before = board.snapshot();
    board.pulled(&settings.key, Some(at("2026-03-01T10:05:00Z")), &[], &[]);
    let after = board.snapshot();
    assert_eq!(after.as_of, Some(at("2026-03-01T10:05:00Z")));
    assert!(Arc::ptr_eq(&before.busy, &after.busy) && Arc::ptr_eq(&before.opened, &after.opened));
    assert!(Arc::ptr_eq(&before.held, &after.held));
}

#[test]
fn one_changed_object_is_read_anew_and_no_other() {
    let settings = source("Work", true, None);
    let board =
        board(vec![(settings.clone(), Some(at("2026-03-01T10:00:00Z")), (0..50).map(|n| stored(n, 5)).collect())]);
    let (_, before) = board.causes();
    board.pulled(&settings.key, Some(at("2026-03-01T10:05:00Z")), &[stored(7, 6)], &[]);
    let (_, after) = board.causes();
    // An event's cause is made when it is read.
    let known = |cause: &BusyInterval| before[0].intervals.iter().any(|busy| Arc::ptr_eq(&busy.cause, &cause.cause));
    let anew = after[0].intervals.iter().filter(|cause| !known(cause));
    assert!(anew.clone().count() > 0 && anew.clone().all(|busy| busy.cause.uid.as_deref() == Some("u7")));
    let others = after[0].intervals.iter().filter(|cause| known(cause));
    assert_eq!(others.count(), before[0].intervals.len() * 49 / 50);
}
