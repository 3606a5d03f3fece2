//! `/{host}/{meeting}`: a month with the number of free times on each day, and the times of one day.

use super::month::{DayLines, Lines, Month, by_day};
use super::zones::{ZoneChoice, choices};
use super::{Closed, Frame, Visit, page, when};
use crate::availability::{Host, Interval, MeetingType};
use crate::desk::{Freshness, Offer};
use crate::http::fault::Fault;
use crate::http::state::AppState;
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;

struct Day {
    date: Date,
    number: i8,
    /// Empty when nothing is free.
    url: String,
    free: usize,
    /// The date, and how much is free.
    label: String,
    chosen: bool,
    today: bool,
}

#[derive(Template)]
#[template(path = "meeting.html", config = "src/http/pages/askama.toml")]
struct MeetingPage {
    frame: Frame,
    host_url: String,
    host_name: String,
    title: String,
    description: String,
    length: String,
    location: String,
    note: &'static str,
    paused: bool,
    /// Why, where it is the host's wish.
    closed: String,
    month_title: String,
    month_param: String,
    day_param: String,
    previous: Option<String>,
    next: Option<String>,
    columns: Vec<(&'static str, &'static str)>,
    weeks: Vec<Vec<Option<Day>>>,
    chosen: Option<DayLines>,
    days: Vec<DayLines>,
    /// Where to look when the month has nothing: a URL and a date.
    first_free: Option<(String, String)>,
    zone: String,
    guest_label: Option<String>,
    zones: Vec<ZoneChoice>,
    /// What goes along with the form of the zone.
    hidden: Vec<(String, String)>,
    overlay_url: String,
    subscribe_url: String,
}

/// `GET /{host}/{meeting}`.
pub(in super::super) fn show(state: &AppState, host: &str, meeting: &str, visit: &Visit) -> Result<Response, Fault> {
    let host = state.desk.host(host).ok_or_else(Fault::not_found)?;
    let meeting = host.meeting(meeting).ok_or_else(Fault::not_found)?;
    state.desk.demand(&host.id);
    let now = state.now();
    let horizon = now.checked_add(meeting.horizon).unwrap_or(Timestamp::MAX);
    let offer = match Interval::new(now, horizon) {
        Some(window) => state.desk.offer(&host, meeting, window),
        None => Offer { slots: Vec::new(), freshness: state.desk.freshness(&host.id) },
    };
    let mut response = page(
        visit.language,
        &View { host: &host, meeting, visit, now, horizon }.page(&offer, super::closed(state, &host, visit)),
    );
    if !matches!(offer.freshness, Freshness::Fresh(_)) {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    Ok(response)
}

struct View<'a> {
    host: &'a Host,
    meeting: &'a MeetingType,
    visit: &'a Visit,
    now: Timestamp,
    horizon: Timestamp,
}

impl View<'_> {
    fn page(&self, offer: &Offer, closed: Closed) -> MeetingPage {
        let (visit, links, query, zone) = (self.visit, self.visit.links(), &self.visit.query, &self.host.zone);
        let guest = visit.zone.as_ref();
        let days = by_day(&offer.slots, zone);
        let (today, last) = (zone.civil(self.now).date(), zone.civil(self.horizon).date());
        let asked: Option<Date> = query.get("day").filter(|day| day.len() == 10).and_then(|day| day.parse().ok());
        let month = query.get("month").and_then(Month::parse).or(asked.map(Month::of));
        let month = month.unwrap_or_else(|| Month::of(days.keys().next().copied().unwrap_or(today)));
        let chosen = asked.filter(|day| month.contains(*day));
        let chosen = chosen.or_else(|| days.keys().find(|day| month.contains(**day)).copied());

        let lines = Lines { host: zone, guest, seats: self.meeting.seats, language: visit.language };
        let day_lines = |date: Date| {
            let slots = days.get(&date).map(Vec::as_slice).unwrap_or_default();
            lines.day(date, slots, |start| visit.path(&links.slot(&self.host.id, &self.meeting.id, start)))
        };
        let cell = |date: Date| {
            let free = days.get(&date).map_or(0, Vec::len);
            Day {
                date,
                number: date.day(),
                url: if free > 0 { self.url(month, Some(date)) } else { String::new() },
                free,
                label: format!(
                    "{}, {}",
                    visit.language.long_date(date),
                    (visit.phrases().free_times)(i64::try_from(free).unwrap_or(i64::MAX))
                ),
                chosen: chosen == Some(date),
                today: date == today,
            }
        };
        let url_if = |month: Option<Month>, wanted: bool| month.filter(|_| wanted).map(|month| self.url(month, None));
        let first = days.keys().next().copied();
        MeetingPage {
            frame: Frame::of_meeting(visit, self.host, self.meeting),
            host_url: visit.path(&links.host(&self.host.id)),
            host_name: self.host.name.clone(),
            title: self.meeting.title.clone(),
            description: self.meeting.description.clone(),
            length: visit.language.length(self.meeting.duration),
            location: self.meeting.location.clone(),
            note: super::host::confirm_note(self.meeting.confirm, visit.phrases()),
            paused: closed.hides || !matches!(offer.freshness, Freshness::Fresh(_)),
            closed: closed.text,
            month_title: month.title(visit.language),
            month_param: month.param(),
            day_param: chosen.map(|day| day.to_string()).unwrap_or_default(),
            previous: url_if(month.previous(), month.param() > Month::of(today).param()),
            next: url_if(month.next(), month.param() < Month::of(last).param()),
            columns: visit
                .language
                .week()
                .map(|day| (visit.language.weekday_narrow(day), visit.language.weekday(day)))
                .to_vec(),
            weeks: month
                .weeks(visit.language)
                .into_iter()
                .map(|week| week.into_iter().map(|day| day.map(cell)).collect())
                .collect(),
            chosen: chosen.map(day_lines),
            days: days.keys().filter(|day| month.contains(**day)).copied().map(day_lines).collect(),
            first_free: first.map(|day| (self.url(Month::of(day), Some(day)), visit.language.long_date(day))),
            zone: when::label(zone, self.now),
            guest_label: guest.filter(|guest| guest.name() != zone.name()).map(|guest| when::label(guest, self.now)),
            zones: choices(guest.unwrap_or(zone), self.now),
            hidden: visit.hidden(),
            overlay_url: visit.path(&links.overlay(&self.host.id, &self.meeting.id)),
            subscribe_url: visit.path(&links.subscribe(&self.host.id, Some(&self.meeting.id))),
        }
    }

    fn url(&self, month: Month, day: Option<Date>) -> String {
        let page = self.visit.links().meeting(&self.host.id, &self.meeting.id);
        let (month, day) = (month.param(), day.map(|day| day.to_string()));
        let query: Vec<(&str, &str)> =
            std::iter::once(("month", month.as_str())).chain(day.as_deref().map(|day| ("day", day))).collect();
        let to = if day.is_some() { "times" } else { "month" };
        format!("{}#{to}", self.visit.path_with(&page, &query))
    }
}
