//! MKCALENDAR (RFC 4791 section 5.3.1) and the extended MKCOL (RFC 5689) of a calendar.

use super::answer::{Answer, Refusal, empty, propstat, xml};
use super::collection::{Calendar, PropertyChange};
use super::path::Path;
use super::properties::is_protected;
use super::proppatch::{changes, refused, statuses};
use super::xml::{self as document, CALDAV, DAV, Element};
use super::{new_id, not_stored};
use bytes::Bytes;
use hyper::{Request, StatusCode};

const COMPONENTS: [&str; 3] = ["VEVENT", "VTODO", "VJOURNAL"];

impl super::CalendarServer {
    pub(super) fn mkcalendar(&self, path: &Path, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let extended_mkcol = request.method().as_str() == "MKCOL";
        let Path::Calendar(name) = path else {
            return Err(Refusal::condition(StatusCode::FORBIDDEN, CALDAV, "calendar-collection-location-ok"));
        };
        let root = document::parse(request.body())?;
        let (expected, answer) = if extended_mkcol {
            ((DAV, "mkcol"), "mkcol-response")
        } else {
            ((CALDAV, "mkcalendar"), "mkcalendar-response")
        };
        if root.as_ref().is_some_and(|root| !root.name.is(expected.0, expected.1)) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into());
        }
        let asked = root.as_ref().map(changes).unwrap_or_default();
        let is_calendar = |change: &PropertyChange| match change {
            PropertyChange::Set(element) => {
                element.name.is(DAV, "resourcetype") && element.child(CALDAV, "calendar").is_some()
            }
            PropertyChange::Remove(_) => false,
        };
        if extended_mkcol && !asked.iter().any(is_calendar) {
            return Err(Refusal::condition(StatusCode::FORBIDDEN, DAV, "valid-resourcetype"));
        }
        let statuses = statuses(&asked, |change| {
            change.name().is(DAV, "resourcetype")
                || change.name().is(CALDAV, "supported-calendar-component-set")
                || !is_protected(change.name())
        });
        if statuses.iter().any(|(_, status)| *status != StatusCode::OK) {
            let namespace = if extended_mkcol { DAV } else { CALDAV };
            let propstats =
                statuses.into_iter().map(|(properties, status)| refused(propstat(status, properties), status));
            return Ok(xml(StatusCode::FAILED_DEPENDENCY, &Element::new(namespace, answer).with_all(propstats)));
        }
        let mut components = vec![];
        let mut properties: Vec<Element> = Vec::new();
        for change in asked {
            match change {
                PropertyChange::Set(set) if set.name.is(CALDAV, "supported-calendar-component-set") => {
                    components = self::components(&set)?;
                }
                PropertyChange::Set(set) if !set.name.is(DAV, "resourcetype") => {
                    properties.retain(|before| before.name != set.name);
                    properties.push(set);
                }
                _ => {}
            }
        }
        if components.is_empty() {
            components = COMPONENTS.map(str::to_owned).to_vec();
        }
        let mut calendars = self.lock();
        if calendars.get(name).is_some() {
            return Err(Refusal::condition(StatusCode::METHOD_NOT_ALLOWED, DAV, "resource-must-be-null"));
        }
        let id = new_id().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        calendars.make(name, Calendar::new(id, components, properties)).map_err(not_stored)?;
        Ok(empty(StatusCode::CREATED))
    }
}

fn components(set: &Element) -> Result<Vec<String>, Refusal> {
    let names =
        set.children().filter_map(|comp| comp.attribute("name")).map(str::to_ascii_uppercase).collect::<Vec<_>>();
    match names.iter().all(|name| COMPONENTS.contains(&name.as_str())) {
        true => Ok(names),
        false => Err(Refusal::condition(StatusCode::FORBIDDEN, CALDAV, "supported-calendar-component")),
    }
}
