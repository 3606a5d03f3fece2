//! Events that are gone, and how sources did.

use super::super::{MissingEvent, ReportedTrouble, SourceReport, Store};
use super::{booking, host, minute, minutes};
use crate::availability::HostId;
use crate::booking::{BookingId, BookingState};
use crate::store::{EffectKind, EffectOutcome, FinishEffect, NewEffect};
use jiff::SignedDuration;
use uuid::Uuid;

fn id(number: u128) -> BookingId {
    BookingId(Uuid::from_u128(number))
}

#[tokio::test]
async fn what_is_gone_is_kept_while_its_booking_lies_ahead() {
    let store = Store::memory().unwrap();
    for number in 1..=3 {
        let from = i64::try_from(number).unwrap() * 100;
        store.take(booking(number, minutes(from, from + 30))).await;
    }
    let (first, count, _) = store.note_missing(&host(), id(1), minute(5)).await.unwrap();
    assert_eq!((first, count), (MissingEvent { booking: id(1), since: minute(5), doubted: false }, 1));
    let (again, count, of) = store.note_missing(&host(), id(1), minute(50)).await.unwrap();
    assert_eq!((again.since, count, of), (minute(5), 1, 0), "since it was first");
    store.note_missing(&host(), id(2), minute(50)).await.unwrap();
    let doubted = |event: MissingEvent| MissingEvent { doubted: true, ..event };
    let both: Vec<_> = store.missing_events(&host(), minute(50)).await.unwrap().into_iter().map(doubted).collect();
    assert_eq!(both.len(), 2);
    store.set_missing_events(&host(), both.clone()).await.unwrap();
    assert_eq!(store.missing_events(&host(), minute(50)).await.unwrap(), both);
    assert_eq!(store.missing_events(&host(), minute(131)).await.unwrap(), both[1..], "the first is over");
    assert_eq!(store.note_missing(&host(), id(3), minute(240)).await.unwrap().1, 1, "and so is the second");
    store.note_found(id(3)).await.unwrap();
    store.alter(2, |booking| booking.state = BookingState::Cancelled, Vec::new()).await;
    assert_eq!(
        store.missing_events(&host(), minute(0)).await.unwrap(),
        both[..1],
        "the others are called off, or there"
    );
}

#[tokio::test]
async fn how_a_source_did_is_kept_with_when_it_was_last_read() {
    let store = Store::memory().unwrap();
    assert_eq!(store.source_report(&host(), "work").await.unwrap(), None);
    let well = SourceReport { read_at: Some(minute(1)), trouble: None, looked_at: minute(1), next_at: minute(6) };
    store.report_source(&host(), "work", well.clone()).await.unwrap();
    assert_eq!(store.source_report(&host(), "work").await.unwrap(), Some(well));
    // A process that has just begun has read nothing yet.
    let trouble = ReportedTrouble { kind: "login".into(), since: minute(7), what: "refused".into() };
    let refused = SourceReport { read_at: None, trouble: Some(trouble), looked_at: minute(7), next_at: minute(12) };
    store.report_source(&host(), "work", refused.clone()).await.unwrap();
    let kept = SourceReport { read_at: Some(minute(1)), ..refused };
    assert_eq!(store.source_report(&host(), "work").await.unwrap(), Some(kept));
    store.forget_account(&host(), "work").await.unwrap();
    assert_eq!(store.source_report(&host(), "work").await.unwrap(), None);
}

#[tokio::test]
async fn what_waits_for_the_host_is_hurried_and_left_out_where_the_host_is_not_served() {
    let store = Store::memory().unwrap();
    let put = NewEffect { kind: EffectKind::PutEvent, payload: "{}".to_owned() };
    let put = super::NewBooking { effects: vec![put], ..super::new(booking(1, minutes(100, 130))) };
    store.reserve(put).await.unwrap();
    store.claim(1, minute(0), SignedDuration::from_mins(5)).await.unwrap();
    let outcome = EffectOutcome::Retry { due_at: minute(60), error: "401".into(), needs_host: true };
    let finish = FinishEffect { id: 1, at: minute(0), outcome, expected_updated_at: None, more_effects: Vec::new() };
    store.finish(finish).await.unwrap();
    let lane = EffectKind::PutEvent.lane();
    store.hurry_refused(Some(&HostId::new("hilbert").unwrap()), minute(2)).await.unwrap();
    assert_eq!(store.next_due(lane, &[]).await.unwrap(), Some(minute(60)), "another host's login works again");
    store.hurry_refused(Some(&host()), minute(2)).await.unwrap();
    assert_eq!(store.next_due(lane, &[]).await.unwrap(), Some(minute(2)));
    assert_eq!(store.due_effects(lane, minute(2), 9, &[]).await.unwrap().len(), 1);
    assert_eq!(store.due_effects(lane, minute(2), 9, &[host()]).await.unwrap(), []);
    assert_eq!(store.next_due(lane, &[host()]).await.unwrap(), None);
}
