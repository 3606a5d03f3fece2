//! What guests' calendars answer by mail. Whether an answer is believed, and what it may lead to, is `booking::judge`'s to say.

use super::{Desk, TokenError, WhenDeclined, token};
use crate::booking::{BookingId, Command, Ignored, OnDecline, Reply, judge};

impl Desk {
    /// An answer to an invitation came by mail. Again: nothing more follows.
    pub async fn guest_replied(&self, reply: Reply) -> Result<(), TokenError> {
        let Some(booking) = self.store.booking_by_uid(&reply.uid).await? else {
            tracing::debug!("An answer by mail is about no booking of ours.");
            return Ok(());
        };
        let id = booking.id;
        match judge(&reply, &booking, self.clock.now()) {
            Ok(_) => {}
            // It is read a second time.
            Err(Ignored::Older) => return Ok(()),
            Err(ignored) => {
                tracing::info!(booking = %id, "An answer by mail changes nothing: {ignored}.");
                return Ok(());
            }
        }
        let world = self.world();
        let policy = world.host_by_id(&booking.host).map_or(WhenDeclined::Ignore, |desk| desk.declined);
        let on_decline = match policy {
            WhenDeclined::Ask => OnDecline::Ask,
            // Anybody can write a mail in the guest's name, but only who has the guest's link can quote it.
            WhenDeclined::Cancel if self.quotes_link(&reply, id) => OnDecline::Cancel,
            WhenDeclined::Cancel => OnDecline::Ask,
            WhenDeclined::Ignore => OnDecline::Nothing,
        };
        self.apply(booking, &Command::Replied(Box::new(reply), on_decline)).await?;
        tracing::info!(booking = %id, "The guest's calendar answered by mail.");
        Ok(())
    }

    /// By digests: looking tells nothing of the token by its time.
    fn quotes_link(&self, reply: &Reply, id: BookingId) -> bool {
        let own = token::digest(&self.tokens.guest(id));
        reply.tokens.iter().any(|found| token::digest(found) == own)
    }
}
