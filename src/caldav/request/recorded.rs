//! What seven servers answered, read by the requests that asked: `fixtures/caldav/SERVER/NAME.http` is a request line, then the answer
//! as it came, with three events (`a%40b.ics`, `c.ics`, `gone.ics`) in a calendar `office`.

use super::*;
use crate::caldav::{Deleted, Href};
use reqwest::header::{HeaderName, HeaderValue};

const SERVERS: [&str; 7] = ["radicale", "xandikos", "cyrus", "davical", "sogo", "sabredav", "calypso"];

/// An answer in `fixtures/caldav`; the account is at the server that was asked.
pub(super) fn recorded(server: &str, name: &str) -> Answer {
    let path = format!("{}/fixtures/caldav/{server}/{name}.http", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    }
    let here: Url = "http://127.0.0.1:5232/".parse().unwrap();
    let url = here.join(path).unwrap();
    let account = url.join("/").unwrap();
    let body = bytes[end + 2..].to_vec();
    Answer { operation: "read a recorded answer", url, account, by_token: false, status, headers, body }
}

/// Where the calendar `office` is.
fn office(server: &str) -> Href {
    Href::new(recorded(server, "list").url.path())
}

pub(super) fn names<'a>(hrefs: impl IntoIterator<Item = &'a Href>) -> Vec<String> {
    let mut names: Vec<String> = hrefs.into_iter().map(Href::name).collect();
    names.sort();
    names
}

#[test]
fn every_root_names_the_principal_and_every_principal_its_home() {
    for (server, principal, home, address) in [
        ("radicale", "/prof/", "/prof/", "/prof/"),
        ("xandikos", "/prof/", "/prof/calendars/", ""),
        ("cyrus", "/dav/principals/user/prof/", "/dav/calendars/user/prof/", "mailto:prof@localhost"),
        ("davical", "/caldav.php/prof/", "/caldav.php/prof/", "mailto:prof@example.org"),
        ("sogo", "/SOGo/dav/prof/", "/SOGo/dav/prof/Calendar/", "mailto:prof@example.org"),
        ("sabredav", "/principals/prof/", "/calendars/prof/", "mailto:prof@example.org"),
        ("calypso", "/prof", "/prof", "/prof"),
    ] {
        let root = FindHome.read(&recorded(server, "root")).unwrap();
        assert_eq!(root.principal, Some(Href::new(principal)), "{server}");
        let found = FindHome.read(&recorded(server, "principal")).unwrap();
        assert_eq!(found.homes, [Href::new(home)], "{server}");
        assert_eq!(found.addresses.first().map_or("", String::as_str), address, "{server}");
    }
}

#[test]
fn cyrus_keeps_availability_on_the_inbox() {
    let text = Availability.read(&recorded("cyrus", "availability")).unwrap().unwrap();
    assert!(text.starts_with("BEGIN:VCALENDAR") && text.contains("BEGIN:VAVAILABILITY"), "{text}");
}

#[test]
fn every_home_lists_its_calendars_and_nothing_else() {
    for (server, expected) in [
        ("radicale", &["office"] as &[&str]),
        ("xandikos", &["calendar", "office"]),
        ("cyrus", &["Default", "office"]),
        ("davical", &["calendar", "office"]),
        ("sogo", &["office", "personal"]),
        ("sabredav", &["office"]),
        ("calypso", &["calendar", "office"]),
    ] {
        let mailboxes = FindHome.read(&recorded(server, "principal")).unwrap().mailboxes;
        let calendars = ListCalendars::Home.read(&recorded(server, "home"), &mailboxes).unwrap();
        assert_eq!(names(calendars.iter().map(|calendar| &calendar.href)), expected, "{server}");
        for calendar in calendars {
            assert!(calendar.vevent && !calendar.transparent && !calendar.subscribed, "{server}");
            assert_eq!(calendar.writable, Some(true), "{server}");
            assert!(calendar.ctag.is_some(), "{server}");
            assert_eq!(calendar.supports_sync, !["sabredav", "calypso"].contains(&server), "{server}");
        }
    }
}

#[test]
fn a_first_sync_and_a_list_name_the_same_events_with_the_same_versions() {
    for server in SERVERS {
        let calendar = office(server);
        let mut listed = ListMembers { calendar: &calendar }.read(&recorded(server, "list")).unwrap();
        assert!(listed.iter().all(|member| member.etag.is_some()), "{server}");
        let page = SyncCollection { calendar: &calendar, since: None }.read(&recorded(server, "sync-first")).unwrap();
        match page {
            Page::Changes { mut changed, more, .. } => {
                listed.sort_by(|a, b| a.href.cmp(&b.href));
                changed.sort_by(|a, b| a.href.cmp(&b.href));
                assert_eq!(changed, listed, "{server}");
                assert_eq!(
                    names(changed.iter().map(|member| &member.href)),
                    ["a@b.ics", "c.ics", "gone.ics"],
                    "{server}"
                );
                assert!(!more);
            }
            Page::Refused => assert!(["sabredav", "calypso"].contains(&server), "{server}"),
        }
    }
}

#[test]
fn a_deletion_is_named_by_the_next_sync_and_a_bad_token_is_refused_or_answered_with_everything() {
    for server in ["radicale", "xandikos", "cyrus", "davical", "sogo"] {
        let calendar = office(server);
        let token = crate::caldav::SyncToken::new("known");
        let request = SyncCollection { calendar: &calendar, since: token.as_ref() };
        let Page::Changes { removed, .. } = request.read(&recorded(server, "sync-delta")).unwrap() else {
            panic!("{server}")
        };
        assert_eq!(names(&removed), ["gone.ics"], "{server}");
        let refuses = matches!(request.read(&recorded(server, "sync-bad-token")).unwrap(), Page::Refused);
        assert_eq!(refuses, ["radicale", "xandikos", "cyrus"].contains(&server), "{server}");
    }
}

#[test]
fn a_multiget_tells_found_from_missing_or_leaves_it_out() {
    for (server, found, gone) in
        [("radicale", 2, 1), ("xandikos", 2, 1), ("cyrus", 2, 1), ("davical", 2, 0), ("sogo", 2, 1), ("calypso", 0, 0)]
    {
        let calendar = office(server);
        let hrefs = ["a@b.ics", "c.ics", "missing.ics"].map(|name| calendar.child(name));
        let got = Multiget { hrefs: &hrefs }.read(&recorded(server, "multiget")).unwrap();
        assert_eq!((got.objects.len(), got.gone.len()), (found, gone), "{server}");
        for object in got.objects {
            assert!(object.etag.is_some(), "{server}");
            let text = String::from_utf8(object.data).unwrap();
            assert!(text.starts_with("BEGIN:VCALENDAR") && text.contains("Kaffee & <Kuchen> für fixture-"), "{server}");
        }
    }
    let sabredav = Multiget { hrefs: &[] }.read(&recorded("sabredav", "multiget")).unwrap_err();
    assert_eq!(sabredav.kind(), &ErrorKind::NotFound);
}

#[test]
fn a_write_that_loses_is_told_apart_by_what_lost() {
    let create = |server, name| Create { data: "" }.read(&recorded(server, name));
    for server in SERVERS {
        let stale = Update { etag: ETag::new("stale").as_ref(), data: "" }.read(&recorded(server, "update-stale"));
        match create(server, "create-again") {
            Ok(stored) => assert!(server == "calypso" || (server == "sogo" && stored.replaced), "{server}"),
            Err(error) => assert_eq!(error.kind(), &ErrorKind::PreconditionFailed, "{server}"),
        }
        match stale {
            Ok(_) => assert_eq!(server, "calypso"),
            Err(error) => assert_eq!(error.kind(), &ErrorKind::PreconditionFailed, "{server}"),
        }
        match create(server, "create-same-uid") {
            Ok(_) => assert!(["davical", "sabredav", "calypso"].contains(&server), "{server}"),
            Err(error) if server == "sogo" => assert_eq!(error.kind(), &ErrorKind::Conflict),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::UidConflict { .. }), "{server}: {error}"),
        }
        let deleted = Delete { etag: None }.read(&recorded(server, "delete")).unwrap();
        assert_eq!(deleted, if server == "calypso" { Deleted::AlreadyGone } else { Deleted::Deleted }, "{server}");
    }
}

#[test]
fn a_calendar_that_is_gone_is_never_an_empty_one() {
    for server in SERVERS {
        let error =
            ListMembers { calendar: &Href::new("/x/") }.read(&recorded(server, "missing-calendar")).unwrap_err();
        let expected = if server == "calypso" { ErrorKind::BadAnswer } else { ErrorKind::NotFound };
        assert_eq!(error.kind(), &expected, "{server}");
    }
}

#[test]
fn one_event_is_read_with_its_version() {
    for server in SERVERS {
        let href = office(server).child("c.ics");
        let object = Get { href: &href }.read(&recorded(server, "get")).unwrap();
        match object {
            None => assert_eq!(server, "calypso"),
            Some(object) => {
                let listed = ListMembers { calendar: &office(server) }.read(&recorded(server, "list")).unwrap();
                let member = listed.into_iter().find(|member| member.href == href).unwrap();
                assert_eq!(object.etag, member.etag, "{server}");
            }
        }
    }
}
