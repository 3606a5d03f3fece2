//! `/h/{token}`: the host's page of a booking, where it is approved, declined or cancelled.

use super::booking::{answers, guest_zone_of, host_zone};
use super::when::When;
use super::{Frame, Visit, page};
use crate::booking::BookingState;
use crate::desk::{BookingView, Decision};
use crate::http::fault::Fault;
use crate::http::input;
use crate::http::state::AppState;
use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "host_booking.html", config = "src/http/pages/askama.toml")]
struct HostBookingPage {
    frame: Frame,
    mood: &'static str,
    state: &'static str,
    title: String,
    location: String,
    when: When,
    guest_name: String,
    guest_email: String,
    note: String,
    answers: Vec<(String, String)>,
    /// Value and label of each decision that the state allows.
    choices: Vec<(&'static str, String)>,
    action: String,
    form_token: String,
    mistake: &'static str,
}

/// `GET /h/{token}`.
pub(in super::super) async fn show(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, Fault> {
    let view = state.desk.booking_for_host(&token).await?;
    Ok(page(visit.language, &host_page(&state, &visit, &token, &view, "")))
}

/// `POST /h/{token}`, with `decision`.
pub(in super::super) async fn decide(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let (fields, _) = input::form(&headers, body).await?;
    let view = state.desk.booking_for_host(&token).await?;
    let again = |mistake| {
        let shown = page(visit.language, &host_page(&state, &visit, &token, &view, mistake));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
    };
    let Some(decision) = decision(fields.text("decision")) else { return again(visit.phrases().choose_what) };
    if !fields.is_of(&view.form_token) {
        return again(visit.phrases().not_of_page);
    }
    state.desk.decide(&token, decision).await?;
    let to = visit.path(&visit.links().host_booking(&token));
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

fn decision(word: &str) -> Option<Decision> {
    match word {
        "approve" => Some(Decision::Approve),
        "decline" => Some(Decision::Decline),
        "cancel" => Some(Decision::Cancel),
        "accept" => Some(Decision::AcceptProposal),
        _ => None,
    }
}

fn host_page(
    state: &AppState,
    visit: &Visit,
    token: &str,
    view: &BookingView,
    mistake: &'static str,
) -> HostBookingPage {
    let (booking, t) = (&view.booking, visit.phrases());
    let ahead = booking.time.end() > state.now();
    let (mood, words) = match booking.state {
        BookingState::AwaitingEmail => ("waiting", t.host_unconfirmed),
        BookingState::AwaitingApproval => ("waiting", t.host_decides),
        BookingState::Reserved => ("good", t.host_reserved),
        BookingState::Confirmed => ("good", t.host_booked),
        BookingState::Cancelled => ("over", t.host_cancelled),
        BookingState::Declined => ("over", t.host_declined),
        BookingState::Expired => ("over", t.host_lapsed),
    };
    let offered = |choice, label: &str| (choice, label.to_owned());
    let proposal = booking.proposal().filter(|time| time.start() > state.now() && *time != booking.time);
    let accept = proposal.map(|time| {
        let When { date, times, .. } = When::new(time, &host_zone(view), None, visit.language);
        ("accept", (t.accept_proposal)(&format!("{date}, {times}")))
    });
    let choices = match booking.state {
        _ if !ahead => vec![],
        BookingState::AwaitingApproval => vec![offered("approve", t.approve), offered("decline", t.decline)],
        BookingState::Confirmed => accept.into_iter().chain([offered("cancel", t.cancel_this)]).collect(),
        BookingState::AwaitingEmail | BookingState::Reserved => vec![offered("cancel", t.cancel_this)],
        BookingState::Cancelled | BookingState::Declined | BookingState::Expired => vec![],
    };
    HostBookingPage {
        frame: Frame::of_host(visit, &booking.host, format!("{}: {}", booking.title, booking.guest.name)),
        mood,
        state: words,
        title: booking.title.clone(),
        location: booking.location.clone(),
        when: When::new(booking.time, &host_zone(view), guest_zone_of(view).as_ref(), visit.language),
        guest_name: booking.guest.name.clone(),
        guest_email: booking.guest.email.clone(),
        note: booking.guest.note.clone(),
        answers: answers(view),
        choices,
        action: visit.path(&visit.links().host_booking(token)),
        form_token: view.form_token.clone(),
        mistake,
    }
}
