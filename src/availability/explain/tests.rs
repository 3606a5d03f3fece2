//! One host with something of everything, looked at five minutes by five minutes.

use super::*;
use crate::availability::{Confirm, DateHours, Held, Hours, IntervalSet, MeetingId, MeetingType, Pause, PerGuest};
use crate::ical::Zone;
use std::sync::Arc;
use uuid::Uuid;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn span(start: &str, end: &str) -> Interval {
    Interval::new(at(start), at(end)).unwrap()
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

struct Case {
    meeting: MeetingType,
    hours: Hours,
    zone: Zone,
    opened: Vec<Interval>,
    busy: Vec<BusyInterval>,
    ignored: Vec<BusyInterval>,
    warnings: Vec<Warning>,
    held: Vec<Held>,
    pause: Option<Pause>,
    now: Timestamp,
    read_at: Option<Timestamp>,
}

impl Case {
    /// In Berlin on Sunday, 1 March 2026, with something of everything on the days after.
    fn new() -> Case {
        let mut hours = Hours::default();
        hours.weekly.add("Mon-Fri 09:00-12:00 13:00-15:45").unwrap();
        hours.dates = vec![DateHours::parse("2026-03-04 closed").unwrap()];
        let meeting = MeetingType {
            id: MeetingId::new("talk").unwrap(),
            title: "Talk".into(),
            description: String::new(),
            duration: minutes(30),
            step: minutes(30),
            buffer_before: minutes(0),
            buffer_after: minutes(10),
            notice: minutes(24 * 60),
            horizon: minutes(24 * 60 * 10),
            per_day: Some(2),
            per_guest: Some(PerGuest { count: 1, span: minutes(24 * 60 * 7) }),
            seats: 2,
            location: String::new(),
            confirm: Confirm::Instant,
            reminders: Vec::new(),
            questions: Vec::new(),
            hours: None,
        };
        let cause = |summary: &str, what| {
            Arc::new(BusyCause { uid: Some("faculty".into()), summary: summary.into(), recurring: true, what })
        };
        let busy = |start: &str, end: &str, cause| BusyInterval { interval: span(start, end), cause };
        let mut case = Case {
            meeting,
            hours,
            zone: Zone::named("Europe/Berlin").unwrap(),
            opened: vec![span("2026-03-05T17:00:00Z", "2026-03-05T18:00:00Z")],
            busy: vec![
                busy("2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z", cause("Faculty meeting", BusyKind::Event)),
                busy("2026-03-05T09:00:00Z", "2026-03-05T09:10:00Z", cause("", BusyKind::Unreadable)),
            ],
            ignored: vec![busy("2026-03-03T10:00:00Z", "2026-03-03T10:30:00Z", cause("Gym", BusyKind::Event))],
            warnings: vec![Warning { uid: Some("faculty".into()), what: "the rule is odd".into() }],
            held: Vec::new(),
            pause: None,
            now: at("2026-03-01T10:00:00Z"),
            read_at: Some(at("2026-03-01T09:55:00Z")),
        };
        for start in ["2026-03-03T13:00:00Z", "2026-03-03T13:00:00Z", "2026-03-06T08:20:00Z"] {
            case.held.push(Held {
                id: Uuid::from_u128(case.held.len() as u128),
                meeting: case.meeting.id.clone(),
                time: Interval::new(at(start), at(start).checked_add(minutes(30)).unwrap()).unwrap(),
                buffer_before: minutes(0),
                buffer_after: minutes(20),
            });
        }
        case
    }

    fn with<T>(&self, window: Interval, look: impl FnOnce(&Situation<'_>, &Known<'_>) -> T) -> T {
        let busy: IntervalSet = self.busy.iter().map(|busy| busy.interval).collect();
        let situation = Situation {
            meeting: &self.meeting,
            hours: self.meeting.hours.as_ref().unwrap_or(&self.hours),
            zone: &self.zone,
            opened: if self.meeting.hours.is_some() { &[] } else { &self.opened },
            busy: &busy,
            held: &self.held,
            pause: self.pause,
            takes_bookings: true,
            now: self.now,
        };
        let calendars = [KnownCalendar {
            name: "Work",
            read_at: self.read_at,
            busy: &self.busy,
            ignored: &self.ignored,
            opens: &self.opened,
            warnings: &self.warnings,
        }];
        look(&situation, &Known { calendars: &calendars, max_staleness: minutes(30), as_of: situation.now, window })
    }

    fn explain(&self, start: &str) -> Explanation {
        self.with(always(), |situation, known| situation.explain(at(start), known))
    }

    /// The deciding reason.
    fn first(&self, start: &str) -> String {
        self.explain(start).reasons[0].text.clone()
    }
}

fn always() -> Interval {
    span("2026-02-01T00:00:00Z", "2026-06-01T00:00:00Z")
}

#[test]
fn the_decision_is_the_offers_and_the_deciding_rule_comes_first() {
    let mut cases = vec![Case::new()];
    let change = |how: fn(&mut Case)| {
        let mut case = Case::new();
        how(&mut case);
        case
    };
    cases.push(change(|case| case.read_at = None));
    cases.push(change(|case| case.read_at = Some(at("2026-03-01T09:00:00Z"))));
    cases.push(change(|case| case.meeting.hours = Some(Hours::default())));
    cases.push(change(|case| {
        (case.meeting.step, case.meeting.duration, case.meeting.seats) = (minutes(10), minutes(45), 3);
    }));
    cases.push(change(|case| (case.meeting.per_day, case.meeting.notice) = (None, minutes(0))));
    let mut kinds = std::collections::BTreeSet::new();
    for case in &cases {
        for window in [always(), span("2026-02-20T00:00:00Z", "2026-03-06T10:00:00Z")] {
            case.with(window, |situation, known| {
                let stale = situation.is_unread(&known.calendars[0], known);
                let on_offer: Vec<Slot> =
                    situation.slots(window).into_iter().filter(|slot| window.covers(slot.time) && !stale).collect();
                let mut start = at("2026-02-27T00:00:00Z");
                while start < at("2026-03-14T00:00:00Z") {
                    let told = situation.explain(start, known);
                    kinds.insert(told.decision.name());
                    let slot = on_offer.iter().find(|slot| slot.time.start() == start);
                    match told.decision {
                        Decision::OnOffer(found) => assert_eq!(Some(&found), slot),
                        _ => assert_eq!(slot, None, "{told:?}"),
                    }
                    match situation.judge(start) {
                        Verdict::NotASlot(why) => assert_eq!(told.decision, Decision::NotASlot(why)),
                        _ if stale => assert_eq!(told.decision, Decision::Unread),
                        Verdict::Taken(why) => assert_eq!(told.decision, Decision::Taken(why)),
                        Verdict::OnOffer(_) => {}
                    }
                    let first = &told.reasons[0];
                    match told.decision.rule() {
                        None => assert!(told.reasons.iter().all(|r| r.effect != Effect::Against), "{told:?}"),
                        rule => assert_eq!((Some(first.rule), first.effect), (rule, Effect::Against), "{told:?}"),
                    }
                    start = start.checked_add(minutes(5)).unwrap();
                }
            });
        }
    }
    let all =
        ["booked", "busy", "day-full", "off-grid", "on-offer", "outside-hours", "past", "stale", "too-far", "too-soon"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn each_rule_says_what_decides() {
    let case = Case::new();
    for (start, says) in [
        ("2026-02-27T09:00:00Z", "the time has passed: it is Sun 2026-03-01 11:00"),
        (
            "2026-03-03T09:00:00Z",
            "\"Faculty meeting\" (one of a series) of calendar \"Work\" is busy Tue 2026-03-03 10:00-11:00; of it was not understood: the rule is odd",
        ),
        (
            "2026-03-03T08:30:00Z",
            "\"Faculty meeting\" (one of a series) of calendar \"Work\" is busy Tue 2026-03-03 10:00-11:00, within the 10m kept free after the slot (buffer_after); of it was not understood: the rule is odd",
        ),
        ("2026-03-03T13:00:00Z", "all 2 seats are taken"),
        ("2026-03-03T08:00:00Z", "2026-03-03 has 2 booking(s) of this type; per_day allows 2"),
        ("2026-03-04T09:00:00Z", "nobody is met then: `dates` of the host's hours has \"2026-03-04 closed\""),
        ("2026-03-07T09:00:00Z", "nobody is met then: the host's weekly hours have nothing on a Saturday"),
        (
            "2026-03-06T14:30:00Z",
            "it would end at Fri 2026-03-06 16:00, after the hours Fri 2026-03-06 13:00-15:45: the host's weekly hours of Friday are 09:00-12:00 13:00-15:45",
        ),
        ("2026-03-02T09:00:00Z", "it is sooner than the notice of 1d: nothing before Mon 2026-03-02 11:00"),
        ("2026-03-12T09:00:00Z", "it is beyond the horizon of 10d: slots start before Wed 2026-03-11 11:00"),
    ] {
        assert_eq!(case.first(start), says, "{start}");
    }
    assert!(
        case.first("2026-03-05T08:10:00Z")
            .contains("starts around it are Thu 2026-03-05 09:00 and Thu 2026-03-05 09:30")
    );
    assert!(case.first("2026-03-05T09:00:00Z").contains("whose recurrence cannot be read"));
    assert!(
        case.first("2026-03-06T08:00:00Z")
            .starts_with("a booking of talk is Fri 2026-03-06 09:20-09:50: officehours bookings show")
    );
    assert!(case.first("2026-03-06T09:00:00Z").contains("and 20m must lie between the two"));
    let told = case.explain("2026-03-05T14:00:00Z");
    let note = told.reasons.iter().find(|reason| reason.rule == Rule::Calendars && reason.effect == Effect::Note);
    assert_eq!(note.unwrap().text, "calendar \"Work\", faculty: the rule is odd");
    let told = case.explain("2026-03-03T10:00:00Z");
    let note = told.reasons.iter().find(|reason| reason.rule == Rule::Busy && reason.effect == Effect::Note).unwrap();
    assert_eq!(
        note.text,
        "\"Gym\" (one of a series) of calendar \"Work\", Tue 2026-03-03 11:00-11:30, does not count: `ignore_titles` has its title"
    );
}

#[test]
fn all_that_is_against_it_is_told_and_what_is_on_offer_says_why() {
    let mut case = Case::new();
    case.read_at = None;
    case.now = at("2026-03-03T08:00:00Z");
    let told = case.explain("2026-03-03T13:00:00Z");
    let against: Vec<Rule> =
        told.reasons.iter().filter(|r| r.effect == Effect::Against).map(|reason| reason.rule).collect();
    assert_eq!(told.decision, Decision::Unread);
    assert_eq!(against, [Rule::Calendars, Rule::Notice, Rule::Bookings, Rule::PerDay]);

    let told = Case::new().explain("2026-03-05T17:30:00Z");
    assert!(matches!(told.decision, Decision::OnOffer(_)), "{told:?}");
    assert!(
        told.reasons[1].text.contains("events of calendar \"Work\" open Thu 2026-03-05 18:00-19:00"),
        "{:?}",
        told.reasons
    );
    assert_eq!(told.reasons.iter().filter(|r| r.effect == Effect::For).count(), 9);
}

#[test]
fn a_pause_decides_over_what_is_on_offer_and_says_until_when() {
    let mut case = Case::new();
    case.pause = Some(Pause { until: Some(at("2026-03-04T23:00:00Z")) });
    let told = case.explain("2026-03-05T17:30:00Z");
    assert_eq!((told.decision.name(), told.reasons[0].rule), ("paused", Rule::Pause));
    assert_eq!(told.reasons[0].text, "the host takes no new bookings until Thu 2026-03-05 00:00");
    case.now = at("2026-03-04T23:00:00Z");
    let told = case.explain("2026-03-06T08:00:00Z");
    assert!(told.reasons.iter().all(|reason| reason.rule != Rule::Pause), "it is over, and nobody asks");
}
