//! The commands: what they print, and their exit status.

use crate::story::meeting_at;
use crate::support::{Calendar, Config, Daemon, Day, OwnServer, Server, event, officehours, token};
use serde_json::{Value, json};
use std::process::Output;

fn out(output: &Output) -> String {
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {error}", output.status);
    out.into_owned()
}

fn complaint(output: &Output, status: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert!(output.stdout.is_empty(), "data alone goes to standard output");
    assert!(!text.contains("panicked"), "{text}");
    text
}

/// A config file in a folder, with no daemon.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new(text: &str) -> File {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("officehours.toml"), text).unwrap();
        File { folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let path = self.folder.path().join("officehours.toml");
        let mut all = arguments.to_vec();
        all.extend(["--config", path.to_str().unwrap()]);
        officehours(&all)
    }
}

async fn calendar(prefix: &str, day: Day) -> Option<Calendar> {
    let server = Server::radicale()?;
    let calendar = server.calendar(prefix).await;
    calendar.put("lunch.ics", &meeting_at("lunch", day, "09:00", "10:00")).await;
    Some(calendar)
}

#[tokio::test]
async fn the_commands_work_without_a_daemon() {
    let day = Day::ahead(3);
    let Some(calendar) = calendar("cli", day).await else { return };
    let file = File::new(&Config::new(&calendar).toml());
    let (from, to) = day.window();
    let (from, to) = (from.to_string(), to.to_string());

    let synced = out(&file.run(&["sync"]));
    assert_eq!(synced.lines().count(), 1, "a line a calendar: {synced}");
    assert!(synced.contains(&calendar.name), "{synced}");
    out(&file.run(&["sync", "noether"]));

    let calendars = out(&file.run(&["calendars", "noether"]));
    let line = calendars.lines().find(|line| line.contains(&calendar.name));
    let path = format!("/prof/{}", calendar.name);
    assert!(line.is_some_and(|line| line.contains(&path)), "href and name: {calendars}");

    let busy: Value =
        serde_json::from_str(&out(&file.run(&["busy", "noether", "--from", &from, "--to", &to]))).unwrap();
    assert_eq!(busy["busy"], json!([[day.at("09:00").to_string(), day.at("10:00").to_string()]]));
    assert_eq!((&busy["from"], &busy["to"]), (&json!(from), &json!(to)));
    assert_eq!(busy["warnings"], json!([]));
    // Dates are local midnights of the host.
    let (date, next) = (day.0.to_string(), day.0.tomorrow().unwrap().to_string());
    let by_date = out(&file.run(&["busy", "noether", "--from", &date, "--to", &next]));
    assert_eq!(serde_json::from_str::<Value>(&by_date).unwrap(), busy);

    let slots = out(&file.run(&["slots", "noether/office-hour", "--from", &date, "--to", &next, "--json"]));
    let slots: Value = serde_json::from_str(&slots).unwrap();
    assert_eq!((&slots["host"], &slots["meeting"]), (&json!("noether"), &json!("office-hour")));
    assert_eq!(slots["time_zone"], "Europe/Berlin");
    assert!(slots["as_of"].is_string());
    let expected = json!({"start": day.at("10:00").to_string(), "end": day.at("10:30").to_string(), "seats_left": 1});
    assert_eq!(slots["slots"][0], expected);
    assert_eq!(slots["slots"].as_array().unwrap().len(), 4);
    let table = out(&file.run(&["slots", "noether/office-hour", "--from", &date, "--to", &next]));
    assert!(table.lines().count() >= 4 && table.contains("10:00") && !table.contains("09:30"), "{table}");
    let later = day.at("11:00").to_string();
    let late =
        out(&file.run(&["slots", "noether/office-hour", "--from", &date, "--to", &next, "--now", &later, "--json"]));
    let late: Value = serde_json::from_str(&late).unwrap();
    assert_eq!(late["slots"].as_array().unwrap().len(), 2, "{late}");

    let feed = out(&file.run(&["feed", "noether"]));
    assert!(feed.starts_with("BEGIN:VCALENDAR\r\n") && feed.ends_with("END:VCALENDAR\r\n"));
    let one = out(&file.run(&["feed", "noether/office-hour"]));
    assert!(one.contains("BEGIN:VEVENT\r\n"));

    let checked = out(&file.run(&["check"]));
    assert!(checked.contains(&calendar.name), "{checked}");

    for arguments in [
        &["sync", "hilbert"][..],
        &["calendars", "hilbert"],
        &["busy", "hilbert", "--from", &date, "--to", &next],
        &["slots", "noether/dance", "--from", &date, "--to", &next],
        &["feed", "hilbert"],
        &["bookings", "show", "unknown"],
        &["bookings", "cancel", "unknown"],
    ] {
        let output = file.run(arguments);
        assert!([1, 2].contains(&output.status.code().unwrap()), "{arguments:?}: {output:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?} says why");
    }
}

#[tokio::test]
async fn bookings_are_listed_shown_and_cancelled_while_the_daemon_runs() {
    let day = Day::ahead(3);
    let Some(calendar) = calendar("desk", day).await else { return };
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let booking = daemon.book_confirmed("office-hour", day.at("10:00"), "Ada Lovelace").await;
    let id = booking["id"].as_str().unwrap();

    let listed = out(&daemon.command(&["bookings", "list"]));
    assert!(listed.contains("Ada Lovelace") && listed.contains(id), "{listed}");
    let document: Value = serde_json::from_str(&out(&daemon.command(&["bookings", "list", "--json"]))).unwrap();
    assert!(document.to_string().contains(id), "{document}");
    let shown = out(&daemon.command(&["bookings", "show", id]));
    assert!(shown.contains("Ada Lovelace") && shown.contains("ada.lovelace@example.org"), "{shown}");
    let shown: Value = serde_json::from_str(&out(&daemon.command(&["bookings", "show", id, "--json"]))).unwrap();
    assert_eq!((&shown["id"], &shown["state"]), (&json!(id), &json!("confirmed")));

    let copy = daemon.folder().join("copy.db");
    out(&daemon.command(&["backup", copy.to_str().unwrap()]));
    assert!(std::fs::metadata(&copy).unwrap().len() > 0);

    out(&daemon.command(&["bookings", "cancel", id]));
    daemon.wait_state(&token(&booking), "cancelled").await;
    crate::support::eventually("the event is gone", crate::support::ON_THE_SERVER, async || {
        (calendar.events().await.len() == 1).then_some(())
    })
    .await;
    daemon.wait_starts("office-hour", day, &["10:00", "10:30", "11:00", "11:30"]).await;

    // The copy is a store: it has the booking as it was.
    let text = daemon.config.toml().replace("officehours.db", copy.to_str().unwrap());
    let restored = File::new(&text);
    let shown = restored.run(&["bookings", "show", id, "--json"]);
    let shown: Value = serde_json::from_str(&out(&shown)).unwrap();
    assert_eq!(shown["state"], "confirmed");
}

#[test]
fn every_mistake_in_the_config_is_named_with_line_and_column() {
    let text = r#"[server]
listen = "not an address"
public_url = "https://meet.example.edu"
colour = "red"

[[host]]
id = "Emmy Noether"
name = "Emmy Noether"
email = "noether@example.edu"
time_zone = "Europe/Göttingen"

[[host.account]]
id = "work"
url = "https://cloud.example.edu/"
username = "noether"
password = "hunter2"

[host.hours]
weekly = ["Mon-Fri 09:00-25:00"]

[[host.meeting]]
id = "office-hour"
title = "Office hour"
duration = "half an hour"
step = "30m"
"#;
    let file = File::new(text);
    for command in
        [&["run"][..], &["check"], &["sync"], &["slots", "a/b", "--from", "2026-01-01", "--to", "2026-01-02"]]
    {
        let output = file.run(command);
        let text = complaint(&output, 78);
        for (line, column, word) in [
            (2, 10, "listen"),
            (4, 1, "colour"),
            (7, 6, "id"),
            (10, 13, "time_zone"),
            (19, 11, "weekly"),
            (24, 12, "duration"),
        ] {
            let place = format!("officehours.toml:{line}:{column}");
            let near = format!("officehours.toml:{line}:");
            assert!(text.contains(&near), "{command:?}: no {place} ({word}) in\n{text}");
        }
        assert!(!text.contains("hunter2"), "a password is never shown");
    }
    // What is no TOML has a place too.
    let broken = complaint(&File::new("[server\nlisten = 1\n").run(&["run"]), 78);
    assert!(broken.contains("officehours.toml:1:"), "{broken}");
    let missing = officehours(&["run", "--config", "/nonexistent/officehours.toml"]);
    assert!(matches!(missing.status.code(), Some(1 | 78)), "{missing:?}");
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/nonexistent/officehours.toml"));
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [&[][..], &["dance"], &["run", "--dance"], &["slots"], &["busy"], &["bookings", "dance"]] {
        assert!(!complaint(&officehours(arguments), 2).is_empty(), "{arguments:?}");
    }
    let help = officehours(&["--help"]);
    assert!(out(&help).contains("officehours"));
    assert!(out(&officehours(&["--version"])).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn busy_reads_ics_files_with_no_config_and_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.ics", &event("a", &["DTSTART:20260302T140000Z", "DTEND:20260302T150000Z"]));
    write("b.ics", &event("b", &["DTSTART:20260302T150000Z", "DTEND:20260302T153000Z"]));
    write("c.ics", &event("c", &["DTSTART:20260302T100000Z", "DTEND:20260302T110000Z", "TRANSP:TRANSPARENT"]));
    write("d.ics", &event("d", &["DTSTART:20260302T180000Z", "DTEND:20260302T190000Z", "STATUS:TENTATIVE"]));
    let busy = |arguments: &[&str]| -> Value {
        let mut all = vec!["busy", "--from", "2026-03-01", "--to", "2026-03-08", "--time-zone", "Europe/Berlin"];
        all.extend(arguments);
        serde_json::from_str(&out(&officehours(&all))).unwrap()
    };
    let whole = busy(&["--ics", &path("")]);
    let expected = json!({
        "from": "2026-02-28T23:00:00Z",
        "to": "2026-03-07T23:00:00Z",
        "busy": [["2026-03-02T14:00:00Z", "2026-03-02T15:30:00Z"], ["2026-03-02T18:00:00Z", "2026-03-02T19:00:00Z"]],
        "warnings": []
    });
    assert_eq!(whole, expected);
    let few = busy(&["--ics", &path("a.ics"), &path("d.ics"), "--tentative", "free"]);
    assert_eq!(few["busy"], json!([["2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z"]]));

    // Clipped to the window.
    let clipped = officehours(&[
        "busy",
        "--ics",
        &path("a.ics"),
        "--from",
        "2026-03-02T14:30:00Z",
        "--to",
        "2026-03-02T14:45:00Z",
        "--time-zone",
        "UTC",
    ]);
    let clipped: Value = serde_json::from_str(&out(&clipped)).unwrap();
    assert_eq!(clipped["busy"], json!([["2026-03-02T14:30:00Z", "2026-03-02T14:45:00Z"]]));

    // What cannot be read warns and is status 0; what cannot be opened is status 1.
    write("broken.ics", &event("broken", &["DTSTART:20260303T090000Z", "DTEND:20260303T100000Z", "RRULE:FREQ=NEVER"]));
    let warned = busy(&["--ics", &path("broken.ics")]);
    assert!(!warned["warnings"].as_array().unwrap().is_empty(), "{warned}");
    assert_eq!(warned["warnings"][0]["uid"], "broken");
    assert!(warned["warnings"][0]["file"].as_str().unwrap().ends_with("broken.ics"));
    assert_eq!(warned["busy"][0][0], "2026-03-03T09:00:00Z", "a rule that is not understood never frees time");
    let empty = tempfile::tempdir().unwrap();
    let nothing = busy(&["--ics", empty.path().to_str().unwrap()]);
    assert_eq!((&nothing["busy"], nothing["warnings"].as_array().unwrap().len()), (&json!([]), 1));
    let missing = officehours(&[
        "busy",
        "--ics",
        &path("missing.ics"),
        "--from",
        "2026-03-01",
        "--to",
        "2026-03-02",
        "--time-zone",
        "UTC",
    ]);
    assert!(complaint(&missing, 1).contains("missing.ics"));
}

#[tokio::test]
async fn a_server_that_is_down_or_refuses_the_login_is_status_1_and_says_so() {
    let Some(own) = OwnServer::start("radicale") else { return };
    let calendar = own.server.calendar("down").await;
    let mut config = Config::new(&calendar);
    config.password = "wrong-password".to_owned();
    let refused = File::new(&config.toml());
    for command in ["sync", "check"] {
        let output = refused.run(&[command]);
        let text = [output.stdout.as_slice(), &output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert_eq!(output.status.code(), Some(1), "{command}: {text}");
        assert!(text.contains("work"), "which account: {text}");
        assert!(!text.contains("wrong-password"));
    }
    own.stop();
    let down = File::new(&Config::new(&calendar).toml());
    for command in ["sync", "check"] {
        assert_eq!(down.run(&[command]).status.code(), Some(1), "{command}");
    }
}
