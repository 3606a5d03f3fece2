//! `/desk/calendars`: how the sources of busy time do, and what in them was not understood.

use super::super::{Frame, page};
use super::seat::Seat;
use super::{Head, Tab, date_and_clock};
use crate::desk::{CalendarReport, SourceReport};
use crate::http::fault::Fault;
use crate::http::state::AppState;
use crate::language::DeskPhrases;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

/// How many of a calendar's warnings are shown.
const WARNINGS: usize = 50;

struct SourceLine {
    name: String,
    well: bool,
    read: String,
    next: String,
    /// In English, from the server and from us; empty when nothing is wrong.
    trouble: String,
    /// Since when.
    failing: String,
}

struct Misunderstood {
    calendar: String,
    /// The event, and what was not understood of it.
    events: Vec<(String, String)>,
    /// How many more there are.
    more: usize,
}

#[derive(Template)]
#[template(path = "desk/calendars.html", config = "src/http/pages/askama.toml")]
struct CalendarsPage {
    frame: Frame,
    d: &'static DeskPhrases,
    head: Head,
    alerts: Vec<String>,
    sources: Vec<SourceLine>,
    misunderstood: Vec<Misunderstood>,
}

/// `GET /desk/calendars`.
pub(in super::super::super) async fn show(State(state): State<AppState>, seat: Seat) -> Result<Response, Fault> {
    let (d, host) = (seat.d(), seat.host_id());
    let alerts = state.desk.alerts_of(host).await.map_err(Fault::of_desk)?;
    let sources = state.desk.source_reports(host);
    let calendars = state.desk.calendar_reports(host);
    let misunderstood = calendars.into_iter().filter(|calendar| !calendar.warnings.is_empty());
    let misunderstood = misunderstood.map(|calendar| misunderstood_in(calendar, d)).collect();
    Ok(page(
        seat.visit.language,
        &CalendarsPage {
            frame: seat.frame(d.calendars),
            d,
            head: seat.head(&state, Tab::Calendars),
            alerts: alerts.into_iter().map(|(what, _)| what).collect(),
            sources: sources.into_iter().map(|source| line(&seat, source, state.now())).collect(),
            misunderstood,
        },
    ))
}

fn line(seat: &Seat, source: SourceReport, now: Timestamp) -> SourceLine {
    let d = seat.d();
    let (trouble, since) = source.trouble.unzip();
    SourceLine {
        name: source.name,
        well: trouble.is_none() && source.read_at.is_some(),
        read: source.read_at.map_or_else(|| d.never_read.to_owned(), |at| (d.read)(&distance(seat, at, now))),
        next: source.next_at.map_or_else(|| d.looking.to_owned(), |at| (d.next_look)(&distance(seat, at, now))),
        failing: since.map_or_else(String::new, |since| (d.failing)(&distance(seat, since, now))),
        trouble: trouble.unwrap_or_default(),
    }
}

/// `5 minutes ago`, `in 5 minutes`; a date where it is a day or more.
fn distance(seat: &Seat, at: Timestamp, now: Timestamp) -> String {
    let (d, language) = (seat.d(), seat.visit.language);
    let between = at.duration_since(now).abs();
    if between >= SignedDuration::from_hours(24) {
        return date_and_clock(seat.host.zone.civil(at), language);
    }
    let length = match between.as_mins() {
        0 => d.moments.to_owned(),
        minutes => language.length(SignedDuration::from_mins(minutes)),
    };
    if at > now { (d.within)(&length) } else { (d.ago)(&length) }
}

fn misunderstood_in(calendar: CalendarReport, d: &DeskPhrases) -> Misunderstood {
    let more = calendar.warnings.len().saturating_sub(WARNINGS);
    let told = calendar.warnings.into_iter().take(WARNINGS);
    let told = told.map(|warning| (warning.uid.unwrap_or_else(|| d.some_event.to_owned()), warning.what));
    Misunderstood { calendar: calendar.name, events: told.collect(), more }
}
