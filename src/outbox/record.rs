//! What both lanes do about a store that fails for now, such as by a full disk: nothing that was done is forgotten, and nothing
//! is begun that could not be recorded.

use crate::store::{FinishEffect, Finished, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long to wait for a store that fails for now.
const PAUSE: Duration = Duration::from_secs(1);

/// Records how an attempt ended, again and again while the store fails for now, until `shutdown`: the effect stays claimed, so
/// that nobody else begins it. What is not recorded is done again at the next start.
pub(super) async fn finished(
    store: &Store,
    finish: FinishEffect,
    shutdown: &CancellationToken,
) -> Result<Finished, StoreError> {
    loop {
        match store.finish(finish.clone()).await {
            Err(error) if error.kind().passes() => tokio::select! {
                () = shutdown.cancelled() => return Err(error),
                () = tokio::time::sleep(PAUSE) => {}
            },
            ended => return ended,
        }
    }
}

/// How long a lane sleeps at `now`, after it began what was due and learned when the next is. `longest` is from one look at the
/// store to the next.
pub(super) fn nap_after(
    begun: Result<Option<Timestamp>, StoreError>,
    now: Timestamp,
    longest: Duration,
) -> Result<Duration, StoreError> {
    match begun {
        Ok(None) => Ok(longest),
        Ok(Some(due)) => {
            let wait = due.duration_since(now).max(SignedDuration::from_millis(20));
            Ok(longest.min(wait.unsigned_abs()))
        }
        Err(error) if error.kind().passes() => {
            tracing::error!(%error, "The store fails; the outbox waits for it.");
            Ok(PAUSE)
        }
        Err(error) => Err(error),
    }
}
