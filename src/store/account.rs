//! What is known of accounts: the outcome of the last discovery, and the last failure.

use super::error::Result;
use super::value::{At, Json};
use super::{End, Store};
use crate::availability::HostId;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// What discovery found out about an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// The address that it was found from, without credentials; `None` where that was not kept.
    pub url: Option<String>,
    /// The principal's path or URL (RFC 5397), where the server has one.
    pub principal: Option<String>,
    /// `calendar-user-address-set` (RFC 6638 2.4.1), as the server writes it.
    pub addresses: Vec<String>,
    /// What the server calls itself, for people to read.
    pub server: Option<String>,
    /// Subscriptions that the server only names, as names and hrefs: their events cannot be read there.
    pub subscribed: Vec<(String, String)>,
    /// When it was found out.
    pub discovered_at: Timestamp,
}

/// What went wrong last, and has not gone right since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In words, for the host.
    pub error: String,
    /// When.
    pub at: Timestamp,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// `None` before the first discovery that succeeded.
    pub facts: Option<AccountFacts>,
    /// `None` since the last success.
    pub failure: Option<Failure>,
}

/// A failure from its two columns.
pub(super) fn failure(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Failure>> {
    let (error, at): (Option<String>, Option<At>) = (row.get("last_error")?, row.get("failed_at")?);
    Ok(error.zip(at).map(|(error, At(at))| Failure { error, at }))
}

impl Store {
    /// Keeps what discovery found out; a failure is forgotten.
    pub async fn set_account(&self, host: &HostId, account: &str, facts: AccountFacts) -> Result<()> {
        let (host, account) = (host.clone(), account.to_owned());
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO account (host, account, principal, addresses, server, discovered_at, subscribed, url) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET principal = ?3, addresses = ?4, server = ?5, discovered_at = ?6, subscribed = ?7, url = ?8, last_error = NULL, failed_at = NULL",
                params![host, account, facts.principal, Json(facts.addresses), facts.server, At(facts.discovered_at), Json(facts.subscribed), facts.url],
            )?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// What is known of an account; `None` when nothing is.
    pub async fn account(&self, host: &HostId, account: &str) -> Result<Option<StoredAccount>> {
        let (host, account) = (host.clone(), account.to_owned());
        self.read(move |tx| {
            let row =
                tx.query_row("SELECT * FROM account WHERE host = ?1 AND account = ?2", params![host, account], |row| {
                    let facts = match row.get::<_, Option<At>>("discovered_at")? {
                        Some(At(discovered_at)) => Some(AccountFacts {
                            url: row.get("url")?,
                            principal: row.get("principal")?,
                            addresses: row.get::<_, Json<Vec<String>>>("addresses")?.0,
                            server: row.get("server")?,
                            subscribed: row.get::<_, Json<Vec<(String, String)>>>("subscribed")?.0,
                            discovered_at,
                        }),
                        None => None,
                    };
                    Ok(StoredAccount { facts, failure: failure(row)? })
                });
            Ok(row.optional()?)
        })
        .await
    }

    /// Remembers that an account could not be reached or discovered. Nothing else is forgotten.
    pub async fn mark_account_failed(&self, host: &HostId, account: &str, failure: Failure) -> Result<()> {
        let (host, account) = (host.clone(), account.to_owned());
        self.write(move |tx| {
            tx.execute(
                "INSERT INTO account (host, account, last_error, failed_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET last_error = ?3, failed_at = ?4",
                params![host, account, failure.error, At(failure.at)],
            )?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// The accounts of which anything is kept, to find those no longer configured.
    pub async fn known_accounts(&self) -> Result<Vec<(HostId, String)>> {
        self.read(|tx| {
            let mut statement =
                tx.prepare("SELECT host, account FROM account UNION SELECT host, account FROM calendar ORDER BY 1, 2")?;
            let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    /// Forgets an account with its calendars and their objects. Bookings stay.
    pub async fn forget_account(&self, host: &HostId, account: &str) -> Result<()> {
        let (host, account) = (host.clone(), account.to_owned());
        self.write(move |tx| {
            tx.execute("DELETE FROM calendar WHERE host = ?1 AND account = ?2", params![host, account])?;
            tx.execute("DELETE FROM account WHERE host = ?1 AND account = ?2", params![host, account])?;
            tx.execute("DELETE FROM source WHERE host = ?1 AND source = ?2", params![host, account])?;
            Ok(End::Commit(()))
        })
        .await
    }

    /// Forgets a host's accounts, calendars, objects and feeds. Bookings stay.
    pub async fn forget_host(&self, host: &HostId) -> Result<()> {
        let host = host.clone();
        self.write(move |tx| {
            tx.execute("DELETE FROM calendar WHERE host = ?1", params![host])?;
            tx.execute("DELETE FROM account WHERE host = ?1", params![host])?;
            tx.execute("DELETE FROM source WHERE host = ?1", params![host])?;
            tx.execute("DELETE FROM feed WHERE host = ?1", params![host])?;
            Ok(End::Commit(()))
        })
        .await
    }
}
