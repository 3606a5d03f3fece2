//! What of an event a booking follows: when and where. Pure.

use super::Booking;
use crate::availability::{EventFacts, Interval};
use crate::ical::write::{Breaks, clean};

/// A place is told in so many letters at most.
const LONGEST_PLACE: usize = 500;

/// When and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Appointment {
    /// When.
    pub time: Interval,
    /// Where, in one line; may be empty.
    pub place: String,
}

impl Appointment {
    /// As an event says; `None` when it has no length.
    pub fn of(event: &EventFacts) -> Option<Appointment> {
        Some(Appointment { time: event.time()?, place: place(&event.location) })
    }
}

impl Booking {
    /// As its guest was told last; `None` before they were.
    pub fn told_appointment(&self) -> Option<Appointment> {
        self.told_time.map(|time| Appointment { time, place: self.location.clone() })
    }

    /// As its event had it when that was last written or followed.
    pub fn event_appointment(&self) -> Appointment {
        Appointment { time: self.time, place: self.event_location.clone() }
    }
}

/// LOCATION as it is told: one line, without what no line can hold. What programs write in several lines is one place.
pub fn place(location: &str) -> String {
    let line = clean(location, Breaks::Blank);
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_PLACE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_line() {
        assert_eq!(place(" Café Einstein\r\nUnter den Linden 42 \u{7}"), "Café Einstein Unter den Linden 42");
        assert_eq!(place(&"é".repeat(900)).chars().count(), LONGEST_PLACE);
        assert_eq!(place("\n \t"), "");
    }
}
