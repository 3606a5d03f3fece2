//! `/desk` and `/desk/past`: the bookings ahead, by day, those that wait for the host first; and those that are over.

use super::super::{Frame, page};
use super::seat::{NoSeat, Seat};
use super::{Head, Tab, day_title, sign_in, state_in_words};
use crate::booking::{Attendance, BookingState};
use crate::desk::Noted;
use crate::http::fault::{Fault, rfc3339};
use crate::http::state::AppState;
use crate::language::DeskPhrases;
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;

/// A booking as a line of a list.
struct Line {
    /// For links to it.
    anchor: String,
    url: String,
    /// To where it is declined.
    decline: String,
    /// UTC.
    start: String,
    from: String,
    to: String,
    guest: String,
    title: String,
    /// Its style and its words; the words are empty where nothing is to be said.
    mood: &'static str,
    state: &'static str,
    /// What the guest said.
    said: Vec<(String, String)>,
    note: String,
    /// Whether it is to be asked if the guest came, and what is noted.
    can_mark: bool,
    came: bool,
    missed: bool,
}

struct DayOfLines {
    title: String,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "desk/bookings.html", config = "src/http/pages/askama.toml")]
struct BookingsPage {
    frame: Frame,
    d: &'static DeskPhrases,
    head: Head,
    undecided: Vec<DayOfLines>,
    days: Vec<DayOfLines>,
    past: String,
    csv: String,
    json: String,
}

#[derive(Template)]
#[template(path = "desk/past.html", config = "src/http/pages/askama.toml")]
struct PastPage {
    frame: Frame,
    d: &'static DeskPhrases,
    head: Head,
    days: Vec<DayOfLines>,
    desk_url: String,
    page: u32,
    newer: Option<String>,
    older: Option<String>,
}

/// `GET /desk`.
pub(in super::super::super) async fn show(
    State(state): State<AppState>,
    seat: Result<Seat, NoSeat>,
) -> Result<Response, Fault> {
    let seat = match seat {
        Ok(seat) => seat,
        Err(NoSeat::Nobody(visit)) => return Ok(sign_in::show(&visit)),
        Err(NoSeat::Fault(fault)) => return Ok(fault.into_response()),
    };
    state.desk.demand(seat.host_id());
    let ahead = state.desk.bookings_ahead(seat.host_id()).await.map_err(Fault::of_desk)?;
    let (undecided, firm): (Vec<Noted>, Vec<Noted>) =
        ahead.into_iter().partition(|noted| noted.booking.state == BookingState::AwaitingApproval);
    Ok(page(
        seat.visit.language,
        &BookingsPage {
            frame: seat.frame(seat.d().bookings),
            d: seat.d(),
            head: seat.head(&state, Tab::Bookings),
            undecided: days(&seat, &state, undecided),
            days: days(&seat, &state, firm),
            past: seat.path("/past", &[]),
            csv: seat.path("/export/bookings.csv", &[]),
            json: seat.path("/export/bookings.json", &[]),
        },
    ))
}

/// `GET /desk/past`, with `page`, from 0.
pub(in super::super::super) async fn past(State(state): State<AppState>, seat: Seat) -> Result<Response, Fault> {
    let page_number: u32 = seat.visit.query.get("page").and_then(|page| page.parse().ok()).unwrap_or(0);
    let (past, more) = state.desk.bookings_past(seat.host_id(), page_number).await.map_err(Fault::of_desk)?;
    let to = |page: u32| seat.path("/past", &[("page", &page.to_string())]);
    Ok(page(
        seat.visit.language,
        &PastPage {
            frame: seat.frame(seat.d().past),
            d: seat.d(),
            head: seat.head(&state, Tab::Bookings),
            days: days(&seat, &state, past),
            desk_url: seat.path("", &[]),
            page: page_number,
            newer: page_number.checked_sub(1).map(to),
            older: more.then(|| to(page_number.saturating_add(1))),
        },
    ))
}

/// The days of bookings that are sorted, in their order.
fn days(seat: &Seat, state: &AppState, bookings: Vec<Noted>) -> Vec<DayOfLines> {
    let (zone, language) = (&seat.host.zone, seat.visit.language);
    let today = zone.civil(state.now()).date();
    let mut days: Vec<(Date, DayOfLines)> = Vec::new();
    for noted in bookings {
        let date = zone.civil(noted.booking.time.start()).date();
        let line = line(seat, state, noted);
        match days.last_mut() {
            Some((last, day)) if *last == date => day.lines.push(line),
            _ => days.push((date, DayOfLines { title: day_title(date, today, language), lines: vec![line] })),
        }
    }
    days.into_iter().map(|(_, day)| day).collect()
}

fn line(seat: &Seat, state: &AppState, Noted { booking, mark }: Noted) -> Line {
    let clock = |at| seat.visit.language.clock(seat.host.zone.civil(at));
    let (mood, words) = state_in_words(booking.state, seat.d());
    let mut said: Vec<(String, String)> =
        booking.guest.answers.into_iter().filter(|a| !a.text.is_empty()).map(|a| (a.label, a.text)).collect();
    if !booking.guest.note.is_empty() {
        said.push((String::new(), booking.guest.note));
    }
    Line {
        anchor: format!("b-{}", booking.id),
        decline: seat.path(&format!("/b/{}", booking.id), &[("decline", "1")]) + "#decline",
        url: seat.path(&format!("/b/{}", booking.id), &[]),
        start: rfc3339(booking.time.start()),
        from: clock(booking.time.start()),
        to: clock(booking.time.end()),
        guest: booking.guest.name,
        title: booking.title,
        mood,
        // What is as it should be is not said of each, nor what is said above.
        state: match booking.state {
            BookingState::Confirmed | BookingState::AwaitingApproval => "",
            _ => words,
        },
        said,
        note: mark.note,
        can_mark: booking.state.holds_slot() && booking.time.start() <= state.now(),
        came: mark.attendance == Some(Attendance::Came),
        missed: mark.attendance == Some(Attendance::Missed),
    }
}
