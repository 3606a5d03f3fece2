//! The host's desk: the links that open it once, who is signed in, and who takes no new bookings.

use super::error::Result;
use super::limit::{Hit, HitOutcome, count};
use super::value::At;
use super::{End, Store};
use crate::availability::{HostId, Pause};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// A session that was used within this is not noted as used again.
const USED_LATELY: SignedDuration = SignedDuration::from_mins(5);

/// A link to be made.
#[derive(Clone, Debug)]
pub struct NewDeskLink {
    /// What its token is derived from.
    pub id: [u8; 16],
    /// SHA-256 of its token.
    pub hash: [u8; 32],
    /// It opens nothing from then on.
    pub expires_at: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// A link that is to be mailed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskLinkMail {
    /// What its token is derived from.
    pub id: [u8; 16],
    /// To whom.
    pub host: HostId,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// It opens nothing from then on.
    pub expires_at: Timestamp,
    /// How often sending it was begun.
    pub attempts: u32,
}

/// How long a session lasts.
#[derive(Clone, Copy, Debug)]
pub struct SessionSpan {
    /// Since it was last used.
    pub idle: SignedDuration,
    /// Since it began.
    pub whole: SignedDuration,
}

fn insert_link(tx: &Connection, link: &NewDeskLink, host: Option<&HostId>, due: Option<Timestamp>) -> Result<()> {
    tx.execute(
        "INSERT INTO desk_link (id, hash, host, created_at, expires_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![link.id, link.hash, host, At(link.now), At(link.expires_at), due.map(At)],
    )?;
    Ok(())
}

impl Store {
    /// Keeps a link of a host's.
    pub async fn add_desk_link(&self, link: NewDeskLink, host: &HostId) -> Result<()> {
        let host = host.clone();
        self.write(move |tx| {
            insert_link(tx, &link, Some(&host), None)?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// Somebody asks for a link by mail: `by` counts who asks, `of` whose desk it is. For who is no host (`None`) the same is done,
    /// with a link that opens nothing and goes nowhere, so that nobody learns by the time who is one.
    pub async fn ask_for_desk_link(
        &self,
        link: NewDeskLink,
        host: Option<HostId>,
        by: Hit,
        of: Hit,
    ) -> Result<HitOutcome> {
        self.write(move |tx| {
            if let HitOutcome::Limited { retry_after } = count(tx, &by)? {
                return Ok(End::Rollback(HitOutcome::Limited { retry_after }));
            }
            // Whoever asks is not told that the host has got enough.
            let allowed = count(tx, &of)? == HitOutcome::Allowed;
            let host = host.as_ref().filter(|_| allowed);
            insert_link(tx, &link, host, host.map(|_| link.now))?;
            Ok(End::Commit(HitOutcome::Allowed))
        })
        .await
    }

    /// Whose desk the link with this SHA-256 of its token opens. It stays unused.
    pub async fn desk_link(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<HostId>> {
        self.read(move |tx| {
            let sql = "SELECT host FROM desk_link WHERE hash = ?1 AND expires_at > ?2 AND host IS NOT NULL";
            Ok(tx.prepare_cached(sql)?.query_row(params![hash, At(now)], |row| row.get(0)).optional()?)
        })
        .await
    }

    /// Uses a link up and begins the session with this SHA-256 of its token, in place of the session `before`. `None`: the link is
    /// unknown, used or expired, and nothing began.
    pub async fn use_desk_link(
        &self,
        hash: [u8; 32],
        session: [u8; 32],
        before: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Option<HostId>> {
        self.write(move |tx| {
            let sql = "DELETE FROM desk_link WHERE hash = ?1 AND expires_at > ?2 AND host IS NOT NULL RETURNING host";
            let host: Option<HostId> = tx.query_row(sql, params![hash, At(now)], |row| row.get(0)).optional()?;
            let Some(host) = host else { return Ok(End::Rollback(None)) };
            if let Some(before) = before {
                tx.execute("DELETE FROM desk_session WHERE hash = ?1", params![before])?;
            }
            let sql = "INSERT INTO desk_session (hash, host, begun_at, used_at) VALUES (?1, ?2, ?3, ?3)";
            tx.execute(sql, params![session, host, At(now)])?;
            Ok(End::Commit(Some(host)))
        })
        .await
    }

    /// Whose session it is, by the SHA-256 of its token; it is used now.
    pub async fn desk_session(&self, hash: [u8; 32], span: SessionSpan, now: Timestamp) -> Result<Option<HostId>> {
        let before = |span| now.checked_sub(span).unwrap_or(Timestamp::MIN);
        let (idle, whole) = (before(span.idle), before(span.whole));
        let found: Option<(HostId, Timestamp)> = self
            .read(move |tx| {
                let sql = "SELECT host, used_at FROM desk_session WHERE hash = ?1 AND used_at > ?2 AND begun_at > ?3";
                let mut statement = tx.prepare_cached(sql)?;
                let row = statement
                    .query_row(params![hash, At(idle), At(whole)], |row| Ok((row.get(0)?, row.get::<_, At>(1)?.0)));
                Ok(row.optional()?)
            })
            .await?;
        let Some((host, used_at)) = found else { return Ok(None) };
        if now.duration_since(used_at) > USED_LATELY {
            let noted = self
                .write(move |tx| {
                    tx.execute("UPDATE desk_session SET used_at = ?2 WHERE hash = ?1", params![hash, At(now)])?;
                    Ok(End::Commit(()))
                })
                .await;
            match noted {
                // What is only read goes on while the disk is full.
                Err(error) if error.kind().passes() => {}
                noted => noted?,
            }
        }
        Ok(Some(host))
    }

    /// Ends a session.
    pub async fn end_desk_session(&self, hash: [u8; 32]) -> Result<()> {
        self.write(move |tx| {
            tx.execute("DELETE FROM desk_session WHERE hash = ?1", params![hash])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// Ends every session of a host, and every link that was not used; how many sessions.
    pub async fn close_desk(&self, host: &HostId) -> Result<usize> {
        let host = host.clone();
        self.write(move |tx| {
            tx.execute("DELETE FROM desk_link WHERE host = ?1", params![host])?;
            Ok(End::Commit(tx.execute("DELETE FROM desk_session WHERE host = ?1", params![host])?))
        })
        .await
    }

    /// The links that are to be mailed now.
    pub async fn due_desk_links(&self, now: Timestamp) -> Result<Vec<DeskLinkMail>> {
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(
                "SELECT id, host, created_at, expires_at, attempts FROM desk_link
                 WHERE due_at <= ?1 AND expires_at > ?1 AND host IS NOT NULL ORDER BY due_at, created_at",
            )?;
            let rows = statement.query_map(params![At(now)], |row| {
                Ok(DeskLinkMail {
                    id: row.get(0)?,
                    host: row.get(1)?,
                    created_at: row.get::<_, At>(2)?.0,
                    expires_at: row.get::<_, At>(3)?.0,
                    attempts: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// A link was mailed, or is to be tried `again` then.
    pub async fn desk_link_tried(&self, id: [u8; 16], again: Option<Timestamp>) -> Result<()> {
        self.write(move |tx| {
            let sql = "UPDATE desk_link SET due_at = ?2, attempts = attempts + 1 WHERE id = ?1";
            tx.execute(sql, params![id, again.map(At)])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// Removes links and sessions that open nothing any more; how many.
    pub async fn purge_desk(&self, span: SessionSpan, now: Timestamp) -> Result<usize> {
        let before = |span| now.checked_sub(span).unwrap_or(Timestamp::MIN);
        let (idle, whole) = (before(span.idle), before(span.whole));
        self.write(move |tx| {
            let links = tx.execute("DELETE FROM desk_link WHERE expires_at <= ?1", params![At(now)])?;
            let sql = "DELETE FROM desk_session WHERE used_at <= ?1 OR begun_at <= ?2";
            let gone = links + tx.execute(sql, params![At(idle), At(whole)])?;
            Ok(if gone > 0 { End::Commit(gone) } else { End::Rollback(0) })
        })
        .await
    }

    /// The host takes no new bookings for now.
    pub async fn pause(&self, host: &HostId, pause: Pause, now: Timestamp) -> Result<()> {
        let host = host.clone();
        self.write(move |tx| {
            let sql = "INSERT OR REPLACE INTO pause (host, since, until) VALUES (?1, ?2, ?3)";
            tx.execute(sql, params![host, At(now), pause.until.map(At)])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// The host takes bookings again; false when they did.
    pub async fn resume(&self, host: &HostId) -> Result<bool> {
        let host = host.clone();
        self.write(move |tx| Ok(End::Commit(tx.execute("DELETE FROM pause WHERE host = ?1", params![host])? > 0))).await
    }

    /// The pauses, those that are over included.
    pub async fn pauses(&self) -> Result<Vec<(HostId, Pause)>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached("SELECT host, until FROM pause")?;
            let rows = statement.query_map((), |row| {
                Ok((row.get(0)?, Pause { until: row.get::<_, Option<At>>(1)?.map(|At(at)| at) }))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// The pause of a host, also one that is over.
    pub async fn pause_of(&self, host: &HostId) -> Result<Option<Pause>> {
        let host = host.clone();
        self.read(move |tx| {
            let mut statement = tx.prepare_cached("SELECT until FROM pause WHERE host = ?1")?;
            let until = statement.query_row(params![host], |row| row.get::<_, Option<At>>(0)).optional()?;
            Ok(until.map(|until| Pause { until: until.map(|At(at)| at) }))
        })
        .await
    }
}

/// Whether the host takes no new bookings, within a transaction.
pub(super) fn is_paused(tx: &Connection, host: &HostId, now: Timestamp) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pause WHERE host = ?1 AND (until IS NULL OR until > ?2))";
    Ok(tx.prepare_cached(sql)?.query_row(params![host, At(now)], |row| row.get(0))?)
}

/// Another key: no link and no session of before is good any more.
pub(super) fn forget_all(tx: &Connection) -> Result<()> {
    tx.execute("DELETE FROM desk_link", ())?;
    tx.execute("DELETE FROM desk_session", ())?;
    Ok(())
}
