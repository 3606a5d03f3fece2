//! What is not kept for ever: bookings of long ago, guests who want to be forgotten, what was counted and done.

use super::booking::guest_key;
use super::error::Result;
use super::value::At;
use super::{End, Store, desk};
use crate::booking::BookingId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, params};

/// What is old.
#[derive(Clone, Copy, Debug)]
pub struct Purge {
    /// Hits before this; not sooner than the longest span of a limit.
    pub hits_before: Timestamp,
    /// Idempotency keys before this: 24 hours ago.
    pub idempotency_before: Timestamp,
    /// Effects done before this, mails about alerts that were decided before it and are sent or given up, and lists of days before it.
    pub done_before: Timestamp,
}

/// Nothing is still to be done for the booking.
const SETTLED: &str =
    "NOT EXISTS (SELECT 1 FROM effect WHERE effect.booking = booking.id AND effect.state = 'pending')";

/// What is to be done about events on the calendar whose booking is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// They stay: the calendar is the host's.
    Stay,
    /// They are removed first, for they name the guest too.
    Go,
}

/// What became of a wish to be forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Bookings ahead that hold their slot: they are to be cancelled first, and nothing was erased.
    pub ahead: Vec<BookingId>,
    /// Bookings that are erased.
    pub erased: usize,
    /// Bookings that name nobody any more, and are erased once their event is off the calendar.
    pub waiting: usize,
}

/// Names nobody any more.
const NAMELESS: &str = "guest_name = '', guest_email = '', guest_key = '', guest_note = '', guest_zone = NULL, answers = '[]', answered = NULL";
/// The calendar may have its event, and nothing is about to remove it.
const ON_CALENDAR: &str = "event_href IS NOT NULL AND holds = 1 AND NOT EXISTS (
    SELECT 1 FROM effect WHERE effect.booking = booking.id AND kind = 'delete-event')";

impl Store {
    /// Erases the bookings that ended before the instant and for which nothing is still to be done, with their effects; how many.
    /// With [`Events::Go`] the removal of their events is ordered first, and they are erased at a later call.
    pub async fn erase_ended_before(&self, instant: Timestamp, events: Events, now: Timestamp) -> Result<usize> {
        let erased = self
            .write(move |tx| {
                if events == Events::Go {
                    order_removals(tx, &format!("ends_at < {} AND {ON_CALENDAR}", At(instant).micros()), now)?;
                }
                let sql = format!("DELETE FROM booking WHERE ends_at < ?1 AND {SETTLED}");
                Ok(End::Commit(tx.execute(&sql, params![At(instant)])?))
            })
            .await?;
        self.shed().await?;
        Ok(erased)
    }

    /// Erases what is known of a guest's address, unless a booking of theirs is ahead: that is to be cancelled first. With
    /// [`Events::Go`] their events are removed from the calendar; until that is done a booking stays, without a name.
    pub async fn forget_guest(&self, email: &str, events: Events, now: Timestamp) -> Result<Forgotten> {
        let guest = guest_key(email);
        let forgotten = self
            .write(move |tx| {
                let mut ahead = tx.prepare("SELECT id FROM booking WHERE guest_key = ?1 AND holds = 1 AND ends_at > ?2")?;
                let ahead = ahead.query_map(params![guest, At(now)], |row| row.get(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
                if guest.is_empty() || !ahead.is_empty() {
                    return Ok(End::Rollback(Forgotten { ahead, ..Forgotten::default() }));
                }
                tx.execute("CREATE TEMP TABLE IF NOT EXISTS forgotten (id TEXT NOT NULL)", ())?;
                tx.execute("DELETE FROM temp.forgotten", ())?;
                tx.execute("INSERT INTO temp.forgotten SELECT id FROM booking WHERE guest_key = ?1", params![guest])?;
                const THEIRS: &str = "id IN (SELECT id FROM temp.forgotten)";
                if events == Events::Go {
                    order_removals(tx, &format!("{THEIRS} AND {ON_CALENDAR}"), now)?;
                }
                // Nobody is to be told any more.
                tx.execute("DELETE FROM mark WHERE booking IN (SELECT id FROM temp.forgotten)", ())?;
                tx.execute("DELETE FROM effect WHERE lane = 'mail' AND booking IN (SELECT id FROM temp.forgotten)", ())?;
                tx.execute("UPDATE effect SET payload = '{}' WHERE kind = 'delete-event' AND booking IN (SELECT id FROM temp.forgotten)", ())?;
                let erased = tx.execute(&format!("DELETE FROM booking WHERE {THEIRS} AND {SETTLED}"), ())?;
                let waiting = tx.execute(&format!("UPDATE booking SET {NAMELESS} WHERE {THEIRS}"), ())?;
                tx.execute("DELETE FROM idempotency WHERE booking IN (SELECT id FROM temp.forgotten)", ())?;
                tx.execute("DELETE FROM hit WHERE key = ?1", params![guest])?;
                // A list of the day that is still to be sent is made anew.
                tx.execute("UPDATE digest SET payload = ''", ())?;
                tx.execute("DELETE FROM temp.forgotten", ())?;
                Ok(End::Commit(Forgotten { ahead, erased, waiting }))
            })
            .await?;
        self.shed().await?;
        Ok(forgotten)
    }

    /// Erases the bookings that name nobody and for which nothing is still to be done; how many.
    pub async fn erase_nameless(&self) -> Result<usize> {
        self.write(move |tx| {
            let sql = format!("DELETE FROM booking WHERE guest_key = '' AND {SETTLED}");
            Ok(End::Commit(tx.execute(&sql, ())?))
        })
        .await
    }

    /// Gives every booking new tokens: digests of the guest's, the confirming and the host's; and closes every desk. How many bookings
    /// there are.
    pub async fn renew_tokens(&self, digests: impl Fn(BookingId) -> [[u8; 32]; 3] + Send + 'static) -> Result<usize> {
        self.write(move |tx| {
            let mut ids = tx.prepare("SELECT id FROM booking")?;
            let ids = ids.query_map((), |row| row.get(0))?.collect::<rusqlite::Result<Vec<BookingId>>>()?;
            for id in &ids {
                let [guest, confirm, host] = digests(*id);
                tx.prepare_cached(
                    "UPDATE booking SET guest_token_hash = ?2, host_token_hash = ?4,
                         confirm_token_hash = CASE WHEN confirm_token_hash IS NULL THEN NULL ELSE ?3 END WHERE id = ?1",
                )?
                .execute(params![id, guest, confirm, host])?;
            }
            desk::forget_all(tx)?;
            Ok(End::Commit(ids.len()))
        })
        .await
    }

    /// Empties the write-ahead log, so that what was erased is in no file any more. While another process reads, it stays for now.
    pub async fn shed(&self) -> Result<()> {
        let shed = |connection: &mut Connection| {
            Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?)
        };
        self.inner.writer.run(shed).await
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
            let day = TimeZone::UTC.to_datetime(purge.done_before).date().to_string();
            let lists = tx.execute("DELETE FROM digest WHERE day < ?1", params![day])?;
            Ok(End::Commit(hits + keys + done + told + lists))
        })
        .await
    }
}

/// Orders the removal of the events of the bookings that `of` selects.
fn order_removals(tx: &Connection, of: &str, now: Timestamp) -> Result<()> {
    let sql = format!(
        "INSERT INTO effect (booking, host, lane, kind, payload, created_at, due_at)
         SELECT id, host, 'calendar', 'delete-event', '{{}}', ?1, ?1 FROM booking WHERE {of}"
    );
    tx.execute(&sql, params![At(now)])?;
    Ok(())
}
