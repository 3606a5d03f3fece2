//! Small promises of the contract, each asked for as a client would.

use crate::support::officehours;

#[test]
fn how_tentative_events_of_files_count_is_asked_of_files_only() {
    let output = officehours(&["busy", "noether", "--from", "2026-03-01", "--to", "2026-03-02", "--tentative", "free"]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--ics"));
}
