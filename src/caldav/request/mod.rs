//! One file a request: build it, read its answer; no socket. Read [`Request`] and [`Answer`] first.

mod availability;
mod create;
mod delete;
#[cfg(test)]
mod documented;
mod find_home;
mod get;
mod list_calendars;
mod list_members;
mod multiget;
mod options;
mod query_members;
#[cfg(test)]
mod recorded;
mod state;
mod sync_collection;
mod update;

pub(crate) use availability::{Availability, FindInbox};
pub(crate) use create::{Create, Stored};
pub(crate) use delete::Delete;
pub(crate) use find_home::{FindHome, Found};
pub(crate) use get::Get;
pub(crate) use list_calendars::ListCalendars;
pub(crate) use list_members::ListMembers;
pub(crate) use multiget::Multiget;
pub(crate) use options::Options;
pub(crate) use query_members::QueryMembers;
pub(crate) use state::State;
pub(crate) use sync_collection::{Page, SyncCollection};
pub(crate) use update::Update;

use super::Member;
use super::error::{Error, ErrorKind};
use super::etag::ETag;
use super::href::{Href, without_credentials};
use super::multistatus::{Multistatus, Response};
use super::xml::{self, Namespace};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use url::Url;

/// What is asked of a server (RFC 9110 9, RFC 4918 9, RFC 3253 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Put,
    Delete,
    Options,
    Propfind,
    Report,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Propfind => "PROPFIND",
            Method::Report => "REPORT",
        }
    }
}

/// A request but for its address. Every body is XML or iCalendar and is sent with its length, never chunked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
    /// What it does, for messages: "read the calendar's state".
    pub(crate) operation: &'static str,
}

impl Request {
    /// PROPFIND (RFC 4918 9.1). Without a depth some servers take infinity; without a content type some answer 415.
    fn propfind(operation: &'static str, depth: Depth, properties: &[&str]) -> Request {
        Request::xml(
            operation,
            Method::Propfind,
            depth,
            format!("<D:propfind {NAMESPACES}>{}</D:propfind>", prop(properties)),
        )
    }

    /// REPORT (RFC 3253 3.6); `body` is its root element with [`NAMESPACES`].
    fn report(operation: &'static str, depth: Depth, body: String) -> Request {
        Request::xml(operation, Method::Report, depth, body)
    }

    fn xml(operation: &'static str, method: Method, depth: Depth, body: String) -> Request {
        let depth = match depth {
            Depth::Zero => "0",
            Depth::One => "1",
        };
        let headers = vec![("Depth", depth.to_owned()), ("Content-Type", "application/xml; charset=utf-8".to_owned())];
        let body = Some(format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{body}"));
        Request { method, headers, body, operation }
    }

    /// Whether sending it twice is as good as once.
    pub(crate) fn is_safe(&self) -> bool {
        !matches!(self.method, Method::Put | Method::Delete)
    }
}

#[derive(Clone, Copy, Debug)]
enum Depth {
    Zero,
    One,
}

/// The prefixes that bodies use.
const NAMESPACES: &str = r#"xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/""#;

fn prop(properties: &[&str]) -> String {
    let inner: String = properties.iter().map(|name| format!("<{name}/>")).collect();
    format!("<D:prop>{inner}</D:prop>")
}

/// An answer as it came, after redirects.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) operation: &'static str,
    /// Where it came from: what relative hrefs are relative to.
    pub(crate) url: Url,
    /// The account's address: hrefs on its host are kept as paths.
    pub(crate) account: Url,
    /// Whether it was asked for with a token (OAuth), and not with a password.
    pub(crate) by_token: bool,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn href(&self, raw: &str) -> Option<Href> {
        Href::resolve(raw, &self.url, &self.account)
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The version that a PUT or GET answered with.
    pub(crate) fn etag(&self) -> Option<ETag> {
        ETag::new(self.header("etag")?)
    }

    /// The `Date` header: the server's clock.
    pub(crate) fn server_time(&self) -> Option<Timestamp> {
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(self.header("date")?).ok()
    }

    /// The body of a 207; everything else is an error, and so is a 207 that refuses what was asked: Xandikos answers so for a calendar
    /// that is gone, which must not be read as one without events. (A 507 says that a sync has more pages.)
    pub(crate) fn multistatus(&self) -> Result<Multistatus, Error> {
        if !self.is_success() {
            return Err(self.error());
        }
        let all = Multistatus::parse(&self.body).map_err(|error| {
            self.failed(ErrorKind::BadAnswer).with_detail(format!("status {}, {error}", self.status))
        })?;
        let own = self.href(self.url.path());
        let refused = all.responses.iter().find_map(|response| {
            let status = response.status.filter(|status| *status >= 400 && *status != 507)?;
            (self.href(&response.href) == own).then_some(status)
        });
        match refused {
            Some(status) => Err(Answer { status, ..self.clone() }.error()),
            None => Ok(all),
        }
    }

    /// The one response about what was asked: servers answer for parents and children as well.
    pub(crate) fn own_response(&self, mut all: Multistatus) -> Option<Response> {
        let own = self.href(self.url.path());
        let at = all.responses.iter().position(|response| self.href(&response.href) == own);
        match (at, all.responses.len()) {
            (Some(at), _) => Some(all.responses.swap_remove(at)),
            (None, 1) => all.responses.pop(),
            (None, _) => None,
        }
    }

    /// Refuses an answer that speaks of another calendar's objects: what passes requests on (a proxy, a cache) has mixed them up.
    pub(crate) fn speaks_of(&self, calendar: &Href, members: &[Member]) -> Result<(), Error> {
        let here = self.href(self.url.path());
        let is_here = |member: &Member| {
            member.href.is_within(calendar) || here.as_ref().is_some_and(|here| member.href.is_within(here))
        };
        match members.iter().find(|member| !is_here(member)) {
            Some(stranger) => Err(self
                .failed(ErrorKind::BadAnswer)
                .with_detail(format!("it is an answer about another place: {}", stranger.href))),
            None => Ok(()),
        }
    }

    pub(crate) fn failed(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.operation, without_credentials(&self.url))
    }

    /// What this answer means as a failure.
    pub(crate) fn error(&self) -> Error {
        let refusal = Refusal::read(self);
        let kind = self.kind(&refusal);
        let mut error = self.failed(kind);
        if self.status == 401 && !self.by_token && !refusal.offers_basic {
            error = error.with_detail("it offers no Basic login, the only one that is spoken here");
        } else if let Some(detail) = refusal.detail() {
            error = error.with_detail(detail);
        }
        error
    }

    fn kind(&self, refusal: &Refusal) -> ErrorKind {
        match self.status {
            401 => ErrorKind::Unauthorized,
            400..=499 if refusal.names(&["no-uid-conflict", "unique-scheduling-object-resource"]) => {
                ErrorKind::UidConflict { href: refusal.href.clone() }
            }
            400 | 409 if refusal.says("already exists") => ErrorKind::UidConflict { href: refusal.href.clone() },
            400..=499 | 507 if refusal.names(&["quota-not-exceeded", "sufficient-disk-space"]) => ErrorKind::Quota,
            400..=499 if refusal.names_a_rule_for_data() => ErrorKind::Rejected { status: self.status },
            403 => ErrorKind::Forbidden,
            404 | 410 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            412 => ErrorKind::PreconditionFailed,
            423 => ErrorKind::Locked,
            429 => ErrorKind::TooManyRequests { retry_after: self.retry_after() },
            503 => ErrorKind::Unavailable { retry_after: self.retry_after() },
            507 => ErrorKind::Quota,
            status @ 500..=599 => ErrorKind::Server(status),
            status @ 400..=499 => ErrorKind::Rejected { status },
            _ => ErrorKind::BadAnswer,
        }
    }

    /// `Retry-After` (RFC 9110 10.2.3): seconds, or a date, which is read by the server's own clock. At most an hour.
    fn retry_after(&self) -> Option<SignedDuration> {
        let value = self.header("retry-after")?.trim();
        let wait = match value.parse::<u32>() {
            Ok(seconds) => SignedDuration::from_secs(i64::from(seconds)),
            Err(_) => {
                let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
                until.duration_since(self.server_time()?)
            }
        };
        Some(wait.clamp(SignedDuration::ZERO, SignedDuration::from_hours(1)))
    }
}

/// What the body of a refusal says: RFC 4918 16 conditions, or a server's own words.
#[derive(Debug, Default)]
struct Refusal {
    conditions: Vec<String>,
    words: Option<String>,
    href: Option<Href>,
    offers_basic: bool,
}

impl Refusal {
    fn read(answer: &Answer) -> Refusal {
        let mut refusal = Refusal::default();
        let mut schemes = answer.headers.get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok());
        refusal.offers_basic = schemes.any(|value| value.to_ascii_lowercase().contains("basic"))
            || !answer.headers.contains_key("www-authenticate");
        let head = answer.body.get(..answer.body.len().min(64 * 1024)).unwrap_or_default();
        let parsed = xml::read(head, |child| {
            for element in child.descendants() {
                match element.namespace {
                    Namespace::Dav if element.name == "href" => {
                        refusal.href = element.text().and_then(|text| answer.href(text)).or(refusal.href.take());
                    }
                    Namespace::Dav if element.name == "responsedescription" => {
                        refusal.words = element.text().map(str::to_owned);
                    }
                    Namespace::Dav | Namespace::CalDav => refusal.conditions.push(element.name.clone()),
                    // sabre's own: <s:message>
                    _ if element.name == "message" => refusal.words = element.text().map(str::to_owned),
                    _ => {}
                }
            }
        });
        if !parsed.is_ok_and(|root| root.is(Namespace::Dav, "error")) {
            refusal.conditions.clear();
            let is_text = answer.header("content-type").is_some_and(|value| value.starts_with("text/plain"));
            if is_text && refusal.words.is_none() {
                refusal.words = Some(String::from_utf8_lossy(head).into_owned());
            }
        }
        refusal
    }

    fn names(&self, conditions: &[&str]) -> bool {
        self.conditions.iter().any(|name| conditions.contains(&name.as_str()))
    }

    /// RFC 4791 1.3 and 5.3.2.1: the preconditions that speak of the data, under whatever status.
    fn names_a_rule_for_data(&self) -> bool {
        self.conditions.iter().any(|name| {
            name.starts_with("valid-calendar-")
                || name.starts_with("supported-calendar-")
                || name.starts_with("max-")
                || name.starts_with("min-")
                || name == "same-organizer-in-all-components"
        })
    }

    fn says(&self, words: &str) -> bool {
        self.words.as_ref().is_some_and(|text| text.to_ascii_lowercase().contains(words))
    }

    fn detail(&self) -> Option<String> {
        let names = self.conditions.join(", ");
        match (&self.words, names.is_empty()) {
            (Some(words), true) => Some(words.clone()),
            (Some(words), false) => Some(format!("{names}: {words}")),
            (None, false) => Some(names),
            (None, true) => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Answers for tests, as a server would have given them.

    use super::{Answer, HeaderMap};
    use reqwest::header::{HeaderName, HeaderValue};

    pub(crate) const ACCOUNT: &str = "http://127.0.0.1:18201/";

    pub(crate) fn answer(path: &str, status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let account: url::Url = ACCOUNT.parse().unwrap();
        let url = account.join(path).unwrap();
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
            .collect();
        Answer { operation: "test", url, account, by_token: false, status, headers, body: body.as_bytes().to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::answer;
    use super::*;

    fn kind(status: u16, body: &str) -> ErrorKind {
        answer("/prof/x.ics", status, &[], body).error().kind().clone()
    }

    #[test]
    fn a_second_event_with_one_uid_is_recognised_under_every_servers_status() {
        let radicale = r#"<?xml version='1.0' encoding='utf-8'?><error xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:no-uid-conflict /></error>"#;
        let xandikos = r#"<ns0:error xmlns:ns0="DAV:" xmlns:ns1="urn:ietf:params:xml:ns:caldav"><ns1:no-uid-conflict /><ns0:responsedescription>UID already in use.</ns0:responsedescription></ns0:error>"#;
        let cyrus = r#"<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:unique-scheduling-object-resource><D:href>/prof/first.ics</D:href></C:unique-scheduling-object-resource></D:error>"#;
        let nextcloud = r#"<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\DAV\Exception\BadRequest</s:exception><s:message>Calendar object with uid already exists in this calendar collection.</s:message></d:error>"#;
        for (status, body) in [(409, radicale), (412, xandikos), (400, nextcloud)] {
            assert_eq!(kind(status, body), ErrorKind::UidConflict { href: None });
        }
        assert_eq!(kind(403, cyrus), ErrorKind::UidConflict { href: Some(Href::new("/prof/first.ics")) });
    }

    #[test]
    fn refused_data_is_neither_a_stale_version_nor_a_read_only_calendar() {
        let condition =
            |name: &str| format!(r#"<error xmlns="DAV:"><C:{name} xmlns:C="urn:ietf:params:xml:ns:caldav"/></error>"#);
        assert_eq!(kind(412, &condition("valid-calendar-data")), ErrorKind::Rejected { status: 412 });
        assert_eq!(kind(403, &condition("supported-calendar-component")), ErrorKind::Rejected { status: 403 });
        assert_eq!(kind(412, ""), ErrorKind::PreconditionFailed);
        assert_eq!(kind(403, r#"<error xmlns="DAV:"><need-privileges/></error>"#), ErrorKind::Forbidden);
        assert_eq!(kind(403, r#"<error xmlns="DAV:"><quota-not-exceeded/></error>"#), ErrorKind::Quota);
        assert_eq!(kind(507, ""), ErrorKind::Quota);
        assert_eq!(kind(423, ""), ErrorKind::Locked);
        assert_eq!(kind(410, ""), ErrorKind::NotFound);
        assert_eq!(kind(502, "<html>Bad gateway"), ErrorKind::Server(502));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock_and_an_hour_at_most() {
        let wait = |headers: &[(&str, &str)]| answer("/", 503, headers, "").error().retry_after();
        assert_eq!(wait(&[("retry-after", "120")]), Some(SignedDuration::from_secs(120)));
        assert_eq!(wait(&[("retry-after", "86400")]), Some(SignedDuration::from_hours(1)));
        let date = ("date", "Tue, 24 Nov 2026 10:00:00 GMT");
        assert_eq!(wait(&[date, ("retry-after", "Tue, 24 Nov 2026 10:05:00 GMT")]), Some(SignedDuration::from_mins(5)));
        assert_eq!(wait(&[date, ("retry-after", "Tue, 24 Nov 2026 09:00:00 GMT")]), Some(SignedDuration::ZERO));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn a_server_without_basic_login_is_named_as_such() {
        let digest = answer("/", 401, &[("www-authenticate", "Digest realm=\"x\"")], "").error();
        assert!(digest.to_string().contains("no Basic login"));
        let sogo = answer("/", 401, &[("www-authenticate", "basic realm=\"SOGo\"")], "").error();
        assert!(!sogo.to_string().contains("no Basic login"));
        // Whoever logs in with a token asks for no Basic login.
        let bearer = answer("/", 401, &[("www-authenticate", "Bearer realm=\"x\", error=\"invalid_token\"")], "");
        let bearer = Answer { by_token: true, ..bearer }.error();
        assert_eq!(bearer.kind(), &ErrorKind::Unauthorized);
        assert!(!bearer.to_string().contains("Basic"), "{bearer}");
    }

    #[test]
    fn a_207_that_refuses_what_was_asked_is_a_refusal() {
        let body = |status| {
            format!(
                r#"<ns0:multistatus xmlns:ns0="DAV:"><ns0:response><ns0:href>http://127.0.0.1:18201/prof/nope/</ns0:href><ns0:status>HTTP/1.1 {status}</ns0:status></ns0:response></ns0:multistatus>"#
            )
        };
        let kind = |status| answer("/prof/nope/", 207, &[], &body(status)).multistatus().unwrap_err().kind().clone();
        assert_eq!(kind("404 Not Found"), ErrorKind::NotFound);
        assert_eq!(kind("403 Forbidden"), ErrorKind::Forbidden);
        assert!(answer("/prof/nope/", 207, &[], &body("507 Insufficient Storage")).multistatus().is_ok());
    }

    #[test]
    fn the_response_is_the_one_that_was_asked_about() {
        let body = r#"<multistatus xmlns="DAV:"><response><href>/SOGo/dav/so/</href></response><response><href>/SOGo/dav/</href><status>HTTP/1.1 200 OK</status></response></multistatus>"#;
        let sogo = answer("/SOGo/dav", 207, &[], body);
        assert_eq!(sogo.own_response(sogo.multistatus().unwrap()).unwrap().href, "/SOGo/dav/");
        let empty = answer("/", 207, &[], r#"<multistatus xmlns="DAV:"/>"#);
        assert!(empty.own_response(empty.multistatus().unwrap()).is_none());
    }
}
