//! OPTIONS on a calendar home: what the server says it can do (RFC 4918 10.1), what it is, and what time it is there.

use super::{Answer, Method, Request};
use jiff::Timestamp;

/// Asks for the capabilities. Nothing depends on the answer: servers leave things out.
pub(crate) struct Options;

/// What the headers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// The tokens of all `DAV` headers, in order, each once.
    pub(crate) dav: Vec<String>,
    pub(crate) server: Option<String>,
    pub(crate) server_time: Option<Timestamp>,
}

impl Options {
    pub(crate) fn request(&self) -> Request {
        Request { method: Method::Options, headers: Vec::new(), body: None, operation: "ask what the server can do" }
    }

    pub(crate) fn read(&self, answer: &Answer) -> Capabilities {
        let mut dav: Vec<String> = Vec::new();
        let values = answer.headers.get_all("dav").iter().filter_map(|value| value.to_str().ok());
        for token in values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty()) {
            if !dav.iter().any(|known| known == token) {
                dav.push(token.to_owned());
            }
        }
        Capabilities { dav, server: answer.header("server").map(str::to_owned), server_time: answer.server_time() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;

    #[test]
    fn davicals_two_dav_headers_are_one_list() {
        let headers =
            [("dav", "1, 2, calendar-access"), ("dav", "extended-mkcol, 1"), ("date", "Tue, 24 Nov 2026 10:00:00 GMT")];
        let found = Options.read(&answer("/", 200, &headers, ""));
        assert_eq!(found.dav, ["1", "2", "calendar-access", "extended-mkcol"]);
        assert_eq!(found.server_time, Some("2026-11-24T10:00:00Z".parse().unwrap()));
    }
}
