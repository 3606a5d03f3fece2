//! What subscriptions and folders have in common: a source that is one calendar, read only, with a row of its own in the
//! store. See [`Lone`].

use super::board::SourceSettings;
use super::pull::{CalendarPass, Pass, SyncError, owner_addresses};
use crate::availability::{AllDay, BusyRules, Host, Tentative};
use crate::ical::Zone;
use crate::store::{CalendarEntry, CalendarKey, CalendarRole, Failure, PullOutcome, Store, StoreError, StoredCalendar};
use jiff::Timestamp;
use std::sync::Arc;

/// Whose a source is, and how its events are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Whose.
    pub host: Arc<Host>,
    /// How all-day events count.
    pub all_day: AllDay,
    /// How tentative events count.
    pub tentative: Tentative,
}

/// A source that is one calendar.
#[derive(Clone)]
pub(super) struct Lone {
    pub(super) reading: Reading,
    /// Its account is a name that no `[[host.account]]` can have, for this source alone.
    pub(super) key: CalendarKey,
    /// As the host knows it.
    pub(super) name: String,
    pub(super) store: Store,
}

impl Lone {
    /// Its row in the store, made if there is none.
    pub(super) async fn row(&self) -> Result<StoredCalendar, StoreError> {
        if let Some(stored) = self.store.calendar(&self.key).await? {
            return Ok(stored);
        }
        let CalendarKey { host, account, href } = &self.key;
        let role = CalendarRole { busy: true, writable: Some(false) };
        let entry = CalendarEntry { href: href.clone(), name: self.name.clone(), role };
        self.store.set_calendars(host, account, vec![entry]).await?;
        let stored = self.store.calendar(&self.key).await?;
        stored.ok_or_else(|| StoreError::UnknownCalendar {
            host: host.to_string(),
            account: account.clone(),
            href: href.clone(),
        })
    }

    /// The pass that a reading of it makes. After a failure what is stored stays, with its age.
    pub(super) async fn passed(
        &self,
        result: Result<PullOutcome, SyncError>,
        now: Timestamp,
    ) -> Result<Pass, SyncError> {
        if let Err(error) = &result {
            self.store.mark_failed(&self.key, Failure { error: error.to_string(), at: now }).await?;
        }
        let rediscovered = result.as_ref().is_ok_and(|outcome| !outcome.is_empty());
        let calendar = CalendarPass { key: self.key.clone(), name: self.name.clone(), result };
        Ok(Pass { calendars: vec![calendar], rediscovered })
    }

    /// It as a source whose floating times are in this zone.
    pub(super) fn source(&self, zone: Zone) -> SourceSettings {
        let Reading { host, all_day, tentative } = &self.reading;
        SourceSettings {
            key: self.key.clone(),
            name: self.name.clone(),
            rules: BusyRules { zone, owner: owner_addresses(host, &[]), all_day: *all_day, tentative: *tentative },
            busy: true,
            opens: None,
        }
    }
}
