//! The event of a booking, on the host's calendar and in the guest's invitation (RFC 5545 3.6.1, RFC 5546 3.2).

use super::PRODID;
use super::lines::{Breaks, clean, fold, local, utc};
use super::vtimezone::vtimezone;
use crate::ical::Zone;
use icalendar::{Calendar, Component, Event, Property};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the event of a booking says. Texts may be as a guest typed them: they are cleaned here.
#[derive(Clone, Debug)]
pub struct EventText {
    /// UID: ours, the same on the calendar and in every message.
    pub uid: String,
    /// SEQUENCE.
    pub sequence: u32,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// The zone that its times are written in.
    pub zone: Zone,
    /// SUMMARY.
    pub summary: String,
    /// DESCRIPTION; line breaks stay; empty: none.
    pub description: String,
    /// LOCATION; empty: none.
    pub location: String,
    /// STATUS.
    pub status: EventStatus,
    /// DTSTAMP.
    pub stamp: Timestamp,
    /// CREATED.
    pub created: Timestamp,
    /// LAST-MODIFIED.
    pub last_modified: Timestamp,
}

/// STATUS of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventStatus {
    /// CONFIRMED.
    Confirmed,
    /// TENTATIVE: it awaits the host's approval.
    Tentative,
}

/// The event as it is put on the host's calendar: no METHOD, no ORGANIZER, no ATTENDEE, so that no server sends a
/// second invitation.
pub fn booking_event(text: &EventText) -> String {
    let mut event = event(text);
    event.add_property("STATUS", status(text.status));
    event.add_property("TRANSP", "OPAQUE");
    render(&calendar(None), event, text)
}

/// Someone in an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// CN; may be empty.
    pub name: String,
    /// The mail address, without `mailto:`.
    pub email: String,
    /// Who acts for them (SENT-BY): a mail address, without `mailto:`.
    pub sent_by: Option<String>,
}

impl Person {
    /// Someone who acts for themselves.
    pub fn new(name: &str, email: &str) -> Person {
        Person { name: name.to_owned(), email: email.to_owned(), sent_by: None }
    }
}

/// METHOD of a message (RFC 5546).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// An invitation, or a change of it.
    Request,
    /// It does not take place.
    Cancel,
    /// For one's own calendar: the download.
    Publish,
}

impl Method {
    /// As METHOD and the `method` parameter of the MIME type have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Request => "REQUEST",
            Method::Cancel => "CANCEL",
            Method::Publish => "PUBLISH",
        }
    }
}

/// What an invitation says.
#[derive(Clone, Debug)]
pub struct InvitationText {
    /// What the guest is to do with it.
    pub method: Method,
    /// The event, as the guest is to see it.
    pub event: EventText,
    /// ORGANIZER: the same, to the letter, in every message of one event.
    pub organizer: Person,
    /// ATTENDEE: the very address that the message goes to. Not written with PUBLISH.
    pub attendee: Person,
    /// URL; empty: none.
    pub url: String,
}

/// The calendar of an iMIP message, or of the download.
pub fn invitation(text: &InvitationText) -> String {
    let mut event = event(&text.event);
    let cancelled = text.method == Method::Cancel;
    event.add_property("STATUS", if cancelled { "CANCELLED" } else { status(text.event.status) });
    if !text.url.is_empty() {
        event.add_property("URL", address(&text.url));
    }
    event.append_property(person("ORGANIZER", &text.organizer));
    if text.method != Method::Publish {
        let mut attendee = person("ATTENDEE", &text.attendee);
        attendee.add_parameter("CUTYPE", "INDIVIDUAL").add_parameter("ROLE", "REQ-PARTICIPANT");
        if !cancelled {
            attendee.add_parameter("PARTSTAT", "NEEDS-ACTION").add_parameter("RSVP", "TRUE");
        }
        event.append_multi_property(attendee);
    }
    render(&calendar(Some(text.method)), event, &text.event)
}

fn status(status: EventStatus) -> &'static str {
    match status {
        EventStatus::Confirmed => "CONFIRMED",
        EventStatus::Tentative => "TENTATIVE",
    }
}

fn calendar(method: Option<Method>) -> Calendar {
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", PRODID));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    if let Some(method) = method {
        calendar.append_property(("METHOD", method.as_str()));
    }
    calendar
}

fn event(text: &EventText) -> Event {
    let mut event = Event::new();
    event.add_property("UID", clean(&text.uid, Breaks::Blank));
    event.add_property("DTSTAMP", utc(text.stamp));
    event.add_property("CREATED", utc(text.created));
    event.add_property("LAST-MODIFIED", utc(text.last_modified));
    event.add_property("SEQUENCE", text.sequence.to_string());
    event.add_property("SUMMARY", clean(&text.summary, Breaks::Blank));
    for (name, value) in
        [("DESCRIPTION", clean(&text.description, Breaks::Keep)), ("LOCATION", clean(&text.location, Breaks::Blank))]
    {
        if !value.is_empty() {
            event.add_property(name, value);
        }
    }
    event
}

fn person(name: &str, person: &Person) -> Property {
    let mut property = Property::new(name, format!("mailto:{}", address(&person.email)));
    // A double quote cannot stand in a parameter (RFC 5545 3.2).
    let common_name = clean(&person.name, Breaks::Blank).replace('"', "'");
    if !common_name.is_empty() {
        property.add_parameter("CN", &common_name);
    }
    if let Some(sent_by) = &person.sent_by {
        property.add_parameter("SENT-BY", &format!("mailto:{}", address(sent_by)));
    }
    property.done()
}

/// An address or URI: no blanks, no control characters.
fn address(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect()
}

/// The text of the calendar: the crate writes and escapes the lines, we add DTSTART and DTEND with their VTIMEZONE,
/// which it has no words for, and fold anew, since it leaves blanks at the ends of lines.
fn render(calendar: &Calendar, mut event: Event, text: &EventText) -> String {
    let written = |instant: Timestamp| {
        let civil = text.zone.civil(instant);
        // The second time that a clock shows 01:30 cannot be written with a TZID.
        (text.zone.instant(civil) == Some(instant)).then(|| local(civil))
    };
    let zone = vtimezone(&text.zone, text.start);
    let local_times = zone.as_ref().and_then(|_| written(text.start).zip(written(text.end)));
    match &local_times {
        Some((start, end)) => {
            for (name, time) in [("DTSTART", start), ("DTEND", end)] {
                event.append_property(Property::new(name, time).add_parameter("TZID", text.zone.name()).done());
            }
        }
        None => {
            event.add_property("DTSTART", utc(text.start));
            event.add_property("DTEND", utc(text.end));
        }
    }
    let mut calendar = calendar.clone();
    calendar.push(event.done());
    let unfolded = calendar.to_string().replace("\r\n ", "");
    let mut out = String::with_capacity(unfolded.len() + 1024);
    for line in unfolded.split("\r\n").filter(|line| !line.is_empty()) {
        if line == "BEGIN:VEVENT" && local_times.is_some() {
            out.push_str(zone.as_deref().unwrap_or_default());
        }
        fold(line.trim_end(), &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ical::read;

    fn text() -> EventText {
        let now = "2026-11-24T09:00:00Z".parse().unwrap();
        EventText {
            uid: "0190-x@meet.example.edu".to_owned(),
            sequence: 2,
            start: "2026-12-01T13:00:00Z".parse().unwrap(),
            end: "2026-12-01T13:30:00Z".parse().unwrap(),
            zone: Zone::named("Europe/Berlin").unwrap(),
            summary: "Office hour: Ada Lovelace".to_owned(),
            description: "Ada Lovelace\nada@example.org\n\nhttps://meet.example.edu/h/abc".to_owned(),
            location: "Room 2.12".to_owned(),
            status: EventStatus::Confirmed,
            stamp: now,
            created: now,
            last_modified: now,
        }
    }

    fn properties(text: &str) -> Vec<String> {
        let calendars = read(text.as_bytes());
        let [calendar] = calendars.as_slice() else { panic!("one calendar") };
        assert!(calendar.ended && calendar.bad_lines.is_empty());
        let event = calendar.children("VEVENT").next().unwrap();
        let all = calendar.properties.iter().chain(&event.properties);
        all.map(|property| property.name.to_string()).collect()
    }

    #[test]
    fn the_event_of_a_booking_has_no_method_organizer_or_attendee() {
        let written = booking_event(&text());
        assert_eq!(
            properties(&written),
            [
                "VERSION",
                "PRODID",
                "CALSCALE",
                "CREATED",
                "DESCRIPTION",
                "DTEND",
                "DTSTAMP",
                "DTSTART",
                "LAST-MODIFIED",
                "LOCATION",
                "SEQUENCE",
                "STATUS",
                "SUMMARY",
                "TRANSP",
                "UID"
            ]
        );
        assert!(written.contains("DTSTART;TZID=Europe/Berlin:20261201T140000\r\n"), "{written}");
        assert!(written.contains("BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n"), "{written}");
        let facts = crate::availability::event_summary(written.as_bytes(), &Zone::utc()).unwrap();
        assert_eq!((facts.start, facts.end), (text().start, text().end));
        assert_eq!((facts.sequence, facts.description, facts.location), (2, text().description, text().location));
    }

    #[test]
    fn an_invitation_names_both_and_a_cancel_says_so() {
        let invite = |method| {
            invitation(&InvitationText {
                method,
                event: text(),
                organizer: Person::new("Emmy \"E\" Noether; x", "office@example.edu"),
                attendee: Person::new("Ada, Countess", "ada@example.org"),
                url: "https://meet.example.edu/b/abc".to_owned(),
            })
        };
        let unfolded = |method| invite(method).replace("\r\n ", "");
        let request = unfolded(Method::Request);
        assert!(request.contains("METHOD:REQUEST\r\n"));
        assert!(request.contains("ORGANIZER;CN=\"Emmy 'E' Noether; x\":mailto:office@example.edu\r\n"), "{request}");
        assert!(
            request.contains("ATTENDEE;CN=\"Ada, Countess\";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:ada@example.org\r\n"),
            "{request}"
        );
        let cancel = unfolded(Method::Cancel);
        assert!(
            cancel.contains("METHOD:CANCEL\r\n")
                && cancel.contains("STATUS:CANCELLED\r\n")
                && cancel.contains("ATTENDEE;")
        );
        let publish = unfolded(Method::Publish);
        assert!(publish.contains("METHOD:PUBLISH\r\n") && !publish.contains("ATTENDEE"));
    }

    #[test]
    fn no_text_of_a_guest_adds_a_property() {
        let evil = "x\r\nATTENDEE:mailto:evil@example.org\nRRULE:FREQ=DAILY\rDTSTART:20200101\u{2028}URL:a\u{85}END:VEVENT\u{0}\"";
        let invite = |typed: &str| {
            invitation(&InvitationText {
                method: Method::Request,
                event: EventText {
                    uid: typed.to_owned(),
                    summary: typed.to_owned(),
                    description: typed.to_owned(),
                    location: typed.to_owned(),
                    ..text()
                },
                organizer: Person::new(typed, typed),
                attendee: Person::new(typed, typed),
                url: typed.to_owned(),
            })
        };
        assert_eq!(properties(&invite(evil)), properties(&invite("plain")));
        assert!(!invite(evil).contains(['\u{2028}', '\u{85}', '\0']));
    }

    #[test]
    fn the_second_of_two_equal_hours_and_zones_without_a_name_are_written_in_utc() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let start: Timestamp = "2026-10-25T01:15:00Z".parse().unwrap();
        let written = booking_event(&EventText { start, end: "2026-10-25T01:45:00Z".parse().unwrap(), zone, ..text() });
        assert!(written.contains("DTSTART:20261025T011500Z\r\n") && !written.contains("VTIMEZONE"), "{written}");
        let written = booking_event(&EventText { zone: Zone::utc(), ..text() });
        assert!(written.contains("DTSTART:20261201T130000Z\r\n"), "{written}");
    }

    #[test]
    fn no_line_is_longer_than_75_octets_or_ends_with_a_blank() {
        let long = "Stra\u{DF}e mit vielen W\u{F6}rtern ".repeat(40);
        let written = booking_event(&EventText { summary: long.clone(), description: long, ..text() });
        for line in written.trim_end_matches("\r\n").split("\r\n") {
            assert!(line.len() <= 75 && !line.ends_with([' ', '\t']) && !line.contains(['\r', '\n']), "{line:?}");
        }
    }
}
