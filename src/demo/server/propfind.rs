//! PROPFIND (RFC 4918 section 9.1), Depth 0 and 1.

use super::answer::{Answer, Refusal, multistatus};
use super::collection::Calendars;
use super::path::Path;
use super::properties::{Owner, Resource, Wanted};
use super::xml::{self, DAV, Element, Name};
use bytes::Bytes;
use hyper::{Request, StatusCode};

/// How far down a request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Zero,
    One,
    Infinity,
}

impl Depth {
    /// The Depth header; `None` when there is none.
    pub(super) fn of(request: &Request<Bytes>) -> Result<Option<Depth>, Refusal> {
        let Some(value) = request.headers().get("depth") else { return Ok(None) };
        match value.as_bytes() {
            b"0" => Ok(Some(Depth::Zero)),
            b"1" => Ok(Some(Depth::One)),
            value if value.eq_ignore_ascii_case(b"infinity") => Ok(Some(Depth::Infinity)),
            _ => Err(StatusCode::BAD_REQUEST.into()),
        }
    }
}

impl super::CalendarServer {
    pub(super) fn owner(&self) -> Owner<'_> {
        Owner { user: &self.user, address: self.address.as_deref() }
    }

    pub(super) fn propfind(&self, path: &Path, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        // Without the header the depth is infinity (section 10.2), which a server may refuse.
        let depth = Depth::of(request)?.unwrap_or(Depth::Infinity);
        if depth == Depth::Infinity {
            return Err(Refusal::condition(StatusCode::FORBIDDEN, DAV, "propfind-finite-depth"));
        }
        let wanted = wanted(xml::parse(request.body())?)?;
        let calendars = self.lock();
        let resource = find(&calendars, path).ok_or(StatusCode::NOT_FOUND)?;
        let members = if depth == Depth::One { members(&calendars, &resource) } else { Vec::new() };
        let owner = self.owner();
        Ok(multistatus(std::iter::once(&resource).chain(&members).map(|resource| resource.response(&owner, &wanted))))
    }
}

/// What a path names, if it is there.
pub(super) fn find<'a>(calendars: &'a Calendars, path: &'a Path) -> Option<Resource<'a>> {
    Some(match path {
        Path::Root => Resource::Root,
        Path::WellKnown => return None,
        Path::Principals => Resource::Principals,
        Path::Principal => Resource::Principal,
        Path::Homes => Resource::Homes,
        Path::Home => Resource::Home,
        Path::Calendar(name) => Resource::Calendar(name, calendars.get(name)?),
        Path::Object { calendar, name } => {
            Resource::Object(calendar, name, calendars.get(calendar)?.objects.get(name)?)
        }
    })
}

fn members<'a>(calendars: &'a Calendars, of: &Resource<'a>) -> Vec<Resource<'a>> {
    match *of {
        Resource::Root => vec![Resource::Principals, Resource::Homes],
        Resource::Principals => vec![Resource::Principal],
        Resource::Homes => vec![Resource::Home],
        Resource::Home => calendars.iter().map(|(name, calendar)| Resource::Calendar(name, calendar)).collect(),
        Resource::Calendar(calendar, found) => {
            found.objects.iter().map(|(name, object)| Resource::Object(calendar, name, object)).collect()
        }
        Resource::Principal | Resource::Object(..) => Vec::new(),
    }
}

fn wanted(body: Option<Element>) -> Result<Wanted, Refusal> {
    // No body is allprop (section 9.1).
    let Some(root) = body else { return Ok(Wanted::All) };
    if !root.name.is(DAV, "propfind") {
        return Err(StatusCode::BAD_REQUEST.into());
    }
    if root.child(DAV, "propname").is_some() {
        return Ok(Wanted::Names);
    }
    if root.child(DAV, "allprop").is_some() {
        return Ok(Wanted::All);
    }
    prop(&root).map(Wanted::These).ok_or_else(|| StatusCode::BAD_REQUEST.into())
}

/// The names in `<D:prop>`, each once.
pub(super) fn prop(root: &Element) -> Option<Vec<Name>> {
    let mut names: Vec<Name> = Vec::new();
    for property in root.child(DAV, "prop")?.children() {
        if !names.contains(&property.name) {
            names.push(property.name.clone());
        }
    }
    Some(names)
}
