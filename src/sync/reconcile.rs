//! What the host did with the events of bookings: the calendar is their control panel. Compares what a booking says with what
//! the calendar has, by meaning and never by ETag. Pure.

use crate::availability::{EventFacts, Interval};
use crate::booking::{BookingId, EventPlace};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// A booking whose event was written and on which nothing of ours is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which booking.
    pub booking: BookingId,
    /// When the booking is.
    pub time: Interval,
    /// UID of its event.
    pub uid: String,
    /// Where its event was when last seen.
    pub place: EventPlace,
}

/// How our copy of the calendars has the event now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Where it was.
    Here(EventFacts),
    /// In another place of the account.
    Elsewhere(EventPlace, EventFacts),
    /// There, and the host cancelled or declined it.
    CalledOff,
    /// Nowhere in the calendars that were read.
    Missing,
    /// Its calendar could not be read: nothing is known.
    Unknown,
}

/// What follows for a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// The host moved the event in time.
    Moved(BookingId, Interval),
    /// The host cancelled the event, or it has been gone for the grace period; to be confirmed at the server.
    Gone(BookingId),
    /// The event is in another place now.
    Relocated(BookingId, EventPlace),
    /// The event of a booking that has ended came to the calendar in this place: a write that was thought lost has arrived.
    Late(BookingId, EventPlace),
    /// These addresses (lower case) are attendees of the event and declined.
    Declined(BookingId, Vec<String>),
    /// The event became something that a booking cannot be; the host is told, nothing changes.
    Odd(BookingId, &'static str),
}

/// Since when events are missing. Kept in memory: after a restart the grace period begins anew.
#[derive(Debug, Default)]
pub struct Suspects {
    missing: HashMap<BookingId, Timestamp>,
}

/// More events than this that go missing at once are not believed: the calendar, not the host, is at fault.
const BELIEVABLE: usize = 5;

/// Compares. `find` tells how our copy has an event.
pub fn reconcile(
    settled: &[Settled],
    find: impl Fn(&Settled) -> Found,
    suspects: &mut Suspects,
    now: Timestamp,
    grace: SignedDuration,
) -> Vec<Observation> {
    let mut observations = Vec::new();
    let mut missing = HashMap::new();
    for event in settled {
        let facts = match find(event) {
            Found::Here(facts) => facts,
            Found::Elsewhere(place, facts) => {
                observations.push(Observation::Relocated(event.booking, place));
                facts
            }
            Found::CalledOff => {
                observations.push(Observation::Gone(event.booking));
                continue;
            }
            Found::Missing => {
                let since = suspects.missing.get(&event.booking).copied().unwrap_or(now);
                missing.insert(event.booking, since);
                continue;
            }
            Found::Unknown => {
                missing.extend(suspects.missing.get(&event.booking).map(|since| (event.booking, *since)));
                continue;
            }
        };
        observations.extend(compare(event, &facts));
    }
    if missing.len() <= BELIEVABLE.max(settled.len() / 5) {
        let due = missing.iter().filter(|(_, since)| now.duration_since(**since) >= grace);
        let mut due: Vec<BookingId> = due.map(|(booking, _)| *booking).collect();
        due.sort_unstable();
        observations.extend(due.into_iter().map(Observation::Gone));
    }
    suspects.missing = missing;
    observations
}

impl Suspects {
    /// How many events are missing now.
    pub fn len(&self) -> usize {
        self.missing.len()
    }

    /// True when none is.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }
}

fn compare(event: &Settled, facts: &EventFacts) -> Option<Observation> {
    if facts.recurring {
        return Some(Observation::Odd(event.booking, "was made a series"));
    }
    if facts.all_day {
        return Some(Observation::Odd(event.booking, "was made an all-day event"));
    }
    match facts.time() {
        Some(time) if time == event.time => {
            (!facts.declined.is_empty()).then(|| Observation::Declined(event.booking, facts.declined.clone()))
        }
        Some(time) => Some(Observation::Moved(event.booking, time)),
        None => Some(Observation::Odd(event.booking, "has no readable time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn settled(id: u128) -> Settled {
        Settled {
            booking: BookingId(Uuid::from_u128(id)),
            time: Interval::new(at(1000), at(1030)).unwrap(),
            uid: id.to_string(),
            place: EventPlace { account: "work".into(), href: format!("/{id}.ics"), etag: None },
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
            declined: Vec::new(),
        }
    }

    const GRACE: SignedDuration = SignedDuration::from_mins(5);

    #[test]
    fn an_event_that_is_as_booked_says_nothing() {
        let found = |_: &Settled| Found::Here(facts(1000, 1030));
        assert_eq!(reconcile(&[settled(1)], found, &mut Suspects::default(), at(0), GRACE), []);
    }

    #[test]
    fn an_attendee_who_declined_is_reported_where_the_event_is_as_booked() {
        let declined = EventFacts { declined: vec!["ada@example.org".into()], ..facts(1000, 1030) };
        assert_eq!(
            reconcile(&[settled(1)], |_| Found::Here(declined.clone()), &mut Suspects::default(), at(0), GRACE),
            [Observation::Declined(settled(1).booking, vec!["ada@example.org".into()])]
        );
    }

    #[test]
    fn a_moved_event_moves_its_booking() {
        let found = |_: &Settled| Found::Here(facts(1100, 1130));
        assert_eq!(
            reconcile(&[settled(1)], found, &mut Suspects::default(), at(0), GRACE),
            [Observation::Moved(settled(1).booking, Interval::new(at(1100), at(1130)).unwrap())]
        );
    }

    #[test]
    fn an_event_that_the_host_calls_off_is_off_at_once() {
        assert_eq!(
            reconcile(&[settled(1)], |_| Found::CalledOff, &mut Suspects::default(), at(0), GRACE),
            [Observation::Gone(settled(1).booking)]
        );
    }

    #[test]
    fn a_missing_event_is_believed_after_the_grace_period_only() {
        let mut suspects = Suspects::default();
        let missing = |_: &Settled| Found::Missing;
        assert_eq!(reconcile(&[settled(1)], missing, &mut suspects, at(0), GRACE), []);
        assert_eq!(reconcile(&[settled(1)], |_| Found::Unknown, &mut suspects, at(4), GRACE), []);
        assert_eq!(
            reconcile(&[settled(1)], missing, &mut suspects, at(5), GRACE),
            [Observation::Gone(settled(1).booking)]
        );
    }

    #[test]
    fn an_event_that_comes_back_within_the_grace_period_was_never_gone() {
        let mut suspects = Suspects::default();
        reconcile(&[settled(1)], |_| Found::Missing, &mut suspects, at(0), GRACE);
        reconcile(&[settled(1)], |_| Found::Here(facts(1000, 1030)), &mut suspects, at(3), GRACE);
        assert_eq!(reconcile(&[settled(1)], |_| Found::Missing, &mut suspects, at(6), GRACE), []);
    }

    #[test]
    fn a_mass_disappearance_is_not_believed() {
        let all: Vec<Settled> = (0..20).map(settled).collect();
        let mut suspects = Suspects::default();
        reconcile(&all, |_| Found::Missing, &mut suspects, at(0), GRACE);
        assert_eq!(reconcile(&all, |_| Found::Missing, &mut suspects, at(60), GRACE), []);
        assert_eq!(suspects.len(), 20);
    }
}
