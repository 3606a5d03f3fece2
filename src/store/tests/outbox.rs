//! Effects are done once, in order, and reported together with the state that follows from them.

use super::*;
use crate::booking::EventPlace;
use crate::store::{
    CalendarEntry, CalendarKey, CalendarRole, EffectFilter, EffectKind, EffectOutcome, EffectState, Events,
    FinishEffect, Finished, Handled, Hit, HitOutcome, KeptFeed, Lane, ObjectUpdate, Purge, StoredObject,
};

fn effect(kind: EffectKind) -> NewEffect {
    NewEffect { kind, payload: "{}".to_owned() }
}

async fn with_effects(store: &Store, number: u128, kinds: &[EffectKind]) {
    let time = minutes(100 * number as i64, 100 * number as i64 + 30);
    let effects = kinds.iter().copied().map(effect).collect();
    assert_eq!(store.reserve(NewBooking { effects, ..new(booking(number, time)) }).await.unwrap(), Reserved::Done);
}

/// The event is written, and the booking is what `alter` makes of it as it is now.
async fn done(store: &Store, id: i64, alter: impl FnOnce(&mut Booking), more_effects: Vec<NewEffect>) -> FinishEffect {
    let booking = store.effect(id).await.unwrap().unwrap().booking;
    let mut booking = store.booking(booking).await.unwrap().unwrap();
    let expected_updated_at = Some(booking.updated_at);
    booking.event = Some(EventPlace { account: "work".into(), href: "/cal/1.ics".into(), etag: Some("\"1\"".into()) });
    alter(&mut booking);
    let outcome = EffectOutcome::Done { booking: Some(Box::new(booking)), object: None };
    FinishEffect { id, at: minute(2), outcome, expected_updated_at, more_effects }
}

fn confirm(booking: &mut Booking) {
    booking.state = BookingState::Confirmed;
}

async fn due(store: &Store, lane: Lane, now: i64) -> Vec<i64> {
    store.due_effects(lane, minute(now), 10, &[]).await.unwrap().into_iter().map(|entry| entry.id).collect()
}

const LEASE: SignedDuration = SignedDuration::from_secs(60);

#[tokio::test]
async fn effects_of_a_booking_are_due_one_after_the_other_in_each_lane() {
    let store = Store::memory().unwrap();
    with_effects(&store, 1, &[EffectKind::PutEvent, EffectKind::Mail, EffectKind::DeleteEvent]).await;
    with_effects(&store, 2, &[EffectKind::PutEvent]).await;
    assert_eq!(due(&store, Lane::Calendar, 0).await, [1, 4]);
    assert_eq!(due(&store, Lane::Mail, 0).await, [2]);
    assert!(!store.claim(3, minute(0), LEASE).await.unwrap(), "not before the first");
    assert!(store.claim(1, minute(0), LEASE).await.unwrap());
    assert!(!store.claim(1, minute(0), LEASE).await.unwrap(), "claimed");
    assert_eq!(due(&store, Lane::Calendar, 0).await, [4], "nothing of the booking while its first is being done");

    let retry = EffectOutcome::Retry { due_at: minute(5), error: "503".to_owned(), needs_host: false };
    store
        .finish(FinishEffect { id: 1, at: minute(0), outcome: retry, expected_updated_at: None, more_effects: vec![] })
        .await
        .unwrap();
    assert_eq!(due(&store, Lane::Calendar, 4).await, [4], "what waits to be tried again keeps its place");
    assert_eq!(due(&store, Lane::Calendar, 5).await, [4, 1]);
    let entry = store.effect(1).await.unwrap().unwrap();
    assert_eq!((entry.attempts, entry.last_error.as_deref(), entry.state), (1, Some("503"), EffectState::Pending));

    let failed = EffectOutcome::Failed { error: "507".to_owned() };
    store
        .finish(FinishEffect { id: 1, at: minute(6), outcome: failed, expected_updated_at: None, more_effects: vec![] })
        .await
        .unwrap();
    assert_eq!(due(&store, Lane::Calendar, 6).await, [3, 4], "what is given up holds nothing up");
    assert_eq!(store.retry_effect(1, minute(7)).await.unwrap(), Handled::Done);
    assert_eq!(due(&store, Lane::Calendar, 7).await, [4, 1]);
}

#[tokio::test]
async fn a_claim_ends_with_its_lease_and_the_next_due_instant_knows_it() {
    let store = Store::memory().unwrap();
    assert_eq!(store.next_due(Lane::Calendar, &[]).await.unwrap(), None);
    with_effects(&store, 1, &[EffectKind::PutEvent, EffectKind::DeleteEvent]).await;
    assert_eq!(store.next_due(Lane::Calendar, &[]).await.unwrap(), Some(minute(0)));
    assert!(store.claim(1, minute(0), LEASE).await.unwrap());
    assert_eq!(store.next_due(Lane::Calendar, &[]).await.unwrap(), Some(minute(1)));
    assert_eq!(due(&store, Lane::Calendar, 0).await, [0; 0]);
    assert_eq!(due(&store, Lane::Calendar, 1).await, [1]);
    assert!(store.claim(1, minute(1), LEASE).await.unwrap(), "whoever had it has died");
}

#[tokio::test]
async fn a_done_effect_takes_the_booking_along_with_its_mail_and_our_copy() {
    let store = Store::memory().unwrap();
    let key = CalendarKey { host: host(), account: "work".into(), href: "/cal/".into() };
    let entry = CalendarEntry {
        href: "/cal/".into(),
        name: "Work".into(),
        role: CalendarRole { busy: true, writable: None },
        time_zone: None,
    };
    store.set_calendars(&host(), "work", vec![entry]).await.unwrap();
    with_effects(&store, 1, &[EffectKind::PutEvent]).await;
    let object =
        StoredObject { href: "/cal/1.ics".into(), etag: Some("\"1\"".into()), data: b"BEGIN:VCALENDAR".to_vec() };
    let before = StoredObject { etag: Some("\"0\"".into()), ..object.clone() };
    store.put_object(&key, before.clone()).await.unwrap();
    let mut finish = done(&store, 1, confirm, vec![effect(EffectKind::Mail)]).await;
    if let EffectOutcome::Done { object: place, .. } = &mut finish.outcome {
        *place = Some((key.clone(), ObjectUpdate::Put { object: object.clone(), replaced: before.etag }));
    }
    let Finished::Stored(booking) = store.finish(finish.clone()).await.unwrap() else { panic!() };
    assert_eq!((booking.state, booking.event.as_ref().unwrap().href.as_str()), (BookingState::Confirmed, "/cal/1.ics"));
    assert_eq!(store.booking(booking.id).await.unwrap(), Some(*booking));
    assert_eq!(store.object(&key, "/cal/1.ics").await.unwrap(), Some(object));
    assert_eq!(due(&store, Lane::Mail, 2).await, [2]);
    assert_eq!(store.finish(finish).await.unwrap(), Finished::Already, "again: no second mail");
    assert_eq!(store.effects(EffectFilter::default()).await.unwrap().len(), 2);
    assert_eq!(store.effect(1).await.unwrap().unwrap().payload, "", "what it said of the guest is gone");
}

#[tokio::test]
async fn what_a_pull_brought_meanwhile_is_newer_than_what_an_effect_met() {
    let store = Store::memory().unwrap();
    let key = CalendarKey { host: host(), account: "work".into(), href: "/cal/".into() };
    let entry = CalendarEntry {
        href: "/cal/".into(),
        name: "Work".into(),
        role: CalendarRole { busy: true, writable: None },
        time_zone: None,
    };
    store.set_calendars(&host(), "work", vec![entry]).await.unwrap();
    with_effects(&store, 1, &[EffectKind::PutEvent; 4]).await;
    let version = |etag: &str| StoredObject {
        href: "/cal/1.ics".into(),
        etag: Some(etag.into()),
        data: b"BEGIN:VCALENDAR".to_vec(),
    };
    let end = async |id: i64, update: ObjectUpdate| {
        let mut finish = done(&store, id, |_| {}, vec![]).await;
        if let EffectOutcome::Done { object, .. } = &mut finish.outcome {
            *object = Some((key.clone(), update));
        }
        store.finish(finish).await.unwrap();
        store.object(&key, "/cal/1.ics").await.unwrap().and_then(|object| object.etag)
    };
    let put =
        |new: &str, old: Option<&str>| ObjectUpdate::Put { object: version(new), replaced: old.map(str::to_owned) };
    store.put_object(&key, version("3")).await.unwrap();
    assert_eq!(end(1, put("2", Some("1"))).await.as_deref(), Some("3"), "the host has changed it since");
    assert_eq!(end(2, put("4", Some("3"))).await.as_deref(), Some("4"));
    let forget = |etag: &str| ObjectUpdate::Forget { href: "/cal/1.ics".into(), version: Some(etag.into()) };
    assert_eq!(end(3, forget("3")).await.as_deref(), Some("4"), "the host has put another there");
    assert_eq!(end(4, forget("4")).await, None);
}

#[tokio::test]
async fn a_booking_cancelled_while_its_event_was_written_stays_cancelled() {
    let store = Store::memory().unwrap();
    with_effects(&store, 1, &[EffectKind::PutEvent]).await;
    store.claim(1, minute(0), LEASE).await.unwrap();
    let late = done(&store, 1, confirm, vec![effect(EffectKind::Mail)]).await;
    store.alter(1, |booking| booking.state = BookingState::Cancelled, vec![effect(EffectKind::DeleteEvent)]).await;
    let own = store.own_events(&host(), minute(0)).await.unwrap();
    assert!(matches!(own.as_slice(), [event] if event.delete_pending && !event.settled && event.place.is_none()));
    assert_eq!(store.finish(late).await.unwrap(), Finished::Stale, "decided on what is no longer so");
    assert_eq!(store.effect(1).await.unwrap().unwrap().state, EffectState::Pending, "and nothing of it is stored");
    let anew = done(&store, 1, |_| {}, vec![]).await;
    let Finished::Stored(booking) = store.finish(anew).await.unwrap() else { panic!() };
    assert_eq!(booking.state, BookingState::Cancelled);
    assert!(booking.event.is_some(), "the event is there all the same, to be deleted");
    assert_eq!(due(&store, Lane::Mail, 2).await, [0; 0], "nobody is told that it is confirmed");
    assert_eq!(due(&store, Lane::Calendar, 2).await, [2]);
    let gone = done(&store, 2, |booking| booking.event = None, vec![]).await;
    store.finish(gone).await.unwrap();
    assert_eq!(
        store.own_events(&host(), minute(0)).await.unwrap(),
        vec![],
        "nothing of it can be on the calendar any more"
    );
}

#[tokio::test]
async fn old_bookings_are_erased_with_all_that_names_the_guest_once_nothing_is_left_to_do() {
    let store = Store::memory().unwrap();
    with_effects(&store, 1, &[EffectKind::PutEvent]).await;
    with_effects(&store, 2, &[]).await;
    with_effects(&store, 9, &[]).await;
    assert_eq!(
        store.erase_ended_before(minute(500), Events::Stay, minute(600)).await.unwrap(),
        1,
        "the first has something to be done"
    );
    store.finish(done(&store, 1, |_| {}, vec![]).await).await.unwrap();
    assert_eq!(store.erase_ended_before(minute(500), Events::Stay, minute(600)).await.unwrap(), 1);
    assert_eq!(store.effects(EffectFilter::default()).await.unwrap(), vec![]);
}

#[tokio::test]
async fn what_awaits_something_lapses_at_its_instant() {
    let store = Store::memory().unwrap();
    let waiting =
        Booking { state: BookingState::AwaitingEmail, expires_at: Some(minute(30)), ..booking(1, minutes(60, 90)) };
    store.take(waiting.clone()).await;
    store.take(Booking { expires_at: Some(minute(30)), ..booking(2, minutes(90, 120)) }).await;
    assert_eq!(store.expire_due(minute(29)).await.unwrap(), vec![]);
    assert_eq!(store.expire_due(minute(30)).await.unwrap(), vec![waiting]);
}

#[tokio::test]
async fn a_limit_slides_and_says_when_to_come_again() {
    let store = Store::memory().unwrap();
    let hit =
        |at: i64, count| Hit { kind: "k", key: "a".into(), at: minute(at), count, span: SignedDuration::from_mins(10) };
    let limited = |minutes| HitOutcome::Limited { retry_after: SignedDuration::from_mins(minutes) };
    assert_eq!(store.hit(hit(0, 2)).await.unwrap(), HitOutcome::Allowed);
    assert_eq!(store.hit(hit(4, 2)).await.unwrap(), HitOutcome::Allowed);
    assert_eq!(store.hit(hit(9, 2)).await.unwrap(), limited(1));
    assert_eq!(
        store.hit(hit(10, 2)).await.unwrap(),
        HitOutcome::Allowed,
        "the first has left, what was refused does not count"
    );
    assert_eq!(store.hit(hit(10, 2)).await.unwrap(), limited(4));
    assert_eq!(store.hit(Hit { key: "b".into(), ..hit(10, 2) }).await.unwrap(), HitOutcome::Allowed);
    assert_eq!(store.hit(hit(50, 0)).await.unwrap(), limited(10));
    assert_eq!(store.hit(hit(-600, 2)).await.unwrap(), limited(10), "a clock put back locks nobody out for longer");
    let all = Purge { hits_before: minute(99), idempotency_before: minute(99), done_before: minute(99) };
    assert_eq!(store.purge(all).await.unwrap(), 3);
}

#[tokio::test]
async fn a_feed_is_kept_with_the_instant_since_when_it_is_as_it_is() {
    let store = Store::memory().unwrap();
    let feed = |name: &str, body: &str, modified| KeptFeed {
        name: name.to_owned(),
        etag: format!("\"{body}\""),
        modified,
        body: body.as_bytes().to_vec(),
    };
    assert_eq!(store.kept_feeds(&host()).await.unwrap(), []);
    let all = [feed("", "whole", minute(1)), feed("office-hour", "one", minute(2))];
    for feed in &all {
        store.keep_feed(&host(), feed.clone()).await.unwrap();
    }
    assert_eq!(store.kept_feeds(&host()).await.unwrap(), all);
    store.keep_feed(&host(), feed("", "other", minute(3))).await.unwrap();
    assert_eq!(store.kept_feeds(&host()).await.unwrap()[0], feed("", "other", minute(3)));
    assert_eq!(store.kept_feeds(&HostId::new("hilbert").unwrap()).await.unwrap(), []);
}

#[tokio::test]
async fn stats_count_every_state_and_lane() {
    let store = Store::memory().unwrap();
    with_effects(&store, 1, &[EffectKind::PutEvent, EffectKind::Mail]).await;
    let stats = store.stats().await.unwrap();
    assert_eq!(stats.bookings.iter().map(|(_, count)| count).sum::<i64>(), 1);
    assert!(stats.lanes.iter().all(|lane| lane.pending == 1 && lane.failed == 0 && lane.oldest == Some(minute(0))));
    assert!(stats.bytes > 0);
}

#[tokio::test]
async fn a_person_may_try_an_effect_at_once_or_give_it_up_and_what_waits_behind_it_goes_on() {
    let store = Store::memory().unwrap();
    with_effects(&store, 1, &[EffectKind::PutEvent, EffectKind::DeleteEvent]).await;
    assert!(store.claim(1, minute(0), LEASE).await.unwrap());
    assert_eq!(store.retry_effect(1, minute(0)).await.unwrap(), Handled::UnderWay);
    assert_eq!(store.drop_effect(1, minute(0)).await.unwrap(), Handled::UnderWay);
    let retry = EffectOutcome::Retry { due_at: minute(900), error: "403".to_owned(), needs_host: true };
    let finish =
        FinishEffect { id: 1, at: minute(0), outcome: retry, expected_updated_at: None, more_effects: Vec::new() };
    store.finish(finish).await.unwrap();
    assert_eq!(due(&store, Lane::Calendar, 5).await, [0; 0], "the order within a booking holds for days");
    assert!(store.effect(1).await.unwrap().unwrap().needs_host);
    assert_eq!(store.retry_effect(1, minute(5)).await.unwrap(), Handled::Done);
    assert_eq!(due(&store, Lane::Calendar, 5).await, [1]);
    assert_eq!(store.drop_effect(1, minute(6)).await.unwrap(), Handled::Done);
    assert_eq!(due(&store, Lane::Calendar, 6).await, [2]);
    let dropped = store.effect(1).await.unwrap().unwrap();
    assert_eq!((dropped.state, dropped.payload.as_str(), dropped.needs_host), (EffectState::Done, "", false));
    for id in [1, 99] {
        assert_eq!(store.drop_effect(id, minute(7)).await.unwrap(), Handled::Unknown);
        assert_eq!(store.retry_effect(id, minute(7)).await.unwrap(), Handled::Unknown);
    }
}

#[tokio::test]
async fn a_write_may_come_late_only_where_it_was_in_doubt_and_we_have_removed_the_event() {
    let store = Store::memory().unwrap();
    let done_after = async |id: i64, attempts: i64| {
        for attempt in 0..attempts {
            assert!(store.claim(id, minute(attempt), LEASE).await.unwrap());
        }
        let finish = done(&store, id, |_| {}, vec![]).await;
        store.finish(finish).await.unwrap();
    };
    // Cancelled by the guest after a doubtful write, after a sure one, and by the host, who deleted the event.
    for (number, attempts, removed) in [(1, 2, true), (2, 1, true), (3, 2, false)] {
        let kinds =
            if removed { vec![EffectKind::PutEvent, EffectKind::DeleteEvent] } else { vec![EffectKind::PutEvent] };
        with_effects(&store, number, &kinds).await;
        let ids = store
            .effects(EffectFilter { booking: Some(BookingId(Uuid::from_u128(number))), ..EffectFilter::default() });
        let ids: Vec<i64> = ids.await.unwrap().iter().map(|entry| entry.id).collect();
        done_after(ids[0], attempts).await;
        store.alter(number, |booking| booking.state = BookingState::Cancelled, vec![]).await;
        assert_eq!(store.ended_in_doubt(&host(), minute(0)).await.unwrap().len(), usize::from(number > 1));
        if removed {
            done_after(ids[1], 1).await;
        }
    }
    let late: Vec<u128> =
        store.ended_in_doubt(&host(), minute(0)).await.unwrap().iter().map(|b| b.id.0.as_u128()).collect();
    assert_eq!(late, [1]);
}
