//! For machines that watch: `/healthz` (the process lives), `/readyz` (the store answers, every host's calendars are read and fresh),
//! `/metrics`.

use super::fault::{Fault, Problem};
use super::state::AppState;
use crate::desk::Freshness;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};

/// `GET /healthz`.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// `GET /readyz`.
pub(super) async fn ready(State(state): State<AppState>) -> Result<String, Fault> {
    if !state.desk.is_store_open().await {
        return Err(not_ready("The store does not answer.".to_owned()));
    }
    let hosts = state.desk.hosts();
    let fresh: Vec<Timestamp> = hosts
        .iter()
        .filter_map(|host| match state.desk.freshness(&host.id) {
            Freshness::Fresh(read) => Some(read),
            Freshness::Stale(_) | Freshness::NeverRead => None,
        })
        .collect();
    if fresh.len() == hosts.len() {
        let oldest = fresh.iter().min().map_or(0, |read| state.now().duration_since(*read).as_secs());
        return Ok(format!("ready\nThe oldest reading of a calendar is {oldest} s old.\n"));
    }
    let (unfit, all) = (hosts.len() - fresh.len(), hosts.len());
    Err(not_ready(format!("The calendars of {unfit} of {all} hosts are not read or too old.")))
}

fn not_ready(detail: String) -> Fault {
    Fault::because(Problem::NotReady, detail).retry_after(SignedDuration::from_secs(10))
}

/// `GET /metrics`.
pub(super) async fn metrics(State(state): State<AppState>) -> Response {
    match (state.desk.outbox_counts().await, state.desk.open_alerts().await) {
        (Ok(lanes), Ok(alerts)) => state.metrics().outbox(&lanes, &alerts),
        // Old counts would look like new ones.
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "The outbox cannot be counted.");
            state.metrics().outbox(&[], &[]);
        }
    }
    let now = state.now();
    let ages = state.desk.hosts().into_iter().map(|host| {
        let age = match state.desk.freshness(&host.id) {
            Freshness::Fresh(read) | Freshness::Stale(read) => now.duration_since(read).as_secs(),
            Freshness::NeverRead => -1,
        };
        (host.id.to_string(), age)
    });
    state.metrics().ages(ages);
    let troubles = state.desk.hosts().into_iter().flat_map(|host| {
        let sources = state.desk.sources(&host.id);
        sources.into_iter().filter_map(move |(source, health)| {
            let trouble = health.trouble?;
            let since = now.duration_since(trouble.since).as_secs();
            Some((host.id.to_string(), source, trouble.kind.as_str(), since))
        })
    });
    state.metrics().troubles(troubles);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.metrics().text()).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::{Metrics, Requests, Settings, SettingsSource};
    use super::*;
    use crate::availability::Clock;
    use crate::desk::{Desk, OutboxSignal, TokenSource, World};
    use crate::store::Store;
    use crate::store::simulated::Turn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test]
    async fn while_the_store_fails_it_is_not_ready() {
        let fails = Arc::new(AtomicBool::new(false));
        let told = fails.clone();
        let store = Store::simulated(Arc::new(move || {
            let turn = if told.load(Ordering::SeqCst) { Turn::DiskFull } else { Turn::Done };
            Box::pin(std::future::ready(turn))
        }));
        let (clock, tokens) = (Clock::new(|| Timestamp::UNIX_EPOCH), TokenSource::new([0; 32], || [0; 16]));
        let desk = Desk::new(World::of_nobody(), store, OutboxSignal::new(), clock, tokens);
        let settings = Settings::new(SettingsSource::default());
        let (time, requests) = (Arc::new(|| Timestamp::UNIX_EPOCH), Requests::default());
        let state = AppState::new(desk, settings, time, Metrics::new(), requests);
        assert!(ready(State(state.clone())).await.is_ok());
        fails.store(true, Ordering::SeqCst);
        let fault = ready(State(state.clone())).await.unwrap_err();
        assert_eq!((fault.problem, fault.retry_after), (Problem::NotReady, Some(10)));
        assert!(fault.detail.contains("store"));
        fails.store(false, Ordering::SeqCst);
        assert!(ready(State(state)).await.is_ok());
    }
}
