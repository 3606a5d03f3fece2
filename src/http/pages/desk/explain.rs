//! `/desk/explain`: why a time is or is not on offer, with every rule and event that has a say. It names the host's events, and is
//! for their eyes only.

use super::super::when::When;
use super::super::{Frame, page};
use super::seat::Seat;
use super::{Head, Tab};
use crate::availability::{Decision, Effect, Explanation, Interval};
use crate::desk::{NotASlot, Taken};
use crate::http::fault::Fault;
use crate::http::state::AppState;
use crate::language::DeskPhrases;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::civil::{Date, Time};

struct Choice {
    id: String,
    title: String,
    chosen: bool,
}

struct ReasonLine {
    /// For the style: `for`, `against` or `note`.
    effect: &'static str,
    mark: &'static str,
    text: String,
}

struct Answer {
    when: Option<When>,
    on_offer: bool,
    /// What decides; empty when all rules hold.
    why: &'static str,
    reasons: Vec<ReasonLine>,
}

#[derive(Template)]
#[template(path = "desk/explain.html", config = "src/http/pages/askama.toml")]
struct ExplainPage {
    frame: Frame,
    d: &'static DeskPhrases,
    head: Head,
    action: String,
    /// What goes along with the form.
    hidden: Vec<(String, String)>,
    meetings: Vec<Choice>,
    date: String,
    time: String,
    mistake: &'static str,
    answer: Option<Answer>,
}

/// `GET /desk/explain`, with `meeting`, `date` and `time`.
pub(in super::super::super) async fn show(State(state): State<AppState>, seat: Seat) -> Result<Response, Fault> {
    let (query, now) = (&seat.visit.query, state.now());
    let chosen = query.get("meeting").and_then(|id| seat.host.meeting(id)).or(seat.host.meetings.first());
    let asked = query.get("date").is_some();
    let typed = || {
        let (date, time): (Date, Time) = (query.text("date").parse().ok()?, query.text("time").parse().ok()?);
        seat.host.zone.instant(date.to_datetime(time))
    };
    let start = if asked { typed() } else { None };
    let told = start.zip(chosen).and_then(|(start, meeting)| state.desk.explain(&seat.host, meeting, start, now));
    let today = seat.host.zone.civil(now);
    let action = seat.path("/explain", &[]);
    let d = seat.d();
    Ok(page(
        seat.visit.language,
        &ExplainPage {
            frame: seat.frame(d.explain_title),
            d,
            head: seat.head(&state, Tab::Explain),
            // A form that is sent with GET has its query from its fields.
            action: action.split('?').next().unwrap_or_default().to_owned(),
            hidden: seat.visit.hidden(),
            meetings: seat
                .host
                .meetings
                .iter()
                .map(|meeting| Choice {
                    id: meeting.id.to_string(),
                    title: meeting.title.clone(),
                    chosen: chosen.is_some_and(|chosen| chosen.id == meeting.id),
                })
                .collect(),
            date: if asked { query.text("date").to_owned() } else { today.date().to_string() },
            time: if asked { query.text("time").to_owned() } else { today.strftime("%H:00").to_string() },
            mistake: if asked && start.is_none() { d.time_missing } else { "" },
            answer: told.map(|told| answer(&seat, told)),
        },
    ))
}

fn answer(seat: &Seat, told: Explanation) -> Answer {
    let (d, t) = (seat.d(), seat.t());
    let why = match told.decision {
        Decision::OnOffer(_) => "",
        Decision::Unread => d.unread,
        Decision::NotASlot(NotASlot::Past) => t.past,
        Decision::NotASlot(NotASlot::OutsideHours) => d.outside_hours,
        Decision::NotASlot(NotASlot::OffGrid) => d.off_grid,
        Decision::Taken(Taken::Busy) => d.busy,
        Decision::Taken(Taken::Booked) => d.booked,
        Decision::Taken(Taken::TooSoon) => t.too_soon,
        Decision::Taken(Taken::TooFar) => t.too_far,
        Decision::Taken(Taken::DayFull) => t.day_full,
        Decision::Taken(Taken::GuestLimit) => t.guest_limit,
        Decision::Taken(Taken::Paused) => d.guest_paused,
        Decision::Taken(Taken::Unbookable) => t.unbookable,
    };
    let time = |time: Interval| When::new(time, &seat.host.zone, None, seat.visit.language);
    let line = |reason: crate::availability::Reason| {
        let (effect, mark) = match reason.effect {
            Effect::Against => ("against", d.no),
            Effect::For => ("for", d.yes),
            Effect::Note => ("note", d.remark),
        };
        ReasonLine { effect, mark, text: reason.text }
    };
    Answer {
        when: told.time.map(time),
        on_offer: matches!(told.decision, Decision::OnOffer(_)),
        why,
        reasons: told.reasons.into_iter().map(line).collect(),
    }
}
