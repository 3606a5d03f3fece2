//! PROPPATCH (RFC 4918 section 9.2): all changes or none. What is set is kept as it came, live and dead properties alike.

use super::answer::{Answer, Refusal, multistatus, propstat, response};
use super::collection::PropertyChange;
use super::not_stored;
use super::path::Path;
use super::properties::is_protected;
use super::propfind::find;
use super::xml::{self, DAV, Element};
use bytes::Bytes;
use hyper::{Request, StatusCode};

impl super::CalendarServer {
    pub(super) fn proppatch(&self, path: &Path, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let root = xml::parse(request.body())?.filter(|root| root.name.is(DAV, "propertyupdate"));
        let changes = changes(&root.ok_or(StatusCode::BAD_REQUEST)?);
        if changes.is_empty() {
            return Err(StatusCode::BAD_REQUEST.into());
        }
        let mut calendars = self.lock();
        find(&calendars, path).ok_or(StatusCode::NOT_FOUND)?;
        let settable = matches!(path, Path::Calendar(_));
        let statuses = statuses(&changes, |change| settable && !is_protected(change.name()));
        if let Path::Calendar(name) = path
            && statuses.iter().all(|propstat| propstat.1 == StatusCode::OK)
        {
            calendars.change_properties(name, changes).map_err(not_stored)?;
        }
        let statuses = statuses.into_iter().map(|(properties, status)| refused(propstat(status, properties), status));
        Ok(multistatus([response(path.href(&self.user)).with_all(statuses)]))
    }
}

/// What `<D:set>` and `<D:remove>` ask for, in their order.
pub(super) fn changes(root: &Element) -> Vec<PropertyChange> {
    let mut changes = Vec::new();
    for instruction in root.children() {
        let properties = instruction.child(DAV, "prop").into_iter().flat_map(Element::children);
        if instruction.name.is(DAV, "set") {
            changes.extend(properties.cloned().map(PropertyChange::Set));
        } else if instruction.name.is(DAV, "remove") {
            changes.extend(properties.map(|property| PropertyChange::Remove(property.name.clone())));
        }
    }
    changes
}

/// The names by status: all 200, or 403 for those that cannot be set and 424 for the others.
pub(super) fn statuses(
    changes: &[PropertyChange],
    can_be_set: impl Fn(&PropertyChange) -> bool,
) -> Vec<(Vec<Element>, StatusCode)> {
    let (good, bad): (Vec<_>, Vec<_>) = changes.iter().partition(|change| can_be_set(change));
    let names =
        |changes: Vec<&PropertyChange>| changes.iter().map(|c| Element::named(c.name().clone())).collect::<Vec<_>>();
    let good_status = if bad.is_empty() { StatusCode::OK } else { StatusCode::FAILED_DEPENDENCY };
    let groups = [(names(good), good_status), (names(bad), StatusCode::FORBIDDEN)];
    groups.into_iter().filter(|(names, _)| !names.is_empty()).collect()
}

/// A propstat of 403 says why.
pub(super) fn refused(propstat: Element, status: StatusCode) -> Element {
    if status != StatusCode::FORBIDDEN {
        return propstat;
    }
    propstat.with(Element::new(DAV, "error").with(Element::new(DAV, "cannot-modify-protected-property")))
}
