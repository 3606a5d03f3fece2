//! REPORT `DAV:sync-collection` (RFC 6578 3): what changed since a token. The answer is a [`Page`].

use super::{Answer, Depth, NAMESPACES, Request};
use crate::caldav::error::Error;
use crate::caldav::etag::SyncToken;
use crate::caldav::xml::escape;
use crate::caldav::{Href, Member};

/// Asks for the changes since a token; without one, for everything. Depth 0 and an explicit level, since servers disagree on
/// the default of both; never a limit, since some servers cut the list short and say nothing.
pub(crate) struct SyncCollection<'a> {
    pub(crate) calendar: &'a Href,
    pub(crate) since: Option<&'a SyncToken>,
}

/// What one answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// Changes up to `token`; with `more`, the next page begins there.
    Changes { token: SyncToken, changed: Vec<Member>, removed: Vec<Href>, more: bool },
    /// The server does not take this token, or does not know the report.
    Refused,
}

impl SyncCollection<'_> {
    pub(crate) fn request(&self) -> Request {
        let token = self.since.map(|token| escape(token.as_str())).unwrap_or_default();
        let body = format!(
            "<D:sync-collection {NAMESPACES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>\
             <D:prop><D:getetag/></D:prop></D:sync-collection>"
        );
        Request::report("read the calendar's changes", Depth::Zero, body)
    }

    /// Any refusal that another token, or none, could mend is [`Page::Refused`]: servers use 400, 403, 409, 410, 412, 415, 501 and 507.
    pub(crate) fn read(&self, answer: &Answer) -> Result<Page, Error> {
        match answer.status {
            401 | 404 | 408 | 423 | 429 => return Err(answer.error()),
            400..=499 | 501 | 507 => return Ok(Page::Refused),
            _ => {}
        }
        let all = answer.multistatus()?;
        // Without a token there is nothing to go on from (Calypso lists everything so).
        let Some(token) = all.sync_token else { return Ok(Page::Refused) };
        // After a redirect the server calls the calendar by the address that it answers from.
        let here = answer.href(answer.url.path());
        let (mut changed, mut removed, mut more) = (Vec::new(), Vec::new(), false);
        for response in all.responses {
            let Some(href) = answer.href(&response.href) else { continue };
            if href == *self.calendar || here.as_ref() == Some(&href) {
                more |= response.status == Some(507);
            } else if href.ends_with_slash() {
                // A collection inside.
            } else if response.is_gone() {
                removed.push(href);
            } else {
                // Another status (418 has been seen) says nothing that can be relied on: fetching it will tell.
                changed.push(Member { etag: response.etag(), href });
            }
        }
        answer.speaks_of(self.calendar, &changed)?;
        Ok(Page::Changes { token, changed, removed, more })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;
    use crate::caldav::error::ErrorKind;
    use crate::caldav::etag::ETag;

    const CALENDAR: &str = "/dav/calendars/user/prof/probe/";

    fn read(status: u16, body: &str) -> Result<Page, Error> {
        let calendar = Href::new(CALENDAR);
        let token = SyncToken::new("data:,1795449182-89-104");
        let request = SyncCollection { calendar: &calendar, since: token.as_ref() };
        request.read(&answer(CALENDAR, status, &[], body))
    }

    fn changes(body: &str) -> (Vec<String>, Vec<String>, bool) {
        let Page::Changes { changed, removed, more, .. } = read(207, body).unwrap() else { panic!("refused") };
        let name = |href: &Href| href.name();
        (changed.iter().map(|member| name(&member.href)).collect(), removed.iter().map(name).collect(), more)
    }

    #[test]
    fn an_answer_about_another_calendar_is_none() {
        let body = |path: &str| {
            format!(
                r#"<multistatus xmlns="DAV:"><response><href>{path}</href><propstat><prop><getetag>"1"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response><sync-token>t</sync-token></multistatus>"#
            )
        };
        assert_eq!(
            read(207, &body("/dav/calendars/user/prof/family/x.ics")).unwrap_err().kind(),
            &ErrorKind::BadAnswer
        );
        assert!(read(207, &body("/dav/calendars/user/prof/probe/x.ics")).is_ok());
        assert!(read(207, &body("http://127.0.0.1:18201/dav/calendars/user/pro%66/probe/x.ics")).is_ok());
    }

    #[test]
    fn a_request_has_depth_0_an_explicit_level_and_no_limit() {
        let calendar = Href::new(CALENDAR);
        let first = SyncCollection { calendar: &calendar, since: None }.request();
        assert!(first.headers.contains(&("Depth", "0".to_owned())));
        let body = first.body.unwrap();
        assert!(body.contains("<D:sync-token></D:sync-token><D:sync-level>1</D:sync-level>"));
        assert!(!body.contains("limit"));
        let token = SyncToken::new("a<b&c");
        let next = SyncCollection { calendar: &calendar, since: token.as_ref() }.request();
        assert!(next.body.unwrap().contains("<D:sync-token>a&lt;b&amp;c</D:sync-token>"));
    }

    #[test]
    fn cyrus_507_for_the_calendar_means_more_pages() {
        let body = r#"<D:multistatus xmlns:D="DAV:"><D:response><D:href>/dav/calendars/user/prof/probe/a.ics</D:href><D:propstat><D:prop><D:getetag>"5"</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response><D:response><D:href>/dav/calendars/user/prof/probe/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status><D:error><D:number-of-matches-within-limits/></D:error></D:response><D:sync-token>data:,1795449182-89-104</D:sync-token></D:multistatus>"#;
        assert_eq!(changes(body), (vec!["a.ics".to_owned()], vec![], true));
    }

    #[test]
    fn more_pages_are_known_under_the_address_that_a_redirect_led_to() {
        let body = r#"<multistatus xmlns="DAV:"><response><href>/dav/new/probe/a.ics</href><propstat><prop><getetag>"5"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response><response><href>/dav/new/probe/</href><status>HTTP/1.1 507 Insufficient Storage</status></response><sync-token>t</sync-token></multistatus>"#;
        let request = SyncCollection { calendar: &Href::new(CALENDAR), since: None };
        let read = request.read(&answer("/dav/new/probe/", 207, &[], body)).unwrap();
        let Page::Changes { changed, more, .. } = read else { panic!("refused") };
        assert_eq!((changed.len(), more), (1, true));
    }

    #[test]
    fn only_a_status_of_the_resource_is_a_removal() {
        let body = r#"<multistatus xmlns="DAV:">
            <response><href>/dav/calendars/user/prof/probe/</href><propstat><prop><getetag>"c"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>
            <response><href>/dav/calendars/user/prof/probe/sub/</href><status>HTTP/1.1 404 Not Found</status></response>
            <response><href>/dav/calendars/user/prof/probe/noetag.ics</href><propstat><prop><getetag/></prop><status>HTTP/1.1 404 Not Found</status></propstat></response>
            <response><href>/dav/calendars/user/prof/probe/gone.ics</href><status>HTTP/1.1 404 Not Found</status></response>
            <response><href>/dav/calendars/user/prof/probe/teapot.ics</href><status>HTTP/1.1 418 I'm a teapot</status></response>
            <sync-token>x</sync-token></multistatus>"#;
        let (changed, removed, more) = changes(body);
        assert_eq!(changed, ["noetag.ics", "teapot.ics"]);
        assert_eq!(removed, ["gone.ics"]);
        assert!(!more);
    }

    #[test]
    fn an_unquoted_etag_is_an_etag() {
        let body = r#"<multistatus xmlns="DAV:"><response><href>/dav/calendars/user/prof/probe/a.ics</href><propstat><prop><getetag>a065c4-1</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response><sync-token>x</sync-token></multistatus>"#;
        let Page::Changes { changed, .. } = read(207, body).unwrap() else { panic!("refused") };
        assert_eq!(changed[0].etag, ETag::new("\"a065c4-1\""));
    }

    #[test]
    fn every_servers_way_to_refuse_a_token_is_understood() {
        let radicale = r#"<error xmlns="DAV:"><valid-sync-token /></error>"#;
        let xandikos = r#"<ns0:error xmlns:ns0="DAV:"><ns0:valid-sync-token /><ns0:responsedescription>Requested sync token garbage is invalid</ns0:responsedescription></ns0:error>"#;
        let sabredav = r#"<d:error xmlns:d="DAV:"><d:supported-report/></d:error>"#;
        for (status, body) in [
            (403, radicale),
            (412, xandikos),
            (403, sabredav),
            (400, ""),
            (409, ""),
            (410, ""),
            (415, ""),
            (501, ""),
            (507, ""),
        ] {
            assert_eq!(read(status, body).unwrap(), Page::Refused);
        }
        let calypso = r#"<multistatus xmlns="DAV:"><response><href>/dav/calendars/user/prof/probe/a.ics</href></response></multistatus>"#;
        assert_eq!(read(207, calypso).unwrap(), Page::Refused);
    }

    #[test]
    fn what_no_token_could_mend_is_a_failure() {
        for (status, kind) in [
            (401, ErrorKind::Unauthorized),
            (404, ErrorKind::NotFound),
            (429, ErrorKind::TooManyRequests { retry_after: None }),
            (500, ErrorKind::Server(500)),
            (503, ErrorKind::Unavailable { retry_after: None }),
        ] {
            assert_eq!(read(status, "").unwrap_err().kind(), &kind);
        }
        assert_eq!(read(200, "<html><body>Log in</body></html>").unwrap_err().kind(), &ErrorKind::BadAnswer);
        let cut = r#"<multistatus xmlns="DAV:"><response><href>/a.ics</href></response><sync-token>x</sync-tok"#;
        assert_eq!(read(207, cut).unwrap_err().kind(), &ErrorKind::BadAnswer);
    }
}
