//! Links, sessions, pauses and notes.

use super::*;
use crate::availability::Pause;
use crate::booking::{Attendance, Mark};
use crate::store::{Hit, HitOutcome, NewDeskLink, SessionSpan};

const SPAN: SessionSpan = SessionSpan { idle: SignedDuration::from_mins(60), whole: SignedDuration::from_mins(600) };

fn link(number: u8, expires: i64) -> NewDeskLink {
    NewDeskLink { id: [number; 16], hash: [number; 32], expires_at: minute(expires), now: minute(0) }
}

#[tokio::test]
async fn a_link_is_used_up_once_and_expires() {
    let store = Store::memory().unwrap();
    store.add_desk_link(link(1, 15), &host()).await.unwrap();
    store.add_desk_link(link(2, 15), &host()).await.unwrap();
    assert_eq!(store.desk_link([1; 32], minute(14)).await.unwrap(), Some(host()));
    assert_eq!(store.desk_link([1; 32], minute(15)).await.unwrap(), None);
    assert_eq!(store.use_desk_link([2; 32], [9; 32], None, minute(15)).await.unwrap(), None, "too late");
    assert_eq!(store.use_desk_link([1; 32], [9; 32], None, minute(1)).await.unwrap(), Some(host()));
    assert_eq!(store.use_desk_link([1; 32], [8; 32], None, minute(1)).await.unwrap(), None, "used");
    assert_eq!(store.desk_session([8; 32], SPAN, minute(1)).await.unwrap(), None);
    assert_eq!(store.desk_session([9; 32], SPAN, minute(1)).await.unwrap(), Some(host()));
    assert_eq!(store.purge_desk(SPAN, minute(20)).await.unwrap(), 1, "the link that was not used");
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_when_it_is_old_and_when_it_is_told_to() {
    let store = Store::memory().unwrap();
    for number in 1..=3 {
        store.add_desk_link(link(number, 15), &host()).await.unwrap();
        store.use_desk_link([number; 32], [number; 32], None, minute(0)).await.unwrap();
    }
    let seen = async |number: u8, at: i64| store.desk_session([number; 32], SPAN, minute(at)).await.unwrap().is_some();
    assert!(seen(1, 59).await);
    assert!(!seen(2, 60).await, "nobody was there for an hour");
    // Used again and again, it ends all the same.
    for at in (100..600).step_by(50) {
        assert!(seen(1, at).await, "{at}");
    }
    assert!(!seen(1, 600).await);
    assert_eq!(store.close_desk(&host()).await.unwrap(), 3);
    assert!(!seen(3, 1).await);
    store.add_desk_link(link(4, 15), &host()).await.unwrap();
    store.use_desk_link([4; 32], [4; 32], None, minute(0)).await.unwrap();
    store.add_desk_link(link(5, 15), &host()).await.unwrap();
    store.use_desk_link([5; 32], [5; 32], Some([4; 32]), minute(0)).await.unwrap();
    assert!(!seen(4, 1).await && seen(5, 1).await, "another in its place");
    store.end_desk_session([5; 32]).await.unwrap();
    assert!(!seen(5, 1).await);
}

#[tokio::test]
async fn who_is_no_host_asks_for_a_link_as_a_host_does_and_gets_none() {
    let store = Store::memory().unwrap();
    let hit = |kind: &'static str, count| Hit {
        kind,
        key: "k".into(),
        at: minute(0),
        count,
        span: SignedDuration::from_mins(60),
    };
    let ask = async |number: u8, host: Option<HostId>| {
        store.ask_for_desk_link(link(number, 60), host, hit("by", 4), hit("of", 2)).await.unwrap()
    };
    assert_eq!(ask(1, None).await, HitOutcome::Allowed);
    assert_eq!(ask(2, Some(host())).await, HitOutcome::Allowed);
    assert_eq!(ask(3, Some(host())).await, HitOutcome::Allowed, "it is not said that the host has got enough");
    let due = store.due_desk_links(minute(0)).await.unwrap();
    assert_eq!(due.iter().map(|link| link.id).collect::<Vec<_>>(), [[2; 16]]);
    assert_eq!(store.desk_link([1; 32], minute(1)).await.unwrap(), None);
    assert_eq!(store.desk_link([3; 32], minute(1)).await.unwrap(), None);
    assert_eq!(ask(4, None).await, HitOutcome::Allowed);
    assert!(matches!(ask(5, Some(host())).await, HitOutcome::Limited { .. }));
    store.desk_link_tried([2; 16], Some(minute(5))).await.unwrap();
    assert!(store.due_desk_links(minute(4)).await.unwrap().is_empty());
    assert_eq!(store.due_desk_links(minute(5)).await.unwrap()[0].attempts, 1);
    assert!(store.due_desk_links(minute(60)).await.unwrap().is_empty(), "it would open nothing");
    store.desk_link_tried([2; 16], None).await.unwrap();
    assert!(store.due_desk_links(minute(5)).await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_books_during_a_pause_whatever_the_caller_believes() {
    let store = Store::memory().unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    store.pause(&host(), Pause { until: Some(minute(1)) }, minute(0)).await.unwrap();
    assert_eq!(store.take(booking(2, minutes(120, 150))).await, Reserved::Paused);
    let later = NewBooking { now: minute(1), ..new(booking(2, minutes(120, 150))) };
    assert_eq!(store.reserve(later).await.unwrap(), Reserved::Done, "until is not included");
    store.pause(&host(), Pause { until: None }, minute(2)).await.unwrap();
    assert_eq!(store.pauses().await.unwrap(), [(host(), Pause { until: None })]);
    assert_eq!(store.take(booking(3, minutes(180, 210))).await, Reserved::Paused);
    assert!(store.resume(&host()).await.unwrap() && !store.resume(&host()).await.unwrap());
    assert_eq!(store.take(booking(3, minutes(180, 210))).await, Reserved::Done);
}

#[tokio::test]
async fn what_a_host_puts_over_another_booking_stays_and_what_must_fit_does_not() {
    let store = Store::memory().unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    store.take(booking(2, minutes(120, 150))).await;
    let moved = async |must_fit: bool, to: Interval| {
        let mut booking = store.booking(BookingId(Uuid::from_u128(2))).await.unwrap().unwrap();
        let expected_updated_at = booking.updated_at;
        (booking.time, booking.placed_by_host) = (to, true);
        let limits = GuestLimits { must_fit, ..GuestLimits::default() };
        store.change(Change { booking, expected_updated_at, effects: vec![], limits, now: minute(1) }).await.unwrap()
    };
    assert_eq!(moved(true, minutes(70, 100)).await, Changed::Overlaps);
    assert!(matches!(moved(true, minutes(90, 120)).await, Changed::Done(booking) if booking.placed_by_host));
    assert!(matches!(moved(false, minutes(70, 100)).await, Changed::Done(_)));
    assert_eq!(store.take(booking(3, minutes(95, 125))).await, Reserved::Overlaps, "guests keep off it");
}

#[tokio::test]
async fn notes_go_with_their_booking() {
    let store = Store::memory().unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    let id = BookingId(Uuid::from_u128(1));
    assert!(store.note_booking(id, "red folder".to_owned()).await.unwrap());
    assert!(store.mark_attendance(id, Some(Attendance::Missed)).await.unwrap());
    assert!(!store.note_booking(BookingId(Uuid::from_u128(7)), "x".to_owned()).await.unwrap());
    let noted = Mark { note: "red folder".to_owned(), attendance: Some(Attendance::Missed) };
    assert_eq!(store.marks(vec![id]).await.unwrap().get(&id), Some(&noted));
    assert_eq!(store.past_bookings(&host(), minute(89), 0, 9).await.unwrap(), []);
    assert_eq!(store.past_bookings(&host(), minute(90), 0, 9).await.unwrap().len(), 1);
    assert_eq!(store.past_bookings(&host(), minute(90), 1, 9).await.unwrap(), []);
    assert_eq!(store.erase_ended_before(minute(100), crate::store::Events::Stay, minute(100)).await.unwrap(), 1);
    assert!(store.marks(vec![id]).await.unwrap().is_empty());
}
