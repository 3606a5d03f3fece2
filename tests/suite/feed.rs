//! The feed, as subscribers get it: read by three independent parsers, and HTTP as RFC 9110 has it.

use crate::story::meeting_at;
use crate::support::{Answer, Config, Daemon, Day, Meeting, Server, check, need, node, python, stamp};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A host with two meeting types, one of whose titles needs escaping and folding.
async fn daemon(server: &Server) -> Daemon {
    let calendar = server.calendar("feed").await;
    calendar.put("secret.ics", &meeting_at("Secret; oncologist", Day::ahead(3), "09:00", "10:00")).await;
    let location = format!("Räume 2,12; Flügel – gegenüber dem Hörsaal, dritte Tür, 東京 {}", "🚪".repeat(40));
    let office_hour = Meeting { location, ..Meeting::new("office-hour", "30m", "30m") };
    let config = Config::new(&calendar).meetings([office_hour, Meeting::new("thesis", "45m", "15m")]);
    Daemon::start(config).await
}

fn save(daemon: &Daemon, name: &str, answer: &Answer) -> PathBuf {
    let path = daemon.folder().join(name);
    std::fs::write(&path, &answer.body).unwrap();
    path
}

fn libical(file: &Path) -> Option<String> {
    let checker = need("OFFICEHOURS_TEST_LIBICAL", std::env::var_os("OFFICEHOURS_TEST_LIBICAL"))?;
    Some(check(Command::new(checker), file))
}

#[tokio::test]
async fn three_parsers_read_the_feed_without_a_complaint_and_see_the_slots() {
    let Some(server) = Server::radicale() else { return };
    let daemon = daemon(&server).await;
    let (from, to) = (Day::ahead(0).window().0, Day::ahead(20).window().1);
    let mut expected = Vec::new();
    for meeting in ["office-hour", "thesis"] {
        let path = format!("/api/v1/hosts/noether/meetings/{meeting}/slots?from={from}&to={to}");
        let offer = daemon.get(&path).await.expect(200);
        let slots = offer["slots"].as_array().unwrap().iter();
        expected.extend(slots.map(|slot| (slot["start"].clone(), slot["end"].clone())));
    }
    expected.sort_by_key(|(start, end)| (start.to_string(), end.to_string()));
    assert!(expected.len() > 100);

    let feed = daemon.get("/noether.ics").await;
    let file = save(&daemon, "feed.ics", &feed);
    let times = |events: &Value| {
        let mut times: Vec<(Value, Value)> = Vec::new();
        for event in events.as_array().unwrap() {
            let plain = |key: &str| json!(event[key].as_str().unwrap().replace(".000Z", "Z"));
            times.push((plain("start"), plain("end")));
        }
        let starts: Vec<String> = times.iter().map(|(start, _)| start.to_string()).collect();
        assert!(starts.is_sorted(), "sorted by start");
        times.sort_by_key(|(start, end)| (start.to_string(), end.to_string()));
        times
    };

    let seen: Value = serde_json::from_str(&check(python("feed.py").unwrap(), &file)).unwrap();
    assert_eq!(times(&seen["events"]), expected, "icalendar");
    let Some(script) = node("feed.js") else { return };
    let by_icaljs: Value = serde_json::from_str(&check(script, &file)).unwrap();
    assert_eq!(times(&by_icaljs["events"]), expected, "ical.js");
    let Some(by_libical) = libical(&file) else { return };
    assert_eq!(by_libical.trim(), format!("events {}", expected.len()), "libical");

    for (name, value) in [("METHOD", "PUBLISH"), ("VERSION", "2.0"), ("X-WR-TIMEZONE", "Europe/Berlin")] {
        assert_eq!(seen["calendar"][name], value, "{name}");
    }
    for name in ["PRODID", "NAME", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL", "SOURCE"] {
        assert!(seen["calendar"].get(name).is_some(), "{name} in {}", seen["calendar"]);
    }
    let mut uids = Vec::new();
    for event in seen["events"].as_array().unwrap() {
        let url = event["url"].as_str().unwrap();
        let start = event["start"].as_str().unwrap();
        assert!(url.ends_with(&format!("/{start}")), "{url} leads to {start}");
        assert!(
            event["description"].as_str().unwrap().lines().any(|line| line == url),
            "the link on a line of its own"
        );
        assert_eq!(event["components"], json!([]), "no alarm");
        let properties: Vec<&str> = event["properties"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for present in ["UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"] {
            assert!(properties.contains(&present), "{present} in {properties:?}");
        }
        for absent in ["ATTENDEE", "ORGANIZER", "DURATION"] {
            assert!(!properties.contains(&absent), "{absent} in {properties:?}");
        }
        uids.push(event["uid"].to_string());
    }
    uids.sort();
    uids.dedup();
    assert_eq!(uids.len(), expected.len(), "each slot has a UID of its own");

    // A link leads to a page, and following it changes nothing.
    let link = seen["events"][0]["url"].as_str().unwrap();
    let path = link.strip_prefix(&daemon.url("")).unwrap();
    assert_eq!(daemon.get(path).await.status, 200);
    assert_eq!(daemon.get("/noether.ics").await.body, feed.body);
}

#[tokio::test]
async fn the_feed_of_one_meeting_type_has_its_slots_alone() {
    let Some(server) = Server::radicale() else { return };
    let daemon = daemon(&server).await;
    let feed = daemon.get("/noether/thesis.ics").await.text();
    let whole = daemon.get("/noether.ics").await.text();
    let count = |text: &str, what: &str| text.matches(what).count();
    assert!(count(&feed, "BEGIN:VEVENT") > 0);
    assert!(count(&feed, "BEGIN:VEVENT") < count(&whole, "BEGIN:VEVENT"));
    let unfolded = feed.replace("\r\n ", "");
    assert!(!unfolded.contains("/noether/office-hour/"), "{unfolded}");
}

#[tokio::test]
async fn the_bytes_are_clean_and_the_same_over_two_polls() {
    let Some(server) = Server::radicale() else { return };
    let daemon = daemon(&server).await;
    let first = daemon.get("/noether.ics").await;
    assert_eq!(first.header("content-type"), "text/calendar; charset=utf-8");
    assert!(first.headers.get("content-encoding").is_none());
    let text = first.text();
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    for line in text.split_terminator("\r\n") {
        assert!(!line.contains(['\r', '\n']), "a bare line break: {line:?}");
        assert!(line.len() <= 75, "{} octets: {line:?}", line.len());
        assert!(!line.ends_with([' ', '\t']), "a blank at the end: {line:?}");
        assert!(!line.is_empty());
    }
    for secret in ["oncologist", "Secret"] {
        assert!(!text.replace("\r\n ", "").contains(secret));
    }
    daemon.wait_two_polls().await;
    let second = daemon.get("/noether.ics").await;
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("etag"), second.header("etag"));
    assert_eq!(first.header("last-modified"), second.header("last-modified"));
    let gzip = daemon.get_with("/noether.ics", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(gzip.body, first.body, "uncompressed, whoever asks");
}

#[tokio::test]
async fn conditional_requests_are_answered_as_rfc_9110_has_it() {
    let Some(server) = Server::radicale() else { return };
    let daemon = daemon(&server).await;
    for path in ["/noether.ics", "/noether/thesis.ics", "/noether/freebusy.ifb"] {
        let whole = daemon.get(path).await;
        assert_eq!(whole.status, 200, "{path}");
        let (etag, modified) = (whole.header("etag").to_owned(), whole.header("last-modified").to_owned());
        assert!(etag.starts_with('"') && etag.len() > 2, "a strong ETag: {etag}");
        assert!(modified.ends_with(" GMT"), "{modified}");

        let list = format!("\"other\", {etag}");
        let weak = format!("W/{etag}");
        for value in [etag.as_str(), &list, &weak, "*"] {
            let answer = daemon.get_with(path, &[("if-none-match", value)]).await;
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{path} If-None-Match: {value}");
            assert_eq!(answer.header("etag"), etag);
        }
        let old = "Thu, 01 Jan 2015 00:00:00 GMT";
        for (headers, status) in [
            (vec![("if-none-match", "\"other\"")], 200),
            (vec![("if-modified-since", modified.as_str())], 304),
            (vec![("if-modified-since", old)], 200),
            (vec![("if-modified-since", "yesterday")], 200),
            (vec![("if-none-match", "\"other\""), ("if-modified-since", modified.as_str())], 200),
            (vec![("if-none-match", etag.as_str()), ("if-modified-since", old)], 304),
            (vec![("authorization", "Bearer volunteered")], 200),
        ] {
            let answer = daemon.get_with(path, &headers).await;
            assert_eq!(answer.status, status, "{path} {headers:?}");
        }
        let head = daemon.request("HEAD", path).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        for name in ["etag", "last-modified", "content-type", "content-length"] {
            assert_eq!(head.header(name), whole.header(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_changed_slot_changes_the_feed_and_keeps_the_other_uids() {
    let Some(server) = Server::radicale() else { return };
    let daemon = daemon(&server).await;
    let before = daemon.get("/noether/office-hour.ics").await;
    let day = Day::ahead(4);
    daemon.book_confirmed("office-hour", day.at("10:00"), "Ada Lovelace").await;
    let after = daemon.get("/noether/office-hour.ics").await;
    assert_ne!(before.header("etag"), after.header("etag"));
    assert!(!after.text().contains(&format!("DTSTART:{}", stamp(day.at("10:00")))));
    assert!(!after.text().contains("Ada"), "never a guest's name");
    let uids = |answer: &Answer| -> Vec<String> {
        let text = answer.text().replace("\r\n ", "");
        text.lines().filter(|line| line.starts_with("UID:")).map(str::to_owned).collect()
    };
    let (before, after) = (uids(&before), uids(&after));
    assert_eq!(after.len(), before.len() - 1);
    assert!(after.iter().all(|uid| before.contains(uid)));
}

#[tokio::test]
async fn free_busy_is_one_component_of_merged_periods_and_nothing_else() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("ifb").await;
    calendar.put("a.ics", &meeting_at("Secret a", day, "09:00", "10:00")).await;
    calendar.put("b.ics", &meeting_at("Secret b", day, "10:00", "10:30")).await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let answer = daemon.get("/noether/freebusy.ifb").await;
    assert_eq!(answer.status, 200);
    let file = save(&daemon, "busy.ifb", &answer);
    let seen: Value = serde_json::from_str(&check(python("feed.py").unwrap(), &file)).unwrap();
    assert_eq!(seen["components"], json!(["VFREEBUSY"]));
    assert!(seen["calendar"].get("METHOD").is_none());
    assert_eq!(seen["busy"], json!([[day.at("09:00").to_string(), day.at("10:30").to_string()]]));
    assert!(!answer.text().contains("Secret"));
    assert!(libical(&file).is_some());
}
