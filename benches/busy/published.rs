//! From a changed event to what is published, and from that to slots and the feed.

use super::calendar::{object, objects, rules};
use criterion::Criterion;
use jiff::{SignedDuration, Timestamp};
use officehours::availability::{Confirm, Host, HostId, Hours, Interval, MeetingId, MeetingType, Situation};
use officehours::ical::write::{FeedSlot, FeedText, feed};
use officehours::language::Language;
use officehours::store::{CalendarKey, StoredObject};
use officehours::sync::{HostBoard, Snapshot, SourceSettings};
use std::hint::black_box;
use std::sync::Arc;

fn now() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

fn host(hours: Hours) -> Arc<Host> {
    let meeting = MeetingType {
        id: MeetingId::new("talk").unwrap(),
        title: "Talk".into(),
        description: String::new(),
        duration: SignedDuration::from_mins(20),
        step: SignedDuration::from_mins(20),
        buffer_before: SignedDuration::ZERO,
        buffer_after: SignedDuration::from_mins(5),
        notice: SignedDuration::ZERO,
        horizon: SignedDuration::from_hours(24 * 60),
        per_day: None,
        per_guest: None,
        seats: 1,
        location: String::new(),
        confirm: Confirm::Instant,
        reminders: Vec::new(),
        questions: Vec::new(),
        hours: None,
    };
    Arc::new(Host {
        language: Language::English,
        id: HostId::new("noether").unwrap(),
        name: "Emmy Noether".into(),
        email: "prof@example.edu".into(),
        aliases: Vec::new(),
        zone: rules().zone,
        max_staleness: SignedDuration::from_mins(30),
        hours,
        takes_bookings: true,
        meetings: vec![Arc::new(meeting)],
    })
}

fn stored(number: usize, data: String) -> StoredObject {
    StoredObject { href: format!("/cal/{number}.ics"), etag: None, data: data.into_bytes() }
}

/// A board of one calendar with every `nth` of the objects.
fn board(nth: usize) -> (HostBoard, CalendarKey) {
    let mut hours = Hours::default();
    hours.weekly.add("Mon-Fri 06:00-22:00").unwrap();
    let host = host(hours);
    let key = CalendarKey { host: host.id.clone(), account: "work".into(), href: "/cal/".into() };
    let settings = SourceSettings {
        key: key.clone(),
        name: "Work".into(),
        rules: rules(),
        busy: true,
        opens: None,
        is_availability: false,
    };
    let board = HostBoard::new(host, now());
    let objects = objects().into_iter().enumerate().filter(|(n, _)| n % nth == 0);
    let objects = objects.map(|(number, data)| stored(number, data)).collect();
    board.replace(now(), vec![(settings, Some(now()), objects)]);
    (board, key)
}

fn slots(board: &HostBoard, snapshot: &Snapshot) -> Vec<Interval> {
    let situation = Situation {
        meeting: &board.host.meetings[0],
        hours: &board.host.hours,
        zone: &board.host.zone,
        opened: &snapshot.opened,
        busy: &snapshot.busy,
        held: &snapshot.held,
        pause: None,
        takes_bookings: true,
        now: now(),
    };
    situation.slots(snapshot.window).iter().map(|slot| slot.time).collect()
}

fn rendered(slots: &[Interval]) -> String {
    let texts: Vec<(String, String)> = slots
        .iter()
        .map(|time| {
            let uid = format!("noether.talk.{}@slots.officehours", time.start());
            (uid, format!("https://book.example.edu/noether/talk/{}", time.start()))
        })
        .collect();
    let slots: Vec<FeedSlot<'_>> = slots
        .iter()
        .zip(&texts)
        .map(|(time, (uid, url))| FeedSlot {
            uid,
            start: time.start(),
            end: time.end(),
            stamp: now(),
            sequence: 0,
            summary: "Emmy Noether: Talk",
            description: "",
            location: "Room 2.12",
            url,
        })
        .collect();
    let text = FeedText {
        name: "Emmy Noether: free slots".into(),
        zone: "Europe/Berlin".into(),
        source: "https://book.example.edu/noether/feed.ics".into(),
        refresh_minutes: 15,
    };
    feed(&text, &slots)
}

pub(crate) fn measure(c: &mut Criterion) {
    let mut group = c.benchmark_group("published");
    let (full, key) = board(1);
    let single = [stored(1, object(1, "20260310T100000", "")), stored(1, object(1, "20260311T110000", ""))];
    let weekly = "RRULE:FREQ=WEEKLY;BYDAY=MO,WE\r\n";
    let series = [stored(0, object(0, "19900101T100000", weekly)), stored(0, object(0, "19900101T110000", weekly))];
    for (name, versions) in [("one changed event of 10,000", single), ("one changed series of 10,000", series)] {
        let mut round = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                round += 1;
                full.pulled(&key, Some(now()), std::slice::from_ref(&versions[round % 2]), &[]);
                full.snapshot()
            })
        });
    }
    group.bench_function("a pass that changed nothing", |b| {
        b.iter(|| {
            full.pulled(&key, Some(black_box(now())), &[], &[]);
            full.snapshot()
        })
    });
    // A calendar that leaves time free.
    let (sparse, _) = board(400);
    let snapshot = sparse.snapshot();
    let free = slots(&sparse, &snapshot);
    assert!(free.len() > 1000, "{} slots", free.len());
    group.bench_function("slots of 60 days", |b| b.iter(|| slots(&sparse, black_box(&snapshot))));
    group.bench_function("feed of these slots", |b| b.iter(|| rendered(black_box(&free))));
    group.finish();
}
