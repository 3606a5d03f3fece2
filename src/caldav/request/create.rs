//! PUT of an object that must not be there yet (RFC 4791 5.3.2).

use super::{Answer, Method, Request};
use crate::caldav::Href;
use crate::caldav::error::Error;
use crate::caldav::etag::ETag;

/// Creates an object: `If-None-Match: *` is part of it. Not every server honours that (SOGo, Calypso): look before, and read back.
pub(crate) struct Create<'a> {
    pub(crate) data: &'a str,
}

/// What a server says of a write that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Where it put it, when it says so.
    pub(crate) href: Option<Href>,
    /// None when it may have changed what it was given (RFC 4791 5.3.4): read it back.
    pub(crate) etag: Option<ETag>,
    /// Whether something was there before: 200 or 204.
    pub(crate) replaced: bool,
}

impl Create<'_> {
    pub(crate) fn request(&self) -> Request {
        put("create the event", Some(("If-None-Match", "*".to_owned())), self.data)
    }

    pub(crate) fn read(&self, answer: &Answer) -> Result<Stored, Error> {
        stored(answer)
    }
}

pub(super) fn put(operation: &'static str, condition: Option<(&'static str, String)>, data: &str) -> Request {
    let kind = ("Content-Type", "text/calendar; charset=utf-8".to_owned());
    let headers = condition.into_iter().chain([kind]).collect();
    Request { method: Method::Put, headers, body: Some(data.to_owned()), operation }
}

pub(super) fn stored(answer: &Answer) -> Result<Stored, Error> {
    match answer.status {
        200 | 201 | 202 | 204 => Ok(Stored {
            href: answer.header("location").and_then(|raw| answer.href(raw)),
            etag: answer.etag(),
            replaced: matches!(answer.status, 200 | 204),
        }),
        _ => Err(answer.error()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;
    use crate::caldav::error::ErrorKind;

    #[test]
    fn a_creation_is_conditional_and_says_what_it_is() {
        let request = Create { data: "BEGIN:VCALENDAR" }.request();
        assert_eq!(request.method, Method::Put);
        assert!(request.headers.contains(&("If-None-Match", "*".to_owned())));
        assert!(request.headers.contains(&("Content-Type", "text/calendar; charset=utf-8".to_owned())));
        assert!(!request.is_safe());
    }

    #[test]
    fn the_server_may_choose_another_address_or_keep_its_etag_or_overwrite() {
        let create = Create { data: "" };
        let elsewhere = answer("/c/u.ics", 201, &[("location", "/c/9F2.EML"), ("etag", "\"1\"")], "");
        let stored = create.read(&elsewhere).unwrap();
        assert_eq!((stored.href, stored.etag, stored.replaced), (Some(Href::new("/c/9F2.EML")), ETag::new("1"), false));
        let sogo = create.read(&answer("/c/u.ics", 204, &[], "")).unwrap();
        assert_eq!((sogo.href, sogo.etag, sogo.replaced), (None, None, true));
        let page = create.read(&answer("/login", 207, &[], "")).unwrap_err();
        assert_eq!(page.kind(), &ErrorKind::BadAnswer);
    }
}
