//! What can go wrong with the store, worded for the reader of a log.

use std::path::PathBuf;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another daemon has it.
    #[error("the store {} is in use by process {pid}: stop that daemon first, or give this one a [store] path of its own", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
        /// Who has it, as far as the lock file says.
        pid: String,
    },
    /// A newer officehours wrote it.
    #[error("the store {} has schema {found}, but this officehours knows only up to {known}: run the version that wrote it, or a newer one", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema of this binary.
        known: i64,
    },
    /// It needs a migration, but an older daemon is running on it.
    #[error("the store {} must be brought from schema {found} to {known}, but process {pid} is using it: restart the daemon with this version first", path.display())]
    OlderInUse {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema of this binary.
        known: i64,
        /// Who has it, as far as the lock file says.
        pid: String,
    },
    /// Some other program's database.
    #[error("{} is a database, but not a store of officehours: give another [store] path", path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// The database contradicts itself.
    #[error("the store {} is damaged ({what}): put a backup in its place", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite found first.
        what: String,
    },
    /// SQLite cannot write ahead there.
    #[error("the store {} is on a file system without write-ahead logging (journal mode {mode}): put it on a local disk", path.display())]
    NoWriteAheadLog {
        /// The database.
        path: PathBuf,
        /// What SQLite uses instead.
        mode: String,
    },
    /// It is sound, and the disk does not let it be opened for writing.
    #[error("the store {} cannot be written: make room on its disk, and let its directory belong to the user that runs officehours", path.display())]
    Unwritable {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// A file could not be made or read.
    #[error("cannot {what} {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A backup never overwrites.
    #[error("{} exists: a backup does not overwrite, give another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The calendar was forgotten meanwhile, or never known: there is nothing to read or to write. Never the same as an empty calendar.
    #[error(
        "the calendar {href} of account {account} of {host} is not in the store: its account was discovered anew or removed"
    )]
    UnknownCalendar {
        /// The host.
        host: String,
        /// The account.
        account: String,
        /// The calendar.
        href: String,
    },
    /// Closed, or a query panicked before it answered (its message is in the log).
    #[error("the store gave no answer: it is closed, or failed inside")]
    Closed,
    /// SQLite refused.
    #[error("the store failed")]
    Sqlite(#[from] rusqlite::Error),
}

/// What a caller can do about a [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Another daemon has the store.
    InUse,
    /// The file is not one that this binary can use.
    Unusable,
    /// Another process wrote for too long: try again.
    Busy,
    /// The disk is full or failing: nothing was stored.
    Disk,
    /// The calendar is not known.
    UnknownCalendar,
    /// The store is closed.
    Closed,
    /// Anything else: a fault of ours.
    Other,
}

impl StoreErrorKind {
    /// Whether it may go away by itself, or with room on the disk: what was to be done is to be tried again.
    pub fn passes(self) -> bool {
        matches!(self, StoreErrorKind::Busy | StoreErrorKind::Disk)
    }
}

impl StoreError {
    /// What a caller can do about it.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            StoreError::InUse { .. } | StoreError::OlderInUse { .. } => StoreErrorKind::InUse,
            StoreError::Newer { .. }
            | StoreError::Foreign { .. }
            | StoreError::Damaged { .. }
            | StoreError::NoWriteAheadLog { .. } => StoreErrorKind::Unusable,
            StoreError::File { .. } | StoreError::Unwritable { .. } => StoreErrorKind::Disk,
            StoreError::UnknownCalendar { .. } => StoreErrorKind::UnknownCalendar,
            StoreError::Closed => StoreErrorKind::Closed,
            StoreError::Exists { .. } => StoreErrorKind::Other,
            StoreError::Sqlite(error) => StoreError::kind_of(error),
        }
    }

    /// What a caller can do about what SQLite says.
    pub(super) fn kind_of(error: &rusqlite::Error) -> StoreErrorKind {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreErrorKind::Busy,
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
                StoreErrorKind::Disk
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Unusable,
            _ => StoreErrorKind::Other,
        }
    }
}

/// What a method of the store answers.
pub type Result<T> = std::result::Result<T, StoreError>;
