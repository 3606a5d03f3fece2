//! What the host did with the events of bookings: the calendar is their control panel. Compares what a booking says with what
//! the calendar has, by meaning and never by ETag. Pure.

use super::whereabouts::parent;
use crate::availability::EventFacts;
use crate::booking::{Appointment, Booking, BookingId, EventPlace};
use crate::store::MissingEvent;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt;

/// A booking whose event was written and on which nothing of ours is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which booking.
    pub booking: BookingId,
    /// When it is, and where its event was when last read.
    pub appointment: Appointment,
    /// UID of its event.
    pub uid: String,
    /// Where its event was when last seen.
    pub place: EventPlace,
}

/// How the calendars have the event now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Where it was.
    Here(EventFacts),
    /// In another place of the account.
    Elsewhere(EventPlace, EventFacts),
    /// There, and the host cancelled or declined it.
    CalledOff,
    /// There, and nobody can say when it is.
    Unreadable,
    /// Nowhere that was looked.
    Missing,
    /// Its calendar could not be read: nothing is known.
    Unknown,
}

/// What follows for a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// The host moved the event in time, or gave it another place.
    Edited {
        /// Whose event.
        booking: BookingId,
        /// As it was.
        from: Appointment,
        /// As it is.
        to: Appointment,
    },
    /// The host cancelled the event, or it has been gone for the grace period; to be confirmed at the server.
    Gone(BookingId),
    /// The event is in another place now.
    Relocated(BookingId, EventPlace),
    /// The event of a booking that has ended came to the calendar in this place: a write that was thought lost has arrived.
    Late(BookingId, EventPlace),
    /// These addresses (lower case) are attendees of the event and declined.
    Declined(BookingId, Vec<String>),
    /// The event became something that a booking cannot be; the host is told, nothing changes.
    Odd(BookingId, Oddity),
}

/// What the event of a booking cannot be (standards E4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A series.
    Series,
    /// All day.
    AllDay,
    /// Without a start that can be read, or without length.
    Timeless,
}

impl Oddity {
    /// What the host has made of the event, if it is odd; `None` of the facts: they cannot be read.
    pub fn of(facts: Option<&EventFacts>) -> Option<Oddity> {
        match facts {
            Some(facts) if facts.recurring => Some(Oddity::Series),
            Some(facts) if facts.all_day => Some(Oddity::AllDay),
            Some(facts) if facts.time().is_some() => None,
            _ => Some(Oddity::Timeless),
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Oddity::Series => "was made a series",
            Oddity::AllDay => "was made an all-day event",
            Oddity::Timeless => "has no time that can be read",
        })
    }
}

/// The events of one host's bookings that are missing: since when, and whether too many went at once. The store keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspects {
    missing: BTreeMap<BookingId, MissingEvent>,
}

/// More events than this that go missing at once are not believed: the calendar, not the host, may be at fault.
const BELIEVABLE: usize = 5;
/// Nor are all of a calendar's that vanish in one pass, if they are so many.
const NOT_ALL: usize = 3;
/// Unless they stay away for so long, while the calendar shows other events: until then the host is asked. A server that has lost its
/// data, or shows none of it, is put right sooner.
pub const DOUBTED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Whether so many missing events, of so many that are followed, are too many to be believed of themselves.
pub fn is_too_many(missing: usize, settled: usize) -> bool {
    missing > BELIEVABLE.max(settled / 5)
}

/// Whether one calendar looks wiped rather than tidied: two of its events or more are gone and it holds nothing else, or all of several
/// vanished in one pass. The only event of a calendar that a host takes out is neither.
fn is_wiped(gone: usize, at_once: usize, settled: usize, is_alive: bool) -> bool {
    (gone > 1 && !is_alive) || (at_once >= NOT_ALL && at_once == settled)
}

/// Compares. `find` tells how an event is now, `is_alive` whether the calendar that it was in has other events.
pub fn reconcile(
    settled: &[Settled],
    find: impl Fn(&Settled) -> Found,
    is_alive: impl Fn(&Settled) -> bool,
    suspects: &mut Suspects,
    now: Timestamp,
    grace: SignedDuration,
) -> Vec<Observation> {
    let (mut observations, mut missing) = (Vec::new(), Vec::new());
    for event in settled {
        let facts = match find(event) {
            Found::Here(facts) => {
                suspects.missing.remove(&event.booking);
                facts
            }
            Found::Elsewhere(place, facts) => {
                suspects.missing.remove(&event.booking);
                observations.push(Observation::Relocated(event.booking, place));
                facts
            }
            Found::Unreadable => {
                suspects.missing.remove(&event.booking);
                observations.extend(Oddity::of(None).map(|oddity| Observation::Odd(event.booking, oddity)));
                continue;
            }
            Found::CalledOff => {
                observations.push(Observation::Gone(event.booking));
                continue;
            }
            Found::Missing => {
                let new = MissingEvent { booking: event.booking, since: now, doubted: false };
                suspects.missing.entry(event.booking).or_insert(new);
                missing.push(event);
                continue;
            }
            Found::Unknown => continue,
        };
        observations.extend(compare(event, &facts));
    }
    suspects.doubt(settled, &missing, &is_alive, now);
    let is_due = |event: &&&Settled| {
        suspects.missing.get(&event.booking).is_some_and(|suspect| {
            let gone_for = now.duration_since(suspect.since);
            gone_for >= grace && (!suspect.doubted || (gone_for >= DOUBTED_FOR && is_alive(event)))
        })
    };
    let mut due: Vec<BookingId> = missing.iter().filter(is_due).map(|event| event.booking).collect();
    due.sort_unstable();
    observations.extend(due.into_iter().map(Observation::Gone));
    observations
}

impl From<Vec<MissingEvent>> for Suspects {
    fn from(events: Vec<MissingEvent>) -> Suspects {
        Suspects { missing: events.into_iter().map(|event| (event.booking, event)).collect() }
    }
}

impl Suspects {
    /// As the store keeps them.
    pub fn events(&self) -> Vec<MissingEvent> {
        self.missing.values().copied().collect()
    }

    /// Doubts what went with too many, for good: that some of them come back, or are called off by hand, says nothing about the others.
    fn doubt(
        &mut self,
        settled: &[Settled],
        missing: &[&Settled],
        is_alive: impl Fn(&Settled) -> bool,
        now: Timestamp,
    ) {
        if is_too_many(self.missing.len(), settled.len()) {
            return self.missing.values_mut().for_each(|event| event.doubted = true);
        }
        let mut calendars: BTreeMap<&str, Vec<&Settled>> = BTreeMap::new();
        for event in missing {
            calendars.entry(parent(&event.place.href)).or_default().push(event);
        }
        for (calendar, gone) in calendars {
            let settled = settled.iter().filter(|event| parent(&event.place.href) == calendar).count();
            let is_new = |event: &&&Settled| self.missing.get(&event.booking).is_some_and(|event| event.since == now);
            let at_once = gone.iter().filter(is_new).count();
            if is_wiped(gone.len(), at_once, settled, gone.iter().any(|event| is_alive(event))) {
                for event in gone {
                    self.missing.entry(event.booking).and_modify(|event| event.doubted = true);
                }
            }
        }
    }

    /// How many events are missing now.
    pub fn len(&self) -> usize {
        self.missing.len()
    }

    /// True when none is.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }
}

/// Whether the event of a booking that has ended, and whose event we have removed, is a write of ours from before that. What was called
/// off by its STATUS, or changed since, is the host's, who took it out of the trash.
pub(super) fn is_late(booking: &Booking, facts: &EventFacts) -> bool {
    facts.uid == booking.uid
        && !facts.is_cancelled()
        && facts.sequence < i64::from(booking.sequence)
        && facts.modified.is_none_or(|modified| modified <= booking.updated_at)
}

/// What follows from an event that is there.
pub(super) fn compare(event: &Settled, facts: &EventFacts) -> Option<Observation> {
    if let Some(oddity) = Oddity::of(Some(facts)) {
        return Some(Observation::Odd(event.booking, oddity));
    }
    let to = Appointment::of(facts)?;
    if to != event.appointment {
        return Some(Observation::Edited { booking: event.booking, from: event.appointment.clone(), to });
    }
    (!facts.declined.is_empty()).then(|| Observation::Declined(event.booking, facts.declined.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::Interval;
    use std::slice;
    use uuid::Uuid;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn appointment(start: i64, end: i64) -> Appointment {
        Appointment { time: Interval::new(at(start), at(end)).unwrap(), place: String::new() }
    }

    fn settled(id: u128) -> Settled {
        Settled {
            booking: BookingId(Uuid::from_u128(id)),
            appointment: appointment(1000, 1030),
            uid: id.to_string(),
            place: EventPlace { account: "work".into(), href: format!("/c/{id}.ics"), etag: None },
        }
    }

    fn facts(start: i64, end: i64) -> EventFacts {
        EventFacts {
            uid: "u".into(),
            start: at(start),
            end: at(end),
            all_day: false,
            status: None,
            transparency: None,
            summary: String::new(),
            location: String::new(),
            description: String::new(),
            recurring: false,
            sequence: 0,
            modified: None,
            declined: Vec::new(),
        }
    }

    const GRACE: SignedDuration = SignedDuration::from_mins(5);

    fn alive(_: &Settled) -> bool {
        true
    }

    #[test]
    fn an_event_that_is_as_booked_says_nothing() {
        let found = |_: &Settled| Found::Here(facts(1000, 1030));
        assert_eq!(reconcile(&[settled(1)], found, alive, &mut Suspects::default(), at(0), GRACE), []);
    }

    #[test]
    fn an_attendee_who_declined_is_reported_where_the_event_is_as_booked() {
        let declined = EventFacts { declined: vec!["ada@example.org".into()], ..facts(1000, 1030) };
        assert_eq!(
            reconcile(&[settled(1)], |_| Found::Here(declined.clone()), alive, &mut Suspects::default(), at(0), GRACE),
            [Observation::Declined(settled(1).booking, vec!["ada@example.org".into()])]
        );
    }

    #[test]
    fn a_moved_event_moves_its_booking() {
        let found = |_: &Settled| Found::Here(facts(1100, 1130));
        assert_eq!(
            reconcile(&[settled(1)], found, alive, &mut Suspects::default(), at(0), GRACE),
            [Observation::Edited {
                booking: settled(1).booking,
                from: appointment(1000, 1030),
                to: appointment(1100, 1130),
            }]
        );
    }

    #[test]
    fn an_event_with_another_place_changes_its_booking_and_one_that_is_only_written_otherwise_does_not() {
        let booked =
            Settled { appointment: Appointment { place: "Room 1".into(), ..appointment(1000, 1030) }, ..settled(1) };
        let looked = |location: &str| {
            let found = EventFacts { location: location.into(), ..facts(1000, 1030) };
            reconcile(
                slice::from_ref(&booked),
                |_| Found::Here(found.clone()),
                alive,
                &mut Suspects::default(),
                at(0),
                GRACE,
            )
        };
        assert_eq!(looked("Room  1\n"), []);
        let to = Appointment { place: "Room 2".into(), ..appointment(1000, 1030) };
        assert_eq!(
            looked("Room 2"),
            [Observation::Edited { booking: booked.booking, from: booked.appointment.clone(), to }]
        );
    }

    #[test]
    fn an_event_that_became_what_a_booking_cannot_be_is_odd_and_not_missing() {
        let odd = |found: Found| {
            let mut suspects = Suspects::default();
            reconcile(&[settled(1)], |_| Found::Missing, alive, &mut suspects, at(0), GRACE);
            let seen = reconcile(&[settled(1)], |_| found.clone(), alive, &mut suspects, at(9), GRACE);
            assert!(suspects.is_empty());
            seen
        };
        let all_day = EventFacts { all_day: true, ..facts(1000, 1030) };
        let series = EventFacts { recurring: true, ..all_day.clone() };
        for (found, oddity) in [
            (Found::Here(series), Oddity::Series),
            (Found::Here(all_day), Oddity::AllDay),
            (Found::Here(facts(1000, 1000)), Oddity::Timeless),
            (Found::Unreadable, Oddity::Timeless),
        ] {
            assert_eq!(odd(found), [Observation::Odd(settled(1).booking, oddity)]);
        }
    }

    #[test]
    fn an_event_that_comes_late_is_ours_unless_the_host_changed_it() {
        let time = Interval::new(at(1000), at(1030)).unwrap();
        let ended = Booking::sample(time, crate::booking::BookingState::Cancelled);
        let ended = Booking { uid: "u".into(), sequence: 2, updated_at: at(500), ..ended };
        let late = EventFacts { sequence: 1, modified: Some(at(400)), ..facts(1000, 1030) };
        assert!(is_late(&ended, &late) && is_late(&ended, &facts(1100, 1130)));
        for not in [
            EventFacts { status: Some("CANCELLED".into()), ..late.clone() },
            EventFacts { sequence: 2, ..late.clone() },
            EventFacts { modified: Some(at(501)), ..late.clone() },
            EventFacts { uid: "v".into(), ..late },
        ] {
            assert!(!is_late(&ended, &not), "{not:?}");
        }
    }

    #[test]
    fn an_event_that_the_host_calls_off_is_off_at_once() {
        assert_eq!(
            reconcile(&[settled(1)], |_| Found::CalledOff, alive, &mut Suspects::default(), at(0), GRACE),
            [Observation::Gone(settled(1).booking)]
        );
    }

    #[test]
    fn a_missing_event_is_believed_after_the_grace_period_only() {
        let mut suspects = Suspects::default();
        let missing = |_: &Settled| Found::Missing;
        assert_eq!(reconcile(&[settled(1)], missing, alive, &mut suspects, at(0), GRACE), []);
        assert_eq!(reconcile(&[settled(1)], |_| Found::Unknown, alive, &mut suspects, at(4), GRACE), []);
        assert_eq!(
            reconcile(&[settled(1)], missing, alive, &mut suspects, at(5), GRACE),
            [Observation::Gone(settled(1).booking)]
        );
    }

    #[test]
    fn an_event_that_comes_back_within_the_grace_period_was_never_gone() {
        let mut suspects = Suspects::default();
        reconcile(&[settled(1)], |_| Found::Missing, alive, &mut suspects, at(0), GRACE);
        reconcile(&[settled(1)], |_| Found::Here(facts(1000, 1030)), alive, &mut suspects, at(3), GRACE);
        assert_eq!(reconcile(&[settled(1)], |_| Found::Missing, alive, &mut suspects, at(6), GRACE), []);
    }

    const DAY: i64 = 24 * 60;

    #[test]
    fn a_mass_disappearance_is_not_believed_until_it_has_lasted_for_a_day_in_a_calendar_that_is_not_empty() {
        let all: Vec<Settled> = (0..20).map(settled).collect();
        let (mut suspects, gone) = (Suspects::default(), |_: &Settled| Found::Missing);
        for minute in [0, 60, DAY - 1] {
            assert_eq!(reconcile(&all, gone, alive, &mut suspects, at(minute), GRACE), []);
        }
        assert!(suspects.len() == 20 && suspects.events().iter().all(|event| event.doubted));
        assert_eq!(reconcile(&all, gone, |_| false, &mut suspects, at(DAY), GRACE), []);
        assert_eq!(reconcile(&all, |_| Found::Unknown, alive, &mut suspects, at(DAY), GRACE), []);
        let believed = reconcile(&all, gone, alive, &mut suspects, at(DAY), GRACE);
        assert_eq!(believed, all.iter().map(|event| Observation::Gone(event.booking)).collect::<Vec<_>>());
    }

    #[test]
    fn what_went_with_many_is_doubted_even_when_most_are_called_off_or_back() {
        let all: Vec<Settled> = (0..8).map(settled).collect();
        let mut suspects = Suspects::default();
        reconcile(&all, |_| Found::Missing, alive, &mut suspects, at(0), GRACE);
        let found = |event: &Settled| match event.booking.0.as_u128() {
            0..2 => Found::Missing,
            _ => Found::Here(facts(1000, 1030)),
        };
        assert_eq!(reconcile(&all, found, alive, &mut suspects, at(60), GRACE), []);
        // One of the last two was called off by hand.
        let mut suspects = Suspects::from(suspects.events().into_iter().take(1).collect::<Vec<_>>());
        assert_eq!(reconcile(&all[..1], |_| Found::Missing, alive, &mut suspects, at(61), GRACE), []);
        assert!(suspects.events()[0].doubted);
        // One that goes later, alone, is believed.
        reconcile(&all[5..6], |_| Found::Missing, alive, &mut suspects, at(62), GRACE);
        let later = reconcile(&all[5..6], |_| Found::Missing, alive, &mut suspects, at(67), GRACE);
        assert_eq!(later, [Observation::Gone(all[5].booking)]);
    }

    /// What is believed of a host's `all` when `gone` of them go one after the other, so many minutes apart, and the calendar holds
    /// something else or not; and how many are doubted.
    fn believed_of(all: u128, gone: u128, apart: i64, is_alive: bool) -> (usize, usize) {
        let mut all: Vec<Settled> = (0..all).map(settled).collect();
        let (mut suspects, mut believed) = (Suspects::default(), 0);
        for minute in 0..60 {
            let find = |event: &Settled| match event.booking.0.as_u128() {
                number if number < gone && number as i64 * apart <= minute => Found::Missing,
                _ => Found::Here(facts(1000, 1030)),
            };
            for observation in reconcile(&all, find, |_| is_alive, &mut suspects, at(minute), GRACE) {
                let Observation::Gone(id) = observation else { panic!("{observation:?}") };
                believed += 1;
                all.retain(|event| event.booking != id);
                suspects = Suspects::from(
                    suspects.events().into_iter().filter(|event| event.booking != id).collect::<Vec<_>>(),
                );
            }
        }
        (believed, suspects.events().iter().filter(|event| event.doubted).count())
    }

    #[test]
    fn a_calendar_that_comes_back_empty_is_doubted_from_two_events_on() {
        assert_eq!(believed_of(1, 1, 0, false), (1, 0), "the only one, deleted by its host");
        for count in 2..=5 {
            assert_eq!(believed_of(count, count, 0, false), (0, count as usize));
        }
        assert_eq!(believed_of(2, 2, 2, false), (0, 2), "also one soon after the other");
        assert_eq!(believed_of(2, 2, 10, false), (2, 0), "but not long after");
    }

    #[test]
    fn all_of_a_calendar_at_once_are_doubted_from_three_on_and_two_or_some_are_not() {
        assert_eq!(believed_of(2, 2, 0, true), (2, 0));
        for count in 3..=5 {
            assert_eq!(believed_of(count, count, 0, true), (0, count as usize));
            assert_eq!(believed_of(count + 1, count, 0, true), (count as usize, 0), "one is left");
            assert_eq!(believed_of(count, count, 1, true), (count as usize, 0), "one after the other");
        }
    }

    #[test]
    fn each_calendar_is_judged_by_itself() {
        let mut all: Vec<Settled> = (0..4).map(settled).collect();
        all[0].place.href = "/d/0.ics".into();
        let find = |event: &Settled| match event.booking.0.as_u128() {
            3 => Found::Here(facts(1000, 1030)),
            _ => Found::Missing,
        };
        let mut suspects = Suspects::default();
        let others = |event: &Settled| event.place.href.starts_with("/c/");
        reconcile(&all, find, others, &mut suspects, at(0), GRACE);
        let believed = reconcile(&all, find, others, &mut suspects, at(5), GRACE);
        assert_eq!(believed, [0, 1, 2].map(|number| Observation::Gone(settled(number).booking)));
    }

    #[test]
    fn too_many_are_more_than_five_and_more_than_a_fifth() {
        assert!(!is_too_many(5, 5) && is_too_many(6, 6) && is_too_many(6, 29));
        assert!(!is_too_many(6, 30) && !is_too_many(20, 100) && is_too_many(21, 100));
    }
}
