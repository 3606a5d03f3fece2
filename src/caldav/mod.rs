//! A CalDAV client (RFC 4791, 6578, 6764): requests and answers as values, and the [`Client`] that sends them.
//!
//! What servers do against the RFCs is met by what they are seen to do, never by their name.

mod client;
mod discovery;
mod door;
mod error;
mod etag;
mod fetch;
mod href;
mod multistatus;
pub mod oauth;
mod origin;
mod password;
mod request;
#[cfg(test)]
pub(crate) mod scripted;
mod service;
#[cfg(test)]
pub(crate) mod simulated;
mod subscription;
mod transport;
mod xml;

pub use client::Client;
pub use error::{Error, ErrorKind};
pub use etag::{ETag, SyncToken};
pub use href::Href;
pub use password::Password;
pub use subscription::{Reach, Subscribed, Validators, fetch_at_most, fetch_subscription};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// What an account needs to log in. Debug does not print the password.
#[derive(Clone, Debug)]
pub struct Login {
    /// A server, a principal, a calendar home or a calendar: http or https. A user and password in it are ignored.
    pub url: Url,
    /// Who logs in.
    pub credentials: Credentials,
    /// Whether plain http to a host that is not this machine is allowed.
    pub insecure: bool,
    /// Certificate authorities in PEM form, in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Hosts outside of the URL's site that may get the password too, over https alone.
    pub trusted_hosts: Vec<String>,
    /// What the client calls itself; `None`: by its name and version.
    pub user_agent: Option<String>,
    /// The name server that is asked for the domain's calendar service; `None`: those of the system.
    pub dns: Option<SocketAddr>,
}

impl Login {
    /// A login with nothing out of the ordinary.
    pub fn new(url: Url, username: impl Into<String>, password: SecretString) -> Login {
        let credentials = Credentials::Basic { username: username.into(), password: password.into() };
        let trusted_hosts = Vec::new();
        Login { url, credentials, insecure: false, ca_file: None, trusted_hosts, user_agent: None, dns: None }
    }
}

/// What proves to a server who logs in. Debug does not print it.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A user and a password (RFC 7617).
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Password,
    },
    /// A token (RFC 6750). It goes to the account's own host and to no other.
    Bearer(oauth::AccessTokens),
}

/// What was found of an account.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Who is logged in (RFC 5397); some servers have no principals.
    pub principal: Option<Href>,
    /// `calendar-user-address-set` (RFC 6638 2.4.1): `mailto:`, paths, `urn:uuid:`; may be empty.
    pub addresses: Vec<String>,
    /// The calendar homes that were read; empty when the URL is that of a calendar.
    pub homes: Vec<Href>,
    /// The calendars, in the server's order.
    pub calendars: Vec<Calendar>,
    /// The `Server` header.
    pub server: Option<String>,
    /// The server's clock at the last request of the discovery.
    pub server_time: Option<Timestamp>,
    /// The `DAV` header's tokens; `calendar-auto-schedule` means that ATTENDEEs are mailed by the server.
    pub dav: Vec<String>,
}

impl Discovery {
    /// By how much the server's clock is ahead of ours; `now` is our time at the end of the discovery.
    pub fn clock_skew(&self, now: Timestamp) -> Option<SignedDuration> {
        self.server_time.map(|theirs| theirs.duration_since(now))
    }
}

/// A calendar collection as its home lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Where it is.
    pub href: Href,
    /// Its display name, else the last part of its href.
    pub name: String,
    /// The mark of change of calendars without sync tokens: opaque.
    pub ctag: Option<String>,
    /// The token of its present state.
    pub sync_token: Option<SyncToken>,
    /// Whether the server says that it knows sync-collection here.
    pub supports_sync: bool,
    /// Whether it may hold events: true unless the server says otherwise.
    pub vevent: bool,
    /// `schedule-calendar-transp` (RFC 6638 9.1): its events do not make anyone busy.
    pub transparent: bool,
    /// Whether events can be made in it; None when the server does not say.
    pub writable: Option<bool>,
    /// A subscription that the server only names (iCloud): a query of it succeeds and is empty, which is not "free".
    pub subscribed: bool,
    /// Where a subscription comes from.
    pub source: Option<String>,
    /// Its colour, as `#rrggbb` or `#rrggbbaa` mostly.
    pub color: Option<String>,
    /// `calendar-timezone` (a VCALENDAR with a VTIMEZONE) or `calendar-timezone-id` (an IANA name), as given: for floating times and dates.
    pub time_zone: Option<String>,
}

/// A calendar's marks of change and what can be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionState {
    /// Opaque; changes with each change.
    pub ctag: Option<String>,
    /// The token of the present state.
    pub sync_token: Option<SyncToken>,
    /// Whether the server says that it knows sync-collection here.
    pub supports_sync: bool,
    /// The local names of the reports that it says it knows; empty when it does not say.
    pub reports: Vec<String>,
    /// Whether events can be made in it; None when the server does not say.
    pub writable: Option<bool>,
    /// Its events do not make anyone busy (RFC 6638 9.1).
    pub transparent: bool,
    /// Whether it is (still) a calendar; None when the server does not say.
    pub is_calendar: Option<bool>,
}

/// An object and its version, as a list or a sync names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where it is.
    pub href: Href,
    /// None when the server does not say: fetch it.
    pub etag: Option<ETag>,
}

/// What changed in a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// The changes up to `token`: store both in one transaction.
    Delta {
        /// Where the next call begins.
        token: SyncToken,
        /// New or changed: fetch them, whatever their ETag.
        changed: Vec<Member>,
        /// Gone, by what the server says; may name what was never known.
        removed: Vec<Href>,
        /// Whether `changed` is all that there is: the first sync.
        complete: bool,
    },
    /// The token is refused: list everything.
    TokenInvalid,
    /// The server does not know sync-collection here, whatever it says: compare lists.
    Unsupported,
}

/// An object as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Where it is.
    pub href: Href,
    /// Its version; None when the server gives none.
    pub etag: Option<ETag>,
    /// iCalendar as the server gave it: CRLF or LF, mostly UTF-8.
    pub data: Vec<u8>,
}

/// An object to be read, and what has been said of it: by a list, or by a report of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is.
    pub href: Href,
    /// What was said.
    pub expected: Expected,
}

/// What has been said of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// That it is there; in this version, where that was said.
    Version(Option<ETag>),
    /// That it is gone.
    Gone,
}

/// What a fetch of several objects came to.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Those that were read, in no particular order.
    pub objects: Vec<Object>,
    /// Those that are not there.
    pub gone: Vec<Href>,
    /// Those that the server fails at: still there, unread. They count as busy.
    pub failed: Vec<FailedObject>,
    /// Why it ended before all were asked for: the server as a whole can no longer be talked to. What it has said until then holds.
    pub broken_off: Option<Error>,
}

/// An object that the server fails at.
#[derive(Debug)]
pub struct FailedObject {
    /// Where it is.
    pub href: Href,
    /// Why it could not be read.
    pub error: Error,
}

/// A write that the server took. It proves little (standards A3.18): read back what matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it is: another place than asked when the server chose one.
    pub href: Href,
    /// Its version; None only when the server neither gave one nor let the object be read back.
    pub etag: Option<ETag>,
    /// Whether something was there before: so it is of an update; of a creation, the server has overwritten an object unasked.
    pub replaced: bool,
    /// The object as it is now, when it had to be read back.
    pub data: Option<Vec<u8>>,
}

/// What a deletion came to: gone either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// By this request.
    Deleted,
    /// Before it.
    AlreadyGone,
}
