//! The last good feeds: their bytes, and since when they are so (Last-Modified, RFC 9110 8.8.2).

use super::error::Result;
use super::value::At;
use super::{End, Store};
use crate::availability::HostId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// A feed as it was last published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFeed {
    /// Strong ETag with its quotes.
    pub etag: String,
    /// Since when it is so.
    pub modified: Timestamp,
    /// The bytes.
    pub body: Vec<u8>,
}

fn mark(tx: &Connection, host: &HostId, meeting: &str, etag: &str, at: Timestamp) -> Result<(Timestamp, bool)> {
    let mut known = tx.prepare_cached("SELECT modified FROM feed WHERE host = ?1 AND meeting = ?2 AND etag = ?3")?;
    if let Some(At(modified)) = known.query_row(params![host, meeting, etag], |row| row.get(0)).optional()? {
        return Ok((modified, false));
    }
    tx.prepare_cached(
        "INSERT INTO feed (host, meeting, etag, modified) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET etag = ?3, modified = ?4, body = NULL",
    )?
    .execute(params![host, meeting, etag, At(at)])?;
    Ok((at, true))
}

impl Store {
    /// Since when a feed has this ETag: the stored instant when it had it before, else `at`, from now on. `meeting` is any name within the host.
    pub async fn feed_mark(&self, host: &HostId, meeting: &str, etag: &str, at: Timestamp) -> Result<Timestamp> {
        let (host, meeting, etag) = (host.clone(), meeting.to_owned(), etag.to_owned());
        self.write(move |tx| {
            Ok(match mark(tx, &host, &meeting, &etag, at)? {
                (modified, true) => End::Commit(modified),
                (modified, false) => End::Rollback(modified),
            })
        })
        .await
    }

    /// The same, and keeps the bytes, to be served over a restart.
    pub async fn keep_feed(&self, host: &HostId, meeting: &str, feed: KeptFeed) -> Result<Timestamp> {
        let (host, meeting) = (host.clone(), meeting.to_owned());
        self.write(move |tx| {
            let (modified, _) = mark(tx, &host, &meeting, &feed.etag, feed.modified)?;
            let mut keep =
                tx.prepare_cached("UPDATE feed SET body = ?3 WHERE host = ?1 AND meeting = ?2 AND body IS NOT ?3")?;
            Ok(match keep.execute(params![host, meeting, feed.body])? {
                0 => End::Rollback(modified),
                _ => End::Commit(modified),
            })
        })
        .await
    }

    /// A feed as it was last kept with its bytes.
    pub async fn kept_feed(&self, host: &HostId, meeting: &str) -> Result<Option<KeptFeed>> {
        let (host, meeting) = (host.clone(), meeting.to_owned());
        self.read(move |tx| {
            let sql = "SELECT etag, modified, body FROM feed WHERE host = ?1 AND meeting = ?2 AND body IS NOT NULL";
            let row = tx.query_row(sql, params![host, meeting], |row| {
                Ok(KeptFeed { etag: row.get(0)?, modified: row.get::<_, At>(1)?.0, body: row.get(2)? })
            });
            Ok(row.optional()?)
        })
        .await
    }
}
