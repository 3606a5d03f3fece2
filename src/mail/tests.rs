//! What goes out, read back: the MIME parts, and the calendar in them, line by line.

use super::message::{booking_message, mailbox, test_message};
use super::sample::{MESSAGES, sample};
use super::{Links, Occasion, Sender, Templates};
use crate::availability::{Host, Interval};
use crate::booking::{Answer, Booking, BookingState, Effect, Guest, Message, Organizer, Payload, Said, Says};
use crate::ical::write::Person;
use crate::language::Language;
use base64::Engine;
use jiff::{SignedDuration, Timestamp};
use lettre::message::Mailbox;
use std::collections::HashMap;

fn to_guest() -> impl Iterator<Item = Message> {
    MESSAGES.into_iter().filter(|message| message.is_to_guest())
}

fn to_host() -> impl Iterator<Item = Message> {
    MESSAGES.into_iter().filter(|message| !message.is_to_guest())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn host() -> Host {
    sample(Language::English).unwrap().0
}

/// The sample's, elsewhere by now, of a guest who asks for no language.
fn booking() -> Booking {
    let (_, booking, _) = sample(Language::English).unwrap();
    Booking {
        time: Interval::new(at("2027-06-01T08:00:00Z"), at("2027-06-01T08:30:00Z")).unwrap(),
        state: BookingState::Reserved,
        guest: Guest {
            email: "Ada.Lovelace@example.org".to_owned(),
            note: "Two lines:\nthis one <b>bold</b>.".to_owned(),
            language: None,
            answers: vec![Answer { question: "topic".into(), label: "Topic".into(), text: "Algebra".into() }],
            ..booking.guest
        },
        uid: "0193-uid".to_owned(),
        sequence: 9,
        told: Some(3),
        told_time: None,
        ..booking
    }
}

/// Of the first of December, though the booking is elsewhere by now.
fn payload(message: Message) -> Payload {
    Payload {
        word: String::new(),
        effect: Effect::Mail(message),
        sequence: 3,
        start: at("2026-12-01T13:00:00Z"),
        end: at("2026-12-01T13:30:00Z"),
        before: None,
        place: None,
        place_before: None,
        said: None,
        at: at("2026-11-24T17:30:00Z"),
    }
}

fn from() -> Mailbox {
    mailbox(Some("Office hours"), "office@meet.example.edu").unwrap()
}

fn sender() -> Sender {
    Sender { from: from(), organizer: Organizer::Service, templates: Templates::default() }
}

fn sent(booking: &Booking, host: &Host, message: Message) -> String {
    let links = Links {
        guest: "https://meet.example.edu/b/GUEST".to_owned(),
        confirm: "https://meet.example.edu/b/CONFIRM/confirm".to_owned(),
        host: "https://meet.example.edu/h/HOST".to_owned(),
        meeting: "https://meet.example.edu/noether/office-hour".to_owned(),
    };
    let occasion = Occasion::new(booking, host, message, &payload(message), links);
    String::from_utf8(booking_message(&occasion, &sender()).unwrap().formatted()).unwrap()
}

/// A part of a message: its headers in lower case, and its content decoded.
#[derive(Debug)]
struct Part {
    headers: HashMap<String, String>,
    content: String,
    parts: Vec<Part>,
}

impl Part {
    fn read(text: &str) -> Part {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ");
        let mut headers = HashMap::new();
        for line in head.split("\r\n") {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?} is no header"));
            assert_eq!(headers.insert(name.to_lowercase(), value.to_owned()), None, "{name} is there twice");
        }
        let kind = &headers["content-type"];
        let parts = match kind.split_once("boundary=\"") {
            Some((_, boundary)) => {
                let boundary = boundary.split('"').next().unwrap();
                let (inner, after) = body.split_once(&format!("--{boundary}--")).unwrap();
                assert_eq!(after.trim(), "");
                let opening = format!("--{boundary}\r\n");
                let pieces = inner.split(&opening).skip(1);
                pieces.map(|piece| Part::read(piece.strip_suffix("\r\n").unwrap())).collect()
            }
            None => Vec::new(),
        };
        let content = match headers.get("content-transfer-encoding").map(String::as_str) {
            Some("base64") => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(body.replace("\r\n", "")).unwrap();
                String::from_utf8(bytes).unwrap()
            }
            Some("quoted-printable") => unquote(body),
            _ => body.to_owned(),
        };
        // What keeps a zone on one line.
        Part { headers, content: content.replace('\u{a0}', " "), parts }
    }

    fn kind(&self) -> &str {
        &self.headers["content-type"]
    }
}

fn unquote(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        if *first == b'=' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&others[..2]).unwrap(), 16).unwrap());
            rest = &others[2..];
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The calendar of an iMIP message, unfolded.
fn calendar(message: &Part) -> String {
    let [alternative, attachment] = message.parts.as_slice() else { panic!("{message:?}") };
    let calendar = &alternative.parts[2];
    assert_eq!(calendar.content, attachment.content, "both copies are one");
    calendar.content.replace("\r\n ", "")
}

#[test]
fn an_invitation_has_text_html_and_the_calendar_and_the_calendar_again() {
    let message = Part::read(&sent(&booking(), &host(), Message::Invitation));
    assert!(message.kind().starts_with("multipart/mixed; "), "{}", message.kind());
    let [alternative, attachment] = message.parts.as_slice() else { panic!() };
    assert!(alternative.kind().starts_with("multipart/alternative; "));
    let kinds: Vec<&str> = alternative.parts.iter().map(Part::kind).collect();
    let calendar = "text/calendar; charset=utf-8; method=REQUEST";
    assert_eq!(kinds, ["text/plain; charset=utf-8", "text/html; charset=utf-8", calendar]);
    assert_eq!(attachment.kind(), "application/ics");
    assert_eq!(attachment.headers["content-disposition"], "attachment; filename=\"invite.ics\"");
    let header = |name: &str| message.headers[name].as_str();
    assert_eq!(header("from"), "\"Office hours\" <office@meet.example.edu>");
    assert_eq!(header("to"), "Ada.Lovelace@example.org");
    assert_eq!(header("reply-to"), "\"Emmy Noether\" <noether@example.edu>");
    assert_eq!(header("subject"), "Office hour, Tuesday 1 December 2026");
    assert_eq!(header("auto-submitted"), "auto-generated");
    assert_eq!(header("mime-version"), "1.0");
    assert_eq!(header("message-id"), "<0193-uid.3.invitation@meet.example.edu>");
    assert_eq!(header("date"), "Tue, 24 Nov 2026 17:30:00 +0000");
}

#[test]
fn the_calendar_says_what_the_booking_was_when_the_message_was_decided() {
    let calendar = calendar(&Part::read(&sent(&booking(), &host(), Message::Moved)));
    for line in [
        "METHOD:REQUEST",
        "UID:0193-uid",
        "SEQUENCE:3",
        "DTSTAMP:20261124T173000Z",
        "DTSTART;TZID=Europe/Berlin:20261201T140000",
        "DTEND;TZID=Europe/Berlin:20261201T143000",
        "TZID:Europe/Berlin",
        "STATUS:CONFIRMED",
        "SUMMARY:Office hour: Emmy Noether",
        "LOCATION:Room 2.12",
        "ORGANIZER;CN=Emmy Noether:mailto:office@meet.example.edu",
        "ATTENDEE;CN=Ada Lovelace;CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:Ada.Lovelace@example.org",
        "URL:https://meet.example.edu/b/GUEST",
    ] {
        assert!(calendar.contains(&format!("\r\n{line}\r\n")), "no {line} in {calendar}");
    }
    assert!(
        calendar.find("METHOD").unwrap()
            < calendar.find("BEGIN:V").map_or(0, |_| calendar.find("BEGIN:VEVENT").unwrap())
    );
}

#[test]
fn a_cancel_takes_back_what_was_sent_and_only_that() {
    let message = Part::read(&sent(&booking(), &host(), Message::Cancelled));
    assert_eq!(message.parts[0].parts[2].kind(), "text/calendar; charset=utf-8; method=CANCEL");
    let calendar = calendar(&message);
    for line in ["METHOD:CANCEL", "STATUS:CANCELLED", "UID:0193-uid", "SEQUENCE:3"] {
        assert!(calendar.contains(&format!("\r\n{line}\r\n")), "no {line} in {calendar}");
    }
    let organizer = |text: &str| text.split("\r\n").find(|line| line.starts_with("ORGANIZER")).unwrap().to_owned();
    let invitation = Part::read(&sent(&booking(), &host(), Message::Invitation));
    assert_eq!(organizer(&calendar), organizer(&self::calendar(&invitation)), "the same to the letter");
    let untold = Booking { told: None, ..booking() };
    let plain = Part::read(&sent(&untold, &host(), Message::Cancelled));
    assert!(plain.kind().starts_with("multipart/alternative") && plain.parts.len() == 2);
}

#[test]
fn a_message_that_is_sent_again_is_the_same_to_the_byte() {
    for message in MESSAGES {
        let later = Booking { updated_at: at("2026-11-26T00:00:00Z"), sequence: 12, ..booking() };
        assert_eq!(sent(&booking(), &host(), message), sent(&later, &host(), message), "{message:?}");
    }
}

#[test]
fn nothing_that_a_stranger_typed_is_in_the_mail_that_asks_to_confirm() {
    let text = sent(&booking(), &host(), Message::ConfirmAddress);
    let message = Part::read(&text);
    let [plain, html] = message.parts.as_slice() else { panic!() };
    for typed in ["Ada Lovelace", "bold", "Algebra", "New York", "New_York"] {
        assert!(![&text, &plain.content, &html.content].iter().any(|text| text.contains(typed)), "{typed}");
    }
    assert!(plain.content.contains("https://meet.example.edu/b/CONFIRM/confirm"));
    assert!(html.content.contains("https://meet.example.edu/b/CONFIRM/confirm"));
    for other in
        [Message::Invitation, Message::Moved, Message::Cancelled, Message::Declined].into_iter().chain(to_host())
    {
        let message = sent(&booking(), &host(), other);
        assert!(!message.contains("CONFIRM/"), "only the mail to the address has the link that confirms it: {other:?}");
    }
}

#[test]
fn the_host_reads_who_comes_in_a_plain_text_and_no_guest_reads_the_hosts_link() {
    for kind in to_host() {
        let message = Part::read(&sent(&booking(), &host(), kind));
        assert_eq!(message.kind(), "text/plain; charset=utf-8", "{kind:?}: a calendar would be a second event");
        assert_eq!(message.headers["to"], "\"Emmy Noether\" <noether@example.edu>");
        assert_eq!(message.headers["reply-to"], "\"Ada Lovelace\" <Ada.Lovelace@example.org>");
        for part in
            ["Ada.Lovelace@example.org", "Topic: Algebra", "this one <b>bold</b>.", "14:00–14:30 (Berlin, UTC+1)"]
        {
            assert!(message.content.contains(part), "{kind:?}: no {part} in {}", message.content);
        }
        assert!(!message.content.contains("/b/GUEST"), "{kind:?}");
    }
    for kind in to_guest() {
        let message = Part::read(&sent(&booking(), &host(), kind));
        assert!(!format!("{message:?}").contains("/h/HOST"), "{kind:?}");
    }
}

#[test]
fn text_and_html_say_both_clocks_and_nothing_comes_from_elsewhere() {
    let message = Part::read(&sent(&booking(), &host(), Message::Invitation));
    let [plain, html, _] = message.parts[0].parts.as_slice() else { panic!() };
    for said in [
        "Office hour with Emmy Noether",
        "Tuesday 1 December 2026",
        "14:00–14:30 (Berlin, UTC+1)",
        "08:00–08:30 (New York, UTC−5)",
        "Room 2.12",
        "https://meet.example.edu/b/GUEST",
    ] {
        assert!(
            plain.content.contains(said) && html.content.contains(said),
            "{said}: {} {}",
            plain.content,
            html.content
        );
    }
    for remote in ["src=", "url(", "<link", "<script", "<img", "@import"] {
        assert!(!html.content.contains(remote), "{remote}");
    }
    assert!(html.content.contains("content=\"light dark\""));
    let titled = Booking { title: "<script>alert(1)</script>".to_owned(), ..booking() };
    let message = Part::read(&sent(&titled, &host(), Message::Invitation));
    assert!(!message.parts[0].parts[1].content.contains("<script"), "{}", message.parts[0].parts[1].content);
}

#[test]
fn no_line_break_begins_a_header() {
    let evil = "x\r\nBcc: all@example.org\r\n\r\nbody";
    let host = Host { name: evil.to_owned(), ..host() };
    let mut booking = Booking { title: evil.to_owned(), location: evil.to_owned(), ..booking() };
    booking.guest.name = evil.to_owned();
    booking.guest.note = evil.to_owned();
    let names = |text: &str| {
        let mut names: Vec<String> = Part::read(text).headers.into_keys().collect();
        names.sort();
        names
    };
    for message in MESSAGES {
        let (bad, good) = (sent(&booking, &host, message), sent(&self::booking(), &self::host(), message));
        assert_eq!(names(&bad), names(&good), "{message:?}");
        assert!(bad.split("\r\n\r\n").next().unwrap().split("\r\n").all(|line| !line.starts_with("Bcc")), "{bad}");
    }
    booking.guest.email = "ada@example.org\r\nBcc: all@example.org".to_owned();
    let links = || Links { guest: String::new(), confirm: String::new(), host: String::new(), meeting: String::new() };
    let occasion = Occasion::new(&booking, &host, Message::Invitation, &payload(Message::Invitation), links());
    assert!(booking_message(&occasion, &sender()).is_err());
    let told = Occasion::new(&booking, &host, Message::HostBooked, &payload(Message::HostBooked), links());
    assert!(booking_message(&told, &sender()).is_ok(), "the host is told all the same");
    assert!(
        test_message(&from(), "a@b.example\r\nBcc: c@d.example", Language::English, "1", Timestamp::UNIX_EPOCH)
            .is_err()
    );
}

#[test]
fn no_line_is_longer_than_mail_allows_and_names_of_all_scripts_are_read_back() {
    let host = Host { name: "Émilie du Châtelet ".repeat(8), ..host() };
    let mut booking = Booking { title: "数学 ".repeat(40), ..booking() };
    booking.guest.note = "ж".repeat(3000);
    for message in MESSAGES {
        let text = sent(&booking, &host, message);
        assert!(text.is_ascii(), "{message:?}");
        assert!(text.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])), "{message:?}");
    }
}

#[test]
fn each_reader_is_written_to_in_their_language() {
    let guest = Booking { guest: Guest { language: Some(Language::German), ..booking().guest }, ..booking() };
    let host = Host { language: Language::French, ..host() };
    let message = Part::read(&sent(&guest, &host, Message::Invitation));
    assert_eq!(message.headers["content-language"], "de");
    let [plain, html, _] = message.parts[0].parts.as_slice() else { panic!() };
    for said in
        ["Ihr Termin ist gebucht", "Office hour mit Emmy Noether", "Dienstag, 1. Dezember 2026", "14:00–14:30 Uhr"]
    {
        assert!(plain.content.contains(said) && html.content.contains(said), "{said}: {}", plain.content);
    }
    assert!(html.content.contains("<html lang=\"de\">"));
    let calendar = calendar(&message);
    assert!(calendar.contains("Office hour mit Emmy Noether\\n\\nVerschieben oder absagen:"), "{calendar}");
    let message = Part::read(&sent(&guest, &host, Message::HostBooked));
    assert_eq!(message.headers["content-language"], "fr");
    assert!(message.content.contains("Vous avez une nouvelle réservation"), "{}", message.content);
    // Who asks for none of ours reads the host's.
    let message = Part::read(&sent(&booking(), &host, Message::Cancelled));
    assert!(message.parts[0].parts[0].content.contains("Votre rendez-vous est annulé"), "{message:?}");
}

#[test]
fn a_move_says_the_old_time_and_who_moved_it() {
    let moved = |message| {
        let before = (at("2026-11-30T13:00:00Z"), at("2026-11-30T13:30:00Z"));
        let payload = Payload { before: Some(before), ..payload(message) };
        let (booking, host) = (booking(), host());
        let links = Links { guest: String::new(), confirm: String::new(), host: String::new(), meeting: String::new() };
        let occasion = Occasion::new(&booking, &host, message, &payload, links);
        let text = String::from_utf8(booking_message(&occasion, &sender()).unwrap().formatted()).unwrap();
        let message = Part::read(&text);
        message.parts.first().map_or(message.content.clone(), |part| part.parts[0].content.clone())
    };
    for message in [Message::Moved, Message::MovedByHost, Message::HostMoved] {
        let text = moved(message);
        for said in [
            "Before: Monday 30 November 2026, 14:00–14:30 (Berlin, UTC+1)",
            "08:00–08:30 (New York, UTC−5)",
            "When: Tuesday 1 December 2026",
        ] {
            assert!(text.contains(said), "{message:?}: no {said} in {text}");
        }
    }
    assert!(moved(Message::MovedByHost).contains("Emmy Noether has moved it."));
    assert!(moved(Message::Moved).contains("You have moved it"));
}

#[test]
fn another_place_is_an_update_of_the_same_invitation() {
    let place = (Some("Room 3".to_owned()), Some("Room 2.12".to_owned()));
    let changed = |message, seconds: i64| {
        let at = at("2026-11-24T17:30:00Z") + SignedDuration::from_secs(seconds);
        let payload = Payload { place: place.0.clone(), place_before: place.1.clone(), at, ..payload(message) };
        let (booking, host) = (booking(), host());
        let links = Links { guest: String::new(), confirm: String::new(), host: String::new(), meeting: String::new() };
        let occasion = Occasion::new(&booking, &host, message, &payload, links);
        Part::read(&String::from_utf8(booking_message(&occasion, &sender()).unwrap().formatted()).unwrap())
    };
    let message = changed(Message::PlaceChanged, 0);
    let text = &message.parts[0].parts[0].content;
    for said in ["Your booking has a new place", "Where: Room 3", "Before: Room 2.12", "Emmy Noether has changed where"]
    {
        assert!(text.contains(said), "no {said} in {text}");
    }
    let update = calendar(&message);
    for line in ["METHOD:REQUEST", "SEQUENCE:3", "DTSTAMP:20261124T173000Z", "LOCATION:Room 3"] {
        assert!(update.contains(&format!("\r\n{line}\r\n")), "no {line} in {update}");
    }
    // Each change is a message of its own, and one that is sent again is the same.
    assert_ne!(message.headers["message-id"], changed(Message::PlaceChanged, 1).headers["message-id"]);
    assert_eq!(message.headers["message-id"], changed(Message::PlaceChanged, 0).headers["message-id"]);
    // A move says a new place, too.
    let moved = changed(Message::MovedByHost, 0);
    assert!(moved.parts[0].parts[0].content.contains("Before: Room 2.12"), "{moved:?}");
}

#[test]
fn a_host_who_is_the_organizer_has_the_service_send_for_them() {
    let (booking, host) = (booking(), host());
    let links = Links { guest: String::new(), confirm: String::new(), host: String::new(), meeting: String::new() };
    let sender = Sender { organizer: Organizer::Host, ..sender() };
    let occasion = Occasion::new(&booking, &host, Message::Invitation, &payload(Message::Invitation), links);
    let text = String::from_utf8(booking_message(&occasion, &sender).unwrap().formatted()).unwrap();
    let message = Part::read(&text);
    assert_eq!(
        message.headers["from"], "\"Office hours\" <office@meet.example.edu>",
        "the relay may speak for no other"
    );
    let line = "ORGANIZER;CN=Emmy Noether;SENT-BY=\"mailto:office@meet.example.edu\":mailto:noether@example.edu";
    assert!(calendar(&message).contains(&format!("\r\n{line}\r\n")), "{}", calendar(&message));
}

#[test]
fn the_organizer_of_an_invitation_stays_whatever_the_config_becomes() {
    let settled = Person::new("Emmy N.", "old@meet.example.edu");
    let booking = Booking { organizer: Some(settled), ..booking() };
    let links = || Links { guest: String::new(), confirm: String::new(), host: String::new(), meeting: String::new() };
    let line = |message| {
        let (host, sender) = (host(), Sender { organizer: Organizer::Host, ..sender() });
        let occasion = Occasion::new(&booking, &host, message, &payload(message), links());
        let text = String::from_utf8(booking_message(&occasion, &sender).unwrap().formatted()).unwrap();
        let calendar = calendar(&Part::read(&text));
        calendar.split("\r\n").find(|line| line.starts_with("ORGANIZER")).unwrap().to_owned()
    };
    for message in [Message::Invitation, Message::Moved, Message::Again, Message::Cancelled] {
        assert_eq!(line(message), "ORGANIZER;CN=Emmy N.:mailto:old@meet.example.edu", "{message:?}");
    }
}

#[test]
fn the_host_reads_what_the_guests_calendar_answered_on_both_clocks() {
    let told = |message, what| {
        let said = Said { what, comment: "A day\nlater?".to_owned() };
        let payload = Payload { said: Some(said), ..payload(message) };
        let (booking, host) = (booking(), host());
        let links = Links { guest: String::new(), confirm: String::new(), host: String::new(), meeting: String::new() };
        let occasion = Occasion::new(&booking, &host, message, &payload, links);
        Part::read(&String::from_utf8(booking_message(&occasion, &sender()).unwrap().formatted()).unwrap())
    };
    let proposal = Says::Proposes(at("2026-12-02T15:00:00Z"), at("2026-12-02T15:30:00Z"));
    let message = told(Message::HostProposal, proposal);
    assert_eq!(message.headers["message-id"], "<0193-uid.3.host-proposal.1795541400@meet.example.edu>");
    for said in [
        "When: Tuesday 1 December 2026",
        "Proposed: Wednesday 2 December 2026",
        "16:00–16:30 (Berlin, UTC+1)",
        "For the guest: 10:00–10:30 (New York, UTC−5)",
        "Comment: A day",
    ] {
        assert!(message.content.contains(said), "no {said} in {}", message.content);
    }
    let message = told(Message::HostDelegated, Says::Delegated("charles@example.org".to_owned()));
    assert!(message.content.contains("Instead: charles@example.org"), "{}", message.content);
}

/// Also how to look at them: `cargo test every_mail_is_written` leaves each as HTML and as text in target/mails.
#[test]
fn every_mail_is_written_in_every_language_and_says_both_clocks_but_where_the_address_is_unknown() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/mails");
    for language in Language::ALL {
        let folder = folder.join(language.tag());
        std::fs::create_dir_all(&folder).unwrap();
        super::sample::letters(*language, |letter, occasion| {
            let (html, text) = (letter.html().unwrap(), letter.text());
            std::fs::write(folder.join(format!("{}.html", letter.kind)), &html).unwrap();
            std::fs::write(folder.join(format!("{}.txt", letter.kind)), &text).unwrap();
            assert!(html.contains(&format!("<html lang=\"{language}\">")) && !html.contains("{{"), "{html}");
            if !["test", "confirm-address", "desk-link"].contains(&letter.kind) {
                assert!(text.contains("(New York, UTC−5)") && html.contains("(New\u{a0}York,\u{a0}UTC−5)"), "{text}");
            }
            if occasion.is_some() {
                assert!(text.contains("Berlin, UTC+1"), "{text}");
            }
        });
    }
}

fn templates(files: &[(&str, &str)]) -> (tempfile::TempDir, Templates) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let templates = Templates::new(Some(folder.path().to_owned()));
    (folder, templates)
}

/// Text and HTML of an invitation in English.
fn with_templates(templates: &Templates) -> (String, String) {
    let (booking, host) = (booking(), host());
    let links = Links { guest: "https://meet/G".into(), confirm: "C".into(), host: "H".into(), meeting: "M".into() };
    let occasion = Occasion::new(&booking, &host, Message::Invitation, &payload(Message::Invitation), links);
    let sender = Sender { templates: templates.clone(), ..sender() };
    let message = Part::read(&String::from_utf8(booking_message(&occasion, &sender).unwrap().formatted()).unwrap());
    let [plain, html, _] = message.parts[0].parts.as_slice() else { panic!() };
    (plain.content.clone(), html.content.clone())
}

#[test]
fn the_nearest_template_is_used_and_a_change_of_it_at_once() {
    let (folder, templates) = templates(&[
        ("letter.html", "<p>any</p>"),
        (
            "invitation.html",
            "{% extends \"_base.html\" %}{% block text %}{{ guest.name }} {{ guest.note }}{% endblock %}",
        ),
        ("_base.html", "<i>{% block text %}{% endblock %}</i>"),
        ("fr/letter.txt", "français {{ subject }}"),
    ]);
    assert_eq!(templates.check(), Vec::<String>::new());
    let (text, html) = with_templates(&templates);
    assert!(
        html.starts_with("<i>Ada Lovelace Two lines:") && html.contains("this one &lt;b&gt;bold&lt;"),
        "escaped: {html}"
    );
    assert!(text.contains("You are booked"), "ours, for nobody wrote one in English: {text}");
    std::fs::create_dir(folder.path().join("en")).unwrap();
    std::fs::write(folder.path().join("en/invitation.txt"), "{{ booking.when.date }} {{ links[0].url }}").unwrap();
    assert_eq!(with_templates(&templates).0, "Tuesday 1 December 2026 https://meet/G");
}

#[test]
fn a_template_that_fails_is_named_with_its_line_and_ours_goes_out() {
    let (_folder, templates) = templates(&[
        ("invitation.html", "<p>\n{{ gest.name }}</p>"),
        ("moved.html", "{% for x in range(100000) %}{% for y in range(100000) %}{{ y }}{% endfor %}{% endfor %}"),
        ("cancelled.txt", "line\n\n{% if %}"),
        ("declined.html", "{% include \"../secret\" %}"),
        ("inviatation.txt", "x"),
    ]);
    let mistakes = templates.check().join("\n");
    for named in
        ["invitation.html:2: undefined value", "moved.html:1: ", "cancelled.txt:3: syntax error", "declined.html:1: "]
    {
        assert!(mistakes.contains(named), "no {named:?} in:\n{mistakes}");
    }
    assert!(mistakes.contains("inviatation.txt is never used"), "{mistakes}");
    assert_eq!(mistakes.lines().count(), 5, "{mistakes}");
    assert_eq!(with_templates(&templates), with_templates(&Templates::default()));
    assert_eq!(Templates::new(Some("/nowhere/at/all".into())).check().len(), 1);
}

#[test]
fn the_template_to_begin_with_looks_as_ours_does() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/mail");
    let sample = Templates::new(Some(folder));
    assert_eq!(sample.check(), Vec::<String>::new());
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").replace("> <", "><");
    // Both write the same characters, by other references.
    let plain = |text: &str| squeezed(text).replace("&#38;", "&amp;").replace("&#x2f;", "/").replace("&#x27;", "&#39;");
    let ours = with_templates(&Templates::default());
    let theirs = with_templates(&sample);
    assert_eq!(plain(&theirs.1), plain(&ours.1));
    assert_eq!(squeezed(&theirs.0), squeezed(&ours.0));
}
