//! Changing an event that somebody else may have edited: only the lines that are ours are replaced, every other byte stays
//! (standards A3.14).

use super::write::{EventText, booking_event};
use std::ops::Range;

/// The properties that a change of a booking sets; all others of the event, and every other component, are left alone.
const OURS: [&str; 7] = ["DTSTART", "DTEND", "DURATION", "SEQUENCE", "STATUS", "DTSTAMP", "LAST-MODIFIED"];

/// The object with its first VEVENT at the time and in the state that `text` says. `None` when there is no such event, or it
/// does not end.
pub fn replace_event(data: &[u8], text: &EventText) -> Option<Vec<u8>> {
    let event = event_lines(data)?;
    // The zone of the file may be another's by the same name: the new times are in UTC unless the file has the VTIMEZONE.
    let zone_line = format!("TZID:{}", text.zone.name());
    let has_zone = logical_lines(data).any(|line| unfolded(data.get(line).unwrap_or_default()) == zone_line.as_bytes());
    let fresh = if has_zone {
        booking_event(text)
    } else {
        booking_event(&EventText { zone: super::Zone::utc(), ..text.clone() })
    };
    let fresh = fresh.as_bytes();
    let ours: Vec<&[u8]> =
        event_lines(fresh)?.own.into_iter().filter_map(|line| fresh.get(line)).filter(|line| is_ours(line)).collect();

    let mut result = Vec::with_capacity(data.len() + 128);
    result.extend_from_slice(data.get(..event.start)?);
    for line in ours {
        result.extend_from_slice(line);
    }
    let mut at = event.start;
    for line in event.own {
        if is_ours(data.get(line.clone())?) {
            result.extend_from_slice(data.get(at..line.start)?);
            at = line.end;
        }
    }
    result.extend_from_slice(data.get(at..)?);
    Some(result)
}

struct EventLines {
    /// Behind the line BEGIN:VEVENT.
    start: usize,
    /// The event's own content lines, with their line ends; not those of components in it.
    own: Vec<Range<usize>>,
}

/// The lines of the first VEVENT.
fn event_lines(data: &[u8]) -> Option<EventLines> {
    let mut found: Option<EventLines> = None;
    let mut depth = 0;
    for line in logical_lines(data) {
        let text = unfolded(data.get(line.clone())?);
        let is = |word: &str| text.eq_ignore_ascii_case(word.as_bytes());
        match &mut found {
            None if is("BEGIN:VEVENT") => found = Some(EventLines { start: line.end, own: Vec::new() }),
            None => {}
            Some(event) => {
                if is("END:VEVENT") && depth == 0 {
                    return found;
                } else if starts_with(&text, "BEGIN:") {
                    depth += 1;
                } else if starts_with(&text, "END:") {
                    depth -= 1;
                } else if depth == 0 {
                    event.own.push(line);
                }
            }
        }
    }
    None
}

fn starts_with(text: &[u8], word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

fn is_ours(line: &[u8]) -> bool {
    let text = unfolded(line);
    let name = text.split(|byte| matches!(byte, b':' | b';')).next().unwrap_or_default();
    OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()))
}

/// Content lines with their folds and line ends, in order.
fn logical_lines(data: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        while at < data.len() {
            let rest = data.get(at..).unwrap_or_default();
            at += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
            if !matches!(data.get(at), Some(b' ' | b'\t')) {
                break;
            }
        }
        (start < at).then_some(start..at)
    })
}

/// The line without folds and without its end.
fn unfolded(line: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(line.len());
    for physical in line.split_inclusive(|byte| *byte == b'\n') {
        let physical = if text.is_empty() { physical } else { physical.get(1..).unwrap_or_default() };
        let end = physical.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        text.extend_from_slice(physical.get(..end).unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Zone;
    use super::super::write::EventStatus;
    use super::*;

    fn text(start: &str, end: &str) -> EventText {
        EventText {
            uid: "u".into(),
            sequence: 3,
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
            zone: Zone::named("Europe/Berlin").unwrap(),
            summary: "Talk: Ada".into(),
            description: "d".into(),
            location: String::new(),
            status: EventStatus::Confirmed,
            stamp: "2026-01-01T00:00:00Z".parse().unwrap(),
            created: "2026-01-01T00:00:00Z".parse().unwrap(),
            last_modified: "2026-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn what_the_host_added_stays_byte_for_byte() {
        let before = booking_event(&text("2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z"));
        let edited = before
            .replace("SUMMARY:Talk: Ada\r\n", "SUMMARY:My own\r\n  title\r\nX-COLOR:red\r\n")
            .replace("END:VEVENT", "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nDURATION:PT1M\r\nEND:VALARM\r\nEND:VEVENT");
        let after = replace_event(edited.as_bytes(), &text("2026-03-03T09:00:00Z", "2026-03-03T09:30:00Z")).unwrap();
        let after = String::from_utf8(after).unwrap();
        for kept in
            ["SUMMARY:My own\r\n  title\r\n", "X-COLOR:red\r\n", "TRIGGER:-PT5M\r\nDURATION:PT1M\r\n", "UID:u\r\n"]
        {
            assert!(after.contains(kept), "{kept} is not in\n{after}");
        }
        assert_eq!(after.matches("DTSTART;TZID=Europe/Berlin:20260303T100000").count(), 1);
        let event = after.split("BEGIN:VEVENT").nth(1).unwrap();
        for name in ["\nDTSTART", "\nDTEND", "\nSEQUENCE", "\nSTATUS", "\nDTSTAMP"] {
            assert_eq!(event.matches(name).count(), 1, "{name}");
        }
    }

    #[test]
    fn a_file_without_the_zone_gets_times_in_utc() {
        let bare = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nDTSTART:20260302T090000Z\nDURATION:PT30M\nEND:VEVENT\nEND:VCALENDAR\n";
        let after = replace_event(bare, &text("2026-03-03T09:00:00Z", "2026-03-03T09:30:00Z")).unwrap();
        let after = String::from_utf8(after).unwrap();
        assert!(after.contains("DTSTART:20260303T090000Z") && !after.contains("DURATION"), "{after}");
    }

    #[test]
    fn what_is_no_event_is_refused() {
        assert_eq!(
            replace_event(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n", &text("2026-03-03T09:00:00Z", "2026-03-03T09:30:00Z")),
            None
        );
    }
}
