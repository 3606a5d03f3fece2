//! What the host did with the event of a booking on their calendar becomes the booking's.

use super::{Desk, TokenError};
use crate::booking::{BookingId, Command};
use crate::sync::Observation;

impl Desk {
    /// Follows one observation, which the caller has confirmed at the server.
    pub async fn observe(&self, observation: Observation) -> Result<(), TokenError> {
        match observation {
            Observation::Moved(id, time) => {
                self.follow(
                    id,
                    &Command::EventMoved(time),
                    "The host moved the event of a booking; the booking follows.",
                )
                .await
            }
            Observation::Gone(id) => {
                self.follow(
                    id,
                    &Command::EventGone,
                    "The host removed the event of a booking; the booking is cancelled.",
                )
                .await
            }
            Observation::Relocated(id, place) => Ok(self.store.set_event_place(id, place).await?),
            Observation::CameBack(id) => {
                tracing::warn!(booking = %id, "The event of a booking that was called off came back to the calendar: it is the host's own now, and makes busy.");
                Ok(())
            }
            Observation::Odd(id, what) => {
                tracing::warn!(booking = %id, "The event of a booking {what}; the booking stays as it is.");
                Ok(())
            }
        }
    }

    async fn follow(&self, id: BookingId, command: &Command, sentence: &'static str) -> Result<(), TokenError> {
        if let Some(booking) = self.store.booking(id).await? {
            self.apply(booking, command).await?;
            tracing::info!(booking = %id, "{sentence}");
        }
        Ok(())
    }
}
