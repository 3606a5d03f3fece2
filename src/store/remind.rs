//! Reminders and the host's list of a day: what was sent, so that each is sent once, over restarts too.

use super::booking::booking;
use super::effect::{NewEffect, insert_effects};
use super::error::Result;
use super::value::{At, Json};
use super::{End, Store};
use crate::availability::{HostId, Interval};
use crate::booking::{Booking, DayEntry};
use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{OptionalExtension, params};

/// A booking that is ahead, and how its guest was reminded.
#[derive(Clone, Debug)]
pub struct Ahead {
    /// The booking.
    pub booking: Booking,
    /// Since when it is confirmed at this time.
    pub firm_at: Timestamp,
    /// When the last reminder was due; `None`: there was none.
    pub reminded_at: Option<Timestamp>,
}

/// The list of a host's day, being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestEntry {
    /// How often it was begun.
    pub attempts: u32,
    /// What it says.
    pub list: Vec<DayEntry>,
}

impl Store {
    /// The bookings of a host that are confirmed or on their way to be, and start within a stretch of time, by start.
    pub async fn ahead(&self, host: &HostId, starts: Interval) -> Result<Vec<Ahead>> {
        let host = host.clone();
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(
                "SELECT * FROM booking WHERE host = ?1 AND state IN ('confirmed', 'reserved') AND starts_at >= ?2 AND starts_at < ?3
                 ORDER BY starts_at, id",
            )?;
            let rows = statement.query_map(params![host, At(starts.start()), At(starts.end())], |row| {
                Ok(Ahead {
                    booking: booking(row)?,
                    firm_at: row.get::<_, At>("firm_at")?.0,
                    reminded_at: row.get::<_, Option<At>>("reminded_at")?.map(|At(at)| at),
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Stores the reminder that was due at `due`, with the note that it was; false when the booking is no longer as it was, or
    /// its guest was reminded meanwhile.
    pub async fn remind(&self, of: Booking, due: Timestamp, effect: NewEffect, now: Timestamp) -> Result<bool> {
        self.write(move |tx| {
            let mut update = tx.prepare_cached(
                "UPDATE booking SET reminded_at = ?2 WHERE id = ?1 AND state = 'confirmed' AND starts_at = ?3 AND sequence = ?4
                     AND (reminded_at IS NULL OR reminded_at < ?2)",
            )?;
            if update.execute(params![of.id, At(due), At(of.time.start()), of.sequence])? == 0 {
                return Ok(End::Rollback(false));
            }
            insert_effects(tx, &of, &[effect], now)?;
            Ok(End::Commit(true))
        })
        .await
    }

    /// Whether the list of a host's day is to be sent at `now`: it is not done, and no attempt before asked for a later one.
    pub async fn is_digest_due(&self, host: &HostId, day: Date, now: Timestamp) -> Result<bool> {
        let (host, day) = (host.clone(), day.to_string());
        self.read(move |tx| {
            let found: Option<(At, bool)> = tx
                .prepare_cached("SELECT due_at, done FROM digest WHERE host = ?1 AND day = ?2")?
                .query_row(params![host, day], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(found.is_none_or(|(due, done)| !done && due <= At(now)))
        })
        .await
    }

    /// Begins an attempt at the list of a host's day: what it says, as it was decided at the first attempt, and how many there were with
    /// this one. `None` when it is done.
    pub async fn begin_digest(&self, host: &HostId, day: Date, list: Vec<DayEntry>) -> Result<Option<DigestEntry>> {
        let (host, day) = (host.clone(), day.to_string());
        self.write(move |tx| {
            // Only the newest is ever asked for.
            tx.execute("DELETE FROM digest WHERE host = ?1 AND day < ?2", params![host, day])?;
            let sql = "INSERT INTO digest (host, day, attempts, due_at, payload) VALUES (?1, ?2, 1, 0, ?3)
                 ON CONFLICT (host, day) DO UPDATE SET attempts = attempts + 1,
                     payload = CASE WHEN payload = '' THEN excluded.payload ELSE payload END WHERE done = 0";
            if tx.execute(sql, params![host, day, Json(&list)])? == 0 {
                return Ok(End::Rollback(None));
            }
            let sql = "SELECT attempts, payload FROM digest WHERE host = ?1 AND day = ?2";
            let entry = tx.query_row(sql, params![host, day], |row| {
                Ok(DigestEntry { attempts: row.get(0)?, list: row.get::<_, Json<Vec<_>>>(1)?.0 })
            })?;
            Ok(End::Commit(Some(entry)))
        })
        .await
    }

    /// An attempt at the list of a host's day has ended: it is to be tried again then; `None`: it is done, and what it said is
    /// forgotten, for it names guests.
    pub async fn end_digest(&self, host: &HostId, day: Date, again: Option<Timestamp>) -> Result<()> {
        let (host, day) = (host.clone(), day.to_string());
        self.write(move |tx| {
            let sql = "UPDATE digest SET due_at = coalesce(?3, due_at), done = ?3 IS NULL,
                     payload = CASE WHEN ?3 IS NULL THEN '' ELSE payload END WHERE host = ?1 AND day = ?2";
            tx.execute(sql, params![host, day, again.map(At)])?;
            Ok(End::Commit(()))
        })
        .await
    }
}
