//! How the calendars have the events of bookings: by our copy where a calendar is read, by the server itself where it is not. Start
//! with [`AccountSync::find_all`].

use super::pull::{AccountSync, CalendarPass, Pass, SyncError};
use super::reconcile::{Found, Settled, is_late};
use super::whereabouts::{holds_uid, parent, uids};
use crate::availability::event_summary;
use crate::booking::{Booking, BookingId, EventPlace};
use crate::caldav::Href;
use crate::store::{CalendarKey, StoredObject};
use std::collections::{HashMap, HashSet};

impl AccountSync {
    /// Each event as this pass has it; those of which nothing is known are left out. An event in a calendar that is not read costs one
    /// request, and so does each such calendar for an event that is not among `suspects`: it may have gone there just now. `owner` are
    /// the host's addresses.
    pub async fn find_all(
        &self,
        pass: &Pass,
        settled: &[Settled],
        suspects: &HashSet<BookingId>,
        owner: &[String],
    ) -> Result<HashMap<BookingId, Found>, SyncError> {
        let read: Vec<&CalendarKey> =
            pass.calendars.iter().filter(|calendar| calendar.result.is_ok()).map(|calendar| &calendar.key).collect();
        let held = self.held_at(&read, settled).await?;
        let (mut found, mut away) = (HashMap::new(), Vec::new());
        for event in settled {
            let seen = match held.get(&event.place.href) {
                Some(object) => self.seen(&object.data, event, owner),
                None if reads(pass, event) => Some(Found::Missing),
                None => self.ask(event, owner).await?,
            };
            match seen {
                Some(Found::Missing) => away.push(event),
                Some(seen) => {
                    found.insert(event.booking, seen);
                }
                None => {}
            }
        }
        if !pass.all_read() || away.is_empty() {
            return Ok(found);
        }
        let copies = self.held_elsewhere(&read, &away).await?;
        let unread = self.unread(pass).await?;
        for event in away {
            let object = match copies.get(&event.uid) {
                Some(object) => Some(object.clone()),
                None if suspects.contains(&event.booking) => None,
                None => self.carried(&unread, event).await?,
            };
            let seen = object.and_then(|object| Some((self.seen(&object.data, event, owner)?, object)));
            found.insert(
                event.booking,
                match seen {
                    Some((Found::Here(facts), StoredObject { href, etag, .. })) if href != event.place.href => {
                        Found::Elsewhere(EventPlace { account: self.settings.id.clone(), href, etag }, facts)
                    }
                    Some((seen, _)) => seen,
                    None => Found::Missing,
                },
            );
        }
        Ok(found)
    }

    /// Where the events of these ended bookings are, if a write that was thought lost has brought them: where they were last, where
    /// we write such, or among what the pass brought.
    pub async fn find_late(&self, pass: &Pass, ended: &[Booking]) -> Result<Vec<(BookingId, EventPlace)>, SyncError> {
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        let mut hrefs: Vec<String> =
            ended.iter().filter_map(|booking| booking.event.as_ref().map(|place| place.href.clone())).collect();
        let mut read = Vec::new();
        for CalendarPass { key, brought, .. } in &pass.calendars {
            let calendar = Href::new(key.href.as_str());
            hrefs.extend(ended.iter().map(|booking| calendar.child(&format!("{}.ics", booking.uid)).to_string()));
            hrefs.extend(brought.added.iter().chain(&brought.changed).cloned());
            read.push(key.href.clone());
        }
        hrefs.sort_unstable();
        hrefs.dedup();
        let settings = &self.settings;
        let mut late = Vec::new();
        for object in self.store.objects_at(&settings.host.id, &settings.id, read, hrefs).await? {
            let Some(facts) = event_summary(&object.data, &settings.host.zone) else { continue };
            if let Some(booking) = ended.iter().find(|booking| is_late(booking, &facts)) {
                let StoredObject { href, etag, .. } = object;
                late.push((booking.id, EventPlace { account: settings.id.clone(), href, etag }));
            }
        }
        Ok(late)
    }

    /// The calendars of these events that hold anything now.
    pub async fn alive(&self, pass: &Pass, events: &[&Settled]) -> Result<HashSet<Href>, SyncError> {
        let calendars: HashSet<Href> = events.iter().map(|event| Href::new(parent(&event.place.href))).collect();
        let mut alive = HashSet::new();
        for calendar in calendars {
            let holds_some = match pass.calendars.iter().find(|read| Href::new(read.key.href.as_str()) == calendar) {
                Some(read) => read.result.is_ok() && !self.store.object_etags(&read.key).await?.is_empty(),
                None => match self.client.list(&calendar).await {
                    Ok(members) => !members.is_empty(),
                    Err(error) if error.wants_rest() => return Err(error.into()),
                    Err(_) => false,
                },
            };
            if holds_some {
                alive.insert(calendar);
            }
        }
        Ok(alive)
    }

    /// What an object says of an event; `None` when nothing.
    fn seen(&self, data: &[u8], event: &Settled, owner: &[String]) -> Option<Found> {
        match event_summary(data, &self.settings.host.zone) {
            Some(facts) if facts.is_called_off(owner) => Some(Found::CalledOff),
            Some(facts) => Some(Found::Here(facts)),
            None => holds_uid(data, &event.uid).then_some(Found::Unreadable),
        }
    }

    /// Our copy of the objects at the places of these events, by href: one question, however many there are.
    async fn held_at(
        &self,
        read: &[&CalendarKey],
        settled: &[Settled],
    ) -> Result<HashMap<String, StoredObject>, SyncError> {
        let calendars = read.iter().map(|key| key.href.clone()).collect();
        let hrefs = settled.iter().map(|event| event.place.href.clone()).collect();
        let held = self.store.objects_at(&self.settings.host.id, &self.settings.id, calendars, hrefs).await?;
        Ok(held.into_iter().map(|object| (object.href.clone(), object)).collect())
    }

    /// Our copies of these events, by UID, wherever in the calendars that are read.
    async fn held_elsewhere(
        &self,
        read: &[&CalendarKey],
        away: &[&Settled],
    ) -> Result<HashMap<String, StoredObject>, SyncError> {
        let wanted: HashSet<&str> = away.iter().map(|event| event.uid.as_str()).collect();
        let mut copies = HashMap::new();
        for key in read {
            for object in self.store.objects(key).await? {
                let uid = uids(&object.data).find(|uid| wanted.contains(uid.as_str()));
                if let Some(uid) = uid.filter(|_| event_summary(&object.data, &self.settings.host.zone).is_some()) {
                    copies.entry(uid).or_insert(object);
                }
            }
        }
        Ok(copies)
    }

    /// Asks the server for an event in a calendar that is not read; `None` when it does not say.
    async fn ask(&self, event: &Settled, owner: &[String]) -> Result<Option<Found>, SyncError> {
        Ok(match self.client.get(&Href::new(event.place.href.as_str())).await {
            Ok(Some(object)) if holds_uid(&object.data, &event.uid) => self.seen(&object.data, event, owner),
            Ok(_) => Some(Found::Missing),
            Err(error) if error.wants_rest() => return Err(error.into()),
            // A calendar that may not be looked into any more; one that is not well.
            Err(_) => None,
        })
    }

    /// Looks for an event by its name where the host may have carried it.
    async fn carried(&self, unread: &[CalendarKey], event: &Settled) -> Result<Option<StoredObject>, SyncError> {
        let name = Href::new(event.place.href.as_str()).name();
        for key in unread {
            match self.client.get(&Href::new(key.href.as_str()).child(&name)).await {
                Ok(Some(object)) if holds_uid(&object.data, &event.uid) => return Ok(Some(object.into())),
                Err(error) if error.wants_rest() => return Err(error.into()),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The account's calendars that this pass has nothing to do with.
    async fn unread(&self, pass: &Pass) -> Result<Vec<CalendarKey>, SyncError> {
        let known = self.store.calendars(&self.settings.host.id).await?.into_iter().map(|calendar| calendar.key);
        let is_unread = |key: &CalendarKey| {
            key.account == self.settings.id && pass.calendars.iter().all(|calendar| calendar.key != *key)
        };
        Ok(known.filter(is_unread).collect())
    }
}

/// Whether the calendar that an event was in is one that the pass reads, or tries to.
fn reads(pass: &Pass, event: &Settled) -> bool {
    let calendar = Href::new(parent(&event.place.href));
    pass.calendars.iter().any(|read| Href::new(read.key.href.as_str()) == calendar)
}

#[cfg(test)]
mod tests {
    use super::super::lone::tests::{Bench, calendar, event, noon};
    use super::super::pull::AccountSettings;
    use super::*;
    use crate::availability::Interval;
    use crate::booking::{Appointment, BookingState};
    use crate::caldav::scripted::{Log, answer, multistatus, serve};
    use crate::store::{CalendarEntry, CalendarRole, PullOutcome};
    use crate::sync::Observation;
    use jiff::SignedDuration;
    use std::sync::Arc;
    use uuid::Uuid;

    const THERE: &str = "20300603T120000Z";

    fn booked(href: &str) -> Settled {
        Settled {
            booking: BookingId(Uuid::from_u128(1)),
            appointment: Appointment { time: Interval::new(noon(0), noon(60)).unwrap(), place: String::new() },
            uid: "u1".into(),
            place: EventPlace { account: "work".into(), href: href.into(), etag: None },
        }
    }

    /// An account of two calendars whose server has these objects; `/c/` is read, `/d/` is not.
    async fn account(there: &'static [(&str, &str)]) -> (Bench, AccountSync, Pass, Log) {
        let (client, log) = serve(move |seen| match there.iter().find(|(path, _)| *path == seen.path) {
            Some((_, start)) => {
                answer(200, "Content-Type: text/calendar\r\nETag: \"1\"\r\n", &calendar(&event("u1", start)))
            }
            None if seen.method == "PROPFIND" => {
                let state = "<propstat><prop><getetag/></prop><status>HTTP/1.1 200 OK</status></propstat>";
                multistatus(&format!("<response><href>{}</href>{state}</response>", seen.path))
            }
            None => answer(404, "", ""),
        })
        .await;
        let (bench, reading) = Bench::new();
        let settings = AccountSettings {
            host: reading.host.clone(),
            id: "work".into(),
            calendars: Some(vec!["c".into()]),
            counting: reading.counting.clone(),
            bookings: None,
            grace: SignedDuration::from_mins(5),
            opens: None,
        };
        let sync = AccountSync { settings: Arc::new(settings), client, store: bench.store.clone() };
        let role = CalendarRole { busy: true, writable: None };
        let entry = |name: &str| CalendarEntry { href: format!("/{name}/"), name: name.into(), role, time_zone: None };
        bench.store.set_calendars(&reading.host.id, "work", vec![entry("c"), entry("d")]).await.unwrap();
        let key = CalendarKey { host: reading.host.id.clone(), account: "work".into(), href: "/c/".into() };
        let brought = PullOutcome::default();
        let read = CalendarPass { key, name: "c".into(), first: false, brought, result: Ok(()) };
        (bench, sync, Pass { calendars: vec![read], rediscovered: false }, log)
    }

    async fn found(sync: &AccountSync, pass: &Pass, event: &Settled, suspects: &HashSet<BookingId>) -> Option<Found> {
        let settled = std::slice::from_ref(event);
        sync.find_all(pass, settled, suspects, &[]).await.unwrap().remove(&event.booking)
    }

    #[tokio::test]
    async fn an_event_in_a_calendar_that_is_not_read_is_asked_for_by_one_request() {
        let (_bench, sync, pass, log) = account(&[("/d/1.ics", THERE)]).await;
        let seen = found(&sync, &pass, &booked("/d/1.ics"), &HashSet::new()).await;
        assert!(matches!(seen, Some(Found::Here(facts)) if facts.time() == Some(booked("").appointment.time)));
        let gone = booked("/d/2.ics");
        assert_eq!(found(&sync, &pass, &gone, &[gone.booking].into()).await, Some(Found::Missing));
        let paths: Vec<String> = log.lock().unwrap().iter().map(|seen| seen.path.clone()).collect();
        assert_eq!(paths, ["/d/1.ics", "/d/2.ics"]);
    }

    #[tokio::test]
    async fn an_event_whose_start_nobody_can_read_is_there() {
        let (bench, sync, pass, _) = account(&[]).await;
        let data = calendar(&event("u1", "someday")).into_bytes();
        let object = StoredObject { href: "/c/1.ics".into(), etag: None, data };
        bench.store.put_object(&pass.calendars[0].key, object).await.unwrap();
        let seen = found(&sync, &pass, &booked("/c/1.ics"), &HashSet::new()).await;
        assert_eq!(seen, Some(Found::Unreadable));
    }

    #[tokio::test]
    async fn what_leaves_a_calendar_is_looked_for_by_name_once() {
        let (_bench, sync, pass, log) = account(&[("/d/1.ics", THERE)]).await;
        let event = booked("/c/1.ics");
        let seen = found(&sync, &pass, &event, &HashSet::new()).await;
        assert!(matches!(seen, Some(Found::Elsewhere(place, _)) if place.href == "/d/1.ics"));
        assert_eq!(found(&sync, &pass, &event, &[event.booking].into()).await, Some(Found::Missing));
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_event_that_the_server_has_where_our_copy_has_it_not_is_followed_and_never_gone() {
        let event = booked("/c/1.ics");
        let (_bench, sync, ..) = account(&[("/c/1.ics", "20300603T150000Z")]).await;
        let to = Appointment { time: Interval::new(noon(180), noon(240)).unwrap(), place: String::new() };
        let edited = Observation::Edited { booking: event.booking, from: event.appointment.clone(), to };
        let gone = Observation::Gone(event.booking);
        assert_eq!(sync.confirmed(gone.clone(), std::slice::from_ref(&event), &[]).await.unwrap(), [edited]);
        let (_bench, sync, ..) = account(&[]).await;
        assert_eq!(sync.confirmed(gone.clone(), &[event], &[]).await.unwrap(), [gone]);
    }

    #[tokio::test]
    async fn a_calendar_that_is_not_read_is_asked_whether_it_holds_anything() {
        let (_bench, sync, pass, _) = account(&[]).await;
        let (read, unread) = (booked("/c/1.ics"), booked("/d/1.ics"));
        assert_eq!(sync.alive(&pass, &[&read, &unread]).await.unwrap(), HashSet::new());
    }

    #[tokio::test]
    async fn a_write_that_comes_late_is_found_where_it_was_sent_and_where_the_server_has_put_it() {
        let (bench, sync, mut pass, log) = account(&[]).await;
        let key = pass.calendars[0].key.clone();
        let ended = |uid: &str| {
            let sample = Booking::sample(booked("").appointment.time, BookingState::Cancelled);
            Booking { id: BookingId(Uuid::new_v4()), uid: uid.into(), sequence: 1, ..sample }
        };
        let all = ["u1", "u2", "u3"].map(ended);
        for (href, uid) in [("/c/u1.ics", "u1"), ("/c/named-otherwise.ics", "u2"), ("/c/old.ics", "u3")] {
            let data = calendar(&event(uid, THERE)).into_bytes();
            bench.store.put_object(&key, StoredObject { href: href.into(), etag: None, data }).await.unwrap();
        }
        let brought = PullOutcome { added: vec!["/c/named-otherwise.ics".into()], ..PullOutcome::default() };
        pass.calendars[0].brought = brought;
        let mut found = sync.find_late(&pass, &all).await.unwrap();
        found.sort_unstable_by_key(|(id, _)| all.iter().position(|booking| booking.id == *id));
        let found: Vec<_> = found.iter().map(|(id, place)| (*id, place.href.as_str())).collect();
        assert_eq!(found, [(all[0].id, "/c/u1.ics"), (all[1].id, "/c/named-otherwise.ics")]);
        assert!(log.lock().unwrap().is_empty(), "the server was not asked");
    }
}
