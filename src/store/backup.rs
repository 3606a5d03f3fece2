//! A consistent copy of the store while it is in use, through SQLite's online backup. See [`Store::backup`].

use super::Store;
use super::error::{Result, StoreError};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

impl Store {
    /// Copies the store as it is at one moment to a new file (mode 0600), which appears under its name only when it is complete, checked and
    /// on the disk. Nobody is held up. Refuses to overwrite.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        let to = to.to_owned();
        let copy = move |connection: &mut Connection| {
            let mut name = to.as_os_str().to_owned();
            name.push(".partial");
            let partial = PathBuf::from(name);
            let made = write(connection, &to, &partial);
            // Under its own name by now, or of no use.
            let _ = fs::remove_file(&partial);
            made
        };
        self.inner.readers.as_ref().unwrap_or(&self.inner.writer).run(copy).await
    }
}

fn write(from: &Connection, to: &Path, partial: &Path) -> Result<()> {
    let file_error = |what, path: &Path, source| StoreError::File { path: path.to_owned(), what, source };
    if to.try_exists().map_err(|source| file_error("look at", to, source))? {
        return Err(StoreError::Exists { path: to.to_owned() });
    }
    match fs::remove_file(partial) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(file_error("remove", partial, source)),
    }
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(partial);
    drop(created.map_err(|source| file_error("make", partial, source))?);

    let mut copy = Connection::open(partial)?;
    // All pages in one step: one moment, however much is written meanwhile.
    match Backup::new(from, &mut copy)?.step(-1)? {
        StepResult::Done => {}
        unfinished => {
            let source = Error::other(format!("the copy ended as {unfinished:?}"));
            return Err(file_error("copy the store to", partial, source));
        }
    }
    // One file, without a log beside it; opening it as a store brings the log back.
    copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
    let sound: String = copy.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if sound != "ok" {
        return Err(StoreError::Damaged { path: partial.to_owned(), what: sound });
    }
    copy.close().map_err(|(_, error)| error)?;

    File::open(partial)
        .and_then(|file| file.sync_all())
        .map_err(|source| file_error("write to the disk", partial, source))?;
    // A second name instead of a rename: fails when the name was taken meanwhile.
    fs::hard_link(partial, to).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => StoreError::Exists { path: to.to_owned() },
        _ => file_error("make", to, source),
    })?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| file_error("write to the disk", parent, source))
}
