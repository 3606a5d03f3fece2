//! How each source of busy time did at its last pass: for commands beside the daemon.

use super::error::Result;
use super::value::At;
use super::{End, Store};
use crate::availability::HostId;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// How a source did at its last pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReport {
    /// When a pass last read all of it.
    pub read_at: Option<Timestamp>,
    /// What keeps it from being read; `None`: nothing.
    pub trouble: Option<ReportedTrouble>,
    /// When the last pass ended.
    pub looked_at: Timestamp,
    /// When the next begins, unless somebody asks for one before.
    pub next_at: Timestamp,
}

/// What keeps a source from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedTrouble {
    /// Of what kind: a word.
    pub kind: String,
    /// Since when.
    pub since: Timestamp,
    /// In words, for the host.
    pub what: String,
}

impl Store {
    /// Keeps how a source did, in place of how it did before. `source` is an account's id, or a name that no account can have. Since
    /// when all of it was not read stays known over a restart.
    pub async fn report_source(&self, host: &HostId, source: &str, report: SourceReport) -> Result<()> {
        let (host, source) = (host.clone(), source.to_owned());
        self.write(move |tx| {
            let SourceReport { read_at, trouble, looked_at, next_at } = report;
            let trouble = trouble.as_ref();
            let mut upsert = tx.prepare_cached(
                "INSERT INTO source (host, source, read_at, trouble, since, what, looked_at, next_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET read_at = coalesce(?3, read_at), trouble = ?4, since = ?5, what = ?6, looked_at = ?7, next_at = ?8",
            )?;
            upsert.execute(params![
                host,
                source,
                read_at.map(At),
                trouble.map(|trouble| &trouble.kind),
                trouble.map(|trouble| At(trouble.since)),
                trouble.map(|trouble| &trouble.what),
                At(looked_at),
                At(next_at),
            ])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// How a source did at the daemon's last pass; `None` when there was none.
    pub async fn source_report(&self, host: &HostId, source: &str) -> Result<Option<SourceReport>> {
        let (host, source) = (host.clone(), source.to_owned());
        self.read(move |tx| {
            let mut select = tx.prepare_cached("SELECT * FROM source WHERE host = ?1 AND source = ?2")?;
            let report = select.query_row(params![host, source], |row| {
                let at = |name: &str| Ok::<_, rusqlite::Error>(row.get::<_, Option<At>>(name)?.map(|At(at)| at));
                let (kind, what): (Option<String>, Option<String>) = (row.get("trouble")?, row.get("what")?);
                let trouble = kind.zip(at("since")?).zip(what);
                Ok(SourceReport {
                    read_at: at("read_at")?,
                    trouble: trouble.map(|((kind, since), what)| ReportedTrouble { kind, since, what }),
                    looked_at: row.get::<_, At>("looked_at")?.0,
                    next_at: row.get::<_, At>("next_at")?.0,
                })
            });
            Ok(report.optional()?)
        })
        .await
    }
}
