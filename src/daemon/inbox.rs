//! The task that reads the answers of guests' calendars in a mailbox: what has come since the last look, once, and then whatever
//! comes. Start with [`InboxReader::run`].

use super::setup::Services;
use crate::desk::TokenError;
use crate::mail::{Inbox, InboxError, InboxServer, read_reply};
use crate::store::{InboxPlace, StoreError};
use crate::sync::{Failures, Setback, SyncHandle, TroubleKind, pause};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// From one look to the next, where the server tells nothing in between.
const POLL: Duration = Duration::from_secs(60);
/// How far back a mailbox is read that was never read before.
const AT_FIRST: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Mail comes late, and clocks are wrong: what came shortly before is read again, where UIDs mean nothing any more.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// Reads one mailbox.
#[derive(Debug)]
pub(super) struct InboxReader {
    /// Where it is.
    pub(super) server: InboxServer,
    /// Store, desk and clock.
    pub(super) services: Services,
    /// Tells others how the mailbox does.
    pub(super) handle: SyncHandle,
}

/// Why a look at the mailbox was no success.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl InboxReader {
    /// Reads until `shutdown`. Fails only when the store does, and not by a full disk: that passes. After a refused login the server
    /// is left alone, until the config or the password has changed.
    pub(super) async fn run(self, shutdown: CancellationToken) -> Result<(), StoreError> {
        let mut failures = Failures::default();
        loop {
            let (failure, read) = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                ended = self.follow() => ended,
            };
            let setback = match failure {
                Failure::Store(error) if !error.kind().passes() => return Err(error),
                Failure::Store(error) => Setback::of_store(&error),
                Failure::Inbox(error) => setback(&error),
            };
            failures = if read { Failures::default() } else { failures }.after(Some(&setback));
            tracing::warn!(mailbox = self.handle.name(), error = setback.what, "The answers of guests cannot be read.");
            let now = self.services.clock.now();
            self.handle.ended(self.handle.health().after(Some(&setback), now), None);
            let chance = super::setup::random::<1>().map_or(0, |[byte]| byte);
            let pause = pause(Some(&setback), failures, POLL, chance);
            let refused = setback.kind == TroubleKind::Login && failures.alike > 1;
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                // A second refusal is no passing fault: each further try counts towards a lock-out.
                () = tokio::time::sleep(pause.wait), if !refused => {}
            }
        }
    }

    /// Opens the mailbox and reads what comes, until something fails; whether all was read before that.
    async fn follow(&self) -> (Failure, bool) {
        let mut read = false;
        let failure = async {
            let mut inbox = Inbox::open(&self.server).await?;
            loop {
                self.read_new(&mut inbox).await?;
                read = true;
                self.handle.ended(self.handle.health().after(None, self.services.clock.now()), None);
                inbox = inbox.wait(POLL).await?;
            }
        };
        let failure: Result<std::convert::Infallible, Failure> = failure.await;
        match failure {
            Err(failure) => (failure, read),
        }
    }

    /// Reads what was not read yet. A message is done with once the place after it is stored: who dies before reads it again, and
    /// the booking knows what it was told already.
    async fn read_new(&self, inbox: &mut Inbox) -> Result<(), Failure> {
        let (store, name, now) = (&self.services.store, self.server.name(), self.services.clock.now());
        let validity = inbox.validity();
        let before = store.inbox_place(&name).await?;
        let (after, since) = match before {
            Some(place) if place.validity == validity => (Some(place.uid), now),
            Some(place) => (None, earlier(place.read_at, OVERLAP)),
            None => (None, earlier(now, AT_FIRST)),
        };
        let mut last = after;
        for listed in inbox.list(after, since).await? {
            let message = inbox.message(listed).await?;
            if let Some(reply) = message.as_deref().and_then(read_reply) {
                match self.services.desk.guest_replied(reply).await {
                    // A booking that has ended meanwhile, or is gone.
                    Ok(()) | Err(TokenError::Unknown | TokenError::Closed(_) | TokenError::Over) => {}
                    Err(TokenError::Store(error)) => return Err(error.into()),
                }
                store.set_inbox_place(&name, InboxPlace { validity, uid: listed.uid, read_at: now }).await?;
            }
            last = Some(listed.uid);
        }
        let place = InboxPlace { validity, uid: last.unwrap_or(0), read_at: now };
        if last != after || before.is_none_or(|before| before.validity != validity) {
            store.set_inbox_place(&name, place).await?;
        }
        Ok(())
    }
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

fn setback(error: &InboxError) -> Setback {
    let kind = match error {
        InboxError::Login(_) => TroubleKind::Login,
        InboxError::Settings(_) => TroubleKind::Settings,
        InboxError::Away(_) => TroubleKind::Unreachable,
        InboxError::Server(_) => TroubleKind::Server,
    };
    Setback { kind, what: error.to_string(), retry_after: None, asked: true }
}
