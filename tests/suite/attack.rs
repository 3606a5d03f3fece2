//! What has gone wrong with services of this kind, each tried here: the lines G1 to G21 of the security checklist, by their numbers.

use crate::desk::hilbert;
use crate::support::{
    Config, Daemon, Day, Meeting, ON_THE_SERVER, Seat, Server, Smtp, client, desk_link, event, eventually, stamp, token,
};
use officehours::http::{Guard, Resource};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A daemon with a meeting type of each way to confirm, whose calendar has one private event.
async fn daemon(prefix: &str, limits: &str) -> Option<Daemon> {
    let server = Server::radicale()?;
    let calendar = server.calendar(prefix).await;
    let secret = Day::ahead(4);
    let lines = [
        format!("DTSTART:{}", stamp(secret.at("10:00"))),
        format!("DTEND:{}", stamp(secret.at("11:00"))),
        "SUMMARY:Oncology appointment".to_owned(),
        "LOCATION:Ward 9".to_owned(),
        "DESCRIPTION:Nobody may know".to_owned(),
        "ATTENDEE;CN=Dr. Grey:mailto:grey@hospital.example".to_owned(),
    ];
    calendar.put("secret.ics", &event("secret", &lines.each_ref().map(String::as_str))).await;
    let meetings =
        [Meeting::new("chat", "30m", "30m"), Meeting::new("exam", "30m", "30m").with("confirm = \"approval\"")];
    let config = Config::new(&calendar).meetings(meetings);
    let limits = if limits.is_empty() { config.limits.clone() } else { limits.to_owned() };
    Some(Daemon::start(Config { limits, ..config }).await)
}

fn stored(daemon: &Daemon) -> usize {
    let output = daemon.command(&["bookings", "list", "--all", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Value>(&output.stdout).unwrap().as_array().unwrap().len()
}

/// The host's token, as the event on the calendar has it.
fn host_token(daemon: &Daemon, events: &[Value], booking: &Value) -> String {
    let uid = booking["id"].as_str().unwrap();
    let event = events.iter().find(|event| event["uid"] == uid).unwrap();
    let text = event["description"].as_str().unwrap();
    text.split(&daemon.url("/h/")).nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

/// The path of a resource with this token.
fn filled(resource: Resource, token: &str) -> String {
    resource
        .path()
        .replace("{token}", token)
        .replace("{host}", "noether")
        .replace("{meeting}", "chat")
        .replace("{start}", &Day::ahead(3).at("11:00").to_string())
        .replace("{booking}", token)
        .replace("{file}", "bookings.csv")
        .replace("{asset}", "unknown.js")
        .replace("{problem}", "not-found")
}

async fn posted(daemon: &Daemon, path: &str, fields: &[(&str, &str)]) -> u16 {
    daemon.post_form(path, fields).await.status
}

#[tokio::test]
async fn g1_g2_every_route_behind_a_token_opens_by_that_token_and_no_other() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("routes").await;
    let daemon = Daemon::start(Config::new(&calendar).meetings([Meeting::new("chat", "30m", "30m")])).await;
    let day = Day::ahead(3);
    let mine = daemon.book_confirmed("chat", day.at("09:00"), "Ada Lovelace").await;
    let other = daemon.book_confirmed("chat", day.at("10:00"), "Grace Hopper").await;
    let events = calendar.events().await;
    let (guest, host) = (token(&mine), host_token(&daemon, &events, &mine));
    let flipped: String = guest.chars().rev().collect();
    let id = mine["id"].as_str().unwrap().to_owned();
    let forms = [("form", "x"), ("confirm", "yes"), ("decision", "cancel"), ("start", "2030-01-01T09:00:00Z")];
    let mut tried = 0;
    // The desk has a session instead of a token: below.
    let in_path = |r: &Resource| !matches!(r.guard(), Guard::Open | Guard::Watch | Guard::Desk);
    for resource in Resource::ALL.into_iter().filter(in_path) {
        // What is right for the one is wrong for the other; an id, a UID or nothing is right for none.
        let mut wrong = vec![String::new(), "x".into(), flipped.clone(), id.clone(), format!("{guest}A"), "..".into()];
        match resource.guard() {
            Guard::Guest => wrong.push(host.clone()),
            Guard::Host => wrong.push(guest.clone()),
            // No address of these bookings is to be confirmed.
            _ => wrong.extend([guest.clone(), host.clone()]),
        }
        for token in wrong {
            let path = filled(resource, &token);
            for method in ["GET", "POST", "DELETE", "PUT", "HEAD"] {
                let status = match method {
                    "POST" if path.starts_with("/api") => {
                        daemon.post_json(&path, &json!({"start": "2030-01-01T09:00:00Z"})).await.status
                    }
                    "POST" => posted(&daemon, &path, &forms).await,
                    _ => daemon.request(method, &path).await.status,
                };
                assert!([404, 405].contains(&status), "{method} {path} gives {status}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
    for booking in [&mine, &other] {
        assert_eq!(daemon.booking(&token(booking)).await["state"], "confirmed");
    }
    // The right one opens each that is to be read, and another's shows another's.
    for path in
        [format!("/b/{guest}"), format!("/b/{guest}/invitation.ics"), format!("/h/{host}"), format!("/b/{guest}/move")]
    {
        assert_eq!(daemon.get(&path).await.status, 200, "{path}");
    }
    let page = daemon.get(&format!("/b/{}", token(&other))).await.text();
    assert!(page.contains("Grace") && !page.contains("Ada") && !page.contains(&guest));
}

#[tokio::test]
async fn g1_g4_the_desk_opens_by_its_hosts_own_session_and_changes_by_a_form_of_it() {
    let Some(server) = Server::radicale() else { return };
    let (calendar, other_calendar) = (server.calendar("desk").await, server.calendar("desk-too").await);
    let config = Config { more: hilbert(&other_calendar), ..Config::new(&calendar) };
    let daemon = Daemon::start(config.meetings([Meeting::new("chat", "30m", "30m")])).await;
    let day = Day::ahead(3);
    let mine = daemon.book_confirmed("chat", day.at("09:00"), "Ada Lovelace").await;
    let id = mine["id"].as_str().unwrap().to_owned();
    let later = day.at("10:00").to_string();
    let fields = [("do", "cancel"), ("start", &*later), ("note", "x"), ("until", ""), ("email", "noether@example.edu")];

    let mut noether = Seat::of(&daemon, "noether").await;
    let mut hilbert = Seat::of(&daemon, "hilbert").await;
    let mut left = Seat::of(&daemon, "noether").await;
    let gone = left.cookie.clone();
    assert_eq!(left.post("/desk/out", &[]).await.status, 303);
    let link = desk_link(&daemon, "noether");
    let name = noether.cookie.split('=').next().unwrap().to_owned();
    let wrong = [
        String::new(),
        format!("{name}="),
        format!("{name}=x"),
        format!("{name}={}", "A".repeat(43)),
        gone,
        // What opens something else opens nothing here.
        format!("{name}={}", token(&mine)),
        format!("{name}={}", link.rsplit('/').next().unwrap()),
        format!("{name}={}", noether.form),
        noether.cookie.replace(&name, "__Host-officehours-desk"),
    ];
    let at_desk = || Resource::ALL.into_iter().filter(|resource| resource.guard() == Guard::Desk);
    assert!(at_desk().count() >= 9);
    let mut tried = 0;
    for resource in at_desk() {
        let path = filled(resource, &id);
        for cookie in &wrong {
            let mut seat = Seat::outside(&daemon);
            seat.cookie.clone_from(cookie);
            let seen = seat.get(&path).await;
            assert!([200, 303, 405].contains(&seen.status), "{path}: {}", seen.status);
            if seen.status == 200 {
                assert!(resource == Resource::Desk && seen.text().contains("Open your desk"), "{path}");
            }
            assert!(!seen.text().contains("Ada") && !seen.text().contains("Noether"), "{path}");
            assert_eq!(seen.header("set-cookie"), "");
            // Even with a token of a page of the right session.
            let form = noether.form.clone();
            let posted = seat.post_as(&path, &[&[("form", &*form)], &fields[..]].concat(), &[]).await;
            assert!([303, 405].contains(&posted.status), "POST {path}: {}", posted.status);
            assert!(posted.status == 405 || posted.header("location") == "/desk", "{path}");
            tried += 2;
        }
        // Another host in a session of their own, with its own form and with the other's.
        if path.contains(&id) {
            assert!([404, 405].contains(&hilbert.get(&path).await.status), "{path}");
            assert_eq!(hilbert.get("/desk/past").await.status, 200);
            let posted = hilbert.post(&path, &fields).await;
            assert!([404, 422].contains(&posted.status), "{path}: {}", posted.status);
        } else {
            let seen = hilbert.get(&path).await.text();
            assert!(!seen.contains("Ada") && !seen.contains("Emmy"), "{path}: {seen}");
        }
        for form in ["", "x", &noether.form.clone()] {
            let posted = hilbert.post_as(&path, &[&[("form", form)], &fields[..]].concat(), &[]).await;
            assert!([403, 405].contains(&posted.status), "{path} with {form:?}: {}", posted.status);
        }
        // The host's own browser, sent by another site or without a form of the desk.
        let form = noether.form.clone();
        for header in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
        {
            let posted = noether.post_as(&path, &[&[("form", &*form)], &fields[..]].concat(), &[header]).await;
            assert_eq!(posted.status, 403, "{path} from {header:?}");
        }
        let posted = noether.post_as(&path, &fields, &[]).await;
        assert!([403, 405].contains(&posted.status), "{path}: {}", posted.status);
        for method in ["PUT", "DELETE", "PATCH"] {
            assert_eq!(daemon.request(method, &path).await.status, 405, "{method} {path}");
        }
    }
    assert!(tried > 100, "{tried}");
    for (header, expected) in [("cross-site", 403), ("none", 303)] {
        let asked = Seat::outside(&daemon).post_as("/desk/link", &fields, &[("sec-fetch-site", header)]).await;
        assert_eq!(asked.status, expected);
    }
    assert_eq!(daemon.booking(&token(&mine)).await["state"], "confirmed");
    assert!(!daemon.starts("chat", day).await.is_empty(), "nobody has paused");
    assert_eq!(noether.get("/desk").await.status, 200, "the session is as it was");
    assert!(noether.get(&format!("/desk/b/{id}")).await.text().contains("Ada Lovelace"));
    // Another key of the links: no session and no link of before is good any more.
    let cookie = noether.cookie.clone();
    let mut daemon_again = daemon;
    assert!(daemon_again.terminate().success());
    assert!(daemon_again.command(&["new-key"]).status.success());
    daemon_again.start_again().await;
    let mut seat = Seat::outside(&daemon_again);
    seat.cookie = cookie;
    assert_eq!(seat.get("/desk/past").await.status, 303);
    assert_eq!(seat.get(link.strip_prefix(&daemon_again.url("")).unwrap()).await.status, 404);
}

#[tokio::test]
async fn g1_unknown_and_expired_tokens_have_one_answer_in_one_time() {
    let Some(mut daemon) = daemon("time", "").await else { return };
    let booking = daemon.book_confirmed("chat", Day::ahead(3).at("09:00"), "Ada Lovelace").await;
    let gone = token(&booking);
    assert!(daemon.terminate().success());
    // Another key: every link of before is revoked.
    assert!(daemon.command(&["new-key"]).status.success());
    daemon.start_again().await;
    daemon.wait_ready().await;
    let unknown = "A".repeat(22);
    let answer = async |token: &str| {
        let answer = daemon.get(&format!("/b/{token}")).await;
        (answer.status, answer.text().replace(token, "TOKEN"))
    };
    assert_eq!(answer(&gone).await, answer(&unknown).await);
    assert_eq!(answer(&gone).await.0, 404);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..40 {
        for (token, times) in [&gone, &unknown].into_iter().zip(&mut times) {
            let begun = Instant::now();
            answer(token).await;
            times.push(begun.elapsed());
        }
    }
    let [a, b] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    assert!(a.abs_diff(b) < Duration::from_millis(20), "{a:?} and {b:?}");
    assert_eq!(stored(&daemon), 1, "the booking is there, with other links");
}

#[tokio::test]
async fn g3_g4_no_get_and_no_lone_button_and_no_other_site_changes_a_booking() {
    let Some(daemon) = daemon("buttons", "").await else { return };
    let day = Day::ahead(3);
    let booking = daemon.book_confirmed("chat", day.at("09:00"), "Ada Lovelace").await;
    let guest = token(&booking);
    for resource in Resource::ALL {
        for method in ["GET", "HEAD", "OPTIONS"] {
            daemon.request(method, &filled(resource, &guest)).await;
        }
    }
    let to = day.at("10:00").to_string();
    let (cancel, moving) = (format!("/b/{guest}/cancel"), format!("/b/{guest}/move"));
    // A scanner that presses the button without the box, or that posts without having read the page.
    assert_eq!(posted(&daemon, &cancel, &[]).await, 422);
    assert_eq!(posted(&daemon, &cancel, &[("confirm", "yes")]).await, 422);
    assert_eq!(posted(&daemon, &cancel, &[("confirm", "yes"), ("form", "wrong")]).await, 422);
    assert_eq!(posted(&daemon, &moving, &[("start", &to)]).await, 422);
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = client().post(daemon.url(&cancel)).header(name, value);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body("confirm=yes");
        assert_eq!(request.send().await.unwrap().status(), 403);
    }
    let now = daemon.booking(&guest).await;
    assert_eq!((&now["state"], &now["start"]), (&json!("confirmed"), &booking["start"]));

    let page = daemon.get(&format!("/b/{guest}")).await.text();
    let form = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(posted(&daemon, &moving, &[("start", &to), ("form", form)]).await, 303);
    assert_eq!(posted(&daemon, &cancel, &[("confirm", "yes"), ("form", form)]).await, 303);
    assert_eq!(daemon.booking(&guest).await["state"], "cancelled");
    for path in [format!("/b/{guest}"), "/noether/chat".into(), "/".into()] {
        assert_eq!(daemon.get(&path).await.header("set-cookie"), "", "there is no ambient authority: {path}");
    }
}

/// Everything that ends a line somewhere, and what a parameter or a property may be made of.
const INJECTION: &str =
    "x\r\nATTENDEE:mailto:evil@example.org\rBEGIN:VALARM\u{b}a\u{c}b\u{85}c\u{2028}d\u{2029}e\";CN=\"f\\n,;:^n";

#[tokio::test]
async fn g5_nothing_that_is_typed_leaves_its_property() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("inject").await;
    let questions = "questions = [{ id = \"topic\", label = \"Topic?\" }]";
    let daemon =
        Daemon::start(Config::new(&calendar).meetings([Meeting::new("chat", "30m", "30m").with(questions)])).await;
    let body = |start: &str, name: &str, note: &str| json!({"start": start, "name": name, "email": "ada@example.org", "note": note, "answers": {"topic": note}});
    let day = Day::ahead(3);
    let path = Daemon::bookings_path("chat");
    let plain = daemon.post_json(&path, &body(&day.at("09:00").to_string(), "Ada", "plain")).await.expect(201);
    for (field, value) in [("name", json!(INJECTION)), ("email", json!(format!("ada{INJECTION}@example.org")))] {
        let mut body = body(&day.at("10:00").to_string(), "Ada", "");
        body[field] = value;
        daemon.post_json(&path, &body).await.expect(422);
    }
    let quoted = "Ada \"; CN=x\" ^n , ; : \\n <b>";
    let hostile = daemon.post_json(&path, &body(&day.at("10:00").to_string(), quoted, INJECTION)).await.expect(201);
    for booking in [&plain, &hostile] {
        daemon.wait_state(&token(booking), "confirmed").await;
    }
    let events = calendar.events().await;
    let of = |booking: &Value| events.iter().find(|event| event["uid"] == booking["id"]).unwrap();
    for what in ["properties", "components", "calendar_properties"] {
        assert_eq!(of(&plain)[what], of(&hostile)[what], "the same {what}");
    }
    assert_eq!(of(&hostile)["summary"], format!("Office hour: {quoted}"));
    let lines = async |booking: &Value| {
        let text = daemon.get(&format!("/b/{}/invitation.ics", token(booking))).await.text();
        assert!(
            !text.replace("\r\n", "").contains(['\r', '\n', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']),
            "{text:?}"
        );
        let names = text.replace("\r\n ", "");
        names.lines().map(|line| line.split([':', ';']).next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&plain).await, lines(&hostile).await, "the same lines in the invitation");
    // On the terminal of the host a booking is a line.
    let listed = daemon.command(&["bookings", "list"]);
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 2);
    assert!(!daemon.log().contains("evil@example.org"));
}

#[tokio::test(flavor = "multi_thread")]
async fn g6_a_subscription_leads_to_no_private_address_by_a_redirect() {
    let (Some(server), Some(daemon)) = (Server::radicale(), daemon("inner", "").await) else { return };
    let inner = daemon.url("/noether.ics");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outer = format!("http://{}/calendar.ics", listener.local_addr().unwrap());
    let redirecting = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let _ = stream.read(&mut [0; 4096]).await;
            let answer =
                format!("HTTP/1.1 302 Found\r\nLocation: {inner}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let calendar = server.calendar("outer").await;
    let config = Config::new(&calendar);
    let lines = format!("{}\n[[host.subscription]]\nurl = \"{outer}\"\n", config.account_lines);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("officehours.toml");
    std::fs::write(&path, Config { account_lines: lines, ..config }.toml()).unwrap();
    let output = crate::support::officehours(&["--config", path.to_str().unwrap(), "sync"]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && said.contains("private"), "{said}");
    redirecting.abort();
}

#[tokio::test]
async fn g7_g9_mail_has_our_headers_alone_and_says_nothing_to_an_unconfirmed_address() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let calendar = server.calendar("headers").await;
    let meetings = [Meeting::new("chat", "30m", "30m"), Meeting::new("visa", "30m", "30m").with("confirm = \"email\"")];
    let config = Config { more: smtp.section(), ..Config::new(&calendar) }.meetings(meetings);
    let daemon = Daemon::start(config).await;
    let day = Day::ahead(3);
    let name = "Ada, \"Countess\" <ada@evil.example> Lövelace";
    let body = |start: String, note: &str| json!({"start": start, "name": name, "email": "ada@example.org", "note": note, "answers": {}});
    let spam = "Buy at https://spam.example now";
    daemon.post_json(&Daemon::bookings_path("visa"), &body(day.at("09:00").to_string(), spam)).await.expect(201);
    let first = smtp.messages(1, Duration::from_secs(60)).await;
    let raw = String::from_utf8_lossy(&smtp.raw()[0]).into_owned();
    assert!(!raw.contains("spam.example") && !raw.contains("Countess"), "{raw}");
    assert_eq!(first[0]["headers"]["to"], "ada@example.org");

    daemon
        .post_json(&Daemon::bookings_path("chat"), &body(day.at("10:00").to_string(), "x\r\nBcc: all@example.org"))
        .await
        .expect(201);
    smtp.messages(3, Duration::from_secs(60)).await;
    for raw in smtp.raw() {
        let text = String::from_utf8_lossy(&raw).into_owned();
        let head = text.split("\r\n\r\n").next().unwrap_or(&text).split("\n\n").next().unwrap().to_lowercase();
        for header in ["from:", "to:", "subject:", "date:", "message-id:"] {
            assert_eq!(head.lines().filter(|line| line.starts_with(header)).count(), 1, "{header} once in {head}");
        }
        assert!(!head.lines().any(|line| line.starts_with("bcc:") || line.starts_with("cc:")), "{head}");
    }
}

#[tokio::test]
async fn g8_g18_nothing_of_a_busy_event_is_public_and_every_page_has_its_headers() {
    let Some(daemon) = daemon("leak", "").await else { return };
    let booking = daemon.book_confirmed("chat", Day::ahead(3).at("09:00"), "Ada Lovelace").await;
    let (busy, guest) = (Day::ahead(4), token(&booking));
    let (from, to) = busy.window();
    let mut pages: Vec<String> = Resource::ALL.into_iter().map(|resource| filled(resource, &guest)).collect();
    pages.extend([
        "/noether.ics".into(),
        "/noether/chat.ics".into(),
        "/noether/freebusy.ifb".into(),
        format!("/noether/chat/{}", busy.at("10:00")),
        format!("/noether/chat?day={}", busy.0),
        format!("/api/v1/hosts/noether/meetings/chat/slots?from={from}&to={to}"),
    ]);
    let secrets = ["Oncology", "Ward 9", "Nobody may know", "hospital.example", "Dr. Grey"];
    for path in &pages {
        let answer = daemon.get(path).await;
        let text = answer.text();
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "GET {path}: {text}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        if answer.header("content-type").starts_with("text/html") {
            let policy = answer.header("content-security-policy");
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{path}: {policy}"
            );
            assert!(
                !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("data:"),
                "{path}: {policy}"
            );
            assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
            assert!(["no-store", "no-cache"].contains(&answer.header("cache-control")), "{path}");
            // The policy would block them: a page that had one would be broken.
            let lower = text.to_lowercase();
            for inline in [" style=", "<style", " onclick=", " onload=", "javascript:", "<script>"] {
                assert!(!lower.contains(inline), "{inline} in {path}");
            }
            assert!(!lower.replace("<script type=\"module\" src=\"/-/", "").contains("<script"), "{path}");
        }
        if path.contains(&guest) && answer.status < 400 {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    }
    let body = json!({"start": busy.at("10:00").to_string(), "name": "Eve", "email": "eve@example.org"});
    let taken = daemon.post_json(&Daemon::bookings_path("chat"), &body).await;
    assert_eq!(taken.status, 409);
    let booked = json!({"start": Day::ahead(3).at("09:00").to_string(), "name": "Eve", "email": "eve@example.org"});
    let booked = daemon.post_json(&Daemon::bookings_path("chat"), &booked).await;
    assert_eq!(taken.json()["detail"], booked.json()["detail"], "a meeting and a booking cannot be told apart");
    assert!(secrets.iter().all(|secret| !taken.text().contains(secret)));
    let log = daemon.log();
    for secret in [guest.as_str(), "Ada", "ada.lovelace", "Oncology", "BEGIN:VEVENT"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn g10_limits_outlast_a_restart_and_believe_no_stranger_about_addresses() {
    let limits = "bookings_per_ip = \"2/1h\"\nrequests_per_ip = \"30/1h\"\n";
    let Some(mut daemon) = daemon("limits", limits).await else { return };
    let day = Day::ahead(3);
    let book = async |daemon: &Daemon, time: &str, forwarded: &str| {
        let body = json!({"start": day.at(time).to_string(), "name": "Ada", "email": format!("ada{time}@example.org").replace(':', "-")});
        let request = client().post(daemon.url(&Daemon::bookings_path("chat"))).header("x-forwarded-for", forwarded);
        let sent = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        sent.status().as_u16()
    };
    assert_eq!(book(&daemon, "09:00", "198.51.100.1").await, 201);
    assert_eq!(book(&daemon, "09:30", "198.51.100.2").await, 201);
    assert_eq!(book(&daemon, "11:00", "198.51.100.3").await, 429, "the peer is no trusted proxy");
    let mut refused = 0;
    for _ in 0..40 {
        refused += u32::from(daemon.get("/noether").await.status == 429);
    }
    assert!(refused > 0);
    assert_eq!(daemon.get("/noether.ics").await.status, 200, "feeds are not limited");
    assert!(daemon.terminate().success());
    daemon.start_again().await;
    eventually("it serves", Duration::from_secs(30), async || {
        (daemon.get("/healthz").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(daemon.get("/noether").await.status, 429, "requests are counted over a restart");
    daemon.kill();
    daemon.start_again().await;
    eventually("it serves", Duration::from_secs(30), async || {
        (daemon.get("/healthz").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(daemon.get("/noether").await.status, 429, "and over kill -9");
}

#[tokio::test]
async fn g11_g12_who_is_blocked_or_has_enough_is_not_told_and_robots_are_caught() {
    let limits = "block = [\"*@spam.example\", \"203.0.113.0/24\"]\nopen_per_guest = 1\nbookings_in_all = \"3/1h\"\n";
    let Some(daemon) = daemon("blocked", limits).await else { return };
    let day = Day::ahead(3);
    let book = async |time: &str, email: &str| {
        let body = json!({"start": day.at(time).to_string(), "name": "Ada", "email": email});
        daemon.post_json(&Daemon::bookings_path("chat"), &body).await
    };
    book("09:00", "ada@example.org").await.expect(201);
    let taken = book("09:00", "grace@example.org").await;
    let blocked = book("09:30", "eve@spam.example").await;
    assert_eq!((taken.status, blocked.status), (409, 409));
    assert_eq!(taken.json()["detail"], blocked.json()["detail"], "as if another had been quicker");
    let enough = book("11:00", "ADA@example.org").await;
    assert_eq!(enough.status, 409);
    assert!(!enough.text().contains("already"), "nothing is said of whose address it is: {}", enough.text());
    assert_eq!(stored(&daemon), 1);
    // A robot fills in every field.
    let path = format!("/noether/chat/{}", day.at("11:00"));
    let fields = [("name", "Bot"), ("email", "bot@example.org"), ("website", "https://spam.example")];
    assert_eq!(posted(&daemon, &path, &fields).await, 422);
    book("11:00", "b@example.org").await.expect(201);
    book("11:30", "c@example.org").await.expect(201);
    assert_eq!(book("09:30", "d@example.org").await.status, 429, "of all together");
}

#[tokio::test]
async fn g12_a_proof_of_work_is_asked_for_and_good_for_one_booking() {
    let Some(daemon) = daemon("proof", "proof_of_work = 10\n").await else { return };
    let day = Day::ahead(3);
    let path = Daemon::bookings_path("chat");
    let body = |time: &str, proof: &str| json!({"start": day.at(time).to_string(), "name": "Ada", "email": "ada@example.org", "proof": proof});
    let asked = daemon.post_json(&path, &body("09:00", "")).await.expect_problem(428, "/proof-of-work");
    let (challenge, bits) = (asked["challenge"].as_str().unwrap(), asked["bits"].as_u64().unwrap());
    let node = crate::support::need("node", std::process::Command::new("node").arg("--version").output().ok());
    if node.is_none() {
        return;
    }
    // By the very script of the page.
    let script = crate::support::root().join("src/http/pages/assets/proof.js");
    let run = format!(
        "import({:?}).then(async (m) => console.log(await m.solve({challenge:?}, {bits})))",
        format!("data:text/javascript;base64,{}", base64(&std::fs::read(script).unwrap()))
    );
    let solved = std::process::Command::new("node").args(["--input-type=module", "-e", &run]).output().unwrap();
    assert!(solved.status.success(), "{}", String::from_utf8_lossy(&solved.stderr));
    let proof = String::from_utf8(solved.stdout).unwrap().trim().to_owned();
    daemon.post_json(&path, &body("09:00", &proof)).await.expect(201);
    assert_eq!(daemon.post_json(&path, &body("09:30", &proof)).await.status, 429, "it is spent");
    daemon.post_json(&path, &body("09:30", &format!("{challenge}.0x"))).await.expect(428);
    // Without mail there is no other way, and the page says so.
    let page = daemon.get(&format!("/noether/chat/{}", day.at("11:00"))).await.text();
    assert!(page.contains("data-challenge=") && page.contains("/-/proof."));
    let fields = [("name", "Ada"), ("email", "ada@example.org")];
    let form = daemon.post_form(&format!("/noether/chat/{}", day.at("11:00")), &fields).await;
    assert!(form.status == 422 && form.text().contains("JavaScript"), "{}", form.text());
}

fn base64(bytes: &[u8]) -> String {
    use std::fmt::Write;
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.write_char(char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize])).unwrap();
        }
        text.push_str(&"=".repeat(3 - three.len()));
    }
    text
}

#[tokio::test]
async fn g13_of_guests_on_two_pages_at_overlapping_times_one_wins() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("two").await;
    let meetings = [Meeting::new("short", "20m", "10m"), Meeting::new("long", "60m", "10m")];
    let daemon = Daemon::start(Config::new(&calendar).meetings(meetings)).await;
    let day = Day::ahead(3);
    let (long, short) = tokio::join!(
        daemon.book("long", day.at("10:00"), "Ada Lovelace"),
        daemon.book("short", day.at("10:30"), "Grace Hopper"),
    );
    let mut statuses = [long.status, short.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    // The back button: the same form again is the same booking.
    let fields = [("name", "Eve"), ("email", "eve@example.org"), ("once", "0123456789abcdef")];
    let path = format!("/noether/short/{}", day.at("09:00"));
    let (first, again) = (daemon.post_form(&path, &fields).await, daemon.post_form(&path, &fields).await);
    assert_eq!((first.status, again.status), (303, 303));
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(stored(&daemon), 2);
}

#[tokio::test]
async fn g14_g15_no_page_runs_and_no_spreadsheet_calculates_what_a_guest_typed() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("html").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\" autofocus onfocus=\"alert(1)";
    let body = json!({"start": Day::ahead(3).at("09:00").to_string(), "name": evil, "email": "ada@example.org", "note": format!("=HYPERLINK(1)\n{evil}")});
    let booking = daemon.post_json(&Daemon::bookings_path("office-hour"), &body).await.expect(201);
    daemon.wait_state(&token(&booking), "confirmed").await;
    let host = host_token(&daemon, &calendar.events().await, &booking);
    for path in [format!("/b/{}", token(&booking)), format!("/h/{host}"), format!("/b/{}/move", token(&booking))] {
        let page = daemon.get(&path).await.text();
        assert!(
            !page.contains("<script>alert") && !page.contains("<img src=x") && !page.contains("\" autofocus"),
            "{path}"
        );
    }
    let form = daemon
        .post_form(
            &format!("/noether/office-hour/{}", Day::ahead(3).at("10:00")),
            &[("name", evil), ("email", "\"><b>")],
        )
        .await;
    assert_eq!(form.status, 422);
    assert!(!form.text().contains("<script>alert") && !form.text().contains("\"><b>"));
    for (number, name) in ["=1+1", "+1", "-1", "@SUM(A1)"].into_iter().enumerate() {
        let start = Day::ahead(5 + number as i64).at("09:00").to_string();
        let body = json!({"start": start, "name": name, "email": "x@example.org"});
        daemon.post_json(&Daemon::bookings_path("office-hour"), &body).await.expect(201);
    }
    let csv = String::from_utf8(daemon.command(&["bookings", "export"]).stdout).unwrap();
    for cell in ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "\"'=HYPERLINK(1)\n"] {
        assert!(csv.contains(cell), "{cell} in {csv}");
    }
}

#[tokio::test]
async fn g16_g19_no_redirect_leads_away_and_nothing_is_framed() {
    let Some(daemon) = daemon("away", "").await else { return };
    let path = format!("/noether/chat/{}?next=https://evil.example&tz=UTC", Day::ahead(3).at("09:00"));
    let fields =
        [("name", "Ada"), ("email", "ada@example.org"), ("next", "//evil.example"), ("return", "https://evil.example")];
    let booked = daemon.post_form(&path, &fields).await;
    assert_eq!(booked.status, 303);
    assert!(booked.header("location").starts_with("/b/"), "{}", booked.header("location"));
    for path in ["//evil.example", "//evil.example/noether", "/%2f%2fevil.example", "/noether//evil.example"] {
        let answer = daemon.get(path).await;
        assert!(!answer.header("location").contains("evil"), "{path}");
    }
    assert!(daemon.get("/noether").await.header("content-security-policy").contains("frame-ancestors 'none'"));
}

#[tokio::test]
async fn g17_no_password_is_ever_shown() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("secret").await;
    let password = "Tr0ub4dor-correct-horse";
    let config = Config { password: password.into(), ..Config::new(&calendar) };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("officehours.toml");
    for text in [
        config.toml(),
        config.toml().replace("poll =", "pol ="),
        config.toml().replace("password = \"", "password = 5 # \""),
    ] {
        std::fs::write(&path, text).unwrap();
        for arguments in [&["check"][..], &["sync"], &["calendars", "noether"]] {
            let output = crate::support::officehours(&[&["--config", path.to_str().unwrap()], arguments].concat());
            let said = [output.stdout, output.stderr].concat();
            assert!(
                !String::from_utf8_lossy(&said).contains(password),
                "{arguments:?}: {}",
                String::from_utf8_lossy(&said)
            );
        }
    }
}

#[tokio::test]
async fn g20_a_guest_is_forgotten_in_the_store_and_on_the_calendar() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("forget").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let day = Day::ahead(3);
    let mine = daemon.book_confirmed("office-hour", day.at("09:00"), "Zaphod Unmistakable").await;
    daemon.book_confirmed("office-hour", day.at("10:00"), "Ada Lovelace").await;
    let forget = |more: &[&str]| {
        daemon.command(&[&["bookings", "forget", "--guest", "ZAPHOD.unmistakable@example.org"], more].concat())
    };
    let refused = forget(&["--json"]);
    assert_eq!(refused.status.code(), Some(1), "one is ahead");
    assert_eq!(serde_json::from_slice::<Value>(&refused.stdout).unwrap()["ahead"], json!([mine["id"]]));
    let exported = daemon.command(&["bookings", "export", "--guest", "zaphod.unmistakable@example.org", "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&exported.stdout).unwrap()[0]["name"], "Zaphod Unmistakable");
    daemon.cancel(&token(&mine)).await.expect(200);
    eventually("the event is gone", ON_THE_SERVER, async || (calendar.events().await.len() == 1).then_some(())).await;
    // Our copy of the calendar follows at the next poll.
    daemon.wait_two_polls().await;
    let done = forget(&["--json"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(daemon.get(&format!("/b/{}", token(&mine))).await.status, 404);
    let in_files = || {
        let files = std::fs::read_dir(daemon.folder()).unwrap().map(|entry| entry.unwrap().path());
        let with_it = files.filter(|path| {
            let bytes = std::fs::read(path).unwrap_or_default().to_ascii_lowercase();
            bytes.windows(12).any(|part| part == b"unmistakable")
        });
        with_it.collect::<Vec<_>>()
    };
    eventually("no file names them", Duration::from_secs(30), async || {
        forget(&[]);
        in_files().is_empty().then_some(())
    })
    .await;
    assert_eq!(stored(&daemon), 1);
}

#[tokio::test]
async fn g21_a_link_that_is_looked_at_a_hundred_times_holds_nothing() {
    let Some(daemon) = daemon("looked", "").await else { return };
    let start = Day::ahead(3).at("09:00");
    for number in 0..100 {
        let method = if number % 2 == 0 { "GET" } else { "HEAD" };
        assert_eq!(daemon.request(method, &format!("/noether/chat/{start}")).await.status, 200);
    }
    assert!(daemon.starts("chat", Day::ahead(3)).await.contains(&start));
    daemon.book("chat", start, "Ada Lovelace").await.expect(201);
}
