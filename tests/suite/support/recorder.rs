//! A proxy in front of a real calendar server that lets everything pass and keeps what was asked.

use super::client;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use reqwest::header::HeaderMap;
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The proxy; it ends with the test.
#[derive(Clone)]
pub(crate) struct Recorder {
    /// Where it listens, as a bare URL.
    pub(crate) url: String,
    state: Arc<Recorded>,
}

struct Recorded {
    upstream: String,
    client: reqwest::Client,
    asked: Mutex<Vec<Asked>>,
}

impl Recorder {
    /// In front of the server at this bare URL.
    pub(crate) async fn before(upstream: &str) -> Recorder {
        let upstream = upstream.trim_end_matches('/').to_owned();
        let state = Arc::new(Recorded { upstream, client: client(), asked: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(forward).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Recorder { url, state }
    }

    /// What was asked since the last call.
    pub(crate) fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.asked.lock().unwrap())
    }
}

async fn forward(State(state): State<Arc<Recorded>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let mut headers = parts.headers;
    for hop in ["host", "connection", "content-length", "transfer-encoding"] {
        headers.remove(hop);
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let asked = Asked { method: parts.method.to_string(), path, headers, body };
    state.asked.lock().unwrap().push(asked.clone());
    let answer = asked.send(&state.client, &state.upstream).await;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    for hop in ["connection", "content-length", "transfer-encoding"] {
        headers.remove(hop);
    }
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

impl Asked {
    /// Asks the same of the server at this bare URL, without a final slash.
    pub(crate) async fn send(&self, client: &reqwest::Client, server: &str) -> reqwest::Response {
        let request = client.request(self.method.parse().unwrap(), format!("{server}{}", self.path));
        request.headers(self.headers.clone()).body(self.body.clone()).send().await.unwrap()
    }
}
