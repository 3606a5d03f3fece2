//! A proxy in front of a real calendar server that makes it slow, or makes it fail, when the story says so, and that
//! remembers what was asked.

use super::{client, free_port};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Every REPORT is answered with this status and no body; everything else works.
    Reports(u16),
    /// Every REPORT is answered with the first half of the true answer, and a length that says that this is all.
    CutReports,
    /// Every PUT and DELETE is answered with this status and no body; everything else works.
    Writes(u16),
    /// Every request is answered with this status and no body.
    All(u16),
    /// Every request waits so long first.
    Slow(Duration),
    /// Every PUT is performed, and answered as if the server had died over it.
    LostPuts,
    /// A new object is stored under a name of the server's own, and answered as if the server had died over it.
    LostRenames,
    /// No answer tells a version, but for lists.
    NoVersions,
    /// What is put gets a UID of the server's own, so long that its line is folded, and loses its X- properties: what DavMail and
    /// Exchange do.
    OwnUids,
}

/// The proxy; it ends with the test.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// Where it listens, as a bare URL.
    pub(crate) url: String,
    state: Arc<Mutex<Proxied>>,
}

struct Proxied {
    upstream: String,
    fault: Fault,
    reports: u32,
    renamed: u32,
    log: Vec<Exchange>,
}

/// A request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
}

impl Proxy {
    /// In front of the server at this bare URL.
    pub(crate) async fn before(upstream: &str) -> Proxy {
        let upstream = upstream.trim_end_matches('/').to_owned();
        let state = Proxied { upstream, fault: Fault::None, reports: 0, renamed: 0, log: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", free_port())).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(forward).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Proxy { url, state }
    }

    /// From now on, this is wrong.
    pub(crate) fn fault(&self, fault: Fault) {
        self.state.lock().unwrap().fault = fault;
    }

    /// What came since this was last asked.
    pub(crate) fn log(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }

    /// How many REPORTs came so far.
    pub(crate) fn reports(&self) -> u32 {
        self.state.lock().unwrap().reports
    }
}

async fn forward(State(state): State<Arc<Mutex<Proxied>>>, request: Request) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let response = answer(state.clone(), request).await;
    state.lock().unwrap().log.push(Exchange { method, path, status: response.status().as_u16() });
    response
}

async fn answer(state: Arc<Mutex<Proxied>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let is_report = parts.method.as_str() == "REPORT";
    let is_put = parts.method == "PUT";
    let (upstream, url, fault) = {
        let mut state = state.lock().unwrap();
        state.reports += u32::from(is_report);
        let mut path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        if is_put && state.fault == Fault::LostRenames && parts.headers.contains_key("if-none-match") {
            state.renamed += 1;
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            path = format!("{folder}/own-{}.ics", state.renamed);
        }
        (state.upstream.clone(), format!("{}{path}", state.upstream), state.fault)
    };
    match fault {
        Fault::Reports(status) if is_report => {
            let status = StatusCode::from_u16(status).unwrap();
            return Response::builder().status(status).body(Body::empty()).unwrap();
        }
        Fault::Writes(status) if matches!(parts.method.as_str(), "PUT" | "DELETE") => {
            let status = StatusCode::from_u16(status).unwrap();
            return Response::builder().status(status).body(Body::empty()).unwrap();
        }
        Fault::All(status) => {
            let status = StatusCode::from_u16(status).unwrap();
            return Response::builder().status(status).body(Body::empty()).unwrap();
        }
        Fault::Slow(delay) => tokio::time::sleep(delay).await,
        _ => {}
    }
    let mut body = to_bytes(body, usize::MAX).await.unwrap();
    if is_put && fault == Fault::OwnUids {
        let text = String::from_utf8(body.to_vec()).unwrap();
        let own = |line: &str| match line.strip_prefix("UID:") {
            Some(uid) if !uid.starts_with("0400") => {
                let (begin, end) = uid.split_at(3);
                let exchange = "040000008200E00074C5B7101A82E008".repeat(2);
                format!("UID:{exchange}-{begin}\r\n {end}")
            }
            _ => line.to_owned(),
        };
        let lines = text.split_inclusive("\r\n").filter(|line| !line.starts_with("X-"));
        body = lines.map(own).collect::<String>().into();
    }
    let mut headers = parts.headers;
    let here = format!("http://{}", headers["host"].to_str().unwrap());
    for hop in ["host", "connection", "content-length", "transfer-encoding"] {
        headers.remove(hop);
    }
    let sent = client().request(parts.method, url).headers(headers).body(body).send().await;
    let Ok(answer) = sent else {
        return Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::empty()).unwrap();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let mut body = answer.bytes().await.unwrap();
    if is_report && fault == Fault::CutReports {
        body.truncate(body.len() / 2);
    }
    for hop in ["connection", "content-length", "transfer-encoding"] {
        headers.remove(hop);
    }
    if fault == Fault::NoVersions && !is_report {
        headers.remove("etag");
    }
    if is_put && matches!(fault, Fault::LostPuts | Fault::LostRenames) {
        return Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::empty()).unwrap();
    }
    // A redirect to the server itself leads through us.
    if let Some(location) = headers.get("location").and_then(|value| value.to_str().ok())
        && let Some(path) = location.strip_prefix(&upstream)
    {
        let through_us = format!("{here}{path}").parse().unwrap();
        headers.insert("location", through_us);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
