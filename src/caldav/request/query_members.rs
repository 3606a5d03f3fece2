//! REPORT `CALDAV:calendar-query` (RFC 4791 7.8) for hrefs and versions: where a calendar cannot be listed by PROPFIND, or hides
//! members from it.

use super::list_members::members;
use super::{Answer, Depth, NAMESPACES, Request};
use crate::caldav::error::Error;
use crate::caldav::{Href, Member};
use jiff::Timestamp;

/// Lists a calendar's events that the server finds in a range. Never an expansion: servers' recurrence
/// cannot be relied on. Depth 1, since with 0 Xandikos finds nothing, rightly.
pub(crate) struct QueryMembers<'a> {
    pub(crate) calendar: &'a Href,
    /// From (inclusive) and to (exclusive); both, since open ranges fail on several servers.
    pub(crate) range: (Timestamp, Timestamp),
}

impl QueryMembers<'_> {
    pub(crate) fn request(&self) -> Request {
        let utc = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let range = format!(r#"<C:time-range start="{}" end="{}"/>"#, utc(self.range.0), utc(self.range.1));
        let body = format!(
            r#"<C:calendar-query {NAMESPACES}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{range}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"#
        );
        Request::report("list the calendar's events", Depth::One, body)
    }

    /// An empty calendar's answer is empty.
    pub(crate) fn read(&self, answer: &Answer) -> Result<Vec<Member>, Error> {
        let all = answer.multistatus()?;
        members(answer, self.calendar, all.responses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_both_ends_in_utc_inside_the_vevent_filter() {
        let calendar = Href::new("/c/");
        let range = ("2026-12-01T00:00:00Z".parse().unwrap(), "2027-02-01T00:00:00Z".parse().unwrap());
        let request = QueryMembers { calendar: &calendar, range }.request();
        assert!(request.headers.contains(&("Depth", "1".to_owned())));
        let body = request.body.unwrap();
        assert!(body.contains(
            r#"<C:comp-filter name="VEVENT"><C:time-range start="20261201T000000Z" end="20270201T000000Z"/>"#
        ));
    }
}
