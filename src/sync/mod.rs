//! Calendars in, snapshots out: a pass over a [`Source`] (an account, a
//! subscription, a folder) brings our copy up to date, and the copy becomes the
//! published state of the host ([`HostBoard`]).

mod availability;
mod board;
mod finding;
mod folder;
mod handle;
mod health;
mod lone;
mod newcomer;
mod pace;
mod plan;
mod pull;
mod pull_calendar;
mod reconcile;
mod source;
mod strategy;
mod subscription;
mod whereabouts;

#[cfg(test)]
pub(crate) use lone::tests as testing;

pub use availability::AvailabilitySync;
pub use board::{CalendarBusy, Contribution, HostBoard, Opens, Snapshot, SourceSettings};
pub use folder::FolderSync;
pub use handle::{Request, Requests, SyncHandle};
pub use health::{Health, Setback, Trouble, TroubleKind};
pub use lone::Reading;
pub use pace::{Failures, Pause, pause};
pub use plan::{Plan, plan};
pub use pull::{AccountSettings, AccountSync, CalendarPass, Pass, SyncError, is_named, is_named_so};
pub use reconcile::{DOUBTED_FOR, Found, Observation, Oddity, Settled, Suspects, is_too_many, reconcile};
pub use source::Source;
pub use strategy::{Strategy, Way};
pub use subscription::SubscriptionSync;
pub use whereabouts::{Whereabouts, holds_uid, parent};
