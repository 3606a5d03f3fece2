//! Calendar objects: the bytes as the server sent them, by href.

use super::calendar::CalendarKey;
use super::error::Result;
use super::value::Json;
use super::{End, Store};
use crate::availability::HostId;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A calendar object (RFC 4791 4.1) as the server sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Its path, as the server writes it.
    pub href: String,
    /// With its quotes, as the server writes it; `None` when the server gave none.
    pub etag: Option<String>,
    /// iCalendar text, unchanged.
    pub data: Vec<u8>,
}

fn object(row: &Row<'_>) -> rusqlite::Result<StoredObject> {
    Ok(StoredObject { href: row.get("href")?, etag: row.get("etag")?, data: row.get("data")? })
}

/// Stores an object in place of what was at its href.
pub(super) fn put(connection: &Connection, calendar: i64, object: &StoredObject) -> Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO object (calendar, href, etag, data) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET etag = ?3, data = ?4",
    )?;
    upsert.execute(params![calendar, object.href, object.etag, object.data])?;
    Ok(())
}

/// Removes an object; false when there was none.
pub(super) fn forget(connection: &Connection, calendar: i64, href: &str) -> Result<bool> {
    let mut delete = connection.prepare_cached("DELETE FROM object WHERE calendar = ?1 AND href = ?2")?;
    Ok(delete.execute(params![calendar, href])? > 0)
}

/// The version of an object that is held; `Some(None)`: one without an ETag.
pub(super) fn etag(connection: &Connection, calendar: i64, href: &str) -> Result<Option<Option<String>>> {
    let mut select = connection.prepare_cached("SELECT etag FROM object WHERE calendar = ?1 AND href = ?2")?;
    Ok(select.query_row(params![calendar, href], |row| row.get(0)).optional()?)
}

impl Store {
    /// All objects of a calendar, by href. An error, never an empty list, when the calendar is not known.
    pub async fn objects(&self, key: &CalendarKey) -> Result<Vec<StoredObject>> {
        let key = key.clone();
        self.read(move |tx| {
            let calendar = key.row_id(tx)?;
            let mut statement =
                tx.prepare_cached("SELECT href, etag, data FROM object WHERE calendar = ?1 ORDER BY href")?;
            let rows = statement.query_map(params![calendar], object)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// One object; `None` when the calendar has none at that href.
    pub async fn object(&self, key: &CalendarKey, href: &str) -> Result<Option<StoredObject>> {
        let (key, href) = (key.clone(), href.to_owned());
        self.read(move |tx| {
            let calendar = key.row_id(tx)?;
            let mut statement =
                tx.prepare_cached("SELECT href, etag, data FROM object WHERE calendar = ?1 AND href = ?2")?;
            Ok(statement.query_row(params![calendar, href], object).optional()?)
        })
        .await
    }

    /// The objects at these hrefs in these calendars of an account.
    pub async fn objects_at(
        &self,
        host: &HostId,
        account: &str,
        calendars: Vec<String>,
        hrefs: Vec<String>,
    ) -> Result<Vec<StoredObject>> {
        let (host, account) = (host.clone(), account.to_owned());
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(
                "SELECT object.href, object.etag, object.data FROM calendar CROSS JOIN json_each(?4) AS wanted
                     CROSS JOIN object ON object.calendar = calendar.id AND object.href = wanted.value
                 WHERE host = ?1 AND account = ?2 AND calendar.href IN (SELECT value FROM json_each(?3))",
            )?;
            let rows = statement.query_map(params![host, account, Json(calendars), Json(hrefs)], object)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// The hrefs and ETags of a calendar, by href: what a listing is compared with.
    pub async fn object_etags(&self, key: &CalendarKey) -> Result<Vec<(String, Option<String>)>> {
        let key = key.clone();
        self.read(move |tx| {
            let calendar = key.row_id(tx)?;
            let mut statement = tx.prepare_cached("SELECT href, etag FROM object WHERE calendar = ?1 ORDER BY href")?;
            let rows = statement.query_map(params![calendar], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Stores an object that we wrote or read on its own, not as part of a pull.
    pub async fn put_object(&self, key: &CalendarKey, object: StoredObject) -> Result<()> {
        let key = key.clone();
        self.write(move |tx| {
            put(tx, key.row_id(tx)?, &object)?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// Forgets an object that is known to be gone; false when there was none.
    pub async fn forget_object(&self, key: &CalendarKey, href: &str) -> Result<bool> {
        let (key, href) = (key.clone(), href.to_owned());
        self.write(move |tx| Ok(End::Commit(forget(tx, key.row_id(tx)?, &href)?))).await
    }
}
