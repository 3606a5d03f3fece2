//! Small promises of the contract, each asked for as a client would.

use crate::support::{Config, Daemon, Server, officehours};
use serde_json::{Value, json};
use std::process::Output;

/// What a command prints that does what it is told.
fn printed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
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
