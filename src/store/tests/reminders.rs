//! Each reminder and each list of a day once, over moves and restarts.

use super::*;
use crate::booking::DayEntry;
use crate::store::{Access, DigestEntry, EffectFilter, EffectKind, Events, Purge};
use jiff::civil::date;

fn reminder() -> NewEffect {
    NewEffect { kind: EffectKind::Mail, payload: "{}".to_owned() }
}

#[tokio::test]
async fn a_reminder_is_stored_once_with_its_mail_and_not_for_a_booking_that_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let store = Store::open(&path, Access::Daemon).unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    let confirm = |booking: &mut Booking| (booking.state, booking.updated_at) = (BookingState::Confirmed, minute(5));
    store.alter(1, confirm, Vec::new()).await;
    let ahead = store.ahead(&host(), minutes(60, 61)).await.unwrap().remove(0);
    assert_eq!((ahead.firm_at, ahead.reminded_at), (minute(5), None), "firm since it was confirmed");
    assert!(store.ahead(&host(), minutes(61, 90)).await.unwrap().is_empty());

    let remind = |of: &Booking, due| store.remind(of.clone(), minute(due), reminder(), minute(30));
    assert!(remind(&ahead.booking, 30).await.unwrap());
    assert!(!remind(&ahead.booking, 30).await.unwrap(), "once");
    assert!(!remind(&ahead.booking, 20).await.unwrap(), "none that was due before the last");
    store.close().await;
    let store = Store::open(&path, Access::Daemon).unwrap();
    let again = store.ahead(&host(), minutes(60, 61)).await.unwrap().remove(0);
    assert_eq!(again.reminded_at, Some(minute(30)), "over a restart too");

    let later = |booking: &mut Booking| (booking.time, booking.updated_at) = (minutes(100, 130), minute(31));
    store.alter(1, later, Vec::new()).await;
    let moved = store.ahead(&host(), minutes(60, 130)).await.unwrap().remove(0);
    assert_eq!(moved.firm_at, minute(31), "a move makes it firm anew");
    assert!(!store.remind(again.booking, minute(50), reminder(), minute(50)).await.unwrap(), "decided on what it was");
    store.alter(1, |booking| booking.guest.note = "another".to_owned(), Vec::new()).await;
    let noted = store.ahead(&host(), minutes(60, 130)).await.unwrap().remove(0);
    assert_eq!(noted.firm_at, minute(31), "a note does not");
    store.alter(1, |booking| booking.state = BookingState::Cancelled, Vec::new()).await;
    assert!(!store.remind(moved.booking, minute(60), reminder(), minute(60)).await.unwrap(), "it is off");
    assert_eq!(store.effects(EffectFilter::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_of_a_day_says_the_same_in_each_attempt_and_is_forgotten_once_it_is_sent() {
    let store = Store::memory().unwrap();
    let day = date(2026, 12, 1);
    let list = |number| vec![DayEntry::of(&booking(number, minutes(60, 90)))];
    let is_due = async |at| store.is_digest_due(&host(), day, minute(at)).await.unwrap();
    assert!(is_due(1).await);
    let first = store.begin_digest(&host(), day, list(1)).await.unwrap();
    assert_eq!(first, Some(DigestEntry { attempts: 1, list: list(1) }));
    assert!(is_due(1).await, "the process died: nobody knows whether it was sent");
    let second = store.begin_digest(&host(), day, list(2)).await.unwrap();
    assert_eq!(second, Some(DigestEntry { attempts: 2, list: list(1) }), "as it was decided");
    store.end_digest(&host(), day, Some(minute(5))).await.unwrap();
    assert_eq!([is_due(4).await, is_due(5).await], [false, true]);
    store.end_digest(&host(), day, None).await.unwrap();
    assert!(!is_due(60).await, "it was sent");
    assert_eq!(store.begin_digest(&host(), day, list(1)).await.unwrap(), None);
    let next = date(2026, 12, 2);
    assert!(store.is_digest_due(&host(), next, minute(60)).await.unwrap(), "another day");
}

#[tokio::test]
async fn a_list_that_waits_names_no_guest_who_was_forgotten_and_none_of_long_ago() {
    let store = Store::memory().unwrap();
    let day = date(2027, 1, 15);
    store.take(Booking { state: BookingState::Cancelled, ..booking(1, minutes(60, 90)) }).await;
    let list = vec![DayEntry::of(&booking(1, minutes(60, 90)))];
    store.begin_digest(&host(), day, list.clone()).await.unwrap();
    store.forget_guest("guest1@example.edu", Events::Stay, minute(0)).await.unwrap();
    let anew = store.begin_digest(&host(), day, Vec::new()).await.unwrap().unwrap();
    assert_eq!(anew, DigestEntry { attempts: 2, list: Vec::new() });
    let before = minute(60 * 24 * 40);
    let purge = Purge { hits_before: before, idempotency_before: before, done_before: before };
    assert_eq!(store.purge(purge).await.unwrap(), 1);
    assert_eq!(store.begin_digest(&host(), day, list).await.unwrap().unwrap().attempts, 1);
}
