//! What goes around every handler: who asks, the request limit, the refusal of cross-site posts, faults written out,
//! security headers, counters. Start with [`around`].

use super::fault::{Fault, Problem};
use super::metrics::RouteClass;
use super::pages::{self, Visit};
use super::proxy::{ClientIp, Peer, client_ip};
use super::state::{Settings, Shell};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// No script, style, picture, request or form but our own; nothing inline. Who may frame the page follows.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors";

/// The policy of what is no page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// The layer around every handler.
pub(super) async fn around(State(shell): State<Shell>, mut request: Request, next: Next) -> Response {
    let settings = shell.settings.load_full();
    let class = RouteClass::of(request.uri().path());
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let client = client_ip(peer, request.headers(), &settings.trusted_proxies);
    request.extensions_mut().insert(ClientIp(client));
    let method = request.method().clone();
    let visit = Visit::or_bare(settings.clone(), request.uri().query(), request.headers(), &method);

    let refusal =
        limited(&shell, &settings, class, client).or_else(|| cross_site(&settings, &method, request.headers()));
    let mut response = match refusal {
        Some(fault) => fault.into_response(),
        None => next.run(request).await,
    };
    if is_bare_error(&response, class) {
        response.extensions_mut().insert(Fault::new(Problem::Malformed));
    }
    if let Some(fault) = response.extensions_mut().remove::<Fault>() {
        response = written_out(&fault, &response, class, &visit);
    }
    // The desk is framed by nobody, whatever the config says of other pages.
    let embedded = class != RouteClass::Desk && visit.embedded;
    secure(response.headers_mut(), class, embedded.then_some(settings.embed.as_slice()));
    shell.metrics.request(class, response.status());
    response
}

/// axum's own refusal, in plain text: of a path, for one, that is not UTF-8.
fn is_bare_error(response: &Response, class: RouteClass) -> bool {
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let written = matches!(class, RouteClass::Page | RouteClass::Private | RouteClass::Desk | RouteClass::Api);
    written && plain && response.status().is_client_error()
}

fn limited(shell: &Shell, settings: &Settings, class: RouteClass, client: Option<std::net::IpAddr>) -> Option<Fault> {
    if !class.is_limited() {
        return None;
    }
    let wait = shell.requests.check(settings.requests_per_ip?, client, shell.now()).err()?;
    Some(Fault::new(Problem::TooManyRequests).retry_after(wait))
}

/// A post that a browser says was made by another site (CSRF). A guest's posts have no ambient authority to abuse: what they may
/// do, they may because their URL carries the token; the desk, which has a cookie, asks for a token of its session in each
/// form besides. So a client that does not say where it comes from is let through, and so is `Origin: null`, which is what `Referrer-Policy: no-referrer` makes of our own forms
/// in browsers without `Sec-Fetch-Site`.
fn cross_site(settings: &Settings, method: &Method, headers: &HeaderMap) -> Option<Fault> {
    if method == Method::GET || method == Method::HEAD {
        return None;
    }
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let ours = match (text(HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, None | Some("null")) => true,
        (None, Some(origin)) => {
            let authority = origin.split_once("://").map_or("?", |(_, authority)| authority);
            text(header::HOST) == Some(authority) || is_origin_of(origin, settings.links.base())
        }
    };
    (!ours).then(|| Fault::new(Problem::CrossSite))
}

fn is_origin_of(origin: &str, url: &str) -> bool {
    url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Writes a fault as the client wants it: problem details, a page, or a line of text.
fn written_out(fault: &Fault, blank: &Response, class: RouteClass, visit: &Visit) -> Response {
    let mut response = match class {
        RouteClass::Api => {
            let body = fault.json(visit.links()).to_string();
            ([(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
        }
        RouteClass::Feed | RouteClass::Ops | RouteClass::Asset => {
            let body = format!("{}: {}\n", fault.problem.title(), fault.detail);
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
        }
        RouteClass::Page | RouteClass::Private | RouteClass::Desk => pages::fault(fault, visit),
    };
    *response.status_mut() = fault.problem.status();
    let headers = response.headers_mut();
    if let Some(allow) = blank.headers().get(header::ALLOW) {
        headers.insert(header::ALLOW, allow.clone());
    }
    if let Some(seconds) = fault.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `frames`: the sites that may frame this page, when it was asked for in a frame.
fn secure(headers: &mut HeaderMap, class: RouteClass, frames: Option<&[String]>) {
    let mut set = |name: &'static str, value: HeaderValue| {
        headers.entry(HeaderName::from_static(name)).or_insert(value);
    };
    if matches!(class, RouteClass::Page | RouteClass::Private | RouteClass::Desk) {
        let origins = frames.filter(|origins| !origins.is_empty()).map(|origins| origins.join(" "));
        let policy = format!("{POLICY} {}", origins.as_deref().unwrap_or("'none'"));
        set("content-security-policy", HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(NOTHING)));
        if origins.is_none() {
            set("x-frame-options", HeaderValue::from_static("DENY"));
        }
    }
    let mut set = |name, value| set(name, HeaderValue::from_static(value));
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "no-referrer");
    match class {
        RouteClass::Page | RouteClass::Private | RouteClass::Desk => {
            set("cross-origin-opener-policy", "same-origin");
            set("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
            set("x-robots-tag", "noindex");
            set("cache-control", if class == RouteClass::Page { "no-cache" } else { "no-store" });
        }
        RouteClass::Api => {
            set("content-security-policy", NOTHING);
            set("x-robots-tag", "noindex");
            set("cache-control", "no-store");
        }
        RouteClass::Feed => set("cache-control", "no-cache"),
        RouteClass::Ops => set("cache-control", "no-store"),
        // A picture of the config may be an SVG, which is a document where it is opened by itself.
        RouteClass::Asset => set("content-security-policy", "default-src 'none'; sandbox"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::limiter::{Rate, Requests};
    use super::super::state::SettingsSource;
    use super::super::{Metrics, Settings};
    use super::*;
    use arc_swap::ArcSwap;
    use axum::Router;
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use jiff::SignedDuration;
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::time::Duration;
    use tower::ServiceExt;

    fn settings(requests_per_ip: Option<Rate>) -> Settings {
        Settings::new(SettingsSource {
            public_url: "https://meet.example.edu/office".into(),
            trusted_proxies: crate::http::TrustedProxies::new(|address| address.is_loopback()),
            directory: false,
            public_metrics: true,
            requests_per_ip,
            embed: vec!["https://www.example.edu".into(), "https://example.org:8443".into()],
            ..SettingsSource::default()
        })
    }

    fn router(requests_per_ip: Option<Rate>) -> Router {
        let shell = Shell {
            settings: Arc::new(ArcSwap::from_pointee(settings(requests_per_ip))),
            clock: Arc::new(|| "2026-11-24T12:00:00Z".parse().unwrap()),
            metrics: Metrics::new(),
            requests: Requests::default(),
        };
        Router::new()
            .route("/noether", get(|| async { "page" }))
            .route("/noether.ics", get(|| async { "feed" }))
            .route("/b/token/cancel", post(|| async { "cancelled" }))
            .route("/api/v1/x/{id}", get(|axum::extract::Path(id): axum::extract::Path<String>| async { id }))
            .route("/api/v1/x", get(|| async { Fault::new(Problem::Stale).retry_after(SignedDuration::from_secs(60)) }))
            .fallback(|| async { Fault::not_found() })
            .method_not_allowed_fallback(|| async { Fault::new(Problem::MethodNotAllowed) })
            .layer(axum::middleware::from_fn_with_state(shell, around))
    }

    async fn ask(
        router: &Router,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer("127.0.0.1:4711".parse().unwrap()));
        let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_fault_is_written_as_its_reader_wants_it() {
        let router = router(None);
        let (status, headers, body) = ask(&router, "GET", "/api/v1/x", &[]).await;
        assert_eq!(status, 503);
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["retry-after"], "60");
        assert!(body.contains("https://meet.example.edu/office/-/problems/stale"), "{body}");
        let (status, headers, body) = ask(&router, "GET", "/nobody", &[]).await;
        assert_eq!(
            (status.as_u16(), &headers["content-type"]),
            (404, &HeaderValue::from_static("text/html; charset=utf-8"))
        );
        assert!(body.contains("There is nothing here"));
        let (status, headers, _) = ask(&router, "GET", "/nobody.ics", &[]).await;
        assert_eq!(
            (status.as_u16(), &headers["content-type"]),
            (404, &HeaderValue::from_static("text/plain; charset=utf-8"))
        );
    }

    #[tokio::test]
    async fn a_wrong_method_is_told_the_right_ones() {
        let (status, headers, _) = ask(&router(None), "DELETE", "/noether", &[]).await;
        assert_eq!((status.as_u16(), &headers["allow"]), (405, &HeaderValue::from_static("GET,HEAD")));
    }

    #[tokio::test]
    async fn a_path_that_is_not_utf8_is_a_problem_too() {
        let (status, headers, body) = ask(&router(None), "GET", "/api/v1/x/%ff", &[]).await;
        assert_eq!(
            (status.as_u16(), &headers["content-type"]),
            (400, &HeaderValue::from_static("application/problem+json"))
        );
        assert!(body.contains("/problems/malformed"));
    }

    #[tokio::test]
    async fn posts_of_other_sites_are_refused() {
        let router = router(None);
        for (headers, status) in [
            (&[][..], 200),
            (&[("sec-fetch-site", "same-origin")], 200),
            (&[("sec-fetch-site", "cross-site")], 403),
            (&[("sec-fetch-site", "same-site")], 403),
            (&[("origin", "null")], 200),
            (&[("origin", "https://evil.example")], 403),
            (&[("origin", "https://meet.example.edu")], 200),
            (&[("origin", "https://meet.example.edu.evil.example")], 403),
            (&[("origin", "http://localhost:8080"), ("host", "localhost:8080")], 200),
        ] {
            assert_eq!(ask(&router, "POST", "/b/token/cancel", headers).await.0, status, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn pages_are_limited_by_the_guests_address_and_feeds_are_not() {
        let router = router(Some(Rate { count: NonZeroU32::MIN, per: Duration::from_secs(60) }));
        let from = |address| [("x-forwarded-for", address)];
        assert_eq!(ask(&router, "GET", "/noether", &from("203.0.113.7")).await.0, 200);
        let (status, headers, _) = ask(&router, "GET", "/noether", &from("203.0.113.7")).await;
        assert_eq!(status, 429);
        assert_eq!(headers["retry-after"], "60");
        assert_eq!(ask(&router, "GET", "/noether", &from("203.0.113.8")).await.0, 200);
        assert_eq!(ask(&router, "GET", "/noether.ics", &from("203.0.113.7")).await.0, 200);
    }

    #[tokio::test]
    async fn only_the_sites_of_the_config_may_frame_a_page_and_only_one_asked_for_in_a_frame() {
        let router = router(None);
        let (_, headers, _) = ask(&router, "GET", "/noether?month=2026-12&embed=1", &[]).await;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.ends_with("frame-ancestors https://www.example.edu https://example.org:8443"), "{policy}");
        assert!(policy.starts_with("default-src 'none'") && !headers.contains_key("x-frame-options"));
        for path in ["/noether?embed=0", "/noether?x=embed=1", "/noether?embed=1&x=%ff", "/api/v1/x?embed=1"] {
            let (_, headers, _) = ask(&router, "GET", path, &[]).await;
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        }
    }

    #[tokio::test]
    async fn private_pages_are_not_stored_and_no_page_is_framed_or_indexed() {
        let router = router(None);
        let (_, headers, _) = ask(&router, "POST", "/b/token/cancel", &[]).await;
        assert_eq!(headers["cache-control"], "no-store");
        let (_, headers, _) = ask(&router, "GET", "/noether", &[]).await;
        assert!(headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        assert!(!headers["content-security-policy"].to_str().unwrap().contains("unsafe"));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("x-robots-tag", "noindex"),
            ("cache-control", "no-cache"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(!headers.contains_key("set-cookie"));
    }
}
