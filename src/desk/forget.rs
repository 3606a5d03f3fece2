//! What is not kept: bookings of long ago, and guests who want to be forgotten.

use super::Desk;
use crate::store::{Events, Forgotten, StoreError};
use jiff::Timestamp;

impl Desk {
    /// Erases the bookings that are past for longer than the config keeps them; how many.
    pub async fn forget_old(&self) -> Result<usize, StoreError> {
        let (keep, now) = (self.world().keep, self.clock.now());
        let nameless = self.store.erase_nameless().await?;
        let Some(past) = keep.past else { return Ok(nameless) };
        let before = now.checked_sub(past).unwrap_or(Timestamp::MIN);
        let erased = self.store.erase_ended_before(before, events(keep.events), now).await?;
        self.outbox.wake();
        Ok(nameless + erased)
    }

    /// Erases what is known of a guest's address, unless a booking of theirs is ahead. Their events go from the calendar too, unless
    /// `keep_events`.
    pub async fn forget_guest(&self, email: &str, keep_events: bool) -> Result<Forgotten, StoreError> {
        let forgotten = self.store.forget_guest(email, events(keep_events), self.clock.now()).await?;
        self.outbox.wake();
        Ok(forgotten)
    }
}

fn events(keep: bool) -> Events {
    if keep { Events::Stay } else { Events::Go }
}
