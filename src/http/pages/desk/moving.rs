//! `/desk/b/{booking}/move`: another time for a booking, of those that are free, or any that the host types.

use super::super::month::{DayLines, Lines, Month, by_day};
use super::super::when::When;
use super::super::{Frame, page};
use super::booking::booking_id;
use super::seat::{Seat, see};
use super::{Head, Tab};
use crate::availability::Interval;
use crate::booking::Booking;
use crate::desk::{NotASlot, Placement, ReserveError, TokenError};
use crate::http::fault::Fault;
use crate::http::state::AppState;
use crate::language::DeskPhrases;
use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::{Date, Time};

#[derive(Template)]
#[template(path = "desk/move.html", config = "src/http/pages/askama.toml")]
struct MovePage {
    frame: Frame,
    d: &'static DeskPhrases,
    head: Head,
    back: String,
    title: String,
    guest_name: String,
    now: When,
    action: String,
    month_title: String,
    previous: Option<String>,
    next: Option<String>,
    days: Vec<DayLines>,
    /// What was typed, or the present date and clock.
    date: String,
    time: String,
    mistake: &'static str,
}

/// What was typed, and what is wrong with it.
struct Mistake {
    text: &'static str,
    date: String,
    time: String,
}

/// `GET /desk/b/{booking}/move`, with `month`.
pub(in super::super::super) async fn choose(
    State(state): State<AppState>,
    Path(booking): Path<String>,
    seat: Seat,
) -> Result<Response, Fault> {
    Ok(page(seat.visit.language, &move_page(&state, &seat, &booking, None).await?))
}

/// `POST /desk/b/{booking}/move`: with `start`, a slot on offer; or with `date` and `time`, whatever is there.
pub(in super::super::super) async fn move_to(
    State(state): State<AppState>,
    Path(booking): Path<String>,
    seat: Seat,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let fields = seat.form(&headers, body).await?;
    let (id, t) = (booking_id(&booking)?, seat.t());
    let (date, time) = (fields.text("date").trim().to_owned(), fields.text("time").trim().to_owned());
    let typed = || {
        let (date, time): (Date, Time) = (date.parse().ok()?, time.parse().ok()?);
        seat.host.zone.instant(date.to_datetime(time))
    };
    let wanted = match fields.get("start").and_then(|start| start.parse::<Timestamp>().ok()) {
        Some(start) => Some((start, Placement::OnOffer)),
        None => typed().map(|start| (start, Placement::Anywhere)),
    };
    let mistake = match wanted {
        None => seat.d().time_missing,
        Some((start, placement)) => match state.desk.move_as_host(seat.host_id(), id, start, placement).await {
            Ok(_) => return Ok(see(seat.path(&format!("/b/{id}"), &[]))),
            Err(ReserveError::NotASlot(NotASlot::Past)) => t.past,
            Err(ReserveError::NotASlot(_)) => t.no_slot,
            Err(ReserveError::Taken { .. }) => t.taken,
            Err(error) => return Err(Fault::from(error)),
        },
    };
    let mistake = Mistake { text: mistake, date, time };
    let shown = page(seat.visit.language, &move_page(&state, &seat, &booking, Some(mistake)).await?);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, shown).into_response())
}

async fn move_page(state: &AppState, seat: &Seat, booking: &str, mistake: Option<Mistake>) -> Result<MovePage, Fault> {
    let noted = state.desk.booking_of_host(seat.host_id(), booking_id(booking)?).await?;
    let (booking, now): (Booking, Timestamp) = (noted.booking, state.now());
    if !booking.state.holds_slot() || booking.time.start() <= now {
        return Err(TokenError::Closed(booking.state).into());
    }
    let (zone, language) = (&seat.host.zone, seat.visit.language);
    let meeting = seat.host.meeting(booking.meeting.as_str());
    let horizon = meeting.and_then(|meeting| now.checked_add(meeting.horizon).ok()).unwrap_or(now);
    state.desk.demand(seat.host_id());
    let slots = match meeting.zip(Interval::new(now, horizon)) {
        Some((meeting, window)) => state.desk.offer_to_move(&seat.host, meeting, window, booking.id).slots,
        None => Vec::new(),
    };
    // Where it is already is no other time.
    let slots: Vec<_> = slots.into_iter().filter(|slot| slot.time.start() != booking.time.start()).collect();
    let days = by_day(&slots, zone);
    let month = seat.visit.query.get("month").and_then(Month::parse);
    let (today, last) = (zone.civil(now).date(), zone.civil(horizon).date());
    // Near where it is, if something is free there.
    let present = Month::of(zone.civil(booking.time.start()).date());
    let near = days.keys().find(|day| present.contains(**day)).or(days.keys().next());
    let month = month.unwrap_or_else(|| Month::of(near.copied().unwrap_or(today)));
    let guest = booking.guest.time_zone.as_deref().and_then(crate::http::guest::zone);
    let lines = Lines { host: zone, guest: guest.as_ref(), seats: booking.seats, language };
    let here = format!("/b/{}/move", booking.id);
    let url_if = |month: Option<Month>, wanted: bool| {
        month.filter(|_| wanted).map(|month| seat.path(&here, &[("month", &month.param())]))
    };
    let starts = zone.civil(booking.time.start());
    let present =
        || Mistake { text: "", date: starts.date().to_string(), time: starts.time().strftime("%H:%M").to_string() };
    let Mistake { text, date, time } = mistake.unwrap_or_else(present);
    Ok(MovePage {
        frame: seat.frame(seat.t().move_link),
        d: seat.d(),
        head: seat.head(state, Tab::Bookings),
        back: seat.path(&format!("/b/{}", booking.id), &[]),
        now: When::new(booking.time, zone, guest.as_ref(), language),
        action: seat.path(&here, &[]),
        month_title: month.title(language),
        previous: url_if(month.previous(), month.param() > Month::of(today).param()),
        next: url_if(month.next(), month.param() < Month::of(last).param()),
        days: days
            .iter()
            .filter(|(day, _)| month.contains(**day))
            .map(|(day, slots)| lines.day(*day, slots, |_| String::new()))
            .collect(),
        title: booking.title,
        guest_name: booking.guest.name,
        date,
        time,
        mistake: text,
    })
}
