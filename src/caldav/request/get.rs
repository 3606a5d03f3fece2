//! GET of one object.

use super::{Answer, Method, Request};
use crate::caldav::error::{Error, ErrorKind};
use crate::caldav::{Href, Object};
use crate::ical::{NotWhole, check_whole};

/// Reads an object. Uncompressed, since compressing servers change the ETag; and not as a cache has kept it (RFC 9111 5.2.1.4).
pub(crate) struct Get<'a> {
    pub(crate) href: &'a Href,
}

impl Get<'_> {
    pub(crate) fn request(&self) -> Request {
        let headers = vec![
            ("Accept", "text/calendar".to_owned()),
            ("Accept-Encoding", "identity".to_owned()),
            ("Cache-Control", "no-cache".to_owned()),
        ];
        Request { method: Method::Get, headers, body: None, operation: "read the event" }
    }

    /// None: it is not there. A page instead of an event, or nothing at all, is a failure and not an event that cannot be read, whatever
    /// type it is said to have.
    pub(crate) fn read(&self, answer: &Answer) -> Result<Option<Object>, Error> {
        match answer.status {
            200 | 203 => {}
            404 | 410 => return Ok(None),
            _ => return Err(answer.error()),
        }
        if let Err(fault @ NotWhole::NotCalendar) = check_whole(&answer.body) {
            return Err(answer.failed(ErrorKind::BadAnswer).with_detail(fault.to_string()));
        }
        Ok(Some(Object { href: self.href.clone(), etag: answer.etag(), data: answer.body.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;
    use crate::caldav::etag::ETag;

    #[test]
    fn gone_is_404_or_410_and_a_login_page_is_a_failure() {
        let href = Href::new("/c/a.ics");
        let get = Get { href: &href };
        assert_eq!(get.read(&answer("/c/a.ics", 404, &[], "")).unwrap(), None);
        assert_eq!(get.read(&answer("/c/a.ics", 410, &[], "")).unwrap(), None);
        let page = answer("/login", 200, &[("content-type", "text/html")], "<html>Log in</html>");
        assert_eq!(get.read(&page).unwrap_err().kind(), &ErrorKind::BadAnswer);
        let types = [("content-type", "text/calendar; charset=utf-8")];
        for body in ["", "\r\n", "<html>Log in</html>", "BEGIN:VEVENT\r\nEND:VEVENT\r\n"] {
            let found = get.read(&answer("/c/a.ics", 200, &types, body));
            assert_eq!(found.unwrap_err().kind(), &ErrorKind::BadAnswer, "{body:?}");
        }
        let event = answer("/c/a.ics", 200, &[("etag", "W/\"7\"")], "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n");
        assert_eq!(get.read(&event).unwrap().unwrap().etag, ETag::new("7"));
    }
}
