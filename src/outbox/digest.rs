//! The host's list of the day: sent once a day, tried again until the day is over. Start with [`send_digests`].

use super::mail::MailOutbox;
use super::retry::mail_retry;
use crate::desk::DigestOf;
use crate::mail::{Entry, Mailer, digest_message};
use crate::store::StoreError;

impl MailOutbox {
    /// Sends the lists that are due.
    pub(super) async fn send_digests(&self, mailer: &Mailer) -> Result<(), StoreError> {
        for digest in self.desk.digests_due().await? {
            let now = self.clock.now();
            let host = &digest.host;
            let again = match self.send_digest(mailer, &digest).await {
                Ok(()) => None,
                Err(error) => {
                    tracing::warn!(host = %host.id, %error, "The list of the day could not be sent; it will be tried again.");
                    mail_retry(digest.due, digest.attempts + 1, now)
                }
            };
            self.store.digest_tried(&host.id, digest.day, again).await?;
        }
        Ok(())
    }

    async fn send_digest(&self, mailer: &Mailer, digest: &DigestOf) -> Result<(), super::mail::Failure> {
        if digest.bookings.is_empty() {
            return Ok(());
        }
        let links = self.desk.links();
        let entries: Vec<Entry> = digest
            .bookings
            .iter()
            .map(|booking| Entry { booking, link: links.host_booking(&self.desk.host_token(booking.id)) })
            .collect();
        let message = digest_message(&digest.host, digest.day, digest.due, &entries, mailer.sender())?;
        Ok(mailer.send(message).await?)
    }
}
