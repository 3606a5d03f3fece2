//! How far the mailbox of answers was read, so that a restart reads nothing twice and passes nothing over.

use super::error::Result;
use super::value::At;
use super::{End, Store};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// How far a mailbox was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboxPlace {
    /// UIDVALIDITY (RFC 9051 2.3.1.1): with another, `uid` means nothing.
    pub validity: u32,
    /// The UID of the last message that was read.
    pub uid: u32,
    /// When it was.
    pub read_at: Timestamp,
}

impl Store {
    /// How far the mailbox of that name was read; `None`: it never was.
    pub async fn inbox_place(&self, name: &str) -> Result<Option<InboxPlace>> {
        let name = name.to_owned();
        self.read(move |tx| {
            let mut statement = tx.prepare_cached("SELECT validity, uid, read_at FROM inbox WHERE name = ?1")?;
            let place = statement.query_row(params![name], |row| {
                Ok(InboxPlace { validity: row.get(0)?, uid: row.get(1)?, read_at: row.get::<_, At>(2)?.0 })
            });
            Ok(place.optional()?)
        })
        .await
    }

    /// The mailbox of that name was read so far.
    pub async fn set_inbox_place(&self, name: &str, place: InboxPlace) -> Result<()> {
        let name = name.to_owned();
        self.write(move |tx| {
            let sql = "INSERT INTO inbox (name, validity, uid, read_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET validity = excluded.validity, uid = excluded.uid, read_at = excluded.read_at";
            tx.execute(sql, params![name, place.validity, place.uid, At(place.read_at)])?;
            Ok(End::Commit(()))
        })
        .await
    }
}
