//! The end of a pull: the changes and the token that covers them, in one transaction; or what there was of one that did not come to its end.

use super::calendar::CalendarKey;
use super::error::Result;
use super::object::{self, StoredObject};
use super::value::At;
use super::{End, Store};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashSet;

/// What a pull found.
#[derive(Clone, Debug)]
pub struct PullCommit {
    /// The calendar.
    pub key: CalendarKey,
    /// The sync token that covers these changes; `None` when the server has none, and the old one is forgotten.
    pub token: Option<String>,
    /// The CTag that covers these changes; likewise.
    pub ctag: Option<String>,
    /// Objects that are new or not as they were.
    pub changed: Vec<StoredObject>,
    /// Hrefs of objects that are gone.
    pub removed: Vec<String>,
    /// What `changed` is.
    pub full: bool,
    /// When the server was asked.
    pub read_at: Timestamp,
    /// True when every href and ETag was compared with the server's.
    pub listed: bool,
}

/// What a pull changed in the store: hrefs. An object whose bytes are as they were is in none of the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullOutcome {
    /// Not known before.
    pub added: Vec<String>,
    /// With other bytes than before.
    pub changed: Vec<String>,
    /// Known before, and gone.
    pub removed: Vec<String>,
}

impl PullOutcome {
    /// True when every object is as it was.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    /// Adds what was changed after it.
    pub fn add(&mut self, later: PullOutcome) {
        let is_later = |href: &String| !later.removed.contains(href) && !later.changed.contains(href);
        self.added.retain(|href| !later.removed.contains(href));
        self.changed.retain(is_later);
        self.removed.retain(|href| !later.added.contains(href));
        self.added.extend(later.added);
        self.changed.extend(later.changed);
        self.removed.extend(later.removed);
    }
}

impl Store {
    /// Stores what a pull found, and the token that covers it: all of it or nothing. A failure is forgotten.
    /// With `full`, `changed` is the whole calendar and every other object is removed.
    pub async fn commit_pull(&self, pull: PullCommit) -> Result<PullOutcome> {
        self.write(move |tx| {
            let calendar = pull.key.row_id(tx)?;
            let mut outcome = PullOutcome::default();
            let mut removed = pull.removed;
            if pull.full {
                let kept: HashSet<&str> = pull.changed.iter().map(|object| object.href.as_str()).collect();
                let mut statement = tx.prepare_cached("SELECT href FROM object WHERE calendar = ?1 ORDER BY href")?;
                let known = statement.query_map(params![calendar], |row| row.get::<_, String>(0))?;
                removed = known.collect::<rusqlite::Result<Vec<_>>>()?;
                removed.retain(|href| !kept.contains(href.as_str()));
            }
            // Removed first: a server may name an href as gone and, later in the same answer, as new.
            for href in removed {
                if object::forget(tx, calendar, &href)? {
                    outcome.removed.push(href);
                }
            }
            put_all(tx, calendar, pull.changed, &mut outcome)?;
            tx.execute(
                "UPDATE calendar SET sync_token = ?2, ctag = ?3, read_at = ?4, listed_at = CASE WHEN ?5 THEN ?4 ELSE listed_at END,
                     last_error = NULL, failed_at = NULL
                 WHERE id = ?1",
                params![calendar, pull.token, pull.ctag, At(pull.read_at), pull.listed || pull.full],
            )?;
            Ok(End::Commit(outcome))
        })
        .await
    }

    /// Stores objects of a calendar that was not read whole. It stays as old as it was, and the next reading begins where this one did.
    pub async fn commit_part(&self, key: &CalendarKey, objects: Vec<StoredObject>) -> Result<PullOutcome> {
        let key = key.clone();
        self.write(move |tx| {
            let mut outcome = PullOutcome::default();
            put_all(tx, key.row_id(tx)?, objects, &mut outcome)?;
            Ok(End::Commit(outcome))
        })
        .await
    }
}

fn put_all(tx: &Transaction<'_>, calendar: i64, objects: Vec<StoredObject>, outcome: &mut PullOutcome) -> Result<()> {
    let mut stored = tx.prepare_cached("SELECT data = ?3 FROM object WHERE calendar = ?1 AND href = ?2")?;
    for object in objects {
        let compared = params![calendar, object.href, object.data];
        let same = stored.query_row(compared, |row| row.get::<_, bool>(0)).optional()?;
        object::put(tx, calendar, &object)?;
        match same {
            Some(true) => {}
            Some(false) => outcome.changed.push(object.href),
            None => outcome.added.push(object.href),
        }
    }
    Ok(())
}
