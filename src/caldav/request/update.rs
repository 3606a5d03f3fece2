//! PUT of a new version of an object (RFC 4791 5.3.2).

use super::create::{Stored, put, stored};
use super::{Answer, Request};
use crate::caldav::error::Error;
use crate::caldav::etag::ETag;

/// Replaces the version that the change was computed from, and no other; where versions are not told, whatever is there.
pub(crate) struct Update<'a> {
    pub(crate) etag: Option<&'a ETag>,
    pub(crate) data: &'a str,
}

impl Update<'_> {
    pub(crate) fn request(&self) -> Request {
        let condition = self.etag.map(|etag| ("If-Match", etag.as_str().to_owned()));
        put("change the event", condition, self.data)
    }

    pub(crate) fn read(&self, answer: &Answer) -> Result<Stored, Error> {
        stored(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;
    use crate::caldav::error::ErrorKind;

    #[test]
    fn an_update_carries_its_version_strong_and_quoted() {
        let etag = ETag::new("W/\"5\"").unwrap();
        let update = Update { etag: Some(&etag), data: "" };
        assert!(update.request().headers.contains(&("If-Match", "\"5\"".to_owned())));
        let stale = update.read(&answer("/c/a.ics", 412, &[], "")).unwrap_err();
        assert_eq!(stale.kind(), &ErrorKind::PreconditionFailed);
        // Xandikos' losers of a race
        let locked = update.read(&answer("/c/a.ics", 423, &[], "")).unwrap_err();
        assert_eq!(locked.kind(), &ErrorKind::Locked);
    }
}
