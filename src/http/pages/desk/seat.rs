//! Who sits at the desk: the host of the request's session. Start with [`Seat`].

use super::super::{Frame, Visit};
use super::cookie::Cookie;
use super::{Head, Tab, TabLink, date_and_clock, frame, path, phrases};
use crate::availability::{Host, HostId};
use crate::desk::AtDesk;
use crate::http::fault::{Fault, Problem};
use crate::http::input::{self, Fields};
use crate::http::language;
use crate::http::state::AppState;
use crate::language::{DeskPhrases, PagePhrases};
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// A host at the desk, in one request.
pub(in super::super::super) struct Seat {
    pub(super) visit: Visit,
    pub(super) host: Arc<Host>,
    form_token: String,
    /// What the cookie has.
    pub(super) session: String,
}

/// Why nobody sits there.
pub(in super::super::super) enum NoSeat {
    /// There is no session, or it has ended.
    Nobody(Box<Visit>),
    /// The request or the store is at fault.
    Fault(Box<Fault>),
}

impl IntoResponse for NoSeat {
    fn into_response(self) -> Response {
        match self {
            NoSeat::Nobody(visit) => see(path(&visit, "", &[])),
            NoSeat::Fault(fault) => fault.into_response(),
        }
    }
}

impl From<Fault> for NoSeat {
    fn from(fault: Fault) -> NoSeat {
        NoSeat::Fault(Box::new(fault))
    }
}

impl FromRequestParts<AppState> for Seat {
    type Rejection = NoSeat;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Seat, NoSeat> {
        let visit = Visit::from_request_parts(parts, state).await?;
        // Nothing of it is ever in a frame.
        let mut visit = Visit { embedded: false, zone: None, ..visit };
        let nobody = |visit| NoSeat::Nobody(Box::new(visit));
        let Some(session) = Cookie::of(visit.links().base()).read(&parts.headers) else { return Err(nobody(visit)) };
        let at_desk = state.desk.at_desk(&session).await.map_err(Fault::of_desk)?;
        let Some(AtDesk { host, form_token }) = at_desk else { return Err(nobody(visit)) };
        visit.language = language::wanted(visit.query.get("lang"), &parts.headers).unwrap_or(host.language);
        Ok(Seat { visit, host, form_token, session })
    }
}

impl Seat {
    pub(super) fn t(&self) -> &'static PagePhrases {
        self.visit.phrases()
    }

    pub(super) fn d(&self) -> &'static DeskPhrases {
        phrases(self.visit.language)
    }

    pub(super) fn host_id(&self) -> &HostId {
        &self.host.id
    }

    /// The path of a page beneath the desk.
    pub(super) fn path(&self, rest: &str, query: &[(&str, &str)]) -> String {
        path(&self.visit, rest, query)
    }

    pub(super) fn frame(&self, title: &str) -> Frame {
        frame(&self.visit, title)
    }

    /// What the page begins with; `tab` is where it is.
    pub(super) fn head(&self, state: &AppState, tab: Tab) -> Head {
        let d = self.d();
        let link = |of: Tab, rest: &str, label| TabLink { url: self.path(rest, &[]), label, current: of == tab };
        let paused = state.desk.paused(self.host_id()).map_or_else(String::new, |pause| match pause.until {
            None => d.paused.to_owned(),
            Some(until) => (d.paused_until)(&date_and_clock(self.host.zone.civil(until), self.visit.language)),
        });
        Head {
            host_name: self.host.name.clone(),
            tabs: vec![
                link(Tab::Bookings, "", d.bookings),
                link(Tab::Calendars, "/calendars", d.calendars),
                link(Tab::Explain, "/explain", d.explain),
                link(Tab::Pause, "/pause", d.pause),
            ],
            leave: self.path("/out", &[]),
            form_token: self.form_token.clone(),
            paused,
            pausing: self.path("/pause", &[]),
        }
    }

    /// Reads a posted form, which must be one of this session's pages.
    pub(super) async fn form(&self, headers: &HeaderMap, body: Body) -> Result<Fields, Fault> {
        let (fields, _) = input::form(headers, body).await?;
        if fields.is_of(&self.form_token) { Ok(fields) } else { Err(Fault::new(Problem::CrossSite)) }
    }
}

/// To another page, so that reloading it does nothing.
pub(super) fn see(to: String) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}
