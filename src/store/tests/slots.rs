//! A slot is taken once, whoever asks and however.

use super::*;
use crate::availability::PerGuest;
use crate::store::{BookingFilter, IdempotencyRow, PerDay, Used};

fn with_buffers(number: u128, time: Interval, before: i64, after: i64) -> Booking {
    let (buffer_before, buffer_after) = (SignedDuration::from_mins(before), SignedDuration::from_mins(after));
    Booking { buffer_before, buffer_after, ..booking(number, time) }
}

#[tokio::test]
async fn a_booking_comes_back_as_it_was_stored() {
    let store = Store::memory().unwrap();
    let booking = Booking { expires_at: Some(minute(5)), ..with_buffers(1, minutes(60, 90), 5, 10) };
    assert_eq!(store.take(booking.clone()).await, Reserved::Done);
    assert_eq!(store.booking(booking.id).await.unwrap(), Some(booking.clone()));
    assert_eq!(store.booking_by_guest_token(hash(1, 1)).await.unwrap(), Some(booking.clone()));
    assert_eq!(store.booking_by_host_token(hash(1, 2)).await.unwrap(), Some(booking.clone()));
    assert_eq!(store.booking_by_host_token(hash(1, 1)).await.unwrap(), None, "a guest is no host");
    let of_guest = BookingFilter { guest: Some("GUEST1@example.EDU".into()), ..BookingFilter::default() };
    assert_eq!(store.bookings(None, of_guest).await.unwrap(), vec![booking]);
    let cancelled = BookingFilter { states: vec![BookingState::Cancelled], ..BookingFilter::default() };
    assert_eq!(store.bookings(Some(&host()), cancelled).await.unwrap(), vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_guests_who_want_one_slot_exactly_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), crate::store::Access::Daemon).unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.take(booking(number, minutes(60, 90))).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|&&answer| answer == Reserved::Done).count(), 1);
    assert_eq!(answers.iter().filter(|&&answer| answer == Reserved::Overlaps).count(), 49);
    assert_eq!(store.holding(&host(), minutes(0, 100)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_greater_of_two_facing_buffers_is_kept_and_not_their_sum() {
    let store = Store::memory().unwrap();
    assert_eq!(store.take(with_buffers(1, minutes(60, 90), 0, 10)).await, Reserved::Done);
    assert_eq!(
        store.take(with_buffers(2, minutes(99, 120), 5, 0)).await,
        Reserved::Overlaps,
        "nine minutes, and ten are kept"
    );
    assert_eq!(store.take(with_buffers(3, minutes(100, 120), 5, 0)).await, Reserved::Done);
    assert_eq!(
        store.take(with_buffers(4, minutes(40, 56), 0, 5)).await,
        Reserved::Overlaps,
        "the new one's buffer counts too"
    );
    assert_eq!(store.take(with_buffers(5, minutes(40, 60), 0, 0)).await, Reserved::Done, "touching is not overlapping");
    let elsewhere = Booking { host: HostId::new("gauss").unwrap(), ..booking(6, minutes(60, 90)) };
    assert_eq!(store.take(elsewhere).await, Reserved::Done, "another host's time is another's");
}

#[tokio::test]
async fn an_ended_booking_gives_its_slot_back_and_cannot_take_it_again() {
    let store = Store::memory().unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    let cancelled = store.alter(1, |booking| booking.state = BookingState::Cancelled, vec![]).await;
    assert!(matches!(cancelled, Changed::Done(_)));
    assert_eq!(store.take(booking(2, minutes(60, 90))).await, Reserved::Done);
    assert_eq!(store.alter(1, |booking| booking.state = BookingState::Confirmed, vec![]).await, Changed::Overlaps);
}

#[tokio::test]
async fn guests_share_a_slot_up_to_its_seats_and_only_the_very_same_slot() {
    let store = Store::memory().unwrap();
    let seat = |number, from, to| Booking { seats: 3, ..with_buffers(number, minutes(from, to), 0, 10) };
    for number in 1..=3 {
        assert_eq!(store.take(seat(number, 60, 90)).await, Reserved::Done);
    }
    assert_eq!(store.take(seat(4, 60, 90)).await, Reserved::SeatsTaken);
    assert_eq!(store.take(seat(5, 75, 105)).await, Reserved::Overlaps);
    assert_eq!(store.take(seat(6, 90, 120)).await, Reserved::Overlaps, "the buffer stands against other slots");
    let other = Booking { meeting: MeetingId::new("thesis").unwrap(), ..seat(7, 60, 90) };
    assert_eq!(store.take(other).await, Reserved::Overlaps, "another type is another slot");
    assert_eq!(store.take(seat(9, 200, 230)).await, Reserved::Done);
    assert_eq!(
        store.alter(9, |booking| booking.time = minutes(60, 90), vec![]).await,
        Changed::SeatsTaken,
        "nor by a move"
    );
    // A config that has one seat now does not keep a full slot from being confirmed, but from being joined.
    assert!(matches!(
        store.alter(1, |booking| booking.state = BookingState::Confirmed, vec![]).await,
        Changed::Done(_)
    ));
    assert_eq!(store.take(with_buffers(8, minutes(60, 90), 0, 10)).await, Reserved::Overlaps);
}

#[tokio::test]
async fn a_move_is_judged_and_does_not_stand_in_its_own_way() {
    let store = Store::memory().unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    store.take(booking(2, minutes(120, 150))).await;
    let moved = store.alter(1, |booking| booking.time = minutes(75, 105), vec![]).await;
    assert!(matches!(moved, Changed::Done(booking) if booking.time == minutes(75, 105)));
    assert_eq!(store.alter(1, |booking| booking.time = minutes(100, 130), vec![]).await, Changed::Overlaps);
    assert_eq!(store.booking(BookingId(Uuid::from_u128(1))).await.unwrap().unwrap().time, minutes(75, 105));
}

#[tokio::test]
async fn the_host_may_put_a_booking_over_another_and_both_live_on() {
    let store = Store::memory().unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    store.take(booking(2, minutes(120, 150))).await;
    let place = |booking: &mut Booking| (booking.time, booking.placed_by_host) = (minutes(130, 160), true);
    assert!(matches!(store.alter(1, place, vec![]).await, Changed::Done(_)));
    let confirm = |booking: &mut Booking| booking.state = BookingState::Confirmed;
    assert!(matches!(store.alter(2, confirm, vec![]).await, Changed::Done(_)));
    assert!(matches!(store.alter(1, confirm, vec![]).await, Changed::Done(_)));
    assert_eq!(store.take(booking(3, minutes(150, 160))).await, Reserved::Overlaps, "it holds the place all the same");
    let back = |booking: &mut Booking| booking.placed_by_host = false;
    assert_eq!(store.alter(1, back, vec![]).await, Changed::Overlaps, "a guest's booking may not lie there");
}

#[tokio::test]
async fn the_database_itself_refuses_an_overlap() {
    let store = Store::memory().unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    store.take(booking(2, minutes(120, 150))).await;
    store.take(booking(3, minutes(180, 190))).await;
    store.alter(3, |booking| booking.state = BookingState::Declined, vec![]).await;
    let overlap = |outcome: rusqlite::Result<()>| outcome.unwrap_err().to_string() == "overlap";
    let (one, two, three) = (booking(1, minutes(0, 1)).id, booking(2, minutes(0, 1)).id, booking(3, minutes(0, 1)).id);
    let (start, end) = (minute(61).as_microsecond(), minute(62).as_microsecond());
    assert!(overlap(store.sql(&format!("UPDATE booking SET starts_at = {start} WHERE id = '{two}'")).await));
    assert!(overlap(
        store
            .sql(&format!("UPDATE OR IGNORE booking SET starts_at = {start}, ends_at = {end} WHERE id = '{two}'"))
            .await
    ));
    assert!(overlap(store.sql(&format!("UPDATE booking SET buffer_after = 30000001 * 60 WHERE id = '{one}'")).await));
    let there = format!("starts_at = {start}, ends_at = {end}");
    store.sql(&format!("UPDATE booking SET {there} WHERE id = '{three}'")).await.unwrap();
    assert!(overlap(store.sql(&format!("UPDATE booking SET state = 'reserved' WHERE id = '{three}'")).await));
    store.sql(&format!("UPDATE booking SET host = 'gauss', state = 'reserved' WHERE id = '{three}'")).await.unwrap();
    assert!(overlap(store.sql("UPDATE booking SET host = 'noether'").await));
    let copy = "INSERT INTO booking (id, host, meeting, title, location, starts_at, ends_at, buffer_before, buffer_after, seats, state,
            guest_name, guest_email, guest_key, guest_note, answers, uid, sequence, placed_by_host, created_at, updated_at,
            guest_token_hash, host_token_hash)
        SELECT 'copy', host, meeting, title, location, starts_at, ends_at, 0, 0, 1, 'confirmed', '', '', '', '', '[]', 'copy', 0, 0, 0, 0,
            randomblob(32), randomblob(32) FROM booking WHERE meeting = 'office-hour' AND host = 'noether' LIMIT 1";
    assert!(overlap(store.sql(copy).await));
    assert!(overlap(store.sql(&copy.replacen("INSERT", "INSERT OR REPLACE", 1)).await));
}

#[tokio::test]
async fn a_change_of_what_was_changed_meanwhile_is_refused_even_within_one_instant() {
    let store = Store::memory().unwrap();
    store.take(booking(1, minutes(60, 90))).await;
    let old = store.booking(BookingId(Uuid::from_u128(1))).await.unwrap().unwrap();
    let Changed::Done(stored) = store.alter(1, |booking| booking.sequence = 1, vec![]).await else { panic!() };
    assert!(stored.updated_at > old.updated_at, "although the caller gave the same instant");
    let change = Change {
        expected_updated_at: old.updated_at,
        booking: old,
        effects: vec![],
        limits: GuestLimits::default(),
        now: minute(1),
    };
    assert_eq!(store.change(change).await.unwrap(), Changed::Stale(stored));
    let unknown = booking(9, minutes(60, 90));
    let change = Change {
        expected_updated_at: minute(0),
        booking: unknown,
        effects: vec![],
        limits: GuestLimits::default(),
        now: minute(1),
    };
    assert_eq!(store.change(change).await.unwrap(), Changed::Unknown);
}

#[tokio::test]
async fn a_day_takes_so_many_bookings_of_a_type_and_a_move_into_it_counts() {
    let store = Store::memory().unwrap();
    let limits = GuestLimits { per_day: Some(PerDay { day: minutes(0, 1440), max: 2 }), ..GuestLimits::default() };
    let limited = |number, from| NewBooking { limits, ..new(booking(number, minutes(from, from + 30))) };
    assert_eq!(store.reserve(limited(1, 60)).await.unwrap(), Reserved::Done);
    assert_eq!(store.reserve(limited(2, 120)).await.unwrap(), Reserved::Done);
    assert_eq!(store.reserve(limited(3, 180)).await.unwrap(), Reserved::DayFull);
    assert_eq!(store.booking(booking(3, minutes(0, 1)).id).await.unwrap(), None, "nothing of it is stored");
    assert_eq!(store.take(booking(4, minutes(1440, 1470))).await, Reserved::Done, "the day's end is the next day");
    let mut moved = store.booking(booking(4, minutes(0, 1)).id).await.unwrap().unwrap();
    moved.time = minutes(300, 330);
    let change =
        Change { expected_updated_at: moved.updated_at, booking: moved, effects: vec![], limits, now: minute(1) };
    assert_eq!(store.change(change).await.unwrap(), Changed::DayFull);
    store.alter(1, |booking| booking.state = BookingState::Cancelled, vec![]).await;
    assert_eq!(store.reserve(limited(3, 180)).await.unwrap(), Reserved::Done);
}

#[tokio::test]
async fn a_guest_has_so_many_bookings_in_any_span_whatever_the_case_of_the_address() {
    let store = Store::memory().unwrap();
    let per_guest = Some(PerGuest { count: 1, span: SignedDuration::from_hours(24 * 7) });
    let limits = GuestLimits { per_guest, ..GuestLimits::default() };
    let of_guest = |number: u128, day: i64, email: &str| {
        let mut booking = booking(number, minutes(day * 1440, day * 1440 + 30));
        booking.guest.email = email.to_owned();
        NewBooking { limits, ..new(booking) }
    };
    assert_eq!(store.reserve(of_guest(1, 10, "ada@example.edu")).await.unwrap(), Reserved::Done);
    assert_eq!(store.reserve(of_guest(2, 4, "Ada@Example.EDU")).await.unwrap(), Reserved::GuestLimit);
    assert_eq!(store.reserve(of_guest(3, 17, "ada@example.edu")).await.unwrap(), Reserved::Done);
    assert_eq!(store.reserve(of_guest(4, 16, "eve@example.edu")).await.unwrap(), Reserved::Done);
    store.alter(1, |booking| booking.state = BookingState::Cancelled, vec![]).await;
    assert_eq!(
        store.reserve(of_guest(5, 4, "ada@example.edu")).await.unwrap(),
        Reserved::Done,
        "a cancelled one does not count"
    );
}

#[tokio::test]
async fn a_guest_has_so_many_bookings_ahead_with_a_host() {
    let store = Store::memory().unwrap();
    let limits = GuestLimits { open_per_guest: Some(1), ..GuestLimits::default() };
    let of_guest = |number: u128, from: i64, now: i64| {
        let mut booking = booking(number, minutes(from, from + 30));
        booking.guest.email = "ada@example.edu".to_owned();
        NewBooking { limits, now: minute(now), ..new(booking) }
    };
    assert_eq!(store.reserve(of_guest(1, 60, 0)).await.unwrap(), Reserved::Done);
    assert_eq!(store.reserve(of_guest(2, 120, 0)).await.unwrap(), Reserved::GuestLimit);
    assert_eq!(store.reserve(of_guest(2, 120, 60)).await.unwrap(), Reserved::Done, "the first is no longer ahead");
}

#[tokio::test]
async fn a_repeated_request_gives_the_same_booking_for_a_day_and_another_body_is_refused() {
    let store = Store::memory().unwrap();
    let keyed = |number: u128, from: i64, request: u8, now: i64| {
        let row = IdempotencyRow { key: "k".to_owned(), scope: host(), request: [request; 32] };
        NewBooking { idempotency: Some(row), now: minute(now), ..new(booking(number, minutes(from, from + 30))) }
    };
    let first = booking(1, minutes(0, 1)).id;
    assert_eq!(store.reserve(keyed(1, 60, 7, 0)).await.unwrap(), Reserved::Done);
    assert_eq!(store.reserve(keyed(2, 60, 7, 1)).await.unwrap(), Reserved::Replay(first));
    assert_eq!(store.reserve(keyed(3, 90, 8, 1)).await.unwrap(), Reserved::KeyReused);
    let row = keyed(1, 60, 7, 0).idempotency.unwrap();
    assert_eq!(store.idempotency(row.clone(), minute(1439)).await.unwrap(), Some(Used::Same(first)));
    assert_eq!(store.replay(row.clone(), minute(1)).await.unwrap().map(|booking| booking.id), Some(first));
    assert_eq!(store.idempotency(row, minute(1440)).await.unwrap(), None);
    assert_eq!(store.reserve(keyed(4, 120, 8, 1440)).await.unwrap(), Reserved::Done);
    // A refused request leaves the key free.
    let mut refused = keyed(5, 60, 9, 1441);
    refused.idempotency.as_mut().unwrap().key = "other".to_owned();
    assert_eq!(store.reserve(refused.clone()).await.unwrap(), Reserved::Overlaps);
    refused.booking.time = minutes(300, 330);
    assert_eq!(store.reserve(refused).await.unwrap(), Reserved::Done);
}

#[tokio::test]
async fn a_rate_limit_counts_what_was_made_and_not_what_was_refused() {
    let store = Store::memory().unwrap();
    let limited = |number: u128, from: i64| {
        let span = SignedDuration::from_mins(10);
        let hit = crate::store::Hit { kind: "k", key: "a".into(), at: minute(0), count: 2, span };
        NewBooking { hits: vec![hit], ..new(booking(number, minutes(from, from + 30))) }
    };
    assert_eq!(store.reserve(limited(1, 60)).await.unwrap(), Reserved::Done);
    assert_eq!(store.reserve(limited(2, 60)).await.unwrap(), Reserved::Overlaps);
    assert_eq!(store.reserve(limited(3, 90)).await.unwrap(), Reserved::Done);
    assert_eq!(
        store.reserve(limited(4, 120)).await.unwrap(),
        Reserved::Limited { kind: "k", retry_after: SignedDuration::from_mins(10) }
    );
}

/// The rule in words of its own: at least the greater of the facing buffers lies between, or both are seats of one slot.
fn apart(a: &Booking, b: &Booking) -> bool {
    let (first, second) = if a.time.start() <= b.time.start() { (a, b) } else { (b, a) };
    second.time.start().duration_since(first.time.end()) >= first.buffer_after.max(second.buffer_before)
}

#[tokio::test]
async fn random_bookings_moves_and_cancels_are_judged_as_the_rule_says() {
    let store = Store::memory().unwrap();
    let mut model: Vec<Booking> = Vec::new();
    let mut random = 20_261_124_u64;
    let mut below = |limit: u64| {
        // Knuth's MMIX generator; the high bits are good enough here.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % limit
    };
    let (mut taken, mut refused) = (0, 0);
    for number in 0..3000 {
        let from = below(400) as i64 * 5;
        let shared = below(3) == 0;
        let length = if shared { 30 } else { 5 + below(8) as i64 * 5 };
        let mut wanted = with_buffers(number, minutes(from, from + length), below(3) as i64 * 5, below(3) as i64 * 5);
        if shared {
            (wanted.meeting, wanted.seats) = (MeetingId::new("seminar").unwrap(), 3);
        }
        let moved = (below(3) == 0 && !model.is_empty()).then(|| below(model.len() as u64) as usize);
        if let Some(index) = moved {
            let old = &model[index];
            wanted = Booking {
                time: Interval::new(minute(from), minute(from) + old.time.duration()).unwrap(),
                ..old.clone()
            };
        }
        let others = model.iter().filter(|other| other.id != wanted.id);
        let same = |other: &&Booking| wanted.seats > 1 && other.meeting == wanted.meeting && other.time == wanted.time;
        let clash = others.clone().any(|other| !same(&other) && !apart(other, &wanted));
        let full = others.filter(same).count() >= 3;
        let expected = if clash {
            Reserved::Overlaps
        } else if full {
            Reserved::SeatsTaken
        } else {
            Reserved::Done
        };
        match moved {
            None => {
                assert_eq!(store.take(wanted.clone()).await, expected, "{wanted:?}");
                if expected == Reserved::Done {
                    model.push(wanted);
                }
            }
            Some(index) => {
                let id = wanted.id.0.as_u128();
                let answer = store.alter(id, |booking| booking.time = wanted.time, vec![]).await;
                match (answer, expected) {
                    (Changed::Done(_), Reserved::Done) => model[index].time = wanted.time,
                    (Changed::Overlaps, Reserved::Overlaps) | (Changed::SeatsTaken, Reserved::SeatsTaken) => {}
                    (answer, expected) => panic!("{answer:?} where {expected:?} was due"),
                }
            }
        }
        if expected == Reserved::Done {
            taken += 1
        } else {
            refused += 1
        }
        if below(4) == 0 && !model.is_empty() {
            let ended = model.swap_remove(below(model.len() as u64) as usize);
            store.alter(ended.id.0.as_u128(), |booking| booking.state = BookingState::Cancelled, vec![]).await;
        }
    }
    assert!(taken > 300 && refused > 300, "{taken} taken, {refused} refused: the test must see both");
}
