//! Finding an event that a server has stored under a name of its own and that our copy does not show yet.

use super::pull::{AccountSync, SyncError};
use super::whereabouts::holds_uid;
use crate::caldav::{Expected, Href, Object, Wanted};
use crate::store::CalendarKey;
use std::collections::HashSet;

impl AccountSync {
    /// The event of a UID among the objects of a calendar that our copy does not have: the calendar is listed, and what is new in it is
    /// read. Before an event is created whose last PUT was never answered: there are servers that name what they store as they like.
    ///
    /// # Errors
    /// What cannot be listed or read: then nobody knows.
    pub async fn newcomer(&self, key: &CalendarKey, uid: &str) -> Result<Option<Object>, SyncError> {
        let calendar = Href::new(key.href.clone());
        let held = self.store.object_etags(key).await?;
        let held: HashSet<Href> = held.into_iter().map(|(href, _)| Href::new(href)).collect();
        let listed = self.client.list(&calendar).await?;
        let new = listed.into_iter().filter(|member| !held.contains(&member.href));
        let wanted: Vec<Wanted> =
            new.map(|member| Wanted { href: member.href, expected: Expected::Version(member.etag) }).collect();
        let fetched = self.client.fetch(&calendar, &wanted).await;
        match fetched.objects.into_iter().find(|object| holds_uid(&object.data, uid)) {
            Some(object) => Ok(Some(object)),
            None => {
                let unread = fetched.broken_off.or(fetched.failed.into_iter().next().map(|failed| failed.error));
                unread.map_or(Ok(None), |error| Err(error.into()))
            }
        }
    }
}
