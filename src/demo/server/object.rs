//! GET, HEAD, PUT and DELETE with their preconditions (RFC 4791 section 5.3, RFC 9110 section 13).

use super::answer::{Answer, Refusal, empty, href, typed, with_header};
use super::collection::{Put, etag};
use super::icalendar::CalendarObject;
use super::path::Path;
use super::properties::http_date;
use super::xml::{CALDAV, Element};
use super::{not_stored, now, sentence};
use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Request, StatusCode};

/// The largest object, in bytes: `max-resource-size`.
pub(super) const MAX_SIZE: usize = 1024 * 1024;
pub(super) const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";

impl super::CalendarServer {
    /// Also HEAD: hyper sends no body for it, but its length.
    pub(super) fn get(&self, path: &Path, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let calendars = self.lock();
        let Path::Object { calendar, name } = path else {
            return match path {
                Path::Calendar(name) if calendars.get(name).is_none() => Err(StatusCode::NOT_FOUND.into()),
                _ => Ok(sentence()),
            };
        };
        let object = calendars.get(calendar).and_then(|found| found.objects.get(name)).ok_or(StatusCode::NOT_FOUND)?;
        let answer = match evaluate(request.headers(), Some(&object.etag)) {
            Precondition::Holds => typed(StatusCode::OK, MEDIA_TYPE, object.data.clone()),
            Precondition::IfMatchFails => return Err(StatusCode::PRECONDITION_FAILED.into()),
            Precondition::IfNoneMatchFails => empty(StatusCode::NOT_MODIFIED),
        };
        let answer = with_header(answer, header::ETAG, &object.etag);
        Ok(with_header(answer, header::LAST_MODIFIED, &http_date(object.modified)))
    }

    pub(super) fn put(&self, path: &Path, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let Path::Object { calendar, name } = path else { return Err(StatusCode::METHOD_NOT_ALLOWED.into()) };
        let media_type = request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        if media_type.is_some_and(|value| {
            !value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/calendar")
        }) {
            return Err(Refusal::condition(StatusCode::FORBIDDEN, CALDAV, "supported-calendar-data"));
        }
        let data = request.body();
        if data.len() > MAX_SIZE {
            return Err(Refusal::condition(StatusCode::FORBIDDEN, CALDAV, "max-resource-size"));
        }
        let mut calendars = self.lock();
        // RFC 4918 section 9.7.1: no parent, 409.
        let found = calendars.get(calendar).ok_or(StatusCode::CONFLICT)?;
        let before = found.objects.get(name);
        if evaluate(request.headers(), before.map(|object| object.etag.as_str())) != Precondition::Holds {
            return Err(StatusCode::PRECONDITION_FAILED.into());
        }
        let object = CalendarObject::parse(data)
            .map_err(|invalid| Refusal::condition(StatusCode::FORBIDDEN, CALDAV, invalid.condition()))?;
        if !found.components.contains(&object.component) {
            return Err(Refusal::condition(StatusCode::FORBIDDEN, CALDAV, "supported-calendar-component"));
        }
        // A UID is once in a calendar, and an object keeps its UID (RFC 4791 section 5.3.2.1).
        let holder = match before {
            Some(before) if !before.uid.is_empty() && before.uid != object.uid => Some(name.as_str()),
            _ => found.with_uid(&object.uid).filter(|holder| holder != name),
        };
        if let Some(holder) = holder {
            let holder = Path::Object { calendar: calendar.clone(), name: holder.to_owned() }.href(&self.user);
            let condition = Element::new(CALDAV, "no-uid-conflict").with(href(holder));
            return Err(Refusal::because(StatusCode::CONFLICT, condition));
        }
        let etag = etag(data);
        let put = calendars.put(calendar, name, data.clone(), now()).map_err(not_stored)?;
        let status = match put.ok_or(StatusCode::CONFLICT)? {
            Put::Created => StatusCode::CREATED,
            Put::Replaced => StatusCode::NO_CONTENT,
        };
        // Kept to the byte, so the tag may be told (RFC 4791 section 5.3.4).
        Ok(with_header(empty(status), header::ETAG, &etag))
    }

    pub(super) fn delete(&self, path: &Path, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let mut calendars = self.lock();
        match path {
            Path::Object { calendar, name } => {
                let object =
                    calendars.get(calendar).and_then(|found| found.objects.get(name)).ok_or(StatusCode::NOT_FOUND)?;
                if evaluate(request.headers(), Some(&object.etag)) != Precondition::Holds {
                    return Err(StatusCode::PRECONDITION_FAILED.into());
                }
                calendars.delete(calendar, name).map_err(not_stored)?;
            }
            Path::Calendar(name) => {
                calendars.get(name).ok_or(StatusCode::NOT_FOUND)?;
                calendars.remove(name).map_err(not_stored)?;
            }
            _ => return Err(StatusCode::FORBIDDEN.into()),
        }
        Ok(empty(StatusCode::NO_CONTENT))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precondition {
    Holds,
    IfMatchFails,
    IfNoneMatchFails,
}

/// If-Match and If-None-Match for a resource with this entity tag, or for one that is not there.
fn evaluate(headers: &HeaderMap, etag: Option<&str>) -> Precondition {
    // If-Match compares strongly, If-None-Match weakly (RFC 9110 section 13.1).
    let strong = |tag: &str| etag == Some(tag);
    let weak = |tag: &str| etag == Some(tag.strip_prefix("W/").unwrap_or(tag));
    if listed(headers, &header::IF_MATCH, etag.is_some(), strong) == Some(false) {
        return Precondition::IfMatchFails;
    }
    if listed(headers, &header::IF_NONE_MATCH, etag.is_some(), weak) == Some(true) {
        return Precondition::IfNoneMatchFails;
    }
    Precondition::Holds
}

/// Whether a tag of the header's lists matches; `*` matches what is there. `None` without the header.
fn listed(headers: &HeaderMap, name: &HeaderName, exists: bool, matches: impl Fn(&str) -> bool) -> Option<bool> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    Some(values.any(|value| {
        let tags = value.to_str().unwrap_or_default();
        tags.split(',').map(str::trim).any(|tag| if tag == "*" { exists } else { matches(tag) })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preconditions_are_those_of_rfc_9110() {
        let check = |name: HeaderName, value: &str, etag: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            evaluate(&headers, etag)
        };
        let (there, gone) = (Some("\"a\""), None);
        use Precondition::{Holds, IfMatchFails, IfNoneMatchFails};
        for (name, value, etag, expected) in [
            (header::IF_MATCH, "\"a\"", there, Holds),
            (header::IF_MATCH, "\"b\", \"a\"", there, Holds),
            (header::IF_MATCH, "*", there, Holds),
            (header::IF_MATCH, "W/\"a\"", there, IfMatchFails),
            (header::IF_MATCH, "\"b\"", there, IfMatchFails),
            (header::IF_MATCH, "a", there, IfMatchFails),
            (header::IF_MATCH, "*", gone, IfMatchFails),
            (header::IF_MATCH, "\"a\"", gone, IfMatchFails),
            (header::IF_NONE_MATCH, "*", there, IfNoneMatchFails),
            (header::IF_NONE_MATCH, "*", gone, Holds),
            (header::IF_NONE_MATCH, "W/\"a\"", there, IfNoneMatchFails),
            (header::IF_NONE_MATCH, "\"b\"", there, Holds),
        ] {
            assert_eq!(check(name.clone(), value, etag), expected, "{name}: {value}, {etag:?}");
        }
        assert_eq!(evaluate(&HeaderMap::new(), gone), Holds);
    }
}
