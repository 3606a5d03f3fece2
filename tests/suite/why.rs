//! What the host is told: `explain` names the rule that decides, warnings are shown wherever the host looks, hours may be
//! events, and `init` writes a config that `check` accepts.

use crate::story::meeting_at;
use crate::support::{Config, Daemon, Day, Meeting, ONE_POLL, Server, event, eventually, now, officehours};
use jiff::Timestamp;
use serde_json::Value;
use std::process::Output;

fn out(output: &Output) -> String {
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out} {error}", output.status);
    out.into_owned()
}

/// What `explain` decides of a start, the rule of its first reason, and all that it says.
fn explained(daemon: &Daemon, start: Timestamp) -> (String, String, String) {
    let (start, now) = (start.to_string(), now().to_string());
    let told = out(&daemon.command(&["explain", "noether/office-hour", &start, "--now", &now, "--json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    let first = &told["reasons"][0];
    let words = out(&daemon.command(&["explain", "noether/office-hour", &start, "--now", &now]));
    for reason in told["reasons"].as_array().unwrap() {
        let text = reason["text"].as_str().unwrap();
        // The daemon reads on between the two.
        assert!(text.contains(" was read ") || words.contains(text), "both tell the same: {words}");
    }
    assert_eq!(told["on_offer"], told["decision"] == "on-offer", "{told}");
    assert_eq!(words.lines().next().unwrap().contains("not on offer"), told["on_offer"] == false, "{words}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&told["decision"]), text(&first["rule"]), words)
}

#[tokio::test]
async fn explain_names_the_rule_that_decides() {
    let Some(server) = Server::radicale() else { return };
    let (day, next) = (Day::ahead(3), Day::ahead(4));
    let calendar = server.calendar("explain").await;
    calendar.put("seminar.ics", &meeting_at("Seminar", day, "09:00", "09:30")).await;
    calendar.put("off.ics", &meeting_at("Canceled: Faculty", day, "11:00", "11:30")).await;
    let folder = tempfile::tempdir().unwrap();
    let odd =
        meeting_at("odd", Day::ahead(6), "10:00", "10:30").replace("SUMMARY:odd", "SUMMARY:odd\r\nRRULE:FREQ=EVER");
    std::fs::write(folder.path().join("odd.ics"), odd).unwrap();

    let meeting = Meeting { notice: "1d".to_owned(), ..Meeting::new("office-hour", "30m", "30m") };
    let mut config = Config::new(&calendar).meetings([meeting.with("per_day = 1\nbuffer_after = \"10m\"")]);
    config.account_lines = "ignore_titles = [\"Canceled: *\"]\n".to_owned();
    config.more = format!("\n[[host.folder]]\npath = {:?}\n", folder.path());
    let daemon = Daemon::start(config).await;
    daemon.wait_starts("office-hour", day, &["09:30", "10:00", "10:30", "11:00", "11:30"]).await;

    let (decision, rule, words) = explained(&daemon, day.at("09:00"));
    assert_eq!((decision.as_str(), rule.as_str()), ("busy", "busy"));
    assert!(words.contains("\"Seminar\"") && words.contains(&calendar.name), "{words}");
    let (decision, _, words) = explained(&daemon, day.at("11:00"));
    assert_eq!(decision, "on-offer");
    assert!(words.contains("\"Canceled: Faculty\"") && words.contains("ignore_titles"), "{words}");
    for (start, expected) in [
        (day.at("13:00"), ("outside-hours", "hours")),
        (day.at("09:10"), ("off-grid", "grid")),
        (Day::ahead(30).at("10:00"), ("too-far", "horizon")),
        (Day::ahead(-1).at("10:00"), ("past", "past")),
        (Day::ahead(7).at("10:00"), ("busy", "busy")),
    ] {
        let (decision, rule, words) = explained(&daemon, start);
        assert_eq!((decision.as_str(), rule.as_str()), expected, "{words}");
    }
    // In the hours of the next 24 there is always one that is on the grid, and sooner than the notice.
    let soon = [Day::ahead(0), Day::ahead(1)].map(|day| day.at("11:30"));
    let soon = soon.into_iter().find(|start| *start > now()).unwrap();
    if soon.duration_since(now()) < jiff::SignedDuration::from_hours(23) {
        assert_eq!(explained(&daemon, soon).0, "too-soon");
    }

    daemon.book_confirmed("office-hour", next.at("10:00"), "Ada Lovelace").await;
    assert_eq!(explained(&daemon, next.at("10:00")).0, "booked");
    let (decision, rule, words) = explained(&daemon, next.at("11:30"));
    assert_eq!((decision.as_str(), rule.as_str()), ("day-full", "per-day"));
    assert!(words.contains("per_day allows 1"), "{words}");

    // What was not understood is told wherever the host looks.
    let (_, _, words) = explained(&daemon, Day::ahead(7).at("10:00"));
    let (from, to) = (Day::ahead(1).at("00:00").to_string(), Day::ahead(9).at("00:00").to_string());
    for told in [
        words,
        out(&daemon.command(&["check"])),
        out(&daemon.command(&["busy", "noether", "--from", &from, "--to", &to])),
    ] {
        assert!(told.contains("FREQ=EVER is no frequency") && told.contains("busy from its start on"), "{told}");
    }
    let checked = out(&daemon.command(&["check"]));
    assert!(checked.contains("odd: ") && checked.contains("ignore_titles = [\"Canceled: *\"]"), "{checked}");
    let listed = out(&daemon.command(&["calendars", "noether"]));
    assert!(listed.contains("\tignore_titles = [\"Canceled: *\"]"), "{listed}");

    // Other rules read what is stored anew: nothing on the server has changed.
    let text = std::fs::read_to_string(daemon.config_path()).unwrap();
    std::fs::write(daemon.config_path(), text.replace("Canceled: *", "Seminar")).unwrap();
    eventually("the other title is ignored", ONE_POLL, async || {
        let starts = daemon.starts("office-hour", day).await;
        (starts.contains(&day.at("09:00")) && !starts.contains(&day.at("11:00"))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn events_open_time_with_their_recurrence_and_exceptions() {
    let Some(server) = Server::radicale() else { return };
    let (calendar, hours) = (server.calendar("opens").await, server.calendar("hours").await);
    let day = |n: i64| Day::ahead(2 + n);
    let local = |n: i64, time: &str| format!("{}T{time}", day(n).0.strftime("%Y%m%d"));
    let start = local(0, "090000");
    let series = [
        "SUMMARY:Office hours".to_owned(),
        format!("DTSTART;TZID=Europe/Berlin:{start}"),
        "DURATION:PT1H".to_owned(),
        "RRULE:FREQ=DAILY;COUNT=4".to_owned(),
        format!("EXDATE;TZID=Europe/Berlin:{}", local(1, "090000")),
    ];
    let text = event("series", &series.iter().map(String::as_str).collect::<Vec<_>>());
    // One is later that day and shorter; another is cancelled.
    let instance = |n: i64, lines: &str| {
        let id = local(n, "090000");
        format!(
            "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Office hours\r\n\
             RECURRENCE-ID;TZID=Europe/Berlin:{id}\r\n{lines}END:VEVENT\r\n"
        )
    };
    let moved = instance(2, &format!("DTSTART;TZID=Europe/Berlin:{}\r\nDURATION:PT30M\r\n", local(2, "150000")));
    let cancelled = instance(
        3,
        &format!("DTSTART;TZID=Europe/Berlin:{}\r\nDURATION:PT1H\r\nSTATUS:CANCELLED\r\n", local(3, "090000")),
    );
    let text = text.replace("END:VCALENDAR", &format!("{moved}{cancelled}END:VCALENDAR"));
    hours.put("series.ics", &text).await;
    hours.put("other.ics", &meeting_at("Rehearsal", day(3), "16:00", "17:00")).await;
    calendar.put("busy.ics", &meeting_at("Call", day(0), "09:30", "10:00")).await;

    let mut config = Config::new(&calendar);
    config.weekly = Vec::new();
    let daemon = Daemon::start(config.clone()).await;
    assert_eq!(daemon.starts("office-hour", day(0)).await, [], "no hours at all");
    let opening = format!("from_calendar = {{ calendar = \"work/{}\", summary = \"office hours\" }}", hours.name);
    std::fs::write(daemon.config_path(), config.toml().replace("weekly = []", &opening)).unwrap();

    // Until the new calendar was read, nothing can be promised.
    let (from, to) = day(0).window();
    let slots = format!("/api/v1/hosts/noether/meetings/office-hour/slots?from={from}&to={to}");
    eventually("the calendar of hours is read", ONE_POLL, async || {
        let answer = daemon.get(&slots).await;
        (answer.status == 200 && answer.text().contains(&day(0).at("09:00").to_string())).then_some(())
    })
    .await;
    daemon.wait_starts("office-hour", day(0), &["09:00"]).await;
    daemon.wait_starts("office-hour", day(2), &["15:00"]).await;
    for closed in [1, 3] {
        assert_eq!(daemon.starts("office-hour", day(closed)).await, [], "day {closed}");
    }
    let (decision, _, words) = explained(&daemon, day(2).at("15:00"));
    assert_eq!(decision, "on-offer");
    assert!(words.contains(&format!("events of calendar {:?} open", hours.name)), "{words}");
    let (decision, _, words) = explained(&daemon, day(0).at("09:30"));
    assert_eq!(decision, "busy");
    assert!(words.contains("\"Call\""), "{words}");

    daemon.book_confirmed("office-hour", day(2).at("15:00"), "Ada Lovelace").await;
    hours.delete("series.ics").await;
    daemon.wait_starts("office-hour", day(0), &[]).await;
}

#[tokio::test]
async fn init_writes_a_config_that_check_accepts() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("init").await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("password"), &server.password).unwrap();
    let (secret, config) = (path("password"), path("officehours.toml"));
    let init = |output: &str| {
        officehours(&[
            "init",
            "--url",
            &server.url,
            "--username",
            &server.user,
            "--password-file",
            &secret,
            "--calendar",
            &calendar.name,
            "--output",
            output,
            "--yes",
        ])
    };
    assert_eq!(out(&init(&config)).trim(), config);
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains(&calendar.name) && !text.contains(&server.password), "{text}");
    assert!(text.lines().filter(|line| line.starts_with('#')).count() > 5, "it explains itself: {text}");
    // The store is where the user's state is: put it into the folder of the test.
    let text = format!("[store]\npath = {:?}\n\n{text}", path("officehours.db"));
    std::fs::write(&config, text).unwrap();
    let checked = out(&officehours(&["check", "--write", "--config", &config]));
    assert!(checked.contains(&calendar.name) && checked.contains("a test event was written"), "{checked}");

    // Never over a file that is there, and never half a config.
    assert_eq!(init(&config).status.code(), Some(1));
    let wrong = path("other.toml");
    std::fs::write(&secret, "wrong").unwrap();
    assert_eq!(init(&wrong).status.code(), Some(1));
    assert!(!std::path::Path::new(&wrong).exists());
}
