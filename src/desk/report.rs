//! How a host's calendars do, for the host.

use super::Desk;
use crate::availability::{HostId, Warning};
use crate::store::StoreError;
use jiff::Timestamp;

/// How a source of busy time does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReport {
    /// Its name.
    pub name: String,
    /// When all of it was last read; `None`: it was not since the process began.
    pub read_at: Option<Timestamp>,
    /// What keeps it from being read, in words, and since when.
    pub trouble: Option<(String, Timestamp)>,
    /// When it is tried again by itself; `None`: just now.
    pub next_at: Option<Timestamp>,
}

/// What is known of one calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarReport {
    /// Its name.
    pub name: String,
    /// When it was last read; `None`: never.
    pub read_at: Option<Timestamp>,
    /// What was not understood in it.
    pub warnings: Vec<Warning>,
}

impl Desk {
    /// How each of the host's sources does.
    pub fn source_reports(&self, host: &HostId) -> Vec<SourceReport> {
        let world = self.world();
        let Some(desk) = world.host_by_id(host) else { return Vec::new() };
        let report = |source: &crate::sync::SyncHandle| {
            let health = source.health();
            SourceReport {
                name: source.name().to_owned(),
                read_at: health.read_at,
                trouble: health.trouble.map(|trouble| (trouble.what, trouble.since)),
                next_at: source.next_at(),
            }
        };
        desk.accounts.iter().map(report).collect()
    }

    /// What is known of each of the host's calendars that is read for anything.
    pub fn calendar_reports(&self, host: &HostId) -> Vec<CalendarReport> {
        let world = self.world();
        let Some(desk) = world.host_by_id(host) else { return Vec::new() };
        let (_, calendars) = desk.board.causes();
        let report = |calendar: crate::sync::CalendarBusy| CalendarReport {
            name: calendar.name,
            read_at: calendar.read_at,
            warnings: calendar.warnings,
        };
        calendars.into_iter().map(report).collect()
    }

    /// What the host is alerted to and is not over: a sentence each, and since when.
    pub async fn alerts_of(&self, host: &HostId) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let episodes = self.store.alerts(host).await?;
        let open = episodes.into_iter().filter(|episode| episode.raised_at.is_some() && episode.ended_at.is_none());
        Ok(open.map(|episode| (episode.what, episode.since)).collect())
    }
}
