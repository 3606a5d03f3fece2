//! What guests were told, and the invariants that hold it against the store and the calendar server.

use super::server::{Event, Server};
use crate::availability::Interval;
use crate::booking::{Appointment, Booking, BookingId, BookingState};
use crate::ical::Zone;
use crate::store::Store;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What was answered about one booking, and what may have become of it since.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Empty before there was an answer.
    pub(super) token: String,
    /// Its guest was told that it is cancelled.
    pub(super) cancelled: bool,
    /// Somebody asked for its end: the guest, the host at the desk or on the calendar, or its time to be confirmed is over.
    pub(super) may_have_ended: bool,
    /// Where it may be: the last time that was answered, and all that were asked for since.
    pub(super) times: BTreeSet<Interval>,
    /// Requests about it that were not answered yet, or never will be.
    pub(super) open: u32,
    /// All requests about it so far.
    pub(super) asked: u32,
    /// The host has moved its event on the calendar, or the booking at the desk.
    pub(super) moved_by_host: bool,
}

/// All of them. An idempotency key names one booking for good.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) told: BTreeMap<BookingId, Told>,
    keys: BTreeMap<String, BookingId>,
    mails: BTreeMap<BookingId, i64>,
    violations: Vec<String>,
}

impl Ledger {
    /// A guest was answered 201.
    pub(super) fn booked(&mut self, key: &str, booking: &Booking, token: String) {
        let first = *self.keys.entry(key.to_owned()).or_insert(booking.id);
        if first != booking.id {
            self.violations.push(format!("the key {key} made {first} and {}", booking.id));
        }
        let told = self.told.entry(booking.id).or_default();
        told.token = token;
        told.times.insert(booking.time);
    }

    /// A mail of a booking was handed to the mail server.
    pub(super) fn mailed(&mut self, booking: BookingId, effect: i64) {
        let last = self.mails.insert(booking, effect);
        if last.is_some_and(|last| last > effect) {
            self.violations.push(format!("a mail of {booking} overtook another: {last:?}, then {effect}"));
        }
    }

    /// The bookings whose guests were answered.
    pub(super) fn answered(&self) -> Vec<BookingId> {
        self.told.iter().filter(|(_, told)| !told.token.is_empty()).map(|(id, _)| *id).collect()
    }

    pub(super) fn violated(&mut self, what: String) {
        self.violations.push(what);
    }

    pub(super) fn violations(&self) -> &[String] {
        &self.violations
    }
}

/// What holds between any two steps.
const ALWAYS: [(&str, &str); 5] = [
    (
        "two bookings overlap, or lie nearer than their buffers",
        "SELECT count(*) FROM booking AS a JOIN booking AS b ON a.host = b.host AND a.id < b.id
         WHERE a.state NOT IN ('cancelled', 'declined', 'expired') AND b.state NOT IN ('cancelled', 'declined', 'expired')
             AND a.placed_by_host = 0 AND b.placed_by_host = 0
             AND a.starts_at - max(a.buffer_before, b.buffer_after) < b.ends_at
             AND b.starts_at - max(b.buffer_before, a.buffer_after) < a.ends_at
             AND NOT (a.seats > 1 AND a.meeting = b.meeting AND a.starts_at = b.starts_at)",
    ),
    (
        "a slot has more guests than seats",
        "SELECT count(*) FROM (SELECT 1 FROM booking WHERE state NOT IN ('cancelled', 'declined', 'expired') AND placed_by_host = 0
         GROUP BY host, meeting, starts_at HAVING count(*) > max(seats))",
    ),
    (
        "a booking is reserved and nothing will write its event",
        "SELECT count(*) FROM booking WHERE state = 'reserved' AND NOT EXISTS (SELECT 1 FROM effect
         WHERE effect.booking = booking.id AND kind = 'put-event' AND effect.state = 'pending')",
    ),
    (
        "a booking awaits its guest and has something to write",
        "SELECT count(*) FROM booking WHERE state = 'awaiting-email' AND EXISTS (SELECT 1 FROM effect
         WHERE effect.booking = booking.id AND lane = 'calendar')",
    ),
    (
        "a later effect was begun before an earlier one was done",
        "SELECT count(*) FROM effect AS early JOIN effect AS late ON early.booking = late.booking AND early.lane = late.lane
             AND early.id < late.id
         WHERE early.state = 'pending' AND (late.state <> 'pending' OR late.attempts > 0)",
    ),
];

/// Between any two steps.
pub(super) fn check_always(store: &Store, ledger: &mut Ledger) {
    for (what, sql) in ALWAYS {
        let count = store.count(sql);
        if count > 0 {
            ledger.violated(format!("{what} ({count} times)"));
        }
    }
}

/// Once nothing is under way any more.
pub(super) fn check_at_rest(all: &[Booking], server: &Server, zone: &Zone, now: Timestamp, ledger: &mut Ledger) {
    let mut events: BTreeMap<String, Vec<(Appointment, bool)>> = BTreeMap::new();
    let all_seen = server.seen();
    // A write that comes late after the host has deleted the event looks like one that the host took out of the trash: it stays.
    let stays = |uid: &str| {
        let mut there = all_seen.iter().filter(|(path, _)| path.contains(uid));
        there.any(|(_, seen)| seen.created_late > 0 && seen.deleted_by_host > 0 && seen.deleted == 0)
    };
    for (_, Event { uid, appointment, is_tentative }) in server.events(zone) {
        events.entry(uid).or_default().push((appointment, is_tentative));
    }
    let mut wrong = Vec::new();
    for booking in all {
        let (id, state) = (booking.id, booking.state);
        let there = events.remove(&booking.uid).unwrap_or_default();
        let said = Appointment { time: booking.time, place: booking.location.clone() };
        match state {
            BookingState::Confirmed if there == [(said.clone(), false)] => {}
            BookingState::AwaitingApproval if there == [(said.clone(), true)] => {}
            BookingState::Confirmed | BookingState::AwaitingApproval => {
                wrong.push(format!("{id} is {state} for {said:?}, and on the server for {there:?}"));
            }
            BookingState::Reserved => wrong.push(format!("{id} is still reserved")),
            _ if !there.is_empty() && !stays(&booking.uid) => {
                wrong.push(format!("{id} is {state}, and on the server for {there:?}"))
            }
            _ => {}
        }
        if let Some(told) = ledger.told.get(&id).filter(|told| !told.token.is_empty()) {
            if state.holds_slot() && told.cancelled {
                wrong.push(format!("{id} was answered cancelled, and is {state}"));
            }
            if !state.holds_slot() && !told.may_have_ended && booking.expires_at.is_none_or(|at| at > now) {
                wrong.push(format!("{id} was answered, and is {state} though nobody asked for it"));
            }
            if booking.placed_by_host && !told.moved_by_host {
                wrong.push(format!("{id} follows a move of the host's that never was"));
            }
            if state.holds_slot() && !told.times.contains(&booking.time) {
                wrong.push(format!("{id} is at {:?}, where nobody put it: {:?}", booking.time, told.times));
            }
        }
    }
    for (uid, there) in events.iter().filter(|(uid, _)| !uid.starts_with("private")) {
        wrong.push(format!("{there:?} have the UID {uid} of no booking"));
    }
    let known: BTreeSet<BookingId> = all.iter().map(|booking| booking.id).collect();
    wrong.extend(
        ledger.told.keys().filter(|id| !known.contains(id)).map(|id| format!("{id} was answered, and is lost")),
    );
    for (path, seen) in &all_seen {
        let created = seen.created + seen.created_late;
        if created > 1 + seen.deleted_by_host + seen.created_late || seen.deleted > created || seen.written_again > 0 {
            wrong.push(format!("an effect was performed twice at {path}: {seen:?}"));
        }
    }
    for what in wrong {
        ledger.violated(what);
    }
}
