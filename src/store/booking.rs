//! Bookings as rows, and the questions that are asked of them. How they are made and changed: `reserve`, `change`.

use super::error::Result;
use super::value::{At, Json, Span};
use super::{End, Store};
use crate::availability::{HostId, Interval, MeetingId};
use crate::booking::{Booking, BookingId, BookingState, EventPlace, Guest};
use crate::ical::write::Person;
use crate::language::Language;
use jiff::Timestamp;
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Params, Row, ToSql, named_params, params};

/// Which bookings; the default is all of them.
#[derive(Clone, Debug, Default)]
pub struct BookingFilter {
    /// Ends after this instant.
    pub from: Option<Timestamp>,
    /// Starts before this instant.
    pub to: Option<Timestamp>,
    /// In one of these states; empty: in any.
    pub states: Vec<BookingState>,
    /// Of this type.
    pub meeting: Option<MeetingId>,
    /// Of the guest with this address, in whatever case.
    pub guest: Option<String>,
}

/// An event that we may have put on the host's calendar, to recognise it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnEvent {
    /// The booking that it stands for.
    pub booking: BookingId,
    /// UID of the event.
    pub uid: String,
    /// Where it was last written or seen; `None` before there is one.
    pub place: Option<EventPlace>,
    /// Where the booking stands.
    pub state: BookingState,
    /// When the booking is.
    pub time: Interval,
    /// [`Booking::event_location`].
    pub location: String,
    /// True when the event is to be deleted and that is not done yet.
    pub delete_pending: bool,
    /// Nothing of ours is on its way to the calendar server for it.
    pub settled: bool,
}

/// Who counts as one guest.
pub(super) fn guest_key(email: &str) -> String {
    email.trim().to_lowercase()
}

fn interval(row: &Row<'_>) -> rusqlite::Result<Interval> {
    let (At(start), At(end)) = (row.get("starts_at")?, row.get("ends_at")?);
    // The table has CHECK (starts_at < ends_at).
    Interval::new(start, end).ok_or_else(|| FromSqlError::OutOfRange(end.as_microsecond()).into())
}

fn told_time(row: &Row<'_>) -> rusqlite::Result<Option<Interval>> {
    let (start, end): (Option<At>, Option<At>) = (row.get("told_start")?, row.get("told_end")?);
    Ok(start.zip(end).and_then(|(At(start), At(end))| Interval::new(start, end)))
}

fn place(row: &Row<'_>) -> rusqlite::Result<Option<EventPlace>> {
    let (account, href): (Option<String>, Option<String>) = (row.get("event_account")?, row.get("event_href")?);
    let etag = row.get("event_etag")?;
    Ok(account.zip(href).map(|(account, href)| EventPlace { account, href, etag }))
}

pub(super) fn booking(row: &Row<'_>) -> rusqlite::Result<Booking> {
    Ok(Booking {
        id: row.get("id")?,
        host: row.get("host")?,
        meeting: row.get("meeting")?,
        title: row.get("title")?,
        location: row.get("location")?,
        event_location: row.get("event_location")?,
        time: interval(row)?,
        buffer_before: row.get::<_, Span>("buffer_before")?.0,
        buffer_after: row.get::<_, Span>("buffer_after")?.0,
        seats: row.get("seats")?,
        state: row.get("state")?,
        guest: Guest {
            name: row.get("guest_name")?,
            email: row.get("guest_email")?,
            note: row.get("guest_note")?,
            time_zone: row.get("guest_zone")?,
            language: row.get::<_, Option<String>>("guest_language")?.as_deref().and_then(Language::parse),
            answers: row.get::<_, Json<Vec<_>>>("answers")?.0,
        },
        uid: row.get("uid")?,
        sequence: row.get("sequence")?,
        told: row.get("told")?,
        told_time: told_time(row)?,
        declined: row.get("declined")?,
        answered: row.get::<_, Option<Json<_>>>("answered")?.map(|Json(answered)| answered),
        organizer: row.get::<_, Option<Json<_>>>("organizer")?.map(|Json(organizer)| organizer),
        placed_by_host: row.get("placed_by_host")?,
        created_at: row.get::<_, At>("created_at")?.0,
        updated_at: row.get::<_, At>("updated_at")?.0,
        expires_at: row.get::<_, Option<At>>("expires_at")?.map(|At(at)| at),
        event: place(row)?,
    })
}

/// A column as a statement names it, and its value.
pub(super) type Column<'a> = (&'a str, &'a dyn ToSql);

/// Gives `write` every column of a booking that may change, and its id.
pub(super) fn with_columns<T>(booking: &Booking, write: impl FnOnce(&[Column<'_>]) -> T) -> T {
    write(named_params! {
        ":id": booking.id,
        ":host": booking.host,
        ":meeting": booking.meeting,
        ":title": booking.title,
        ":location": booking.location,
        ":event_location": booking.event_location,
        ":starts_at": At(booking.time.start()),
        ":ends_at": At(booking.time.end()),
        ":buffer_before": Span(booking.buffer_before),
        ":buffer_after": Span(booking.buffer_after),
        ":seats": booking.seats,
        ":state": booking.state,
        ":guest_name": booking.guest.name,
        ":guest_email": booking.guest.email,
        ":guest_key": guest_key(&booking.guest.email),
        ":guest_note": booking.guest.note,
        ":guest_zone": booking.guest.time_zone,
        ":guest_language": booking.guest.language.map(Language::tag),
        ":answers": Json(&booking.guest.answers),
        ":uid": booking.uid,
        ":sequence": booking.sequence,
        ":told": booking.told,
        ":told_start": booking.told_time.map(|time| At(time.start())),
        ":told_end": booking.told_time.map(|time| At(time.end())),
        ":declined": booking.declined,
        ":answered": booking.answered.as_ref().map(Json),
        ":organizer": booking.organizer.as_ref().map(Json),
        ":placed_by_host": booking.placed_by_host,
        ":updated_at": At(booking.updated_at),
        ":expires_at": booking.expires_at.map(At),
        ":event_account": booking.event.as_ref().map(|event| &event.account),
        ":event_href": booking.event.as_ref().map(|event| &event.href),
        ":event_etag": booking.event.as_ref().and_then(|event| event.etag.as_ref()),
    })
}

/// The booking of that id, as it is in this transaction.
pub(super) fn by_id(connection: &Connection, id: BookingId) -> Result<Option<Booking>> {
    let mut statement = connection.prepare_cached("SELECT * FROM booking WHERE id = ?1")?;
    Ok(statement.query_row(params![id], booking).optional()?)
}

fn list(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Booking>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params, booking)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl Store {
    /// The booking of that id.
    pub async fn booking(&self, id: BookingId) -> Result<Option<Booking>> {
        self.read(move |tx| by_id(tx, id)).await
    }

    /// The booking whose event has this UID.
    pub async fn booking_by_uid(&self, uid: &str) -> Result<Option<Booking>> {
        let uid = uid.to_owned();
        self.read(move |tx| {
            let mut statement = tx.prepare_cached("SELECT * FROM booking WHERE uid = ?1")?;
            Ok(statement.query_row(params![uid], booking).optional()?)
        })
        .await
    }

    /// The booking whose guest has the token with this SHA-256.
    pub async fn booking_by_guest_token(&self, hash: [u8; 32]) -> Result<Option<Booking>> {
        self.read(move |tx| {
            let mut statement = tx.prepare_cached("SELECT * FROM booking WHERE guest_token_hash = ?1")?;
            Ok(statement.query_row(params![hash], booking).optional()?)
        })
        .await
    }

    /// The booking whose guest's address the token with this SHA-256 confirms.
    pub async fn booking_by_confirm_token(&self, hash: [u8; 32]) -> Result<Option<Booking>> {
        self.read(move |tx| {
            let mut statement = tx.prepare_cached("SELECT * FROM booking WHERE confirm_token_hash = ?1")?;
            Ok(statement.query_row(params![hash], booking).optional()?)
        })
        .await
    }

    /// The booking whose host has the token with this SHA-256.
    pub async fn booking_by_host_token(&self, hash: [u8; 32]) -> Result<Option<Booking>> {
        self.read(move |tx| {
            let mut statement = tx.prepare_cached("SELECT * FROM booking WHERE host_token_hash = ?1")?;
            Ok(statement.query_row(params![hash], booking).optional()?)
        })
        .await
    }

    /// The bookings of a host, or of all, by start.
    pub async fn bookings(&self, host: Option<&HostId>, filter: BookingFilter) -> Result<Vec<Booking>> {
        let host = host.cloned();
        self.read(move |tx| {
            let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
            list(
                tx,
                "SELECT * FROM booking
                 WHERE (:host IS NULL OR host = :host) AND (:meeting IS NULL OR meeting = :meeting)
                     AND (:guest IS NULL OR guest_key = :guest)
                     AND (:from IS NULL OR ends_at > :from) AND (:to IS NULL OR starts_at < :to)
                     AND (:states = '[]' OR state IN (SELECT value FROM json_each(:states)))
                 ORDER BY starts_at, created_at, id",
                named_params! {
                    ":host": host,
                    ":meeting": filter.meeting,
                    ":guest": filter.guest.as_deref().map(guest_key),
                    ":from": filter.from.map(At),
                    ":to": filter.to.map(At),
                    ":states": Json(states),
                },
            )
        })
        .await
    }

    /// The bookings of a host that hold their slot and that overlap the window, their own buffers counted, by start.
    pub async fn holding(&self, host: &HostId, window: Interval) -> Result<Vec<Booking>> {
        let host = host.clone();
        self.read(move |tx| {
            list(
                tx,
                "SELECT * FROM booking
                 WHERE host = ?1 AND holds = 1 AND ends_at + buffer_after > ?2 AND starts_at - buffer_before < ?3
                 ORDER BY starts_at, created_at, id",
                params![host, At(window.start()), At(window.end())],
            )
        })
        .await
    }

    /// What of the host's calendar may be ours: the events of bookings that hold their slot, and of ended ones that may still be there; of those that ended at or after `since`.
    pub async fn own_events(&self, host: &HostId, since: Timestamp) -> Result<Vec<OwnEvent>> {
        let host = host.clone();
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(
                "SELECT *, EXISTS (SELECT 1 FROM effect WHERE effect.booking = booking.id AND lane = 'calendar' AND effect.state = 'pending'
                     AND kind = 'delete-event') AS delete_pending,
                     NOT EXISTS (SELECT 1 FROM effect WHERE effect.booking = booking.id AND lane = 'calendar' AND effect.state = 'pending') AS settled
                 FROM booking
                 WHERE host = ?1 AND ends_at >= ?2 AND (holds = 1 OR event_href IS NOT NULL OR EXISTS (
                     SELECT 1 FROM effect WHERE effect.booking = booking.id AND lane = 'calendar' AND effect.state = 'pending'))
                 ORDER BY starts_at, id",
            )?;
            let rows = statement.query_map(params![host, At(since)], |row| {
                Ok(OwnEvent {
                    booking: row.get("id")?,
                    uid: row.get("uid")?,
                    place: place(row)?,
                    state: row.get("state")?,
                    time: interval(row)?,
                    location: row.get("event_location")?,
                    delete_pending: row.get("delete_pending")?,
                    settled: row.get("settled")?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// The bookings of a host that ended at or after `since`, of which nothing is under way, whose event was written more than once and
    /// that we have removed ourselves: a request that was never answered may still arrive. Of what the host has removed, it is the
    /// host who brings it back.
    pub async fn ended_in_doubt(&self, host: &HostId, since: Timestamp) -> Result<Vec<Booking>> {
        let host = host.clone();
        self.read(move |tx| {
            list(
                tx,
                "SELECT * FROM booking
                 WHERE host = ?1 AND holds = 0 AND updated_at >= ?2
                     AND EXISTS (SELECT 1 FROM effect WHERE effect.booking = booking.id AND kind = 'put-event' AND attempts > 1)
                     AND EXISTS (SELECT 1 FROM effect WHERE effect.booking = booking.id AND kind = 'delete-event' AND effect.state = 'done')
                     AND NOT EXISTS (SELECT 1 FROM effect WHERE effect.booking = booking.id AND lane = 'calendar' AND effect.state = 'pending')",
                params![host, At(since)],
            )
        })
        .await
    }

    /// Settles ORGANIZER of the host's bookings that have none yet: those of an older version.
    pub async fn settle_organizer(&self, host: &HostId, organizer: Person) -> Result<()> {
        let host = host.clone();
        self.write(move |tx| {
            let mut update =
                tx.prepare_cached("UPDATE booking SET organizer = ?2 WHERE host = ?1 AND organizer IS NULL")?;
            let settled = update.execute(params![host, Json(&organizer)])?;
            Ok(if settled == 0 { End::Rollback(()) } else { End::Commit(()) })
        })
        .await
    }

    /// The event of a booking is in another place now.
    pub async fn set_event_place(&self, id: BookingId, place: EventPlace) -> Result<()> {
        self.write(move |tx| {
            // `updated_at` rises: what was decided on the old place is to be decided anew.
            let sql = "UPDATE booking SET event_account = ?2, event_href = ?3, event_etag = ?4, updated_at = updated_at + 1 WHERE id = ?1";
            tx.execute(sql, params![id, place.account, place.href, place.etag])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// The bookings that await something and whose `expires_at` is not after `now`: to be expired by a [`Store::change`] each.
    pub async fn expire_due(&self, now: Timestamp) -> Result<Vec<Booking>> {
        self.read(move |tx| {
            list(
                tx,
                "SELECT * FROM booking WHERE expires_at <= ?1 AND state IN ('awaiting-email', 'awaiting-approval') ORDER BY expires_at, id",
                params![At(now)],
            )
        })
        .await
    }
}
