//! The last good feeds: their bytes, and since when they are so (Last-Modified, RFC 9110 8.8.2).

use super::error::Result;
use super::value::At;
use super::{End, Store};
use crate::availability::HostId;
use jiff::Timestamp;
use rusqlite::params;

/// A feed as it was last published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFeed {
    /// Which of the host's: any name.
    pub name: String,
    /// Strong ETag with its quotes.
    pub etag: String,
    /// Since when it is so.
    pub modified: Timestamp,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Store {
    /// Keeps a feed, to be served over a restart, in place of what was kept under its name.
    pub async fn keep_feed(&self, host: &HostId, feed: KeptFeed) -> Result<()> {
        let host = host.clone();
        self.write(move |tx| {
            let mut keep = tx.prepare_cached(
                "INSERT INTO feed (host, meeting, etag, modified, body) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET etag = ?3, modified = ?4, body = ?5",
            )?;
            keep.execute(params![host, feed.name, feed.etag, At(feed.modified), feed.body])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// The feeds of a host as they were last kept.
    pub async fn kept_feeds(&self, host: &HostId) -> Result<Vec<KeptFeed>> {
        let host = host.clone();
        self.read(move |tx| {
            let sql =
                "SELECT meeting, etag, modified, body FROM feed WHERE host = ?1 AND body IS NOT NULL ORDER BY meeting";
            let mut statement = tx.prepare_cached(sql)?;
            let rows = statement.query_map(params![host], |row| {
                let modified = row.get::<_, At>(2)?.0;
                Ok(KeptFeed { name: row.get(0)?, etag: row.get(1)?, modified, body: row.get(3)? })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}
