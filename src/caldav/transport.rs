//! HTTP for CalDAV: sends a [`Request`], follows redirects with the method kept, gives the [`Answer`] back. HTTP/1.1 alone (two
//! servers break under multiplexing), two requests of an account at a time, caps on time and size. Read [`Transport::send`] first.

use super::door::{Door, Entry};
use super::error::{Error, ErrorKind};
use super::href::{rebase, without_credentials};
use super::origin::{PlainHttp, Trust, is_loopback, may_carry_credentials, may_carry_token};
use super::request::{Answer, Method, Request};
use super::service::{self, Service};
use super::{Credentials, Login};
use jiff::SignedDuration;
use reqwest::header::{HeaderValue, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::{Host, Url};

const MAX_REDIRECTS: usize = 5;
/// Requests of an account that are under way at once: each occupies a process of some servers, and a booking is not to wait until a long
/// list has come.
const AT_ONCE: usize = 2;
/// Of an answer's body, after decompression.
const MAX_BODY: usize = 64 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Of a whole request: servers with 10,000 events need up to 10 s for a list.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// A connection is used again within a poll and closed soon after it: an idle one occupies a process of Cyrus.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// One account's way to its server. Clones share its connections, its turns and its door.
#[derive(Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    door: Arc<Door>,
    turns: Arc<Semaphore>,
    /// Whether it may knock where the login was refused.
    careful: bool,
    account: Url,
    credentials: Credentials,
    trust: Trust,
    dns: Option<SocketAddr>,
    #[cfg(test)]
    simulated: Option<super::simulated::Exchange>,
}

impl Transport {
    pub(crate) fn new(login: Login) -> Result<Transport, Error> {
        let mut account = login.url;
        // What a URL carries of credentials is ignored: they are given apart, and must not reach a log.
        let (_, _) = (account.set_username(""), account.set_password(None));
        account.set_fragment(None);
        let settings = |detail: String| {
            Error::new(ErrorKind::Settings, "set up the connection", without_credentials(&account)).with_detail(detail)
        };
        if !matches!(account.scheme(), "http" | "https") || account.host().is_none() {
            return Err(settings("the url must begin with https:// or http://".to_owned()));
        }
        let plain = if login.insecure { PlainHttp::OwnHost } else { PlainHttp::LoopbackOnly };
        if account.scheme() == "http" && plain == PlainHttp::LoopbackOnly && !is_loopback(&account) {
            return Err(Error::new(ErrorKind::Insecure, "set up the connection", without_credentials(&account))
                .with_detail("use https://, or set insecure = true"));
        }
        let mut builder = client_builder();
        if let Some(name) = &login.user_agent {
            let name = HeaderValue::from_str(name).map_err(|error| settings(format!("user_agent: {error}")))?;
            builder = builder.user_agent(name);
        }
        if let Some(path) = &login.ca_file {
            let named = |what: &dyn std::fmt::Display| settings(format!("ca_file {}: {what}", path.display()));
            let pem = std::fs::read(path).map_err(|error| named(&error))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| named(&error))?;
            if certificates.is_empty() {
                return Err(named(&"it contains no certificate in PEM form"));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        let http = match builder.build() {
            Ok(http) => http,
            // Without the system's authorities plain http still works.
            Err(_) if account.scheme() == "http" => client_builder()
                .tls_certs_only([])
                .build()
                .map_err(|error| settings(reason(&error)).with_source(error))?,
            Err(error) => return Err(settings(reason(&error)).with_source(error)),
        };
        let trust = Trust { plain, hosts: login.trusted_hosts };
        Ok(Transport {
            http,
            door: Arc::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            careful: false,
            account,
            credentials: login.credentials,
            trust,
            dns: login.dns,
            #[cfg(test)]
            simulated: super::simulated::installed(),
        })
    }

    /// The servers that the account's domain names for its calendars; none where there is no domain to ask, or no answer.
    pub(crate) async fn services(&self) -> Vec<Service> {
        let domain = match (self.account.scheme(), self.account.host()) {
            ("https", Some(Host::Domain(domain))) => domain,
            _ => return Vec::new(),
        };
        service::services(domain, self.dns).await.unwrap_or_else(|error| {
            tracing::info!(domain, error, "The domain could not be asked for its calendar service.");
            Vec::new()
        })
    }

    /// Whether the credentials may be sent there.
    pub(crate) fn may_ask(&self, url: &Url) -> bool {
        match self.credentials {
            Credentials::Basic { .. } => may_carry_credentials(&self.account, url, &self.trust),
            Credentials::Bearer(_) => may_carry_token(&self.account, url, &self.trust),
        }
    }

    fn logs_in_by_token(&self) -> bool {
        matches!(self.credentials, Credentials::Bearer(_))
    }

    /// The same, for the one try by which is found out whether a login that was refused works again.
    pub(crate) fn careful(&self) -> Transport {
        Transport { careful: true, ..self.clone() }
    }

    /// The login was refused a moment ago, and may be another now.
    pub(crate) fn distrust(&self) {
        self.door.distrust();
    }

    /// Whether the login was refused, and no later answer says otherwise.
    pub(crate) fn is_refused(&self) -> bool {
        self.door.is_refused()
    }

    /// The account's address, without credentials.
    pub(crate) fn account(&self) -> &Url {
        &self.account
    }

    /// Sends with the credentials at once (Cyrus never asks for them at its root), follows 301, 302, 307 and 308 with method and body
    /// kept, at most 5 of them, and only to where the credentials may go. What can be sent twice is sent again once when the
    /// connection breaks. Nothing is sent while the server is to be left alone.
    pub(crate) async fn send(&self, url: Url, request: &Request) -> Result<Answer, Error> {
        let mut url = url;
        // Never closed. Whoever has waited asks the door after it.
        let _turn = self.turns.acquire().await;
        for _ in 0..=MAX_REDIRECTS {
            if !self.may_ask(&url) {
                return Err(Error::new(ErrorKind::Insecure, request.operation, without_credentials(&url)));
            }
            self.wait_for_door(&url, request).await?;
            let answer = match self.send_once(&url, request).await {
                Err(error) if request.is_safe() && *error.kind() == ErrorKind::Network => {
                    self.send_once(&url, request).await?
                }
                other => other?,
            };
            self.tell_door(&answer, request);
            match redirect(&answer) {
                Some(target) => url = target,
                None => return Ok(answer),
            }
        }
        Err(Error::new(ErrorKind::BadAnswer, request.operation, without_credentials(&url))
            .with_detail(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// Waits until the request may be sent, or says why it may not.
    async fn wait_for_door(&self, url: &Url, request: &Request) -> Result<(), Error> {
        let now = Instant::now();
        let unsent = |kind| {
            let error = Error::new(kind, request.operation, without_credentials(url));
            error.with_detail("it was not asked again").unsent()
        };
        match self.door.ask(self.careful, now) {
            Entry::At(at) if at <= now => Ok(()),
            Entry::At(at) => {
                tokio::time::sleep_until(at).await;
                Ok(())
            }
            Entry::Refused => Err(unsent(ErrorKind::Unauthorized)),
            Entry::Closed(status, left) => {
                let retry_after = SignedDuration::try_from(left).ok();
                Err(unsent(match status {
                    429 => ErrorKind::TooManyRequests { retry_after },
                    _ => ErrorKind::Unavailable { retry_after },
                }))
            }
        }
    }

    fn tell_door(&self, answer: &Answer, request: &Request) {
        // Some servers answer to this without looking at the login.
        if request.method == Method::Options && answer.is_success() {
            return;
        }
        let asked = matches!(answer.status, 429 | 503).then(|| answer.error().retry_after()).flatten();
        let pause = asked.and_then(|asked| Duration::try_from(asked).ok());
        self.door.answered(answer.status, pause, Instant::now());
    }

    #[cfg(test)]
    async fn simulate(
        &self,
        exchange: &super::simulated::Exchange,
        outgoing: reqwest::RequestBuilder,
        operation: &'static str,
    ) -> Result<Answer, Error> {
        let outgoing = outgoing.build().unwrap();
        let url = outgoing.url().clone();
        let body = outgoing.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec();
        let mut request = hyper::Request::new(bytes::Bytes::from(body));
        *request.method_mut() = outgoing.method().clone();
        *request.uri_mut() = url.as_str().parse().unwrap();
        *request.headers_mut() = outgoing.headers().clone();
        let answered = exchange(request).await.map_err(|kind| Error::new(kind, operation, url.clone()))?;
        let (head, body) = answered.into_parts();
        let (account, by_token, status) = (self.account.clone(), self.logs_in_by_token(), head.status.as_u16());
        Ok(Answer { operation, url, account, by_token, status, headers: head.headers, body })
    }

    /// A token that is refused may have been taken back before its end: another one is tried, once.
    async fn send_once(&self, url: &Url, request: &Request) -> Result<Answer, Error> {
        let Credentials::Bearer(tokens) = &self.credentials else { return self.ask(url, request, None).await };
        let token = tokens.token(None).await?;
        let answer = self.ask(url, request, Some(&token)).await?;
        match answer.status {
            401 => self.ask(url, request, Some(&tokens.token(Some(&token)).await?)).await,
            _ => Ok(answer),
        }
    }

    async fn ask(&self, url: &Url, request: &Request, token: Option<&SecretString>) -> Result<Answer, Error> {
        let failed = |error: reqwest::Error| failure(error, request.operation, url);
        let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes()).map_err(|error| {
            Error::new(ErrorKind::Settings, request.operation, without_credentials(url)).with_source(error)
        })?;
        let mut outgoing = self.http.request(method, url.clone());
        outgoing = match (&self.credentials, token) {
            (Credentials::Basic { username, password }, _) => {
                let password = password.get().await.map_err(|why| {
                    let error = Error::new(ErrorKind::Settings, request.operation, without_credentials(url));
                    error.with_detail(why).unsent()
                })?;
                outgoing.basic_auth(username, Some(password.expose_secret()))
            }
            (Credentials::Bearer(_), Some(token)) => outgoing.bearer_auth(token.expose_secret()),
            (Credentials::Bearer(_), None) => outgoing,
        };
        for (name, value) in &request.headers {
            outgoing = outgoing.header(*name, value);
        }
        if let Some(body) = &request.body {
            outgoing = outgoing.body(body.clone());
        }
        #[cfg(test)]
        if let Some(exchange) = &self.simulated {
            return self.simulate(exchange, outgoing, request.operation).await;
        }
        let mut incoming = outgoing.send().await.map_err(failed)?;
        let status = incoming.status().as_u16();
        let headers = std::mem::take(incoming.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = incoming.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(Error::new(ErrorKind::TooLarge, request.operation, without_credentials(url)));
            }
            body.extend_from_slice(&chunk);
        }
        let (url, account, by_token) = (url.clone(), self.account.clone(), self.logs_in_by_token());
        Ok(Answer { operation: request.operation, url, account, by_token, status, headers, body })
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("account", &self.account.as_str()).finish_non_exhaustive()
    }
}

/// A client of ours: no redirects of its own, no cookies, HTTP/1.1, the ring provider for TLS.
pub(super) fn client_builder() -> reqwest::ClientBuilder {
    // Fails when one is installed already: then that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(HeaderValue::from_static(concat!("officehours/", env!("CARGO_PKG_VERSION"))))
        // Servers that fold a header, or put a blank before its colon (Yahoo), are read all the same.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(IDLE_TIMEOUT)
}

/// Where a redirect leads. A server behind a proxy that ends TLS names its own host with http: the same host stays as it was asked.
fn redirect(answer: &Answer) -> Option<Url> {
    if !matches!(answer.status, 301 | 302 | 307 | 308) {
        return None;
    }
    let target = answer.url.join(answer.headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let downgrades = answer.url.scheme() == "https" && target.scheme() == "http";
    if downgrades && target.host() == answer.url.host() {
        return Some(rebase(&target, &answer.url));
    }
    Some(target)
}

/// Sorts what reqwest reports.
pub(super) fn failure(error: reqwest::Error, operation: &'static str, url: &Url) -> Error {
    let error = error.without_url();
    let kind = if error.is_timeout() {
        ErrorKind::Timeout
    } else if is_tls(&error) {
        ErrorKind::Tls
    } else if error.is_builder() {
        ErrorKind::Settings
    } else {
        ErrorKind::Network
    };
    Error::new(kind, operation, without_credentials(url)).with_detail(reason(&error)).with_source(error)
}

fn is_tls(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| cause.is::<rustls::Error>())
}

/// The innermost cause: "Connection refused (os error 111)".
pub(super) fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error and what it came from. An `io::Error` passes over the error that it wraps: that one is looked at, too.
fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        wrapped.map(|wrapped| wrapped as &(dyn std::error::Error + 'static)).or_else(|| error.source())
    })
}

#[cfg(test)]
mod tests {
    use super::super::request::testing::answer;
    use super::*;

    fn login(url: &str) -> Login {
        let password = SecretString::from("s3cret".to_owned());
        Login::new(url.parse().unwrap(), "prof", password)
    }

    fn kind(login: Login) -> ErrorKind {
        Transport::new(login).unwrap_err().kind().clone()
    }

    #[test]
    fn plain_http_leaves_this_machine_only_where_the_config_says_so() {
        assert_eq!(kind(login("http://cal.example.edu/")), ErrorKind::Insecure);
        assert!(Transport::new(Login { insecure: true, ..login("http://cal.example.edu/") }).is_ok());
        assert!(Transport::new(login("http://127.0.0.1:5232/")).is_ok());
        assert_eq!(kind(login("ftp://cal.example.edu/")), ErrorKind::Settings);
        let user_agent = Some("two\nlines".to_owned());
        assert_eq!(kind(Login { user_agent, ..login("https://cal.example.edu/") }), ErrorKind::Settings);
        let ca_file = Some("/nonexistent/ca.pem".into());
        assert_eq!(kind(Login { ca_file, ..login("https://cal.example.edu/") }), ErrorKind::Settings);
    }

    #[test]
    fn no_password_is_ever_printed() {
        let transport = Transport::new(login("http://prof:s3cret@127.0.0.1:5232/")).unwrap();
        assert_eq!(transport.account().as_str(), "http://127.0.0.1:5232/");
        assert!(!format!("{transport:?} {:?}", login("http://127.0.0.1/")).contains("s3cret"));
        let refused = Transport::new(login("http://prof:s3cret@cal.example.edu/")).unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("s3cret"));
    }

    #[test]
    fn a_certificate_is_found_under_whatever_wraps_it() {
        let certificate = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let wrapped = std::io::Error::other(std::io::Error::other(certificate));
        assert!(chain(&wrapped).any(|cause| cause.is::<rustls::Error>()));
        assert!(reason(&wrapped).contains("certificate"));
    }

    #[test]
    fn a_redirect_may_be_absolute_relative_or_wrong_about_its_scheme() {
        let to = |location: &str| redirect(&answer("/.well-known/caldav", 301, &[("location", location)], "")).unwrap();
        assert_eq!(to("/SOGo/dav").as_str(), "http://127.0.0.1:18201/SOGo/dav");
        assert_eq!(to("http://127.0.0.1:18201/dav/calendars").path(), "/dav/calendars");
        let mut tls = answer("/", 302, &[("location", "http://cal.example.edu/dav/")], "");
        tls.url = "https://cal.example.edu:8443/".parse().unwrap();
        assert_eq!(redirect(&tls).unwrap().as_str(), "https://cal.example.edu:8443/dav/");
        assert_eq!(redirect(&answer("/", 303, &[("location", "/x")], "")), None);
        assert_eq!(redirect(&answer("/", 301, &[], "")), None);
    }
}
