//! Opening the database file: one daemon, our own file, a sound file, the newest schema. Start with [`open`].

use super::error::{Result, StoreError, StoreErrorKind};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The daemon, of which there is one: takes the lock, and checks the whole file.
    Daemon,
    /// A command, beside a daemon or without one. It may write too.
    Tool,
}

/// The steps from an empty file to the newest schema; `user_version` counts those done. Only ever append.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0006.sql"),
    include_str!("migrations/0007.sql"),
    include_str!("migrations/0008.sql"),
    include_str!("migrations/0009.sql"),
    include_str!("migrations/0010.sql"),
    include_str!("migrations/0011.sql"),
];

/// Marks the file as ours (`application_id`): "OfHr".
const APPLICATION: i32 = 0x4f66_4872;

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The connections of an open store.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    pub(super) lock: Option<File>,
}

/// Opens or makes the file.
pub(super) fn open(path: &Path, access: Access, readers: usize) -> Result<Opened> {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(file_error("make the directory", parent))?;
    }
    let lock = match access {
        Access::Daemon => Some(take_lock(path)?.map_err(|pid| StoreError::InUse { path: path.to_owned(), pid })?),
        Access::Tool => None,
    };
    // SQLite gives the files beside it (-wal, -shm) the same mode.
    let create = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
    drop(create.map_err(file_error("open the store", path))?);
    let (writer, readers) = connect(path, access, readers).map_err(|error| match error {
        StoreError::Sqlite(error) if error.sqlite_error_code() == Some(NotADatabase) => {
            StoreError::Foreign { path: path.to_owned() }
        }
        StoreError::Sqlite(error) if error.sqlite_error_code() == Some(DatabaseCorrupt) => {
            StoreError::Damaged { path: path.to_owned(), what: error.to_string() }
        }
        StoreError::Sqlite(source) if StoreError::kind_of(&source) == StoreErrorKind::Disk => {
            StoreError::Unwritable { path: path.to_owned(), source }
        }
        error => error,
    })?;
    Ok(Opened { writer, readers, lock })
}

fn connect(path: &Path, access: Access, readers: usize) -> Result<(Connection, Vec<Connection>)> {
    let mut writer =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    configure(&writer)?;
    let (found, known) = (version(&writer, path)?, newest());
    let migrating = match access {
        // Not beneath a running daemon of an older version.
        Access::Tool if found < known => {
            let in_use = |pid| StoreError::OlderInUse { path: path.to_owned(), found, known, pid };
            Some(take_lock(path)?.map_err(in_use)?)
        }
        _ => None,
    };
    let mode: String = writer.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::NoWriteAheadLog { path: path.to_owned(), mode });
    }
    if access == Access::Daemon {
        check(&writer, path)?;
    }
    migrate(&mut writer)?;
    drop(migrating);

    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = |_| {
        let reader = Connection::open_with_flags(path, read_only)?;
        configure(&reader)?;
        Ok(reader)
    };
    Ok((writer, (0..readers).map(reader).collect::<Result<_>>()?))
}

/// A store that lives as long as its connection.
pub(super) fn open_memory() -> Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    configure(&connection)?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn file_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { path, what, source }
}

/// The lock beside the database, or the process that has it. The file stays: a lock on a removed file excludes nobody.
fn take_lock(database: &Path) -> Result<std::result::Result<File, String>> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = opened.map_err(file_error("open the lock file", &path))?;
    match file.try_lock() {
        Ok(()) => {
            let written = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            written.map_err(file_error("write the lock file", &path))?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let known = file.read_to_string(&mut pid).is_ok() && !pid.is_empty();
            Ok(Err(if known { pid } else { "unknown".to_owned() }))
        }
        Err(TryLockError::Error(source)) => Err(StoreError::File { path, what: "lock", source }),
    }
}

fn configure(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch(
        "PRAGMA foreign_keys = ON;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA trusted_schema = OFF;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// The newest schema that this binary knows.
fn newest() -> i64 {
    MIGRATIONS.len() as i64
}

/// The schema of the file, which must be ours, and not newer than the binary.
fn version(connection: &Connection, path: &Path) -> Result<i64> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if application != APPLICATION && (application, found, tables) != (0, 0, 0) {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    match newest() {
        known if found > known => Err(StoreError::Newer { path: path.to_owned(), found, known }),
        _ => Ok(found),
    }
}

/// `quick_check`: every page but the order of indexes; seconds for a gigabyte.
fn check(connection: &Connection, path: &Path) -> Result<()> {
    match connection.query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0))? {
        ok if ok == "ok" => Ok(()),
        what => Err(StoreError::Damaged { path: path.to_owned(), what }),
    }
}

/// Does the steps that were not done yet: all of them or none.
fn migrate(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(steps) =
        usize::try_from(done).ok().and_then(|done| MIGRATIONS.get(done..)).filter(|steps| !steps.is_empty())
    else {
        return Ok(());
    };
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", newest())?;
    Ok(transaction.commit()?)
}
