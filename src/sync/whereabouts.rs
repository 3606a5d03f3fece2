//! Where the event of a booking is, by the server itself: our copy may be older than what was done since. Start with
//! [`AccountSync::locate`].

use super::pull::{AccountSync, SyncError};
use super::reconcile::{Observation, Settled, compare};
use crate::availability::{EventFacts, event_summary};
use crate::booking::{Appointment, EventPlace};
use crate::caldav::{ErrorKind, Href, Object};
use crate::ical::ContentLines;
use crate::store::CalendarKey;

/// Where the event of a booking is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// There, as the server has it now.
    At(Object),
    /// In no calendar of the account, and the one that it was in can be read.
    Nowhere,
    /// The calendar that it was in is not there: that says nothing of what the host wants with its events.
    WithItsCalendar,
}

impl AccountSync {
    /// Asks for the event of this UID at the place where it was last seen, then where our copy has it, then by its name in every
    /// calendar of the account, read or not (standards E4.4). That it is nowhere is believed only while its calendar itself
    /// answers: a proxy without a server behind it says 404 to everything.
    pub async fn locate(&self, uid: &str, last: &Href) -> Result<Whereabouts, SyncError> {
        let holds = |object: &Object| holds_uid(&object.data, uid);
        if let Some(object) = self.client.get(last).await?.filter(holds) {
            return Ok(Whereabouts::At(object));
        }
        let calendars = self.store.calendars(&self.settings.host.id).await?.into_iter().map(|calendar| calendar.key);
        let calendars: Vec<CalendarKey> = calendars.filter(|key| key.account == self.settings.id).collect();
        let mut candidates = Vec::new();
        for key in &calendars {
            candidates.extend(self.held(key, uid).await?.map(|(place, _)| Href::new(place.href)));
        }
        candidates.extend(calendars.iter().map(|key| Href::new(key.href.clone()).child(&last.name())));
        for candidate in candidates.into_iter().filter(|candidate| candidate != last) {
            match self.client.get(&candidate).await {
                Ok(Some(object)) if holds(&object) => return Ok(Whereabouts::At(object)),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match self.client.state(&Href::new(parent(last.as_str()))).await {
            Ok(_) => {}
            Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(Whereabouts::WithItsCalendar),
            Err(error) => return Err(error.into()),
        }
        match self.client.get(last).await?.filter(holds) {
            Some(object) => Ok(Whereabouts::At(object)),
            None => Ok(Whereabouts::Nowhere),
        }
    }

    /// The event of a UID in our copy of a calendar.
    pub async fn held(&self, key: &CalendarKey, uid: &str) -> Result<Option<(EventPlace, EventFacts)>, SyncError> {
        for object in self.store.objects(key).await? {
            if !holds_uid(&object.data, uid) {
                continue;
            }
            let facts = event_summary(&object.data, &self.settings.host.zone).filter(|facts| facts.uid == uid);
            if let Some(facts) = facts {
                let place = EventPlace { account: self.settings.id.clone(), href: object.href, etag: object.etag };
                return Ok(Some((place, facts)));
            }
        }
        Ok(None)
    }

    /// What follows from an observation when the server itself is asked: nothing of what is not so (any more), and where an event has
    /// gone that our copy has nowhere. `owner` are the host's addresses.
    pub async fn confirmed(
        &self,
        observation: Observation,
        settled: &[Settled],
        owner: &[String],
    ) -> Result<Vec<Observation>, SyncError> {
        let (Observation::Edited { booking: id, .. }
        | Observation::Gone(id)
        | Observation::Relocated(id, _)
        | Observation::Late(id, _)
        | Observation::Declined(id, _)
        | Observation::Odd(id, _)) = observation;
        let Some(event) = settled.iter().find(|event| event.booking == id) else { return Ok(Vec::new()) };
        let facts_at = async |href: &str| {
            let object = self.client.get(&Href::new(href)).await?;
            Ok::<_, SyncError>(object.and_then(|object| event_summary(&object.data, &self.settings.host.zone)))
        };
        Ok(match observation {
            Observation::Gone(_) => self.after_gone(event, owner).await?,
            // One that is in another place by now is looked for there by the next pass.
            Observation::Edited { ref to, .. } => {
                let facts = facts_at(&event.place.href).await?;
                let is_so = facts.and_then(|facts| Appointment::of(&facts)).is_some_and(|now| now == *to);
                is_so.then_some(observation).into_iter().collect()
            }
            Observation::Declined(..) => {
                let declined = facts_at(&event.place.href).await?.map(|facts| facts.declined).unwrap_or_default();
                (!declined.is_empty()).then_some(Observation::Declined(id, declined)).into_iter().collect()
            }
            Observation::Relocated(_, ref place) => {
                let facts = facts_at(&place.href).await?;
                facts.is_some_and(|facts| facts.uid == event.uid).then_some(observation).into_iter().collect()
            }
            Observation::Late(..) | Observation::Odd(..) => vec![observation],
        })
    }

    /// The event was observed to be gone or called off.
    async fn after_gone(&self, event: &Settled, owner: &[String]) -> Result<Vec<Observation>, SyncError> {
        let id = event.booking;
        let object = match self.locate(&event.uid, &Href::new(event.place.href.clone())).await? {
            Whereabouts::At(object) => object,
            Whereabouts::Nowhere => return Ok(vec![Observation::Gone(id)]),
            Whereabouts::WithItsCalendar => return Ok(Vec::new()),
        };
        let facts = event_summary(&object.data, &self.settings.host.zone);
        if facts.as_ref().is_some_and(|facts| facts.is_called_off(owner)) {
            return Ok(vec![Observation::Gone(id)]);
        }
        self.store.note_found(id).await?;
        // Still booked: where it is now, at the time that it has there.
        let is_here = object.href == Href::new(event.place.href.as_str());
        let etag = object.etag.map(|etag| etag.to_string());
        let place = EventPlace { account: self.settings.id.clone(), href: object.href.to_string(), etag };
        let relocated = (!is_here).then_some(Observation::Relocated(id, place));
        Ok(relocated.into_iter().chain(facts.and_then(|facts| compare(event, &facts))).collect())
    }
}

/// Whether an object holds something of this UID, on however many lines the server has folded it.
pub fn holds_uid(data: &[u8], uid: &str) -> bool {
    uids(data).any(|held| held == uid)
}

/// Every UID in an object.
pub(super) fn uids(data: &[u8]) -> impl Iterator<Item = String> + '_ {
    let lines = ContentLines::new(data).flatten().filter(|property| property.name == "UID");
    lines.map(|property| property.value.trim().to_owned())
}

/// The collection of an object, with its final slash.
pub fn parent(href: &str) -> &str {
    href.trim_end_matches('/').rfind('/').and_then(|at| href.get(..=at)).unwrap_or(href)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_found_however_it_is_folded_and_not_within_another() {
        let uid = format!("{}ABCDEF", "040000008200E00074C5B7101A82E008".repeat(3));
        let event = |uid: &str| format!("BEGIN:VEVENT\r\nSUMMARY:x\r\nUID:{uid}\r\nEND:VEVENT\r\n").into_bytes();
        for at in 0..=uid.len() {
            let (begin, end) = uid.split_at(at);
            for fold in ["\r\n ", "\n\t"] {
                assert!(holds_uid(&event(&format!("{begin}{fold}{end}")), &uid), "{at}");
            }
        }
        assert!(holds_uid(b"BEGIN:VEVENT\nUID;X-A=b: plain \nEND:VEVENT", "plain"));
        assert!(!holds_uid(&event("plain-2"), "plain"));
        assert!(!holds_uid(b"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:UID:plain\r\nEND:VEVENT", "plain"));
    }

    #[test]
    fn the_parent_of_an_object_is_its_calendar() {
        assert_eq!(parent("/dav/cal/x.ics"), "/dav/cal/");
        assert_eq!(parent("/dav/cal/"), "/dav/");
    }
}
