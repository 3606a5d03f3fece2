//! The one place where a slot is taken: booking, effects and idempotency key in one transaction, judged by the database.
//! Start with [`Store::reserve`].

use super::booking::{by_id, guest_key, with_columns};
use super::desk::is_paused;
use super::effect::{NewEffect, insert_effects};
use super::error::{Result, StoreError};
use super::limit::{Hit, HitOutcome, count};
use super::value::At;
use super::{End, Store};
use crate::availability::{HostId, Interval, PerGuest};
use crate::booking::{Booking, BookingId};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, named_params, params};

/// How long an idempotency key is remembered (INTERFACE: 24 h).
const IDEMPOTENCY: SignedDuration = SignedDuration::from_hours(24);

/// A booking to be made.
#[derive(Clone, Debug)]
pub struct NewBooking {
    /// As it shall be.
    pub booking: Booking,
    /// SHA-256 of the guest's token.
    pub guest_token_hash: [u8; 32],
    /// SHA-256 of the token that confirms the guest's address, where it is to be confirmed.
    pub confirm_token_hash: Option<[u8; 32]>,
    /// SHA-256 of the host's token.
    pub host_token_hash: [u8; 32],
    /// What follows from it, in order.
    pub effects: Vec<NewEffect>,
    /// What makes the request the same when it comes again.
    pub idempotency: Option<IdempotencyRow>,
    /// What else must hold.
    pub limits: GuestLimits,
    /// What it counts against, if it is made.
    pub hits: Vec<Hit>,
    /// Now.
    pub now: Timestamp,
}

/// An idempotency key and the request that it came with.
#[derive(Clone, Debug)]
pub struct IdempotencyRow {
    /// As the client sent it.
    pub key: String,
    /// Within which it names a request.
    pub scope: HostId,
    /// SHA-256 of the request.
    pub request: [u8; 32],
}

/// Limits that are judged within the transaction; the default has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuestLimits {
    /// Bookings of the meeting type that start on a day of the host's and hold their slot.
    pub per_day: Option<PerDay>,
    /// Bookings of this guest of the meeting type, by their starts, in any span that the new one is in; ended ones (cancelled, declined,
    /// expired) do not count.
    pub per_guest: Option<PerGuest>,
    /// Bookings of this guest with the host that start after `now`, the new one counted.
    pub open_per_guest: Option<u32>,
    /// The place must be free, although it is the host who puts the booking there.
    pub must_fit: bool,
}

/// At most `max` bookings on a day.
#[derive(Clone, Copy, Debug)]
pub struct PerDay {
    /// The day in the host's zone.
    pub day: Interval,
    /// The new one counted.
    pub max: u32,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The slot is durably the guest's.
    Done,
    /// Another booking is in the way, or too near.
    Overlaps,
    /// All seats of the slot are taken.
    SeatsTaken,
    /// The day has enough bookings of the type.
    DayFull,
    /// The guest has enough bookings.
    GuestLimit,
    /// The host takes no new bookings for now.
    Paused,
    /// A rate limit is reached.
    Limited {
        /// The [`Hit::kind`] that it counts.
        kind: &'static str,
        /// When it would be allowed.
        retry_after: SignedDuration,
    },
    /// The idempotency key came with another request before.
    KeyReused,
    /// The same request made this booking before.
    Replay(BookingId),
}

/// What an idempotency key was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// The same request, which made this booking.
    Same(BookingId),
    /// Another request.
    Other,
}

/// Why the database or a limit says no.
pub(super) enum Refused {
    Overlaps,
    SeatsTaken,
    DayFull,
    GuestLimit,
}

impl From<Refused> for Reserved {
    fn from(refused: Refused) -> Reserved {
        match refused {
            Refused::Overlaps => Reserved::Overlaps,
            Refused::SeatsTaken => Reserved::SeatsTaken,
            Refused::DayFull => Reserved::DayFull,
            Refused::GuestLimit => Reserved::GuestLimit,
        }
    }
}

/// Reads the words of the triggers.
pub(super) fn judged(written: rusqlite::Result<usize>) -> Result<Option<Refused>> {
    match written {
        Ok(_) => Ok(None),
        Err(rusqlite::Error::SqliteFailure(code, Some(message)))
            if code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER =>
        {
            match message.as_str() {
                "overlap" => Ok(Some(Refused::Overlaps)),
                "seats" => Ok(Some(Refused::SeatsTaken)),
                _ => Err(StoreError::Sqlite(rusqlite::Error::SqliteFailure(code, Some(message)))),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Judges the limits for a booking that is already written in this transaction.
pub(super) fn over_limit(
    tx: &Connection,
    booking: &Booking,
    limits: GuestLimits,
    now: Timestamp,
) -> Result<Option<Refused>> {
    let (id, guest) = (booking.id, guest_key(&booking.guest.email));
    if let Some(PerDay { day, max }) = limits.per_day {
        let sql = "SELECT count(*) FROM booking WHERE host = ?1 AND meeting = ?2 AND starts_at >= ?3 AND starts_at < ?4 AND holds = 1";
        let mut count = tx.prepare_cached(sql)?;
        let params = params![booking.host, booking.meeting, At(day.start()), At(day.end())];
        if count.query_row(params, |row| row.get::<_, i64>(0))? > i64::from(max) {
            return Ok(Some(Refused::DayFull));
        }
    }
    if let Some(limit) = limits.per_guest {
        let sql = "SELECT starts_at FROM booking WHERE guest_key = ?1 AND host = ?2 AND meeting = ?3 AND holds = 1 AND id <> ?4";
        let mut starts = tx.prepare_cached(sql)?;
        let rows =
            starts.query_map(params![guest, booking.host, booking.meeting, id], |row| Ok(row.get::<_, At>(0)?.0))?;
        if exceeds(limit, booking.time.start(), rows.collect::<rusqlite::Result<_>>()?) {
            return Ok(Some(Refused::GuestLimit));
        }
    }
    if let Some(max) = limits.open_per_guest {
        let sql = "SELECT count(*) FROM booking WHERE guest_key = ?1 AND host = ?2 AND holds = 1 AND starts_at > ?3";
        let mut count = tx.prepare_cached(sql)?;
        if count.query_row(params![guest, booking.host, At(now)], |row| row.get::<_, i64>(0))? > i64::from(max) {
            return Ok(Some(Refused::GuestLimit));
        }
    }
    Ok(None)
}

/// True when some span of the limit's length that `new` is in has more than `count` starts, `new` counted. Spans are half-open: with
/// one in 7 days, the same time next week is allowed.
fn exceeds(limit: PerGuest, new: Timestamp, mut others: Vec<Timestamp>) -> bool {
    let count = usize::try_from(limit.count).unwrap_or(usize::MAX);
    others.retain(|start| start.duration_since(new).abs() < limit.span);
    others.push(new);
    others.sort_unstable();
    // Any count + 1 starts in a row, all within one span.
    let length = count.saturating_add(1);
    others.windows(length).any(|row| match (row.first(), row.last()) {
        (Some(&first), Some(&last)) => first <= new && new <= last && last.duration_since(first) < limit.span,
        _ => false,
    })
}

fn used(tx: &Connection, scope: &HostId, key: &str, request: [u8; 32], now: Timestamp) -> Result<Option<Used>> {
    let since = now.checked_sub(IDEMPOTENCY).unwrap_or(Timestamp::MIN);
    let mut statement =
        tx.prepare_cached("SELECT request, booking FROM idempotency WHERE scope = ?1 AND key = ?2 AND at > ?3")?;
    let row = statement
        .query_row(params![scope, key, At(since)], |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get(1)?)))
        .optional()?;
    Ok(row.map(|(stored, booking)| if stored == request { Used::Same(booking) } else { Used::Other }))
}

fn insert(tx: &Connection, new: &NewBooking) -> rusqlite::Result<usize> {
    let booking = &new.booking;
    let mut insert = tx.prepare_cached(
        "INSERT INTO booking (id, host, meeting, title, location, event_location, starts_at, ends_at, buffer_before, buffer_after, seats, state,
             guest_name, guest_email, guest_key, guest_note, guest_zone, guest_language, answers, uid, sequence, told, told_start, told_end,
             declined, answered, organizer, placed_by_host, created_at, updated_at, firm_at, expires_at, event_account, event_href, event_etag, guest_token_hash, confirm_token_hash, host_token_hash)
         VALUES (:id, :host, :meeting, :title, :location, :event_location, :starts_at, :ends_at, :buffer_before, :buffer_after, :seats, :state,
             :guest_name, :guest_email, :guest_key, :guest_note, :guest_zone, :guest_language, :answers, :uid, :sequence, :told, :told_start, :told_end,
             :declined, :answered, :organizer, :placed_by_host, :created_at, :updated_at, :updated_at, :expires_at, :event_account, :event_href, :event_etag, :guest_token_hash, :confirm_token_hash, :host_token_hash)",
    )?;
    let hashes = named_params! {
        ":created_at": At(booking.created_at),
        ":guest_token_hash": new.guest_token_hash,
        ":confirm_token_hash": new.confirm_token_hash,
        ":host_token_hash": new.host_token_hash,
    };
    with_columns(booking, |columns| insert.execute([columns, hashes].concat().as_slice()))
}

impl Store {
    /// Takes a slot, or says why not. The slot is judged against every booking of the host that holds one, with the buffers, within the
    /// transaction; booking, effects and idempotency key are stored together or not at all.
    pub async fn reserve(&self, new: NewBooking) -> Result<Reserved> {
        self.write(move |tx| {
            if let Some(IdempotencyRow { key, scope, request }) = &new.idempotency {
                match used(tx, scope, key, *request, new.now)? {
                    Some(Used::Same(booking)) => return Ok(End::Rollback(Reserved::Replay(booking))),
                    Some(Used::Other) => return Ok(End::Rollback(Reserved::KeyReused)),
                    None => {}
                }
            }
            if is_paused(tx, &new.booking.host, new.now)? {
                return Ok(End::Rollback(Reserved::Paused));
            }
            for hit in &new.hits {
                if let HitOutcome::Limited { retry_after } = count(tx, hit)? {
                    return Ok(End::Rollback(Reserved::Limited { kind: hit.kind, retry_after }));
                }
            }
            if let Some(refused) = judged(insert(tx, &new))? {
                return Ok(End::Rollback(refused.into()));
            }
            if let Some(refused) = over_limit(tx, &new.booking, new.limits, new.now)? {
                return Ok(End::Rollback(refused.into()));
            }
            insert_effects(tx, &new.booking, &new.effects, new.now)?;
            if let Some(IdempotencyRow { key, scope, request }) = &new.idempotency {
                // In place of one that is older than a day.
                tx.execute(
                    "INSERT OR REPLACE INTO idempotency (scope, key, request, booking, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![scope, key, request, new.booking.id, At(new.now)],
                )?;
            }
            Ok(End::Commit(Reserved::Done))
        })
        .await
    }

    /// What an idempotency key was used for within the last 24 hours.
    pub async fn idempotency(&self, row: IdempotencyRow, now: Timestamp) -> Result<Option<Used>> {
        self.read(move |tx| used(tx, &row.scope, &row.key, row.request, now)).await
    }

    /// The booking that an idempotency key made within the last 24 hours, when the request is the same.
    pub async fn replay(&self, row: IdempotencyRow, now: Timestamp) -> Result<Option<Booking>> {
        self.read(move |tx| match used(tx, &row.scope, &row.key, row.request, now)? {
            Some(Used::Same(id)) => by_id(tx, id),
            _ => Ok(None),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_second(number * 86_400).unwrap()
    }

    fn over(count: u32, days: i64, new: i64, others: &[i64]) -> bool {
        let limit = PerGuest { count, span: SignedDuration::from_hours(24 * days) };
        exceeds(limit, day(new), others.iter().copied().map(day).collect())
    }

    #[test]
    fn the_same_time_next_week_is_not_within_seven_days() {
        assert!(!over(1, 7, 7, &[0, 14]));
        assert!(over(1, 7, 6, &[0]));
        assert!(over(1, 7, 8, &[14]));
    }

    #[test]
    fn a_span_reaches_to_both_sides_of_the_new_booking() {
        assert!(over(2, 7, 10, &[5, 11]), "5, 10 and 11 are within seven days");
        assert!(!over(2, 7, 10, &[4, 16]), "no seven days have three");
        assert!(!over(2, 7, 10, &[0, 1, 2, 3]), "a span that was full before does not concern the new one");
    }

    #[test]
    fn none_at_all_refuses_every_booking() {
        assert!(over(0, 7, 0, &[]));
    }
}
