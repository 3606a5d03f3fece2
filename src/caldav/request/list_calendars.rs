//! PROPFIND, depth 0 or 1: the calendars at or in an address, with what decides whether they count (RFC 4791 5.2, RFC 6638 9.1).

use super::{Answer, Depth, Request};
use crate::caldav::error::{Error, ErrorKind};
use crate::caldav::etag::SyncToken;
use crate::caldav::multistatus::Response;
use crate::caldav::xml::Namespace::{Apple, CalDav, CalendarServer, Dav};
use crate::caldav::{Calendar, Href};

/// What is asked of every calendar.
pub(super) const PROPERTIES: &[&str] = &[
    "D:resourcetype",
    "D:displayname",
    "D:sync-token",
    "D:supported-report-set",
    "D:current-user-privilege-set",
    "S:getctag",
    "S:source",
    "C:supported-calendar-component-set",
    "C:schedule-calendar-transp",
    "C:calendar-timezone",
    "C:calendar-timezone-id",
    "A:calendar-color",
];

/// Lists the calendars of a home, or looks at one calendar.
pub(crate) enum ListCalendars {
    /// Those in the collection that is asked, and itself if it is one.
    Home,
    /// The collection that is asked.
    Itself,
}

impl ListCalendars {
    pub(crate) fn request(&self) -> Request {
        let depth = match self {
            ListCalendars::Home => Depth::One,
            ListCalendars::Itself => Depth::Zero,
        };
        Request::propfind("list the calendars", depth, PROPERTIES)
    }

    /// Calendars in the server's order, each once. A home that says it is a calendar as well (Calypso's) is left out when
    /// there are others; so are scheduling mailboxes, whatever they say they are.
    pub(crate) fn read(&self, answer: &Answer, mailboxes: &[Href]) -> Result<Vec<Calendar>, Error> {
        let all = answer.multistatus()?;
        if all.responses.is_empty() {
            return Err(answer.failed(ErrorKind::BadAnswer).with_detail("it says nothing about what is there"));
        }
        let mut calendars: Vec<Calendar> = Vec::new();
        for response in &all.responses {
            let Some(href) = answer.href(&response.href) else { continue };
            if is_calendar(response, mailboxes.contains(&href)) && calendars.iter().all(|known| known.href != href) {
                calendars.push(calendar(href, response, answer));
            }
        }
        if calendars.len() > 1
            && let Some(home) = answer.href(answer.url.path())
        {
            calendars.retain(|calendar| calendar.href != home);
        }
        Ok(calendars)
    }
}

fn is_calendar(response: &Response, is_mailbox: bool) -> bool {
    if response.has_type(CalendarServer, "subscribed") {
        return true;
    }
    let types = response.property(Dav, "resourcetype");
    let has = |name: &str| types.is_some_and(|types| types.children.iter().any(|kind| kind.name == name));
    // SOGo's main calendar is the outbox too, and says that it is a collection of events.
    let is_mailbox = is_mailbox || has("schedule-inbox") || has("schedule-outbox");
    response.has_type(CalDav, "calendar") && (!is_mailbox || has("vevent-collection"))
}

fn calendar(href: Href, response: &Response, answer: &Answer) -> Calendar {
    let text = |namespace, name: &str| {
        response.property(namespace, name).and_then(|property| property.text()).map(str::to_owned)
    };
    let sync_token = response.property(Dav, "sync-token").and_then(|token| SyncToken::new(&token.text));
    let components = response.property(CalDav, "supported-calendar-component-set");
    Calendar {
        name: text(Dav, "displayname").unwrap_or_else(|| href.name()),
        ctag: text(CalendarServer, "getctag"),
        supports_sync: supports_sync(response, sync_token.as_ref()),
        sync_token,
        // Not said means every kind (RFC 4791 5.2.3).
        vevent: components.is_none_or(|set| {
            let names = || set.children.iter().filter(|comp| comp.is(CalDav, "comp"));
            names().next().is_none()
                || names()
                    .any(|comp| comp.name_attribute.as_ref().is_some_and(|name| name.eq_ignore_ascii_case("VEVENT")))
        }),
        transparent: transparent(response),
        writable: writable(response),
        subscribed: response.has_type(CalendarServer, "subscribed"),
        source: response
            .property(CalendarServer, "source")
            .and_then(|source| source.hrefs().next())
            .and_then(|raw| answer.url.join(raw).ok())
            .map(String::from),
        color: text(Apple, "calendar-color"),
        time_zone: text(CalDav, "calendar-timezone").or_else(|| text(CalDav, "calendar-timezone-id")),
        href,
    }
}

/// By the report set, in whatever namespace it names the report; a sync token is as good.
pub(super) fn supports_sync(response: &Response, token: Option<&SyncToken>) -> bool {
    token.is_some() || reports(response).iter().any(|name| name == "sync-collection")
}

/// The local names of `DAV:supported-report-set`.
pub(super) fn reports(response: &Response) -> Vec<String> {
    let Some(set) = response.property(Dav, "supported-report-set") else { return Vec::new() };
    let named = set.children.iter().filter_map(|supported| supported.child(Dav, "report"));
    named.flat_map(|report| report.children.iter().map(|name| name.name.clone())).collect()
}

/// RFC 3744 5.4: whether events can be made here. None when the server does not say.
pub(super) fn writable(response: &Response) -> Option<bool> {
    let set = response.property(Dav, "current-user-privilege-set")?;
    let names = set.descendants();
    Some(names.iter().any(|name| ["all", "write", "bind"].iter().any(|privilege| name.is(Dav, privilege))))
}

pub(super) fn transparent(response: &Response) -> bool {
    let property = response.property(CalDav, "schedule-calendar-transp");
    property.is_some_and(|transp| transp.has(CalDav, "transparent") || transp.text() == Some("transparent"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;

    fn listed(path: &str, responses: &str, mailboxes: &[Href]) -> Vec<Calendar> {
        let body = format!(
            r#"<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/" xmlns:G="http://groupdav.org/">{responses}</D:multistatus>"#
        );
        ListCalendars::Home.read(&answer(path, 207, &[], &body), mailboxes).unwrap()
    }

    fn response(href: &str, types: &str, more: &str) -> String {
        format!(
            "<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:resourcetype>{types}</D:resourcetype>{more}</D:prop>\
             <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        )
    }

    fn hrefs(calendars: &[Calendar]) -> Vec<&str> {
        calendars.iter().map(|calendar| calendar.href.as_str()).collect()
    }

    #[test]
    fn mailboxes_files_and_proxies_are_no_calendars_but_sogos_main_calendar_is_one() {
        let cyrus = [
            response("/dav/calendars/user/prof/", "<D:collection/>", ""),
            response("/dav/calendars/user/prof/Default/", "<D:collection/><C:calendar/>", ""),
            response("/dav/calendars/user/prof/Inbox/", "<D:collection/><C:schedule-inbox/>", ""),
        ];
        let found = listed("/dav/calendars/user/prof/", &cyrus.concat(), &[]);
        assert_eq!(hrefs(&found), ["/dav/calendars/user/prof/Default/"]);

        let davical = [
            response("/caldav.php/prof/.in/", "<D:collection/><C:calendar/>", ""),
            response("/caldav.php/prof/home/", "<D:collection/><C:calendar/>", ""),
        ];
        let found = listed("/caldav.php/prof/", &davical.concat(), &[Href::new("/caldav.php/prof/.in/")]);
        assert_eq!(hrefs(&found), ["/caldav.php/prof/home/"]);

        let sogo = [
            response(
                "/SOGo/dav/prof/Calendar/personal/",
                "<D:collection/><C:calendar/><G:vevent-collection/><C:schedule-outbox/>",
                "",
            ),
            response("/SOGo/dav/prof/Calendar/personal.ics", "", ""),
        ];
        let mailbox = [Href::new("/SOGo/dav/prof/Calendar/personal/")];
        assert_eq!(
            hrefs(&listed("/SOGo/dav/prof/Calendar/", &sogo.concat(), &mailbox)),
            ["/SOGo/dav/prof/Calendar/personal/"]
        );
    }

    #[test]
    fn a_home_that_is_a_calendar_counts_only_when_it_is_alone() {
        let home = response("/prof", "<D:collection/><C:calendar/>", "");
        let office = response("/prof/office/", "<D:collection/><C:calendar/>", "");
        assert_eq!(hrefs(&listed("/prof/", &home, &[])), ["/prof"]);
        assert_eq!(hrefs(&listed("/prof/", &(home + &office), &[])), ["/prof/office/"]);
    }

    #[test]
    fn what_is_not_said_is_allowed_and_what_is_said_is_obeyed() {
        let types = "<D:collection/><C:calendar/>";
        let all = [
            response("/c/a%20b/", types, ""),
            response(
                "/c/tasks/",
                types,
                r#"<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>
                   <C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp><D:displayname>Tasks</D:displayname>
                   <D:current-user-privilege-set><D:privilege><D:read/></D:privilege></D:current-user-privilege-set>"#,
            ),
            response(
                "/c/holidays/",
                "<D:collection/><S:subscribed/>",
                "<S:source><D:href>https://x.example/h.ics</D:href></S:source>",
            ),
            response(
                "/c/work/",
                types,
                r#"<D:supported-report-set><D:supported-report><D:report><C:sync-collection/></D:report></D:supported-report></D:supported-report-set>
                   <D:current-user-privilege-set><D:privilege><D:write/></D:privilege></D:current-user-privilege-set><S:getctag>"7"</S:getctag>"#,
            ),
        ];
        let [bare, tasks, holidays, work] = <[Calendar; 4]>::try_from(listed("/c/", &all.concat(), &[])).unwrap();
        assert_eq!((bare.name.as_str(), bare.vevent, bare.writable, bare.transparent), ("a b", true, None, false));
        assert_eq!(
            (tasks.name.as_str(), tasks.vevent, tasks.writable, tasks.transparent),
            ("Tasks", false, Some(false), true)
        );
        assert!(holidays.subscribed);
        assert_eq!(holidays.source.as_deref(), Some("https://x.example/h.ics"));
        assert_eq!((work.supports_sync, work.writable, work.ctag.as_deref()), (true, Some(true), Some("\"7\"")));
        assert!(!bare.supports_sync);
    }
}
