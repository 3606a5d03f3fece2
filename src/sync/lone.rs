//! What subscriptions and folders have in common: a source that is one calendar, read only, with a row of its own in the
//! store. See [`Lone`].

use super::board::SourceSettings;
use super::pull::{CalendarPass, Pass, SyncError, owner_addresses};
use crate::availability::{BusyRules, Counting, Host};
use crate::ical::Zone;
use crate::store::{CalendarEntry, CalendarKey, CalendarRole, Failure, PullOutcome, Store, StoreError, StoredCalendar};
use jiff::Timestamp;
use std::sync::Arc;

/// Whose a source is, and how its events are read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Whose.
    pub host: Arc<Host>,
    /// Which of its events count.
    pub counting: Counting,
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
        let entry = CalendarEntry { href: href.clone(), name: self.name.clone(), role, time_zone: None };
        self.store.set_calendars(host, account, vec![entry]).await?;
        let stored = self.store.calendar(&self.key).await?;
        stored.ok_or_else(|| StoreError::UnknownCalendar {
            host: host.to_string(),
            account: account.clone(),
            href: href.clone(),
        })
    }

    /// The pass that a reading of it makes, which was to go on from `stored`. After a failure what is stored stays, with its age.
    pub(super) async fn passed(
        &self,
        stored: &StoredCalendar,
        brought: PullOutcome,
        result: Result<(), SyncError>,
        now: Timestamp,
    ) -> Result<Pass, SyncError> {
        if let Err(error) = &result {
            match self.store.mark_failed(&self.key, Failure { error: error.to_string(), at: now }).await {
                // Forgotten meanwhile: the next pass begins anew.
                Ok(()) | Err(StoreError::UnknownCalendar { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let rediscovered = !brought.is_empty();
        let first = stored.read_at.is_none();
        let calendar = CalendarPass { key: self.key.clone(), name: self.name.clone(), first, brought, result };
        Ok(Pass { calendars: vec![calendar], rediscovered })
    }

    /// It as a source whose floating times are in this zone.
    pub(super) fn source(&self, zone: Zone) -> SourceSettings {
        let Reading { host, counting } = &self.reading;
        SourceSettings {
            key: self.key.clone(),
            name: self.name.clone(),
            rules: BusyRules { zone, owner: owner_addresses(host, &[]), counting: counting.clone() },
            busy: true,
            opens: None,
            is_availability: false,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::Access;
    use crate::sync::{HostBoard, Source};
    use jiff::SignedDuration;
    use tempfile::TempDir;

    /// A source of Emmy Noether's with a store and a board.
    pub(crate) struct Bench {
        pub(crate) store: Store,
        pub(crate) board: HostBoard,
        pub(crate) _folder: TempDir,
    }

    /// Some minutes after noon, UTC, of a day in 2030.
    pub(crate) fn noon(minutes: i64) -> Timestamp {
        "2030-06-03T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
    }

    pub(crate) fn event(uid: &str, start: &str) -> String {
        format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:{start}\r\nDURATION:PT1H\r\nEND:VEVENT\r\n")
    }

    pub(crate) fn calendar(inner: &str) -> String {
        format!("BEGIN:VCALENDAR\r\n{inner}END:VCALENDAR\r\n")
    }

    /// Emmy Noether.
    pub(crate) fn host() -> Arc<Host> {
        Arc::new(Host::sample())
    }

    impl Bench {
        pub(crate) fn new() -> (Bench, Reading) {
            let host = host();
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(&folder.path().join("store.db"), Access::Daemon).unwrap();
            let board = HostBoard::new(host.clone(), noon(0));
            let reading = Reading { host, counting: Counting::default() };
            (Bench { store, board, _folder: folder }, reading)
        }

        /// When the host is busy, by what is stored; with its age.
        pub(crate) async fn busy(&self, source: &Source) -> (Vec<String>, Option<Timestamp>) {
            let mut calendars = Vec::new();
            for (settings, read_at) in source.sources().await.unwrap() {
                let objects =
                    if read_at.is_some() { self.store.objects(&settings.key).await.unwrap() } else { Vec::new() };
                calendars.push((settings, read_at, objects));
            }
            self.board.replace(noon(0), calendars);
            let snapshot = self.board.snapshot();
            (snapshot.busy.iter().map(|interval| interval.start().to_string()).collect(), snapshot.as_of)
        }

        /// Why a pass of the only calendar failed.
        pub(crate) async fn failure(&self, source: &Source, now: Timestamp) -> String {
            let pass = source.pass(now).await.unwrap();
            let error = pass.calendars[0].result.as_ref().unwrap_err().to_string();
            let stored = self.store.calendar(&pass.calendars[0].key).await.unwrap().unwrap();
            assert_eq!(stored.failure.unwrap().error, error);
            error
        }
    }
}
