//! Small promises of the contract, each asked for as a client would.

use crate::support::{Config, Daemon, Day, Meeting, Server, officehours, token};
use serde_json::{Value, json};
use std::process::Output;

/// What a command prints that does what it is told.
fn printed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
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
