//! `/desk/b/{booking}`: one booking, and what its host does with it.

use super::super::when::When;
use super::super::{Frame, page};
use super::seat::{Seat, see};
use super::{Head, Tab, state_in_words};
use crate::booking::{Attendance, BookingId, BookingState};
use crate::desk::{Decision, Noted, TokenError};
use crate::http::fault::{Fault, Problem};
use crate::http::guest;
use crate::http::state::AppState;
use crate::language::DeskPhrases;
use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

/// Caps, in characters.
const MAX_NOTE: usize = 4000;
const MAX_WORD: usize = 1000;

#[derive(Template)]
#[template(path = "desk/booking.html", config = "src/http/pages/askama.toml")]
struct BookingPage {
    frame: Frame,
    d: &'static DeskPhrases,
    head: Head,
    desk_url: String,
    mood: &'static str,
    state: &'static str,
    /// What waits for the host, in a sentence; may be empty.
    waiting: &'static str,
    title: String,
    location: String,
    when: When,
    guest_name: String,
    guest_email: String,
    guest_note: String,
    answers: Vec<(String, String)>,
    action: String,
    /// It awaits the host's decision, and is ahead.
    can_decide: bool,
    /// They came to decline.
    declining: bool,
    can_cancel: bool,
    moving: Option<String>,
    can_mark: bool,
    came: bool,
    missed: bool,
    /// Whether mails go out, and a word with them.
    mailed: bool,
    note: String,
}

/// The booking that the path names.
pub(super) fn booking_id(text: &str) -> Result<BookingId, Fault> {
    text.parse().map(BookingId).map_err(|_| Fault::not_found())
}

/// `GET /desk/b/{booking}`.
pub(in super::super::super) async fn show(
    State(state): State<AppState>,
    Path(booking): Path<String>,
    seat: Seat,
) -> Result<Response, Fault> {
    let id = booking_id(&booking)?;
    let noted = state.desk.booking_of_host(seat.host_id(), id).await.map_err(Fault::of_desk)?;
    Ok(page(seat.visit.language, &booking_page(&seat, &state, noted)))
}

/// `POST /desk/b/{booking}`, with `do`; and `word` or `note`.
pub(in super::super::super) async fn act(
    State(state): State<AppState>,
    Path(booking): Path<String>,
    seat: Seat,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let fields = seat.form(&headers, body).await?;
    let (id, host, t) = (booking_id(&booking)?, seat.host_id(), seat.t());
    let text = |name: &str, most| {
        let text = guest::long_text(fields.text(name), most, t);
        text.map_err(|detail| Fault::because(Problem::Invalid, detail))
    };
    let word = text("word", MAX_WORD)?;
    let decide = async |decision| state.desk.decide_as_host(host, id, decision, &word).await.map(drop);
    let attended = async |attendance| state.desk.note_attendance(host, id, attendance).await;
    let done: Result<(), TokenError> = match fields.text("do") {
        "approve" => decide(Decision::Approve).await,
        "decline" => decide(Decision::Decline).await,
        "cancel" => decide(Decision::Cancel).await,
        "note" => state.desk.note(host, id, text("note", MAX_NOTE)?).await,
        "came" => attended(Some(Attendance::Came)).await,
        "missed" => attended(Some(Attendance::Missed)).await,
        "unmark" => attended(None).await,
        _ => return Err(Fault::new(Problem::Invalid)),
    };
    done.map_err(Fault::of_desk)?;
    // Back to where the button was.
    let anchor = format!("#b-{id}");
    Ok(see(match (fields.text("back"), fields.text("page").parse::<u32>()) {
        ("past", Ok(page)) => seat.path("/past", &[("page", &page.to_string())]) + &anchor,
        ("desk", _) => seat.path("", &[]) + &anchor,
        _ => seat.path(&format!("/b/{id}"), &[]),
    }))
}

fn booking_page(seat: &Seat, state: &AppState, Noted { booking, mark }: Noted) -> BookingPage {
    let (d, t, now) = (seat.d(), seat.t(), state.now());
    let (mood, words) = state_in_words(booking.state, d);
    let ahead = booking.time.start() > now && booking.state.holds_slot();
    let here = format!("/b/{}", booking.id);
    let zone = booking.guest.time_zone.as_deref().and_then(guest::zone);
    let can_decide = booking.state == BookingState::AwaitingApproval && booking.time.end() > now;
    BookingPage {
        frame: seat.frame(&format!("{}: {}", booking.title, booking.guest.name)),
        d,
        head: seat.head(state, Tab::Bookings),
        desk_url: seat.path("", &[]),
        mood,
        state: words,
        waiting: if can_decide { t.host_decides } else { "" },
        when: When::new(booking.time, &seat.host.zone, zone.as_ref(), seat.visit.language),
        title: booking.title,
        location: booking.location,
        guest_name: booking.guest.name,
        guest_email: booking.guest.email,
        guest_note: booking.guest.note,
        answers: booking.guest.answers.into_iter().filter(|a| !a.text.is_empty()).map(|a| (a.label, a.text)).collect(),
        action: seat.path(&here, &[]),
        can_decide,
        declining: seat.visit.query.get("decline").is_some(),
        can_cancel: ahead && !can_decide,
        moving: ahead.then(|| seat.path(&format!("{here}/move"), &[])),
        can_mark: booking.state.holds_slot() && booking.time.start() <= now,
        came: mark.attendance == Some(Attendance::Came),
        missed: mark.attendance == Some(Attendance::Missed),
        mailed: seat.visit.settings.mailed,
        note: mark.note,
    }
}
