//! Every route, in one place. What [`Links`](crate::booking::Links) prints is read here. Start with [`app`].

use super::fault::{Fault, Problem};
use super::pages::Visit;
use super::shell::around;
use super::state::AppState;
use super::{api, assets, feed, ops as health, pages};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use tower::util::MapRequest;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// The paths of the API, as the description names them.
pub(super) const API_ROUTES: [&str; 5] = [
    "/api/v1/hosts/{host}/meetings/{meeting}/slots",
    "/api/v1/hosts/{host}/meetings/{meeting}/bookings",
    "/api/v1/bookings/{token}",
    "/api/v1/bookings/{token}/move",
    "/api/v1/openapi.json",
];

/// The public router: feeds, pages, API, and health and metrics unless they have a listener of their own.
pub fn app(state: AppState) -> Router {
    let [slots, bookings, booking, moving, openapi] = API_ROUTES;
    let public = Router::new()
        .route("/", get(pages::directory))
        .route("/{host}", get(one_segment))
        .route("/{host}/{meeting}", get(two_segments))
        .route("/{host}/{meeting}/{start}", get(pages::slot).post(pages::book))
        .route("/b/{token}", get(pages::booking))
        .route("/b/{token}/cancel", post(pages::cancel))
        .route("/b/{token}/move", get(pages::choose).post(pages::reschedule))
        .route("/b/{token}/confirm", get(pages::confirmation).post(pages::confirm))
        .route("/b/{token}/invitation.ics", get(pages::invitation))
        .route("/h/{token}", get(pages::host_booking).post(pages::decide))
        .route(slots, get(api::slots))
        .route(bookings, post(api::create))
        .route(booking, get(api::show).merge(delete(api::cancel)))
        .route(moving, post(api::reschedule))
        .route(openapi, get(api::openapi))
        .route("/embed.js", get(assets::embed))
        .route("/-/{asset}", get(assets::asset))
        .route("/-/problems/{problem}", get(pages::problem))
        .merge(watched().route_layer(from_fn_with_state(state.clone(), only_if_public)));
    let public = dressed(public, state.clone());
    // The path of the public URL is taken off before routing, so that it does not matter whether a proxy did.
    Router::new()
        .fallback_service(MapRequest::new(public, move |request| strip(request, state.settings().links.base_path())))
}

/// The router of `metrics_listen`: health and metrics alone.
pub fn ops(state: AppState) -> Router {
    dressed(watched(), state)
}

fn watched() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(health::health))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
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
