//! Small promises of the contract, each asked for as a client would.

use crate::support::{
    Config, Daemon, Day, Meeting, ON_THE_SERVER, ONE_POLL, Server, client, eventually, free_port, now, officehours,
    token,
};
use jiff::{SignedDuration, Timestamp};
use officehours::availability::{Clock, Interval};
use officehours::booking::{Booking, BookingId, BookingState};
use officehours::config::Environment;
use officehours::daemon::Services;
use officehours::store::{Access, GuestLimits, NewBooking, Reserved};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::Output;

/// What a command prints that does what it is told.
fn printed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Saves another config and waits until the daemon goes by it.
async fn reload(daemon: &Daemon, text: &str) {
    let before = daemon.log().len();
    std::fs::write(daemon.config_path(), text).unwrap();
    eventually("the config is reloaded", ONE_POLL, async || {
        daemon.log()[before..].contains("The config was reloaded.").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_guest_moves_no_booking_past_the_limit_of_one_guest() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("per-guest").await;
    let limited = Meeting::new("office-hour", "30m", "30m").with("per_guest = \"1/2d\"");
    let daemon = Daemon::start(Config::new(&calendar).meetings([limited])).await;
    daemon.book_confirmed("office-hour", Day::ahead(3).at("10:00"), "Ada Lovelace").await;
    let second = daemon.book_confirmed("office-hour", Day::ahead(6).at("10:00"), "Ada Lovelace").await;
    let path = format!("/api/v1/bookings/{}/move", token(&second));
    let refused = daemon.post_json(&path, &json!({"start": Day::ahead(4).at("09:00").to_string()})).await;
    let problem = refused.expect_problem(409, "/slot-taken");
    assert!(problem["detail"].as_str().unwrap().contains("with this address"), "{problem}");
    assert_eq!(daemon.booking(&token(&second)).await["start"], second["start"]);
    // It does not stand in its own way.
    daemon.post_json(&path, &json!({"start": Day::ahead(6).at("11:00").to_string()})).await.expect(200);
}

#[tokio::test]
async fn the_command_prints_the_slots_as_the_api_answers_them() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("slots").await;
    let daemon = Daemon::start(Config { poll: "1h".to_owned(), ..Config::new(&calendar) }).await;
    let day = Day::ahead(3);
    let (from, to) = day.window();
    let (from, to) = (from.to_string(), to.to_string());
    let output = daemon.command(&["slots", "noether/office-hour", "--from", &from, "--to", &to, "--json"]);
    assert_eq!(printed(&output), daemon.offer("office-hour", day).await);
}

#[tokio::test]
async fn several_bookings_that_are_cancelled_are_one_document_and_none_is_an_empty_one() {
    let Some(server) = Server::radicale() else { return };
    let daemon = Daemon::start(Config::new(&server.calendar("none-gone").await)).await;
    assert_eq!(printed(&daemon.command(&["bookings", "cancel", "--gone", "noether", "--json"])), json!([]));
}

#[test]
fn how_tentative_events_of_files_count_is_asked_of_files_only() {
    let output = officehours(&["busy", "noether", "--from", "2026-03-01", "--to", "2026-03-02", "--tentative", "free"]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--ics"));
}

#[tokio::test]
async fn an_address_is_confirmed_without_a_body() {
    let Some(server) = Server::radicale() else { return };
    let daemon = Daemon::start(Config::new(&server.calendar("no-body").await)).await;
    let path = format!("/b/{}/confirm", "A".repeat(22));
    assert_eq!(
        daemon.request("POST", &path).await.status,
        404,
        "the form has no field: it is read, and nobody has the token"
    );
    assert_eq!(daemon.post_form(&path, &[]).await.status, 404);
    assert_eq!(daemon.post_json(&path, &json!({})).await.status, 415);
}

#[tokio::test]
async fn what_is_bound_at_the_start_stays_as_it_was_when_the_config_is_reloaded() {
    let Some(server) = Server::radicale() else { return };
    let daemon = Daemon::start(Config::new(&server.calendar("bound").await)).await;
    let port = free_port();
    let mut config = daemon.config.clone();
    config.server_lines = format!("metrics_listen = \"127.0.0.1:{port}\"\n");
    let log = daemon.log().len();
    reload(&daemon, &config.toml()).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(daemon.get(path).await.status, 200, "{path} stays where it is served");
    }
    let told = daemon.log()[log..].to_owned();
    assert!(told.contains("metrics_listen") && told.contains("next start"), "{told}");
    assert!(client().get(format!("http://127.0.0.1:{port}/healthz")).send().await.is_err());
    // Said once, and not when it is as it was at the start.
    let log = daemon.log().len();
    reload(&daemon, &daemon.config.toml()).await;
    assert!(!daemon.log()[log..].contains("next start"), "{}", &daemon.log()[log..]);
}

/// The config without a calendar for bookings.
fn without_bookings(config: &Config) -> String {
    let text = config.toml();
    let (before, after) = text.split_once("[host.bookings]").unwrap();
    format!("{before}{}", &after[after.find("[host.hours]").unwrap()..])
}

#[tokio::test]
async fn without_a_calendar_for_bookings_times_are_shown_and_none_can_be_booked() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("unbooked").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let booking = daemon.book_confirmed("office-hour", day.at("09:00"), "Ada Lovelace").await;
    reload(&daemon, &without_bookings(&daemon.config)).await;

    daemon.wait_starts("office-hour", day, &["09:30", "10:00", "10:30", "11:00", "11:30"]).await;
    let refused = daemon.book("office-hour", day.at("10:00"), "Grace Hopper").await;
    let problem = refused.expect_problem(409, "/slot-taken");
    assert!(problem["detail"].as_str().unwrap().contains("cannot be booked here"), "{problem}");
    assert_eq!(problem["alternatives"], json!([]), "no other time can be either");
    let path = format!("/api/v1/bookings/{}/move", token(&booking));
    daemon.post_json(&path, &json!({"start": day.at("11:00").to_string()})).await.expect_problem(409, "/slot-taken");

    let slot = format!("/noether/office-hour/{}", day.at("10:00"));
    for (language, says) in [("en", "cannot be booked here"), ("de", "lassen sich hier nicht buchen")] {
        for path in [
            format!("/noether?lang={language}"),
            format!("/noether/office-hour?day={}&lang={language}", day.0),
            format!("{slot}?lang={language}"),
        ] {
            let page = daemon.get(&path).await.text();
            assert!(page.contains(says), "{path}: {page}");
        }
    }
    assert!(daemon.get(&format!("/noether/office-hour?day={}", day.0)).await.text().contains("10:00"), "it is shown");
    assert_eq!(daemon.get(&slot).await.status, 409);
    assert!(!daemon.get(&slot).await.text().contains("name=\"email\""), "there is no form");
    let fields = [("name", "Grace"), ("email", "grace@example.org")];
    assert_eq!(daemon.post_form(&slot, &fields).await.status, 409);
    let (start, end) = (day.at("10:00").to_string(), day.0.tomorrow().unwrap().to_string());
    let explained = daemon.command(&["explain", "noether/office-hour", &start]);
    let explained = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(explained.contains("[host.bookings]"), "{explained} ({end})");

    // What was booked before goes on to be its guest's, who calls it off.
    assert_eq!(daemon.cancel(&token(&booking)).await.expect(200)["state"], "cancelled");
    eventually("the event is gone", ON_THE_SERVER, async || calendar.events().await.is_empty().then_some(())).await;
}

#[tokio::test]
async fn the_last_good_feed_is_served_while_a_source_was_never_read_and_over_restarts() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("kept").await;
    let mut daemon = Daemon::start(Config::new(&calendar)).await;
    const FEEDS: [&str; 3] = ["/noether.ics", "/noether/office-hour.ics", "/noether/freebusy.ifb"];
    let validators = async |daemon: &Daemon, path: &str| {
        let answer = daemon.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        (answer.body.clone(), answer.header("etag").to_owned(), answer.header("last-modified").to_owned())
    };
    let mut before = Vec::new();
    for path in FEEDS {
        before.push(validators(&daemon, path).await);
    }
    let since: Timestamp = now();
    eventually("a second has passed", ONE_POLL, async || {
        (now().duration_since(since) > SignedDuration::from_millis(1_500)).then_some(())
    })
    .await;
    assert!(daemon.terminate().success());
    daemon.start_again().await;
    for (path, before) in FEEDS.iter().zip(&before) {
        assert_eq!(validators(&daemon, path).await, *before, "{path} is as old as it was");
    }

    // A calendar that the account does not have: it was never read.
    let unread = Config { calendars: Some(vec![calendar.name.clone(), "Nowhere".to_owned()]), ..daemon.config.clone() };
    reload(&daemon, &unread.toml()).await;
    for round in ["after the reload", "after a restart"] {
        eventually("nothing can be promised", ONE_POLL, async || {
            (daemon.get("/readyz").await.status == 503).then_some(())
        })
        .await;
        for (path, before) in FEEDS.iter().zip(&before) {
            assert_eq!(validators(&daemon, path).await, *before, "{path} {round}");
        }
        assert!(daemon.terminate().success());
        daemon.start_again().await;
    }

    // Whoever was never read has none.
    let new = daemon.folder().join("new.toml");
    std::fs::write(&new, unread.toml().replace("\"noether\"", "\"hilbert\"")).unwrap();
    std::fs::rename(&new, daemon.config_path()).unwrap();
    eventually("there is another host", ONE_POLL, async || {
        (daemon.get("/hilbert.ics").await.status == 503).then_some(())
    })
    .await;
}

/// A folder of systemd's credentials, for as long as the process lives.
fn credentials(name: &str, secret: &str) -> &'static str {
    let folder = tempfile::tempdir().unwrap().keep();
    std::fs::write(folder.join(name), secret).unwrap();
    Box::leak(folder.to_str().unwrap().to_owned().into_boxed_str())
}

#[tokio::test]
async fn commands_that_ask_no_server_need_no_password() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("credential").await;
    let credentials = credentials("caldav", &server.password);
    let account_lines = "password = { credential = \"caldav\" }\n".to_owned();
    let config = Config { account_lines, password: String::new(), ..Config::new(&calendar) };
    let mut daemon = Daemon::launch(config, &[("CREDENTIALS_DIRECTORY", credentials)]).await;
    daemon.wait_ready().await;
    let start = Day::ahead(3).at("10:00");
    daemon.book_confirmed("office-hour", start, "Ada Lovelace").await;
    let (from, to) = Day::ahead(3).window();
    let (start, from, to) = (start.to_string(), from.to_string(), to.to_string());
    for arguments in [
        &["bookings", "list", "--json"][..],
        &["slots", "noether/office-hour", "--from", &from, "--to", &to],
        &["busy", "noether", "--from", &from, "--to", &to],
        &["feed", "noether"],
        &["explain", "noether/office-hour", &start],
        &["outbox"],
        &["pause", "noether"],
        &["resume", "noether"],
    ] {
        let output = daemon.command(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // One that asks says what is missing.
    let output = daemon.command(&["sync"]);
    assert_eq!(output.status.code(), Some(1));
    let said = [output.stdout, output.stderr].concat();
    assert!(String::from_utf8_lossy(&said).contains("CREDENTIALS_DIRECTORY"), "{}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn a_password_that_cannot_be_had_is_the_trouble_of_its_account_alone() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("no-secret").await;
    let more = format!(
        r#"
[[host]]
id = "hilbert"
name = "David Hilbert"
email = "hilbert@example.edu"
time_zone = "Europe/Berlin"
[[host.account]]
id = "home"
url = "{}"
username = "prof"
password = {{ file = "not-there-yet" }}
poll = "1s"
calendars = ["{}"]
[host.bookings]
calendar = "home/{}"
[host.hours]
weekly = ["Mon-Sun 09:00-12:00"]
[[host.meeting]]
id = "office-hour"
title = "Office hour"
duration = "30m"
notice = "0m"
"#,
        server.url, calendar.name, calendar.name
    );
    let daemon = Daemon::launch(Config { more, ..Config::new(&calendar) }, &[]).await;
    let day = Day::ahead(3);
    eventually("the other host is served", ON_THE_SERVER, async || {
        let (from, to) = day.window();
        let path = format!("/api/v1/hosts/noether/meetings/office-hour/slots?from={from}&to={to}");
        (daemon.get(&path).await.status == 200).then_some(())
    })
    .await;
    daemon.book_confirmed("office-hour", day.at("10:00"), "Ada Lovelace").await;
    assert_eq!(daemon.get("/readyz").await.status, 503);
    eventually("it is said and shown", ON_THE_SERVER, async || {
        let metrics = daemon.get("/metrics").await.text();
        let shown = metrics.lines().any(|line| line.contains("host=\"hilbert\"") && line.contains("source=\"home\""));
        (shown && daemon.log().contains("not-there-yet")).then_some(())
    })
    .await;
    let check = daemon.command(&["check"]);
    assert_eq!(check.status.code(), Some(1));
    let said = String::from_utf8_lossy(&[check.stdout, check.stderr].concat()).into_owned();
    assert!(said.contains("not-there-yet") && said.contains(&calendar.name), "{said}");

    // Once it is there, nobody needs to start anything again.
    std::fs::write(daemon.folder().join("not-there-yet"), &server.password).unwrap();
    eventually("it is read", ON_THE_SERVER, async || (daemon.get("/readyz").await.status == 200).then_some(())).await;
}

/// A store with a confirmed booking that ended an hour ago, and the guest's token of it.
async fn store_with_a_past_booking(config: &Config, folder: &Path) -> (BookingId, String) {
    let environment = Environment::of_process();
    let config = officehours::config::Config::parse(&config.toml(), &folder.join("officehours.toml"), &environment);
    let clock = Clock::new(now);
    let services = Services::open(&config.unwrap(), Access::Daemon, environment, clock).await.unwrap();
    let hours = |count: i64| now() - SignedDuration::from_hours(count);
    let sample = Booking::sample(Interval::new(hours(2), hours(1)).unwrap(), BookingState::Confirmed);
    let booking = Booking { id: BookingId(uuid::Uuid::from_u128(7)), ..sample };
    let id = booking.id;
    let token = services.desk.guest_links(id).0.rsplit('/').next().unwrap().to_owned();
    let new = NewBooking {
        guest_token_hash: Sha256::digest(token.as_bytes()).into(),
        confirm_token_hash: None,
        host_token_hash: Sha256::digest(services.desk.host_token(id).as_bytes()).into(),
        effects: Vec::new(),
        idempotency: None,
        limits: GuestLimits::default(),
        hits: Vec::new(),
        now: hours(3),
        booking,
    };
    assert_eq!(services.store.reserve(new).await.unwrap(), Reserved::Done);
    services.store.close().await;
    (id, token)
}

#[tokio::test]
async fn a_booking_that_is_over_is_neither_moved_nor_called_off() {
    let Some(server) = Server::radicale() else { return };
    let config = Config::new(&server.calendar("over").await);
    let prepared = tempfile::tempdir().unwrap();
    let (id, token) = store_with_a_past_booking(&config, prepared.path()).await;
    let mut daemon = Daemon::launch_with(config, |folder| {
        for file in ["officehours.db", "officehours.db.key"] {
            std::fs::copy(prepared.path().join(file), folder.join(file)).unwrap();
        }
        Vec::new()
    })
    .await;
    daemon.wait_ready().await;
    let to = Day::ahead(3).at("10:00").to_string();
    let moved = daemon.post_json(&format!("/api/v1/bookings/{token}/move"), &json!({"start": to})).await;
    for refused in [moved, daemon.cancel(&token).await] {
        assert_eq!(refused.expect_problem(409, "/booking-closed")["detail"], "This booking is over.");
    }
    // Its page says so and has nothing to press; who presses all the same is told.
    let page = daemon.get(&format!("/b/{token}?lang=de")).await.text();
    assert!(page.contains("Dieser Termin ist vorbei") && !page.contains("name=\"confirm\""), "{page}");
    let form = page.split("name=\"form\" value=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    assert_eq!(form, None);
    // Nor does the host at the command line.
    for arguments in [&["bookings", "cancel", &id.to_string()][..], &["bookings", "move", &id.to_string(), &to]] {
        let output = daemon.command(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("is over"), "{output:?}");
    }
    assert_eq!(daemon.booking(&token).await["state"], "confirmed");
}
