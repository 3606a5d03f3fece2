//! For machines that watch: `/healthz` (the process lives), `/readyz` (every host's calendars are read and fresh),
//! `/metrics`.

use super::fault::{Fault, Problem};
use super::state::AppState;
use crate::desk::Freshness;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;

/// `GET /healthz`.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// `GET /readyz`.
pub(super) async fn ready(State(state): State<AppState>) -> Result<&'static str, Fault> {
    let hosts = state.desk.hosts();
    let fresh = hosts.iter().filter(|host| matches!(state.desk.freshness(&host.id), Freshness::Fresh(_))).count();
    if fresh == hosts.len() {
        return Ok("ready\n");
    }
    let detail = format!("The calendars of {} of {} hosts are not read or too old.", hosts.len() - fresh, hosts.len());
    Err(Fault::because(Problem::NotReady, detail).retry_after(SignedDuration::from_secs(10)))
}

/// `GET /metrics`.
pub(super) async fn metrics(State(state): State<AppState>) -> Response {
    let now = state.now();
    let ages = state.desk.hosts().into_iter().map(|host| {
        let age = match state.desk.freshness(&host.id) {
            Freshness::Fresh(read) | Freshness::Stale(read) => now.duration_since(read).as_secs(),
            Freshness::NeverRead => -1,
        };
        (host.id.to_string(), age)
    });
    state.metrics().ages(ages);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.metrics().text()).into_response()
}
