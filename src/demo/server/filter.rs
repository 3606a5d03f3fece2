//! The filter of a calendar-query (RFC 4791 section 9.7). Start with [`Filter`].
//!
//! A time-range is exact for what does not recur. Of what recurs, everything matches that can have an instance in the range as far
//! as its first start and UNTIL tell: the client expands.

use super::icalendar::{self, Component, Property};
use super::xml::{CALDAV, Element};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What an object must have.
#[derive(Debug)]
pub(super) struct Filter(CompFilter);

#[derive(Debug)]
struct CompFilter {
    name: String,
    defined: bool,
    range: Option<Range>,
    properties: Vec<PropFilter>,
    components: Vec<CompFilter>,
}

#[derive(Debug)]
struct PropFilter {
    name: String,
    defined: bool,
    range: Option<Range>,
    text: Option<TextMatch>,
    parameters: Vec<ParamFilter>,
}

#[derive(Debug)]
struct ParamFilter {
    name: String,
    defined: bool,
    text: Option<TextMatch>,
}

#[derive(Debug)]
struct TextMatch {
    text: String,
    octets: bool,
    negate: bool,
}

/// Half-open; an open end is the end of time.
#[derive(Clone, Copy, Debug)]
struct Range {
    start: Timestamp,
    end: Timestamp,
}

/// Which precondition of RFC 4791 section 7.8 the filter fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InvalidFilter {
    /// It is not a filter.
    Malformed,
    /// It asks for a collation that is not there.
    Collation,
}

impl InvalidFilter {
    /// The precondition's name in the CalDAV namespace.
    pub(super) fn condition(self) -> &'static str {
        match self {
            InvalidFilter::Malformed => "valid-filter",
            InvalidFilter::Collation => "supported-collation",
        }
    }
}

impl Filter {
    /// Reads `<C:filter>`.
    pub(super) fn read(filter: &Element) -> Result<Filter, InvalidFilter> {
        let root = CompFilter::read(filter.child(CALDAV, "comp-filter").ok_or(InvalidFilter::Malformed)?)?;
        if root.name != "VCALENDAR" {
            return Err(InvalidFilter::Malformed);
        }
        Ok(Filter(root))
    }

    /// Whether an object matches. Data that cannot be read matches: nobody knows that it does not.
    pub(super) fn matches(&self, data: &[u8]) -> bool {
        icalendar::parse(data).is_none_or(|calendar| !self.0.defined || self.0.inside(&calendar, None))
    }
}

impl CompFilter {
    fn read(filter: &Element) -> Result<CompFilter, InvalidFilter> {
        let all = |local: &'static str| filter.children().filter(move |child| child.name.is(CALDAV, local));
        Ok(CompFilter {
            name: name(filter)?,
            defined: defined(filter),
            range: Range::in_filter(filter)?,
            properties: all("prop-filter").map(PropFilter::read).collect::<Result<_, _>>()?,
            components: all("comp-filter").map(CompFilter::read).collect::<Result<_, _>>()?,
        })
    }

    /// Whether the filter holds for one component of its name, which is in `parent`.
    fn inside(&self, component: &Component, parent: Option<&Component>) -> bool {
        self.range.is_none_or(|range| overlaps(component, parent, range))
            && self.properties.iter().all(|filter| filter.matches(component))
            && self.components.iter().all(|filter| {
                let mut named = component.components.iter().filter(|inner| inner.name == filter.name);
                if filter.defined {
                    named.any(|inner| filter.inside(inner, Some(component)))
                } else {
                    named.next().is_none()
                }
            })
    }
}

impl PropFilter {
    fn read(filter: &Element) -> Result<PropFilter, InvalidFilter> {
        let parameters = filter.children().filter(|child| child.name.is(CALDAV, "param-filter"));
        Ok(PropFilter {
            name: name(filter)?,
            defined: defined(filter),
            range: Range::in_filter(filter)?,
            text: TextMatch::in_filter(filter)?,
            parameters: parameters.map(ParamFilter::read).collect::<Result<_, _>>()?,
        })
    }

    fn matches(&self, component: &Component) -> bool {
        let mut named = component.properties.iter().filter(|property| property.name == self.name);
        if !self.defined {
            return named.next().is_none();
        }
        named.any(|property| {
            self.range.is_none_or(|range| {
                Moment::of(property).is_none_or(|moment| moment.earliest < range.end && moment.latest >= range.start)
            }) && self.text.as_ref().is_none_or(|text| text.matches(&unescape(&property.value)))
                && self.parameters.iter().all(|filter| filter.matches(property))
        })
    }
}

impl ParamFilter {
    fn read(filter: &Element) -> Result<ParamFilter, InvalidFilter> {
        Ok(ParamFilter { name: name(filter)?, defined: defined(filter), text: TextMatch::in_filter(filter)? })
    }

    fn matches(&self, property: &Property) -> bool {
        match property.parameter(&self.name) {
            Some(value) => self.defined && self.text.as_ref().is_none_or(|text| text.matches(value)),
            None => !self.defined,
        }
    }
}

impl TextMatch {
    fn in_filter(filter: &Element) -> Result<Option<TextMatch>, InvalidFilter> {
        let Some(found) = filter.child(CALDAV, "text-match") else { return Ok(None) };
        let octets = match found.attribute("collation").unwrap_or("i;ascii-casemap") {
            "i;ascii-casemap" | "default" => false,
            "i;octet" => true,
            _ => return Err(InvalidFilter::Collation),
        };
        Ok(Some(TextMatch { text: found.text(), octets, negate: found.attribute("negate-condition") == Some("yes") }))
    }

    fn matches(&self, value: &str) -> bool {
        let found = match self.octets {
            true => value.contains(&self.text),
            false => value.to_ascii_lowercase().contains(&self.text.to_ascii_lowercase()),
        };
        found != self.negate
    }
}

impl Range {
    fn in_filter(filter: &Element) -> Result<Option<Range>, InvalidFilter> {
        let Some(range) = filter.child(CALDAV, "time-range") else { return Ok(None) };
        let instant = |name: &str, open: Timestamp| match range.attribute(name) {
            None => Ok(open),
            Some(text) => text.strip_suffix('Z').and_then(date_time).and_then(utc).ok_or(InvalidFilter::Malformed),
        };
        let range = Range { start: instant("start", Timestamp::MIN)?, end: instant("end", Timestamp::MAX)? };
        let open = filter
            .child(CALDAV, "time-range")
            .is_some_and(|r| r.attribute("start").is_none() && r.attribute("end").is_none());
        if open || range.start >= range.end { Err(InvalidFilter::Malformed) } else { Ok(Some(range)) }
    }
}

fn name(filter: &Element) -> Result<String, InvalidFilter> {
    filter.attribute("name").map(str::to_ascii_uppercase).ok_or(InvalidFilter::Malformed)
}

fn defined(filter: &Element) -> bool {
    filter.child(CALDAV, "is-not-defined").is_none()
}

/// Section 9.9. Components other than events match: their times are the client's to look at.
fn overlaps(component: &Component, parent: Option<&Component>, range: Range) -> bool {
    if component.name != "VEVENT" || parent.is_none() {
        return true;
    }
    let Some(start) = component.property("DTSTART").and_then(Moment::of) else { return true };
    let length = match (component.property("DTEND"), component.property("DURATION")) {
        (Some(end), _) => Moment::of(end).map(|end| end.latest.duration_since(start.latest)),
        (None, Some(duration)) => icalendar_duration(&duration.value),
        (None, None) => Some(if start.is_date { SignedDuration::from_hours(24) } else { SignedDuration::ZERO }),
    };
    let Some(length) = length else { return true };
    let until = |first: &Moment| match component.property("RDATE") {
        Some(_) => None,
        None => match component.property("RRULE") {
            Some(rule) => last_start(&rule.value),
            None => Some(first.latest),
        },
    };
    let recurs = component.property("RRULE").is_some() || component.property("RDATE").is_some();
    // An RDATE may lie before DTSTART.
    let begins = component.property("RDATE").is_some() || start.earliest < range.end;
    let last_end = until(&start)
        .and_then(|last| last.checked_add(length.max(SignedDuration::ZERO)).ok())
        .unwrap_or(Timestamp::MAX);
    let instant = length <= SignedDuration::ZERO;
    begins && (last_end > range.start || (instant && last_end >= range.start) || (recurs && last_end >= range.start))
}

/// No instance starts later than UNTIL and a day (it may be a date, or in the zone of the start). `None`: without an end.
fn last_start(rule: &str) -> Option<Timestamp> {
    let until =
        rule.split(';').find_map(|part| part.trim().to_ascii_uppercase().strip_prefix("UNTIL=").map(str::to_owned))?;
    utc(date_time(until.trim_end_matches('Z'))?)?.checked_add(SignedDuration::from_hours(48)).ok()
}

/// When a property is: one instant, or the day's span in which a time without a known zone must lie.
struct Moment {
    earliest: Timestamp,
    latest: Timestamp,
    is_date: bool,
}

impl Moment {
    fn of(property: &Property) -> Option<Moment> {
        let value = property.value.trim();
        let is_date = value.len() == 8;
        let zone = match (value.ends_with('Z'), property.parameter("TZID")) {
            (true, _) => Some(TimeZone::UTC),
            (false, Some(name)) => TimeZone::get(name).ok(),
            (false, None) => None,
        };
        let civil = date_time(value.trim_end_matches('Z'))?;
        if let Some(zone) = zone {
            let instant = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
            return Some(Moment { earliest: instant, latest: instant, is_date });
        }
        let (near, slack) = (utc(civil)?, SignedDuration::from_hours(14));
        Some(Moment { earliest: near.checked_sub(slack).ok()?, latest: near.checked_add(slack).ok()?, is_date })
    }
}

fn utc(civil: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_ambiguous_timestamp(civil).compatible().ok()
}

/// `20260131` or `20260131T101500`, without the `Z`.
fn date_time(text: &str) -> Option<DateTime> {
    if !text.is_ascii() || (text.len() != 8 && text.len() != 15) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        text.get(range).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?.parse::<i16>().ok()
    };
    let small = |range| number(range).and_then(|n| i8::try_from(n).ok());
    let date = Date::new(number(0..4)?, small(4..6)?, small(6..8)?).ok()?;
    if text.len() == 8 {
        return Some(date.to_datetime(Time::midnight()));
    }
    text.get(8..9).filter(|t| *t == "T")?;
    Some(date.to_datetime(Time::new(small(9..11)?, small(11..13)?, small(13..15)?.min(59), 0).ok()?))
}

/// RFC 5545 section 3.3.6.
fn icalendar_duration(text: &str) -> Option<SignedDuration> {
    let text = text.trim().trim_start_matches('+');
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let mut seconds: i64 = 0;
    let mut number = String::new();
    for character in text.strip_prefix('P')?.chars() {
        let unit = match character {
            '0'..='9' => {
                number.push(character);
                continue;
            }
            'T' if number.is_empty() => continue,
            'W' => 604_800,
            'D' => 86_400,
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    number.is_empty().then(|| SignedDuration::from_secs(sign * seconds))
}

/// RFC 5545 section 3.3.11.
fn unescape(value: &str) -> String {
    value.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::super::icalendar::event;
    use super::super::xml;
    use super::*;

    fn filter(inner: &str) -> Result<Filter, InvalidFilter> {
        let text = format!("<filter xmlns=\"{CALDAV}\"><comp-filter name=\"VCALENDAR\">{inner}</comp-filter></filter>");
        Filter::read(&xml::parse(text.as_bytes()).unwrap().unwrap())
    }

    fn in_range(lines: &str, start: &str, end: &str) -> bool {
        let inner = format!("<comp-filter name=\"VEVENT\"><time-range start=\"{start}\" end=\"{end}\"/></comp-filter>");
        filter(&inner).unwrap().matches(event("1", lines).as_bytes())
    }

    #[test]
    fn a_time_range_is_half_open_and_in_the_zone_of_the_event() {
        let lines = "DTSTART;TZID=Europe/Berlin:20260302T100000\nDTEND;TZID=Europe/Berlin:20260302T110000";
        assert!(in_range(lines, "20260302T090000Z", "20260302T091500Z"));
        assert!(in_range(lines, "20260302T095959Z", "20260302T120000Z"));
        assert!(!in_range(lines, "20260302T100000Z", "20260302T120000Z"));
        assert!(!in_range(lines, "20260302T080000Z", "20260302T090000Z"));
        let lines = "DTSTART:20260302T100000Z\nDURATION:PT1H30M";
        assert!(in_range(lines, "20260302T112959Z", "20260302T120000Z"));
        assert!(!in_range(lines, "20260302T113000Z", "20260302T120000Z"));
        assert!(in_range("DTSTART:20260302T100000Z", "20260302T100000Z", "20260302T120000Z"));
        assert!(in_range("DTSTART;VALUE=DATE:20260302", "20260302T120000Z", "20260302T130000Z"));
        assert!(!in_range("DTSTART;VALUE=DATE:20260302", "20260305T120000Z", "20260306T130000Z"));
    }

    #[test]
    fn what_may_recur_into_the_range_is_found_and_what_has_ended_is_not() {
        let weekly = "DTSTART:20260302T100000Z\nDTEND:20260302T110000Z\nRRULE:FREQ=WEEKLY";
        assert!(in_range(weekly, "20280101T000000Z", "20280102T000000Z"));
        assert!(!in_range(weekly, "20250101T000000Z", "20250102T000000Z"));
        assert!(!in_range(&format!("{weekly};UNTIL=20260401"), "20280101T000000Z", "20280102T000000Z"));
        assert!(in_range("DTSTART:20260302T100000Z\nRDATE:20250101T100000Z", "20250101T000000Z", "20250102T000000Z"));
    }

    #[test]
    fn texts_and_what_is_not_defined_are_matched() {
        let object = event("U-1", "DTSTART:20260302T100000Z\nSUMMARY;LANGUAGE=de:Tea\\, coffee");
        let matches = |inner: &str| {
            filter(&format!("<comp-filter name=\"VEVENT\">{inner}</comp-filter>")).unwrap().matches(object.as_bytes())
        };
        assert!(matches("<prop-filter name=\"UID\"><text-match>u-1</text-match></prop-filter>"));
        assert!(!matches("<prop-filter name=\"UID\"><text-match collation=\"i;octet\">u-1</text-match></prop-filter>"));
        assert!(!matches(
            "<prop-filter name=\"UID\"><text-match negate-condition=\"yes\">u-1</text-match></prop-filter>"
        ));
        assert!(matches("<prop-filter name=\"SUMMARY\"><text-match>tea, c</text-match></prop-filter>"));
        assert!(matches("<prop-filter name=\"SUMMARY\"><param-filter name=\"LANGUAGE\"/></prop-filter>"));
        assert!(matches("<prop-filter name=\"STATUS\"><is-not-defined/></prop-filter>"));
        assert!(!matches("<prop-filter name=\"STATUS\"/>"));
        assert!(!matches("<comp-filter name=\"VALARM\"/>"));
        assert!(matches("<comp-filter name=\"VALARM\"><is-not-defined/></comp-filter>"));
        assert!(!filter("<comp-filter name=\"VTODO\"/>").unwrap().matches(object.as_bytes()));
        assert!(filter("").unwrap().matches(b"cannot be read"));
    }

    #[test]
    fn filters_that_mean_nothing_are_refused() {
        assert_eq!(filter("<comp-filter/>").unwrap_err(), InvalidFilter::Malformed);
        let range = |range: &str| {
            filter(&format!("<comp-filter name=\"VEVENT\"><time-range {range}/></comp-filter>")).unwrap_err()
        };
        for wrong in [
            "",
            "start=\"20260302T100000\"",
            "start=\"20260302\"",
            "start=\"2026é302T100000Z\"",
            "end=\"20261399T100000Z\"",
        ] {
            assert_eq!(range(wrong), InvalidFilter::Malformed, "{wrong}");
        }
        let text = "<comp-filter name=\"VEVENT\"><prop-filter name=\"UID\"><text-match collation=\"i;x\">1</text-match></prop-filter></comp-filter>";
        assert_eq!(filter(text).unwrap_err(), InvalidFilter::Collation);
    }
}
