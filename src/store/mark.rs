//! What hosts note of their bookings, and the bookings as a host looks at them.

use super::booking::booking;
use super::error::Result;
use super::value::{At, Json, word};
use super::{End, Store};
use crate::availability::HostId;
use crate::booking::{Attendance, Booking, BookingId, Mark};
use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql, params};
use std::collections::HashMap;

impl ToSql for Attendance {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Attendance {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Attendance> {
        word(value, "attendance", |word| word.parse().ok())
    }
}

fn mark(row: &Row<'_>) -> rusqlite::Result<(BookingId, Mark)> {
    Ok((row.get("booking")?, Mark { note: row.get("note")?, attendance: row.get("attendance")? }))
}

impl Store {
    /// What is noted of these bookings; of those that are not in it, nothing.
    pub async fn marks(&self, of: Vec<BookingId>) -> Result<HashMap<BookingId, Mark>> {
        self.read(move |tx| {
            let ids: Vec<String> = of.iter().map(ToString::to_string).collect();
            let sql = "SELECT * FROM mark WHERE booking IN (SELECT value FROM json_each(?1))";
            let mut statement = tx.prepare_cached(sql)?;
            Ok(statement.query_map(params![Json(ids)], mark)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Notes something of a booking, in place of what was noted. False when there is no such booking, or its guest is forgotten.
    pub async fn note_booking(&self, id: BookingId, note: String) -> Result<bool> {
        self.write(move |tx| {
            let sql = "INSERT INTO mark (booking, note) SELECT id, ?2 FROM booking WHERE id = ?1 AND guest_key <> ''
                 ON CONFLICT (booking) DO UPDATE SET note = excluded.note";
            Ok(End::Commit(tx.execute(sql, params![id, note])? > 0))
        })
        .await
    }

    /// Notes whether the guest came. False when there is no such booking, or its guest is forgotten.
    pub async fn mark_attendance(&self, id: BookingId, attendance: Option<Attendance>) -> Result<bool> {
        self.write(move |tx| {
            let sql =
                "INSERT INTO mark (booking, attendance) SELECT id, ?2 FROM booking WHERE id = ?1 AND guest_key <> ''
                 ON CONFLICT (booking) DO UPDATE SET attendance = excluded.attendance";
            Ok(End::Commit(tx.execute(sql, params![id, attendance])? > 0))
        })
        .await
    }

    /// The bookings of a host that are past or ended and whose guest is known, the latest start first: `limit` of them after `skip`.
    pub async fn past_bookings(&self, host: &HostId, now: Timestamp, skip: u32, limit: u32) -> Result<Vec<Booking>> {
        let host = host.clone();
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(
                "SELECT * FROM booking WHERE host = ?1 AND (ends_at <= ?2 OR holds = 0) AND guest_key <> ''
                 ORDER BY starts_at DESC, id DESC LIMIT ?3 OFFSET ?4",
            )?;
            let rows = statement.query_map(params![host, At(now), limit, skip], booking)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }
}
