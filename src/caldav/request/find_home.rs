//! PROPFIND, depth 0: what is at an address, and where the account's principal and calendar homes are
//! (RFC 5397 3, RFC 4791 6.2.1, RFC 6638 2.4.1). The answer is [`Found`].

use super::{Answer, Depth, Request};
use crate::caldav::error::{Error, ErrorKind};
use crate::caldav::href::Href;
use crate::caldav::multistatus::Response;
use crate::caldav::xml::Namespace::{CalDav, Dav};

/// Asks what is at an address.
pub(crate) struct FindHome;

/// What is there. All may be missing: servers differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) here: Option<Href>,
    pub(crate) principal: Option<Href>,
    pub(crate) homes: Vec<Href>,
    pub(crate) addresses: Vec<String>,
    /// Where scheduling messages come and go: no calendars, whatever their type.
    pub(crate) mailboxes: Vec<Href>,
    pub(crate) is_calendar: bool,
    pub(crate) is_principal: bool,
    pub(crate) is_collection: bool,
}

impl FindHome {
    pub(crate) fn request(&self) -> Request {
        Request::propfind(
            "look for the account's calendars",
            Depth::Zero,
            &[
                "D:resourcetype",
                "D:current-user-principal",
                "D:principal-URL",
                "C:calendar-home-set",
                "C:calendar-user-address-set",
                "C:schedule-inbox-URL",
                "C:schedule-outbox-URL",
            ],
        )
    }

    /// A principal that is `DAV:unauthenticated` is a 401 (Cyrus says so at its root).
    pub(crate) fn read(&self, answer: &Answer) -> Result<Found, Error> {
        let all = answer.multistatus()?;
        let Some(response) = answer.own_response(all) else { return Ok(Found::default()) };
        let hrefs = |name: &str, namespace| -> Vec<Href> {
            let property = response.property(namespace, name);
            property.into_iter().flat_map(|set| set.hrefs()).filter_map(|raw| answer.href(raw)).collect()
        };
        if response.property(Dav, "current-user-principal").is_some_and(|value| value.has(Dav, "unauthenticated")) {
            return Err(answer.failed(ErrorKind::Unauthorized));
        }
        let principal = hrefs("current-user-principal", Dav).into_iter().next();
        let is_principal = response.has_type(Dav, "principal");
        Ok(Found {
            here: answer.href(answer.url.path()),
            principal: principal.or_else(|| hrefs("principal-URL", Dav).into_iter().next()),
            homes: hrefs("calendar-home-set", CalDav),
            addresses: addresses(&response),
            mailboxes: [hrefs("schedule-inbox-URL", CalDav), hrefs("schedule-outbox-URL", CalDav)].concat(),
            is_calendar: response.has_type(CalDav, "calendar"),
            is_principal,
            is_collection: response.has_type(Dav, "collection"),
        })
    }
}

/// Every calendar user address: `mailto:`, paths, `urn:uuid:`; as written, without repetition.
fn addresses(response: &Response) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for address in response.property(CalDav, "calendar-user-address-set").into_iter().flat_map(|set| set.hrefs()) {
        if !all.iter().any(|known| known.eq_ignore_ascii_case(address)) {
            all.push(address.to_owned());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;

    #[test]
    fn cyrus_unauthenticated_is_a_401() {
        let body = r#"<D:multistatus xmlns:D="DAV:"><D:response><D:href>/</D:href><D:propstat><D:prop><D:current-user-principal><D:unauthenticated/></D:current-user-principal></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"#;
        let error = FindHome.read(&answer("/", 207, &[], body)).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Unauthorized);
    }

    #[test]
    fn a_principal_tells_homes_addresses_and_mailboxes() {
        let body = r#"<d:multistatus xmlns:d="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav"><d:response><d:href>/principals/prof/</d:href><d:propstat><d:prop>
            <d:resourcetype><d:collection/><d:principal/></d:resourcetype>
            <d:current-user-principal><d:href>/principals/prof/</d:href></d:current-user-principal>
            <cal:calendar-home-set><d:href>/calendars/prof/</d:href><d:href>/shared/prof</d:href></cal:calendar-home-set>
            <cal:calendar-user-address-set><d:href>mailto:prof@example.edu</d:href><d:href>MAILTO:prof@example.edu</d:href><d:href>/principals/prof/</d:href></cal:calendar-user-address-set>
            <cal:schedule-inbox-URL><d:href>/calendars/prof/inbox/</d:href></cal:schedule-inbox-URL>
            </d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"#;
        let found = FindHome.read(&answer("/principals/prof/", 207, &[], body)).unwrap();
        assert_eq!(found.homes, [Href::new("/calendars/prof/"), Href::new("/shared/prof/")]);
        assert_eq!(found.addresses, ["mailto:prof@example.edu", "/principals/prof/"]);
        assert_eq!(found.mailboxes, [Href::new("/calendars/prof/inbox/")]);
        assert!(found.is_principal && found.is_collection && !found.is_calendar);
    }

    #[test]
    fn davicals_empty_href_and_calypsos_empty_multistatus_are_no_failures() {
        let davical = r#"<multistatus xmlns="DAV:"><response><href/><propstat><prop><current-user-principal><href>/caldav.php/prof/</href></current-user-principal></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"#;
        let found = FindHome.read(&answer("/", 207, &[], davical)).unwrap();
        assert_eq!(found.principal, Some(Href::new("/caldav.php/prof/")));
        let calypso = FindHome.read(&answer("/.well-known/caldav", 207, &[], "<multistatus xmlns='DAV:'/>")).unwrap();
        assert_eq!(calypso, Found::default());
    }
}
