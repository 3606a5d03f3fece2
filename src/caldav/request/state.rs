//! PROPFIND, depth 0, on a calendar: whether it changed and what can be done with it.

use super::list_calendars::{reports, supports_sync, transparent, writable};
use super::{Answer, Depth, Request};
use crate::caldav::CollectionState;
use crate::caldav::error::{Error, ErrorKind};
use crate::caldav::etag::SyncToken;
use crate::caldav::xml::Namespace::{CalDav, CalendarServer, Dav};

/// Asks for a calendar's marks of change, reports, privileges and transparency.
pub(crate) struct State;

impl State {
    pub(crate) fn request(&self) -> Request {
        Request::propfind(
            "read the calendar's state",
            Depth::Zero,
            &[
                "D:resourcetype",
                "S:getctag",
                "D:sync-token",
                "D:supported-report-set",
                "D:current-user-privilege-set",
                "C:schedule-calendar-transp",
            ],
        )
    }

    pub(crate) fn read(&self, answer: &Answer) -> Result<CollectionState, Error> {
        let all = answer.multistatus()?;
        let response = answer.own_response(all).ok_or_else(|| answer.failed(ErrorKind::BadAnswer))?;
        let sync_token = response.property(Dav, "sync-token").and_then(|token| SyncToken::new(&token.text));
        Ok(CollectionState {
            ctag: response.property(CalendarServer, "getctag").and_then(|tag| tag.text()).map(str::to_owned),
            supports_sync: supports_sync(&response, sync_token.as_ref()),
            sync_token,
            reports: reports(&response),
            writable: writable(&response),
            transparent: transparent(&response),
            is_calendar: response.property(Dav, "resourcetype").map(|types| types.has(CalDav, "calendar")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;

    #[test]
    fn marks_are_opaque_and_kept_as_given() {
        let body = r#"<multistatus xmlns="DAV:" xmlns:CS="http://calendarserver.org/ns/"><response><href>/prof/office/</href><propstat><prop>
            <CS:getctag>"2c5f"</CS:getctag><sync-token>http://radicale.org/ns/sync/2c5f</sync-token></prop><status>HTTP/1.1 200 OK</status></propstat>
            <propstat><prop><supported-report-set/></prop><status>HTTP/1.1 404 Not Found</status></propstat></response></multistatus>"#;
        let state = State.read(&answer("/prof/office/", 207, &[], body)).unwrap();
        assert_eq!(state.ctag.as_deref(), Some("\"2c5f\""));
        assert!(state.supports_sync);
        assert_eq!(state.writable, None);
    }

    #[test]
    fn a_type_that_is_not_told_is_not_known() {
        let state = |status: &str, types: &str| {
            let body = format!(
                r#"<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response><href>/c/</href><propstat><prop><resourcetype>{types}</resourcetype></prop><status>HTTP/1.1 {status}</status></propstat></response></multistatus>"#
            );
            State.read(&answer("/c/", 207, &[], &body)).unwrap().is_calendar
        };
        assert_eq!(state("200 OK", "<collection/><C:calendar/>"), Some(true));
        assert_eq!(state("200 OK", "<collection/>"), Some(false));
        assert_eq!(state("403 Forbidden", ""), None);
        assert_eq!(state("500 x", ""), None);
    }

    #[test]
    fn an_answer_about_nothing_is_a_failure_and_no_calendar_without_changes() {
        let empty = State.read(&answer("/prof/office/", 207, &[], "<multistatus xmlns='DAV:'/>")).unwrap_err();
        assert_eq!(empty.kind(), &ErrorKind::BadAnswer);
    }
}
