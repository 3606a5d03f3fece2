//! VFREEBUSY in a calendar (RFC 5545 3.6.4, 3.8.2.6): busy time that says nothing of its events.

use super::happening::{Objects, end_of};
use super::{BusyRules, Interval, Tentative};
use crate::ical::{EventTime, Length, Property, Written, Zone, parse_written};
use jiff::Timestamp;

impl Objects<'_> {
    /// The periods of VFREEBUSY components (RFC 5545 3.8.2.6) that are not FREE.
    pub(super) fn free_busy(&mut self, rules: &BusyRules) -> Vec<Interval> {
        let mut periods = Vec::new();
        let mut wrong = Vec::new();
        for component in self.calendars.iter().flat_map(|calendar| calendar.children("VFREEBUSY")) {
            for property in component.properties.iter().filter(|property| property.name == "FREEBUSY") {
                let kind = property.param("FBTYPE").map(|kind| kind.trim().to_ascii_uppercase());
                match kind.as_deref() {
                    Some("FREE") => continue,
                    Some("BUSY-TENTATIVE") if rules.counting.tentative == Tentative::Free => continue,
                    _ => {}
                }
                for value in property.value.split(',').map(str::trim).filter(|value| !value.is_empty()) {
                    match period(value, self.host) {
                        Some((start, end)) => periods.extend(Interval::new(start, end)),
                        None => wrong.push((component.get("UID").map(uid_of), value.to_owned())),
                    }
                }
            }
        }
        for (uid, value) in wrong {
            self.warn(uid, format!("FREEBUSY {value:?} is no period and was left out"));
        }
        periods
    }
}

fn uid_of(property: &Property<'_>) -> String {
    property.value.trim().to_owned()
}

fn period(value: &str, host: &Zone) -> Option<(Timestamp, Timestamp)> {
    let instant = |text: &str| match parse_written(text)? {
        Written::Instant(instant) => Some(instant),
        Written::Local(time) => host.instant(time),
        Written::Date(_) => None,
    };
    let (start, end) = value.split_once('/')?;
    let start = instant(start)?;
    let end = if end.contains(['P', 'p']) {
        end_of(&EventTime::Utc(start), Length::parse(end)?.ok()?, host)?
    } else {
        instant(end)?
    };
    Some((start, end))
}
