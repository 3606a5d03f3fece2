//! VAVAILABILITY (RFC 7953): when a calendar user can be met at all, as kept on the calendar server, to busy and to
//! opened time. Start with [`object_availability`].

use super::blocking::is_cancelled;
use super::busy::{BusyCause, BusyInterval, BusyKind, Warning};
use super::happening::{Kind, Objects, end_of};
use super::{BusyRules, Interval, IntervalSet, Tentative};
use crate::ical::{Component, Event, Length, Zone, ZoneNames, read, read_time};
use jiff::Timestamp;
use std::sync::Arc;

/// What availability says of a host's time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectAvailability {
    /// When they are not available, within the window; sorted by start and end.
    pub unavailable: Vec<BusyInterval>,
    /// When they are, by an AVAILABLE; sorted, disjoint. Time of which nothing is said is in neither.
    pub available: IntervalSet,
    /// What was not understood.
    pub warnings: Vec<Warning>,
}

/// Reads an iCalendar text with VAVAILABILITY components, all taken together (RFC 7953 4): one with a higher priority
/// replaces what those of lower ones say of the time between its DTSTART and DTEND; among equals, unavailable wins. What
/// cannot be read makes nothing available; a text without any VAVAILABILITY makes the whole window unavailable.
pub fn object_availability(data: &[u8], rules: &BusyRules, window: Interval) -> ObjectAvailability {
    let calendars = read(data);
    let mut found = ObjectAvailability::default();
    let mut blocks = Vec::new();
    for calendar in &calendars {
        for component in calendar.children("VAVAILABILITY") {
            blocks.push(Block::read(calendar, component, data.len(), rules, window, &mut found.warnings));
        }
    }
    if blocks.is_empty() {
        let what = "there is no VAVAILABILITY in it: nobody was taken to be available".to_owned();
        found.warnings.push(Warning { uid: None, what });
        blocks.push(Block::unread(window));
    }
    blocks.sort_by_key(|block| block.rank);
    let mut unavailable: Vec<(Arc<BusyCause>, IntervalSet)> = Vec::new();
    for equals in blocks.chunk_by(|a, b| a.rank == b.rank) {
        let all: IntervalSet = equals.iter().flat_map(|block| block.bounds.iter()).collect();
        let busy: IntervalSet =
            equals.iter().flat_map(|block| block.unavailable().iter().collect::<Vec<_>>()).collect();
        let open: IntervalSet = equals.iter().flat_map(|block| block.available.iter()).collect();
        for (_, lower) in &mut unavailable {
            *lower = lower.subtract(&all);
        }
        found.available = found.available.subtract(&all).union(&open.subtract(&busy));
        unavailable
            .extend(equals.iter().filter(|block| block.counts).map(|block| (block.cause.clone(), block.unavailable())));
    }
    for (cause, set) in unavailable {
        found.unavailable.extend(set.iter().map(|interval| BusyInterval { interval, cause: cause.clone() }));
    }
    found.unavailable.sort_by_key(|busy| (busy.interval.start(), busy.interval.end()));
    found
}

/// One VAVAILABILITY, within the window.
struct Block {
    /// 0 is the lowest priority, though PRIORITY:1 is the highest (RFC 7953 3.2).
    rank: u8,
    /// Of what time it says anything.
    bounds: IntervalSet,
    available: IntervalSet,
    /// Whether its unavailable time is busy.
    counts: bool,
    cause: Arc<BusyCause>,
}

/// Above every PRIORITY.
const ABOVE_ALL: u8 = 10;

impl Block {
    /// When nobody knows.
    fn unread(window: Interval) -> Block {
        let cause = BusyCause { uid: None, summary: String::new(), recurring: false, what: BusyKind::Unavailable };
        let bounds = [window].into_iter().collect();
        Block { rank: ABOVE_ALL, bounds, available: IntervalSet::new(), counts: true, cause: Arc::new(cause) }
    }

    fn unavailable(&self) -> IntervalSet {
        self.bounds.subtract(&self.available)
    }

    fn read(
        calendar: &Component<'_>,
        component: &Component<'_>,
        size: usize,
        rules: &BusyRules,
        window: Interval,
        warnings: &mut Vec<Warning>,
    ) -> Block {
        let uid = component.get("UID").map(|uid| uid.value.trim().to_owned()).filter(|uid| !uid.is_empty());
        let mut warn = |what: String| warnings.push(Warning { uid: uid.clone(), what });
        let value = |name: &str| component.get(name).map(|property| property.value.trim().to_ascii_uppercase());
        let priority = value("PRIORITY").unwrap_or_else(|| "0".to_owned());
        let rank = match priority.parse::<u8>() {
            Ok(0) => 0,
            Ok(priority @ 1..=9) => ABOVE_ALL - priority,
            _ => {
                warn(format!("PRIORITY:{priority} is no priority: none of its time was taken to be available"));
                ABOVE_ALL
            }
        };
        let tentative = value("BUSYTYPE").as_deref() == Some("BUSY-TENTATIVE");
        let mut zones = ZoneNames::new(&rules.zone, calendar.children("VTIMEZONE").collect());
        let (from, to) = bounds(component, &mut zones, &rules.zone, &mut warn);
        for what in zones.warnings.drain(..) {
            warn(what);
        }
        let bounds = Interval::new(from, to).and_then(|bounds| bounds.intersection(window));
        let bounds: IntervalSet = bounds.into_iter().collect();
        let (open, mut not_understood) = available(calendar, component, size, &rules.zone, window);
        warnings.append(&mut not_understood);
        let outside = [window].into_iter().collect::<IntervalSet>().subtract(&bounds);
        let summary = component.get("SUMMARY").map(|summary| summary.text()).unwrap_or_default();
        Block {
            rank,
            available: if rank == ABOVE_ALL { IntervalSet::new() } else { open.clipped(window).subtract(&outside) },
            bounds,
            counts: !(tentative && rules.counting.tentative == Tentative::Free),
            cause: Arc::new(BusyCause { uid, summary, recurring: false, what: BusyKind::Unavailable }),
        }
    }
}

/// From when to when a VAVAILABILITY holds; where it does not say, or not so that it can be read, for ever.
fn bounds(
    component: &Component<'_>,
    zones: &mut ZoneNames<'_>,
    host: &Zone,
    warn: &mut impl FnMut(String),
) -> (Timestamp, Timestamp) {
    let mut time = |name: &str| {
        let property = component.get(name)?;
        let time = read_time(property, &property.value, zones);
        if time.is_none() {
            warn(format!("{name} {:?} is no time: it was taken to have none", property.value.trim()));
        }
        time
    };
    let (start, end) = (time("DTSTART"), time("DTEND"));
    let by_duration = || {
        let length = Length::parse(&component.get("DURATION")?.value)?.ok()?;
        end_of(start.as_ref()?, length, host)
    };
    let from = start.as_ref().and_then(|start| start.instant(host)).unwrap_or(Timestamp::MIN);
    let to = end.and_then(|end| end.instant(host)).or_else(by_duration).unwrap_or(Timestamp::MAX);
    (from, to)
}

/// What the AVAILABLE components of a VAVAILABILITY open.
fn available(
    calendar: &Component<'_>,
    component: &Component<'_>,
    size: usize,
    host: &Zone,
    window: Interval,
) -> (IntervalSet, Vec<Warning>) {
    // RFC 7953 asks for a UID in each; programs leave it out, and nothing hangs on it.
    let understood = |event: &Event<'_>| event.problems.len() == usize::from(event.uid.is_none());
    let mut objects = Objects::available(calendar, component, size, host);
    let mut warnings = Vec::new();
    for event in objects.events() {
        let what = match (understood(event), event.length) {
            (false, _) => event.problems.join("; "),
            (true, None) => "it has no end".to_owned(),
            (true, Some(_)) => continue,
        };
        let what = format!("AVAILABLE in line {}: {what}: it makes nothing available", event.component.line);
        warnings.push(Warning { uid: event.uid.clone(), what });
    }
    let opens = |event: &Event<'_>, _: bool| understood(event) && !is_cancelled(event);
    let happenings = objects.happenings(window, &opens);
    warnings.append(&mut objects.warnings);
    (
        happenings
            .iter()
            .filter(|happening| happening.kind == Kind::Event)
            .map(|happening| happening.interval)
            .collect(),
        warnings,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::Counting;
    use crate::availability::object_busy;
    use serde_json::Value;

    fn window(from: &str, to: &str) -> Interval {
        Interval::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
    }

    fn rules() -> BusyRules {
        BusyRules { zone: Zone::named("Europe/Berlin").unwrap(), owner: Vec::new(), counting: Counting::default() }
    }

    /// What is unavailable and what is opened in the week from Monday, 2 March 2026, on; the number of warnings.
    fn week(rules: &BusyRules, components: &str) -> (String, String, usize) {
        let text = format!("BEGIN:VCALENDAR\n{components}END:VCALENDAR\n");
        let found = object_availability(text.as_bytes(), rules, window("2026-03-02T00:00Z", "2026-03-09T00:00Z"));
        let shown = |intervals: &mut dyn Iterator<Item = Interval>| {
            let short = |at: Timestamp| at.strftime("%d.%H:%M").to_string();
            intervals.map(|i| format!("{}-{}", short(i.start()), short(i.end()))).collect::<Vec<_>>().join(" ")
        };
        let unavailable = shown(&mut found.unavailable.iter().map(|busy| busy.interval));
        (unavailable, shown(&mut found.available.iter()), found.warnings.len())
    }

    fn vavailability(lines: &str) -> String {
        format!("BEGIN:VAVAILABILITY\nUID:v\n{lines}END:VAVAILABILITY\n")
    }

    const MONDAY: &str = "BEGIN:AVAILABLE\nUID:a\nDTSTART:20260302T090000Z\nDTEND:20260302T120000Z\nEND:AVAILABLE\n";

    #[test]
    fn sabres_cases_hold() {
        let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/oracles/sabre-freebusy.json")).unwrap();
        let file: Value = serde_json::from_slice(&text).unwrap();
        let mut count = 0;
        for case in file["cases"].as_array().unwrap().iter().filter(|case| !case["vavailability"].is_null()) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let instant = |text: &str| match crate::ical::parse_written(text) {
                Some(crate::ical::Written::Instant(instant)) => instant,
                _ => panic!("{text}"),
            };
            let window = Interval::new(instant(&text(&case["range"][0])), instant(&text(&case["range"][1]))).unwrap();
            let expected: IntervalSet = case["expected"]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| {
                    let line = text(line);
                    let (start, end) = line.rsplit_once(':').unwrap().1.split_once('/').unwrap();
                    Interval::new(instant(start), instant(end)).unwrap()
                })
                .collect();
            let events = object_busy(text(&case["input"]).as_bytes(), &rules(), window);
            let availability = object_availability(text(&case["vavailability"]).as_bytes(), &rules(), window);
            assert_eq!(availability.warnings, []);
            let both = events.intervals.iter().chain(&availability.unavailable).map(|busy| busy.interval);
            assert_eq!(both.collect::<IntervalSet>().clipped(window), expected, "{}", case["name"]);
            count += 1;
        }
        assert_eq!(count, 5);
    }

    #[test]
    fn recurrence_exceptions_and_zones_are_those_of_events() {
        let term = vavailability(
            "DTSTART;TZID=Europe/Berlin:20260303T000000\nSUMMARY:Term\nBEGIN:AVAILABLE\nUID:a\n\
             DTSTART;TZID=Europe/Berlin:20260106T140000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;BYDAY=TU,TH,FR\n\
             EXDATE;TZID=Europe/Berlin:20260306T140000\nEND:AVAILABLE\nBEGIN:AVAILABLE\nUID:a\n\
             RECURRENCE-ID;TZID=Europe/Berlin:20260305T140000\nDTSTART;TZID=Europe/Berlin:20260304T100000\n\
             DURATION:PT1H\nEND:AVAILABLE\n",
        );
        let unavailable = "02.23:00-03.13:00 03.15:00-04.09:00 04.10:00-09.00:00";
        let available = "03.13:00-03.15:00 04.09:00-04.10:00";
        assert_eq!(week(&rules(), &term), (unavailable.to_owned(), available.to_owned(), 0));
    }

    #[test]
    fn a_higher_priority_replaces_and_among_equals_unavailable_wins() {
        let all = vavailability(MONDAY);
        let block = |priority: &str, more: &str| {
            let bounds = "DTSTART:20260302T100000Z\nDTEND:20260302T110000Z\n";
            vavailability(&format!("{priority}{bounds}{more}"))
        };
        let rest = "02.00:00-02.09:00 02.12:00-09.00:00";
        for (other, busy, open) in [
            // Within its bounds the higher one alone is heard.
            (
                block("PRIORITY:9\n", ""),
                "02.00:00-02.09:00 02.10:00-02.11:00 02.12:00-09.00:00",
                "02.09:00-02.10:00 02.11:00-02.12:00",
            ),
            (block("PRIORITY:1\n", MONDAY), rest, "02.09:00-02.12:00"),
            // No priority and 0 are the lowest: equals.
            (
                block("PRIORITY:0\n", ""),
                "02.00:00-02.09:00 02.10:00-02.11:00 02.12:00-09.00:00",
                "02.09:00-02.10:00 02.11:00-02.12:00",
            ),
            // One that is available there lets nothing lower speak.
            (
                block("PRIORITY:3\n", "BUSYTYPE:BUSY-TENTATIVE\n"),
                "02.00:00-02.09:00 02.10:00-02.11:00 02.12:00-09.00:00",
                "02.09:00-02.10:00 02.11:00-02.12:00",
            ),
        ] {
            for both in [format!("{all}{other}"), format!("{other}{all}")] {
                let (unavailable, available, warnings) = week(&rules(), &both);
                assert_eq!((unavailable.as_str(), available.as_str(), warnings), (busy, open, 0), "{other}");
            }
        }
        let tentative = Counting { tentative: Tentative::Free, ..Counting::default() };
        let free = BusyRules { counting: tentative, ..rules() };
        let (unavailable, available, _) = week(&free, &block("BUSYTYPE:BUSY-TENTATIVE\n", ""));
        assert_eq!((unavailable.as_str(), available.as_str()), ("", ""), "neither busy nor open");
    }

    #[test]
    fn what_cannot_be_read_makes_nothing_available() {
        let whole = "02.00:00-09.00:00";
        for components in [
            String::new(),
            vavailability("BEGIN:AVAILABLE\nUID:a\nDTSTART:20260302T090000Z\nEND:AVAILABLE\n"),
            vavailability("BEGIN:AVAILABLE\nUID:a\nDTSTART:soon\nDTEND:20260302T120000Z\nEND:AVAILABLE\n"),
            vavailability(&MONDAY.replace("END:A", "RRULE:FREQ=EVER\nEND:A")),
            vavailability(&format!("PRIORITY:high\n{MONDAY}")),
            vavailability(&MONDAY.replace("DTSTART:20260302T090000Z", "DTSTART;TZID=Nowhere/Land:20260302T090000")),
        ] {
            let (unavailable, available, warnings) = week(&rules(), &components);
            assert_eq!((unavailable.as_str(), available.as_str(), warnings), (whole, "", 1), "{components}");
        }
        let endless = vavailability(&format!("DTEND:later\n{MONDAY}"));
        assert_eq!(
            week(&rules(), &endless),
            ("02.00:00-02.09:00 02.12:00-09.00:00".into(), "02.09:00-02.12:00".into(), 1)
        );
        let unknown = vavailability(&format!("BUSYTYPE:X-AWAY\n{MONDAY}"));
        assert_eq!(week(&rules(), &unknown).2, 0, "an unknown type is BUSY-UNAVAILABLE (RFC 7953 3.2)");
        assert_eq!(week(&rules(), &unknown).0, "02.00:00-02.09:00 02.12:00-09.00:00");
    }
}
