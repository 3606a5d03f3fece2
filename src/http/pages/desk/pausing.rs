//! `/desk/pause`: whether new bookings are taken.

use super::super::{Frame, page};
use super::seat::{Seat, see};
use super::{Head, Tab};
use crate::http::fault::Fault;
use crate::http::state::AppState;
use crate::language::DeskPhrases;
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::civil::{Date, Time};

#[derive(Template)]
#[template(path = "desk/pause.html", config = "src/http/pages/askama.toml")]
struct PausePage {
    frame: Frame,
    d: &'static DeskPhrases,
    head: Head,
    action: String,
    /// What was typed.
    until: String,
    mistake: &'static str,
}

/// `GET /desk/pause`.
pub(in super::super::super) async fn show(State(state): State<AppState>, seat: Seat) -> Result<Response, Fault> {
    Ok(page(seat.visit.language, &pause_page(&state, &seat, String::new(), "")))
}

/// `POST /desk/pause`, with `do`: `pause`, perhaps with `until`, a date; or `resume`.
pub(in super::super::super) async fn pause(
    State(state): State<AppState>,
    seat: Seat,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let fields = seat.form(&headers, body).await?;
    if fields.text("do") == "resume" {
        state.desk.resume(seat.host_id()).await.map_err(Fault::of_desk)?;
        return Ok(see(seat.path("/pause", &[])));
    }
    let typed = fields.text("until").trim();
    let first = |date: Date| seat.host.zone.instant(date.to_datetime(Time::midnight()));
    let until = typed.parse().ok().and_then(first).filter(|until| *until > state.now());
    if !typed.is_empty() && until.is_none() {
        let again = pause_page(&state, &seat, typed.to_owned(), seat.d().until_past);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page(seat.visit.language, &again)).into_response());
    }
    state.desk.pause(seat.host_id(), until).await.map_err(Fault::of_desk)?;
    Ok(see(seat.path("/pause", &[])))
}

fn pause_page(state: &AppState, seat: &Seat, until: String, mistake: &'static str) -> PausePage {
    PausePage {
        frame: seat.frame(seat.d().pause_title),
        d: seat.d(),
        head: seat.head(state, Tab::Pause),
        action: seat.path("/pause", &[]),
        until,
        mistake,
    }
}
