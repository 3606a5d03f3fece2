//! Busy time: what one calendar object's text takes from a host's time, and what of it was not understood.
//! Start with [`object_busy`]; which events count is in `blocking`, when they happen in `happening`.

use super::blocking;
use super::happening::{Happening, Kind, Objects};
use super::who::{names, plain};
use super::{BusyRules, Interval};
use crate::ical::{Component, Event, EventTime, Written, Zone, parse_written, read};
use std::sync::Arc;

/// A stretch of busy time and what makes it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusyInterval {
    /// When, whole: it may begin before the window that was asked for and end after it.
    pub interval: Interval,
    /// Shared by all intervals of one event.
    pub cause: Arc<BusyCause>,
}

/// What makes time busy. For the host's eyes only: it names the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusyCause {
    /// UID of the event.
    pub uid: Option<String>,
    /// Its title; may be empty.
    pub summary: String,
    /// True when it is one of a series.
    pub recurring: bool,
    /// Why the time counts.
    pub what: BusyKind,
}

/// Why time is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusyKind {
    /// An event.
    Event,
    /// A period of a VFREEBUSY.
    FreeBusy,
    /// Outside of what VAVAILABILITY makes available (RFC 7953).
    Unavailable,
    /// A recurrence rule that cannot be expanded: busy from its start on, as far as it could reach.
    Unreadable,
    /// A recurrence that was too much work to expand: busy from there on, as far as it could reach.
    Truncated,
}

/// Something that was not understood, and what was assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// UID of the event, if it has one.
    pub uid: Option<String>,
    /// One sentence or more, for the host.
    pub what: String,
}

/// What a calendar object takes from the host's time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectBusy {
    /// Those that overlap the window, sorted by start and end. They may overlap each other.
    pub intervals: Vec<BusyInterval>,
    /// What would be busy but for `ignore_titles`; in no particular order.
    pub ignored: Vec<BusyInterval>,
    /// What was not understood.
    pub warnings: Vec<Warning>,
    /// Each UID in it once, in the order of the text.
    pub uids: Vec<String>,
    /// Events that would count, and that have no start that can be read; there is a warning of each.
    pub undated: Vec<Undated>,
}

/// An event of which nobody knows when it is. For the host's eyes only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undated {
    /// UID of the event.
    pub uid: Option<String>,
    /// Its title; may be empty.
    pub summary: String,
}

/// The busy time of one calendar object (or of a whole iCalendar file), from its text. Never fails: what cannot be
/// read is busy as far as it can be read, and a warning.
pub fn object_busy(data: &[u8], rules: &BusyRules, window: Interval) -> ObjectBusy {
    let blocks = |event: &Event<'_>, all_day: bool| blocking::blocks(event, all_day, rules);
    let counts = |event: &Event<'_>, all_day: bool| blocks(event, all_day) && !blocking::is_ignored(event, rules);
    let ignored = |event: &Event<'_>, all_day: bool| blocks(event, all_day) && blocking::is_ignored(event, rules);
    let calendars = read(data);
    let mut objects = Objects::new(&calendars, data.len(), &rules.zone);
    if !rules.counting.travel_time {
        objects = objects.without_travel();
    }
    let mut busy = ObjectBusy { uids: objects.uids(), ..ObjectBusy::default() };
    let undated = objects.events().filter(|event| event.start.is_none() && counts(event, false));
    busy.undated = undated.map(|event| Undated { uid: event.uid.clone(), summary: event.summary() }).collect();
    let happenings = objects.happenings(window, &counts);
    busy.intervals = named(&objects, happenings);
    if objects.events().any(|event| blocking::is_ignored(event, rules)) {
        // Of what does not count, nothing needs to be told.
        let warnings = objects.warnings.len();
        let happenings = objects.happenings(window, &ignored);
        objects.warnings.truncate(warnings);
        busy.ignored = named(&objects, happenings);
    }
    if !objects.has_events() {
        let cause =
            Arc::new(BusyCause { uid: None, summary: String::new(), recurring: false, what: BusyKind::FreeBusy });
        let periods = objects.free_busy(rules);
        busy.intervals.extend(
            periods
                .into_iter()
                .filter(|p| p.overlaps(window))
                .map(|interval| BusyInterval { interval, cause: cause.clone() }),
        );
    }
    busy.warnings = objects.warnings;
    busy.intervals.sort_by_key(|busy| (busy.interval.start(), busy.interval.end()));
    busy
}

/// The happenings with what makes each, shared by all of one event.
fn named(objects: &Objects<'_>, happenings: Vec<Happening>) -> Vec<BusyInterval> {
    let mut causes: Vec<Option<Arc<BusyCause>>> = Vec::new();
    let mut intervals = Vec::with_capacity(happenings.len());
    for Happening { interval, event, kind } in happenings {
        let kind = match kind {
            Kind::Event => BusyKind::Event,
            Kind::Unreadable => BusyKind::Unreadable,
            Kind::Truncated => BusyKind::Truncated,
        };
        if causes.len() <= event {
            causes.resize(event + 1, None);
        }
        let known = causes.get(event).and_then(Option::as_ref).filter(|cause| cause.what == kind).cloned();
        let cause = known.unwrap_or_else(|| {
            let cause = objects.event(event).map(|event| BusyCause {
                uid: event.uid.clone(),
                summary: event.summary(),
                recurring: event.is_override || !event.rules.is_empty() || !event.dates.is_empty(),
                what: kind,
            });
            Arc::new(cause.unwrap_or(BusyCause { uid: None, summary: String::new(), recurring: false, what: kind }))
        });
        if let Some(slot) = causes.get_mut(event) {
            *slot = Some(cause.clone());
        }
        intervals.push(BusyInterval { interval, cause });
    }
    intervals
}

/// The intervals that events titled `summary` open (INTERFACE.md, `from_calendar`): those of their instances that are
/// not cancelled, whatever TRANSP says; sorted. Case and outer blanks of the title do not matter; `None` is any title.
/// What cannot be read opens nothing.
pub fn object_opens(data: &[u8], rules: &BusyRules, window: Interval, summary: Option<&str>) -> Vec<Interval> {
    let wanted = summary.map(|summary| summary.trim().to_lowercase());
    let opens = |event: &Event<'_>, _: bool| {
        !blocking::is_cancelled(event)
            && event.problems.is_empty()
            && wanted.as_ref().is_none_or(|wanted| event.summary().trim().to_lowercase() == *wanted)
    };
    let calendars = read(data);
    let mut objects = Objects::new(&calendars, data.len(), &rules.zone).without_travel();
    let happenings = objects.happenings(window, &opens);
    let mut open: Vec<Interval> = happenings
        .into_iter()
        .filter(|happening| happening.kind == Kind::Event)
        .map(|happening| happening.interval)
        .collect();
    open.sort_unstable();
    open
}

/// What a calendar object says of its one event: to recognise our own, and what the host changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFacts {
    /// UID.
    pub uid: String,
    /// DTSTART as an instant.
    pub start: jiff::Timestamp,
    /// When it ends; equal to `start` when it has no length.
    pub end: jiff::Timestamp,
    /// True when DTSTART is a DATE.
    pub all_day: bool,
    /// STATUS in upper case.
    pub status: Option<String>,
    /// TRANSP in upper case.
    pub transparency: Option<String>,
    /// SUMMARY as text; may be empty.
    pub summary: String,
    /// LOCATION as text; may be empty.
    pub location: String,
    /// DESCRIPTION as text; may be empty.
    pub description: String,
    /// True when it has an RRULE or RDATE, or stands among others of its UID.
    pub recurring: bool,
    /// SEQUENCE; 0 when absent.
    pub sequence: i64,
    /// LAST-MODIFIED, if it is one.
    pub modified: Option<jiff::Timestamp>,
    /// What the attendees whose PARTSTAT is DECLINED are called: mail addresses without their scheme, other addresses as they are;
    /// in lower case.
    pub declined: Vec<String>,
}

impl EventFacts {
    /// When it is, if it has a length.
    pub fn time(&self) -> Option<Interval> {
        Interval::new(self.start, self.end)
    }

    /// True when its STATUS is TENTATIVE.
    pub fn is_tentative(&self) -> bool {
        self.status.as_deref() == Some("TENTATIVE")
    }

    /// True when its STATUS is CANCELLED.
    pub fn is_cancelled(&self) -> bool {
        self.status.as_deref() == Some("CANCELLED")
    }

    /// True when it is cancelled, or the one with these calendar user addresses declined it.
    pub fn is_called_off(&self, owner: &[String]) -> bool {
        self.is_cancelled() || owner.iter().any(|own| self.declined.contains(&plain(own)))
    }
}

/// The facts of the first VEVENT that is no override. `None` when there is none, or it has no UID or no start.
pub fn event_summary(data: &[u8], zone: &Zone) -> Option<EventFacts> {
    let calendars = read(data);
    let objects = Objects::new(&calendars, data.len(), zone);
    let event = objects.events().find(|event| !event.is_override)?;
    let uid = event.uid.clone()?;
    let start_time = event.start.as_ref()?;
    let start = start_time.instant(zone)?;
    let end = super::happening::end_of(start_time, event.length(), zone)?;
    let value = |name: &str| event.component.get(name).map(|property| property.value.trim().to_ascii_uppercase());
    let text = |name: &str| event.component.get(name).map(|property| property.text()).unwrap_or_default();
    let others = objects.events().filter(|other| other.uid.as_deref() == Some(&uid)).count() > 1;
    Some(EventFacts {
        start,
        end: end.max(start),
        all_day: matches!(start_time, EventTime::Date(_)),
        status: value("STATUS"),
        transparency: value("TRANSP"),
        summary: text("SUMMARY"),
        location: text("LOCATION"),
        description: text("DESCRIPTION"),
        recurring: others || !event.rules.is_empty() || !event.dates.is_empty(),
        sequence: event.sequence,
        modified: event.component.get("LAST-MODIFIED").and_then(|property| match parse_written(&property.value) {
            Some(Written::Instant(instant)) => Some(instant),
            _ => None,
        }),
        declined: declined(event.component),
        uid,
    })
}

fn declined(event: &Component<'_>) -> Vec<String> {
    let attendees = event.properties.iter().filter(|property| property.name == "ATTENDEE");
    attendees.filter(|attendee| attendee.param_is("PARTSTAT", "DECLINED")).flat_map(names).collect()
}

#[cfg(test)]
mod cost;
#[cfg(test)]
mod tests;
