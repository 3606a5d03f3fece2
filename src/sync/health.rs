//! How a source does, as a value: for whoever tells the host, for `/readyz`, `/metrics` and `check`. Start with [`Health`].

use super::pull::{Pass, SyncError};
use crate::caldav::{self, ErrorKind};
use crate::store::StoreError;
use jiff::{SignedDuration, Timestamp};

/// How a source does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When a pass last read all of it; `None`: none has since this process began.
    pub read_at: Option<Timestamp>,
    /// What has kept passes from that since; `None`: nothing.
    pub trouble: Option<Trouble>,
}

/// What keeps a source from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Of what kind.
    pub kind: TroubleKind,
    /// When the first of the passes failed that have failed so, one after the other.
    pub since: Timestamp,
    /// When the last one did.
    pub at: Timestamp,
    /// In words, for the host: what could not be done, where, why. Never a password.
    pub what: String,
}

/// Why a source cannot be read, by what is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TroubleKind {
    /// The login is refused: polling has stopped, since further tries can lock the account. The host must give another.
    Login,
    /// A login by OAuth is not there or has ended: nothing is sent until the host has logged in again.
    LoggedOut,
    /// The account may not read what it is to read.
    Forbidden,
    /// A calendar, a folder or the whole service is not where the config says.
    Missing,
    /// The config does not allow it, or cannot be used: plain http, another site, a private address, a certificate.
    Settings,
    /// The server asks to be left alone for a while.
    Paused,
    /// No connection, or no answer.
    Unreachable,
    /// The server answers with failures, or with what no calendar server answers.
    Server,
    /// What was read could not be stored: a full disk, for one.
    Store,
}

impl TroubleKind {
    /// One word, for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            TroubleKind::Login => "login",
            TroubleKind::LoggedOut => "logged-out",
            TroubleKind::Forbidden => "forbidden",
            TroubleKind::Missing => "missing",
            TroubleKind::Settings => "settings",
            TroubleKind::Paused => "paused",
            TroubleKind::Unreachable => "unreachable",
            TroubleKind::Server => "server",
            TroubleKind::Store => "store",
        }
    }

    /// Whether it stays until the host does something.
    pub fn needs_the_host(self) -> bool {
        matches!(
            self,
            TroubleKind::Login
                | TroubleKind::LoggedOut
                | TroubleKind::Forbidden
                | TroubleKind::Missing
                | TroubleKind::Settings
        )
    }
}

/// Why a pass did not read everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setback {
    /// Of what kind.
    pub kind: TroubleKind,
    /// In words, for the host.
    pub what: String,
    /// How long the server asks us to wait: at most an hour.
    pub retry_after: Option<SignedDuration>,
    /// False when the server was not even asked, since it had refused the login to another who speaks to it.
    pub asked: bool,
}

impl Setback {
    /// What an error of a pass means; `None` for what another error of the pass explains, and for the store's, which are the
    /// process's own.
    pub fn of(error: &SyncError) -> Option<Setback> {
        let (kind, retry_after) = match error {
            SyncError::Server(error) | SyncError::Unread { error, .. } => (kind(error), error.retry_after()),
            SyncError::NoSuchCalendar { .. } | SyncError::Subscribed { .. } | SyncError::Folder { .. } => {
                (TroubleKind::Missing, None)
            }
            SyncError::NoAvailability { .. } => (TroubleKind::Settings, None),
            // The calendar before it says why.
            SyncError::NotAsked { .. } | SyncError::Store(_) => return None,
        };
        let asked = !matches!(error, SyncError::Server(error) if !error.was_sent());
        Some(Setback { kind, what: error.to_string(), retry_after, asked })
    }

    /// What a store means that cannot keep what was read, for now.
    pub fn of_store(error: &StoreError) -> Setback {
        Setback { kind: TroubleKind::Store, what: error.to_string(), retry_after: None, asked: true }
    }

    /// What kept a pass from reading everything: of several, the one that weighs most.
    pub fn of_pass(pass: &Pass) -> Option<Setback> {
        let setbacks = pass.calendars.iter().filter_map(|calendar| Setback::of(calendar.result.as_ref().err()?));
        // The first of equals.
        setbacks.reduce(|worst, next| if next.weight() > worst.weight() { next } else { worst })
    }

    /// What decides the next pause comes first: a refused login, a wish of the server, then what the host must mend.
    fn weight(&self) -> u8 {
        match self.kind {
            TroubleKind::Login | TroubleKind::LoggedOut => 4,
            TroubleKind::Paused => 3,
            TroubleKind::Unreachable | TroubleKind::Server | TroubleKind::Store => 2,
            TroubleKind::Forbidden | TroubleKind::Missing | TroubleKind::Settings => 1,
        }
    }
}

fn kind(error: &caldav::Error) -> TroubleKind {
    match error.kind() {
        ErrorKind::Unauthorized => TroubleKind::Login,
        ErrorKind::LoginEnded => TroubleKind::LoggedOut,
        ErrorKind::Forbidden => TroubleKind::Forbidden,
        ErrorKind::NotFound | ErrorKind::NoCalendars => TroubleKind::Missing,
        ErrorKind::Insecure | ErrorKind::Settings | ErrorKind::PrivateAddress | ErrorKind::Tls => TroubleKind::Settings,
        ErrorKind::TooManyRequests { .. } => TroubleKind::Paused,
        ErrorKind::Unavailable { retry_after: Some(_) } => TroubleKind::Paused,
        ErrorKind::Network | ErrorKind::Timeout => TroubleKind::Unreachable,
        ErrorKind::PreconditionFailed
        | ErrorKind::UidConflict { .. }
        | ErrorKind::Conflict
        | ErrorKind::Locked
        | ErrorKind::Quota
        | ErrorKind::Rejected { .. }
        | ErrorKind::Unavailable { retry_after: None }
        | ErrorKind::Server(_)
        | ErrorKind::BadAnswer
        | ErrorKind::TooLarge => TroubleKind::Server,
    }
}

impl Health {
    /// How the source does after a pass at `now`. Trouble of one kind has one beginning, however its words change.
    pub fn after(&self, setback: Option<&Setback>, now: Timestamp) -> Health {
        let Some(setback) = setback else { return Health { read_at: Some(now), trouble: None } };
        let same = self.trouble.as_ref().filter(|trouble| trouble.kind == setback.kind);
        let since = same.map_or(now, |trouble| trouble.since);
        let trouble = Trouble { kind: setback.kind, since, at: now, what: setback.what.clone() };
        Health { read_at: self.read_at, trouble: Some(trouble) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn setback(kind: TroubleKind, what: &str) -> Setback {
        Setback { kind, what: what.to_owned(), retry_after: None, asked: true }
    }

    #[test]
    fn trouble_begins_once_however_its_words_change_and_ends_with_a_good_pass() {
        let well = Health::default().after(None, at(0));
        assert_eq!(well, Health { read_at: Some(at(0)), trouble: None });
        let down = well.after(Some(&setback(TroubleKind::Unreachable, "refused")), at(5));
        let still = down.after(Some(&setback(TroubleKind::Unreachable, "timed out")), at(6));
        let trouble = still.trouble.clone().unwrap();
        assert_eq!((trouble.since, trouble.at, trouble.what.as_str()), (at(5), at(6), "timed out"));
        assert_eq!(still.read_at, Some(at(0)));
        let other = still.after(Some(&setback(TroubleKind::Login, "401")), at(7));
        assert_eq!(other.trouble.as_ref().unwrap().since, at(7));
        assert_eq!(other.after(None, at(8)), Health { read_at: Some(at(8)), trouble: None });
    }
}
