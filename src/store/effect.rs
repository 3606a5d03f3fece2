//! The outbox: effects in order, one after the other within a booking's lane. How an attempt ends: `finish`.

use super::error::Result;
use super::value::{At, Json, word};
use super::{Access, End, Store};
use crate::availability::HostId;
use crate::booking::{Booking, BookingId};
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql, named_params, params};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EffectKind {
    /// The event of the booking is to be on the calendar as the booking is.
    PutEvent,
    /// The event of the booking is to be gone.
    DeleteEvent,
    /// A mail is to be sent.
    Mail,
}

/// Effects of different lanes do not wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// What the calendar server is told.
    Calendar,
    /// What people are told.
    Mail,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EffectState {
    /// To be done, or being done.
    Pending,
    /// Done.
    Done,
    /// Given up.
    Failed,
}

/// An effect to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEffect {
    /// What is to be done.
    pub kind: EffectKind,
    /// JSON of the caller's.
    pub payload: String,
}

/// An effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Rises with each effect.
    pub id: i64,
    /// What it follows from.
    pub booking: BookingId,
    /// The booking's host.
    pub host: HostId,
    /// What is to be done.
    pub kind: EffectKind,
    /// JSON of the caller's; empty once it is done, for it may name a guest.
    pub payload: String,
    /// How often it was begun.
    pub attempts: u32,
    /// When it was stored.
    pub created_at: Timestamp,
    /// Not before this.
    pub due_at: Timestamp,
    /// Being done until this, unless whoever does it has died.
    pub claimed_until: Option<Timestamp>,
    /// How far it is.
    pub state: EffectState,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// True when that will not go away until the host acts.
    pub needs_host: bool,
}

/// What came of a wish of somebody's about an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It is as wished.
    Done,
    /// It is being performed just now: nothing was changed.
    UnderWay,
    /// There is none, or it is done.
    Unknown,
}

/// Which effects; the default is all of them.
#[derive(Clone, Debug, Default)]
pub struct EffectFilter {
    /// Of this host.
    pub host: Option<HostId>,
    /// Of this booking.
    pub booking: Option<BookingId>,
    /// In this state.
    pub state: Option<EffectState>,
}

impl EffectKind {
    const ALL: [EffectKind; 3] = [EffectKind::PutEvent, EffectKind::DeleteEvent, EffectKind::Mail];

    /// The lane that it is done in.
    pub fn lane(self) -> Lane {
        match self {
            EffectKind::PutEvent | EffectKind::DeleteEvent => Lane::Calendar,
            EffectKind::Mail => Lane::Mail,
        }
    }

    /// Its word in lists and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            EffectKind::PutEvent => "put-event",
            EffectKind::DeleteEvent => "delete-event",
            EffectKind::Mail => "mail",
        }
    }
}

impl Lane {
    /// Both.
    pub const ALL: [Lane; 2] = [Lane::Calendar, Lane::Mail];

    /// Its word in lists and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Lane::Calendar => "calendar",
            Lane::Mail => "mail",
        }
    }
}

impl EffectState {
    const ALL: [EffectState; 3] = [EffectState::Pending, EffectState::Done, EffectState::Failed];

    /// Its word in lists and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            EffectState::Pending => "pending",
            EffectState::Done => "done",
            EffectState::Failed => "failed",
        }
    }
}

impl ToSql for EffectKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for EffectKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<EffectKind> {
        word(value, "effect", |word| EffectKind::ALL.into_iter().find(|kind| kind.as_str() == word))
    }
}

impl ToSql for Lane {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl ToSql for EffectState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for EffectState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<EffectState> {
        word(value, "state of an effect", |word| EffectState::ALL.into_iter().find(|state| state.as_str() == word))
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<OutboxEntry> {
    Ok(OutboxEntry {
        id: row.get("id")?,
        booking: row.get("booking")?,
        host: row.get("host")?,
        kind: row.get("kind")?,
        payload: row.get("payload")?,
        attempts: row.get("attempts")?,
        created_at: row.get::<_, At>("created_at")?.0,
        due_at: row.get::<_, At>("due_at")?.0,
        claimed_until: row.get::<_, Option<At>>("claimed_until")?.map(|At(at)| at),
        state: row.get("state")?,
        last_error: row.get("last_error")?,
        needs_host: row.get("needs_host")?,
    })
}

/// Stores effects behind those that the booking has.
pub(super) fn insert_effects(tx: &Connection, booking: &Booking, effects: &[NewEffect], now: Timestamp) -> Result<()> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO effect (booking, host, lane, kind, payload, created_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
    )?;
    for NewEffect { kind, payload } in effects {
        insert.execute(params![booking.id, booking.host, kind.lane(), kind, payload, At(now)])?;
    }
    Ok(())
}

/// There is one daemon, and it has just started: what one before it had begun is nobody's.
pub(super) fn release_claims(connection: &Connection) -> Result<()> {
    let sql =
        "UPDATE effect SET claimed_until = NULL, claimed_by = NULL WHERE state = 'pending' AND claimed_by = 'daemon'";
    connection.execute(sql, ())?;
    Ok(())
}

/// Hosts as SQL takes them.
fn names(hosts: &[HostId]) -> Json<Vec<&str>> {
    Json(hosts.iter().map(HostId::as_str).collect())
}

/// Nothing older of the same booking and lane is still to be done.
const IS_NEXT: &str =
    "NOT EXISTS (SELECT 1 FROM effect AS older WHERE older.booking = effect.booking AND older.lane = effect.lane
    AND older.state = 'pending' AND older.id < effect.id)";

impl Store {
    /// The effects that can be begun now, longest due first: of each booking and lane only the oldest pending one, and none that is
    /// claimed; none of the hosts in `but`.
    pub async fn due_effects(
        &self,
        lane: Lane,
        now: Timestamp,
        limit: u32,
        but: &[HostId],
    ) -> Result<Vec<OutboxEntry>> {
        let but = but.to_vec();
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(&format!(
                "SELECT * FROM effect WHERE lane = ?1 AND state = 'pending' AND due_at <= ?2
                     AND (claimed_until IS NULL OR claimed_until <= ?2) AND host NOT IN (SELECT value FROM json_each(?4)) AND {IS_NEXT}
                 ORDER BY due_at, id LIMIT ?3"
            ))?;
            let rows = statement.query_map(params![lane, At(now), limit, names(&but)], entry)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// When the next effect of a lane can be begun: past or present when one is due, `None` when nothing is to be done. None of the
    /// hosts in `but` counts.
    pub async fn next_due(&self, lane: Lane, but: &[HostId]) -> Result<Option<Timestamp>> {
        let but = but.to_vec();
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(&format!(
                "SELECT min(max(due_at, coalesce(claimed_until, due_at))) FROM effect WHERE lane = ?1 AND state = 'pending'
                     AND host NOT IN (SELECT value FROM json_each(?2)) AND {IS_NEXT}"
            ))?;
            Ok(statement.query_row(params![lane, names(&but)], |row| row.get::<_, Option<At>>(0))?.map(|At(at)| at))
        })
        .await
    }

    /// What waits for a host to act, of this host or of all, is due at once: the host may have acted.
    pub async fn hurry_refused(&self, host: Option<&HostId>, now: Timestamp) -> Result<()> {
        let host = host.cloned();
        self.write(move |tx| {
            let sql = "UPDATE effect SET due_at = ?2 WHERE state = 'pending' AND needs_host = 1 AND due_at > ?2 AND (?1 IS NULL OR host = ?1)";
            let hurried = tx.execute(sql, params![host, At(now)])?;
            Ok(if hurried > 0 { End::Commit(()) } else { End::Rollback(()) })
        })
        .await
    }

    /// Begins an effect: true when it is the caller's to do until `now + lease`. False when it is done, claimed, or not yet its turn.
    pub async fn claim(&self, id: i64, now: Timestamp, lease: SignedDuration) -> Result<bool> {
        let by = match self.inner.access {
            Access::Daemon => "daemon",
            Access::Tool => "tool",
        };
        self.write(move |tx| {
            let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
            let mut statement = tx.prepare_cached(&format!(
                "UPDATE effect SET attempts = attempts + 1, claimed_until = ?3, claimed_by = ?4
                 WHERE id = ?1 AND state = 'pending' AND (claimed_until IS NULL OR claimed_until <= ?2) AND {IS_NEXT}"
            ))?;
            Ok(End::Commit(statement.execute(params![id, At(now), At(until), by])? > 0))
        })
        .await
    }

    /// One effect.
    pub async fn effect(&self, id: i64) -> Result<Option<OutboxEntry>> {
        self.read(move |tx| {
            let mut statement = tx.prepare_cached("SELECT * FROM effect WHERE id = ?1")?;
            Ok(rusqlite::OptionalExtension::optional(statement.query_row(params![id], entry))?)
        })
        .await
    }

    /// Effects for people to look at, in order.
    pub async fn effects(&self, filter: EffectFilter) -> Result<Vec<OutboxEntry>> {
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(
                "SELECT * FROM effect WHERE (:host IS NULL OR host = :host) AND (:booking IS NULL OR booking = :booking)
                     AND (:state IS NULL OR state = :state) ORDER BY id",
            )?;
            let params = named_params! { ":host": filter.host, ":booking": filter.booking, ":state": filter.state };
            let rows = statement.query_map(params, entry)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Takes a given-up effect up again, or tries a waiting one at once. The order within its booking stays.
    pub async fn retry_effect(&self, id: i64, now: Timestamp) -> Result<Handled> {
        let sql =
            "UPDATE effect SET state = 'pending', due_at = ?2, finished_at = NULL WHERE id = ?1 AND state <> 'done'
            AND (claimed_until IS NULL OR claimed_until <= ?2)";
        self.handle(id, now, sql).await
    }

    /// Gives an effect up for good: it counts as done, and what waits behind it goes on. The booking stays as it is.
    pub async fn drop_effect(&self, id: i64, now: Timestamp) -> Result<Handled> {
        let sql = "UPDATE effect SET state = 'done', finished_at = ?2, payload = '', needs_host = 0, last_error = 'dropped by hand'
            WHERE id = ?1 AND state <> 'done' AND (claimed_until IS NULL OR claimed_until <= ?2)";
        self.handle(id, now, sql).await
    }

    async fn handle(&self, id: i64, now: Timestamp, sql: &'static str) -> Result<Handled> {
        self.write(move |tx| {
            if tx.execute(sql, params![id, At(now)])? > 0 {
                return Ok(End::Commit(Handled::Done));
            }
            let open = "SELECT EXISTS (SELECT 1 FROM effect WHERE id = ?1 AND state <> 'done')";
            let open = tx.query_row(open, params![id], |row| row.get(0))?;
            Ok(End::Rollback(if open { Handled::UnderWay } else { Handled::Unknown }))
        })
        .await
    }
}
