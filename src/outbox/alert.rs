//! The alerts: looks again and again whether something is wrong, and mails hosts about it. Start with [`AlertOutbox::run`].

use super::retry::mail_retry;
use crate::alert::AlertKind;
use crate::availability::Clock;
use crate::booking::BookingId;
use crate::desk::Desk;
use crate::mail::{Mailer, MessageError, SendError, alert_message};
use crate::store::{NoticeEntry, NoticeOutcome, Store, StoreError};
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Looks after hosts.
#[derive(Debug)]
pub struct AlertOutbox {
    /// The way to the mail server; `None` while mail is not set up. Replaced when the config changes.
    pub mailer: Arc<ArcSwapOption<Mailer>>,
    /// Keeps what is to be sent.
    pub store: Store,
    /// Knows what is wrong.
    pub desk: Desk,
    /// Tells the time.
    pub clock: Clock,
}

/// Why a notice was not sent.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("the notice cannot be read: {0}")]
    Payload(#[from] serde_json::Error),
    #[error("the host is no longer in the config")]
    NoHost,
}

impl AlertOutbox {
    /// Looks and mails until `shutdown`. Fails only when the store does, and not by a full disk: that passes.
    pub async fn run(&self, shutdown: CancellationToken) -> Result<(), StoreError> {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match self.round().await {
                Err(error) if error.kind().passes() => {
                    tracing::error!(%error, "The store fails; alerts wait for it.");
                }
                ended => ended?,
            }
        }
    }

    async fn round(&self) -> Result<(), StoreError> {
        self.desk.watch_over().await?;
        if let Some(mailer) = self.mailer.load_full() {
            for entry in self.store.due_notices(self.clock.now()).await? {
                let outcome = match self.send(&mailer, &entry).await {
                    Ok(()) => {
                        tracing::info!(host = %entry.host, alert = entry.kind.as_str(), over = entry.over, "The host was mailed about an alert.");
                        NoticeOutcome::Sent
                    }
                    Err(failure) => self.failed(&entry, &failure),
                };
                self.store.finish_notice(entry.id, outcome).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, mailer: &Mailer, entry: &NoticeEntry) -> Result<(), Failure> {
        let host = self.desk.host(entry.host.as_str()).ok_or(Failure::NoHost)?;
        let id = format!("alert.{}.{}.{}", entry.host, entry.id, entry.created_at.as_microsecond());
        let notice = entry.notice()?;
        // A link opens a booking: it is written when it is sent, and kept nowhere.
        let links: Vec<String> = match entry.kind == AlertKind::ManyGone && !entry.over {
            true => notice.subjects.iter().filter_map(|id| self.host_link(id)).collect(),
            false => Vec::new(),
        };
        let message = alert_message(&host, entry.kind, entry.over, &notice, &links, (&id, mailer.from()))?;
        Ok(mailer.send(message).await?)
    }

    fn host_link(&self, booking: &str) -> Option<String> {
        let id = BookingId(booking.parse().ok()?);
        Some(self.desk.links().host_booking(&self.desk.host_token(id)))
    }

    fn failed(&self, entry: &NoticeEntry, failure: &Failure) -> NoticeOutcome {
        let is_final = !matches!(failure, Failure::Send(SendError::Temporary(_) | SendError::Server(_)));
        let (now, error) = (self.clock.now(), failure.to_string());
        let again = if is_final { None } else { mail_retry(entry.created_at, entry.attempts + 1, now) };
        match again {
            Some(due_at) => {
                tracing::warn!(host = %entry.host, alert = entry.kind.as_str(), %error, "An alert could not be mailed; it will be tried again.");
                NoticeOutcome::Retry { due_at, error }
            }
            None => {
                tracing::error!(host = %entry.host, alert = entry.kind.as_str(), %error, "An alert could not be mailed and was given up: the host has not been told.");
                NoticeOutcome::Failed { error }
            }
        }
    }
}
