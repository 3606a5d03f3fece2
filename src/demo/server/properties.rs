//! The live properties of each resource (RFC 4918 section 15, 4791 section 5.2, 3744, 5397, 6578). Start with [`Resource`].

use super::answer::{href, propstat, response};
use super::collection::{Calendar, Object};
use super::object::{MAX_SIZE, MEDIA_TYPE};
use super::path::Path;
use super::xml::{CALDAV, CALENDARSERVER, DAV, Element, Name};
use hyper::StatusCode;
use jiff::Timestamp;

/// What `allprop` gives, beside dead properties: those of RFC 4918 section 15. And the principal, though RFC 5397 would leave it out: some
/// clients lose the body of their PROPFIND at the redirect from `/.well-known/caldav`, and an empty one means `allprop`.
const IN_ALLPROP: [&str; 7] = [
    "displayname",
    "resourcetype",
    "getetag",
    "getcontenttype",
    "getcontentlength",
    "getlastmodified",
    "current-user-principal",
];

/// A resource that is there.
pub(super) enum Resource<'a> {
    Root,
    Principals,
    Principal,
    Homes,
    Home,
    Calendar(&'a str, &'a Calendar),
    Object(&'a str, &'a str, &'a Object),
}

/// Which properties are asked for.
pub(super) enum Wanted {
    All,
    Names,
    These(Vec<Name>),
}

/// Who the resources are of.
pub(super) struct Owner<'a> {
    pub(super) user: &'a str,
    pub(super) address: Option<&'a str>,
}

impl Resource<'_> {
    pub(super) fn path(&self) -> Path {
        match self {
            Resource::Root => Path::Root,
            Resource::Principals => Path::Principals,
            Resource::Principal => Path::Principal,
            Resource::Homes => Path::Homes,
            Resource::Home => Path::Home,
            Resource::Calendar(name, _) => Path::Calendar((*name).to_owned()),
            Resource::Object(calendar, name, _) => {
                Path::Object { calendar: (*calendar).to_owned(), name: (*name).to_owned() }
            }
        }
    }

    /// `<D:response>` with what is wanted; unknown properties in a 404 propstat.
    pub(super) fn response(&self, owner: &Owner<'_>, wanted: &Wanted) -> Element {
        let response = response(self.path().href(owner.user));
        let all = self.properties(owner);
        match wanted {
            Wanted::All => {
                let listed = |name: &Name| {
                    let live = [DAV, CALDAV, CALENDARSERVER].contains(&name.namespace.as_str());
                    !live || (name.namespace == DAV && IN_ALLPROP.contains(&name.local.as_str()))
                };
                response.with(propstat(StatusCode::OK, all.into_iter().filter(|property| listed(&property.name))))
            }
            Wanted::Names => {
                response.with(propstat(StatusCode::OK, all.into_iter().map(|property| Element::named(property.name))))
            }
            Wanted::These(names) => {
                let mut found = Vec::new();
                let mut missing = Vec::new();
                for name in names {
                    match all.iter().find(|property| property.name == *name) {
                        Some(property) => found.push(property.clone()),
                        None if name.is(CALDAV, "calendar-data") => match self {
                            Resource::Object(_, _, object) => found
                                .push(Element::named(name.clone()).with_text(String::from_utf8_lossy(&object.data))),
                            _ => missing.push(Element::named(name.clone())),
                        },
                        None => missing.push(Element::named(name.clone())),
                    }
                }
                let found = (!found.is_empty() || missing.is_empty()).then(|| propstat(StatusCode::OK, found));
                let missing = (!missing.is_empty()).then(|| propstat(StatusCode::NOT_FOUND, missing));
                response.with_all(found).with_all(missing)
            }
        }
    }

    /// Every property, live and set.
    fn properties(&self, owner: &Owner<'_>) -> Vec<Element> {
        let principal = || href(Path::Principal.href(owner.user));
        if let Resource::Object(_, _, object) = self {
            return vec![
                dav("resourcetype"),
                dav("getetag").with_text(object.etag.clone()),
                dav("getcontenttype").with_text(MEDIA_TYPE),
                dav("getcontentlength").with_text(object.data.len().to_string()),
                dav("getlastmodified").with_text(http_date(object.modified)),
                dav("current-user-principal").with(principal()),
                dav("owner").with(principal()),
                privileges(&["read", "write", "write-content", "write-properties"]),
            ];
        }
        let mut all = vec![
            dav("current-user-principal").with(principal()),
            dav("principal-collection-set").with(href(Path::Principals.href(owner.user))),
        ];
        let collection = || dav("resourcetype").with(dav("collection"));
        match self {
            Resource::Root | Resource::Principals | Resource::Homes => {
                all.extend([collection(), privileges(&["read"]), reports(&[])]);
            }
            Resource::Principal => {
                let home = caldav("calendar-home-set").with(href(Path::Home.href(owner.user)));
                let addresses = owner.address.map(|address| href(format!("mailto:{address}")));
                let addresses = caldav("calendar-user-address-set").with_all(addresses).with(principal());
                all.extend([
                    collection().with(dav("principal")),
                    dav("displayname").with_text(owner.user),
                    dav("principal-URL").with(principal()),
                    home,
                    addresses,
                    caldav("calendar-user-type").with_text("INDIVIDUAL"),
                    privileges(&["read"]),
                    reports(&[]),
                ]);
            }
            Resource::Home => all.extend([
                collection(),
                dav("displayname").with_text(owner.user),
                dav("owner").with(principal()),
                privileges(&["read", "write", "bind", "unbind"]),
                reports(&[]),
            ]),
            Resource::Calendar(_, calendar) => {
                let components = calendar.components.iter().map(|name| caldav("comp").with_attribute("name", name));
                all.extend([
                    collection().with(caldav("calendar")),
                    dav("owner").with(principal()),
                    privileges(&["read", "write", "write-content", "write-properties", "bind", "unbind"]),
                    reports(&[(CALDAV, "calendar-query"), (CALDAV, "calendar-multiget"), (DAV, "sync-collection")]),
                    dav("sync-token").with_text(calendar.sync_token()),
                    Element::new(CALENDARSERVER, "getctag").with_text(calendar.sync_token()),
                    caldav("supported-calendar-component-set").with_all(components),
                    caldav("supported-calendar-data").with(
                        caldav("calendar-data")
                            .with_attribute("content-type", "text/calendar")
                            .with_attribute("version", "2.0"),
                    ),
                    caldav("supported-collation-set").with_all(
                        ["i;ascii-casemap", "i;octet"].map(|name| caldav("supported-collation").with_text(name)),
                    ),
                    caldav("max-resource-size").with_text(MAX_SIZE.to_string()),
                ]);
                all.extend(calendar.properties.iter().cloned());
            }
            Resource::Object(..) => {}
        }
        all
    }
}

/// Properties that the server computes: PROPPATCH cannot set them.
pub(super) fn is_protected(name: &Name) -> bool {
    match name.namespace.as_str() {
        DAV => name.local != "displayname",
        CALDAV => !["calendar-description", "calendar-timezone", "calendar-timezone-id", "schedule-calendar-transp"]
            .contains(&name.local.as_str()),
        CALENDARSERVER => name.local == "getctag",
        _ => false,
    }
}

/// The color of the calendar with this number, as `#RRGGBB`.
pub(super) fn color(number: usize) -> &'static str {
    const COLORS: [&str; 5] = ["#1B6EC2", "#B4432E", "#2E7D4F", "#8A5A00", "#6A4FA3"];
    COLORS.get(number % COLORS.len()).copied().unwrap_or("#1B6EC2")
}

/// A date as HTTP writes it (RFC 9110 section 5.6.7).
pub(super) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn dav(local: &str) -> Element {
    Element::new(DAV, local)
}

fn caldav(local: &str) -> Element {
    Element::new(CALDAV, local)
}

fn privileges(names: &[&str]) -> Element {
    let privilege = |name: &str| dav("privilege").with(dav(name));
    dav("current-user-privilege-set")
        .with_all(names.iter().map(|name| privilege(name)))
        .with(privilege("read-current-user-privilege-set"))
}

fn reports(names: &[(&str, &str)]) -> Element {
    let report = |(namespace, local): &(&str, &str)| {
        dav("supported-report").with(dav("report").with(Element::new(namespace, local)))
    };
    dav("supported-report-set").with_all(names.iter().map(report))
}
