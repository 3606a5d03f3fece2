//! Server-rendered pages, complete without a script. Start with [`Frame`], which every page is set in; then one file a page.

mod booking;
mod host;
mod host_booking;
mod meeting;
mod month;
mod reschedule;
mod slot;
mod subscribe;
mod zones;

pub(super) use booking::{cancel, confirm, confirmation, invitation, show as booking};
pub(super) use host::{directory, show as host};
pub(super) use host_booking::{decide, show as host_booking};
pub(super) use meeting::show as meeting;
pub(super) use reschedule::{choose, reschedule};
pub(super) use slot::{book, show as slot};

use super::assets::ASSETS;
use super::fault::{Fault, Problem};
use super::guest;
use super::input::Fields;
use super::state::{AppState, Settings};
use crate::booking::{Links, when};
use crate::ical::Zone;
use crate::language::Language;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};

/// What pages are written in.
const LANGUAGE: Language = Language::English;

/// What every page has around it.
struct Frame {
    /// `/`, or the path of the public URL.
    base: String,
    title: String,
    /// The host's zone, on pages that show times: the script compares the guest's with it.
    zone: Option<String>,
}

impl Frame {
    fn new(links: &Links, title: impl Into<String>) -> Frame {
        Frame { base: links.base_path().to_owned(), title: title.into(), zone: None }
    }

    fn with_zone(self, zone: &Zone) -> Frame {
        Frame { zone: Some(zone.name().to_owned()), ..self }
    }

    fn style(&self) -> &str {
        &ASSETS.style
    }

    fn script(&self) -> &str {
        &ASSETS.script
    }

    fn icon(&self) -> &str {
        &ASSETS.icon
    }
}

/// A public URL without its origin: links work under whatever name the page was reached.
fn local(links: &Links, url: &str) -> String {
    let origin = links.base().len() - links.base_path().len();
    url.get(origin..).filter(|path| path.starts_with('/')).unwrap_or("/").to_owned()
}

/// A filled template as an answer.
fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "A page cannot be rendered");
            Fault::new(Problem::Internal).into_response()
        }
    }
}

/// The zone of `?tz=`, when it is one.
fn guest_zone(query: &Fields) -> Option<Zone> {
    query.get("tz").and_then(guest::zone)
}

#[derive(Template)]
#[template(path = "message.html", config = "src/http/pages/askama.toml")]
struct Message<'a> {
    frame: Frame,
    heading: &'a str,
    text: &'a str,
    code: Option<u16>,
}

/// A fault as a page.
pub(super) fn fault(fault: &Fault, settings: &Settings) -> Response {
    page(&Message {
        frame: Frame::new(&settings.links, fault.problem.title()),
        heading: fault.problem.title(),
        text: &fault.detail,
        code: Some(fault.problem.status().as_u16()),
    })
}

/// `GET /-/problems/{slug}`: where the `type` of problem details leads.
pub(super) async fn problem(State(state): State<AppState>, Path(slug): Path<String>) -> Result<Response, Fault> {
    let problem = Problem::ALL.into_iter().find(|problem| problem.slug() == slug).ok_or_else(Fault::not_found)?;
    Ok(page(&Message {
        frame: Frame::new(&state.settings().links, problem.title()),
        heading: problem.title(),
        text: problem.advice(),
        code: Some(problem.status().as_u16()),
    }))
}
