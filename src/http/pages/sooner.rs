//! `/b/{token}/sooner`: the free times before a booking; with `to`, one of them, a click away. What the links of the guest's feed lead to.

use super::booking::{guest_zone_of, host_name, host_zone, see};
use super::month::{DayLines, Lines, Month, by_day};
use super::subscribe::Subscribe;
use super::when::When;
use super::{Frame, Visit, page};
use crate::availability::Interval;
use crate::desk::{BookingView, Freshness, Offer, Slot, TokenError};
use crate::http::fault::Fault;
use crate::http::state::AppState;
use crate::ical::Zone;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

/// A time that is sooner, as a link to where one click moves the booking.
pub(super) struct Choice {
    pub(super) url: String,
    pub(super) when: When,
}

/// The time that was chosen.
struct Chosen {
    when: When,
    /// UTC, as the form sends it.
    start: String,
}

#[derive(Template)]
#[template(path = "sooner.html", config = "src/http/pages/askama.toml")]
struct SoonerPage {
    frame: Frame,
    booking_url: String,
    title: String,
    host_name: String,
    now: When,
    chosen: Option<Chosen>,
    /// The time that was chosen cannot be had.
    gone: bool,
    action: String,
    form_token: String,
    text: &'static str,
    paused: bool,
    /// Why, where it is the host's wish.
    closed: String,
    days: Vec<DayLines>,
    zone: String,
    feed: Subscribe,
}

/// `GET /b/{token}/sooner`, with `to`: a start.
pub(in super::super) async fn show(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, Fault> {
    let view = state.desk.booking(&token).await?;
    let (booking, links, now) = (&view.booking, visit.links(), state.now());
    let to = visit.query.get("to").and_then(|to| to.parse::<Timestamp>().ok());
    // Whoever follows an old link of the feed finds what they did: the booking is there already.
    if to == Some(booking.time.start()) {
        return Ok(see(&visit, &view));
    }
    let Some(host) = view.host.as_ref().filter(|_| view.meeting.is_some()) else { return Err(Fault::not_found()) };
    if !view.is_ahead(now) {
        return Err(TokenError::Closed(booking.state).into());
    }
    // A time that is no longer sooner, since the booking has moved, may still be free.
    if let Some(to) = to.filter(|to| *to > booking.time.start()) {
        let month = Month::of(host.zone.civil(to).date()).param();
        let to = visit.path_with(&links.reschedule(&view.guest_token), &[("month", &month)]);
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response());
    }
    state.desk.demand(&host.id);
    let offer = state.desk.sooner(&view);
    let chosen = offer.slots.iter().find(|slot| Some(slot.time.start()) == to);
    let status = if to.is_some() && chosen.is_none() { StatusCode::CONFLICT } else { StatusCode::OK };
    let zone = host_zone(&view);
    let guest = guest_zone(&view, &visit);
    let lines = Lines { host: &zone, guest: guest.as_ref(), seats: 1, language: visit.language };
    let here =
        |start| visit.path_with(&links.sooner(&view.guest_token), &[("to", &super::super::fault::rfc3339(start))]);
    let others: Vec<Slot> = offer.slots.iter().filter(|slot| Some(slot.time.start()) != to).copied().collect();
    let g = &visit.language.phrases().guest;
    let closed = super::closed(&state, host, &visit).text;
    let shown = SoonerPage {
        frame: Frame::of_host(&visit, &host.id, format!("{} – {}", g.sooner, booking.title)).with_guest_style(),
        booking_url: visit.path(&links.booking(&view.guest_token)),
        title: booking.title.clone(),
        host_name: host_name(&view),
        now: When::new(booking.time, &zone, guest.as_ref(), visit.language),
        chosen: chosen.map(|slot| Chosen {
            when: When::new(slot.time, &zone, guest.as_ref(), visit.language),
            start: super::super::fault::rfc3339(slot.time.start()),
        }),
        gone: status == StatusCode::CONFLICT,
        action: visit.path(&links.reschedule(&view.guest_token)),
        form_token: view.form_token.clone(),
        text: about(&offer, &visit),
        paused: !closed.is_empty() || !matches!(offer.freshness, Freshness::Fresh(_)),
        closed,
        days: by_day(&others, &zone).iter().map(|(day, slots)| lines.day(*day, slots, here)).collect(),
        zone: super::when::label(&zone, now),
        feed: Subscribe::new(&(g.sooner_feed)(&booking.title, &host.name), links.sooner_feed(&view.guest_token)),
    };
    Ok((status, page(visit.language, &shown)).into_response())
}

/// What the list of sooner times is, or why there is none.
pub(super) fn about(offer: &Offer, visit: &Visit) -> &'static str {
    let g = &visit.language.phrases().guest;
    match offer.freshness {
        Freshness::Fresh(_) if offer.slots.is_empty() => g.sooner_none,
        Freshness::Fresh(_) => g.sooner_text,
        Freshness::Stale(_) | Freshness::NeverRead => visit.phrases().paused,
    }
}

pub(super) fn choice(time: Interval, view: &BookingView, visit: &Visit) -> Choice {
    let to = super::super::fault::rfc3339(time.start());
    Choice {
        url: visit.path_with(&visit.links().sooner(&view.guest_token), &[("to", &to)]),
        when: When::new(time, &host_zone(view), guest_zone(view, visit).as_ref(), visit.language),
    }
}

/// As the visitor asks, else as they booked.
fn guest_zone(view: &BookingView, visit: &Visit) -> Option<Zone> {
    visit.zone.clone().or_else(|| guest_zone_of(view))
}
