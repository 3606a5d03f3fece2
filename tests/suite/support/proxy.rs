//! A proxy in front of a real calendar server that makes it slow, or makes it fail, when the story says so.

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
}

impl Proxy {
    /// In front of the server at this bare URL.
    pub(crate) async fn before(upstream: &str) -> Proxy {
        let state = Proxied { upstream: upstream.trim_end_matches('/').to_owned(), fault: Fault::None, reports: 0 };
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

    /// How many REPORTs came so far.
    pub(crate) fn reports(&self) -> u32 {
        self.state.lock().unwrap().reports
    }
}

async fn forward(State(state): State<Arc<Mutex<Proxied>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let is_report = parts.method.as_str() == "REPORT";
    let (url, fault) = {
        let mut state = state.lock().unwrap();
        state.reports += u32::from(is_report);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        (format!("{}{path}", state.upstream), state.fault)
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
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = parts.headers;
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
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
