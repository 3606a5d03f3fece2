//! A VEVENT as values (RFC 5545 3.6.1): what decides when it happens, read as far as it can be, with a sentence for
//! each thing that could not. Start with [`Event`].

use super::component::Component;
use super::line::Property;
use super::rule::{RecurrenceRule, RuleError};
use super::time::{EventTime, Length, Written, parse_written};
use super::zone::Zone;
use super::zone_name::ZoneNames;
use jiff::civil::Time;

/// A VEVENT. `problems` tells what was not understood and what was assumed.
#[derive(Clone, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) component: &'a Component<'a>,
    pub(crate) uid: Option<String>,
    pub(crate) sequence: i64,
    pub(crate) start: Option<EventTime>,
    /// `None` when the event has neither DTEND nor DURATION nor DTSTART.
    pub(crate) length: Option<Length>,
    pub(crate) is_override: bool,
    pub(crate) recurrence_id: Option<EventTime>,
    pub(crate) this_and_future: bool,
    pub(crate) rules: Vec<Result<RecurrenceRule, RuleError>>,
    pub(crate) ex_rules: Vec<RecurrenceRule>,
    pub(crate) dates: Vec<(EventTime, Option<Length>)>,
    pub(crate) ex_dates: Vec<EventTime>,
    /// X-APPLE-TRAVEL-DURATION, in seconds before the start.
    pub(crate) travel: i64,
    pub(crate) problems: Vec<String>,
}

impl<'a> Event<'a> {
    /// Reads what can be read. Floating times and dates are in the zone of `host`.
    pub(crate) fn read(component: &'a Component<'a>, zones: &mut ZoneNames<'_>, host: &Zone) -> Event<'a> {
        let mut event = Event {
            component,
            uid: component.get("UID").map(|uid| uid.value.trim().to_owned()).filter(|uid| !uid.is_empty()),
            sequence: component.get("SEQUENCE").and_then(|n| n.value.trim().parse().ok()).unwrap_or(0),
            start: None,
            length: None,
            is_override: false,
            recurrence_id: None,
            this_and_future: false,
            rules: Vec::new(),
            ex_rules: Vec::new(),
            dates: Vec::new(),
            ex_dates: Vec::new(),
            travel: 0,
            problems: Vec::new(),
        };
        let mut end = None;
        let mut duration = None;
        for property in &component.properties {
            match property.name.as_ref() {
                "DTSTART" => event.read_start(property, zones),
                "DTEND" if end.is_none() => end = event.time(property, zones),
                "DURATION" if duration.is_none() => duration = event.duration(property),
                "RECURRENCE-ID" => event.read_recurrence_id(property, zones),
                "RRULE" => event.read_rule(property),
                "EXRULE" => event.read_ex_rule(property),
                "RDATE" => event.read_dates(property, zones, host),
                "EXDATE" => event.read_ex_dates(property, zones),
                "X-APPLE-TRAVEL-DURATION" => {
                    event.travel = event.duration(property).unwrap_or_default().about();
                }
                _ => {}
            }
        }
        if event.start.is_none() {
            event.start = event.recurrence_id.clone();
            event.problems.push(match &event.start {
                Some(_) => "it has no start that can be read: its RECURRENCE-ID was taken".to_owned(),
                None => "it has no start that can be read: it was left out".to_owned(),
            });
        }
        if event.is_override && !event.rules.is_empty() {
            event
                .problems
                .push("it is one instance of a series and has a rule of its own: the rule was left out".to_owned());
        }
        if event.uid.is_none() {
            event.problems.push("it has no UID".to_owned());
        }
        event.read_length(end.as_ref(), duration, host);
        if !component.ended {
            event.problems.push("its END:VEVENT is missing: what there is was taken".to_owned());
        }
        if let [first, ..] = component.bad_lines.as_slice() {
            event.problems.push(format!("line {first} is no property and was left out"));
        }
        event.problems.append(&mut zones.warnings);
        event
    }

    /// The summary as text; empty when there is none.
    pub(crate) fn summary(&self) -> String {
        self.component.get("SUMMARY").map(|summary| summary.text()).unwrap_or_default()
    }

    fn read_start(&mut self, property: &Property<'_>, zones: &mut ZoneNames<'_>) {
        let time = self.time(property, zones);
        match (&self.start, time) {
            (None, start) => self.start = start,
            (Some(first), Some(second)) if *first != second => {
                self.problems.push("it has two starts: the first was taken".to_owned());
            }
            _ => {}
        }
    }

    fn read_recurrence_id(&mut self, property: &Property<'_>, zones: &mut ZoneNames<'_>) {
        self.is_override = true;
        self.recurrence_id = self.time(property, zones);
        match property.param("RANGE").map(|range| range.trim().to_ascii_uppercase()).as_deref() {
            None | Some("") => {}
            Some("THISANDFUTURE") => self.this_and_future = true,
            Some(range) => {
                self.problems.push(format!("RANGE={range} is not known: it was taken to change one instance"))
            }
        }
    }

    fn read_rule(&mut self, property: &Property<'_>) {
        if self.rules.iter().flatten().count() < 100 {
            let rule = RecurrenceRule::parse(&property.value);
            match &rule {
                Ok(rule) => self.problems.extend(rule.oddities.iter().map(|oddity| format!("RRULE: {oddity}"))),
                Err(error) => self
                    .problems
                    .push(format!("RRULE cannot be expanded: {error}: it was taken to be busy from its start on")),
            }
            self.rules.push(rule);
        } else if self.rules.len() == 100 {
            let reason = "it has more than 100 rules".to_owned();
            self.problems.push(format!("{reason}: it was taken to be busy from its start on"));
            self.rules.push(Err(RuleError { reason, until: None }));
        }
    }

    fn read_ex_rule(&mut self, property: &Property<'_>) {
        match RecurrenceRule::parse(&property.value) {
            // What is left out of an exclusion must not free more: only a rule that was wholly understood excludes.
            Ok(rule) if rule.oddities.is_empty() && self.ex_rules.len() < 100 => self.ex_rules.push(rule),
            Ok(_) => self.problems.push("EXRULE was not understood: nothing was excluded by it".to_owned()),
            Err(error) => self.problems.push(format!("EXRULE was not understood: {error}: nothing was excluded by it")),
        }
    }

    fn read_dates(&mut self, property: &Property<'_>, zones: &mut ZoneNames<'_>, host: &Zone) {
        for value in property.value.split(',').map(str::trim).filter(|value| !value.is_empty()) {
            let (start, end) = value.split_once('/').map_or((value, None), |(start, end)| (start, Some(end.trim())));
            let start = read_time(property, start, zones);
            let length = match (&start, end) {
                (Some(start), Some(end)) if end.contains(['P', 'p']) => {
                    Some(Length::parse(end).and_then(Result::ok).filter(|_| !start.is_date()))
                }
                (Some(start), Some(end)) => {
                    Some(read_time(property, end, zones).and_then(|end| elapsed(start, &end, host)))
                }
                _ => None,
            };
            match (start, length) {
                (Some(start), None) => self.dates.push((start, None)),
                (Some(start), Some(Some(length))) => self.dates.push((start, Some(length))),
                (Some(start), Some(None)) => {
                    self.problems
                        .push(format!("RDATE {value:?}: its end cannot be read: the event's length was taken"));
                    self.dates.push((start, None));
                }
                (None, _) => self.problems.push(format!("RDATE {value:?} is no time and was left out")),
            }
        }
    }

    fn read_ex_dates(&mut self, property: &Property<'_>, zones: &mut ZoneNames<'_>) {
        for value in property.value.split(',').map(str::trim).filter(|value| !value.is_empty()) {
            match read_time(property, value, zones) {
                Some(time) => self.ex_dates.push(time),
                None => self.problems.push(format!("EXDATE {value:?} is no time: nothing was excluded by it")),
            }
        }
    }

    fn time(&mut self, property: &Property<'_>, zones: &mut ZoneNames<'_>) -> Option<EventTime> {
        let time = read_time(property, &property.value, zones);
        if time.is_none() {
            self.problems.push(format!("{} {:?} is no time", property.name, shortened(&property.value)));
        }
        time
    }

    fn duration(&mut self, property: &Property<'_>) -> Option<Length> {
        let wrong = |what: &str| format!("{} {:?} {what}", property.name, shortened(&property.value));
        match Length::parse(&property.value) {
            Some(Ok(length)) => Some(length),
            Some(Err(_)) => {
                self.problems.push(wrong("is negative: it was taken as zero"));
                Some(Length::default())
            }
            None => {
                self.problems.push(wrong("is no duration"));
                None
            }
        }
    }

    /// The length of each instance (RFC 5545 3.6.1, 3.8.5.3): with DTEND exact, of dates in days; with DURATION its own.
    fn read_length(&mut self, end: Option<&EventTime>, duration: Option<Length>, host: &Zone) {
        let Some(start) = &self.start else { return };
        let by_end = end.map(|end| match start {
            EventTime::Date(date) => {
                if !end.is_date() {
                    self.problems.push("its start is a date and its end is none: whole days were taken".to_owned());
                }
                let days = last_day(end, host) - crate::recurrence::local::day_of_date(*date);
                if days < 0 {
                    self.problems.push("it ends before it starts: one day was taken".to_owned());
                }
                Length::days(days.max(1))
            }
            _ => {
                if end.is_date() {
                    self.problems
                        .push("its end is a date and its start is none: that day's midnight was taken".to_owned());
                }
                let end = match end {
                    EventTime::Date(date) => start.zone(host).instant(date.to_datetime(Time::midnight())),
                    end => end.instant(host),
                };
                // An end later than the last instant is for ever.
                let end = end.unwrap_or(jiff::Timestamp::MAX);
                let seconds = start.instant(host).map_or(0, |start| end.as_second() - start.as_second());
                if seconds < 0 {
                    self.problems.push("it ends before it starts: it was taken to have no length".to_owned());
                }
                Length::exact(seconds.max(0))
            }
        });
        let by_duration = duration.map(|length| {
            if !start.is_date() {
                return length;
            }
            if length.seconds > 0 {
                self.problems.push("it starts on a date and lasts hours: whole days were taken".to_owned());
            }
            Length::days((length.days + (length.seconds + 86_399) / 86_400).max(1))
        });
        self.length = match (by_end, by_duration) {
            (Some(end), Some(duration)) => {
                self.problems.push("it has both DTEND and DURATION: the longer was taken".to_owned());
                Some(if duration.about() > end.about() { duration } else { end })
            }
            (end, duration) => end.or(duration),
        };
    }

    /// The length, with what RFC 5545 3.6.1 says of an event without DTEND and DURATION: a date lasts its day, a time
    /// no time at all.
    pub(crate) fn length(&self) -> Length {
        let all_day = self.start.as_ref().is_some_and(EventTime::is_date);
        self.length.unwrap_or(if all_day { Length::days(1) } else { Length::default() })
    }
}

/// The day before which a DATE event ends: an end within a day takes all of it.
fn last_day(end: &EventTime, host: &Zone) -> i64 {
    let civil = match end {
        EventTime::Utc(instant) if instant.as_second().rem_euclid(86_400) != 0 => host.civil(*instant),
        end => end.civil(),
    };
    let local = crate::recurrence::local::local_of(civil);
    local.div_euclid(86_400) + i64::from(local.rem_euclid(86_400) != 0)
}

fn elapsed(start: &EventTime, end: &EventTime, host: &Zone) -> Option<Length> {
    let seconds = end.instant(host)?.as_second() - start.instant(host)?.as_second();
    (seconds >= 0).then_some(Length::exact(seconds))
}

/// A DATE or DATE-TIME by its own shape, whatever VALUE says; but a midnight that is said to be a date is one.
pub(crate) fn read_time(property: &Property<'_>, value: &str, zones: &mut ZoneNames<'_>) -> Option<EventTime> {
    let says_date = || property.param_is("VALUE", "DATE");
    match parse_written(value)? {
        Written::Date(date) => Some(EventTime::Date(date)),
        Written::Local(time) if time.time() == Time::midnight() && says_date() => Some(EventTime::Date(time.date())),
        Written::Instant(instant) if instant.as_second().rem_euclid(86_400) == 0 && says_date() => {
            Some(EventTime::Date(Zone::utc().civil(instant).date()))
        }
        Written::Local(time) => Some(match property.param("TZID") {
            Some(tzid) => EventTime::Zoned(time, zones.zone(&tzid)),
            None => EventTime::Floating(time),
        }),
        // "The TZID property parameter MUST NOT be applied to … properties whose time values are specified in UTC".
        Written::Instant(instant) => Some(EventTime::Utc(instant)),
    }
}

/// For a warning: no more of a value than a reader needs.
fn shortened(value: &str) -> String {
    value.chars().take(60).collect()
}
