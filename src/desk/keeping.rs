//! The published texts outlive the process: what changed is kept in the store, off the path of any request, and is what is served
//! while a host's sources do not let it be made anew.

use super::{Desk, Document};
use crate::availability::HostId;
use crate::store::{KeptFeed, StoreError};
use std::sync::Arc;

impl Desk {
    /// Puts together every host's texts as they are now, whether or not anybody asks for them.
    pub async fn renew_documents(&self) {
        for host in self.hosts() {
            self.feed(&host.id, None);
            for meeting in &host.meetings {
                self.feed(&host.id, Some(&meeting.id));
                // Others come in between.
                tokio::task::yield_now().await;
            }
            self.free_busy(&host.id);
        }
    }

    /// Waits until a text was published that the store may not have yet.
    pub async fn documents_changed(&self) {
        self.documents.changed.notified().await;
    }

    /// Keeps the texts that have changed. What cannot be kept is tried again the next time.
    pub async fn keep_documents(&self) -> Result<(), StoreError> {
        for ((host, name), document) in self.documents.not_kept() {
            let Document { body, etag, modified } = document.as_ref();
            let feed = KeptFeed { name: name.clone(), etag: etag.clone(), modified: *modified, body: body.to_vec() };
            self.store.keep_feed(&host, feed).await?;
            self.documents.are_kept(&(host, name), &document);
        }
        Ok(())
    }

    /// Takes up the texts of a host that were kept, where none were published since.
    pub async fn restore_documents(&self, host: &HostId) -> Result<(), StoreError> {
        for KeptFeed { name, etag, modified, body } in self.store.kept_feeds(host).await? {
            let document = Arc::new(Document { body: body.into(), etag, modified });
            self.documents.restore((host.clone(), name), document);
        }
        Ok(())
    }
}
