//! What hosts are alerted to: episodes, and the mails about them. What follows from what is decided elsewhere (`alert::plan`),
//! here within one transaction.

use super::effect::EffectState;
use super::error::Result;
use super::value::{At, word};
use super::{End, Store};
use crate::alert::{AlertKind, Episode, Known, LastNotice, Notice, Plan, Tellable, plan};
use crate::availability::HostId;
use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql, params};

/// A mail to a host about alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeEntry {
    /// Rises with each.
    pub id: i64,
    /// To whom.
    pub host: HostId,
    /// Of which kind.
    pub kind: AlertKind,
    /// Whether it says that something is over.
    pub over: bool,
    /// JSON of a [`Notice`]; empty once it is sent, for it may name a guest.
    pub payload: String,
    /// How far it is.
    pub state: EffectState,
    /// How often sending was begun.
    pub attempts: u32,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Not before this.
    pub due_at: Timestamp,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// How an attempt to send a notice ended.
#[derive(Clone, Debug)]
pub enum NoticeOutcome {
    /// It was sent.
    Sent,
    /// It is to be tried again.
    Retry {
        /// Not before this.
        due_at: Timestamp,
        /// What went wrong.
        error: String,
    },
    /// It is given up.
    Failed {
        /// What went wrong.
        error: String,
    },
}

impl ToSql for AlertKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for AlertKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<AlertKind> {
        word(value, "alert", |word| word.parse().ok())
    }
}

impl Store {
    /// Takes what is known of a host now, and remembers what follows, its mails included, together or not at all.
    pub async fn follow_alerts(&self, host: &HostId, known: Known, how: Tellable, now: Timestamp) -> Result<Plan> {
        let host = host.clone();
        self.write(move |tx| {
            let before = episodes(tx, &host)?;
            let plan = plan(&known, &before, &last_notices(tx, &host)?, how, now);
            if plan.episodes == before && plan.notices.is_empty() {
                return Ok(End::Rollback(plan));
            }
            tx.execute("DELETE FROM alert WHERE host = ?1", params![host])?;
            let mut insert = tx.prepare_cached(
                "INSERT INTO alert (host, kind, subject, what, since, raised_at, told_at, ended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for Episode { kind, subject, what, since, raised_at, told_at, ended_at } in &plan.episodes {
                let (raised, told, ended) = (raised_at.map(At), told_at.map(At), ended_at.map(At));
                insert.execute(params![host, kind, subject, what, At(*since), raised, told, ended])?;
            }
            let mut insert = tx.prepare_cached(
                "INSERT INTO notice (host, kind, over, payload, created_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
            )?;
            for (kind, over, notice) in &plan.notices {
                insert.execute(params![host, kind, over, notice.to_json(), At(now)])?;
            }
            Ok(End::Commit(plan))
        })
        .await
    }

    /// What a host is or is to be alerted to, ended episodes whose end is still to be told included.
    pub async fn alerts(&self, host: &HostId) -> Result<Vec<Episode>> {
        let host = host.clone();
        self.read(move |tx| episodes(tx, &host)).await
    }

    /// Forgets what hosts are alerted to who are none of these.
    pub async fn forget_other_alerts(&self, hosts: Vec<HostId>) -> Result<()> {
        self.write(move |tx| {
            let mut statement = tx.prepare_cached("SELECT DISTINCT host FROM alert")?;
            let known =
                statement.query_map((), |row| row.get::<_, HostId>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
            let others: Vec<HostId> = known.into_iter().filter(|host| !hosts.contains(host)).collect();
            for host in &others {
                tx.execute("DELETE FROM alert WHERE host = ?1", params![host])?;
            }
            Ok(if others.is_empty() { End::Rollback(()) } else { End::Commit(()) })
        })
        .await
    }

    /// How many alerts are open, of each kind that is.
    pub async fn open_alerts(&self) -> Result<Vec<(AlertKind, i64)>> {
        self.read(|tx| {
            let sql = "SELECT kind, count(*) FROM alert WHERE raised_at IS NOT NULL AND ended_at IS NULL GROUP BY kind";
            let mut statement = tx.prepare_cached(sql)?;
            let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// The next notice of each host that can be sent now.
    pub async fn due_notices(&self, now: Timestamp) -> Result<Vec<NoticeEntry>> {
        self.read(move |tx| {
            let mut statement = tx.prepare_cached(
                "SELECT * FROM notice WHERE state = 'pending' AND due_at <= ?1 AND NOT EXISTS
                     (SELECT 1 FROM notice AS older WHERE older.host = notice.host AND older.state = 'pending' AND older.id < notice.id)
                 ORDER BY id",
            )?;
            let rows = statement.query_map(params![At(now)], entry)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// The notices that are not sent, in order.
    pub async fn open_notices(&self) -> Result<Vec<NoticeEntry>> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached("SELECT * FROM notice WHERE state <> 'done' ORDER BY id")?;
            let rows = statement.query_map((), entry)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Stores how an attempt to send a notice ended.
    pub async fn finish_notice(&self, id: i64, outcome: NoticeOutcome) -> Result<()> {
        self.write(move |tx| {
            match outcome {
                NoticeOutcome::Sent => tx.execute(
                    "UPDATE notice SET state = 'done', payload = '', attempts = attempts + 1, last_error = NULL WHERE id = ?1",
                    params![id],
                )?,
                NoticeOutcome::Retry { due_at, error } => tx.execute(
                    "UPDATE notice SET due_at = ?2, last_error = ?3, attempts = attempts + 1 WHERE id = ?1",
                    params![id, At(due_at), error],
                )?,
                NoticeOutcome::Failed { error } => tx.execute(
                    "UPDATE notice SET state = 'failed', last_error = ?2, attempts = attempts + 1 WHERE id = ?1",
                    params![id, error],
                )?,
            };
            Ok(End::Commit(()))
        })
        .await
    }
}

impl NoticeEntry {
    /// What it says.
    pub fn notice(&self) -> std::result::Result<Notice, serde_json::Error> {
        serde_json::from_str(&self.payload)
    }
}

fn episodes(tx: &Connection, host: &HostId) -> Result<Vec<Episode>> {
    let mut statement = tx.prepare_cached("SELECT * FROM alert WHERE host = ?1 ORDER BY kind, subject")?;
    let at = |row: &Row<'_>, name: &str| Ok::<_, rusqlite::Error>(row.get::<_, Option<At>>(name)?.map(|At(at)| at));
    let rows = statement.query_map(params![host], |row| {
        Ok(Episode {
            kind: row.get("kind")?,
            subject: row.get("subject")?,
            what: row.get("what")?,
            since: row.get::<_, At>("since")?.0,
            raised_at: at(row, "raised_at")?,
            told_at: at(row, "told_at")?,
            ended_at: at(row, "ended_at")?,
        })
    })?;
    let mut episodes = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    episodes.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
    Ok(episodes)
}

fn last_notices(tx: &Connection, host: &HostId) -> Result<Vec<LastNotice>> {
    let mut statement =
        tx.prepare_cached("SELECT kind, over, max(created_at) FROM notice WHERE host = ?1 GROUP BY kind, over")?;
    let rows = statement.query_map(params![host], |row| {
        Ok(LastNotice { kind: row.get(0)?, over: row.get(1)?, at: row.get::<_, At>(2)?.0 })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<NoticeEntry> {
    Ok(NoticeEntry {
        id: row.get("id")?,
        host: row.get("host")?,
        kind: row.get("kind")?,
        over: row.get("over")?,
        payload: row.get("payload")?,
        state: row.get("state")?,
        attempts: row.get("attempts")?,
        created_at: row.get::<_, At>("created_at")?.0,
        due_at: row.get::<_, At>("due_at")?.0,
        last_error: row.get("last_error")?,
    })
}
