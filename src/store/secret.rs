//! Values of 32 bytes that belong to this store for good, such as the mark of the key that its tokens are made from.

use super::error::Result;
use super::{End, Store};
use rusqlite::{OptionalExtension, params};

impl Store {
    /// The value of that name, if there is one.
    pub async fn secret(&self, name: &str) -> Result<Option<[u8; 32]>> {
        let name = name.to_owned();
        self.read(move |tx| {
            Ok(tx.query_row("SELECT value FROM secret WHERE name = ?1", params![name], |row| row.get(0)).optional()?)
        })
        .await
    }

    /// Stores a value, and forgets another, together.
    pub async fn replace_secret(&self, forget: &str, name: &str, value: [u8; 32]) -> Result<()> {
        let (forget, name) = (forget.to_owned(), name.to_owned());
        self.write(move |tx| {
            tx.execute("DELETE FROM secret WHERE name = ?1", params![forget])?;
            tx.execute("INSERT OR REPLACE INTO secret (name, value) VALUES (?1, ?2)", params![name, value])?;
            Ok(End::Commit(()))
        })
        .await
    }
}
