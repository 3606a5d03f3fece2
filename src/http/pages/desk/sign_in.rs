//! Coming to the desk by a link, and leaving it. A link that is only looked at stays as it is: programs that read mail follow links.

use super::super::{Frame, Message, Visit, page};
use super::cookie::Cookie;
use super::seat::{Seat, see};
use super::{frame, path, phrases};
use crate::desk::{SESSION, TokenError};
use crate::http::fault::{Fault, Problem};
use crate::http::input;
use crate::http::proxy::ClientIp;
use crate::http::state::AppState;
use crate::language::DeskPhrases;
use askama::Template;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "desk/sign_in.html", config = "src/http/pages/askama.toml")]
struct SignIn {
    frame: Frame,
    d: &'static DeskPhrases,
    action: String,
    mailed: bool,
}

#[derive(Template)]
#[template(path = "desk/open.html", config = "src/http/pages/askama.toml")]
struct Open {
    frame: Frame,
    d: &'static DeskPhrases,
    host_name: String,
    action: String,
    form_token: String,
}

#[derive(Template)]
#[template(path = "desk/gone.html", config = "src/http/pages/askama.toml")]
struct Gone {
    frame: Frame,
    d: &'static DeskPhrases,
    desk_url: String,
}

/// What `GET /desk` shows to who is not signed in.
pub(super) fn show(visit: &Visit) -> Response {
    let d = phrases(visit.language);
    if visit.query.get("sent").is_some() {
        let sent = Message { frame: frame(visit, d.sent.title), heading: d.sent.title, text: d.sent.text, code: None };
        return page(visit.language, &sent);
    }
    let action = path(visit, "/link", &[]);
    page(visit.language, &SignIn { frame: frame(visit, d.sign_in), d, action, mailed: visit.settings.mailed })
}

/// `POST /desk/link`, with `email`: the same answer for every address.
pub(in super::super::super) async fn ask(
    State(state): State<AppState>,
    visit: Visit,
    Extension(ClientIp(from)): Extension<ClientIp>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let (fields, _) = input::form(&headers, body).await?;
    state.desk.mail_desk_link(fields.text("email"), from, input::random()?).await?;
    Ok(see(path(&visit, "", &[("sent", "1")])))
}

/// `GET /desk/in/{token}`: what the link opens, with the button that does.
pub(in super::super::super) async fn link(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, Fault> {
    let at_desk = match state.desk.desk_link(&token).await {
        Ok(at_desk) => at_desk,
        Err(TokenError::Unknown) => return Ok(gone(&visit)),
        Err(error) => return Err(error.into()),
    };
    let (d, host_name) = (phrases(visit.language), at_desk.host.name.clone());
    let title = (d.open)(&host_name);
    let action = visit.path(&visit.links().desk_link(&token));
    let open = Open { frame: frame(&visit, &title), d, host_name, action, form_token: at_desk.form_token };
    Ok(page(visit.language, &open))
}

/// `POST /desk/in/{token}`: uses the link up and begins a session.
pub(in super::super::super) async fn open(
    State(state): State<AppState>,
    Path(token): Path<String>,
    visit: Visit,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let (fields, _) = input::form(&headers, body).await?;
    let cookie = Cookie::of(visit.links().base());
    let opened = async {
        let at_desk = state.desk.desk_link(&token).await?;
        if !fields.is_of(&at_desk.form_token) {
            return Err(Fault::new(Problem::CrossSite));
        }
        // Another session than the browser may bring along: whoever planted that one knows it.
        let before = cookie.read(&headers);
        Ok(state.desk.open_desk(&token, input::random()?, before.as_deref()).await?)
    };
    match opened.await {
        Ok(session) => {
            let mut response = see(path(&visit, "", &[]));
            let kept = cookie.keep(&session, SESSION.whole.as_secs()).ok_or_else(|| Fault::new(Problem::Internal))?;
            response.headers_mut().insert(header::SET_COOKIE, kept);
            Ok(response)
        }
        Err(fault) if fault.problem == Problem::NotFound => Ok(gone(&visit)),
        Err(fault) => Err(fault),
    }
}

fn gone(visit: &Visit) -> Response {
    let d = phrases(visit.language);
    let gone = Gone { frame: frame(visit, d.link_gone.title), d, desk_url: path(visit, "", &[]) };
    (StatusCode::NOT_FOUND, page(visit.language, &gone)).into_response()
}

/// `POST /desk/out`: ends the session.
pub(in super::super::super) async fn leave(
    State(state): State<AppState>,
    seat: Seat,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    seat.form(&headers, body).await?;
    state.desk.leave_desk(&seat.session).await.map_err(Fault::of_desk)?;
    let mut response = see(seat.path("", &[]));
    if let Some(forgotten) = Cookie::of(seat.visit.links().base()).forget() {
        response.headers_mut().insert(header::SET_COOKIE, forgotten);
    }
    Ok(response)
}
