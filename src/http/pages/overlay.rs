//! `/{host}/{meeting}/overlay`: the guest's own calendar laid over the free times. The calendar is read for this one answer, and kept nowhere.

use super::month::{DayLines, Lines, Month, by_day};
use super::zones::{ZoneChoice, choices};
use super::{Frame, Visit, page, when};
use crate::availability::{Host, MeetingType};
use crate::desk::{Freshness, GuestCalendar, Overlay, OverlayError};
use crate::http::fault::{Fault, Problem};
use crate::http::guest;
use crate::http::proxy::ClientIp;
use crate::http::state::AppState;
use crate::http::upload::{MAX_FILE, Upload, upload};
use crate::ical::Zone;
use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;

#[derive(Template)]
#[template(path = "overlay.html", config = "src/http/pages/askama.toml")]
struct OverlayForm {
    frame: Frame,
    meeting_url: String,
    title: String,
    host_name: String,
    action: String,
    /// How many bytes a file may have, and what is said of more.
    most: usize,
    too_large: String,
    /// About the file, and about the address: empty, or what is wrong with it.
    file_error: String,
    url_error: String,
    url: String,
    zones: Vec<ZoneChoice>,
}

#[derive(Template)]
#[template(path = "overlay_result.html", config = "src/http/pages/askama.toml")]
struct OverlayResult {
    frame: Frame,
    meeting_url: String,
    again_url: String,
    title: String,
    host_name: String,
    paused: bool,
    /// Why, where it is the host's wish.
    closed: String,
    heading: String,
    /// A sentence more; may be empty.
    text: &'static str,
    /// Empty when all was read.
    unread: String,
    months: Vec<MonthLines>,
    zone: String,
    guest_zone: Option<String>,
}

/// The days of a month that have slots.
struct MonthLines {
    title: String,
    days: Vec<DayLines>,
}

/// `GET /{host}/{meeting}/overlay`.
pub(in super::super) async fn form(
    State(state): State<AppState>,
    Path((host, meeting)): Path<(String, String)>,
    visit: Visit,
) -> Result<Response, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    let meeting = host.meeting(&meeting).ok_or_else(Fault::not_found)?;
    let subject = Subject { state: &state, host: &host, meeting, visit };
    Ok(page(subject.visit.language, &subject.form(&Upload::default(), None)))
}

/// `POST /{host}/{meeting}/overlay`, with `file` or `url`, and `tz`.
pub(in super::super) async fn compare(
    State(state): State<AppState>,
    Path((host, meeting)): Path<(String, String)>,
    visit: Visit,
    Extension(ClientIp(from)): Extension<ClientIp>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    let meeting = host.meeting(&meeting).ok_or_else(Fault::not_found)?;
    let _room = state.admit_overlay(from)?;
    let subject = Subject { state: &state, host: &host, meeting, visit };
    let sent = match upload(&headers, body).await {
        Ok(sent) => sent,
        Err(fault) if fault.problem == Problem::TooLarge => {
            let too_large = Mistake::File(OverlayError::TooLarge(MAX_FILE / (1024 * 1024)));
            return Ok(subject.again(&Upload::default(), too_large));
        }
        Err(fault) => return Err(fault),
    };
    let zone = guest::zone(&sent.tz).or_else(|| subject.visit.zone.clone());
    let visit = Visit { zone: zone.clone(), ..subject.visit };
    let subject = Subject { visit, ..subject };
    state.desk.demand(&host.id);
    let (calendar, mistake): (_, fn(OverlayError) -> Mistake) = match (sent.file.is_empty(), sent.url.is_empty()) {
        (false, _) => (GuestCalendar::File(sent.file.clone()), Mistake::File),
        (true, false) => (GuestCalendar::Address(sent.url.clone()), Mistake::Address),
        (true, true) => return Ok(subject.again(&sent, Mistake::Missing)),
    };
    let zone = zone.unwrap_or_else(|| host.zone.clone());
    match state.desk.overlay(&host, meeting, calendar, zone).await {
        Ok(overlay) => Ok(private(page(subject.visit.language, &subject.result(overlay)))),
        Err(OverlayError::Crowded) => {
            Err(Fault::new(Problem::TooManyRequests).retry_after(SignedDuration::from_secs(30)))
        }
        Err(error) => Ok(subject.again(&sent, mistake(error))),
    }
}

/// What is wrong with what was given.
enum Mistake {
    Missing,
    File(OverlayError),
    Address(OverlayError),
}

/// It tells when the guest is free: it is kept in no cache, not even the browser's.
fn private(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

struct Subject<'a> {
    state: &'a AppState,
    host: &'a Host,
    meeting: &'a MeetingType,
    visit: Visit,
}

impl Subject<'_> {
    fn form(&self, sent: &Upload, mistake: Option<Mistake>) -> OverlayForm {
        let (visit, links) = (&self.visit, self.visit.links());
        let g = &visit.language.phrases().guest;
        let said = |error: OverlayError| match error {
            OverlayError::NotSecure => g.overlay_not_https.to_owned(),
            OverlayError::NotACalendar => g.overlay_not_calendar.to_owned(),
            OverlayError::TooLarge(most) => (g.overlay_too_large)(i64::try_from(most).unwrap_or(i64::MAX)),
            OverlayError::Unreachable | OverlayError::Crowded => g.overlay_unreachable.to_owned(),
        };
        let (file_error, url_error) = match mistake {
            None => Default::default(),
            Some(Mistake::Missing) => (g.overlay_missing.to_owned(), String::new()),
            Some(Mistake::File(error)) => (said(error), String::new()),
            Some(Mistake::Address(error)) => (String::new(), said(error)),
        };
        OverlayForm {
            frame: Frame {
                title: format!("{} – {}", g.overlay, self.meeting.title),
                ..Frame::of_meeting(visit, self.host, self.meeting).with_guest_style()
            },
            meeting_url: visit.path(&links.meeting(&self.host.id, &self.meeting.id)),
            title: self.meeting.title.clone(),
            host_name: self.host.name.clone(),
            action: visit.path(&links.overlay(&self.host.id, &self.meeting.id)),
            most: MAX_FILE,
            too_large: said(OverlayError::TooLarge(MAX_FILE / (1024 * 1024))),
            file_error,
            url_error,
            url: sent.url.clone(),
            zones: choices(visit.zone.as_ref().unwrap_or(&self.host.zone), self.state.now()),
        }
    }

    /// The form again, with what is wrong.
    fn again(&self, sent: &Upload, mistake: Mistake) -> Response {
        let status = match mistake {
            Mistake::File(OverlayError::TooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let form = page(self.visit.language, &self.form(sent, Some(mistake)));
        private((status, form).into_response())
    }

    fn result(&self, overlay: Overlay) -> OverlayResult {
        let (now, closed) = (self.state.now(), super::closed(self.state, self.host, &self.visit));
        let (visit, links, zone) = (&self.visit, self.visit.links(), &self.host.zone);
        let g = &visit.language.phrases().guest;
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let Overlay { slots, offered, not_understood, freshness } = overlay;
        let lines =
            Lines { host: zone, guest: visit.zone.as_ref(), seats: self.meeting.seats, language: visit.language };
        let url = |start| visit.path(&links.slot(&self.host.id, &self.meeting.id, start));
        let mut months: Vec<MonthLines> = Vec::new();
        for (day, slots) in &by_day(&slots, zone) {
            let title = Month::of(*day).title(visit.language);
            let lines = lines.day(*day, slots, url);
            match months.last_mut().filter(|month| month.title == title) {
                Some(month) => month.days.push(lines),
                None => months.push(MonthLines { title, days: vec![lines] }),
            }
        }
        let differs = |guest: &&Zone| guest.offset(now) != zone.offset(now);
        OverlayResult {
            frame: Frame {
                title: format!("{} – {}", g.overlay, self.meeting.title),
                ..Frame::of_meeting(visit, self.host, self.meeting).with_guest_style()
            },
            meeting_url: visit.path(&links.meeting(&self.host.id, &self.meeting.id)),
            again_url: visit.path(&links.overlay(&self.host.id, &self.meeting.id)),
            title: self.meeting.title.clone(),
            host_name: self.host.name.clone(),
            paused: closed.hides || !matches!(freshness, Freshness::Fresh(_)),
            closed: closed.text,
            heading: match (offered, slots.len()) {
                (0, _) => g.overlay.to_owned(),
                (_, 0) => g.overlay_none.to_owned(),
                (offered, fit) => (g.overlay_suit)(count(fit), count(offered)),
            },
            text: if offered == 0 { visit.phrases().none_at_all } else { "" },
            unread: if not_understood == 0 { String::new() } else { (g.overlay_unread)(count(not_understood)) },
            months,
            zone: when::label(zone, now),
            guest_zone: visit.zone.as_ref().filter(differs).map(|guest| when::label(guest, now)),
        }
    }
}
