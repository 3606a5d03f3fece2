//! A calendar published as one file under a URL (a `[[host.subscription]]`): conditional GET, capped, and guarded so that the URL cannot reach
//! into the network that the daemon runs in. Read [`fetch_subscription`] first.

use super::error::{Error, ErrorKind};
use super::request::Answer;
use super::transport::{client_builder, failure};
use crate::ical::check_whole;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

const OPERATION: &str = "read the subscription";
const MAX_REDIRECTS: usize = 5;
/// After decompression.
const MAX_BODY: usize = 20 * 1024 * 1024;
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);
/// Outlook's publishing answers unknown programs with an error page.
const USER_AGENT: &str = concat!("Mozilla/5.0 (compatible; officehours/", env!("CARGO_PKG_VERSION"), ")");

/// What a server said of the version that we hold, to be sent back as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag` header, weak or strong.
    pub etag: Option<String>,
    /// The `Last-Modified` header.
    pub last_modified: Option<String>,
}

/// Where a subscription may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To public addresses alone.
    Public,
    /// Also to this machine and private networks. A redirect to another origin is held to public addresses all the same.
    Anywhere,
}

/// What a subscription has for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscribed {
    /// What we hold is the present version.
    NotModified,
    /// A new version: one whole iCalendar stream.
    Body {
        /// As received, decompressed.
        data: Vec<u8>,
        /// For the next time.
        validators: Validators,
    },
}

/// Reads a published calendar if it changed. `http`, `https` and `webcal` (which is https) URLs; at most 5 redirects, each held to the same rules
/// and none from https to http. Names are resolved once and only the addresses that were looked at are connected to.
///
/// # Errors
/// `PrivateAddress` for what [`Reach::Public`] forbids, `TooLarge` beyond 20 MiB, `BadAnswer` for what is no iCalendar or has no end. Errors
/// name the host alone: such URLs are secrets.
pub async fn fetch_subscription(url: &Url, known: &Validators, reach: Reach) -> Result<Subscribed, Error> {
    fetch_at_most(url, known, reach, MAX_BODY).await
}

/// The same with a cap of its own, in bytes after decompression.
///
/// # Errors
/// As [`fetch_subscription`].
pub async fn fetch_at_most(url: &Url, known: &Validators, reach: Reach, most: usize) -> Result<Subscribed, Error> {
    let (mut url, mut reach) = (over_http(url), reach);
    for _ in 0..=MAX_REDIRECTS {
        let answer = get(&url, known, reach, most).await?;
        match answer.status {
            301 | 302 | 303 | 307 | 308 => {
                let location = answer.header("location").and_then(|location| url.join(location).ok());
                let target = over_http(&location.ok_or_else(|| answer.error())?);
                if url.scheme() == "https" && target.scheme() != "https" {
                    return Err(failed(ErrorKind::Insecure, &target));
                }
                if target.origin() != url.origin() {
                    reach = Reach::Public;
                }
                url = target;
            }
            304 if *known != Validators::default() => return Ok(Subscribed::NotModified),
            200 => return body(answer),
            _ => return Err(answer.error()),
        }
    }
    Err(failed(ErrorKind::BadAnswer, &url).with_detail(format!("more than {MAX_REDIRECTS} redirects")))
}

/// `webcal:` is a way to say https with a calendar behind it.
fn over_http(url: &Url) -> Url {
    let rest = url.as_str().strip_prefix("webcal:").or_else(|| url.as_str().strip_prefix("webcals:"));
    rest.and_then(|rest| Url::parse(&format!("https:{rest}")).ok()).unwrap_or_else(|| url.clone())
}

async fn get(url: &Url, known: &Validators, reach: Reach, most: usize) -> Result<Answer, Error> {
    let addresses = vetted(url, reach).await?;
    let http = client_builder()
        .dns_resolver(Fixed(addresses.into()))
        .user_agent(USER_AGENT)
        .build()
        .map_err(|error| failure(error, OPERATION, &public_part(url)))?;
    let mut request = http.get(url.clone()).header("Accept", "text/calendar, */*;q=0.1");
    for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let failed_by = |error| failure(error, OPERATION, &public_part(url));
    let mut incoming = request.send().await.map_err(failed_by)?;
    let status = incoming.status().as_u16();
    let headers: HeaderMap = std::mem::take(incoming.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = incoming.chunk().await.map_err(failed_by)? {
        if body.len() + chunk.len() > most {
            return Err(failed(ErrorKind::TooLarge, url));
        }
        body.extend_from_slice(&chunk);
    }
    let public = public_part(url);
    Ok(Answer { operation: OPERATION, account: public.clone(), url: public, by_token: false, status, headers, body })
}

fn body(answer: Answer) -> Result<Subscribed, Error> {
    if let Err(fault) = check_whole(&answer.body) {
        return Err(answer.failed(ErrorKind::BadAnswer).with_detail(fault.to_string()));
    }
    let validators = Validators {
        etag: answer.header("etag").map(str::to_owned),
        last_modified: answer.header("last-modified").map(str::to_owned),
    };
    Ok(Subscribed::Body { data: answer.body, validators })
}

/// The addresses of the URL's host that may be connected to.
async fn vetted(url: &Url, reach: Reach) -> Result<Vec<SocketAddr>, Error> {
    let port = url.port_or_known_default();
    let (Some(host), Some(port), "http" | "https") = (url.host(), port, url.scheme()) else {
        return Err(
            failed(ErrorKind::Settings, url).with_detail("the url must begin with https://, http:// or webcal://")
        );
    };
    let all: Vec<SocketAddr> = match host {
        Host::Ipv4(address) => vec![(address, port).into()],
        Host::Ipv6(address) => vec![(address, port).into()],
        Host::Domain(name) => match tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((name, port))).await {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => return Err(failed(ErrorKind::Network, url).with_detail(error.to_string())),
            Err(_) => return Err(failed(ErrorKind::Timeout, url).with_detail("looking up its name")),
        },
    };
    let allowed: Vec<SocketAddr> =
        all.into_iter().filter(|address| reach == Reach::Anywhere || is_public(address.ip())).collect();
    if allowed.is_empty() { Err(failed(ErrorKind::PrivateAddress, url)) } else { Ok(allowed) }
}

fn failed(kind: ErrorKind, url: &Url) -> Error {
    Error::new(kind, OPERATION, public_part(url))
}

/// Scheme, host and port: the path of a published calendar is its password.
fn public_part(url: &Url) -> Url {
    let mut public = url.clone();
    // These fail only for URLs that cannot have credentials.
    let (_, _) = (public.set_username(""), public.set_password(None));
    public.set_path("/");
    public.set_query(None);
    public.set_fragment(None);
    public
}

/// Answers every name with the addresses that were looked at, so that a second look-up cannot give others.
struct Fixed(Arc<[SocketAddr]>);

impl Resolve for Fixed {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses = Arc::clone(&self.0).to_vec();
        Box::pin(async move { Ok(Box::new(addresses.into_iter()) as Addrs) })
    }
}

/// Whether an address is of the public internet: none of this machine, a private or provider's network, or of special use
/// (RFC 6890, 6598, 4193, 4291), in whatever notation.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0 // this network
        || (a == 100 && (64..128).contains(&b)) // carriers' NAT
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || (a == 192 && b == 88 && c == 99) // relays of 6to4
        || (a == 198 && (18..20).contains(&b)) // benchmarks
        || a >= 224; // multicast, reserved, broadcast
    !(special || address.is_loopback() || address.is_private() || address.is_link_local() || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => v4(g, h), // an IPv4 address in other words
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => v4(g, h), // NAT64
        (0x2002, _) => v4(b, c),                                 // 6to4
        (0x2001, 0..0x200) => false,                             // Teredo and other assignments
        (0x2001, 0xdb8) | (0x3fff, 0..0x1000) => false,          // documentation
        _ => a & 0xe000 == 0x2000,                               // global unicast
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{answer, serve_raw};
    use super::*;

    const CALENDAR: &str = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";

    fn kind(result: Result<Subscribed, Error>) -> ErrorKind {
        result.unwrap_err().kind().clone()
    }

    #[test]
    fn only_public_addresses_are_public_in_whatever_notation() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["52.96.0.1", "100.128.0.1", "172.32.0.1", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn nothing_private_is_connected_to_unless_it_is_allowed() {
        let known = Validators::default();
        for url in [
            "http://127.0.0.1:1/x",
            "http://2130706433/",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost:1/",
            "webcal://10.0.0.1/",
        ] {
            let url = url.parse().unwrap();
            assert_eq!(kind(fetch_subscription(&url, &known, Reach::Public).await), ErrorKind::PrivateAddress, "{url}");
        }
        let file = "file:///etc/passwd".parse().unwrap();
        assert_eq!(kind(fetch_subscription(&file, &known, Reach::Anywhere).await), ErrorKind::Settings);
    }

    #[tokio::test]
    async fn an_unchanged_calendar_is_not_sent_again() {
        let (url, log) = serve_raw(|seen| match seen.path.as_str() {
            "/secret/old.ics" => answer(301, "Location: new.ics\r\n", ""),
            _ if seen.head.contains("if-none-match: w/\"5\"") => answer(304, "", ""),
            _ => answer(200, "ETag: W/\"5\"\r\nLast-Modified: Tue, 24 Nov 2026 10:00:00 GMT\r\n", CALENDAR),
        })
        .await;
        let url = url.join("secret/old.ics").unwrap();
        let first = fetch_subscription(&url, &Validators::default(), Reach::Anywhere).await.unwrap();
        let Subscribed::Body { data, validators } = first else { panic!("no body") };
        assert_eq!(data, CALENDAR.as_bytes());
        assert_eq!(fetch_subscription(&url, &validators, Reach::Anywhere).await.unwrap(), Subscribed::NotModified);
        let log = log.lock().unwrap();
        assert!(log[3].head.contains("if-modified-since: tue, 24 nov 2026 10:00:00 gmt"));
        assert!(!log[3].head.contains("authorization"));
    }

    #[tokio::test]
    async fn a_redirect_does_not_lead_on_into_a_private_network() {
        let (other, log) = serve_raw(|_| answer(200, "", CALENDAR)).await;
        let (url, _) = serve_raw(move |_| answer(302, &format!("Location: {other}\r\n"), "")).await;
        let result = fetch_subscription(&url, &Validators::default(), Reach::Anywhere).await;
        assert_eq!(kind(result), ErrorKind::PrivateAddress);
        assert!(log.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn nothing_new_is_no_answer_to_who_holds_nothing() {
        let (url, _) = serve_raw(|_| answer(304, "", "")).await;
        assert!(fetch_subscription(&url, &Validators::default(), Reach::Anywhere).await.is_err());
    }

    #[tokio::test]
    async fn half_a_calendar_or_a_page_is_a_failure_that_does_not_tell_the_url() {
        for text in ["<html>Log in</html>", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", ""] {
            let (url, _) = serve_raw(move |_| answer(200, "", text)).await;
            let url = url.join("secret/calendar.ics?key=secret").unwrap();
            let error = fetch_subscription(&url, &Validators::default(), Reach::Anywhere).await.unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::BadAnswer);
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
    }

    #[tokio::test]
    async fn what_is_too_large_is_given_up() {
        let (url, _) = serve_raw(|_| answer(200, "", &format!("BEGIN:VCALENDAR\r\n{}", " ".repeat(MAX_BODY)))).await;
        assert_eq!(kind(fetch_subscription(&url, &Validators::default(), Reach::Anywhere).await), ErrorKind::TooLarge);
    }

    #[test]
    fn webcal_is_https() {
        let url = over_http(&"webcal://outlook.office365.com/x.ics?y=1".parse().unwrap());
        assert_eq!(url.as_str(), "https://outlook.office365.com/x.ics?y=1");
    }
}
