//! REPORT `CALDAV:calendar-multiget` (RFC 4791 7.9): several objects by href.

use super::{Answer, Depth, NAMESPACES, Request};
use crate::caldav::error::Error;
use crate::caldav::xml::{Namespace, escape};
use crate::caldav::{Href, Object};
use crate::ical::check_whole;

/// Asks for these objects, each once; never for none (DAViCal fails).
pub(crate) struct Multiget<'a> {
    pub(crate) hrefs: &'a [Href],
}

/// What was answered. Hrefs that are in neither list were left out: ask for them one by one.
#[derive(Debug, Default)]
pub(crate) struct Got {
    pub(crate) objects: Vec<Object>,
    pub(crate) gone: Vec<Href>,
}

impl Multiget<'_> {
    pub(crate) fn request(&self) -> Request {
        let hrefs: String =
            self.hrefs.iter().map(|href| format!("<D:href>{}</D:href>", escape(href.as_str()))).collect();
        let body = format!(
            "<C:calendar-multiget {NAMESPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}</C:calendar-multiget>"
        );
        Request::report("fetch events", Depth::One, body)
    }

    /// In the server's order; what was not asked for is left out, and so is what is no whole calendar. An object comes back under the href
    /// that was asked.
    pub(crate) fn read(&self, answer: &Answer) -> Result<Got, Error> {
        let mut got = Got::default();
        let mut open: std::collections::HashSet<&Href> = self.hrefs.iter().collect();
        for mut response in answer.multistatus()?.responses {
            let Some(href) = answer.href(&response.href).and_then(|href| open.take(&href)) else { continue };
            let etag = response.etag();
            let data = response.properties.iter_mut().find(|found| found.is(Namespace::CalDav, "calendar-data"));
            match data.map(|data| std::mem::take(&mut data.text)) {
                Some(data) if check_whole(data.as_bytes()).is_ok() => {
                    let data = if data.starts_with(char::is_whitespace) { data.trim_start().to_owned() } else { data };
                    got.objects.push(Object { href: href.clone(), etag, data: data.into_bytes() });
                }
                _ if response.is_gone() => got.gone.push(href.clone()),
                _ => {}
            }
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::answer;
    use super::*;

    #[test]
    fn found_missing_silent_and_unasked_are_told_apart() {
        let asked =
            ["/c/a.ics", "/c/b.ics", "/c/empty.ics", "/c/left-out.ics", "/c/x%40y.ics", "/c/half.ics"].map(Href::new);
        let request = Multiget { hrefs: &asked };
        assert_eq!(request.request().body.unwrap().matches("<D:href>").count(), 6);
        let body = r#"<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
            <D:response><D:href>/c/b.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>
            <D:response><D:href>http://127.0.0.1:18201/c/a.ics</D:href><D:propstat><D:prop><D:getetag>1</D:getetag><C:calendar-data>
BEGIN:VCALENDAR&#13;
END:VCALENDAR&#13;
</C:calendar-data></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            <D:response><D:href>/c/empty.ics</D:href><D:propstat><D:prop/><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>
            <D:response><D:href>/c/x@y.ics</D:href><D:propstat><D:prop><C:calendar-data>BEGIN:VCALENDAR
END:VCALENDAR</C:calendar-data></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            <D:response><D:href>/c/half.ics</D:href><D:propstat><D:prop><C:calendar-data>BEGIN:VCALENDAR</C:calendar-data></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            <D:response><D:href>/c/unasked.ics</D:href><D:propstat><D:prop><C:calendar-data>BEGIN:VCALENDAR</C:calendar-data></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
            </D:multistatus>"#;
        let got = request.read(&answer("/c/", 207, &[], body)).unwrap();
        assert_eq!(got.objects.len(), 2);
        assert_eq!(got.objects[0].data, b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n");
        assert_eq!(got.objects[0].href.as_str(), "/c/a.ics");
        assert_eq!(got.objects[1].href.as_str(), "/c/x%40y.ics");
        assert_eq!(got.objects[1].etag, None);
        assert_eq!(got.gone, [Href::new("/c/b.ics")]);
    }
}
