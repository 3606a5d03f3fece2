//! PROPFIND, depth 1, on a calendar: every object with its version.

use super::{Answer, Depth, Request};
use crate::caldav::error::{Error, ErrorKind};
use crate::caldav::multistatus::Response;
use crate::caldav::xml::Namespace::Dav;
use crate::caldav::{Href, Member};

/// Lists a calendar's objects.
pub(crate) struct ListMembers<'a> {
    pub(crate) calendar: &'a Href,
}

impl ListMembers<'_> {
    pub(crate) fn request(&self) -> Request {
        Request::propfind("list the calendar's events", Depth::One, &["D:resourcetype", "D:getetag"])
    }

    /// An answer about nothing at all, not even the calendar, is no empty calendar.
    pub(crate) fn read(&self, answer: &Answer) -> Result<Vec<Member>, Error> {
        let all = answer.multistatus()?;
        if all.responses.is_empty() {
            return Err(answer.failed(ErrorKind::BadAnswer).with_detail("it says nothing about the calendar"));
        }
        // Where an event has taken the calendar's place, its list is one response: itself.
        let own = all.responses.iter().find(|response| answer.href(&response.href).as_ref() == Some(self.calendar));
        if own.is_some_and(|own| own.property(Dav, "resourcetype").is_some() && !own.has_type(Dav, "collection")) {
            return Err(answer.failed(ErrorKind::NotFound).with_detail("it is no calendar"));
        }
        members(answer, self.calendar, all.responses)
    }
}

/// What is neither the calendar nor a collection in it nor gone, each once. An object that the server will not speak about
/// is still there.
pub(super) fn members(answer: &Answer, calendar: &Href, responses: Vec<Response>) -> Result<Vec<Member>, Error> {
    let mut seen = std::collections::HashSet::new();
    let mut members = Vec::with_capacity(responses.len());
    for response in responses {
        let Some(href) = answer.href(&response.href) else { continue };
        let is_collection = href.ends_with_slash() || response.has_type(Dav, "collection");
        if href == *calendar || is_collection || response.is_gone() || !seen.insert(href.clone()) {
            continue;
        }
        members.push(Member { etag: response.etag(), href });
    }
    answer.speaks_of(calendar, &members)?;
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;
    use crate::caldav::etag::ETag;

    fn read(body: &str) -> Result<Vec<Member>, Error> {
        ListMembers { calendar: &Href::new("/prof/office") }.read(&answer("/prof/office/", 207, &[], body))
    }

    #[test]
    fn members_are_what_is_no_collection() {
        let body = r#"<multistatus xmlns="DAV:">
            <response><href>/prof/office/</href><propstat><prop><resourcetype><collection/></resourcetype><getetag>"c"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>
            <response><href>/prof/office/sub</href><propstat><prop><resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>
            <response><href>/prof/office/a%40b.ics</href><propstat><prop><resourcetype/><getetag>W/"1"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>
            <response><href>/prof/office/a@b.ics</href><propstat><prop><resourcetype/><getetag>"1"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>
            <response><href>/prof/office/secret.ics</href><status>HTTP/1.1 403 Forbidden</status></response></multistatus>"#;
        let members = read(body).unwrap();
        assert_eq!(members[0], Member { href: Href::new("/prof/office/a@b.ics"), etag: ETag::new("1") });
        assert_eq!(members[1], Member { href: Href::new("/prof/office/secret.ics"), etag: None });
        assert_eq!(members.len(), 2);
    }

    #[test]
    fn an_event_at_the_calendars_address_is_no_empty_calendar() {
        let body = r#"<multistatus xmlns="DAV:"><response><href>/prof/office/</href><propstat><prop><resourcetype/><getetag>"1"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"#;
        assert_eq!(read(body).unwrap_err().kind(), &ErrorKind::NotFound);
    }

    #[test]
    fn silence_is_not_an_empty_calendar() {
        assert!(read(r#"<multistatus xmlns="DAV:"/>"#).is_err());
        let empty = r#"<multistatus xmlns="DAV:"><response><href>/prof/office/</href><status>HTTP/1.1 200 OK</status></response></multistatus>"#;
        assert_eq!(read(empty).unwrap(), []);
    }
}
