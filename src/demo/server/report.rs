//! REPORT: calendar-multiget and calendar-query (RFC 4791 sections 7.8 and 7.9), sync-collection (RFC 6578).

use super::answer::{Answer, Refusal, multistatus, response, status_element};
use super::collection::{Calendar, Calendars, Change};
use super::filter::Filter;
use super::path::Path;
use super::properties::{Resource, Wanted};
use super::propfind::{Depth, find, prop};
use super::xml::{self, CALDAV, DAV, Element};
use bytes::Bytes;
use hyper::{Request, StatusCode};

impl super::CalendarServer {
    pub(super) fn report(&self, path: &Path, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let root = xml::parse(request.body())?.ok_or(StatusCode::BAD_REQUEST)?;
        let depth = Depth::of(request)?;
        let calendars = self.lock();
        find(&calendars, path).ok_or(StatusCode::NOT_FOUND)?;
        match (path, root.name.namespace.as_str(), root.name.local.as_str()) {
            (Path::Calendar(_) | Path::Object { .. }, CALDAV, "calendar-multiget") => {
                self.multiget(&calendars, path, &root)
            }
            (Path::Calendar(_) | Path::Object { .. }, CALDAV, "calendar-query") => {
                self.query(&calendars, path, depth, &root)
            }
            (Path::Calendar(name), DAV, "sync-collection") => self.sync(&calendars, name, &root),
            _ => Err(Refusal::condition(StatusCode::FORBIDDEN, DAV, "supported-report")),
        }
    }

    fn multiget(&self, calendars: &Calendars, scope: &Path, root: &Element) -> Result<Answer, Refusal> {
        let wanted = wanted(root);
        let responses = root.children().filter(|child| child.name.is(DAV, "href")).map(|asked| {
            let asked = asked.text();
            let path = Path::parse(&asked, &self.user).filter(|path| within(scope, path));
            match path.as_ref().and_then(|path| find(calendars, path)) {
                Some(found @ Resource::Object(..)) => found.response(&self.owner(), &wanted),
                _ => response(asked).with(status_element(StatusCode::NOT_FOUND)),
            }
        });
        Ok(multistatus(responses))
    }

    fn query(
        &self,
        calendars: &Calendars,
        path: &Path,
        depth: Option<Depth>,
        root: &Element,
    ) -> Result<Answer, Refusal> {
        let wanted = wanted(root);
        let filter = root.child(CALDAV, "filter").ok_or(StatusCode::BAD_REQUEST)?;
        let filter = Filter::read(filter)
            .map_err(|invalid| Refusal::condition(StatusCode::FORBIDDEN, CALDAV, invalid.condition()))?;
        // Without Depth a REPORT is of the resource alone (RFC 3253 section 3.6); a calendar itself has no data.
        let (calendar, objects): (_, Vec<&str>) = match path {
            Path::Calendar(name) if depth.is_none_or(|depth| depth == Depth::Zero) => (name, Vec::new()),
            Path::Calendar(name) => (name, calendars.get(name).map(names).unwrap_or_default()),
            Path::Object { calendar, name } => (calendar, vec![name.as_str()]),
            _ => return Err(StatusCode::NOT_FOUND.into()),
        };
        let objects = objects.into_iter().filter_map(|name| {
            let object = calendars.get(calendar)?.objects.get(name)?;
            filter
                .matches(&object.data)
                .then(|| Resource::Object(calendar, name, object).response(&self.owner(), &wanted))
        });
        Ok(multistatus(objects))
    }

    fn sync(&self, calendars: &Calendars, name: &str, root: &Element) -> Result<Answer, Refusal> {
        let calendar = calendars.get(name).ok_or(StatusCode::NOT_FOUND)?;
        let token = root.child(DAV, "sync-token").ok_or(StatusCode::BAD_REQUEST)?.text();
        if root.child(DAV, "sync-level").is_some_and(|level| level.text() != "1" && level.text() != "infinite") {
            return Err(StatusCode::BAD_REQUEST.into());
        }
        let since = match token.as_str() {
            "" => None,
            token => match calendar.revision_of(token) {
                Some(revision) => Some(revision),
                None => return Err(Refusal::condition(StatusCode::FORBIDDEN, DAV, "valid-sync-token")),
            },
        };
        let limit =
            root.child(DAV, "limit").and_then(|limit| limit.child(DAV, "nresults")).map(|n| n.text().parse::<usize>());
        let limit = limit.transpose().map_err(|_| StatusCode::BAD_REQUEST)?.unwrap_or(usize::MAX).max(1);
        let (changes, token) = calendar.changes(since, limit);
        let wanted = Wanted::These(prop(root).ok_or(StatusCode::BAD_REQUEST)?);
        let path = |object: &str| Path::Object { calendar: name.to_owned(), name: object.to_owned() }.href(&self.user);
        let mut responses: Vec<Element> = changes
            .into_iter()
            .filter_map(|change| match change {
                Change::Gone(gone) => Some(response(path(gone)).with(status_element(StatusCode::NOT_FOUND))),
                Change::Present(present) => {
                    let object = calendar.objects.get(present)?;
                    Some(Resource::Object(name, present, object).response(&self.owner(), &wanted))
                }
            })
            .collect();
        if token != calendar.sync_token() {
            // There is more (section 3.6): the collection's own 507, and a token to go on with.
            let error = Element::new(DAV, "error").with(Element::new(DAV, "number-of-matches-within-limits"));
            let collection = Path::Calendar(name.to_owned()).href(&self.user);
            responses.push(response(collection).with(status_element(StatusCode::INSUFFICIENT_STORAGE)).with(error));
        }
        responses.push(Element::new(DAV, "sync-token").with_text(token));
        Ok(multistatus(responses))
    }
}

/// A multiget names members of what it is sent to.
fn within(scope: &Path, path: &Path) -> bool {
    match (scope, path) {
        (Path::Calendar(scope), Path::Object { calendar, .. }) => scope == calendar,
        _ => scope == path,
    }
}

fn names(calendar: &Calendar) -> Vec<&str> {
    calendar.objects.keys().map(String::as_str).collect()
}

fn wanted(root: &Element) -> Wanted {
    if root.child(DAV, "propname").is_some() {
        return Wanted::Names;
    }
    prop(root).map_or(Wanted::All, Wanted::These)
}
