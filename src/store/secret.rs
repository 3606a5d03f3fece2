//! Keys that this store was given at its birth, such as the one that tokens and UIDs are derived from.

use super::error::Result;
use super::{End, Store};
use rusqlite::{OptionalExtension, params};

impl Store {
    /// The key of that name; `fresh` (random, of the caller's) becomes the key when there is none yet.
    pub async fn secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32]> {
        let name = name.to_owned();
        self.write(move |tx| {
            let known =
                tx.query_row("SELECT value FROM secret WHERE name = ?1", params![name], |row| row.get(0)).optional()?;
            if let Some(value) = known {
                return Ok(End::Rollback(value));
            }
            tx.execute("INSERT INTO secret (name, value) VALUES (?1, ?2)", params![name, fresh])?;
            Ok(End::Commit(fresh))
        })
        .await
    }
}
