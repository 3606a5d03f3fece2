//! The URLs of the server: every path is read and printed here. Start with [`Path`].

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// RFC 3986 unreserved characters and `@` stay as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');
/// Percent-encoded, so that it fits into a file's name.
const MAX_NAME: usize = 200;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// `/`
    Root,
    /// `/.well-known/caldav` (RFC 6764 section 5)
    WellKnown,
    /// `/principals/`
    Principals,
    /// `/principals/USER/`
    Principal,
    /// `/calendars/`
    Homes,
    /// `/calendars/USER/`
    Home,
    /// `/calendars/USER/CALENDAR/`
    Calendar(String),
    /// `/calendars/USER/CALENDAR/OBJECT`
    Object {
        /// The calendar's name.
        calendar: String,
        /// The object's name in it.
        name: String,
    },
}

impl Path {
    /// What the path of a URL, or a whole URL, names for this user; `None` when nothing can be there.
    pub(super) fn parse(url: &str, user: &str) -> Option<Path> {
        let path = match url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| rest.get(at..).unwrap_or("/")),
            None => url,
        };
        let path = path.split(['?', '#']).next().unwrap_or_default().strip_prefix('/')?;
        let (path, slash) = match path.strip_suffix('/') {
            Some(path) => (path, true),
            None => (path, false),
        };
        if path.is_empty() {
            return Some(Path::Root);
        }
        let segments = path.split('/').map(decode).collect::<Option<Vec<_>>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        Some(match segments.as_slice() {
            [".well-known", "caldav"] => Path::WellKnown,
            ["principals"] => Path::Principals,
            ["principals", who] if *who == user => Path::Principal,
            ["calendars"] => Path::Homes,
            ["calendars", who] if *who == user => Path::Home,
            ["calendars", who, calendar] if *who == user => Path::Calendar((*calendar).to_owned()),
            ["calendars", who, calendar, name] if *who == user && !slash => {
                Path::Object { calendar: (*calendar).to_owned(), name: (*name).to_owned() }
            }
            _ => return None,
        })
    }

    /// The path as it is printed in an href.
    pub(super) fn href(&self, user: &str) -> String {
        let user = encode(user);
        match self {
            Path::Root => "/".to_owned(),
            Path::WellKnown => "/.well-known/caldav".to_owned(),
            Path::Principals => "/principals/".to_owned(),
            Path::Principal => format!("/principals/{user}/"),
            Path::Homes => "/calendars/".to_owned(),
            Path::Home => format!("/calendars/{user}/"),
            Path::Calendar(name) => format!("/calendars/{user}/{}/", encode(name)),
            Path::Object { calendar, name } => format!("/calendars/{user}/{}/{}", encode(calendar), encode(name)),
        }
    }
}

/// A name, percent-encoded as a URL's segment.
pub(super) fn encode(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// A segment's name; `None` for what cannot be one.
fn decode(segment: &str) -> Option<String> {
    let name = percent_decode_str(segment).decode_utf8().ok()?;
    is_name(&name).then(|| name.into_owned())
}

/// Whether a calendar or an object can have this name.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&encode(name).len())
        && name != "."
        && name != ".."
        && !name.contains(|c: char| c == '/' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_reads_back_as_printed() {
        let object = |calendar: &str, name: &str| Path::Object { calendar: calendar.to_owned(), name: name.to_owned() };
        for path in [
            Path::Root,
            Path::WellKnown,
            Path::Principals,
            Path::Principal,
            Path::Homes,
            Path::Home,
            Path::Calendar("Büro & more".to_owned()),
            object("Work", "a b@c+%.ics"),
        ] {
            assert_eq!(Path::parse(&path.href("em my"), "em my"), Some(path.clone()), "{path:?}");
            assert_eq!(Path::parse(&format!("http://127.0.0.1:1{}", path.href("em my")), "em my"), Some(path));
        }
        assert_eq!(Path::parse("/calendars/u/Work", "u"), Some(Path::Calendar("Work".to_owned())));
    }

    #[test]
    fn paths_of_others_and_out_of_the_tree_name_nothing() {
        for url in [
            "",
            "x",
            "/principals/other/",
            "/calendars/u/../v",
            "/calendars/u/Work/..%2fx.ics",
            "/calendars/u/Work/%00.ics",
            "/calendars/u/Work/%ff.ics",
            "/calendars/u//x.ics",
            "/calendars/u/Work/x.ics/",
            "/calendars/u/Work/x/y.ics",
        ] {
            assert_eq!(Path::parse(url, "u"), None, "{url}");
        }
    }
}
