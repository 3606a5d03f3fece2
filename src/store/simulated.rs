//! A store that is a step of a simulation: each transaction waits for its turn, then runs at once on the caller's thread.

use super::error::{Result, StoreError};
use super::worker::Worker;
use super::{Access, Inner, Store, effect, open};
use futures_util::future::BoxFuture;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, MutexGuard};

/// Whether a transaction is done; if not, the disk is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Done,
    DiskFull,
}

/// Waits for the next transaction's turn.
pub(crate) type Turns = Arc<dyn Fn() -> BoxFuture<'static, Turn> + Send + Sync>;

pub(super) struct Simulated {
    connection: Mutex<Connection>,
    turns: Turns,
}

impl Simulated {
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap()
    }

    pub(super) async fn run<T>(&self, job: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        match (self.turns)().await {
            Turn::Done => job(&mut self.connection()),
            Turn::DiskFull => {
                let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
                Err(StoreError::Sqlite(rusqlite::Error::SqliteFailure(full, None)))
            }
        }
    }
}

impl Store {
    /// A store in memory whose every transaction waits for its turn.
    pub(crate) fn simulated(turns: Turns) -> Store {
        let simulated = Simulated { connection: Mutex::new(open::open_memory().unwrap()), turns };
        let writer = Worker::simulated(simulated);
        Store { inner: Arc::new(Inner { writer, readers: None, access: Access::Daemon }) }
    }

    /// What opening does after a daemon has died.
    pub(crate) fn reopened(&self) {
        effect::release_claims(&self.inner.writer.simulation().connection()).unwrap();
    }

    /// The number that a query gives.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.inner.writer.simulation().connection().query_row(sql, (), |row| row.get(0)).unwrap()
    }

    /// Takes a rule away, or puts a wrong one in.
    pub(crate) fn tamper(&self, sql: &str) {
        self.inner.writer.simulation().connection().execute_batch(sql).unwrap();
    }
}
