//! Rate limits that outlast a restart: a log of what counted, per kind and key. See [`Store::hit`].

use super::error::Result;
use super::value::At;
use super::{End, Store};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};
use std::net::IpAddr;

/// Something that counts against a limit.
#[derive(Clone, Debug)]
pub struct Hit {
    /// What is limited, such as `bookings-per-ip`.
    pub kind: &'static str,
    /// Who is limited, such as an address.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// At most this many...
    pub count: u32,
    /// ...in any span of this length. Positive.
    pub span: SignedDuration,
}

/// Whether it is within the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitOutcome {
    /// It is, and counts from now on.
    Allowed,
    /// It is not, and does not count.
    Limited {
        /// When it would be.
        retry_after: SignedDuration,
    },
}

impl Store {
    /// Counts something, if it is within its limit. It writes to the disk: for what is rare, such as bookings.
    pub async fn hit(&self, hit: Hit) -> Result<HitOutcome> {
        self.write(move |tx| {
            Ok(match count(tx, &hit)? {
                HitOutcome::Allowed => End::Commit(HitOutcome::Allowed),
                limited => End::Rollback(limited),
            })
        })
        .await
    }
}

impl Store {
    /// Keeps what was counted of each address's requests, in place of what was kept before.
    pub async fn count_requests(&self, counted: Vec<(IpAddr, Timestamp)>) -> Result<()> {
        self.write(move |tx| {
            if tx.execute("DELETE FROM request", ())? == 0 && counted.is_empty() {
                return Ok(End::Rollback(()));
            }
            let mut insert = tx.prepare_cached("INSERT INTO request (address, free_at) VALUES (?1, ?2)")?;
            for (address, free_at) in &counted {
                insert.execute(params![address.to_string(), At(*free_at)])?;
            }
            Ok(End::Commit(()))
        })
        .await
    }

    /// What was kept of each address's requests.
    pub async fn counted_requests(&self) -> Result<Vec<(IpAddr, Timestamp)>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached("SELECT address, free_at FROM request")?;
            let rows = statement.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, At>(1)?.0)))?;
            let all = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(all.into_iter().filter_map(|(address, at)| Some((address.parse().ok()?, at))).collect())
        })
        .await
    }
}

/// Counts within a transaction.
pub(super) fn count(tx: &Connection, hit: &Hit) -> Result<HitOutcome> {
    let since = hit.at.checked_sub(hit.span).unwrap_or(Timestamp::MIN);
    let Some(newest) = hit.count.checked_sub(1) else {
        return Ok(HitOutcome::Limited { retry_after: hit.span });
    };
    // The one that must have left the span before another is within the limit: with 5 allowed, the fifth newest.
    let mut statement = tx.prepare_cached(
        "SELECT at FROM hit WHERE kind = ?1 AND key = ?2 AND at > ?3 ORDER BY at DESC LIMIT 1 OFFSET ?4",
    )?;
    let mut rows = statement.query(params![hit.kind, hit.key, At(since), newest])?;
    if let Some(row) = rows.next()? {
        let At(leaving) = row.get(0)?;
        // A clock that was put back must not lock anyone out for longer than the span.
        let retry_after = leaving.duration_since(since).clamp(SignedDuration::from_micros(1), hit.span);
        return Ok(HitOutcome::Limited { retry_after });
    }
    tx.prepare_cached("DELETE FROM hit WHERE kind = ?1 AND key = ?2 AND at <= ?3")?.execute(params![
        hit.kind,
        hit.key,
        At(since)
    ])?;
    tx.prepare_cached("INSERT INTO hit (kind, key, at) VALUES (?1, ?2, ?3)")?.execute(params![
        hit.kind,
        hit.key,
        At(hit.at)
    ])?;
    Ok(HitOutcome::Allowed)
}
