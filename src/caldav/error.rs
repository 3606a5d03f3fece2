//! What can go wrong with a calendar server: [`Error`] says what was tried, where, and what to do; [`ErrorKind`] is what callers choose by.

use super::href::Href;
use jiff::SignedDuration;
use std::fmt;

/// A request that failed: what was tried, where (a URL without credentials), why, and what to do. Never contains a password.
#[derive(Debug)]
pub struct Error(Box<Failure>);

#[derive(Debug)]
struct Failure {
    kind: ErrorKind,
    operation: &'static str,
    location: String,
    detail: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    sent: bool,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// 401, or a principal that is `DAV:unauthenticated`. Stop polling: further tries can lock the account.
    #[error("the server refuses the login; check the user name and password (many services want an app password)")]
    Unauthorized,
    /// The grant of an account that logs in by OAuth is not there, was taken back or has lapsed (RFC 6749 5.2, `invalid_grant`). Nothing
    /// is sent until somebody has logged in again.
    #[error("the login has ended")]
    LoginEnded,
    /// 403: also `DAV:need-privileges`. Permanent.
    #[error("the account may not do this here; the calendar may be read-only or another's")]
    Forbidden,
    /// 404 or 410.
    #[error("there is nothing at this address")]
    NotFound,
    /// 412: the object is not (or no longer) what the condition says. Read it again and decide again.
    #[error("the server's copy is not the one this change was made for")]
    PreconditionFailed,
    /// RFC 4791 5.3.2.1 `no-uid-conflict` in all its forms: the account holds this UID elsewhere, at `href` if the server says so.
    #[error("the server already holds an event with this UID")]
    UidConflict {
        /// Where the event is.
        href: Option<Href>,
    },
    /// Another 409, as for a calendar that is not there.
    #[error("the server sees a conflict; the calendar may be gone")]
    Conflict,
    /// 423. Passes by itself.
    #[error("the object is locked; it is tried again later")]
    Locked,
    /// 507 or `DAV:quota-not-exceeded`.
    #[error("the account's storage is full")]
    Quota,
    /// Another 4xx: the server will not take this request; the condition that it names, if any, is in the detail.
    #[error("the server refuses the request with status {status}")]
    Rejected {
        /// The HTTP status.
        status: u16,
    },
    /// 429.
    #[error("the server asks for fewer requests")]
    TooManyRequests {
        /// How long it asks us to wait: at most an hour.
        retry_after: Option<SignedDuration>,
    },
    /// 503.
    #[error("the server is not available for now")]
    Unavailable {
        /// How long it asks us to wait: at most an hour.
        retry_after: Option<SignedDuration>,
    },
    /// Another 5xx. A write may have happened all the same.
    #[error("the server failed with status {0}")]
    Server(u16),
    /// No connection, or one that broke. A write may have happened all the same.
    #[error("the connection failed; check the address and the network")]
    Network,
    /// No complete answer in time. A write may have happened all the same.
    #[error("the server did not answer in time")]
    Timeout,
    /// The certificate or the handshake.
    #[error("no secure connection; check the server's certificate, or give its authority in `ca_file`")]
    Tls,
    /// An answer that no calendar server gives: not XML, cut short, a login page.
    #[error("the answer is not what a calendar server gives; check the address")]
    BadAnswer,
    /// Credentials would go over plain http, or to a host that is not of the account's site.
    #[error("the password would leave the account's site or go unencrypted; it was not sent")]
    Insecure,
    /// A subscription that leads to this machine or into a private network, which it may not.
    #[error("the address leads into a private network, where a subscription may not go")]
    PrivateAddress,
    /// More than the client takes, after decompression.
    #[error("the answer is larger than the limit")]
    TooLarge,
    /// No calendar was found at or below the address.
    #[error("no calendar service was found; give the address of a calendar, or of the account's calendar home")]
    NoCalendars,
    /// The client could not be set up: an unreadable `ca_file`, a URL that is neither http nor https.
    #[error("the account's settings cannot be used")]
    Settings,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, operation: &'static str, location: impl Into<String>) -> Error {
        Error(Box::new(Failure { kind, operation, location: location.into(), detail: None, source: None, sent: true }))
    }

    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Error {
        // One line, short, whatever a server wrote.
        let text: String = detail.into();
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        self.0.detail = Some(line.trim().to_owned()).filter(|line| !line.is_empty());
        self
    }

    pub(crate) fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Nothing was sent: what the server answered before still holds.
    pub(crate) fn unsent(mut self) -> Error {
        self.0.sent = false;
        self
    }

    /// False when nothing was sent, since what the server answered before still holds: a refused login, a pause.
    pub fn was_sent(&self) -> bool {
        self.0.sent
    }

    /// What callers choose by.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What the server or the connection said, in one short line.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Where: a URL without credentials.
    pub fn location(&self) -> &str {
        &self.0.location
    }

    /// How long the server asks us to wait: at most an hour.
    pub fn retry_after(&self) -> Option<SignedDuration> {
        match self.0.kind {
            ErrorKind::TooManyRequests { retry_after } | ErrorKind::Unavailable { retry_after } => retry_after,
            _ => None,
        }
    }

    /// Whether the server is to be left alone now: it refuses the login, where each further try counts towards a lock-out, or asks for
    /// a pause.
    pub fn wants_rest(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Unauthorized | ErrorKind::TooManyRequests { .. })
            || self.retry_after().is_some()
    }

    /// Whether a write that ended so may have happened all the same: look before writing again.
    pub fn is_ambiguous(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Server(_)
                | ErrorKind::Network
                | ErrorKind::Timeout
                | ErrorKind::BadAnswer
                | ErrorKind::TooLarge
                | ErrorKind::Unavailable { .. }
        )
    }

    /// Whether the same request can succeed later without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Server(_)
                | ErrorKind::Network
                | ErrorKind::Timeout
                | ErrorKind::BadAnswer
                | ErrorKind::TooLarge
                | ErrorKind::Locked
                | ErrorKind::TooManyRequests { .. }
                | ErrorKind::Unavailable { .. }
        )
    }

    /// Whether every other request to this server would now fail alike: no use in trying the rest object by object.
    pub(crate) fn is_of_the_server(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unauthorized
                | ErrorKind::LoginEnded
                | ErrorKind::TooManyRequests { .. }
                | ErrorKind::Unavailable { .. }
                | ErrorKind::Network
                | ErrorKind::Timeout
                | ErrorKind::Tls
                | ErrorKind::Insecure
                | ErrorKind::Settings
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} at {}: {}", self.0.operation, self.0.location, self.0.kind)?;
        match &self.0.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_where_and_what_to_do_on_one_line() {
        let error = Error::new(ErrorKind::Unauthorized, "read the calendar", "https://cal.example.edu/prof/")
            .with_detail("Basic\r\nrealm");
        assert_eq!(
            error.to_string(),
            "cannot read the calendar at https://cal.example.edu/prof/: the server refuses the login; check the user name \
             and password (many services want an app password) (Basic  realm)"
        );
    }
}
