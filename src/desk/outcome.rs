//! What came of an effect becomes the booking's: the outbox performs, the desk records.

use super::change::effects_for;
use super::{Desk, TokenError};
use crate::availability::HostId;
use crate::booking::{Booking, BookingId, Command, EventPlace, transition};
use crate::store::{
    CalendarKey, EffectOutcome, FinishEffect, Finished, ObjectUpdate, OutboxEntry, StoreError, StoredObject,
};

/// Which version of an event is on the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As of this SEQUENCE of its booking.
    pub sequence: u32,
    /// As of a booking that awaits approval.
    pub tentative: bool,
    /// Its LOCATION, in one line.
    pub place: String,
    /// It was created just before it was read back.
    pub created: bool,
    /// Its UID: of a server that gives events UIDs of its own, that one is the booking's from then on.
    pub uid: String,
}

impl Desk {
    /// The calendar server has the event in this version: `object` is what it holds, read back, in place of the version `replaced`.
    pub async fn event_written(
        &self,
        entry: &OutboxEntry,
        key: CalendarKey,
        object: StoredObject,
        replaced: Option<String>,
        Version { sequence, tentative, place, created, uid }: Version,
    ) -> Result<(), TokenError> {
        let at = EventPlace { account: key.account.clone(), href: object.href.clone(), etag: object.etag.clone() };
        let object = Some((key, ObjectUpdate::Put { object, replaced }));
        self.record(entry, object, Some((at, uid)), Some(Command::EventWritten { sequence, tentative, place, created }))
            .await
    }

    /// The calendar server no longer has the event; `version` is the ETag of what was removed.
    pub async fn event_removed(
        &self,
        entry: &OutboxEntry,
        key: CalendarKey,
        href: String,
        version: Option<String>,
    ) -> Result<(), TokenError> {
        let object = Some((key, ObjectUpdate::Forget { href, version }));
        self.record(entry, object, None, None).await
    }

    /// The event was to be changed, and the host has removed it: the booking is cancelled, not the event made again.
    pub async fn event_was_gone(&self, entry: &OutboxEntry) -> Result<(), TokenError> {
        self.record(entry, None, None, Some(Command::EventGone)).await
    }

    /// There was nothing to do any more.
    pub async fn effect_is_moot(&self, entry: &OutboxEntry) -> Result<(), TokenError> {
        self.record(entry, None, None, None).await
    }

    async fn record(
        &self,
        entry: &OutboxEntry,
        object: Option<(CalendarKey, ObjectUpdate)>,
        place: Option<(EventPlace, String)>,
        command: Option<Command>,
    ) -> Result<(), TokenError> {
        let world = self.world();
        let at = self.clock.now();
        loop {
            let current = self.store.booking(entry.booking).await?;
            let changed = match (&current, &command) {
                (Some(booking), Some(command)) => transition(booking, command, at).ok().flatten(),
                _ => None,
            };
            let (next, effects) = match (changed, &current) {
                (Some((next, effects)), _) => (Some(next), effects),
                (None, Some(booking)) if place.is_some() => (Some(booking.clone()), Vec::new()),
                _ => (None, Vec::new()),
            };
            let next = next.map(|next| match place.clone() {
                Some((event, uid)) => Booking { event: Some(event), uid, ..next },
                None => next,
            });
            let notify = world.host_by_id(&entry.host).is_some_and(|desk| desk.notify);
            let more_effects = match &next {
                Some(next) => {
                    let told = current.as_ref().and_then(Booking::told_appointment);
                    effects_for(next, told.as_ref(), effects, world.mailed(), notify)
                }
                None => Vec::new(),
            };
            let finish = FinishEffect {
                id: entry.id,
                at,
                outcome: EffectOutcome::Done { booking: next.map(Box::new), object: object.clone() },
                expected_updated_at: current.map(|booking| booking.updated_at),
                more_effects,
            };
            if self.store.finish(finish).await? != Finished::Stale {
                break;
            }
        }
        if let Some((key, update)) = object {
            self.publish_object(&entry.host, &key, update.href()).await?;
        }
        self.refresh(&entry.host).await?;
        self.outbox.wake();
        self.outbox.delivered();
        Ok(())
    }

    /// Puts our copy of an object, as it is now, on the host's board.
    async fn publish_object(&self, host: &HostId, key: &CalendarKey, href: &str) -> Result<(), TokenError> {
        let world = self.world();
        let Some(desk) = world.host_by_id(host) else { return Ok(()) };
        match self.store.object(key, href).await {
            Ok(Some(object)) => desk.board.wrote(key, &[object], &[]),
            Ok(None) => desk.board.wrote(key, &[], &[href.to_owned()]),
            // Forgotten meanwhile: there is no copy to keep in step.
            Err(StoreError::UnknownCalendar { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The booking of an outbox entry.
    pub async fn booking_of(&self, id: BookingId) -> Result<Option<Booking>, TokenError> {
        Ok(self.store.booking(id).await?)
    }
}
