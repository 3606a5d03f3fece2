//! The host's desk over HTTP and at the command line: coming in, what a host does there, and what guests see of it.

use crate::support::{
    Calendar, Config, Daemon, Day, Meeting, ON_THE_SERVER, ONE_POLL, Seat, Server, Smtp, desk_link, event, eventually,
    now, stamp, token,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

fn meetings() -> [Meeting; 2] {
    [Meeting::new("chat", "30m", "30m"), Meeting::new("exam", "30m", "30m").with("confirm = \"approval\"")]
}

/// A second host on the same server, whose bookings go to another calendar.
pub(crate) fn hilbert(calendar: &Calendar) -> String {
    let Server { url, user, password, .. } = &calendar.server;
    let name = &calendar.name;
    format!(
        r#"
[[host]]
id = "hilbert"
name = "David Hilbert"
email = "hilbert@example.edu"
aliases = ["dean@example.edu"]
time_zone = "Europe/Berlin"
language = "de"
[[host.account]]
id = "work"
url = "{url}"
username = "{user}"
password = "{password}"
poll = "1s"
calendars = ["{name}"]
[host.bookings]
calendar = "work/{name}"
[host.hours]
weekly = ["Mon-Sun 09:00-12:00"]
[[host.meeting]]
id = "chat"
title = "Sprechstunde"
duration = "30m"
notice = "0m"
horizon = "14d"
"#
    )
}

async fn daemon(prefix: &str) -> Option<(Calendar, Daemon)> {
    let calendar = Server::radicale()?.calendar(prefix).await;
    let daemon = Daemon::start(Config::new(&calendar).meetings(meetings())).await;
    Some((calendar, daemon))
}

fn id(booking: &Value) -> String {
    booking["id"].as_str().unwrap().to_owned()
}

/// The booking as the command line has it.
fn shown(daemon: &Daemon, id: &str) -> Value {
    let output = daemon.command(&["bookings", "show", id, "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn wait_shown(daemon: &Daemon, id: &str, state: &str) -> Value {
    eventually(&format!("the booking is {state}"), ON_THE_SERVER, async || {
        let booking = shown(daemon, id);
        (booking["state"] == state).then_some(booking)
    })
    .await
}

#[tokio::test]
async fn a_link_opens_the_desk_once_by_its_button_and_a_session_ends_when_it_is_told_to() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("link").await;
    let config = Config::new(&calendar);
    let toml_embed = "embed = [\"https://www.example.edu\"]";
    let daemon = Daemon::start(config).await;
    // Framing is allowed for guests' pages from here on.
    let text = std::fs::read_to_string(daemon.config_path()).unwrap();
    std::fs::write(daemon.config_path(), text.replacen("[store]", &format!("{toml_embed}\n[store]"), 1)).unwrap();
    eventually("guests' pages may be framed", ONE_POLL, async || {
        let policy = daemon.get("/noether?embed=1").await.header("content-security-policy").to_owned();
        policy.contains("https://www.example.edu").then_some(())
    })
    .await;

    let link = desk_link(&daemon, "noether");
    let path = link.strip_prefix(&daemon.url("")).unwrap().to_owned();
    assert!(path.starts_with("/desk/in/") && path.len() == "/desk/in/".len() + 22, "{path}");
    let mut seat = Seat::outside(&daemon);
    for _ in 0..3 {
        assert_eq!(daemon.request("HEAD", &path).await.status, 200);
        let page = seat.get(&path).await;
        assert!(page.status == 200 && page.text().contains("Emmy Noether") && page.header("set-cookie").is_empty());
    }
    // One who has not read the page, and one that another site sends.
    assert_eq!(seat.post_as(&path, &[], &[]).await.status, 403);
    let form = seat.form.clone();
    for header in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        assert_eq!(seat.post_as(&path, &[("form", &form)], &[header]).await.status, 403, "{header:?}");
    }
    // Whoever plants a cookie before has nothing of it: the session gets another name.
    let planted = format!("officehours-desk={}", "A".repeat(43));
    seat.cookie = planted.clone();
    let opened = seat.post(&path, &[]).await;
    assert_eq!((opened.status, opened.header("location")), (303, "/desk"));
    let set = opened.header("set-cookie").to_owned();
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/;", "; Max-Age=604800"] {
        assert!(set.contains(attribute), "{attribute} in {set}");
    }
    assert!(!set.contains("Secure") && !set.contains("Domain"), "http on loopback: {set}");
    assert_ne!(seat.cookie, planted);
    let session = seat.cookie.clone();
    seat.cookie = planted;
    assert!(seat.get("/desk").await.text().contains("Open your desk"));
    seat.cookie = session.clone();

    let page = seat.get("/desk?embed=1").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Sign out"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(page.header("content-security-policy").ends_with("frame-ancestors 'none'"));
    assert!(page.header("content-encoding").is_empty(), "its length tells nothing");

    // Used is used.
    let mut other = Seat::outside(&daemon);
    assert_eq!(other.get(&path).await.status, 404);
    other.form = form;
    let replayed = other.post(&path, &[]).await;
    assert_eq!((replayed.status, replayed.header("set-cookie")), (404, ""));

    // The token of the session and of the link are in no file.
    let value = session.split_once('=').unwrap().1;
    let secret_of_link = path.rsplit('/').next().unwrap();
    for entry in std::fs::read_dir(daemon.folder()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(value) && !text.contains(secret_of_link));
    }

    assert_eq!(seat.post_as("/desk/out", &[], &[]).await.status, 403, "no form of this page");
    assert_eq!(seat.get("/desk/past").await.status, 200);
    let out = seat.post("/desk/out", &[]).await;
    assert!(out.status == 303 && out.header("set-cookie").contains("Max-Age=0"));
    seat.cookie.clone_from(&session);
    let after = seat.get("/desk/past").await;
    assert_eq!((after.status, after.header("location")), (303, "/desk"), "ended at the server too");

    // All at once.
    let mut one = Seat::of(&daemon, "noether").await;
    let mut two = Seat::of(&daemon, "noether").await;
    let unused = desk_link(&daemon, "noether");
    let revoked = daemon.command(&["desk-link", "noether", "--revoke", "--json"]);
    let revoked: Value = serde_json::from_slice(&revoked.stdout).unwrap();
    assert_eq!(revoked["sessions_ended"], 2);
    assert_eq!((one.get("/desk/past").await.status, two.get("/desk/past").await.status), (303, 303));
    assert_eq!(daemon.get(unused.strip_prefix(&daemon.url("")).unwrap()).await.status, 404);
    let json: Value = serde_json::from_slice(&daemon.command(&["desk-link", "noether", "--json"]).stdout).unwrap();
    assert!(json["url"].as_str().unwrap().contains("/desk/in/") && json["expires_at"].is_string());
    assert_eq!(daemon.command(&["desk-link", "nobody"]).status.code(), Some(2));
    assert!(!daemon.log().contains(value) && !daemon.log().contains(secret_of_link));
}

#[tokio::test]
async fn a_host_decides_moves_cancels_and_notes_and_the_calendar_follows() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let calendar = server.calendar("acts").await;
    let daemon = Daemon::start(Config { more: smtp.section(), ..Config::new(&calendar).meetings(meetings()) }).await;
    let day = Day::ahead(3);
    let ada = daemon.book_confirmed("chat", day.at("09:00"), "Ada Lovelace").await;
    let grace = daemon.book("exam", day.at("10:00"), "Grace Hopper").await.expect(201);
    let alan = daemon.book("exam", day.at("11:00"), "Alan Turing").await.expect(201);
    // Nobody decides before they are asked.
    smtp.messages(4, Duration::from_secs(60)).await;
    let mut seat = Seat::of(&daemon, "noether").await;
    let page = seat.get("/desk").await.text();
    for part in ["Ada Lovelace", "Grace Hopper", "Waiting for you", "09:00", "Office hour", "Approve"] {
        assert!(page.contains(part), "{part} in {page}");
    }

    let to = |booking: &Value| format!("/desk/b/{}", id(booking));
    let done = seat.post(&to(&grace), &[("do", "approve"), ("back", "desk")]).await;
    assert_eq!((done.status, done.header("location").starts_with("/desk#b-")), (303, true));
    wait_shown(&daemon, &id(&grace), "confirmed").await;
    let no = [("do", "decline"), ("word", "That week I am away.\r\nPlease ask in June.")];
    assert_eq!(seat.post(&to(&alan), &no).await.status, 303);
    wait_shown(&daemon, &id(&alan), "declined").await;

    // A note is the host's alone: not in the guest's page, not in a mail, not on the calendar.
    let note = "Bring the red <b>folder</b>";
    assert_eq!(seat.post(&to(&ada), &[("do", "note"), ("note", note)]).await.status, 303);
    let noted = seat.get(&to(&ada)).await.text();
    assert!(noted.contains("Bring the red &#60;b&#62;folder"), "{noted}");
    assert!(!daemon.get(&format!("/b/{}", token(&ada))).await.text().contains("red"));
    assert_eq!(shown(&daemon, &id(&ada))["host_note"], note);

    // To a slot that is free, then to one that is not, then over everything.
    let moving = format!("{}/move", to(&ada));
    let choices = seat.get(&moving).await.text();
    let free = day.at("11:30").to_string();
    assert!(choices.contains(&free) && !choices.contains(&day.at("10:00").to_string()), "{choices}");
    assert_eq!(seat.post(&moving, &[("start", &free)]).await.status, 303);
    let moved = daemon.wait_state(&token(&ada), "confirmed").await;
    assert_eq!(moved["start"], json!(free));
    assert_eq!(seat.post(&moving, &[("start", &day.at("10:00").to_string())]).await.status, 422);
    assert_eq!(seat.post(&moving, &[("date", ""), ("time", "10:00")]).await.status, 422);
    assert_eq!(seat.post(&moving, &[("date", "2020-01-01"), ("time", "10:00")]).await.status, 422);
    let (date, evening) = (day.0.to_string(), day.at("20:15"));
    assert_eq!(seat.post(&moving, &[("date", &date), ("time", "20:15")]).await.status, 303);
    assert_eq!(daemon.wait_state(&token(&ada), "confirmed").await["start"], json!(evening.to_string()));
    eventually("the event is there", ON_THE_SERVER, async || {
        let events = calendar.events().await;
        events.iter().any(|event| event["uid"] == ada["id"] && event["start"] == evening.to_string()).then_some(())
    })
    .await;

    let word = "I have a cold.";
    assert_eq!(seat.post(&to(&ada), &[("do", "cancel"), ("word", word)]).await.status, 303);
    daemon.wait_state(&token(&ada), "cancelled").await;
    eventually("one event is left", ON_THE_SERVER, async || (calendar.events().await.len() == 1).then_some(())).await;
    assert_eq!(seat.post(&to(&ada), &[("do", "approve")]).await.status, 409);
    assert_eq!(seat.post(&to(&ada), &[("do", "came")]).await.status, 409, "it was called off");
    assert_eq!(seat.post(&to(&grace), &[("do", "came")]).await.status, 409, "it is ahead");

    // To Ada: invited, moved twice by the host, called off with a word. To Alan: declined with one. To Grace: invited. To the host: two
    // bookings, and two to decide on.
    let messages = smtp.messages(10, Duration::from_secs(60)).await;
    let to_guest = |address: &str| {
        let of = |message: &&Value| message["headers"]["x-rcptto"] == address;
        messages
            .iter()
            .filter(of)
            .map(|message| message["text"].as_str().unwrap().replace("\r\n", "\n"))
            .collect::<Vec<_>>()
    };
    let ada = to_guest("ada.lovelace@example.org");
    assert_eq!(ada.len(), 4, "{ada:?}");
    assert!(ada[1].contains("Emmy Noether has moved it") && ada[2].contains("Emmy Noether has moved it"), "{ada:?}");
    assert!(ada[3].contains("Emmy Noether: I have a cold."), "{ada:?}");
    let alan = to_guest("alan.turing@example.org");
    assert!(alan[0].contains("Emmy Noether: That week I am away.\n\nPlease ask in June."), "{alan:?}");
    assert!(!messages.iter().any(|message| message.to_string().contains("red <b>folder")));
    let past = seat.get("/desk/past").await.text();
    assert!(past.contains("Ada Lovelace") && past.contains("Cancelled") && past.contains("Declined"));
}

#[tokio::test]
async fn who_came_is_noted_and_exported_and_forgotten_with_the_guest() {
    let Some((_, daemon)) = daemon("marks").await else { return };
    let booking = daemon.book_confirmed("chat", Day::ahead(3).at("09:00"), "Zaphod Beeblebrox").await;
    let (id, token) = (id(&booking), token(&booking));
    let mut seat = Seat::of(&daemon, "noether").await;
    // The host overrules the hours: it begins in a moment.
    let soon = (now() + SignedDuration::from_secs(3)).in_tz("Europe/Berlin").unwrap();
    let (date, time) = (soon.date().to_string(), soon.time().strftime("%H:%M:%S").to_string());
    let moved = seat.post(&format!("/desk/b/{id}/move"), &[("date", &date), ("time", &time)]).await;
    assert_eq!(moved.status, 303, "{}", moved.text());
    let path = format!("/desk/b/{id}");
    eventually("it has begun", Duration::from_secs(20), async || {
        (seat.post(&path, &[("do", "missed")]).await.status == 303).then_some(())
    })
    .await;
    assert_eq!(seat.post(&path, &[("do", "note"), ("note", "=HYPERLINK(1)")]).await.status, 303);
    let csv = seat.get("/desk/export/bookings.csv").await;
    assert!(csv.header("content-disposition").contains("bookings.csv") && csv.header("cache-control") == "no-store");
    let csv = csv.text();
    assert!(csv.lines().next().unwrap().ends_with("host_note,attendance"));
    assert!(csv.contains(",'=HYPERLINK(1),missed\r\n"), "{csv}");
    assert_eq!(csv, String::from_utf8(daemon.command(&["bookings", "export"]).stdout).unwrap(), "the same operation");
    let json = seat.get("/desk/export/bookings.json").await.expect(200);
    assert_eq!((&json[0]["attendance"], &json[0]["name"]), (&json!("missed"), &json!("Zaphod Beeblebrox")));
    assert_eq!(seat.get("/desk/export/bookings.xml").await.status, 404);
    assert_eq!(seat.post(&path, &[("do", "unmark")]).await.status, 303);
    assert_eq!(shown(&daemon, &id)["attendance"], Value::Null);
    assert_eq!(seat.post(&path, &[("do", "came")]).await.status, 303);

    let note = "unmistakable-note";
    assert_eq!(seat.post(&path, &[("do", "note"), ("note", note)]).await.status, 303);
    // What is called off can be forgotten, whether or not it is over.
    assert!(daemon.command(&["bookings", "cancel", &id]).status.success());
    daemon.wait_state(&token, "cancelled").await;
    let in_a_file = || {
        let files = std::fs::read_dir(daemon.folder()).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().any(|path| {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(note.len()).any(|part| part == note.as_bytes())
        })
    };
    assert!(in_a_file());
    eventually("no file has the note", Duration::from_secs(30), async || {
        daemon.command(&["bookings", "forget", "--guest", "zaphod.beeblebrox@example.org"]);
        (!in_a_file()).then_some(())
    })
    .await;
    assert_eq!(seat.get(&path).await.status, 404);
}

#[tokio::test]
async fn while_booking_is_paused_nothing_is_on_offer_and_what_is_booked_stays() {
    let Some((calendar, daemon)) = daemon("pause").await else { return };
    let day = Day::ahead(3);
    let booking = daemon.book_confirmed("chat", day.at("09:00"), "Ada Lovelace").await;
    let mut seat = Seat::of(&daemon, "noether").await;
    assert!(daemon.get("/noether.ics").await.text().contains("BEGIN:VEVENT"));

    let until = Day::ahead(10).0;
    assert_eq!(seat.post("/desk/pause", &[("do", "pause"), ("until", "2020-01-01")]).await.status, 422);
    assert_eq!(seat.post("/desk/pause", &[("do", "pause"), ("until", &until.to_string())]).await.status, 303);
    assert!(daemon.starts("chat", day).await.is_empty());
    assert!(!daemon.get("/noether.ics").await.text().contains("BEGIN:VEVENT"));
    let refused = daemon.book("chat", day.at("10:00"), "Grace Hopper").await;
    refused.expect_problem(409, "/slot-taken");
    let month = until.strftime("%B").to_string();
    for path in ["/noether", "/noether/chat", &format!("/b/{}/move", token(&booking))] {
        let page = daemon.get(path).await;
        let text = page.text();
        assert_eq!(page.status, 200, "{path}");
        assert!(text.contains("takes new bookings again from") && text.contains(&month), "{path}: {text}");
    }
    let slot = daemon.get(&format!("/noether/chat/{}", day.at("10:00"))).await.text();
    assert!(slot.contains("No new bookings at the moment"), "{slot}");
    assert!(seat.get("/desk").await.text().contains("You take no new bookings until"));
    let explained = daemon.command(&["explain", "noether/chat", &day.at("10:00").to_string()]);
    let explained = String::from_utf8(explained.stdout).unwrap();
    assert!(explained.contains("pause: the host takes no new bookings until"), "{explained}");
    let query = format!("/desk/explain?meeting=chat&date={}&time=10:00", day.0);
    assert!(seat.get(&query).await.text().contains("the host takes no new bookings until"));
    // What is booked stays, the host may still move it, and its guest call it off.
    assert_eq!(daemon.booking(&token(&booking)).await["state"], "confirmed");
    seat.get("/desk").await;
    let moving = format!("/desk/b/{}/move", id(&booking));
    assert_eq!(seat.post(&moving, &[("start", &day.at("11:00").to_string())]).await.status, 303);
    daemon.cancel(&token(&booking)).await.expect(200);
    eventually("the event is gone", ON_THE_SERVER, async || calendar.events().await.is_empty().then_some(())).await;

    assert_eq!(seat.post("/desk/pause", &[("do", "resume")]).await.status, 303);
    assert_eq!(daemon.starts("chat", day).await.len(), 6);
    daemon.book("chat", day.at("10:00"), "Grace Hopper").await.expect(201);

    // The same at the command line, while the daemon runs.
    let paused = daemon.command(&["pause", "noether", "--until", &until.to_string(), "--json"]);
    let paused: Value = serde_json::from_slice(&paused.stdout).unwrap();
    assert_eq!((&paused["paused"], &paused["until"]), (&json!(true), &json!(Day(until).at("00:00").to_string())));
    eventually("nothing is on offer", ONE_POLL, async || daemon.starts("chat", day).await.is_empty().then_some(()))
        .await;
    assert_eq!(daemon.command(&["pause", "noether", "--until", "2020-01-01"]).status.code(), Some(2));
    let resumed: Value = serde_json::from_slice(&daemon.command(&["resume", "noether", "--json"]).stdout).unwrap();
    assert_eq!(resumed["was_paused"], true);
    eventually("it is on offer", ONE_POLL, async || (!daemon.starts("chat", day).await.is_empty()).then_some(())).await;
    assert!(String::from_utf8(daemon.command(&["resume", "noether"]).stdout).unwrap().contains("already"));
}

#[tokio::test]
async fn the_desk_tells_how_the_calendars_do_and_what_was_not_understood() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("health").await;
    let (folder, day) = (tempfile::tempdir().unwrap(), Day::ahead(4));
    let account_lines = format!("[[host.folder]]\npath = \"{}\"\n", folder.path().display());
    let config = Config { account_lines, ..Config::new(&calendar) };
    let daemon = Daemon::start(config.meetings(meetings())).await;
    let lines =
        |from: &str, to: &str| [format!("DTSTART:{}", stamp(day.at(from))), format!("DTEND:{}", stamp(day.at(to)))];
    let [start, end] = lines("09:00", "10:00");
    calendar.put("private.ics", &event("private", &[&start, &end, "SUMMARY:Oncology appointment"])).await;
    let [start, end] = lines("11:00", "12:00");
    let odd = ["RRULE:FREQ=SOMETIMES", "SUMMARY:Now and then"];
    // No server would take it.
    let odd = event("odd-event", &[&[start.as_str(), &end][..], &odd].concat());
    std::fs::write(folder.path().join("odd.ics"), odd).unwrap();
    let mut seat = Seat::of(&daemon, "noether").await;
    let page = eventually("the warning is told", ONE_POLL, async || {
        let page = seat.get("/desk/calendars").await.text();
        page.contains("odd-event").then_some(page)
    })
    .await;
    for part in ["work", "Read ", "Not understood"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let query = format!("/desk/explain?meeting=chat&date={}&time=09:30", day.0);
    eventually("it is explained", ONE_POLL, async || {
        let explained = seat.get(&query).await.text();
        (explained.contains("not on offer") && explained.contains("Oncology appointment")).then_some(())
    })
    .await;
    let query = format!("/desk/explain?meeting=chat&date={}&time=09:30", Day::ahead(3).0);
    assert!(seat.get(&query).await.text().contains("This time is on offer"));
    assert!(seat.get("/desk/explain?meeting=chat&date=x&time=09:30").await.text().contains("Please enter a date"));
    // In the language of the browser.
    let german = daemon.get_with("/desk/calendars", &[("cookie", &seat.cookie), ("accept-language", "de")]).await;
    assert!(german.text().contains("Nicht verstanden"));

    let text = std::fs::read_to_string(daemon.config_path()).unwrap();
    let (user, password) = (&calendar.server.user, &calendar.server.password);
    let wrong = text.replacen(&format!("password = \"{password}\""), "password = \"wrong\"", 1);
    assert_ne!(text, wrong, "{user}");
    std::fs::write(daemon.config_path(), wrong).unwrap();
    eventually("the trouble is told", ONE_POLL, async || {
        let page = seat.get("/desk/calendars").await.text();
        (page.contains("Cannot be read") && page.contains("next look in")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_host_gets_a_link_by_mail_and_nobody_learns_who_is_a_host() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let (calendar, other) = (server.calendar("asked").await, server.calendar("asked-too").await);
    let more = format!("{}{}", hilbert(&other), smtp.section());
    let daemon = Daemon::start(Config { more, ..Config::new(&calendar) }).await;
    let ask = async |address: &str| {
        let answer = daemon.post_form("/desk/link", &[("email", address)]).await;
        let shown = daemon.get(answer.header("location")).await.text();
        (answer.status, answer.header("location").to_owned(), shown)
    };
    assert!(daemon.get("/desk").await.text().contains("name=\"email\""));
    let known = ask(" NOETHER@example.edu ").await;
    assert_eq!((known.0, known.1.as_str()), (303, "/desk?sent=1"));
    assert_eq!(ask("nobody@example.edu").await, known);
    assert_eq!(ask("").await, known);
    assert_eq!(ask("dean@example.edu").await, known, "an alias");
    let messages = smtp.messages(2, Duration::from_secs(60)).await;
    let header = |index: usize, name: &str| messages[index]["headers"][name].as_str().unwrap().to_owned();
    assert_eq!(header(0, "to"), "Emmy Noether <noether@example.edu>");
    assert_eq!(
        (header(0, "subject"), header(0, "auto-submitted")),
        ("Your link to the desk".into(), "auto-generated".into())
    );
    // To the address of the config, whichever was typed, in the host's language.
    assert_eq!(header(1, "to"), "David Hilbert <hilbert@example.edu>");
    assert_eq!(header(1, "subject"), "Ihr Link zum Schreibtisch");
    let text = messages[1]["text"].as_str().unwrap();
    let link = text.split_whitespace().find(|word| word.contains("/desk/in/")).expect("a link");
    let mut seat = Seat::outside(&daemon);
    assert_eq!(seat.open(link).await.status, 303);
    // The browser asks for no language: the host's own.
    let desk = seat.get("/desk").await.text();
    assert!(desk.contains("David Hilbert") && desk.contains("Es stehen keine Buchungen an"), "{desk}");

    // Nor does the time tell.
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..3 {
        for (address, times) in ["noether@example.edu", "nobody@example.edu"].into_iter().zip(&mut times) {
            let begun = std::time::Instant::now();
            assert_eq!(daemon.post_form("/desk/link", &[("email", address)]).await.status, 303);
            times.push(begun.elapsed());
        }
    }
    let [a, b] = times.map(|mut times| {
        times.sort_unstable();
        times[1]
    });
    assert!(a.abs_diff(b) < Duration::from_millis(30), "{a:?} and {b:?}");
    // Ten times from one address, whoever is meant.
    assert_eq!(daemon.post_form("/desk/link", &[("email", "nobody@example.edu")]).await.status, 429);
    smtp.messages(5, Duration::from_secs(60)).await;
    assert!(!daemon.log().contains("nobody@example.edu") && !daemon.log().contains("/desk/in/"));
}
