//! Every route, in one place. What [`Links`](crate::booking::Links) prints is read here. Start with [`Resource`].

use super::fault::{Fault, Problem};
use super::pages::{Visit, desk};
use super::shell::around;
use super::state::AppState;
use super::{api, assets, feed, ops as health, pages};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use tower::util::MapRequest;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// Everything that has an address. The routers are made from this list, and the tests go through it: a route cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The hosts.
    Directory,
    /// A host's page or feed.
    Host,
    /// A meeting type's page or feed, or the host's free/busy.
    Meeting,
    /// One slot, with its form.
    Slot,
    /// How to follow a host's feed.
    HostSubscribe,
    /// How to follow the feed of a meeting type.
    MeetingSubscribe,
    /// A host's door sign.
    HostSign,
    /// The door sign of a meeting type.
    MeetingSign,
    /// The guest's own calendar laid over the free times.
    Overlay,
    /// The guest's page of a booking.
    Booking,
    /// The guest calls a booking off.
    Cancel,
    /// The guest moves a booking.
    Move,
    /// The slots that are sooner than a booking.
    Sooner,
    /// The same as a feed.
    SoonerFeed,
    /// The guest's address is confirmed.
    Confirm,
    /// The guest's event.
    Invitation,
    /// The host's page of a booking.
    HostBooking,
    /// The host's desk: the bookings ahead; for who is not signed in, how to be.
    Desk,
    /// A host asks for a link to the desk by mail.
    DeskAsk,
    /// A link that opens the desk once.
    DeskLink,
    /// The host leaves the desk.
    DeskOut,
    /// At the desk: bookings that are over or ended.
    DeskPast,
    /// At the desk: one booking.
    DeskBooking,
    /// At the desk: another time for it.
    DeskMove,
    /// At the desk: how the calendars do.
    DeskCalendars,
    /// At the desk: why a time is on offer or not.
    DeskExplain,
    /// At the desk: whether new bookings are taken.
    DeskPause,
    /// At the desk: all bookings as a file.
    DeskExport,
    /// The API's slots.
    ApiSlots,
    /// The API books.
    ApiBookings,
    /// The API shows or cancels a booking.
    ApiBooking,
    /// The API moves a booking.
    ApiMove,
    /// The API's description.
    OpenApi,
    /// What a page elsewhere loads to show ours in a frame.
    Embed,
    /// Style, script, icon.
    Asset,
    /// What a kind of problem is.
    Problem,
    /// Whether the process lives.
    Health,
    /// Whether it can serve.
    Ready,
    /// Its counters.
    Metrics,
}

/// What opens a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It is everybody's.
    Open,
    /// The guest's token of a booking, in its path.
    Guest,
    /// The token that was mailed to the guest, in its path.
    Confirm,
    /// The host's token of a booking, in its path.
    Host,
    /// A link that was made for the host, in its path: once.
    DeskLink,
    /// The host's session at the desk, in a cookie.
    Desk,
    /// It is on the listener of the config's `metrics_listen`, if there is one.
    Watch,
}

impl Resource {
    /// All of them: what is not here has no route.
    pub const ALL: [Resource; 39] = [
        Resource::Directory,
        Resource::Host,
        Resource::Meeting,
        Resource::Slot,
        Resource::HostSubscribe,
        Resource::MeetingSubscribe,
        Resource::HostSign,
        Resource::MeetingSign,
        Resource::Overlay,
        Resource::Booking,
        Resource::Cancel,
        Resource::Move,
        Resource::Sooner,
        Resource::SoonerFeed,
        Resource::Confirm,
        Resource::Invitation,
        Resource::HostBooking,
        Resource::Desk,
        Resource::DeskAsk,
        Resource::DeskLink,
        Resource::DeskOut,
        Resource::DeskPast,
        Resource::DeskBooking,
        Resource::DeskMove,
        Resource::DeskCalendars,
        Resource::DeskExplain,
        Resource::DeskPause,
        Resource::DeskExport,
        Resource::ApiSlots,
        Resource::ApiBookings,
        Resource::ApiBooking,
        Resource::ApiMove,
        Resource::OpenApi,
        Resource::Embed,
        Resource::Asset,
        Resource::Problem,
        Resource::Health,
        Resource::Ready,
        Resource::Metrics,
    ];

    /// Its path, with `{names}` for what varies.
    pub fn path(self) -> &'static str {
        match self {
            Resource::Directory => "/",
            Resource::Host => "/{host}",
            Resource::Meeting => "/{host}/{meeting}",
            Resource::Slot => "/{host}/{meeting}/{start}",
            // No id of a meeting type is `-`, and no slot starts at a word.
            Resource::HostSubscribe => "/{host}/-/subscribe",
            Resource::MeetingSubscribe => "/{host}/{meeting}/subscribe",
            Resource::HostSign => "/{host}/-/sign",
            Resource::MeetingSign => "/{host}/{meeting}/sign",
            Resource::Overlay => "/{host}/{meeting}/overlay",
            Resource::Booking => "/b/{token}",
            Resource::Cancel => "/b/{token}/cancel",
            Resource::Move => "/b/{token}/move",
            Resource::Sooner => "/b/{token}/sooner",
            Resource::SoonerFeed => "/b/{token}/sooner.ics",
            Resource::Confirm => "/b/{token}/confirm",
            Resource::Invitation => "/b/{token}/invitation.ics",
            Resource::HostBooking => "/h/{token}",
            Resource::Desk => "/desk",
            Resource::DeskAsk => "/desk/link",
            Resource::DeskLink => "/desk/in/{token}",
            Resource::DeskOut => "/desk/out",
            Resource::DeskPast => "/desk/past",
            Resource::DeskBooking => "/desk/b/{booking}",
            Resource::DeskMove => "/desk/b/{booking}/move",
            Resource::DeskCalendars => "/desk/calendars",
            Resource::DeskExplain => "/desk/explain",
            Resource::DeskPause => "/desk/pause",
            Resource::DeskExport => "/desk/export/{file}",
            Resource::ApiSlots => "/api/v1/hosts/{host}/meetings/{meeting}/slots",
            Resource::ApiBookings => "/api/v1/hosts/{host}/meetings/{meeting}/bookings",
            Resource::ApiBooking => "/api/v1/bookings/{token}",
            Resource::ApiMove => "/api/v1/bookings/{token}/move",
            Resource::OpenApi => "/api/v1/openapi.json",
            Resource::Embed => "/embed.js",
            Resource::Asset => "/-/{asset}",
            Resource::Problem => "/-/problems/{problem}",
            Resource::Health => "/healthz",
            Resource::Ready => "/readyz",
            Resource::Metrics => "/metrics",
        }
    }

    /// What opens it.
    pub fn guard(self) -> Guard {
        match self {
            Resource::Booking | Resource::Cancel | Resource::Move | Resource::Invitation => Guard::Guest,
            Resource::Sooner | Resource::SoonerFeed => Guard::Guest,
            Resource::ApiBooking | Resource::ApiMove => Guard::Guest,
            Resource::Confirm => Guard::Confirm,
            Resource::HostBooking => Guard::Host,
            Resource::DeskAsk => Guard::Open,
            Resource::DeskLink => Guard::DeskLink,
            Resource::Desk | Resource::DeskOut | Resource::DeskPast | Resource::DeskBooking => Guard::Desk,
            Resource::DeskMove | Resource::DeskCalendars | Resource::DeskExplain => Guard::Desk,
            Resource::DeskPause | Resource::DeskExport => Guard::Desk,
            Resource::Health | Resource::Ready | Resource::Metrics => Guard::Watch,
            Resource::Directory | Resource::Host | Resource::Meeting | Resource::Slot => Guard::Open,
            Resource::HostSubscribe | Resource::MeetingSubscribe => Guard::Open,
            Resource::HostSign | Resource::MeetingSign | Resource::Overlay => Guard::Open,
            Resource::ApiSlots | Resource::ApiBookings | Resource::OpenApi => Guard::Open,
            Resource::Embed | Resource::Asset | Resource::Problem => Guard::Open,
        }
    }

    /// What it does with each method.
    fn methods(self) -> MethodRouter<AppState> {
        match self {
            Resource::Directory => get(pages::directory),
            Resource::Host => get(one_segment),
            Resource::Meeting => get(two_segments),
            Resource::Slot => get(pages::slot).post(pages::book),
            Resource::HostSubscribe => get(pages::subscribe_host),
            Resource::MeetingSubscribe => get(pages::subscribe_meeting),
            Resource::HostSign => get(pages::host_sign),
            Resource::MeetingSign => get(pages::meeting_sign),
            Resource::Overlay => get(pages::overlay).post(pages::compare),
            Resource::Booking => get(pages::booking),
            Resource::Cancel => post(pages::cancel),
            Resource::Move => get(pages::choose).post(pages::reschedule),
            Resource::Sooner => get(pages::sooner),
            Resource::SoonerFeed => get(feed::sooner),
            Resource::Confirm => get(pages::confirmation).post(pages::confirm),
            Resource::Invitation => get(pages::invitation),
            Resource::HostBooking => get(pages::host_booking).post(pages::decide),
            Resource::Desk => get(desk::show),
            Resource::DeskAsk => post(desk::ask),
            Resource::DeskLink => get(desk::link).post(desk::open),
            Resource::DeskOut => post(desk::leave),
            Resource::DeskPast => get(desk::past),
            Resource::DeskBooking => get(desk::booking).post(desk::act),
            Resource::DeskMove => get(desk::choose).post(desk::move_to),
            Resource::DeskCalendars => get(desk::calendars),
            Resource::DeskExplain => get(desk::explain),
            Resource::DeskPause => get(desk::pausing).post(desk::pause),
            Resource::DeskExport => get(desk::export),
            Resource::ApiSlots => get(api::slots),
            Resource::ApiBookings => post(api::create),
            Resource::ApiBooking => get(api::show).merge(delete(api::cancel)),
            Resource::ApiMove => post(api::reschedule),
            Resource::OpenApi => get(api::openapi),
            Resource::Embed => get(assets::embed),
            Resource::Asset => get(assets::asset),
            Resource::Problem => get(pages::problem),
            Resource::Health => get(health::health),
            Resource::Ready => get(health::ready),
            Resource::Metrics => get(health::metrics),
        }
    }
}

/// The routes of the resources that are, or are not, for watching alone.
fn routes(watching: bool) -> Router<AppState> {
    let those = Resource::ALL.into_iter().filter(|resource| (resource.guard() == Guard::Watch) == watching);
    those.fold(Router::new(), |router, resource| router.route(resource.path(), resource.methods()))
}

/// The public router: feeds, pages, API, and health and metrics unless they have a listener of their own.
pub fn app(state: AppState) -> Router {
    let watched = routes(true).route_layer(from_fn_with_state(state.clone(), only_if_public));
    let public = dressed(routes(false).merge(watched), state.clone());
    // The path of the public URL is taken off before routing, so that it does not matter whether a proxy did.
    Router::new()
        .fallback_service(MapRequest::new(public, move |request| strip(request, state.settings().links.base_path())))
}

/// The router of `metrics_listen`: health and metrics alone.
pub fn ops(state: AppState) -> Router {
    dressed(routes(true), state)
}

/// What every route has around it: answers to nothing and to wrong methods, panics caught, faults written out.
fn dressed(routes: Router<AppState>, state: AppState) -> Router {
    let shell = state.shell.clone();
    routes
        .fallback(|| async { Fault::not_found() })
        .method_not_allowed_fallback(|| async { Fault::new(Problem::MethodNotAllowed) })
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("A request handler panicked; the panic's message is above");
            Fault::new(Problem::Internal).into_response()
        }))
        .layer(from_fn_with_state(shell, around))
        .layer(CompressionLayer::new().gzip(true).compress_when(is_page))
        .with_state(state)
}

/// Only what is the same for everyone is compressed: a page behind a token could be guessed at by its length, and there
/// are calendar programs that do not take a compressed feed.
fn is_page(_: axum::http::StatusCode, _: axum::http::Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kinds = ["text/html", "text/css", "text/javascript", "image/svg+xml"];
    kinds.iter().any(|kind| text(header::CONTENT_TYPE).starts_with(kind)) && text(header::CACHE_CONTROL) != "no-store"
}

async fn only_if_public(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if state.settings().public_metrics { next.run(request).await } else { Fault::not_found().into_response() }
}

/// Takes `base` off the path, if it is there.
fn strip(mut request: Request, base: &str) -> Request {
    let uri = request.uri();
    let stripped =
        uri.path().strip_prefix(base).filter(|rest| !base.is_empty() && (rest.is_empty() || rest.starts_with('/')));
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Some(path) = stripped.map(|path| if path.is_empty() { "/" } else { path })
        && let Ok(uri) = format!("{path}{query}").parse()
    {
        *request.uri_mut() = uri;
    }
    request
}

/// `/{host}` or `/{host}.ics`.
async fn one_segment(
    State(state): State<AppState>,
    Path(name): Path<String>,
    visit: Result<Visit, Fault>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    match name.strip_suffix(".ics") {
        Some(host) => feed::feed(&state, &headers, host, None),
        None => pages::host(&state, &name, &visit?),
    }
}

/// `/{host}/{meeting}`, `/{host}/{meeting}.ics` or `/{host}/freebusy.ifb`.
async fn two_segments(
    State(state): State<AppState>,
    Path((host, name)): Path<(String, String)>,
    visit: Result<Visit, Fault>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    if name == "freebusy.ifb" {
        return feed::free_busy(&state, &headers, &host);
    }
    match name.strip_suffix(".ics") {
        Some(meeting) => feed::feed(&state, &headers, &host, Some(meeting)),
        None => pages::meeting(&state, &host, &name, &visit?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn the_path_of_the_public_url_is_taken_off_where_it_is_a_whole_segment() {
        let stripped = |uri: &str, base: &str| {
            strip(Request::builder().uri(uri).body(Body::empty()).unwrap(), base).uri().to_string()
        };
        assert_eq!(stripped("/meet/noether?tz=UTC", "/meet"), "/noether?tz=UTC");
        assert_eq!(stripped("/meet", "/meet"), "/");
        assert_eq!(stripped("/meet?x", "/meet"), "/?x");
        assert_eq!(stripped("/meeting", "/meet"), "/meeting");
        assert_eq!(stripped("/noether", "/meet"), "/noether");
        assert_eq!(stripped("/noether", ""), "/noether");
    }

    #[test]
    fn only_what_everyone_may_see_is_compressed() {
        let compressed = |kind: &'static str, cache: &'static str| {
            let headers = HeaderMap::from_iter([
                (header::CONTENT_TYPE, header::HeaderValue::from_static(kind)),
                (header::CACHE_CONTROL, header::HeaderValue::from_static(cache)),
            ]);
            is_page(axum::http::StatusCode::OK, axum::http::Version::HTTP_11, &headers, &axum::http::Extensions::new())
        };
        assert!(compressed("text/html; charset=utf-8", "no-cache"));
        assert!(compressed("text/css; charset=utf-8", "public, max-age=31536000, immutable"));
        assert!(!compressed("text/html; charset=utf-8", "no-store"));
        assert!(!compressed("text/calendar; charset=utf-8", "no-cache"));
        assert!(!compressed("application/json", "no-store"));
    }
}
