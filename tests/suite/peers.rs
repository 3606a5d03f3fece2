//! What the nearest peers get wrong, line by line (the letters are those of the project's standards list, part H).
//! H4 and H5 are in `race`, H6 in part in `outage`, H3 in part in `hostile`.

use crate::story::meeting_at;
use crate::support::{
    Calendar, Config, Daemon, Day, Fault, Meeting, ON_THE_SERVER, ONE_POLL, Proxy, Server, event, eventually, now,
    officehours, stamp, token,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A pattern of H1: a name, the lines of a VEVENT in Europe/Berlin, the window to look at, and what is busy in it.
type Pattern = (&'static str, &'static [&'static str], [&'static str; 2], &'static [[&'static str; 2]]);

const PATTERNS: &[Pattern] = &[
    (
        "yearly",
        &["DTSTART:20200310T090000Z", "DTEND:20200310T100000Z", "RRULE:FREQ=YEARLY"],
        ["2026-03-10", "2026-03-11"],
        &[["2026-03-10T09:00:00Z", "2026-03-10T10:00:00Z"]],
    ),
    (
        "rdate and period",
        &[
            "DTSTART:20260301T090000Z",
            "DTEND:20260301T100000Z",
            "RDATE:20260303T090000Z",
            "RDATE;VALUE=PERIOD:20260304T120000Z/PT3H",
        ],
        ["2026-03-03", "2026-03-05"],
        &[["2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z"], ["2026-03-04T12:00:00Z", "2026-03-04T15:00:00Z"]],
    ),
    (
        "last workday by BYSETPOS",
        &["DTSTART:20260130T090000Z", "DTEND:20260130T100000Z", "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"],
        ["2026-02-20", "2026-03-01"],
        &[["2026-02-27T09:00:00Z", "2026-02-27T10:00:00Z"]],
    ),
    (
        "negative BYMONTHDAY",
        &["DTSTART:20260131T090000Z", "DTEND:20260131T100000Z", "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1"],
        ["2026-02-20", "2026-03-02"],
        &[["2026-02-28T09:00:00Z", "2026-02-28T10:00:00Z"]],
    ),
    (
        "BYHOUR",
        &["DTSTART:20260301T080000Z", "DTEND:20260301T083000Z", "RRULE:FREQ=DAILY;BYHOUR=8,14"],
        ["2026-03-05", "2026-03-06"],
        &[["2026-03-05T08:00:00Z", "2026-03-05T08:30:00Z"], ["2026-03-05T14:00:00Z", "2026-03-05T14:30:00Z"]],
    ),
    (
        "WKST",
        &[
            "DTSTART:19970805T090000Z",
            "DTEND:19970805T100000Z",
            "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        ],
        ["1997-08-06", "1997-09-10"],
        &[
            ["1997-08-17T09:00:00Z", "1997-08-17T10:00:00Z"],
            ["1997-08-19T09:00:00Z", "1997-08-19T10:00:00Z"],
            ["1997-08-31T09:00:00Z", "1997-08-31T10:00:00Z"],
        ],
    ),
    (
        "every Friday of the month",
        &["DTSTART:20260102T090000Z", "DTEND:20260102T100000Z", "RRULE:FREQ=MONTHLY;BYDAY=FR"],
        ["2026-02-01", "2026-02-15"],
        &[["2026-02-06T09:00:00Z", "2026-02-06T10:00:00Z"], ["2026-02-13T09:00:00Z", "2026-02-13T10:00:00Z"]],
    ),
    (
        "unsorted BYDAY, UNTIL equal to the last start",
        &[
            "DTSTART;TZID=Europe/Berlin:20260302T090000",
            "DTEND;TZID=Europe/Berlin:20260302T100000",
            "RRULE:FREQ=WEEKLY;BYDAY=FR,MO;UNTIL=20260313T080000Z",
        ],
        ["2026-03-03", "2026-03-30"],
        &[
            ["2026-03-06T08:00:00Z", "2026-03-06T09:00:00Z"],
            ["2026-03-09T08:00:00Z", "2026-03-09T09:00:00Z"],
            ["2026-03-13T08:00:00Z", "2026-03-13T09:00:00Z"],
        ],
    ),
    (
        "DURATION",
        &["DTSTART:20260302T090000Z", "DURATION:PT1H30M"],
        ["2026-03-02", "2026-03-03"],
        &[["2026-03-02T09:00:00Z", "2026-03-02T10:30:00Z"]],
    ),
    (
        "all day without an end",
        &["DTSTART;VALUE=DATE:20260302"],
        ["2026-03-01", "2026-03-05"],
        &[["2026-03-01T23:00:00Z", "2026-03-02T23:00:00Z"]],
    ),
    (
        "a Windows name",
        &["DTSTART;TZID=Eastern Standard Time:20260302T090000", "DTEND;TZID=Eastern Standard Time:20260302T100000"],
        ["2026-03-02", "2026-03-03"],
        &[["2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z"]],
    ),
    (
        "a quoted TZID",
        &["DTSTART;TZID=\"America/New_York\":20260302T090000", "DTEND;TZID=\"America/New_York\":20260302T100000"],
        ["2026-03-02", "2026-03-03"],
        &[["2026-03-02T14:00:00Z", "2026-03-02T15:00:00Z"]],
    ),
    (
        "a folded rule",
        &[
            "DTSTART:20260302T090000Z",
            "DTEND:20260302T100000Z",
            "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=2026\r\n 0304T090000Z",
        ],
        ["2026-03-03", "2026-03-10"],
        &[["2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z"], ["2026-03-04T09:00:00Z", "2026-03-04T10:00:00Z"]],
    ),
    (
        "lower-case names",
        &["dtstart;tzid=Europe/Berlin:20260302T090000", "dtend;tzid=Europe/Berlin:20260302T100000"],
        ["2026-03-02", "2026-03-03"],
        &[["2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"]],
    ),
    (
        "a series older than 2,000 steps",
        &["DTSTART:20100101T090000Z", "DTEND:20100101T100000Z", "RRULE:FREQ=DAILY"],
        ["2026-03-02", "2026-03-03"],
        &[["2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"]],
    ),
    (
        "declined",
        &[
            "DTSTART:20260302T090000Z",
            "DTEND:20260302T100000Z",
            "ORGANIZER:mailto:dean@example.edu",
            "ATTENDEE;PARTSTAT=DECLINED:mailto:noether@example.edu",
        ],
        ["2026-03-02", "2026-03-03"],
        &[],
    ),
    (
        "COUNT with EXDATE",
        &["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260303T090000Z"],
        ["2026-03-03", "2026-03-10"],
        &[["2026-03-04T09:00:00Z", "2026-03-04T10:00:00Z"]],
    ),
    (
        "a folded EXDATE",
        &[
            "DTSTART;TZID=Europe/Berlin:20260302T090000",
            "DTEND;TZID=Europe/Berlin:20260302T100000",
            "RRULE:FREQ=DAILY;COUNT=3",
            "EXDATE;TZID=Europe/Berlin:20260303T0900\r\n 00,20260304T090000",
        ],
        ["2026-03-02", "2026-03-10"],
        &[["2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"]],
    ),
    (
        "DAILY with BYDAY",
        &["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=DAILY;BYDAY=MO"],
        ["2026-03-03", "2026-03-10"],
        &[["2026-03-09T09:00:00Z", "2026-03-09T10:00:00Z"]],
    ),
    (
        "BYMONTH",
        &["DTSTART:20260102T090000Z", "DTEND:20260102T100000Z", "RRULE:FREQ=WEEKLY;BYMONTH=1"],
        ["2026-01-25", "2026-03-10"],
        &[["2026-01-30T09:00:00Z", "2026-01-30T10:00:00Z"]],
    ),
    (
        "DTEND in another zone",
        &["DTSTART;TZID=Europe/Berlin:20260302T090000", "DTEND;TZID=America/New_York:20260302T040000"],
        ["2026-03-02", "2026-03-03"],
        &[["2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"]],
    ),
    (
        "an interval of four billion",
        &["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=SECONDLY;INTERVAL=4000000000"],
        ["2026-03-02", "2026-03-03"],
        &[["2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"]],
    ),
];

fn busy(folder: &std::path::Path, [from, to]: [&str; 2]) -> Value {
    let folder = folder.to_str().unwrap();
    let zone = "Europe/Berlin";
    let arguments = [
        "busy",
        "--ics",
        folder,
        "--from",
        from,
        "--to",
        to,
        "--time-zone",
        zone,
        "--owner",
        "mailto:noether@example.edu",
    ];
    let output = officehours(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn h1_what_others_misread_is_read() {
    let mut wrong = Vec::new();
    for (name, lines, window, expected) in PATTERNS {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("event.ics"), event("pattern", lines)).unwrap();
        let seen = busy(folder.path(), *window);
        if seen["busy"] != json!(expected) {
            wrong.push(format!("{name}: {} instead of {}", seen["busy"], json!(expected)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn h1_overrides_and_orphans_and_the_same_uid_twice_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let series = event("a", &["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=DAILY;COUNT=5"]);
    let moved = [
        "BEGIN:VEVENT",
        "UID:a",
        "DTSTAMP:20260101T000000Z",
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260304T090000Z",
        "DTSTART:20260304T110000Z",
        "DTEND:20260304T130000Z",
        "END:VEVENT",
        "END:VCALENDAR\r\n",
    ]
    .join("\r\n");
    std::fs::write(folder.path().join("series.ics"), series.replace("END:VCALENDAR\r\n", &moved)).unwrap();
    std::fs::write(
        folder.path().join("again.ics"),
        event("a", &["DTSTART:20260303T150000Z", "DTEND:20260303T160000Z"]),
    )
    .unwrap();
    let seen = busy(folder.path(), ["2026-03-03", "2026-03-06"]);
    let expected = json!([
        ["2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z"],
        ["2026-03-03T15:00:00Z", "2026-03-03T16:00:00Z"],
        ["2026-03-04T11:00:00Z", "2026-03-04T13:00:00Z"],
        ["2026-03-05T11:00:00Z", "2026-03-05T13:00:00Z"]
    ]);
    assert_eq!(seen["busy"], expected);
}

/// A daemon that reaches the calendar through a proxy.
async fn behind(calendar: &Calendar) -> (Proxy, Daemon) {
    let proxy = Proxy::before(&calendar.server.url).await;
    let config = Config { url: proxy.url.clone(), ..Config::new(calendar) };
    (proxy, Daemon::start(config).await)
}

#[tokio::test]
async fn h2_a_failed_report_is_no_empty_calendar() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("report").await;
    calendar.put("lunch.ics", &meeting_at("lunch", day, "09:00", "10:00")).await;
    let (proxy, daemon) = behind(&calendar).await;
    let before = daemon.starts("office-hour", day).await;
    assert_eq!(before.len(), 4);
    for fault in [Fault::Reports(500), Fault::Reports(207), Fault::Reports(403), Fault::CutReports] {
        proxy.fault(fault);
        // Something new happens while reports fail: it must be seen when they work again.
        let file = format!("{}.ics", crate::support::unique("new"));
        calendar.put(&file, &meeting_at(&file, day, "11:30", "12:00")).await;
        // Reports fail again and again, unless the client finds a way around them and sees it all the same.
        let asked = proxy.reports();
        eventually("reports were tried and failed", ON_THE_SERVER, async || {
            let around = daemon.starts("office-hour", day).await.len() == 3;
            (around || proxy.reports() >= asked + 2).then_some(())
        })
        .await;
        let during = daemon.starts("office-hour", day).await;
        assert!(!during.contains(&day.at("09:00")), "{fault:?} made busy time free: {during:?}");
        proxy.fault(Fault::None);
        eventually("the new event is seen", ON_THE_SERVER, async || {
            (daemon.starts("office-hour", day).await.len() == 3).then_some(())
        })
        .await;
        calendar.delete(&file).await;
        eventually("its deletion is seen", ON_THE_SERVER, async || {
            (daemon.starts("office-hour", day).await == before).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn h3_what_the_host_just_took_cannot_be_booked_though_no_poll_came_between() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("fresh").await;
    let config = Config { poll: "1h".to_owned(), ..Config::new(&calendar) };
    let daemon = Daemon::start(config).await;
    let tokyo = day.at("10:00").in_tz("Asia/Tokyo").unwrap().strftime("DTSTART;TZID=Asia/Tokyo:%Y%m%dT%H%M%S");
    let elsewhere = event("elsewhere", &[&tokyo.to_string(), "DURATION:PT30M"]);
    calendar.put("elsewhere.ics", &elsewhere).await;
    assert!(daemon.starts("office-hour", day).await.contains(&day.at("10:00")), "not polled yet");
    let answer = daemon.book("office-hour", day.at("10:00"), "Ada Lovelace").await;
    answer.expect_problem(409, "/slot-taken");
    assert!(
        !daemon.starts("office-hour", day).await.contains(&day.at("10:00")),
        "the look at the server is not wasted"
    );
    assert_eq!(calendar.events().await.len(), 1);
}

#[tokio::test]
async fn h6_a_slow_server_makes_no_visitor_wait_for_its_pages_and_a_guest_only_seconds() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("slow").await;
    let (proxy, daemon) = behind(&calendar).await;
    proxy.fault(Fault::Slow(Duration::from_secs(12)));
    let booking = async {
        let began = Instant::now();
        let booking = daemon.book("office-hour", day.at("10:00"), "Ada Lovelace").await.expect(201);
        assert!(began.elapsed() < Duration::from_secs(9), "the guest waited {:?}", began.elapsed());
        assert_eq!(booking["state"], "reserved", "said so");
        booking
    };
    let visits = async {
        for _ in 0..5 {
            for path in ["/noether", "/noether/office-hour", "/noether.ics"] {
                let began = Instant::now();
                assert_eq!(daemon.get(path).await.status, 200);
                assert!(began.elapsed() < Duration::from_secs(1), "{path} took {:?}", began.elapsed());
            }
        }
    };
    let (booking, ()) = tokio::join!(booking, visits);
    let page = daemon.get(&format!("/b/{}", token(&booking))).await;
    assert_eq!(page.status, 200);
    proxy.fault(Fault::None);
    eventually("the event is written", ON_THE_SERVER * 2, async || {
        (daemon.booking(&token(&booking)).await["state"] == "confirmed").then_some(())
    })
    .await;
    assert_eq!(calendar.events().await.len(), 1);
}

#[tokio::test]
async fn h7_what_is_gone_on_the_server_is_gone_here() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("gone").await;
    // A file name that is not the UID.
    calendar.put("another-name.ics", &meeting_at("its-uid", day, "09:00", "10:00")).await;
    // A series with an override that moves today's instance.
    let (start, moved) = (stamp(day.at("10:00")), stamp(day.at("11:00")));
    let series = event("series", &[&format!("DTSTART:{start}"), "DURATION:PT30M", "RRULE:FREQ=WEEKLY;COUNT=2"]);
    let exception = format!(
        "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:{start}\r\nDTSTART:{moved}\r\nDURATION:PT30M\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    calendar.put("series-file.ics", &series.replace("END:VCALENDAR\r\n", &exception)).await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    daemon.wait_starts("office-hour", day, &["10:00", "10:30", "11:30"]).await;

    calendar.put("series-file.ics", &series).await;
    daemon.wait_starts("office-hour", day, &["10:30", "11:00", "11:30"]).await;
    calendar.delete("another-name.ics").await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:30", "11:00", "11:30"]).await;
    calendar.delete("series-file.ics").await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"]).await;
}

#[tokio::test]
async fn h7_a_calendar_that_was_deleted_no_longer_makes_busy() {
    let Some(server) = Server::radicale() else { return };
    let server = server.as_other_user();
    let day = Day::ahead(3);
    let (kept, dropped) = (server.calendar("kept").await, server.calendar("dropped").await);
    dropped.put("lunch.ics", &meeting_at("lunch", day, "09:00", "10:00")).await;
    let config = Config { calendars: None, ..Config::new(&kept) };
    let daemon = Daemon::start(config).await;
    assert_eq!(daemon.starts("office-hour", day).await.len(), 4);
    dropped.delete_calendar().await;
    eventually("its events no longer count", ON_THE_SERVER * 2, async || {
        (daemon.starts("office-hour", day).await.len() == 6).then_some(())
    })
    .await;
}

#[tokio::test]
async fn h8_the_zone_of_the_process_decides_nothing() {
    let Some(server) = Server::radicale() else { return };
    for (process, host) in [("UTC", "America/New_York"), ("Pacific/Kiritimati", "Europe/Zurich")] {
        let calendar = server.calendar("zone").await;
        let around_the_clock = Meeting { notice: "4h".to_owned(), ..Meeting::new("office-hour", "15m", "15m") };
        let config = Config {
            time_zone: host.to_owned(),
            weekly: vec!["Mon-Sun 00:00-24:00".to_owned()],
            ..Config::new(&calendar).meetings([around_the_clock])
        };
        let mut daemon = Daemon::launch(config, &[("TZ", process)]).await;
        daemon.wait_ready().await;
        let asked = now();
        let (from, to) = (Day::ahead(-1).window().0, Day::ahead(2).window().1);
        let path = format!("/api/v1/hosts/noether/meetings/office-hour/slots?from={from}&to={to}");
        let offer = daemon.get(&path).await.expect(200);
        let first: Timestamp = offer["slots"][0]["start"].as_str().unwrap().parse().unwrap();
        let ahead = first.duration_since(asked).as_secs();
        assert!((4 * 3600..=4 * 3600 + 900).contains(&ahead), "{host}, process in {process}: {ahead} s ahead");
        assert_eq!(offer["time_zone"], host);
    }
}

#[tokio::test]
async fn h9_a_moved_instance_blocks_once_and_no_longer_slot_can_be_booked() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("nine").await;
    let config = Config::new(&calendar);
    let daemon = Daemon::start(config).await;
    let body = json!({
        "start": day.at("09:00").to_string(), "end": day.at("12:00").to_string(), "duration": "3h",
        "name": "Ada Lovelace", "email": "ada@example.org", "note": "", "answers": {}
    });
    let answer = daemon.post_json(&Daemon::bookings_path("office-hour"), &body).await;
    match answer.status {
        201 => assert_eq!(answer.json()["end"], day.at("09:30").to_string()),
        status => assert_eq!(status, 422, "{}", answer.text()),
    }
}

#[tokio::test]
async fn h10_without_mail_the_done_page_promises_none_and_gives_a_way_to_cancel() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("done").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let path = format!("/noether/office-hour/{}", day.at("10:00"));
    let form = [("name", "Ada Lovelace"), ("email", "ada@example.org"), ("note", ""), ("tz", "Europe/Paris")];
    let answer = daemon.post_form(&path, &form).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let location = answer.header("location");
    let path = location.strip_prefix(&daemon.url("")).unwrap_or(location).to_owned();
    assert!(path.starts_with("/b/"), "{location}");
    daemon.wait_state(path.rsplit('/').next().unwrap(), "confirmed").await;
    let page = daemon.get(&path).await;
    assert_eq!(page.status, 200);
    let text = page.text();
    let lower = text.to_lowercase();
    for promise in
        ["has been sent", "we sent", "have sent", "check your inbox", "confirmation e-mail", "confirmation email"]
    {
        assert!(!lower.contains(promise), "{promise:?} in {text}");
    }
    assert!(text.contains("/cancel\""), "a way to cancel: {text}");
    assert!(text.contains("/invitation.ics\""), "the invitation as a download: {text}");
    assert_eq!(page.header("cache-control"), "no-store");

    let invitation = daemon.get(&format!("{path}/invitation.ics")).await;
    assert_eq!(invitation.status, 200);
    assert!(invitation.header("content-type").starts_with("text/calendar"));
    let events = calendar.events().await;
    let uid = events[0]["uid"].as_str().unwrap();
    assert!(invitation.text().replace("\r\n ", "").contains(&format!("UID:{uid}\r\n")), "the same UID");

    let cancelled = daemon.post_form(&format!("{path}/cancel"), &form_of(&text)).await;
    assert!([200, 303].contains(&cancelled.status), "{}", cancelled.text());
    let booking = daemon.booking(path.rsplit('/').next().unwrap()).await;
    assert_eq!(booking["state"], "cancelled");
    eventually("the slot is back", ONE_POLL, async || {
        daemon.starts("office-hour", day).await.contains(&day.at("10:00")).then_some(())
    })
    .await;
}

/// The hidden fields and ticked boxes of a page, as a browser would send them back.
fn form_of(page: &str) -> Vec<(&str, &str)> {
    let attribute = |tag: &'_ str, name: &str| -> Option<(usize, usize)> {
        let at = tag.find(&format!("{name}=\""))? + name.len() + 2;
        Some((at, at + tag[at..].find('"')?))
    };
    let mut fields = Vec::new();
    for tag in page.split("<input").skip(1).filter_map(|rest| rest.split('>').next()) {
        if (tag.contains("type=\"hidden\"") || tag.contains("type=\"checkbox\""))
            && let (Some(name), Some(value)) = (attribute(tag, "name"), attribute(tag, "value"))
        {
            fields.push((&tag[name.0..name.1], &tag[value.0..value.1]));
        }
    }
    fields
}
