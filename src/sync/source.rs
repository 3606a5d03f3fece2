//! Where a host's busy time comes from, whatever kind it is of. See [`Source`].

use super::availability::AvailabilitySync;
use super::board::SourceSettings;
use super::folder::FolderSync;
use super::pull::{AccountSync, Pass, SyncError};
use super::subscription::SubscriptionSync;
use crate::availability::Host;
use crate::store::Store;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// A source of a host's busy time, brought up to date by passes.
#[derive(Clone, Debug)]
pub enum Source {
    /// A CalDAV account.
    Account(AccountSync),
    /// A calendar published by URL.
    Subscription(SubscriptionSync),
    /// A folder of `.ics` files.
    Folder(FolderSync),
    /// The availability that the host keeps on a calendar server.
    Availability(AvailabilitySync),
}

impl Source {
    /// Whose.
    pub fn host(&self) -> &Arc<Host> {
        match self {
            Source::Account(account) => &account.settings.host,
            Source::Subscription(subscription) => &subscription.lone.reading.host,
            Source::Folder(folder) => &folder.lone.reading.host,
            Source::Availability(availability) => &availability.lone.reading.host,
        }
    }

    /// The name of its account in the store: an account's id, or a name that no account can have.
    pub fn id(&self) -> &str {
        match self {
            Source::Account(account) => &account.settings.id,
            Source::Subscription(subscription) => &subscription.lone.key.account,
            Source::Folder(folder) => &folder.lone.key.account,
            Source::Availability(availability) => &availability.lone.key.account,
        }
    }

    /// For people to read: an account's id, or the kind of the source.
    pub fn name(&self) -> &str {
        match self {
            Source::Account(account) => &account.settings.id,
            Source::Subscription(_) => "subscription",
            Source::Folder(_) => "folder",
            Source::Availability(_) => "availability",
        }
    }

    /// Where our copy is kept.
    pub fn store(&self) -> &Store {
        match self {
            Source::Account(account) => &account.store,
            Source::Subscription(subscription) => &subscription.lone.store,
            Source::Folder(folder) => &folder.lone.store,
            Source::Availability(availability) => &availability.lone.store,
        }
    }

    /// The folder in which changes can be seen at once.
    pub fn watched(&self) -> Option<&Path> {
        match self {
            Source::Folder(folder) => Some(folder.path()),
            Source::Account(_) | Source::Subscription(_) | Source::Availability(_) => None,
        }
    }

    /// One pass at `now`: see [`AccountSync::pass`], [`SubscriptionSync::pass`], [`FolderSync::pass`] and
    /// [`AvailabilitySync::pass`].
    pub async fn pass(&self, now: Timestamp) -> Result<Pass, SyncError> {
        match self {
            Source::Account(account) => account.pass(now).await,
            Source::Subscription(subscription) => subscription.pass(now).await,
            Source::Folder(folder) => folder.pass(now).await,
            Source::Availability(availability) => availability.pass(now).await,
        }
    }

    /// Its calendars, with when each was read; one that never was makes nothing bookable.
    pub async fn sources(&self) -> Result<Vec<(SourceSettings, Option<Timestamp>)>, SyncError> {
        match self {
            Source::Account(account) => account.sources().await,
            Source::Subscription(subscription) => subscription.sources().await,
            Source::Folder(folder) => folder.sources().await,
            Source::Availability(availability) => availability.sources().await,
        }
    }
}
