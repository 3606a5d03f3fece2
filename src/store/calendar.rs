//! The calendars of a host: what was discovered, and how far each was read.

use super::account::{Failure, failure};
use super::error::{Result, StoreError};
use super::value::At;
use super::{End, Store};
use crate::availability::HostId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Names a calendar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarKey {
    /// Whose it is.
    pub host: HostId,
    /// The `id` of the account.
    pub account: String,
    /// The path of the collection, as the server writes it.
    pub href: String,
}

/// What a calendar is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarRole {
    /// Its events make the host busy: it is not marked transparent (RFC 6638 9.1).
    pub busy: bool,
    /// Events can be written to it; `None` when the server does not say.
    pub writable: Option<bool>,
}

/// A calendar as discovery found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarEntry {
    /// The path of the collection, as the server writes it.
    pub href: String,
    /// For people to read.
    pub name: String,
    /// What it is for.
    pub role: CalendarRole,
    /// The zone of its floating times and dates, as the server says it; `None` when it does not.
    pub time_zone: Option<String>,
}

/// A calendar, and how far it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCalendar {
    /// Its name in the store.
    pub key: CalendarKey,
    /// For people to read.
    pub name: String,
    /// What it is for.
    pub role: CalendarRole,
    /// The zone of its floating times and dates, as the server says it; `None` when it does not.
    pub time_zone: Option<String>,
    /// The sync token (RFC 6578) that stands for the objects in the store.
    pub sync_token: Option<String>,
    /// The CTag that stands for the objects in the store.
    pub ctag: Option<String>,
    /// When the objects in the store were last known to be those of the server; `None` before that.
    pub read_at: Option<Timestamp>,
    /// When they were last compared one by one.
    pub listed_at: Option<Timestamp>,
    /// What was learnt of the server's behaviour, as JSON of the caller's.
    pub strategy: Option<String>,
    /// `None` since the last success.
    pub failure: Option<Failure>,
}

impl CalendarKey {
    /// The row of the calendar, or the error that it is not known.
    pub(super) fn row_id(&self, connection: &Connection) -> Result<i64> {
        let mut statement =
            connection.prepare_cached("SELECT id FROM calendar WHERE host = ?1 AND account = ?2 AND href = ?3")?;
        let id = statement.query_row(params![self.host, self.account, self.href], |row| row.get(0)).optional()?;
        id.ok_or_else(|| StoreError::UnknownCalendar {
            host: self.host.to_string(),
            account: self.account.clone(),
            href: self.href.clone(),
        })
    }
}

fn calendar(row: &Row<'_>) -> rusqlite::Result<StoredCalendar> {
    let instant = |column: &str| Ok::<_, rusqlite::Error>(row.get::<_, Option<At>>(column)?.map(|At(at)| at));
    Ok(StoredCalendar {
        key: CalendarKey { host: row.get("host")?, account: row.get("account")?, href: row.get("href")? },
        name: row.get("name")?,
        role: CalendarRole { busy: row.get("busy")?, writable: row.get("writable")? },
        time_zone: row.get("time_zone")?,
        sync_token: row.get("sync_token")?,
        ctag: row.get("ctag")?,
        read_at: instant("read_at")?,
        listed_at: instant("listed_at")?,
        strategy: row.get("strategy")?,
        failure: failure(row)?,
    })
}

impl Store {
    /// The calendars of a host, in the order in which they were first seen.
    pub async fn calendars(&self, host: &HostId) -> Result<Vec<StoredCalendar>> {
        let host = host.clone();
        self.read(move |tx| {
            let mut statement = tx.prepare_cached("SELECT * FROM calendar WHERE host = ?1 ORDER BY id")?;
            let rows = statement.query_map(params![host], calendar)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// One calendar; `None` when it is not known.
    pub async fn calendar(&self, key: &CalendarKey) -> Result<Option<StoredCalendar>> {
        let key = key.clone();
        self.read(move |tx| {
            let mut statement =
                tx.prepare_cached("SELECT * FROM calendar WHERE host = ?1 AND account = ?2 AND href = ?3")?;
            Ok(statement.query_row(params![key.host, key.account, key.href], calendar).optional()?)
        })
        .await
    }

    /// The calendars that an account has. Those known stay as far as they were read; those not named are forgotten with their objects.
    /// Only for a discovery that succeeded.
    pub async fn set_calendars(&self, host: &HostId, account: &str, calendars: Vec<CalendarEntry>) -> Result<()> {
        let (host, account) = (host.clone(), account.to_owned());
        self.write(move |tx| {
            let hrefs: Vec<&str> = calendars.iter().map(|calendar| calendar.href.as_str()).collect();
            tx.execute(
                "DELETE FROM calendar WHERE host = ?1 AND account = ?2 AND href NOT IN (SELECT value FROM json_each(?3))",
                params![host, account, super::value::Json(hrefs)],
            )?;
            let mut upsert = tx.prepare_cached(
                "INSERT INTO calendar (host, account, href, name, busy, writable, time_zone) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET name = ?4, busy = ?5, writable = ?6, time_zone = ?7",
            )?;
            for CalendarEntry { href, name, role, time_zone } in &calendars {
                upsert.execute(params![host, account, href, name, role.busy, role.writable, time_zone])?;
            }
            Ok(End::Commit(()))
        })
        .await
    }

    /// Has the calendars of this host, or of all, compared with their server's whole list at the next pass.
    pub async fn list_anew(&self, host: Option<&HostId>) -> Result<()> {
        let host = host.cloned();
        self.write(move |tx| {
            let sql = "UPDATE calendar SET listed_at = NULL WHERE ?1 IS NULL OR host = ?1";
            tx.prepare_cached(sql)?.execute(params![host])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// The server says that nothing has changed: what is stored is as of `read_at`. A failure is forgotten.
    pub async fn mark_read(&self, key: &CalendarKey, read_at: Timestamp) -> Result<()> {
        let key = key.clone();
        self.write(move |tx| {
            let id = key.row_id(tx)?;
            let sql = "UPDATE calendar SET read_at = ?2, last_error = NULL, failed_at = NULL WHERE id = ?1";
            tx.prepare_cached(sql)?.execute(params![id, At(read_at)])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// Remembers that a calendar could not be read. What is stored of it stays as it is, with its age.
    pub async fn mark_failed(&self, key: &CalendarKey, failure: Failure) -> Result<()> {
        let key = key.clone();
        self.write(move |tx| {
            let id = key.row_id(tx)?;
            let sql = "UPDATE calendar SET last_error = ?2, failed_at = ?3 WHERE id = ?1";
            tx.prepare_cached(sql)?.execute(params![id, failure.error, At(failure.at)])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// Remembers what was learnt of the server's behaviour, as JSON of the caller's.
    pub async fn set_strategy(&self, key: &CalendarKey, strategy: Option<String>) -> Result<()> {
        let key = key.clone();
        self.write(move |tx| {
            let id = key.row_id(tx)?;
            tx.execute("UPDATE calendar SET strategy = ?2 WHERE id = ?1", params![id, strategy])?;
            Ok(End::Commit(()))
        })
        .await
    }
}
