//! `/{host}/-/sign` and `/{host}/{meeting}/sign`: a sign for the door, one sheet of A4: whose door it is, the hours of a week by the wall clock,
//! where, and how to book. The hours are those that the host is willing to meet, whatever is busy.

use super::qr::Qr;
use super::{Frame, Visit, page};
use crate::availability::{Host, Hours, Interval, MeetingType};
use crate::desk::{Desk, Freshness};
use crate::http::fault::Fault;
use crate::http::state::AppState;
use crate::ical::Zone;
use crate::language::Language;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::{Date, Time};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "sign.html", config = "src/http/pages/askama.toml")]
struct SignPage {
    frame: Frame,
    back_url: String,
    back: String,
    host_name: String,
    /// What can be booked: above the name.
    what: String,
    paused: bool,
    /// Why, where it is the host's wish.
    closed: String,
    week: String,
    previous: Option<String>,
    next: Option<String>,
    groups: Vec<Group>,
    places: Vec<String>,
    qr: Option<Qr>,
    qr_label: String,
    /// As one types it.
    url: String,
}

/// The hours of a week.
struct Group {
    /// Of what they are; empty: there are no others.
    title: String,
    /// Empty: the week has none.
    days: Vec<DayHours>,
}

struct DayHours {
    day: String,
    /// Empty: closed.
    times: Vec<String>,
}

/// `GET /{host}/-/sign`, with `week`: a date in it.
pub(in super::super) async fn of_host(
    State(state): State<AppState>,
    Path(host): Path<String>,
    visit: Visit,
) -> Result<Response, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    Ok(sign(&state, &visit, &host, None))
}

/// `GET /{host}/{meeting}/sign`, with `week`.
pub(in super::super) async fn of_meeting(
    State(state): State<AppState>,
    Path((host, meeting)): Path<(String, String)>,
    visit: Visit,
) -> Result<Response, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    let meeting = host.meeting(&meeting).ok_or_else(Fault::not_found)?;
    Ok(sign(&state, &visit, &host, Some(meeting)))
}

fn sign(state: &AppState, visit: &Visit, host: &Host, meeting: Option<&MeetingType>) -> Response {
    let (links, t, g) = (visit.links(), visit.phrases(), &visit.language.phrases().guest);
    let closed = super::closed(state, host, visit);
    let asked = visit.query.get("week").filter(|date| date.len() == 10).and_then(|date| date.parse::<Date>().ok());
    let today = host.zone.civil(state.now()).date();
    let week = Week::of(asked.unwrap_or(today), visit.language);
    let here = links.sign(&host.id, meeting.map(|meeting| &meeting.id));
    let turned = |first: Option<Date>| first.map(|first| visit.path_with(&here, &[("week", &first.to_string())]));
    let (booking, back) = match meeting {
        Some(meeting) => (links.meeting(&host.id, &meeting.id), meeting.title.clone()),
        None => (links.host(&host.id), host.name.clone()),
    };
    let what = meeting.map_or_else(|| t.office_hours.to_owned(), |meeting| meeting.title.clone());
    let shown = SignPage {
        frame: Frame::of_host(visit, &host.id, format!("{} – {what}, {}", g.sign, host.name)).with_guest_style(),
        back_url: visit.path(&booking),
        back,
        host_name: host.name.clone(),
        what,
        // What events open is not known before the first reading.
        paused: closed.hides || state.desk.freshness(&host.id) == Freshness::NeverRead,
        closed: closed.text,
        week: (g.week_of)(&visit.language.long_date(week.first)),
        previous: turned(week.first.checked_sub(7.days()).ok()),
        next: turned(week.first.checked_add(7.days()).ok()),
        groups: groups(&state.desk, host, meeting, &week),
        places: places(host, meeting),
        qr_label: (g.qr_of)(&booking),
        qr: Qr::new(&booking),
        url: booking.strip_prefix("https://").unwrap_or(&booking).to_owned(),
    };
    page(visit.language, &shown)
}

/// Of a meeting type its hours; of a host theirs, and beside them those of each meeting type that has its own.
fn groups(desk: &Desk, host: &Host, meeting: Option<&MeetingType>, week: &Week) -> Vec<Group> {
    let days = |meeting: Option<&MeetingType>| {
        let hours = meeting.and_then(|meeting| meeting.hours.as_ref()).unwrap_or(&host.hours);
        week.days(hours, &host.zone, |window| desk.hours(host, meeting, window).iter().collect())
    };
    if meeting.is_some() {
        return vec![Group { title: String::new(), days: days(meeting) }];
    }
    let shares = |meeting: &MeetingType| meeting.hours.is_none();
    let sharing = host.meetings.iter().filter(|meeting| shares(meeting));
    let titles: Vec<&str> = sharing.map(|meeting| meeting.title.as_str()).collect();
    let shared = || Group { title: titles.join(", "), days: days(None) };
    let first = host.meetings.iter().position(|meeting| shares(meeting));
    // Those that share the host's hours stand where the first of them is.
    let group = |(at, meeting): (usize, &Arc<MeetingType>)| match (shares(meeting), first == Some(at)) {
        (true, true) => Some(shared()),
        (true, false) => None,
        (false, _) => Some(Group { title: meeting.title.clone(), days: days(Some(meeting)) }),
    };
    let mut groups: Vec<Group> = host.meetings.iter().enumerate().filter_map(group).collect();
    if groups.is_empty() {
        groups.push(shared());
    }
    if let [only] = groups.as_mut_slice() {
        only.title.clear();
    }
    groups
}

/// Where to go: one place, or of each meeting type its own.
fn places(host: &Host, meeting: Option<&MeetingType>) -> Vec<String> {
    if let Some(meeting) = meeting {
        return Some(meeting.location.clone()).filter(|place| !place.is_empty()).into_iter().collect();
    }
    let with_place = || host.meetings.iter().filter(|meeting| !meeting.location.is_empty());
    let mut places: Vec<String> = with_place().map(|meeting| meeting.location.clone()).collect();
    places.dedup();
    match places.as_slice() {
        [] | [_] => places,
        _ => with_place().map(|meeting| format!("{}: {}", meeting.title, meeting.location)).collect(),
    }
}

/// Seven days, from the one that weeks begin with in a language.
struct Week {
    first: Date,
    language: Language,
}

impl Week {
    /// The week that a date is in.
    fn of(date: Date, language: Language) -> Week {
        let into = language.week().iter().position(|day| *day == date.weekday()).unwrap_or(0);
        let back = i64::try_from(into).unwrap_or(0).days();
        Week { first: date.checked_sub(back).unwrap_or(date), language }
    }

    /// The days that are open, and those that are closed though they are open in other weeks. `open` tells the hours within a
    /// span of time.
    fn days(&self, hours: &Hours, zone: &Zone, open: impl Fn(Interval) -> Vec<Interval>) -> Vec<DayHours> {
        let midnight = |date: Date| zone.instant(date.to_datetime(Time::midnight()));
        let day = |date: Date| {
            let window = Interval::new(midnight(date)?, midnight(date.tomorrow().ok()?)?)?;
            let times: Vec<String> = open(window).into_iter().map(|span| self.times(span, window, zone)).collect();
            let shown = !times.is_empty() || !hours.weekly.on(date.weekday()).is_empty();
            shown.then(|| DayHours { day: self.language.day_and_month(date), times })
        };
        self.first.series(1.day()).take(7).filter_map(day).collect()
    }

    fn times(&self, span: Interval, day: Interval, zone: &Zone) -> String {
        if span == day {
            return self.language.phrases().guest.all_day.to_owned();
        }
        self.language.times(zone.civil(span.start()), zone.civil(span.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::{DateHours, IntervalSet, spans};

    fn week(date: &str, weekly: &[&str], dates: &[&str], opened: &[(&str, &str)], language: Language) -> Vec<String> {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let mut hours = Hours::default();
        weekly.iter().for_each(|line| hours.weekly.add(line).unwrap());
        hours.dates = dates.iter().map(|line| DateHours::parse(line).unwrap()).collect();
        let opened: Vec<Interval> = opened
            .iter()
            .map(|(start, end)| Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap())
            .collect();
        let open = |window| {
            let set: IntervalSet = spans(&hours, &zone, &opened, window).into_iter().collect();
            set.clipped(window).iter().collect()
        };
        let days = Week::of(date.parse().unwrap(), language).days(&hours, &zone, open);
        days.iter().map(|day| format!("{} {}", day.day, day.times.join(" "))).collect()
    }

    #[test]
    fn a_week_has_its_weekly_hours_its_exceptions_and_what_events_open() {
        let days = week(
            "2026-12-23",
            &["Mon-Fri 09:00-12:00", "Wed 14:00-15:00"],
            &["2026-12-24..2027-01-06 closed", "2026-12-22 10:00-15:00"],
            // Friday is closed whatever is opened; a night belongs to both its days.
            &[
                ("2026-12-25T13:00:00Z", "2026-12-25T14:00:00Z"),
                ("2026-12-21T22:00:00Z", "2026-12-22T00:00:00Z"),
                ("2026-12-21T12:00:00Z", "2026-12-21T13:00:00Z"),
            ],
            Language::English,
        );
        assert_eq!(
            days,
            [
                "Monday 21 December 09:00–12:00 13:00–14:00 23:00–00:00",
                "Tuesday 22 December 00:00–01:00 10:00–15:00",
                "Wednesday 23 December 09:00–12:00 14:00–15:00",
                "Thursday 24 December ",
                "Friday 25 December ",
            ]
        );
    }

    #[test]
    fn a_week_begins_where_the_language_has_it_and_keeps_the_wall_clock_over_a_change_of_clocks() {
        let days = week("2026-10-25", &["Sat-Mon 09:00-10:00"], &[], &[], Language::AmericanEnglish);
        assert_eq!(
            days,
            [
                "Sunday, October 25 9:00–10:00 AM",
                "Monday, October 26 9:00–10:00 AM",
                "Saturday, October 31 9:00–10:00 AM"
            ]
        );
        assert_eq!(
            week("2026-10-25", &["Sun 00:00-24:00"], &[], &[], Language::German),
            ["Sonntag, 25. Oktober ganztägig"]
        );
        assert_eq!(week("2026-10-25", &[], &[], &[], Language::German), Vec::<String>::new());
    }
}
