//! How far a mailbox was read, and what was answered.

use super::*;
use crate::booking::{Answered, Said, Says};
use crate::ical::write::Person;
use crate::store::{Access, Events, InboxPlace};

#[tokio::test]
async fn the_place_in_a_mailbox_outlasts_a_restart_and_each_mailbox_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Store::open(&path, Access::Daemon).unwrap();
    let place = |uid| InboxPlace { validity: 4_000_000_000, uid, read_at: minute(1) };
    assert_eq!(store.inbox_place("office@a/INBOX").await.unwrap(), None);
    store.set_inbox_place("office@a/INBOX", place(7)).await.unwrap();
    store.set_inbox_place("office@a/INBOX", place(u32::MAX)).await.unwrap();
    store.close().await;
    let store = Store::open(&path, Access::Daemon).unwrap();
    assert_eq!(store.inbox_place("office@a/INBOX").await.unwrap(), Some(place(u32::MAX)));
    assert_eq!(store.inbox_place("office@a/Answers").await.unwrap(), None);
}

#[tokio::test]
async fn an_organizer_is_settled_once_and_an_answer_is_erased_with_its_guest() {
    let store = Store::memory().unwrap();
    let said = Said { what: Says::Proposes(minute(1), minute(2)), comment: "Ada: later?".to_owned() };
    let answered = Answered { sequence: 0, stamp: Some(minute(3)), said, told: 1 };
    store.take(booking(1, minutes(60, 90))).await;
    store.alter(1, |booking| booking.answered = Some(answered.clone()), Vec::new()).await;
    let [first, second] = ["office@a", "office@b"].map(|email| Person::new("Emmy \"N\"", email));
    store.settle_organizer(&host(), first.clone()).await.unwrap();
    store.settle_organizer(&host(), second).await.unwrap();
    let stored = store.booking_by_uid("uid-1@example.edu").await.unwrap().unwrap();
    assert_eq!((stored.organizer, stored.answered), (Some(first), Some(answered)));
    assert_eq!(store.booking_by_uid("uid-2@example.edu").await.unwrap(), None);
    let effect = NewEffect { kind: crate::store::EffectKind::PutEvent, payload: "{}".to_owned() };
    store.alter(1, |booking| booking.state = BookingState::Cancelled, vec![effect]).await;
    let forgotten = store.forget_guest("guest1@example.edu", Events::Stay, minute(0)).await.unwrap();
    assert_eq!((forgotten.erased, forgotten.waiting), (0, 1));
    assert_eq!(store.booking_by_uid("uid-1@example.edu").await.unwrap().unwrap().answered, None);
}
