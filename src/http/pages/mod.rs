//! Server-rendered pages, complete without a script. Start with [`Frame`], which every page is set in; then one file a page.

mod booking;
pub(super) mod desk;
mod host;
mod host_booking;
mod meeting;
mod month;
mod overlay;
mod qr;
mod reschedule;
mod sign;
mod slot;
mod sooner;
mod subscribe;
mod visit;
mod zones;

pub(super) use booking::{cancel, confirm, confirmation, invitation, show as booking};
pub(super) use host::{directory, show as host};
pub(super) use host_booking::{decide, show as host_booking};
pub(super) use meeting::show as meeting;
pub(super) use overlay::{compare, form as overlay};
pub(super) use reschedule::{choose, reschedule};
pub(super) use sign::{of_host as host_sign, of_meeting as meeting_sign};
pub(super) use slot::{book, show as slot};
pub(super) use sooner::show as sooner;
pub(super) use subscribe::{of_host as subscribe_host, of_meeting as subscribe_meeting};
pub(super) use visit::Visit;

use super::assets::ASSETS;
use super::fault::{Fault, Problem};
use super::state::AppState;
use crate::availability::{Host, HostId, MeetingType};
use crate::booking::when;
use crate::ical::Zone;
use crate::language::{GuestPhrases, Language, PagePhrases, Said};
use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

/// The same page in a language.
struct InLanguage {
    language: Language,
    name: &'static str,
    url: String,
    current: bool,
}

/// What every page has around it.
struct Frame {
    language: Language,
    /// What is said in it.
    t: &'static PagePhrases,
    /// What is said on pages beside booking.
    g: &'static GuestPhrases,
    /// The same page in each language.
    languages: Vec<InLanguage>,
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
            language: visit.language,
            t: visit.phrases(),
            g: &visit.language.phrases().guest,
            languages: visit.in_languages(),
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

    /// With the style of pages beside booking; a look's own comes after it.
    fn with_guest_style(mut self) -> Frame {
        self.styles.insert(0, ASSETS.guest_style.clone());
        self
    }

    fn has_foot(&self) -> bool {
        !self.languages.is_empty() || !self.embedded && !self.footers.is_empty()
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

    fn overlay(&self) -> &str {
        &ASSETS.overlay
    }

    fn icon(&self) -> &str {
        &ASSETS.icon
    }
}

/// What guests read where nothing can be booked by the host's wish.
#[derive(Default)]
struct Closed {
    /// Empty while bookings are taken.
    text: String,
    /// True when no times are shown either: they are on offer again later.
    hides: bool,
}

/// Whether the host takes bookings, in words.
fn closed(state: &AppState, host: &Host, visit: &Visit) -> Closed {
    let (t, d) = (visit.phrases(), &visit.language.phrases().desk);
    if !host.takes_bookings {
        return Closed { text: (t.unbookable_text)(&host.name), hides: false };
    }
    let pause = state.desk.paused(&host.id).map(|pause| match pause.until {
        None => (d.guest_paused_text)(&host.name),
        Some(until) => {
            (d.guest_paused_until)(&host.name, &desk::date_and_clock(host.zone.civil(until), visit.language))
        }
    });
    pause.map(|text| Closed { text, hides: true }).unwrap_or_default()
}

/// A filled template as an answer.
fn page(language: Language, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let headers = [
                (header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())),
                (header::VARY, HeaderValue::from_static("accept-language")),
            ];
            (headers, Html(html)).into_response()
        }
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

/// What a page says of a problem.
fn said(problem: Problem, t: &'static PagePhrases) -> Said {
    match problem {
        Problem::Malformed | Problem::UnsupportedMediaType => t.fault_malformed,
        Problem::CrossSite => t.fault_cross_site,
        Problem::NotFound => t.fault_not_found,
        Problem::MethodNotAllowed => t.fault_not_allowed,
        Problem::Timeout => t.fault_timeout,
        Problem::SlotTaken => Said { title: t.taken, text: t.choose_another },
        Problem::NotASlot => Said { title: t.no_slot, text: t.choose_another },
        Problem::InProgress | Problem::KeyReused => t.fault_in_progress,
        Problem::BookingClosed => t.fault_closed,
        Problem::TooLarge => t.fault_too_large,
        Problem::Invalid | Problem::ProofOfWork => t.fault_invalid,
        Problem::TooManyRequests => t.fault_too_many,
        Problem::Internal => t.fault_internal,
        Problem::NotReady | Problem::Stale => t.fault_stale,
        Problem::Unavailable => t.fault_unsaved,
    }
}

/// A fault as a page.
pub(super) fn fault(fault: &Fault, visit: &Visit) -> Response {
    let said = said(fault.problem, visit.phrases());
    page(
        visit.language,
        &Message {
            frame: Frame::new(visit, said.title),
            heading: said.title,
            text: said.text,
            code: Some(fault.problem.status().as_u16()),
        },
    )
}

/// `GET /-/problems/{slug}`: where the `type` of problem details leads.
pub(super) async fn problem(visit: Visit, Path(slug): Path<String>) -> Result<Response, Fault> {
    let problem = Problem::ALL.into_iter().find(|problem| problem.slug() == slug).ok_or_else(Fault::not_found)?;
    let visit = Visit { language: Language::English, got: false, ..visit };
    Ok(page(
        visit.language,
        &Message {
            frame: Frame::new(&visit, problem.title()),
            heading: problem.title(),
            text: problem.advice(),
            code: Some(problem.status().as_u16()),
        },
    ))
}
