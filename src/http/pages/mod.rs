//! Server-rendered pages, complete without a script. Start with [`Frame`], which every page is set in; then one file a page.

mod booking;
mod host;
mod host_booking;
mod meeting;
mod month;
mod reschedule;
mod slot;
mod subscribe;
mod visit;
mod zones;

pub(super) use booking::{cancel, confirm, confirmation, invitation, show as booking};
pub(super) use host::{directory, show as host};
pub(super) use host_booking::{decide, show as host_booking};
pub(super) use meeting::show as meeting;
pub(super) use reschedule::{choose, reschedule};
pub(super) use slot::{book, show as slot};
pub(super) use visit::Visit;

use super::assets::ASSETS;
use super::fault::{Fault, Problem};
use crate::availability::{Host, HostId, MeetingType};
use crate::booking::when;
use crate::ical::Zone;
use askama::Template;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};

/// What every page has around it.
struct Frame {
    /// `/`, or the path of the public URL.
    base: String,
    title: String,
    /// The host's zone, on pages that show times: the script compares the guest's with it.
    zone: Option<String>,
    embedded: bool,
    /// Names of style sheets that come after ours.
    styles: Vec<String>,
    /// Names of pictures.
    logo: Option<String>,
    photo: Option<String>,
    /// Lines at the foot.
    footers: Vec<String>,
}

impl Frame {
    fn new(visit: &Visit, title: impl Into<String>) -> Frame {
        let look = visit.settings.look();
        Frame {
            base: visit.links().base_path().to_owned(),
            title: title.into(),
            zone: None,
            embedded: visit.embedded,
            styles: look.styles.clone(),
            logo: look.logo.clone(),
            photo: None,
            footers: look.footer.iter().cloned().collect(),
        }
    }

    /// Of a page about this host: in their look too.
    fn of_host(visit: &Visit, host: &HostId, title: impl Into<String>) -> Frame {
        let mut frame = Frame::new(visit, title);
        if let Some(look) = visit.settings.look_of(host) {
            frame.styles.extend(look.styles.iter().cloned());
            frame.logo = look.logo.clone().or(frame.logo);
            frame.photo = look.photo.clone();
            frame.footers.extend(look.footer.iter().cloned());
        }
        frame
    }

    /// Of a page about a meeting type of this host, which shows times in their zone.
    fn of_meeting(visit: &Visit, host: &Host, meeting: &MeetingType) -> Frame {
        Frame::of_host(visit, &host.id, format!("{} – {}", meeting.title, host.name)).with_zone(&host.zone)
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

    fn proof(&self) -> &str {
        &ASSETS.proof
    }

    fn icon(&self) -> &str {
        &ASSETS.icon
    }
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

#[derive(Template)]
#[template(path = "message.html", config = "src/http/pages/askama.toml")]
struct Message<'a> {
    frame: Frame,
    heading: &'a str,
    text: &'a str,
    code: Option<u16>,
}

/// A fault as a page.
pub(super) fn fault(fault: &Fault, visit: &Visit) -> Response {
    page(&Message {
        frame: Frame::new(visit, fault.problem.title()),
        heading: fault.problem.title(),
        text: &fault.detail,
        code: Some(fault.problem.status().as_u16()),
    })
}

/// `GET /-/problems/{slug}`: where the `type` of problem details leads.
pub(super) async fn problem(visit: Visit, Path(slug): Path<String>) -> Result<Response, Fault> {
    let problem = Problem::ALL.into_iter().find(|problem| problem.slug() == slug).ok_or_else(Fault::not_found)?;
    Ok(page(&Message {
        frame: Frame::new(&visit, problem.title()),
        heading: problem.title(),
        text: problem.advice(),
        code: Some(problem.status().as_u16()),
    }))
}
