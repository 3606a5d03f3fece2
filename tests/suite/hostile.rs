//! Bad input: every page and every API route with what strangers send. The right status, nothing stored, no panic.

use crate::support::{Config, Daemon, Day, Meeting, Server, raw, raw_status};
use serde_json::{Value, json};

async fn daemon(prefix: &str) -> Option<Daemon> {
    let server = Server::radicale()?;
    let calendar = server.calendar(prefix).await;
    let meeting = Meeting::new("office-hour", "30m", "30m")
        .with("questions = [{ id = \"topic\", label = \"What is it about?\", required = true }]");
    Some(Daemon::start(Config::new(&calendar).meetings([meeting, Meeting::new("chat", "30m", "30m")])).await)
}

fn stored(daemon: &Daemon) -> usize {
    let output = daemon.command(&["bookings", "list", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = document.as_array().or_else(|| document["bookings"].as_array());
    list.unwrap_or_else(|| panic!("no list in {document}")).len()
}

const API: &str = "/api/v1/hosts/noether/meetings/chat/bookings";

#[tokio::test]
async fn unknown_things_are_not_found() {
    let Some(daemon) = daemon("unknown").await else { return };
    let slot = Day::ahead(3).at("10:00");
    for path in [
        "/hilbert".to_owned(),
        "/hilbert.ics".to_owned(),
        "/hilbert/chat".to_owned(),
        "/hilbert/freebusy.ifb".to_owned(),
        format!("/hilbert/chat/{slot}"),
        "/noether/dance".to_owned(),
        "/noether/dance.ics".to_owned(),
        format!("/noether/dance/{slot}"),
        "/noether/chat/tomorrow".to_owned(),
        "/noether/chat/2026-13-45T99:00:00Z".to_owned(),
        format!("/noether/chat/{slot}/more"),
        "/b/unknown".to_owned(),
        "/b/unknown/invitation.ics".to_owned(),
        "/b/unknown/confirm".to_owned(),
        "/b/".to_owned(),
        "/h/unknown".to_owned(),
        "/../etc/passwd".to_owned(),
        "/%2e%2e/%2e%2e/etc/passwd".to_owned(),
        "/noether/%00".to_owned(),
        "/api/v1/hosts/hilbert/meetings/chat/slots?from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z".to_owned(),
        "/api/v1/hosts/noether/meetings/dance/slots?from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z".to_owned(),
        "/api/v1/bookings/unknown".to_owned(),
        "/api/v1/nothing".to_owned(),
        "/api/v2/hosts".to_owned(),
    ] {
        let answer = daemon.get(&path).await;
        assert_eq!(answer.status, 404, "GET {path}");
        assert!(!answer.text().contains("panicked"), "{path}");
        if path.starts_with("/api/v1/") {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        }
    }
    assert_eq!(daemon.get("/noether/%ff%fe").await.status, 400, "no text at all");
    // The hosts are listed only where the config says so.
    assert!(!daemon.get("/").await.text().contains("Noether"));
    let body = json!({"start": slot.to_string(), "name": "A", "email": "a@example.org"});
    for path in [
        "/api/v1/hosts/hilbert/meetings/chat/bookings",
        "/api/v1/hosts/noether/meetings/dance/bookings",
        "/api/v1/bookings/unknown/move",
    ] {
        assert_eq!(daemon.post_json(path, &body).await.status, 404, "POST {path}");
    }
    assert_eq!(daemon.request("DELETE", "/api/v1/bookings/unknown").await.status, 404);
    for path in ["/b/unknown/cancel", "/b/unknown/move", "/b/unknown/confirm", "/noether/dance/2026-12-01T10:00:00Z"] {
        assert_eq!(daemon.post_form(path, &[("name", "A")]).await.status, 404, "POST {path}");
    }
    assert_eq!(stored(&daemon), 0);
}

#[tokio::test]
async fn a_wrong_method_is_refused_with_the_right_ones() {
    let Some(daemon) = daemon("method").await else { return };
    let slot = Day::ahead(3).at("10:00");
    for path in [
        "/noether".to_owned(),
        "/noether/chat".to_owned(),
        "/noether.ics".to_owned(),
        "/noether/chat.ics".to_owned(),
        "/noether/freebusy.ifb".to_owned(),
        format!("/noether/chat/{slot}"),
        "/api/v1/hosts/noether/meetings/chat/slots".to_owned(),
        API.to_owned(),
        "/api/v1/openapi.json".to_owned(),
        "/healthz".to_owned(),
        "/readyz".to_owned(),
    ] {
        for method in ["PUT", "PATCH", "PROPFIND", "BREW"] {
            let answer = daemon.request(method, &path).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(!answer.header("allow").is_empty(), "{method} {path} says what is allowed");
        }
    }
    for path in ["/noether.ics", "/noether", "/healthz", "/noether/chat"] {
        assert_eq!(daemon.request("POST", path).await.status, 405, "POST {path}");
        assert_eq!(daemon.request("HEAD", path).await.status, 200, "HEAD {path}");
    }
    assert_eq!(daemon.get(API).await.status, 405);
    assert_eq!(stored(&daemon), 0);
}

#[tokio::test]
async fn what_is_no_slot_is_422_and_what_is_taken_409() {
    let Some(daemon) = daemon("nosl").await else { return };
    let day = Day::ahead(3);
    let past = Day::ahead(-3).at("10:00");
    for (start, why) in [
        (past, "past"),
        (day.at("10:07"), "off the grid"),
        (day.at("20:00"), "outside the hours"),
        (day.at("11:45"), "beyond the end of the hours"),
        (day.at("03:17"), "H3: any time is accepted"),
        (jiff::Timestamp::MAX, "the end of time"),
    ] {
        let answer = daemon.book("chat", start, "Ada Lovelace").await;
        let problem = answer.expect(422);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{why}");
        assert!(problem["type"].is_string(), "{problem}");
        let path = format!("/noether/chat/{}", start.strftime("%Y-%m-%dT%H:%M:%SZ"));
        let form = daemon.post_form(&path, &[("name", "Ada"), ("email", "ada@example.org")]).await;
        assert_eq!(form.status, 422, "the form, {why}");
    }
    assert_eq!(stored(&daemon), 0);

    daemon.book("chat", day.at("10:00"), "Ada Lovelace").await.expect(201);
    let taken = daemon.book("chat", day.at("10:00"), "Grace Hopper").await.expect_problem(409, "/slot-taken");
    let nearest: Vec<&str> =
        taken["alternatives"].as_array().unwrap().iter().filter_map(|slot| slot["start"].as_str()).collect();
    assert!(nearest.contains(&day.at("09:30").to_string().as_str()), "{nearest:?}");
    assert!(nearest.contains(&day.at("10:30").to_string().as_str()), "{nearest:?}");
    let path = format!("/noether/chat/{}", day.at("10:00"));
    let form = daemon.post_form(&path, &[("name", "Grace"), ("email", "grace@example.org")]).await;
    assert_eq!(form.status, 409);
    assert!(form.text().contains(&day.at("10:30").to_string()), "the page offers others");
    // Beyond the horizon is on the grid.
    let far = daemon.book("chat", Day::ahead(40).at("10:00"), "Grace Hopper").await;
    assert_eq!(far.status, 409, "{}", far.text());
    assert_eq!(stored(&daemon), 1);
}

#[tokio::test]
async fn wrong_fields_are_422_each_by_name_and_nothing_is_stored() {
    let Some(daemon) = daemon("fields").await else { return };
    let start = Day::ahead(3).at("10:00").to_string();
    let long = "x".repeat(20_000);
    let good = json!({"start": start, "name": "Ada", "email": "ada@example.org", "note": "", "answers": {}});
    let cases: Vec<(&str, Value)> = vec![
        ("name", json!("")),
        ("name", json!("   ")),
        ("name", json!(long)),
        ("name", json!("Ada\r\nATTENDEE:mailto:evil@example.org")),
        ("name", json!("Ada\rX")),
        ("name", json!("Ada\u{0}")),
        ("name", json!("Ada\u{85}X")),
        ("name", json!("Ada\u{2028}X")),
        ("name", json!("Ada\u{b}X")),
        ("email", json!("")),
        ("email", json!("ada")),
        ("email", json!("ada@")),
        ("email", json!("@example.org")),
        ("email", json!("ada@example.org\r\nBcc: all@example.org")),
        ("email", json!("ada@example.org, eve@example.org")),
        ("email", json!(format!("{long}@example.org"))),
        ("note", json!(long)),
        ("time_zone", json!("Mars/Olympus")),
        ("start", json!("tomorrow")),
        ("start", json!("")),
        ("start", json!("2026-12-01T10:00:00")),
    ];
    for (field, value) in cases {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = daemon.post_json(API, &body).await;
        let shown: String = value.to_string().chars().take(60).collect();
        assert_eq!(answer.status, 422, "{field} = {shown}: {}", answer.text());
        assert!(answer.text().contains(field), "{field} is named: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let mut missing = good.clone();
    missing.as_object_mut().unwrap().remove("email");
    let answer = daemon.post_json(API, &missing).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains("email"));

    // A required question, in the API and in the form, where what was typed is kept.
    let office_hour = Daemon::bookings_path("office-hour");
    let answer = daemon.post_json(&office_hour, &good).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("topic"), "{}", answer.text());
    let path = format!("/noether/office-hour/{start}");
    let form = daemon.post_form(&path, &[("name", "Ada <b>"), ("email", "wrong"), ("topic", "")]).await;
    assert_eq!(form.status, 422);
    let page = form.text();
    assert!(page.contains("Ada &lt;b&gt;") || page.contains("Ada &#60;b&#62;"), "{page}");
    assert!(!page.contains("Ada <b>"));
    assert!(page.contains("value=\"wrong\""), "what was typed stays");
    assert_eq!(stored(&daemon), 0);
}

#[tokio::test]
async fn a_line_break_in_a_note_stays_and_other_control_characters_go() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("note").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let note = "first\r\nATTENDEE:mailto:evil@example.org\u{7}\nBEGIN:VALARM";
    let body = json!({"start": Day::ahead(3).at("10:00").to_string(), "name": "Ada; \"Countess\", \\n", "email": "ada@example.org", "note": note, "answers": {}});
    let booking = daemon.post_json(&Daemon::bookings_path("office-hour"), &body).await.expect(201);
    daemon.wait_state(&crate::support::token(&booking), "confirmed").await;
    let events = calendar.events().await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event["summary"], "Office hour: Ada; \"Countess\", \\n");
    let description = event["description"].as_str().unwrap();
    assert!(description.contains("first\nATTENDEE:mailto:evil@example.org\nBEGIN:VALARM"), "{description:?}");
    assert!(!event["properties"].as_array().unwrap().contains(&json!("ATTENDEE")));
    let invitation = daemon.get(&format!("/b/{}/invitation.ics", crate::support::token(&booking))).await;
    assert_eq!(invitation.status, 200);
    assert!(!invitation.text().contains("\r\nBEGIN:VALARM"));
}

#[tokio::test]
async fn broken_bodies_are_refused() {
    let Some(daemon) = daemon("bodies").await else { return };
    let start = Day::ahead(3).at("10:00");
    let port = daemon.config.port;
    let post = |path: &str, kind: &str, body: &[u8]| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    let form = "application/x-www-form-urlencoded";
    let page = format!("/noether/chat/{start}");
    let huge = vec![b'a'; 10 << 20];
    let deep = "[".repeat(100_000);
    for (path, kind, body, statuses) in [
        (API, "application/json", &b""[..], &[400, 422][..]),
        (API, "application/json", b"{", &[400, 422]),
        (API, "application/json", b"[]", &[400, 422]),
        (API, "application/json", b"null", &[400, 422]),
        (API, "application/json", b"{\"name\": \"\xff\xfe\"}", &[400, 422]),
        (API, "application/json", b"{\"name\": \"\\ud800\"}", &[400, 422]),
        (API, "application/json", deep.as_bytes(), &[400, 413, 422]),
        (API, "application/json", &huge, &[413]),
        (API, "text/plain", b"{}", &[415, 422]),
        (API, form, b"name=Ada", &[415, 422]),
        (&page, form, b"", &[422]),
        (&page, form, b"name=%ff%fe&email=ada%40example.org", &[400, 422]),
        (&page, form, b"name=\xff&email=ada%40example.org", &[400, 422]),
        (&page, form, &huge, &[413]),
        ("/b/unknown/cancel", form, &huge, &[404, 413]),
    ] {
        let answer = raw(port, &post(path, kind, body)).await;
        let shown = String::from_utf8_lossy(&answer).chars().take(400).collect::<String>();
        let sent = String::from_utf8_lossy(body).chars().take(40).collect::<String>();
        assert!(statuses.contains(&raw_status(&answer)), "POST {path} {kind} {sent:?}: {shown}");
    }
    assert_eq!(daemon.get("/healthz").await.status, 200);
    assert_eq!(stored(&daemon), 0);
}

#[tokio::test]
async fn broken_http_ends_the_connection_and_nothing_else() {
    let Some(daemon) = daemon("http").await else { return };
    let port = daemon.config.port;
    let long = "x".repeat(1 << 20);
    for request in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /no ether HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {long}\r\n\r\n").into_bytes(),
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello".to_vec(),
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n".to_vec(),
    ] {
        let answer = raw(port, &request).await;
        assert!(answer.is_empty() || (400..500).contains(&raw_status(&answer)) || raw_status(&answer) == 505);
    }
    assert_eq!(daemon.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_window_that_makes_no_sense_is_422() {
    let Some(daemon) = daemon("window").await else { return };
    let slots = "/api/v1/hosts/noether/meetings/chat/slots";
    for query in [
        "?from=x&to=y",
        "?from=x",
        "?from=2026-12-01T00:00:00Z&to=2027-12-01T00:00:00Z",
        "?from=2026-12-02T00:00:00Z&to=2026-12-01T00:00:00Z",
        "?from=-9999-01-01T00:00:00Z&to=9999-12-31T00:00:00Z",
    ] {
        let answer = daemon.get(&format!("{slots}{query}")).await;
        assert_eq!(answer.status, 422, "{query}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    for query in ["month=2026-99", "month=x", "day=2026-02-31", "tz=Mars/Olympus", "month=-1", "day=99999-01-01"] {
        let answer = daemon.get(&format!("/noether/chat?{query}")).await;
        assert!([200, 422, 400, 404].contains(&answer.status), "{query}: {}", answer.status);
    }
}

#[tokio::test]
async fn get_and_head_never_change_anything() {
    let Some(daemon) = daemon("safe").await else { return };
    let start = Day::ahead(3).at("10:00");
    let booking = daemon.book("chat", start, "Ada Lovelace").await.expect(201);
    let token = crate::support::token(&booking);
    daemon.wait_state(&token, "confirmed").await;
    let before = daemon.get("/noether.ics").await.body;
    for path in [
        format!("/b/{token}"),
        format!("/b/{token}/cancel"),
        format!("/b/{token}/move"),
        format!("/b/{token}/confirm"),
        format!("/b/{token}/invitation.ics"),
        format!("/api/v1/bookings/{token}"),
        format!("/noether/chat/{}?name=Eve&email=eve%40example.org", Day::ahead(3).at("11:00")),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = daemon.request(method, &path).await;
            assert!(answer.status < 500, "{method} {path}");
        }
    }
    assert_eq!(daemon.booking(&token).await["state"], "confirmed");
    assert_eq!(daemon.get("/noether.ics").await.body, before);
    assert_eq!(stored(&daemon), 1);
    let id = booking["id"].as_str().unwrap();
    for path in [format!("/b/{id}"), format!("/api/v1/bookings/{id}"), format!("/h/{token}")] {
        assert_eq!(daemon.get(&path).await.status, 404, "an id or another's token is no key: {path}");
    }
    let log = daemon.log();
    for secret in [token.as_str(), "Ada", "ada.lovelace@example.org", "secret"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn an_idempotency_key_gives_the_same_answer_over_a_restart() {
    let Some(mut daemon) = daemon("idem").await else { return };
    let start = Day::ahead(3).at("10:00").to_string();
    let body = json!({"start": start, "name": "Ada", "email": "ada@example.org", "note": "", "answers": {}});
    let send = async |daemon: &Daemon, body: &Value| {
        let request = crate::support::client()
            .post(daemon.url(API))
            .header("content-type", "application/json")
            .header("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324")
            .body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, first) = send(&daemon, &body).await;
    assert_eq!(status, 201, "{first}");
    assert!(daemon.terminate().success());
    daemon.start_again().await;
    daemon.wait_ready().await;
    let (status, second) = send(&daemon, &body).await;
    assert_eq!((status, &second["id"]), (201, &first["id"]));
    let mut other = body.clone();
    other["name"] = json!("Grace");
    assert_eq!(send(&daemon, &other).await.0, 422);
    assert_eq!(stored(&daemon), 1);
}
