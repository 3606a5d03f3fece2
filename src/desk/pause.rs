//! Taking no new bookings for a while. What is booked stays, and guests may still call it off.

use super::Desk;
use crate::availability::{HostId, Pause};
use crate::store::StoreError;
use jiff::Timestamp;

impl Desk {
    /// The host takes no new bookings: until that instant, or until they resume.
    pub async fn pause(&self, host: &HostId, until: Option<Timestamp>) -> Result<(), StoreError> {
        self.store.pause(host, Pause { until }, self.clock.now()).await?;
        tracing::info!(%host, "The host takes no new bookings for now.");
        self.refresh(host).await
    }

    /// The host takes bookings again; false when they did.
    pub async fn resume(&self, host: &HostId) -> Result<bool, StoreError> {
        let resumed = self.store.resume(host).await?;
        if resumed {
            tracing::info!(%host, "The host takes new bookings again.");
        }
        self.refresh(host).await?;
        Ok(resumed)
    }

    /// The pause that holds now, if one does.
    pub fn paused(&self, host: &HostId) -> Option<Pause> {
        let now = self.clock.now();
        let snapshot = self.world().host_by_id(host)?.board.snapshot();
        snapshot.pause.filter(|pause| pause.holds(now))
    }

    /// Publishes what another process said of pauses.
    pub async fn follow_pauses(&self) -> Result<(), StoreError> {
        let pauses = self.store.pauses().await?;
        for desk in &self.world().hosts {
            let pause = pauses.iter().find(|(host, _)| *host == desk.host().id).map(|(_, pause)| *pause);
            desk.board.paused(pause);
        }
        Ok(())
    }
}
