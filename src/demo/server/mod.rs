//! A small CalDAV server of one user (RFC 4918, 4791, 6578, 5689, 6764): what the demo runs on, and what calendar programs can be
//! pointed at. Start with [`CalendarServer`]; one file a request.
//!
//! What it leaves out: locks, ACLs, scheduling, `expand`, free-busy-query (none is announced). A time-range takes every recurring
//! object that has begun, expanding is the client's.

mod answer;
mod auth;
mod collection;
mod connection;
mod filter;
mod folder;
mod icalendar;
mod mkcalendar;
mod object;
mod path;
mod properties;
mod propfind;
mod proppatch;
mod report;
mod xml;

#[cfg(test)]
mod tests;

use answer::{Answer, Refusal, empty, typed, with_header};
use auth::Digest;
use bytes::Bytes;
use collection::{Calendar, Calendars};
use folder::Folder;
use hyper::{Method, Request, StatusCode, header};
use jiff::Timestamp;
use path::Path;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fmt, io};

const DAV_HEADER: &str = "1, 3, access-control, calendar-access, extended-mkcol";
const ALLOW: &str = "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, MKCALENDAR, REPORT";

/// The one login. Its Debug shows no password.
#[derive(Clone)]
pub struct Credentials {
    /// The name, also in the URLs.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Where the calendars are kept.
#[derive(Clone, Debug)]
pub enum Storage {
    /// Nowhere: they go with the process.
    Memory,
    /// In a folder: a folder a calendar, a file an object; sync tokens stay good over a restart.
    Folder(PathBuf),
}

/// Whether the events of a calendar make its owner busy (RFC 6638 section 9.1, `schedule-calendar-transp`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transparency {
    /// They do.
    Opaque,
    /// They do not: birthdays, holidays.
    Transparent,
}

/// Why the calendar server cannot start or store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name cannot be a user's, a calendar's or an object's.
    #[error(
        "{0:?} cannot be part of a URL of the calendar server; choose a name without slashes and control characters"
    )]
    Name(String),
    /// The calendar is not there.
    #[error("there is no calendar {0:?} on the calendar server")]
    NoCalendar(String),
    /// The folder cannot be read or written.
    #[error("the calendar server cannot keep its calendars: {0}")]
    Storage(#[from] io::Error),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A CalDAV server of one user. [`CalendarServer::serve`] answers on a socket.
pub struct CalendarServer {
    user: String,
    login: Digest,
    address: Option<String>,
    calendars: Mutex<Calendars>,
}

impl CalendarServer {
    /// A server with what `storage` holds.
    pub fn new(credentials: Credentials, storage: Storage) -> Result<CalendarServer, Error> {
        if !path::is_name(&credentials.user) || credentials.user.contains(':') {
            return Err(Error::Name(credentials.user));
        }
        let folder = match storage {
            Storage::Memory => None,
            Storage::Folder(root) => Some(Folder::open(root)?),
        };
        Ok(CalendarServer {
            login: Digest::of(&credentials.user, &credentials.password),
            user: credentials.user,
            address: None,
            calendars: Mutex::new(Calendars::open(folder, now())?),
        })
    }

    /// The same server, whose user has this mail address (without `mailto:`): its `calendar-user-address-set`.
    pub fn owned_by(mut self, address: &str) -> CalendarServer {
        self.address = Some(address.to_owned());
        self
    }

    /// The path of the user's calendars: `/calendars/USER/`.
    pub fn home(&self) -> String {
        Path::Home.href(&self.user)
    }

    /// The path of a calendar: `/calendars/USER/NAME/`.
    pub fn calendar_path(&self, name: &str) -> String {
        Path::Calendar(name.to_owned()).href(&self.user)
    }

    /// True when there is no calendar.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Makes a calendar for events, unless one of that name is there.
    pub fn add_calendar(&self, name: &str, display_name: &str, transparency: Transparency) -> Result<(), Error> {
        if !path::is_name(name) {
            return Err(Error::Name(name.to_owned()));
        }
        let mut calendars = self.lock();
        if calendars.get(name).is_some() {
            return Ok(());
        }
        let color = properties::color(calendars.iter().count());
        let properties = collection::properties(display_name, color, transparency);
        let calendar = Calendar::new(new_id().map_err(Error::Random)?, vec!["VEVENT".to_owned()], properties);
        Ok(calendars.make(name, calendar)?)
    }

    /// Stores an object as it is, unchecked: also one that a client could not PUT.
    pub fn put_object(&self, calendar: &str, name: &str, data: &str) -> Result<(), Error> {
        if !path::is_name(name) {
            return Err(Error::Name(name.to_owned()));
        }
        let put = self.lock().put(calendar, name, Bytes::copy_from_slice(data.as_bytes()), now())?;
        put.map(|_| ()).ok_or_else(|| Error::NoCalendar(calendar.to_owned()))
    }

    /// A panic while the lock is held leaves values that are whole: each change is one insert or remove.
    fn lock(&self) -> MutexGuard<'_, Calendars> {
        self.calendars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request whose body was read. Blocks on the folder.
    pub(crate) fn answer(&self, request: &Request<Bytes>) -> Answer {
        let answer = self.route(request).unwrap_or_else(Refusal::into_answer);
        with_header(answer, header::HeaderName::from_static("dav"), DAV_HEADER)
    }

    fn route(&self, request: &Request<Bytes>) -> Result<Answer, Refusal> {
        let path = Path::parse(request.uri().path(), &self.user);
        if path == Some(Path::WellKnown) {
            return Ok(with_header(
                empty(StatusCode::MOVED_PERMANENTLY),
                header::LOCATION,
                &Path::Root.href(&self.user),
            ));
        }
        if !self.login.admits(request.headers()) {
            return Ok(auth::challenge());
        }
        if *request.method() == Method::OPTIONS {
            return Ok(with_header(empty(StatusCode::OK), header::ALLOW, ALLOW));
        }
        let path = path.ok_or(StatusCode::NOT_FOUND)?;
        match request.method().as_str() {
            "GET" | "HEAD" => self.get(&path, request),
            "PUT" => self.put(&path, request),
            "DELETE" => self.delete(&path, request),
            "PROPFIND" => self.propfind(&path, request),
            "PROPPATCH" => self.proppatch(&path, request),
            "MKCALENDAR" | "MKCOL" => self.mkcalendar(&path, request),
            "REPORT" => self.report(&path, request),
            _ => Ok(with_header(empty(StatusCode::METHOD_NOT_ALLOWED), header::ALLOW, ALLOW)),
        }
    }
}

/// Whether a client could PUT this.
#[cfg(test)]
pub(super) fn is_calendar_object(text: &str) -> bool {
    icalendar::CalendarObject::parse(text.as_bytes()).is_ok()
}

/// A storage error as an answer; the reason is for the log.
fn not_stored(error: io::Error) -> Refusal {
    tracing::error!(%error, "The demo's calendar server could not write to its folder; the change is refused.");
    Refusal::from(StatusCode::INSUFFICIENT_STORAGE)
}

/// A name that no calendar had before.
fn new_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// When an object was written; nothing is decided by it.
#[expect(
    clippy::disallowed_methods,
    reason = "a server of its own, whose files have times: it stands in for another machine"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// A page for people who open a calendar's URL in a browser.
fn sentence() -> Answer {
    let text = "This is a CalDAV calendar: add its URL, user and password to a calendar program.\n";
    typed(StatusCode::OK, "text/plain; charset=utf-8", text)
}
