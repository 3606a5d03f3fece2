//! Who is told what by mail: the real daemon, a real mail server, each message read by independent programs.
//!
//! What invitations have to be (RFC 5546, RFC 6047, and what mail programs need beyond), and the tests that hold them to it:
//!
//! | rule | test |
//! |---|---|
//! | one invitation path: nothing on the stored event that a server would mail about | `ical::write::event::tests::the_event_of_a_booking_has_no_method_organizer_or_attendee` |
//! | the host gets no calendar part, for the event is in their calendar | `mail::tests::the_host_reads_who_comes_in_a_plain_text_and_no_guest_reads_the_hosts_link` |
//! | the UID of the stored event; the same in every message; both copies of the calendar identical; no line broken | the whole life, below; `tests/python/mail.py` |
//! | mixed{alternative{plain, html, calendar}, invite.ics}; `method=` equals METHOD, which is before VEVENT | the whole life; `mail::tests::an_invitation_has_text_html_and_the_calendar_and_the_calendar_again` |
//! | TZID with its VTIMEZONE, ORGANIZER, ATTENDEE with CUTYPE, ROLE, PARTSTAT, RSVP, STATUS, LOCATION, URL, CREATED, LAST-MODIFIED | `mail::tests::the_calendar_says_what_the_booking_was_when_the_message_was_decided` |
//! | ATTENDEE is the very address mailed, as the guest spelled it | `tests/python/mail.py` |
//! | a neutral subject, the same in each message of one time | the whole life |
//! | never PUBLISH by mail | the whole life: METHOD is REQUEST or CANCEL |
//! | From is the service, Reply-To the host; ORGANIZER the service with the host's name, or the host with SENT-BY | the whole life; `mail::tests::a_host_who_is_the_organizer_has_the_service_send_for_them` |
//! | ORGANIZER to the letter the same in every message | the whole life; `mail::tests::a_cancel_takes_back_what_was_sent_and_only_that` |
//! | Auto-Submitted, no List-*, Message-ID in our domain, References for the thread | `tests/python/mail.py`; `mail::tests::an_invitation_has_text_html_and_the_calendar_and_the_calendar_again` |
//! | SEQUENCE from 0, higher with each change of time and the cancel; DTSTAMP never earlier | the whole life; `booking::transition::tests::every_change_of_time_raises_the_sequence` |
//! | a new time is a REQUEST with NEEDS-ACTION, never CANCEL and a new UID | the whole life |
//! | CANCEL with UID, ORGANIZER, ATTENDEE, times, SUMMARY, STATUS:CANCELLED; calendars do remove it | the whole life, with Evolution |
//! | in order, each once; a retry is the same message to the byte | `mail_clock::an_hour_without_the_mail_server_loses_nothing_doubles_nothing_and_keeps_the_order`; `mail::tests::a_message_that_is_sent_again_is_the_same_to_the_byte` |
//! | a guest's DECLINED asks for a cancel, by a link, once, and only the guest's | `mail_clock::a_guest_whose_calendar_declines_is_asked_once_and_the_booking_stays`; by mail `replies::a_guest_who_declines_by_mail_is_asked_once_and_the_mailbox_stays_as_it_is` |
//! | REPLY: by UID and ATTENDEE, without ORGANIZER, as Google, Outlook, Apple and Thunderbird write it; only from the guest's address | `mail::reply::tests`; `booking::transition::tests::an_answer_counts_only_from_the_guest_and_for_the_invitation_that_stands` |
//! | COUNTER is shown to the host, REFRESH sends the invitation again, others do nothing | `mail::reply::tests`; `booking::transition::tests::what_a_guest_proposes_moves_nothing_and_the_host_hears_of_it_a_few_times_at_most` |

use crate::support::{
    Config, Daemon, Day, Meeting, ON_THE_SERVER, Server, Smtp, eventually, evolution, officehours, token,
};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

/// What INTERFACE promises for a message after the event is on the server.
const TOLD: Duration = Duration::from_secs(60);

/// Books for a guest who sees New York's clock.
async fn book(daemon: &Daemon, meeting: &str, start: jiff::Timestamp) -> Value {
    let body = json!({
        "start": start.to_string(), "name": "Ada Lovelace", "email": "Ada.Lovelace@example.org", "note": "",
        "time_zone": "America/New_York", "answers": {}
    });
    daemon.post_json(&Daemon::bookings_path(meeting), &body).await.expect(201)
}

/// The messages to the guest.
fn to_guest(messages: &[Value]) -> Vec<&Value> {
    messages.iter().filter(|message| message["headers"]["x-rcptto"] == "Ada.Lovelace@example.org").collect()
}

#[tokio::test]
async fn the_whole_life_of_a_booking_is_told_once_and_in_order() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("mail").await;
    let daemon = Daemon::start(Config { more: smtp.section(), ..Config::new(&calendar) }).await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"]).await;

    let booking = book(&daemon, "office-hour", day.at("10:00")).await;
    let token = token(&booking);
    daemon.wait_state(&token, "confirmed").await;
    let messages = smtp.messages(2, TOLD).await;
    let [invitation, to_host] = messages.as_slice() else { panic!() };
    assert_eq!(
        invitation["shape"],
        json!([
            "multipart/mixed",
            [["multipart/alternative", ["text/plain", "text/html", "text/calendar"]], "application/ics"]
        ])
    );
    let header = |message: &Value, name: &str| message["headers"][name].as_str().unwrap().to_owned();
    assert_eq!(header(invitation, "from"), "Office hours <office@meet.example.edu>");
    assert_eq!(header(invitation, "x-mailfrom"), "office@meet.example.edu");
    assert_eq!(header(invitation, "to"), "Ada.Lovelace@example.org");
    assert_eq!(header(invitation, "reply-to"), "Emmy Noether <noether@example.edu>");
    assert_eq!(header(invitation, "auto-submitted"), "auto-generated");
    assert_eq!(header(invitation, "subject"), format!("Office hour, {}", day.0.strftime("%A %-d %B %Y")));
    let first = &invitation["event"];
    let stored = &calendar.events().await[0];
    assert_eq!((&first["uid"], &first["start"], &first["end"]), (&stored["uid"], &booking["start"], &booking["end"]));
    assert_eq!(
        (&first["method"], &first["status"], &first["sequence"]),
        (&json!("REQUEST"), &json!("CONFIRMED"), &json!(0))
    );
    assert_eq!((&first["zone"], &first["location"]), (&json!("Europe/Berlin"), &json!("Room 2.12")));
    assert_eq!(first["organizer"], json!(["mailto:office@meet.example.edu", "Emmy Noether"]));
    assert_eq!((&first["attendee"]["PARTSTAT"], &first["attendee"]["RSVP"]), (&json!("NEEDS-ACTION"), &json!("TRUE")));
    assert_eq!(first["url"], booking["manage_url"]);
    for body in ["text", "html"] {
        let body = invitation[body].as_str().unwrap().replace('\u{a0}', " ");
        assert!(body.contains("(Berlin, UTC") && body.contains("(New York, UTC−"), "both clocks: {body}");
        assert!(body.contains(booking["manage_url"].as_str().unwrap()), "{body}");
    }
    assert_eq!(
        (header(to_host, "to"), to_host["shape"].clone()),
        ("Emmy Noether <noether@example.edu>".to_owned(), json!("text/plain"))
    );
    assert_eq!(header(to_host, "reply-to"), "Ada Lovelace <Ada.Lovelace@example.org>");
    assert!(!to_host["text"].as_str().unwrap().contains(&token), "the guest's secret is not the host's");

    // The guest moves it, then the host does, in the calendar; then it is called off.
    let to = json!({"start": day.at("11:00").to_string()});
    daemon.post_json(&format!("/api/v1/bookings/{token}/move"), &to).await.expect(200);
    smtp.messages(4, TOLD).await;
    calendar.move_event(first["uid"].as_str().unwrap(), day.at("09:15"), day.at("09:45")).await;
    smtp.messages(5, TOLD).await;
    daemon.cancel(&token).await.expect(200);
    let messages = smtp.messages(7, TOLD).await;
    let events: Vec<&Value> = to_guest(&messages).iter().map(|message| &message["event"]).collect();
    let said: Vec<_> =
        events.iter().map(|event| (event["method"].as_str().unwrap(), event["start"].as_str().unwrap())).collect();
    let at = |time: &str| day.at(time).to_string();
    let expected =
        [("REQUEST", at("10:00")), ("REQUEST", at("11:00")), ("REQUEST", at("09:15")), ("CANCEL", at("09:15"))];
    assert_eq!(said, expected.each_ref().map(|(method, start)| (*method, start.as_str())));
    assert_eq!(events[3]["status"], "CANCELLED");
    for pair in events.windows(2) {
        assert!(pair[1]["sequence"].as_u64() > pair[0]["sequence"].as_u64(), "{pair:?}");
        assert!(pair[1]["stamp"].as_str() >= pair[0]["stamp"].as_str(), "{pair:?}");
        assert_eq!((&pair[1]["uid"], &pair[1]["organizer"]), (&pair[0]["uid"], &pair[0]["organizer"]), "to the letter");
    }
    let ids: std::collections::HashSet<String> = messages.iter().map(|message| header(message, "message-id")).collect();
    assert_eq!(ids.len(), 7, "every message has a name of its own");
    let download = daemon.get(&format!("/b/{token}/invitation.ics")).await.text();
    assert!(download.replace("\r\n ", "").contains("mailto:office@meet.example.edu"), "the same ORGANIZER: {download}");
    daemon.wait_two_polls().await;
    assert_eq!(smtp.raw().len(), 7, "nobody is told twice");

    // The guest's program ends with what it should, by its own rules.
    let files: Vec<_> =
        smtp.files().into_iter().zip(&messages).filter(|(_, message)| !message["event"].is_null()).collect();
    let files: Vec<_> = files.into_iter().map(|(file, _)| file).collect();
    let Some(calendars) = evolution(&files) else { return };
    let local = |time: &str| format!("{}T{}00", day.0.strftime("%Y%m%d"), time.replace(':', ""));
    for (calendar, (start, sequence)) in calendars.iter().zip([("10:00", 0), ("11:00", 1), ("09:15", 2)]) {
        let [event] = calendar.as_array().unwrap().as_slice() else { panic!("one event, not {calendar}") };
        assert_eq!((&event["uid"], &event["start"]), (&first["uid"], &json!(local(start))));
        assert_eq!((&event["sequence"], &event["summary"]), (&json!(sequence), &json!("Office hour: Emmy Noether")));
    }
    assert_eq!(calendars[3], json!([]), "the cancel took it away");
}

#[tokio::test]
async fn an_address_is_confirmed_by_the_link_in_the_mail_and_by_nothing_else() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("confirm").await;
    let meeting = Meeting::new("office-hour", "30m", "30m").with("confirm = \"email\"");
    let daemon = Daemon::start(Config { more: smtp.section(), ..Config::new(&calendar).meetings([meeting]) }).await;
    let booking = book(&daemon, "office-hour", day.at("10:00")).await;
    assert_eq!(booking["state"], "awaiting-email");
    let token = token(&booking);
    let messages = smtp.messages(1, TOLD).await;
    let text = messages[0]["text"].as_str().unwrap();
    assert!(messages[0]["event"].is_null() && !messages[0].to_string().contains("Lovelace,"));
    assert!(!text.contains("Ada") && !text.contains(&token), "{text}");
    let link = text.split_whitespace().find(|word| word.ends_with("/confirm")).expect("a link");
    let path = link.strip_prefix(&daemon.url("")).expect("the link is on the public URL").to_owned();

    // What everybody who books is given does not confirm.
    let own = format!("/b/{token}/confirm");
    assert_eq!(daemon.get(&own).await.status, 404);
    assert_eq!(daemon.post_form(&own, &[("confirm", "yes")]).await.status, 404);
    // Nor does a robot that follows the link.
    let page = daemon.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains(&format!("action=\"{path}\"")));
    assert_eq!(daemon.booking(&token).await["state"], "awaiting-email");
    assert!(calendar.events().await.is_empty());

    let answer = daemon.post_form(&path, &[("confirm", "yes")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, format!("/b/{token}").as_str()));
    daemon.wait_state(&token, "confirmed").await;
    let messages = smtp.messages(3, TOLD).await;
    assert_eq!(to_guest(&messages)[1]["event"]["method"], "REQUEST");
    assert_eq!(daemon.post_form(&path, &[("confirm", "yes")]).await.status, 303, "again: the same answer");
}

#[tokio::test]
async fn a_booking_that_is_confirmed_after_the_host_took_its_time_lapses() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("too-late").await;
    let meeting = Meeting::new("office-hour", "30m", "30m").with("confirm = \"email\"");
    let config = Config { poll: "1h".to_owned(), more: smtp.section(), ..Config::new(&calendar).meetings([meeting]) };
    let daemon = Daemon::start(config).await;
    let booking = book(&daemon, "office-hour", day.at("10:00")).await;
    let messages = smtp.messages(1, TOLD).await;
    let text = messages[0]["text"].as_str().unwrap();
    let link = text.split_whitespace().find(|word| word.ends_with("/confirm")).expect("a link");
    calendar.add_event(&crate::story::meeting_at("faculty", day, "10:15", "11:00")).await;
    let path = link.strip_prefix(&daemon.url("")).unwrap();
    let answer = daemon.post_form(path, &[]).await;
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(daemon.booking(&token(&booking)).await["state"], "expired");
    assert_eq!(calendar.events().await.len(), 1, "the host's own");
    assert_eq!(daemon.post_form(path, &[]).await.status, 409, "again: it is closed");
}

#[tokio::test]
async fn while_the_mail_server_is_away_bookings_go_on_and_then_all_is_told_in_order() {
    let (Some(server), Some(mut smtp)) = (Server::radicale(), Smtp::stopped()) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("away").await;
    let mut daemon = Daemon::start(Config { more: smtp.section(), ..Config::new(&calendar) }).await;
    let booking = book(&daemon, "office-hour", day.at("10:00")).await;
    let token = token(&booking);
    daemon.wait_state(&token, "confirmed").await;
    assert_eq!(calendar.events().await.len(), 1, "the calendar does not wait for the mail");
    let to = json!({"start": day.at("11:00").to_string()});
    daemon.post_json(&format!("/api/v1/bookings/{token}/move"), &to).await.expect(200);
    daemon.wait_state(&token, "confirmed").await;
    daemon.cancel(&token).await.expect(200);
    eventually("the event is gone", ON_THE_SERVER, async || calendar.events().await.is_empty().then_some(())).await;
    eventually("the log says so", TOLD, async || daemon.log().contains("it will be tried again").then_some(())).await;
    assert!(!daemon.log().to_lowercase().contains("lovelace"), "no names and addresses in the log");
    assert!(daemon.terminate().success());

    // The first time, the connection is cut before the answer: the message comes again, the same to the byte.
    smtp.mode("cut");
    smtp.start_again(&[]).await;
    daemon.start_again().await;
    let messages = smtp.messages(7, Duration::from_secs(150)).await;
    let raw = smtp.raw();
    let twice = raw.iter().filter(|message| *message == &raw[0]).count();
    assert_eq!(twice, 2, "sent again after the cut, as the same message");
    let methods: Vec<_> = to_guest(&messages[1..]).iter().map(|message| message["event"]["method"].clone()).collect();
    assert_eq!(methods, ["REQUEST", "REQUEST", "CANCEL"]);
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_is_given_up_and_the_next_goes() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("refused").await;
    let daemon = Daemon::start(Config { more: smtp.section(), ..Config::new(&calendar) }).await;
    smtp.mode("refuse");
    let booking = book(&daemon, "office-hour", day.at("10:00")).await;
    daemon.wait_state(&token(&booking), "confirmed").await;
    let given_up = |count| {
        let log = daemon.log();
        (log.matches("A mail was given up").count() == count).then_some(log)
    };
    let log = eventually("both are given up", TOLD, async || given_up(2)).await;
    assert!(log.contains("550") && !log.to_lowercase().contains("lovelace"), "{log}");
    smtp.mode("");
    daemon.cancel(&token(&booking)).await.expect(200);
    let messages = smtp.messages(2, TOLD).await;
    assert_eq!(to_guest(&messages)[0]["event"]["method"], "CANCEL");
}

#[tokio::test]
async fn a_test_message_goes_by_tls_from_the_start_and_by_starttls_and_never_without() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("tls").await;
    let folder = tempfile::tempdir().unwrap();
    let check = |scheme: &str, port: u16, password: &str, trusted: Option<&std::path::Path>| {
        let mail = format!(
            "\n[mail]\nsmtp = \"{scheme}://office@localhost:{port}\"\npassword = \"{password}\"\nfrom = \"office@meet.example.edu\"\n"
        );
        let path = folder.path().join("officehours.toml");
        std::fs::write(&path, Config { more: mail, ..Config::new(&calendar) }.toml()).unwrap();
        let mut command = Command::new(crate::support::binary());
        command.arg("--config").arg(&path).args(["check", "--mail", "ada@example.org"]);
        if let Some(trusted) = trusted {
            command.env("SSL_CERT_FILE", trusted);
        }
        let output = command.current_dir(folder.path()).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    for (security, scheme) in [("tls", "smtps"), ("starttls", "smtp")] {
        let Some((smtp, certificate)) = Smtp::start_secure(security).await else { return };
        let (right, said) = check(scheme, smtp.port, "secret", Some(&certificate));
        assert!(right, "{said}");
        let messages = smtp.messages(1, TOLD).await;
        assert_eq!(messages[0]["headers"]["x-rcptto"], "ada@example.org");
        let (right, said) = check(scheme, smtp.port, "wrong", Some(&certificate));
        assert!(!right && said.contains("does not accept us"), "{said}");
        let (right, said) = check(scheme, smtp.port, "secret", None);
        assert!(!right && said.contains("does not accept us"), "a certificate that nobody vouches for: {said}");
        assert_eq!(smtp.raw().len(), 1);
    }
    // A server without STARTTLS gets nothing.
    let Some(smtp) = Smtp::start().await else { return };
    let (right, said) = check("smtp", smtp.port, "secret", None);
    assert!(!right && said.contains("STARTTLS"), "{said}");
    assert!(smtp.raw().is_empty());
    let output = officehours(&[
        "--config",
        folder.path().join("officehours.toml").to_str().unwrap(),
        "check",
        "--mail",
        "no address",
    ]);
    assert!(!output.status.success());
}
