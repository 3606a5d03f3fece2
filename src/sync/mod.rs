//! Calendars in, snapshots out: a pass over an account ([`AccountSync`]) brings our copy up to date, and the copy becomes the
//! published state of the host ([`HostBoard`]).

mod board;
mod handle;
mod plan;
mod pull;
mod reconcile;

pub use board::{CalendarBusy, Contribution, HostBoard, Opens, Snapshot, SourceSettings};
pub use handle::{Request, Requests, SyncHandle};
pub use plan::{Plan, plan};
pub use pull::{AccountSettings, AccountSync, CalendarPass, Pass, SyncError, is_named, is_named_so};
pub use reconcile::{Found, Observation, Settled, Suspects, reconcile};
