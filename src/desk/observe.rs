//! What the host did with the event of a booking on their calendar becomes the booking's.

use super::{Desk, TokenError, WhenDeclined};
use crate::booking::{BookingId, Command};
use crate::sync::Observation;

impl Desk {
    /// Follows one observation, which the caller has confirmed at the server.
    pub async fn observe(&self, observation: Observation) -> Result<(), TokenError> {
        match observation {
            Observation::Edited { booking: id, from, to } => {
                let sentence = match from.time == to.time {
                    true => "The host gave the event of a booking another place; the booking follows.",
                    false => "The host moved the event of a booking; the booking follows.",
                };
                self.follow(id, &Command::EventEdited { from, to }, sentence).await
            }
            Observation::Gone(id) => {
                self.follow(
                    id,
                    &Command::EventGone,
                    "The host removed the event of a booking; the booking is cancelled.",
                )
                .await
            }
            Observation::Late(id, place) => {
                self.store.set_event_place(id, place).await?;
                self.follow(
                    id,
                    &Command::EventLate,
                    "The event of a booking that has ended came to the calendar late; it is removed.",
                )
                .await
            }
            Observation::Relocated(id, place) => Ok(self.store.set_event_place(id, place).await?),
            Observation::Declined(id, addresses) => self.guest_declined(id, &addresses).await,
            Observation::Odd(id, oddity) => {
                tracing::warn!(booking = %id, "The event of a booking {oddity}; the booking stays as it is.");
                Ok(())
            }
        }
    }

    /// One of these addresses (lower case) declined the invitation of a booking; the guest's own counts, no other. What follows
    /// is the host's setting: the guest is asked by mail whether to cancel, the booking is cancelled, or nothing.
    pub async fn guest_declined(&self, id: BookingId, addresses: &[String]) -> Result<(), TokenError> {
        let Some(booking) = self.store.booking(id).await? else { return Ok(()) };
        let guest = booking.guest.email.trim().to_lowercase();
        if !addresses.contains(&guest)
            || booking.declined == Some(booking.sequence)
            || booking.is_over(self.clock.now())
        {
            return Ok(());
        }
        let world = self.world();
        let policy = world.host_by_id(&booking.host).map_or(WhenDeclined::Ignore, |desk| desk.declined);
        let (command, sentence) = match policy {
            WhenDeclined::Ask => (Command::AskToCancel, "The guest's calendar declined a booking; the guest is asked."),
            WhenDeclined::Cancel => {
                (Command::CancelByGuest, "The guest's calendar declined a booking; it is cancelled.")
            }
            WhenDeclined::Ignore => return Ok(()),
        };
        self.apply(booking, &command).await?;
        tracing::info!(booking = %id, "{sentence}");
        Ok(())
    }

    async fn follow(&self, id: BookingId, command: &Command, sentence: &'static str) -> Result<(), TokenError> {
        if let Some(booking) = self.store.booking(id).await? {
            self.apply(booking, command).await?;
            tracing::info!(booking = %id, "{sentence}");
        }
        Ok(())
    }
}
