//! The host's list of the day: sent once a day, tried again until the day is over, each time the same message to the byte. Start with [`MailOutbox::send_digests`].

use super::mail::{Failure, MailOutbox};
use super::record::nap_after;
use super::retry::mail_retry;
use crate::booking::DayEntry;
use crate::desk::DigestOf;
use crate::mail::{Entry, Mailer, digest_message};
use crate::store::StoreError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often is looked whether a list is due.
const LOOK: Duration = Duration::from_secs(20);

impl MailOutbox {
    /// Sends lists when they are due, until `shutdown`.
    pub(super) async fn send_digests_until(&self, shutdown: &CancellationToken) -> Result<(), StoreError> {
        loop {
            let looked = self.send_digests().await.map(|()| None);
            let nap = nap_after(looked, self.clock.now(), LOOK)?;
            tokio::select! {
                () = tokio::time::sleep(nap) => {}
                () = shutdown.cancelled() => return Ok(()),
            }
        }
    }

    /// Sends the lists that are due now. What could not be sent is logged and tried again.
    pub async fn send_digests(&self) -> Result<(), StoreError> {
        let Some(mailer) = self.mailer.load_full() else { return Ok(()) };
        for digest in self.desk.begin_digests().await? {
            let again = match self.send_digest(&mailer, &digest).await {
                Ok(()) => None,
                Err(error) => {
                    let host = &digest.host.id;
                    tracing::warn!(%host, %error, "The list of the day could not be sent; it will be tried again.");
                    mail_retry(digest.due, digest.attempts, self.clock.now())
                }
            };
            self.store.end_digest(&digest.host.id, digest.day, again).await?;
        }
        Ok(())
    }

    async fn send_digest(&self, mailer: &Mailer, digest: &DigestOf) -> Result<(), Failure> {
        if digest.list.is_empty() {
            return Ok(());
        }
        let links = self.desk.links();
        let entry = |of| {
            let id = DayEntry::booking(of)?;
            Some(Entry { of, link: links.host_booking(&self.desk.host_token(id)) })
        };
        let entries: Vec<Entry<'_>> = digest.list.iter().filter_map(entry).collect();
        let message = digest_message(&digest.host, digest.day, digest.due, &entries, mailer.sender())?;
        Ok(mailer.send(message).await?)
    }
}
