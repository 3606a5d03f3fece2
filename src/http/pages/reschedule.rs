//! `/b/{token}/move`: choose another slot of the same meeting type.

use super::booking::{guest_zone_of, host_name, host_zone, see};
use super::month::{DayLines, Lines, Month, by_day};
use super::when::When;
use super::{Frame, Visit, page};
use crate::availability::Interval;
use crate::desk::{BookingView, ReserveError, TokenError};
use crate::http::fault::Fault;
use crate::http::input;
use crate::http::state::AppState;
use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

#[derive(Template)]
#[template(path = "move.html", config = "src/http/pages/askama.toml")]
struct MovePage {
    frame: Frame,
    title: String,
    host_name: String,
    now: When,
    booking_url: String,
    action: String,
    form_token: String,
    month_title: String,
    previous: Option<String>,
    next: Option<String>,
    days: Vec<DayLines>,
    zone: String,
    guest_zone: String,
    paused: bool,
    /// Why, where it is the host's wish.
    closed: String,
    mistake: String,
}

/// `GET /b/{token}/move`.
pub(in super::super) async fn choose(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, Fault> {
    let view = state.desk.booking(&token).await?;
    move_page(&state, &visit, &view, visit.query.get("month").and_then(Month::parse), String::new())
}

/// `POST /b/{token}/move`, with `start`.
pub(in super::super) async fn reschedule(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let (fields, _) = input::form(&headers, body).await?;
    let again = async |start: Option<Timestamp>, status: StatusCode, mistake: String| -> Result<Response, Fault> {
        let view = state.desk.booking(&token).await?;
        let month = view.host.as_ref().zip(start).map(|(host, start)| Month::of(host.zone.civil(start).date()));
        Ok((status, move_page(&state, &visit, &view, month, mistake)?).into_response())
    };
    let Some(start) = fields.get("start").and_then(|start| start.parse::<Timestamp>().ok()) else {
        return again(None, StatusCode::UNPROCESSABLE_ENTITY, visit.phrases().choose_a_time.into()).await;
    };
    if !fields.is_of(&state.desk.booking(&token).await?.form_token) {
        return again(Some(start), StatusCode::UNPROCESSABLE_ENTITY, visit.phrases().not_of_page.into()).await;
    }
    match state.desk.move_to(&token, start).await {
        Ok(view) => Ok(see(&visit, &view)),
        Err(error @ (ReserveError::Taken { .. } | ReserveError::NotASlot(_))) => {
            let t = visit.phrases();
            let why = super::slot::not_on_offer(&error, visit.language).unwrap_or(t.taken);
            let status = Fault::from(error).problem.status();
            again(Some(start), status, format!("{why}. {}", t.choose_another)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The free times of a month as choices: by default of the first month that has some.
fn move_page(
    state: &AppState,
    visit: &Visit,
    view: &BookingView,
    month: Option<Month>,
    mistake: String,
) -> Result<Response, Fault> {
    let (Some(host), Some(meeting)) = (&view.host, &view.meeting) else { return Err(Fault::not_found()) };
    let now = state.now();
    if !view.booking.state.holds_slot() || view.booking.time.start() <= now {
        return Err(TokenError::Closed(view.booking.state).into());
    }
    state.desk.demand(&host.id);
    let horizon = now.checked_add(meeting.horizon).unwrap_or(Timestamp::MAX);
    let offer = Interval::new(now, horizon).map(|window| state.desk.offer(host, meeting, window));
    let slots = offer.as_ref().map(|offer| offer.slots.as_slice()).unwrap_or_default();
    let zone = host_zone(view);
    let days = by_day(slots, &zone);
    let (today, last) = (zone.civil(now).date(), zone.civil(horizon).date());
    let month = month.unwrap_or_else(|| Month::of(days.keys().next().copied().unwrap_or(today)));
    let guest = guest_zone_of(view);
    let lines = Lines { host: &zone, guest: guest.as_ref(), seats: meeting.seats, language: visit.language };
    let here = visit.links().reschedule(&view.guest_token);
    let url_if = |month: Option<Month>, wanted: bool| {
        month.filter(|_| wanted).map(|month| visit.path_with(&here, &[("month", &month.param())]))
    };
    let closed = super::closed(state, host, visit).text;
    let in_month = days.iter().filter(|(day, _)| month.contains(**day));
    Ok(page(
        visit.language,
        &MovePage {
            frame: Frame::of_host(visit, &host.id, format!("{} – {}", visit.phrases().move_link, view.booking.title)),
            title: view.booking.title.clone(),
            host_name: host_name(view),
            now: When::new(view.booking.time, &zone, guest.as_ref(), visit.language),
            action: visit.path(&here),
            form_token: view.form_token.clone(),
            month_title: month.title(visit.language),
            previous: url_if(month.previous(), month.param() > Month::of(today).param()),
            next: url_if(month.next(), month.param() < Month::of(last).param()),
            days: in_month.map(|(day, slots)| lines.day(*day, slots, |_| String::new())).collect(),
            zone: super::when::label(&zone, now),
            guest_zone: guest
                .as_ref()
                .filter(|guest| guest.name() != zone.name())
                .map(|guest| super::when::label(guest, now))
                .unwrap_or_default(),
            paused: !closed.is_empty()
                || !offer.is_some_and(|offer| matches!(offer.freshness, crate::desk::Freshness::Fresh(_))),
            closed,
            booking_url: visit.path(&visit.links().booking(&view.guest_token)),
            mistake,
        },
    ))
}
