//! What a guest finds around a booking: how to follow a feed, the door sign, something sooner, their own calendar beside the free times.

use crate::story::meeting_at;
use crate::support::{Answer, Config, Daemon, Day, Meeting, Server, check, client, event, python, stamp, token};
use jiff::Timestamp;
use serde_json::Value;

#[tokio::test]
async fn each_feed_has_a_page_that_tells_how_to_follow_it() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("subscribe").await;
    let meetings = [Meeting::new("chat", "30m", "30m"), Meeting::new("thesis", "45m", "15m")];
    let daemon = Daemon::start(Config::new(&calendar).meetings(meetings)).await;
    for (from, page, feed) in [
        ("/noether", "/noether/-/subscribe", "/noether.ics"),
        ("/noether/thesis", "/noether/thesis/subscribe", "/noether/thesis.ics"),
    ] {
        assert!(daemon.get(from).await.text().contains(&format!("href=\"{page}\"")), "{from} leads to {page}");
        let answer = daemon.get(page).await;
        let text = answer.text();
        assert_eq!(answer.status, 200);
        let (https, webcal) = (daemon.url(feed), daemon.url(feed).replace("http://", "webcal://"));
        assert!(text.contains(&format!("value=\"{https}\"")) && text.contains(&format!("href=\"{webcal}\"")), "{text}");
        for part in
            ["calendar.google.com/calendar/r?cid=", "outlook.office.com/", "outlook.live.com/", "<svg class=\"qr\""]
        {
            assert!(text.contains(part), "{part} in {page}");
        }
        assert_eq!(daemon.get(feed).await.status, 200);
    }
    let german = daemon.get("/noether/-/subscribe?lang=de").await.text();
    assert!(german.contains("/noether/thesis/subscribe?lang=de") && german.contains("4 bis 24 Stunden"), "{german}");
    for nothing in ["/hilbert/-/subscribe", "/noether/dance/subscribe", "/-/-/subscribe", "/noether/-/dance"] {
        assert_eq!(daemon.get(nothing).await.status, 404, "{nothing}");
    }
}

#[tokio::test]
async fn a_door_sign_has_the_hours_of_the_week_and_nothing_of_what_is_busy() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("sign").await;
    let monday = Day::ahead(7);
    let monday = Day(monday
        .0
        .checked_sub(jiff::Span::new().days(i64::from(monday.0.weekday().to_monday_zero_offset())))
        .unwrap());
    let (tuesday, wednesday) =
        (Day(monday.0.tomorrow().unwrap()), Day(monday.0.tomorrow().unwrap().tomorrow().unwrap()));
    calendar.put("busy.ics", &meeting_at("Oncologist", monday, "09:00", "12:00")).await;
    calendar.put("open.ics", &meeting_at("Open house", wednesday, "14:00", "15:30")).await;
    let hours_lines = format!(
        "dates = [\"{} closed\"]\nfrom_calendar = {{ calendar = \"work/{}\", summary = \"Open house\" }}\n",
        tuesday.0, calendar.name
    );
    let own = Meeting::new("thesis", "30m", "30m").with("hours = { weekly = [\"Thu 16:00-18:00\"] }");
    let weekly = vec!["Mon-Wed 09:00-12:00".to_owned()];
    let config = Config { hours_lines, weekly, ..Config::new(&calendar) };
    let daemon = Daemon::start(config.meetings([Meeting::new("chat", "30m", "30m"), own])).await;
    let rows = |page: &Answer| -> Vec<String> {
        let text = page.text();
        let rows = text.split("<th scope=\"row\">").skip(1);
        let plain = |row: &str| {
            let row = row.split("</tr>").next().unwrap();
            row.split('<').map(|part| part.split_once('>').map_or(part, |(_, rest)| rest)).collect::<Vec<_>>().join(" ")
        };
        rows.map(|row| plain(row).split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let week = format!("?week={}", wednesday.0);
    let host = daemon.get(&format!("/noether/-/sign{week}")).await;
    assert_eq!(host.status, 200);
    let day = |day: Day| day.0.strftime("%A %-d %B").to_string();
    assert_eq!(
        rows(&host),
        [
            format!("{} 09:00–12:00", day(monday)),
            format!("{} closed", day(tuesday)),
            format!("{} 09:00–12:00 14:00–15:30", day(wednesday)),
            format!("{} 16:00–18:00", day(Day(wednesday.0.tomorrow().unwrap()))),
        ]
    );
    let text = host.text();
    assert!(text.contains("Emmy Noether") && text.contains("Room 2.12") && text.contains("<svg class=\"qr\""));
    assert!(!text.contains("Oncologist") && !text.contains("Open house"));
    assert_eq!(rows(&daemon.get(&format!("/noether/thesis/sign{week}")).await).len(), 1);
    assert_eq!(rows(&daemon.get(&format!("/noether/chat/sign{week}")).await).len(), 3);
    // What is no date is this week.
    for week in ["", "?week=", "?week=tomorrow", "?week=2026-02-30", "?week=9999-12-31", "?week=-9999-01-01"] {
        assert_eq!(daemon.get(&format!("/noether/-/sign{week}")).await.status, 200, "{week}");
    }
}

/// The events of a feed, as an independent parser has them.
fn events(daemon: &Daemon, feed: &Answer) -> Vec<Value> {
    let path = daemon.folder().join("sooner.ics");
    std::fs::write(&path, &feed.body).unwrap();
    let seen: Value = serde_json::from_str(&check(python("feed.py").unwrap(), &path)).unwrap();
    assert_eq!(seen["calendar"]["METHOD"], "PUBLISH");
    seen["events"].as_array().unwrap().clone()
}

fn form_token(page: &str) -> String {
    page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_guest_is_told_of_what_is_sooner_and_moves_there() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("sooner").await;
    let day = Day::ahead(3);
    calendar.put("secret.ics", &meeting_at("Oncologist", day, "09:00", "10:00")).await;
    // One day a week, so that the list is short.
    let weekly = vec![format!("{} 09:00-12:00", day.0.strftime("%a"))];
    let config = Config { weekly, ..Config::new(&calendar) }.meetings([Meeting::new("chat", "30m", "30m")]);
    let daemon = Daemon::start(config).await;
    let booking = daemon.book_confirmed("chat", day.at("11:00"), "Ada Lovelace").await;
    let guest = token(&booking);
    let (page, path) = (format!("/b/{guest}/sooner"), format!("/b/{guest}/sooner.ics"));

    let feed = daemon.get(&path).await;
    assert_eq!((feed.status, feed.header("content-type")), (200, "text/calendar; charset=utf-8"));
    assert_eq!(feed.header("cache-control"), "private, no-cache");
    let starts = |events: &[Value]| -> Vec<String> {
        events.iter().map(|event| event["start"].as_str().unwrap().to_owned()).collect()
    };
    let sooner = events(&daemon, &feed);
    assert_eq!(starts(&sooner), [day.at("10:00").to_string(), day.at("10:30").to_string()]);
    for event in &sooner {
        let url = event["url"].as_str().unwrap();
        assert_eq!(url, format!("{}?to={}", daemon.url(&page), event["start"].as_str().unwrap()));
        assert!(event["description"].as_str().unwrap().lines().any(|line| line == url), "{event}");
        let properties: Vec<&str> = event["properties"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(properties.contains(&"TRANSP") && !properties.contains(&"ATTENDEE"), "{properties:?}");
    }
    assert!(!feed.text().contains("Oncologist") && !feed.text().contains("Ada"));
    // The same bytes while it is the same, and not again to who has them.
    daemon.wait_two_polls().await;
    let again = daemon.get(&path).await;
    assert_eq!((&again.body, again.header("last-modified")), (&feed.body, feed.header("last-modified")));
    let (etag, modified) = (feed.header("etag"), feed.header("last-modified"));
    for header in [("if-none-match", etag), ("if-modified-since", modified)] {
        assert_eq!(daemon.get_with(&path, &[header]).await.status, 304, "{header:?}");
    }
    let head = daemon.request("HEAD", &path).await;
    assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, etag));

    // The page of the booking and the list have the same, and each link shows one, which nothing takes by itself.
    let shown = daemon.get(&format!("/b/{guest}")).await.text();
    for start in [day.at("10:00"), day.at("10:30")] {
        let encoded = start.to_string().replace(':', "%3A");
        for text in [&shown, &daemon.get(&page).await.text()] {
            assert!(text.contains(&format!("{page}?to={encoded}")), "{start} in {text}");
        }
    }
    let to = day.at("10:30").to_string();
    let chosen = daemon.get(&format!("{page}?to={to}")).await;
    assert_eq!(chosen.status, 200);
    assert!(chosen.text().contains(&format!("name=\"start\" value=\"{to}\"")));
    assert_eq!(daemon.booking(&guest).await["start"], booking["start"], "a GET changes nothing");
    let moving = format!("/b/{guest}/move");
    assert_eq!(daemon.post_form(&moving, &[("start", &to)]).await.status, 422, "it is not the page's form");
    let form = form_token(&chosen.text());
    let moved = daemon.post_form(&moving, &[("start", &to), ("form", &form)]).await;
    assert_eq!((moved.status, moved.header("location")), (303, format!("/b/{guest}").as_str()));
    daemon.wait_state(&guest, "confirmed").await;
    assert_eq!(daemon.booking(&guest).await["start"], to);

    // The old links of the feed lead on: to the booking, to what is no longer sooner, and to what is gone.
    let follow = async |start: Timestamp| daemon.get(&format!("{page}?to={start}")).await;
    let there = follow(day.at("10:30")).await;
    assert_eq!((there.status, there.header("location")), (303, format!("/b/{guest}").as_str()));
    let later = follow(day.at("11:00")).await;
    assert_eq!(later.status, 303);
    assert!(later.header("location").starts_with(&format!("/b/{guest}/move?month=")), "{later:?}");
    let gone = follow(day.at("09:00")).await;
    assert_eq!(gone.status, 409);
    assert!(gone.text().contains("This time is taken") && gone.text().contains(&page), "{}", gone.text());
    assert_eq!(starts(&events(&daemon, &daemon.get(&path).await)), [day.at("10:00").to_string()]);
}

#[tokio::test]
async fn the_feed_of_a_booking_that_is_off_is_empty_and_of_none_is_not_there() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("ended").await;
    let limits = "requests_per_ip = \"40/1h\"\n".to_owned();
    let config = Config { limits, ..Config::new(&calendar) }.meetings([Meeting::new("chat", "30m", "30m")]);
    let daemon = Daemon::start(config).await;
    let booking = daemon.book_confirmed("chat", Day::ahead(5).at("11:00"), "Ada Lovelace").await;
    let path = format!("/b/{}/sooner.ics", token(&booking));
    assert!(daemon.get(&path).await.text().contains("BEGIN:VEVENT"));
    assert_eq!(daemon.cancel(&token(&booking)).await.status, 200);
    let empty = daemon.get(&path).await;
    assert_eq!((empty.status, empty.header("content-type")), (200, "text/calendar; charset=utf-8"));
    assert!(events(&daemon, &empty).is_empty(), "who follows it goes on to do so");
    assert_eq!(daemon.get(&path.replace(".ics", "")).await.status, 409);
    let unknown = format!("/b/{}/sooner.ics", "A".repeat(22));
    let nothing = daemon.get(&unknown).await;
    assert_eq!((nothing.status, nothing.header("content-type")), (404, "text/plain; charset=utf-8"));
    // Who tries tokens is limited, who follows a feed is not.
    let mut refused = 0;
    for _ in 0..45 {
        refused += u32::from(daemon.get(&unknown).await.status == 429);
    }
    assert!(refused > 0);
    assert_eq!(daemon.get(&path).await.status, 200);
}

/// A form with a file, as browsers send it.
async fn compare(daemon: &Daemon, fields: &[(&str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        let file = if *name == "file" { "; filename=\"mine.ics\"\r\nContent-Type: text/calendar" } else { "" };
        body.extend(format!("--X-X\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
        body.extend(*value);
        body.extend(b"\r\n");
    }
    body.extend(b"--X-X--\r\n");
    let request = client().post(daemon.url("/noether/chat/overlay"));
    let sent = request.header("content-type", "multipart/form-data; boundary=X-X").body(body).send().await.unwrap();
    let (status, headers) = (sent.status().as_u16(), sent.headers().clone());
    Answer { status, headers, body: sent.bytes().await.unwrap() }
}

/// The starts that a page of the comparison links to, on that day.
fn offered(answer: &Answer, day: Day) -> Vec<Timestamp> {
    let text = answer.text();
    let links = text.split("href=\"/noether/chat/").skip(1).map(|rest| rest.split(['"', '?']).next().unwrap());
    let starts = links.filter_map(|start| start.parse::<Timestamp>().ok());
    let (from, to) = day.window();
    starts.filter(|start| (from..to).contains(start)).collect()
}

#[tokio::test]
async fn a_guests_own_calendar_leaves_the_times_that_suit_both_and_no_trace() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("overlay").await;
    let day = Day::ahead(3);
    calendar.put("hosts.ics", &meeting_at("Oncologist", day, "09:00", "10:00")).await;
    let daemon = Daemon::start(Config::new(&calendar).meetings([Meeting::new("chat", "30m", "30m")])).await;
    assert!(daemon.get("/noether/chat").await.text().contains("href=\"/noether/chat/overlay\""));
    assert_eq!(daemon.get("/noether/chat/overlay").await.status, 200);

    // 10:30 is the guest's own by a floating time in New York; 11:00 by a series; 11:30 is theirs, but transparent.
    let floating = day.at("10:30").in_tz("America/New_York").unwrap().datetime().strftime("%Y%m%dT%H%M%S").to_string();
    let series = Day(day.0.checked_sub(jiff::Span::new().weeks(20)).unwrap());
    let series = format!("DTSTART;TZID=Europe/Berlin:{}", series.0.strftime("%Y%m%dT110000"));
    let free = format!("DTSTART:{}", stamp(day.at("11:30")));
    let parts = [
        event("a", &[&format!("DTSTART:{floating}"), "DURATION:PT30M", "SUMMARY:Zebra <script>alert(1)</script>"]),
        event("b", &[&series, "DURATION:PT30M", "RRULE:FREQ=WEEKLY", "SUMMARY:Walrus therapy"]),
        event("c", &[&free, "DURATION:PT30M", "TRANSP:TRANSPARENT", "SUMMARY:Lunch"]),
    ];
    let mine = parts.concat();
    let answer = compare(&daemon, &[("file", mine.as_bytes()), ("url", b""), ("tz", b"America/New_York")]).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    assert_eq!(offered(&answer, day), [day.at("10:00"), day.at("11:30")], "{}", answer.text());
    assert!(
        !answer.text().contains("Zebra") && !answer.text().contains("Walrus") && !answer.text().contains("Oncologist")
    );
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    // In Berlin that floating time is somewhere else.
    let berlin = compare(&daemon, &[("file", mine.as_bytes()), ("tz", b"Europe/Berlin")]).await;
    assert_eq!(offered(&berlin, day), [day.at("10:00"), day.at("10:30"), day.at("11:30")]);

    // Nothing of it is anywhere but in the answer.
    assert_eq!(offered(&compare(&daemon, &[("file", event("x", &[]).as_bytes())]).await, day).len(), 4);
    assert!(!daemon.log().contains("Walrus") && !daemon.log().contains("mine.ics"), "{}", daemon.log());
    let mut files = vec![daemon.folder().to_owned()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"Walrus"), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_is_told_why_and_leads_nowhere_private() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("overlay-wrong").await;
    let limits = "requests_per_ip = \"off\"\noverlays_per_ip = \"12/1h\"\n".to_owned();
    let config = Config { limits, ..Config::new(&calendar) }.meetings([Meeting::new("chat", "30m", "30m")]);
    let daemon = Daemon::start(config).await;
    let said = async |fields: &[(&str, &[u8])]| {
        let answer = compare(&daemon, fields).await;
        let text = answer.text();
        let error = text.split("role=\"alert\">").nth(1).map(|rest| rest.split('<').next().unwrap().to_owned());
        (answer.status, error.unwrap_or_default())
    };
    let refused = async |fields: &[(&str, &[u8])], status: u16, part: &str| {
        let (got, error) = said(fields).await;
        assert!(got == status && error.contains(part), "{got} {error}");
    };
    refused(&[("file", b""), ("url", b" ")], 422, "choose a file").await;
    refused(&[("file", b"<html>")], 422, "no calendar").await;
    refused(&[("file", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n")], 422, "no calendar").await;
    refused(&[("file", &vec![b'x'; 2 * 1024 * 1024 + 1])], 413, "too large").await;
    refused(&[("url", b"http://example.org/a.ics")], 422, "https://").await;
    refused(&[("url", b"\"><script>alert(1)</script>")], 422, "https://").await;
    // This machine and its network are as good as not there, whatever would answer.
    let here = daemon.url("/noether.ics").replace("http://", "https://");
    for url in
        [here.as_str(), "https://localhost/a.ics", "webcal://[::1]/", "https://169.254.169.254/latest/meta-data/"]
    {
        refused(&[("url", url.as_bytes())], 422, "No calendar can be read").await;
    }
    assert!(!daemon.log().contains("169.254.169.254") && !daemon.log().contains("localhost"), "{}", daemon.log());
    // Of other forms and other sites nothing is read.
    let request = client().post(daemon.url("/noether/chat/overlay")).header("content-type", "text/calendar");
    assert_eq!(request.body("BEGIN:VCALENDAR").send().await.unwrap().status(), 415);
    let request = client().post(daemon.url("/noether/chat/overlay")).header("sec-fetch-site", "cross-site");
    assert_eq!(request.body("x").send().await.unwrap().status(), 403);
    let refused = compare(&daemon, &[("file", b"<html>")]).await;
    assert_eq!(refused.status, 422, "the twelfth");
    let refused = compare(&daemon, &[("file", b"<html>")]).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    // No other route takes as much.
    let slot = format!("/noether/chat/{}", Day::ahead(3).at("10:00"));
    assert_eq!(daemon.post_form(&slot, &[("note", &"x".repeat(100_000))]).await.status, 413);
}

#[tokio::test]
async fn a_calendar_of_bombs_is_answered_and_its_rest_is_busy() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("bombs").await;
    let daemon = Daemon::start(Config::new(&calendar).meetings([Meeting::new("chat", "30m", "30m")])).await;
    let bomb =
        |uid: usize| event(&uid.to_string(), &["DTSTART:19700101T000000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"]);
    let bombs: String = (0..400).map(bomb).collect();
    let began = std::time::Instant::now();
    let answer = compare(&daemon, &[("file", bombs.as_bytes())]).await;
    assert_eq!(answer.status, 200);
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(
        offered(&answer, Day::ahead(3)).is_empty() && answer.text().contains("None of the free times"),
        "{}",
        answer.text()
    );
    assert_eq!(daemon.get("/noether/chat").await.status, 200);
}
