//! PROPFIND, depth 0: where the scheduling inbox of a principal is (RFC 6638 2.2.1), and the availability that its owner
//! keeps on it (RFC 7953 7.2.4).

use super::{Answer, Depth, Request};
use crate::caldav::error::{Error, ErrorKind};
use crate::caldav::href::Href;
use crate::caldav::xml::Namespace::{CalDav, CalendarServer};

/// Asks a principal for its scheduling inbox.
pub(crate) struct FindInbox;

impl FindInbox {
    pub(crate) fn request(&self) -> Request {
        Request::propfind("look for the scheduling inbox", Depth::Zero, &["C:schedule-inbox-URL"])
    }

    /// `None` when the server has none: it does no scheduling.
    pub(crate) fn read(&self, answer: &Answer) -> Result<Option<Href>, Error> {
        let all = answer.multistatus()?;
        let response = answer.own_response(all).ok_or_else(|| answer.failed(ErrorKind::BadAnswer))?;
        let inbox = response.property(CalDav, "schedule-inbox-URL").and_then(|url| url.hrefs().next());
        Ok(inbox.and_then(|raw| answer.href(raw)))
    }
}

/// Asks a scheduling inbox for the availability of its owner.
pub(crate) struct Availability;

impl Availability {
    pub(crate) fn request(&self) -> Request {
        // The second is what it was called before it was a standard.
        let names = ["C:calendar-availability", "S:calendar-availability"];
        Request::propfind("read the availability", Depth::Zero, &names)
    }

    /// The iCalendar text; `None` when there is none. A property that is there and may not be read is an error.
    pub(crate) fn read(&self, answer: &Answer) -> Result<Option<String>, Error> {
        let all = answer.multistatus()?;
        let response = answer.own_response(all).ok_or_else(|| answer.failed(ErrorKind::BadAnswer))?;
        let found = [CalDav, CalendarServer].iter().find_map(|namespace| {
            response.property(*namespace, "calendar-availability").and_then(|property| property.text())
        });
        match (found, response.refused) {
            (None, Some(status)) => Err(Answer { status, ..answer.clone() }.error()),
            (found, _) => Ok(found.map(str::to_owned)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;

    fn inbox(properties: &str) -> Answer {
        let body = format!(
            r#"<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/"><d:response><d:href>/inbox/</d:href>{properties}</d:response></d:multistatus>"#
        );
        answer("/inbox/", 207, &[], &body)
    }

    #[test]
    fn the_inbox_is_an_href_of_the_principal() {
        let body = r#"<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:response><d:href>/prof/</d:href><d:propstat><d:prop><c:schedule-inbox-URL><d:href>/prof/Inbox/</d:href></c:schedule-inbox-URL></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"#;
        assert_eq!(FindInbox.read(&answer("/prof/", 207, &[], body)).unwrap(), Some(Href::new("/prof/Inbox/")));
        let none = body.replace("200 OK", "404 Not Found");
        assert_eq!(FindInbox.read(&answer("/prof/", 207, &[], &none)).unwrap(), None);
    }

    #[test]
    fn availability_is_told_from_none_and_from_none_that_may_be_read() {
        let propstat = |name: &str, status: &str| {
            inbox(&format!(
                "<d:propstat><d:prop><{name}>BEGIN:VCALENDAR&#13;\nEND:VCALENDAR</{name}></d:prop><d:status>HTTP/1.1 {status}</d:status></d:propstat>"
            ))
        };
        let text = Some("BEGIN:VCALENDAR\r\nEND:VCALENDAR".to_owned());
        assert_eq!(Availability.read(&propstat("c:calendar-availability", "200 OK")).unwrap(), text);
        assert_eq!(Availability.read(&propstat("s:calendar-availability", "200 OK")).unwrap(), text);
        assert_eq!(Availability.read(&propstat("c:calendar-availability", "404 Not Found")).unwrap(), None);
        let error = Availability.read(&propstat("c:calendar-availability", "403 Forbidden")).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Forbidden);
    }
}
