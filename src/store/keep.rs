//! What is not kept for ever: bookings of long ago, guests who want to be forgotten, what was counted and done.

use super::booking::guest_key;
use super::error::Result;
use super::value::At;
use super::{End, Store};
use jiff::Timestamp;
use rusqlite::params;

/// What is old.
#[derive(Clone, Copy, Debug)]
pub struct Purge {
    /// Hits before this; not sooner than the longest span of a limit.
    pub hits_before: Timestamp,
    /// Idempotency keys before this: 24 hours ago.
    pub idempotency_before: Timestamp,
    /// Effects done before this, and mails about alerts that were decided before it and are sent or given up.
    pub done_before: Timestamp,
}

/// Nothing is still to be done for the booking.
const SETTLED: &str =
    "NOT EXISTS (SELECT 1 FROM effect WHERE effect.booking = booking.id AND effect.state = 'pending')";

impl Store {
    /// Erases the bookings that ended before the instant and for which nothing is still to be done, with their effects; how many.
    pub async fn erase_ended_before(&self, instant: Timestamp) -> Result<usize> {
        self.write(move |tx| {
            let sql = format!("DELETE FROM booking WHERE ends_at < ?1 AND {SETTLED}");
            Ok(End::Commit(tx.execute(&sql, params![At(instant)])?))
        })
        .await
    }

    /// Erases the bookings of a guest's address that are past or hold no slot and for which nothing is still to be done; how many.
    /// Those ahead are to be cancelled first.
    pub async fn erase_guest(&self, email: &str, now: Timestamp) -> Result<usize> {
        let guest = guest_key(email);
        self.write(move |tx| {
            let sql =
                format!("DELETE FROM booking WHERE guest_key = ?1 AND (holds = 0 OR ends_at <= ?2) AND {SETTLED}");
            let erased = tx.execute(&sql, params![guest, At(now)])?;
            tx.execute("DELETE FROM hit WHERE key = ?1", params![guest])?;
            Ok(End::Commit(erased))
        })
        .await
    }

    /// Removes what is old and of no use; how many rows.
    pub async fn purge(&self, purge: Purge) -> Result<usize> {
        self.write(move |tx| {
            let hits = tx.execute("DELETE FROM hit WHERE at < ?1", params![At(purge.hits_before)])?;
            let keys = tx.execute("DELETE FROM idempotency WHERE at < ?1", params![At(purge.idempotency_before)])?;
            let done = tx.execute(
                "DELETE FROM effect WHERE state = 'done' AND finished_at < ?1",
                params![At(purge.done_before)],
            )?;
            let told = tx.execute(
                "DELETE FROM notice WHERE state <> 'pending' AND created_at < ?1",
                params![At(purge.done_before)],
            )?;
            Ok(End::Commit(hits + keys + done + told))
        })
        .await
    }
}
