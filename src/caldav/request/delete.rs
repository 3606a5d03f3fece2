//! DELETE of an object (RFC 9110 9.3.5).

use super::{Answer, Method, Request};
use crate::caldav::Deleted;
use crate::caldav::error::{Error, ErrorKind};
use crate::caldav::etag::ETag;

/// Deletes an object, when a version is known only that one.
pub(crate) struct Delete<'a> {
    pub(crate) etag: Option<&'a ETag>,
}

impl Delete<'_> {
    pub(crate) fn request(&self) -> Request {
        let headers = self.etag.map(|etag| ("If-Match", etag.as_str().to_owned())).into_iter().collect();
        Request { method: Method::Delete, headers, body: None, operation: "delete the event" }
    }

    /// A 200 may carry a multistatus (Radicale); what it says about the object decides.
    pub(crate) fn read(&self, answer: &Answer) -> Result<Deleted, Error> {
        if matches!(answer.status, 404 | 410) {
            return Ok(Deleted::AlreadyGone);
        }
        if !answer.is_success() {
            return Err(answer.error());
        }
        match answer.multistatus() {
            Err(error) if *error.kind() == ErrorKind::NotFound => Ok(Deleted::AlreadyGone),
            // Most answers to a DELETE have no body, or one that says nothing.
            Err(error) if *error.kind() == ErrorKind::BadAnswer && answer.status != 207 => Ok(Deleted::Deleted),
            Err(error) => Err(error),
            Ok(_) => Ok(Deleted::Deleted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;

    #[test]
    fn gone_is_gone_whoever_did_it() {
        let delete = Delete { etag: None };
        assert!(delete.request().headers.is_empty());
        let radicale = r#"<multistatus xmlns="DAV:"><response><href>/prof/office/a.ics</href><status>HTTP/1.1 200 OK</status></response></multistatus>"#;
        for (status, body, expected) in [
            (204, "", Deleted::Deleted),
            (200, radicale, Deleted::Deleted),
            (404, "", Deleted::AlreadyGone),
            (410, "", Deleted::AlreadyGone),
        ] {
            assert_eq!(delete.read(&answer("/prof/office/a.ics", status, &[], body)).unwrap(), expected);
        }
    }

    #[test]
    fn a_refusal_is_found_wherever_it_is_written() {
        let delete = Delete { etag: None };
        let inside = r#"<multistatus xmlns="DAV:"><response><href>/c/a.ics</href><status>HTTP/1.1 423 Locked</status></response></multistatus>"#;
        let kind = |status, body| delete.read(&answer("/c/a.ics", status, &[], body)).unwrap_err().kind().clone();
        assert_eq!(kind(207, inside), ErrorKind::Locked);
        assert_eq!(kind(412, ""), ErrorKind::PreconditionFailed);
        assert_eq!(kind(500, "Call to undefined method"), ErrorKind::Server(500));
    }
}
