//! The only SQL: calendars and their objects as the servers sent them, bookings, the outbox, limits. Start with [`Store`].
//!
//! Every method is one business transaction. Instants are kept in whole microseconds.

mod account;
mod alert;
mod backup;
mod booking;
mod calendar;
mod change;
mod desk;
mod effect;
mod error;
mod feed;
mod finish;
mod inbox;
mod keep;
mod limit;
mod mark;
mod missing;
mod object;
mod open;
mod pull;
mod remind;
mod reserve;
mod secret;
#[cfg(test)]
pub(crate) mod simulated;
mod source;
mod stats;
#[cfg(test)]
mod tests;
mod value;
mod worker;

pub use account::{AccountFacts, Failure, StoredAccount};
pub use alert::{NoticeEntry, NoticeOutcome};
pub use booking::{BookingFilter, OwnEvent};
pub use calendar::{CalendarEntry, CalendarKey, CalendarRole, StoredCalendar};
pub use change::{Change, Changed};
pub use desk::{DeskLinkMail, NewDeskLink, SessionSpan};
pub use effect::{EffectFilter, EffectKind, EffectState, Handled, Lane, NewEffect, OutboxEntry};
pub use error::{Result, StoreError, StoreErrorKind};
pub use feed::KeptFeed;
pub use finish::{EffectOutcome, FinishEffect, Finished, ObjectUpdate};
pub use inbox::InboxPlace;
pub use keep::{Events, Forgotten, Purge};
pub use limit::{Hit, HitOutcome};
pub use missing::MissingEvent;
pub use object::StoredObject;
pub use open::Access;
pub use pull::{PullCommit, PullOutcome};
pub use remind::{Ahead, DigestEntry};
pub use reserve::{GuestLimits, IdempotencyRow, NewBooking, PerDay, Reserved, Used};
pub use source::{ReportedTrouble, SourceReport};
pub use stats::{LaneStats, StoreStats};

use rusqlite::{Transaction, TransactionBehavior};
use std::path::Path;
use std::sync::Arc;
use worker::Worker;

/// Connections that read beside the writer.
const READERS: usize = 2;

/// The store. Cheap to clone; all clones share one writer and the readers beside it.
///
/// A method whose future is dropped may still do its work: whether it did is known by asking again.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Worker,
    /// None in memory, where a database has one connection.
    readers: Option<Worker>,
    access: Access,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("access", &self.inner.access).finish_non_exhaustive()
    }
}

/// How a transaction ends.
enum End<T> {
    /// What was written stays.
    Commit(T),
    /// Nothing was written: the answer is no.
    Rollback(T),
}

impl Store {
    /// Opens the database file, or makes it (mode 0600). Blocks: for the start of a process.
    ///
    /// Refuses a file that another daemon uses, that is damaged, not ours, or of a newer schema than this binary's.
    pub fn open(path: &Path, access: Access) -> Result<Store> {
        let opened = open::open(path, access, READERS)?;
        if access == Access::Daemon {
            effect::release_claims(&opened.writer)?;
        }
        let thread = |source| StoreError::File { path: path.to_owned(), what: "start the threads of", source };
        let writer = Worker::start("store-write", vec![opened.writer], opened.lock).map_err(thread)?;
        let readers = Worker::start("store-read", opened.readers, None).map_err(thread)?;
        Ok(Store { inner: Arc::new(Inner { writer, readers: Some(readers), access }) })
    }

    /// A store in memory that is gone with its last clone.
    pub fn memory() -> Result<Store> {
        let thread = |source| StoreError::File { path: ":memory:".into(), what: "start the threads of", source };
        let writer = Worker::start("store", vec![open::open_memory()?], None).map_err(thread)?;
        Ok(Store { inner: Arc::new(Inner { writer, readers: None, access: Access::Daemon }) })
    }

    /// Finishes what is queued, closes the file and releases the lock. Whatever is asked afterwards, of any clone, fails.
    pub async fn close(&self) {
        if let Some(readers) = &self.inner.readers {
            readers.stop().await;
        }
        self.inner.writer.stop().await;
    }

    /// One transaction that holds the only write lock from its start.
    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<End<T>> + Send + 'static,
    ) -> Result<T> {
        let transact = move |connection: &mut rusqlite::Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            match job(&transaction)? {
                End::Commit(answer) => {
                    transaction.commit()?;
                    Ok(answer)
                }
                End::Rollback(answer) => {
                    transaction.rollback()?;
                    Ok(answer)
                }
            }
        };
        self.inner.writer.run(transact).await
    }

    /// One consistent view.
    /// A number that is another one after another process has changed what is stored.
    pub async fn changes_of_others(&self) -> Result<i64> {
        // As the one connection that writes sees it: of what is written through it, it tells nothing.
        let version = |connection: &mut rusqlite::Connection| {
            Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
        };
        self.inner.writer.run(version).await
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let view = move |connection: &mut rusqlite::Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            let answer = job(&transaction)?;
            transaction.rollback()?;
            Ok(answer)
        };
        self.inner.readers.as_ref().unwrap_or(&self.inner.writer).run(view).await
    }
}
