//! What is forgotten is in no file any more.

use super::*;
use crate::booking::{Answer, EventPlace};
use crate::store::{
    Access, EffectFilter, EffectKind, EffectOutcome, Events, FinishEffect, Forgotten, Hit, IdempotencyRow,
};
use std::path::Path;

/// A booking whose guest cannot be mistaken, with all that may name them.
fn named(number: u128, from: i64) -> NewBooking {
    let mut booking = booking(number, minutes(from, from + 30));
    booking.guest = Guest {
        name: "Zaphod Unmistakable".into(),
        email: "Zaphod@Unmistakable.example".into(),
        note: "unmistakable note".into(),
        time_zone: Some("Europe/Paris".into()),
        language: None,
        answers: vec![Answer { question: "topic".into(), label: "Topic?".into(), text: "unmistakable answer".into() }],
    };
    let payload = "{\"old\": \"unmistakable payload\"}".to_owned();
    let span = SignedDuration::from_hours(24);
    NewBooking {
        effects: vec![NewEffect { kind: EffectKind::Mail, payload }],
        hits: vec![Hit {
            kind: "booking-guest",
            key: "zaphod@unmistakable.example".into(),
            at: minute(0),
            count: 9,
            span,
        }],
        idempotency: Some(IdempotencyRow { key: format!("unmistakable {number}"), scope: host(), request: [1; 32] }),
        ..new(booking)
    }
}

/// Whether a file of the store has the word, in whatever case.
fn is_in_a_file(folder: &Path, word: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap().to_ascii_lowercase();
        bytes.windows(word.len()).any(|part| part == word.as_bytes())
    })
}

#[tokio::test]
async fn a_guest_who_is_forgotten_is_in_no_file_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), Access::Daemon).unwrap();
    for number in 0..50 {
        store.take(booking(100 + number, minutes(1000 + 30 * number as i64, 1030 + 30 * number as i64))).await;
    }
    store.reserve(named(1, 60)).await.unwrap();
    store.reserve(named(2, 120)).await.unwrap();
    let place = EventPlace { account: "work".into(), href: "/cal/2.ics".into(), etag: None };
    store.set_event_place(booking(2, minutes(0, 1)).id, place).await.unwrap();
    for number in [1, 2] {
        store.note_booking(booking(number, minutes(0, 1)).id, "Unmistakable word".to_owned()).await.unwrap();
    }
    assert!(is_in_a_file(folder.path(), "unmistakable"));

    let email = " ZAPHOD@unmistakable.example";
    let ahead = store.forget_guest(email, Events::Go, minute(100)).await.unwrap();
    assert_eq!(
        ahead,
        Forgotten { ahead: vec![booking(2, minutes(0, 1)).id], ..Forgotten::default() },
        "and nothing is erased"
    );
    assert_eq!(store.bookings(None, Default::default()).await.unwrap().len(), 52);

    let forgotten = store.forget_guest(email, Events::Go, minute(200)).await.unwrap();
    assert_eq!(forgotten, Forgotten { ahead: vec![], erased: 1, waiting: 1 }, "one has an event to be removed first");
    assert!(!is_in_a_file(folder.path(), "unmistakable"));
    assert_eq!(store.erase_nameless().await.unwrap(), 0);
    let effects = store.effects(EffectFilter::default()).await.unwrap();
    let [removal] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((removal.kind, removal.booking), (EffectKind::DeleteEvent, booking(2, minutes(0, 1)).id));
    let outcome = EffectOutcome::Done { booking: None, object: None };
    let done =
        FinishEffect { id: removal.id, at: minute(201), outcome, expected_updated_at: None, more_effects: vec![] };
    store.finish(done).await.unwrap();
    assert_eq!(store.erase_nameless().await.unwrap(), 1);
    assert_eq!(store.bookings(None, Default::default()).await.unwrap().len(), 50, "others stay");
    assert_eq!(store.forget_guest(email, Events::Go, minute(200)).await.unwrap(), Forgotten::default());
    assert_eq!(store.forget_guest(" ", Events::Go, minute(200)).await.unwrap(), Forgotten::default());
}

#[tokio::test]
async fn bookings_of_long_ago_go_with_their_events_or_without() {
    for (events, first, second) in [(Events::Stay, 1, 0), (Events::Go, 0, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), Access::Daemon).unwrap();
        store.reserve(NewBooking { effects: vec![], hits: vec![], ..named(1, 60) }).await.unwrap();
        store.take(booking(2, minutes(900, 930))).await;
        let place = EventPlace { account: "work".into(), href: "/cal/1.ics".into(), etag: None };
        store.set_event_place(booking(1, minutes(0, 1)).id, place).await.unwrap();
        assert_eq!(store.erase_ended_before(minute(500), events, minute(600)).await.unwrap(), first);
        assert_eq!(is_in_a_file(folder.path(), "unmistakable"), events == Events::Go);
        for removal in store.effects(EffectFilter::default()).await.unwrap() {
            let outcome = EffectOutcome::Done { booking: None, object: None };
            let at = minute(601);
            let done = FinishEffect { id: removal.id, at, outcome, expected_updated_at: None, more_effects: vec![] };
            store.finish(done).await.unwrap();
        }
        assert_eq!(store.erase_ended_before(minute(500), events, minute(700)).await.unwrap(), second);
        assert!(!is_in_a_file(folder.path(), "unmistakable"));
        assert_eq!(store.bookings(None, Default::default()).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn new_tokens_take_the_place_of_the_old() {
    let store = Store::memory().unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    assert_eq!(store.renew_tokens(|_| [[1; 32], [2; 32], [3; 32]]).await.unwrap(), 1);
    assert_eq!(store.booking_by_guest_token(hash(1, 1)).await.unwrap(), None);
    assert!(store.booking_by_guest_token([1; 32]).await.unwrap().is_some());
    assert!(store.booking_by_host_token([3; 32]).await.unwrap().is_some());
    assert_eq!(store.booking_by_confirm_token([2; 32]).await.unwrap(), None, "it has no address to confirm");
}
