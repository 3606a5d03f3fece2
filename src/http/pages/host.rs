//! `/` and `/{host}`: who can be met, what can be booked, how to subscribe.

use super::{Frame, Message, Visit, page, when};
use crate::availability::{Confirm, Host, MeetingType};
use crate::desk::Freshness;
use crate::http::fault::Fault;
use crate::http::state::AppState;
use crate::language::PagePhrases;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

#[derive(Template)]
#[template(path = "directory.html", config = "src/http/pages/askama.toml")]
struct Directory {
    frame: Frame,
    hosts: Vec<(String, String)>,
}

/// `GET /`: the hosts, if they want to be listed.
pub(in super::super) async fn directory(State(state): State<AppState>, visit: Visit) -> Response {
    if !visit.settings.directory {
        let mut answer = page(
            visit.language,
            &Message {
                frame: Frame::new(&visit, visit.phrases().office_hours),
                heading: visit.phrases().office_hours,
                text: visit.phrases().not_listed,
                code: None,
            },
        );
        *answer.status_mut() = StatusCode::NOT_FOUND;
        return answer;
    }
    let hosts =
        state.desk.hosts().iter().map(|host| (visit.path(&visit.links().host(&host.id)), host.name.clone())).collect();
    page(visit.language, &Directory { frame: Frame::new(&visit, visit.phrases().office_hours), hosts })
}

struct MeetingCard {
    url: String,
    title: String,
    description: String,
    length: String,
    location: String,
    note: &'static str,
}

#[derive(Template)]
#[template(path = "host.html", config = "src/http/pages/askama.toml")]
struct HostPage {
    frame: Frame,
    name: String,
    zone: String,
    paused: bool,
    /// Why, where it is the host's wish.
    closed: String,
    meetings: Vec<MeetingCard>,
    subscribe_url: String,
}

/// What a guest should know before choosing.
pub(super) fn confirm_note(confirm: Confirm, t: &'static PagePhrases) -> &'static str {
    match confirm {
        Confirm::Instant => "",
        Confirm::Email => t.confirms_address,
        Confirm::Approval => t.on_request,
    }
}

fn card(host: &Host, meeting: &MeetingType, visit: &Visit) -> MeetingCard {
    MeetingCard {
        url: visit.path(&visit.links().meeting(&host.id, &meeting.id)),
        title: meeting.title.clone(),
        description: meeting.description.clone(),
        length: visit.language.length(meeting.duration),
        location: meeting.location.clone(),
        note: confirm_note(meeting.confirm, visit.phrases()),
    }
}

/// `GET /{host}`.
pub(in super::super) fn show(state: &AppState, host: &str, visit: &Visit) -> Result<Response, Fault> {
    let host = state.desk.host(host).ok_or_else(Fault::not_found)?;
    let links = visit.links();
    let closed = super::closed(state, &host, visit);
    Ok(page(
        visit.language,
        &HostPage {
            frame: Frame::of_host(visit, &host.id, &*host.name),
            name: host.name.clone(),
            zone: when::label(&host.zone, state.now()),
            paused: closed.hides || !matches!(state.desk.freshness(&host.id), Freshness::Fresh(_)),
            closed: closed.text,
            meetings: host.meetings.iter().map(|meeting| card(&host, meeting, visit)).collect(),
            subscribe_url: visit.path(&links.subscribe(&host.id, None)),
        },
    ))
}
