//! Links to the desk that hosts asked for: mailed at once, tried again until they open nothing any more. Start with
//! [`MailOutbox::send_desk_links`].

use super::mail::{Failure, MailOutbox};
use super::record::nap_after;
use super::retry::mail_retry;
use crate::mail::{DeskLink, Mailer, desk_link_message};
use crate::store::{DeskLinkMail, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often is looked whether one is due, beside being woken.
const LOOK: Duration = Duration::from_secs(15);

impl MailOutbox {
    /// Sends links when they are asked for, until `shutdown`.
    pub(super) async fn send_desk_links_until(&self, shutdown: &CancellationToken) -> Result<(), StoreError> {
        loop {
            let looked = self.send_desk_links().await.map(|()| None);
            let nap = nap_after(looked, self.clock.now(), LOOK)?;
            tokio::select! {
                () = self.signal.links_woken() => {}
                () = tokio::time::sleep(nap) => {}
                () = shutdown.cancelled() => return Ok(()),
            }
        }
    }

    /// Sends the links that are due now. What could not be sent is logged and tried again.
    pub async fn send_desk_links(&self) -> Result<(), StoreError> {
        let Some(mailer) = self.mailer.load_full() else { return Ok(()) };
        for due in self.store.due_desk_links(self.clock.now()).await? {
            let host = &due.host;
            let again = match self.send_desk_link(&mailer, &due).await {
                Ok(()) => {
                    tracing::info!(%host, "A link to the desk was mailed.");
                    None
                }
                Err(error) => {
                    tracing::warn!(%host, %error, "A link to the desk could not be mailed; it will be tried while it is good.");
                    mail_retry(due.created_at, due.attempts + 1, self.clock.now())
                }
            };
            self.store.desk_link_tried(due.id, again).await?;
        }
        Ok(())
    }

    async fn send_desk_link(&self, mailer: &Mailer, due: &DeskLinkMail) -> Result<(), Failure> {
        let host = self.desk.host(due.host.as_str()).ok_or(Failure::NoHost)?;
        let link = DeskLink { url: self.desk.desk_link_url(due.id), until: due.expires_at };
        // The id alone opens nothing: the token is derived from it by a key.
        let id: String = due.id.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(mailer.send(desk_link_message(&host, &link, (&id, due.created_at), mailer.sender())?).await?)
    }
}
