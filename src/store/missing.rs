//! Events of bookings that are gone from the calendar, and not believed to be yet: kept, so that a restart forgets none.

use super::error::Result;
use super::value::At;
use super::{End, Store};
use crate::availability::HostId;
use crate::booking::BookingId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// An event that is gone while its booking holds its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MissingEvent {
    /// Whose event.
    pub booking: BookingId,
    /// Since when it is not there.
    pub since: Timestamp,
    /// Whether too many went at once for it to be believed of itself.
    pub doubted: bool,
}

fn missing(row: &Row<'_>) -> rusqlite::Result<MissingEvent> {
    Ok(MissingEvent { booking: row.get("booking")?, since: row.get::<_, At>("since")?.0, doubted: row.get("doubted")? })
}

fn all(tx: &Connection, host: &HostId, since: Timestamp) -> Result<Vec<MissingEvent>> {
    let mut statement = tx.prepare_cached(
        "SELECT missing_event.* FROM missing_event JOIN booking ON booking.id = booking
         WHERE host = ?1 AND holds = 1 AND ends_at >= ?2 ORDER BY since, booking",
    )?;
    let rows = statement.query_map(params![host, At(since)], missing)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl Store {
    /// The events of a host's bookings that are gone while the bookings hold their slots, of those that end at or after `since`; the
    /// longest gone first.
    pub async fn missing_events(&self, host: &HostId, since: Timestamp) -> Result<Vec<MissingEvent>> {
        let host = host.clone();
        self.read(move |tx| all(tx, &host, since)).await
    }

    /// Keeps these in place of those that are kept of the host.
    pub async fn set_missing_events(&self, host: &HostId, events: Vec<MissingEvent>) -> Result<()> {
        let host = host.clone();
        self.write(move |tx| {
            tx.execute(
                "DELETE FROM missing_event WHERE booking IN (SELECT id FROM booking WHERE host = ?1)",
                params![host],
            )?;
            let mut insert = tx.prepare_cached(
                "INSERT INTO missing_event (booking, since, doubted)
                 SELECT id, ?2, ?3 FROM booking WHERE id = ?1 AND holds = 1",
            )?;
            for MissingEvent { booking, since, doubted } in &events {
                insert.execute(params![booking, At(*since), doubted])?;
            }
            Ok(End::Commit(()))
        })
        .await
    }

    /// The event of a booking is not there at `now`: since when it has not been, how many of its host's are not, and of how many, of
    /// bookings ahead.
    pub async fn note_missing(
        &self,
        host: &HostId,
        booking: BookingId,
        now: Timestamp,
    ) -> Result<(MissingEvent, usize, usize)> {
        let host = host.clone();
        self.write(move |tx| {
            let mut insert = tx.prepare_cached(
                "INSERT INTO missing_event (booking, since) SELECT id, ?2 FROM booking WHERE id = ?1 AND holds = 1 ON CONFLICT DO NOTHING",
            )?;
            insert.execute(params![booking, At(now)])?;
            let mut select = tx.prepare_cached("SELECT * FROM missing_event WHERE booking = ?1")?;
            let noted = select.query_row(params![booking], missing).optional()?;
            let noted = noted.unwrap_or(MissingEvent { booking, since: now, doubted: false });
            let mut select = tx.prepare_cached(
                "SELECT count(*) FROM booking WHERE host = ?1 AND holds = 1 AND ends_at >= ?2 AND event_href IS NOT NULL",
            )?;
            let written: i64 = select.query_row(params![host, At(now)], |row| row.get(0))?;
            Ok(End::Commit((noted, all(tx, &host, now)?.len(), usize::try_from(written).unwrap_or(usize::MAX))))
        })
        .await
    }

    /// The event of a booking is there.
    pub async fn note_found(&self, booking: BookingId) -> Result<()> {
        self.write(move |tx| {
            let found = tx.execute("DELETE FROM missing_event WHERE booking = ?1", params![booking])?;
            Ok(if found > 0 { End::Commit(()) } else { End::Rollback(()) })
        })
        .await
    }
}
