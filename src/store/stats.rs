//! Counts for metrics and for `check`.

use super::error::Result;
use super::value::At;
use super::{Lane, Store};
use crate::booking::BookingState;
use jiff::Timestamp;
use rusqlite::params;

/// Counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreStats {
    /// Bookings by state; every state is there.
    pub bookings: Vec<(BookingState, i64)>,
    /// The outbox, by lane.
    pub lanes: Vec<LaneStats>,
    /// Calendars.
    pub calendars: i64,
    /// Calendar objects.
    pub objects: i64,
    /// Size of the database in bytes, without its log.
    pub bytes: i64,
}

/// One lane of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneStats {
    /// Which.
    pub lane: Lane,
    /// To be done.
    pub pending: i64,
    /// Given up.
    pub failed: i64,
    /// Since when the oldest pending one waits.
    pub oldest: Option<Timestamp>,
}

impl Store {
    /// True when the store answers a question about what is in it.
    pub async fn ping(&self) -> bool {
        self.read(|tx| Ok(tx.query_row("SELECT EXISTS (SELECT 1 FROM booking)", (), |row| row.get::<_, i64>(0))?))
            .await
            .is_ok()
    }

    /// Counts.
    pub async fn stats(&self) -> Result<StoreStats> {
        self.read(|tx| {
            let count = |sql: &str| tx.query_row(sql, (), |row| row.get::<_, i64>(0));
            let mut of_state = tx.prepare_cached("SELECT count(*) FROM booking WHERE state = ?1")?;
            let mut bookings = Vec::new();
            for state in BookingState::ALL {
                bookings.push((state, of_state.query_row(params![state], |row| row.get(0))?));
            }
            let mut of_lane = tx.prepare_cached(
                "SELECT (SELECT count(*) FROM effect WHERE lane = ?1 AND state = 'pending'),
                     (SELECT count(*) FROM effect WHERE lane = ?1 AND state = 'failed'),
                     (SELECT min(created_at) FROM effect WHERE lane = ?1 AND state = 'pending')",
            )?;
            let mut lanes = Vec::new();
            for lane in Lane::ALL {
                lanes.push(of_lane.query_row(params![lane], |row| {
                    let oldest = row.get::<_, Option<At>>(2)?.map(|At(at)| at);
                    Ok(LaneStats { lane, pending: row.get(0)?, failed: row.get(1)?, oldest })
                })?);
            }
            Ok(StoreStats {
                bookings,
                lanes,
                calendars: count("SELECT count(*) FROM calendar")?,
                objects: count("SELECT count(*) FROM object")?,
                bytes: count("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")?,
            })
        })
        .await
    }
}
