//! Addresses on a calendar server (RFC 4918 8.3): kept as the server spells them, compared decoded. Read [`Href`] first.

use percent_encoding::percent_decode_str;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use url::Url;

/// Where a calendar or an object is: an absolute path on the account's server as the server gave it, or a full URL when it is
/// on another host (iCloud's partitions).
///
/// Two hrefs are equal when they name the same thing: percent-encoding, the case of its digits and a final slash do not count.
#[derive(Clone)]
pub struct Href {
    text: String,
    key: Vec<u8>,
}

impl Href {
    /// As it was kept, or as a person wrote it: an absolute path or a full URL.
    pub fn new(text: impl Into<String>) -> Href {
        let text = text.into();
        let key = key(&text);
        Href { text, key }
    }

    /// What `raw` in an answer from `request` means for an account at `account` (RFC 3986 5): an absolute path as given where
    /// it is on the account's server. None for what is no http address.
    pub(crate) fn resolve(raw: &str, request: &Url, account: &Url) -> Option<Href> {
        let raw = raw.trim();
        if raw.is_empty() {
            return None;
        }
        let mut url = request.join(raw).ok()?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return None;
        }
        // A server behind a proxy that ends TLS writes http:// or its own port into its hrefs: the same host is the same server.
        if url.host() == request.host() && url.origin() != request.origin() {
            url = rebase(&url, request);
        }
        if url.origin() != account.origin() {
            return Some(Href::new(without_credentials(&url)));
        }
        let as_given = raw.starts_with('/') && !raw.starts_with("//");
        Some(Href::new(if as_given { raw.to_owned() } else { url[url::Position::BeforePath..].to_owned() }))
    }

    /// The request's address: this, on the account's server unless it names another.
    pub(crate) fn url(&self, account: &Url) -> Option<Url> {
        account.join(&self.text).ok()
    }

    /// As the server spelled it; what is kept and what requests are sent to.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The object `name` in this collection. `name` must need no encoding: `[A-Za-z0-9._-]`.
    pub fn child(&self, name: &str) -> Href {
        Href::new(format!("{}/{name}", self.text.trim_end_matches('/')))
    }

    /// The last segment, decoded: what people call the object.
    pub fn name(&self) -> String {
        let last = self.text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        percent_decode_str(last).decode_utf8_lossy().into_owned()
    }

    /// Whether it is below this collection.
    pub fn is_within(&self, collection: &Href) -> bool {
        self.key.strip_prefix(collection.key.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
    }

    pub(crate) fn ends_with_slash(&self) -> bool {
        self.text.ends_with('/')
    }
}

/// `url` at the scheme, host and port of `base`.
pub(crate) fn rebase(url: &Url, base: &Url) -> Url {
    let mut here = base.clone();
    here.set_path(url.path());
    here.set_query(url.query());
    here.set_fragment(None);
    here
}

/// A URL as it may be logged: no user, password or fragment.
pub(crate) fn without_credentials(url: &Url) -> String {
    let mut url = url.clone();
    // These fail only for URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url.into()
}

fn key(text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(text.len());
    for (at, segment) in text.trim_end_matches('/').split('/').enumerate() {
        if at > 0 {
            key.push(b'/');
        }
        for byte in percent_decode_str(segment) {
            match byte {
                b'/' => key.extend_from_slice(b"%2F"),
                byte => key.push(byte),
            }
        }
    }
    key
}

impl PartialEq for Href {
    fn eq(&self, other: &Href) -> bool {
        self.key == other.key
    }
}

impl Eq for Href {}

impl Hash for Href {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl PartialOrd for Href {
    fn partial_cmp(&self, other: &Href) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Href {
    fn cmp(&self, other: &Href) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl fmt::Display for Href {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Href {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Href({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(raw: &str, request: &str, account: &str) -> Option<String> {
        let (request, account) = (request.parse().unwrap(), account.parse().unwrap());
        Href::resolve(raw, &request, &account).map(|href| href.as_str().to_owned())
    }

    #[test]
    fn spellings_of_one_address_are_equal_and_the_servers_spelling_is_kept() {
        for (ours, theirs) in [
            ("/prof/a%20b+c.ics", "/prof/a%20b%2Bc.ics"),
            ("/prof/a%20b+c.ics", "/prof/a%20b%2bc.ics"),
            ("/prof/x%40y.ics", "/prof/x@y.ics"),
            ("/prof/s(t)~!.ics", "/prof/s%28t%29%7E%21.ics"),
            ("/prof/q%3Ar.ics", "/prof/q:r.ics"),
            ("/prof/ünï.ics", "/prof/%C3%BCn%C3%AF.ics"),
            ("/prof/ünï.ics", "/prof/%c3%bcn%c3%af.ics"),
            ("/prof", "/prof/"),
        ] {
            assert_eq!(Href::new(ours), Href::new(theirs));
            assert_eq!(Href::new(theirs).as_str(), theirs);
        }
        assert_ne!(Href::new("/prof/a%2Fb.ics"), Href::new("/prof/a/b.ics"));
        assert_ne!(Href::new("/prof/a.ics"), Href::new("/prof/A.ics"));
    }

    #[test]
    fn relative_hrefs_are_of_the_final_request_with_its_port() {
        let account = "https://cloud.example.edu:8080/";
        let request = "https://cloud.example.edu:8080/remote.php/dav/";
        assert_eq!(resolve("calendars/prof/", request, account).unwrap(), "/remote.php/dav/calendars/prof/");
        assert_eq!(resolve("/x%40y/", request, account).unwrap(), "/x%40y/");
        let full = "https://cloud.example.edu:8080/dav/a%2Bb.ics";
        assert_eq!(resolve(full, request, account).unwrap(), "/dav/a%2Bb.ics");
    }

    #[test]
    fn a_server_that_does_not_know_its_own_scheme_is_still_the_same_server() {
        let here = "https://cloud.example.edu/";
        assert_eq!(resolve("http://cloud.example.edu/dav/x.ics", here, here).unwrap(), "/dav/x.ics");
    }

    #[test]
    fn another_host_is_kept_in_full_and_without_a_password() {
        let account = "https://caldav.icloud.com/";
        let home = resolve("https://me:secret@p42-caldav.icloud.com:443/123/calendars/", account, account).unwrap();
        assert_eq!(home, "https://p42-caldav.icloud.com/123/calendars/");
        let child = Href::new(home).child("a.ics").url(&account.parse().unwrap()).unwrap();
        assert_eq!(child.as_str(), "https://p42-caldav.icloud.com/123/calendars/a.ics");
        assert!(resolve("mailto:prof@example.edu", account, account).is_none());
        assert!(resolve("  ", account, account).is_none());
    }
}
