//! An authorization server of a test's own, a person at a browser who logs in there, and a gate that lets only its tokens through
//! to a calendar server that takes passwords.

use super::{Answer, Server, client, eventually, free_port, http, node};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The server; it ends with the test.
pub(crate) struct OAuthServer {
    pub(crate) url: String,
    child: Child,
}

impl OAuthServer {
    /// Its access tokens are good for so many seconds.
    pub(crate) async fn start(seconds: u32) -> Option<OAuthServer> {
        let mut command = node("oauth_server.js")?;
        let port = free_port();
        let output = command.args([port.to_string(), seconds.to_string()]);
        let child = output.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let known = format!("{url}/.well-known/openid-configuration");
        eventually("the authorization server listens", Duration::from_secs(30), async || {
            client().get(&known).send().await.ok().map(drop)
        })
        .await;
        Some(OAuthServer { url, child })
    }

    /// `auth` of an account.
    pub(crate) fn lines(&self) -> String {
        format!(
            "auth = {{ google = {{ client_id = \"desk\", client_secret = \"desk-secret\", auth_url = \"{url}/auth\", \
             token_url = \"{url}/token\", scope = \"openid offline_access\" }} }}",
            url = self.url
        )
    }

    /// Takes a token back, with all that came from the same grant.
    pub(crate) async fn revoke(&self, token: &str) {
        assert_eq!(as_desk(&format!("{}/token/revocation", self.url), token).await.status, 200);
    }
}

impl Drop for OAuthServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn as_desk(url: &str, token: &str) -> Answer {
    let fields = [("client_id", "desk"), ("client_secret", "desk-secret"), ("token", token)];
    form(client().post(url), &fields).await
}

async fn form(request: reqwest::RequestBuilder, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    http::send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

/// A person at a browser: keeps cookies and fills in the forms of the authorization server.
#[derive(Default)]
pub(crate) struct Person {
    cookies: BTreeMap<String, String>,
}

impl Person {
    /// Opens the address, logs in, and grants access. Returns where the browser is sent at the end, without going there.
    pub(crate) async fn grant(&mut self, address: &str) -> String {
        let server = address.split('/').take(3).collect::<Vec<_>>().join("/");
        let mut at = address.to_owned();
        for _ in 0..12 {
            let mut answer = self.send(client().get(&at), None).await;
            if answer.status == 200 {
                let page = answer.text();
                let fields: &[(&str, &str)] = match page.contains("name=\"password\"") {
                    true => &[("prompt", "login"), ("login", "emmy"), ("password", "anything")],
                    false => &[("prompt", "consent")],
                };
                answer = self.send(client().post(&at), Some(fields)).await;
            }
            assert_eq!(answer.status, 303, "{at}: {}", answer.text());
            let next = answer.header("location");
            at = if next.starts_with('/') { format!("{server}{next}") } else { next.to_owned() };
            if !at.starts_with(&server) {
                return at;
            }
        }
        panic!("it leads nowhere: {at}");
    }

    async fn send(&mut self, request: reqwest::RequestBuilder, fields: Option<&[(&str, &str)]>) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("cookie", cookies.join("; "));
        let answer = match fields {
            Some(fields) => form(request, fields).await,
            None => http::send(request).await,
        };
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// What lets only good tokens through, and asks the authorization server which are.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) url: String,
    passed: Arc<Mutex<Passed>>,
}

#[derive(Default)]
struct Passed {
    requests: u32,
    tokens: BTreeSet<String>,
}

impl Gate {
    /// Before this calendar server, as its user.
    pub(crate) async fn before(server: &Server, oauth: &OAuthServer) -> Gate {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", free_port())).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let gate = Gate { url, passed: Arc::default() };
        let state = (gate.clone(), server.clone(), format!("{}/token/introspection", oauth.url));
        let app = axum::Router::new().fallback(check).with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        gate
    }

    /// Requests so far, refused ones too.
    pub(crate) fn requests(&self) -> u32 {
        self.passed.lock().unwrap().requests
    }

    /// Tokens that were good when they came.
    pub(crate) fn tokens(&self) -> usize {
        self.passed.lock().unwrap().tokens.len()
    }
}

async fn check(State((gate, server, introspection)): State<(Gate, Server, String)>, request: Request) -> Response {
    gate.passed.lock().unwrap().requests += 1;
    let (parts, body) = request.into_parts();
    let sent = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().to_owned();
    let known: Value = as_desk(&introspection, &token).await.json();
    if known["active"] != true {
        let refused = Response::builder().status(401).header("www-authenticate", "Bearer error=\"invalid_token\"");
        return refused.body(Body::empty()).unwrap();
    }
    gate.passed.lock().unwrap().tokens.insert(token);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", server.url.trim_end_matches('/'));
    let mut headers = parts.headers;
    for hop in ["host", "connection", "content-length", "authorization"] {
        headers.remove(hop);
    }
    let request = client().request(parts.method, url).headers(headers).basic_auth(&server.user, Some(&server.password));
    let answer = http::send(request.body(to_bytes(body, usize::MAX).await.unwrap())).await;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status.try_into().unwrap();
    *response.headers_mut() = answer.headers;
    for hop in ["connection", "content-length", "transfer-encoding"] {
        response.headers_mut().remove(hop);
    }
    response
}
