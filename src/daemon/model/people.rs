//! What guests and the host do in the model: guests ask at the desk, the host works in a calendar program.

use super::ledger::Told;
use super::server::{CALENDAR, Event};
use super::turns::What;
use super::{GUESTS, Model};
use crate::availability::{HostId, Interval, MeetingId};
use crate::booking::{Answer, Appointment, Booking, BookingId, BookingState, Guest};
use crate::desk::{Decision, Desk, IdempotencyKey, Placement, Reservation};
use crate::ical::write::booking_event;
use crate::outbox::event_text;
use futures_util::task::LocalSpawnExt;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

impl Model {
    pub(super) fn somebody_asks(&mut self) {
        let Some(desk) = self.desk.clone() else { return };
        if Arc::strong_count(&self.asking) > GUESTS {
            return;
        }
        let known = self.ledger.lock().unwrap().answered();
        let choice = self.dice.below(10);
        let old = self.dice.one_of(&known).copied();
        let start = self.some_start();
        self.counts.asked += 1;
        match (choice, old) {
            (0..=4, _) | (_, None) => self.book(desk, start),
            (5, Some(id)) => self.ask(
                id,
                |told| told.may_have_ended = true,
                |told, _| told.cancelled = true,
                move |token| async move {
                    let cancelled = desk.cancel(&token).await;
                    cancelled.is_ok_and(|view| view.booking.state == BookingState::Cancelled)
                },
            ),
            (6, Some(id)) if self.dice.below(2) == 0 => self.host_moves(desk, id, start),
            (6..=7, Some(id)) => self.move_to(desk, id, start),
            (8, Some(id)) => self.ask(
                id,
                // Where the host has taken the time since, it lapses.
                |told| told.may_have_ended = true,
                |_, _| {},
                move |_| async move {
                    let token = desk.guest_links(id).1;
                    desk.confirm_email(token.rsplit('/').nth(1).unwrap_or_default()).await.is_ok()
                },
            ),
            (_, Some(id)) => {
                let all = [Decision::Approve, Decision::Approve, Decision::Decline, Decision::Cancel];
                let decision = *self.dice.one_of(&all).unwrap();
                let before = move |told: &mut Told| told.may_have_ended |= decision != Decision::Approve;
                self.ask(id, before, |_, _| {}, move |_| async move { desk.decide_by_id(id, decision).await.is_ok() });
            }
        }
    }

    /// Three mornings with more guests than places.
    fn some_start(&mut self) -> Timestamp {
        let first: Timestamp = "2026-12-05T09:00:00Z".parse().unwrap();
        let half_hours = self.dice.below(3) as i64 * 48 + self.dice.below(6) as i64;
        first + SignedDuration::from_mins(30 * half_hours)
    }

    fn book(&mut self, desk: Desk, start: Timestamp) {
        let again = self.dice.one_of(&self.keys).cloned().filter(|_| self.dice.below(4) == 0);
        let (key, reservation) = again.unwrap_or_else(|| {
            let meeting = *self.dice.one_of(&["talk", "talk", "visa", "exam", "seminar"]).unwrap();
            let (number, guest) = (self.counts.asked, self.dice.below(12));
            let key = format!("key {number}");
            let guest = Guest {
                name: format!("Guest {guest}"),
                email: format!("guest{guest}@example.org"),
                note: String::new(),
                time_zone: None,
                language: None,
                answers: Vec::<Answer>::new(),
            };
            let idempotency = Some(IdempotencyKey { key: key.clone(), request: [number as u8; 32] });
            let (host, meeting) = (HostId::new("noether").unwrap(), MeetingId::new(meeting).unwrap());
            (
                key,
                Reservation {
                    host,
                    meeting,
                    start,
                    guest,
                    idempotency,
                    from: None,
                    proof: None,
                    confirm_address: false,
                },
            )
        });
        self.keys.push((key.clone(), reservation.clone()));
        let (ledger, turns, asking) = (self.ledger.clone(), self.turns.clone(), self.asking.clone());
        let asks = async move {
            turns.wait(What::Begin).await;
            if let Ok(view) = desk.reserve(reservation).await {
                ledger.lock().unwrap().booked(&key, &view.booking, view.guest_token);
            }
            drop(asking);
        };
        self.pool.spawner().spawn_local(asks).unwrap();
    }

    fn move_to(&mut self, desk: Desk, id: BookingId, start: Timestamp) {
        let booking = self.bookings().into_iter().find(|booking| booking.id == id);
        let Some(booking) = booking else { return };
        let time = Interval::new(start, start + booking.time.duration()).unwrap();
        let before = move |told: &mut Told| {
            told.times.insert(time);
        };
        let after = move |told: &mut Told, alone: bool| {
            // Answered, and nothing else was asked of it meanwhile: this is where it is.
            if alone {
                told.times = [time].into();
            }
        };
        self.ask(id, before, after, move |token| async move { desk.move_to(&token, start).await.is_ok() });
    }

    /// The host moves a booking at the desk: to a slot on offer, or over whatever is there.
    fn host_moves(&mut self, desk: Desk, id: BookingId, start: Timestamp) {
        let booking = self.bookings().into_iter().find(|booking| booking.id == id);
        let Some(booking) = booking else { return };
        let time = Interval::new(start, start + booking.time.duration()).unwrap();
        let placement = if self.dice.below(2) == 0 { Placement::OnOffer } else { Placement::Anywhere };
        let before = move |told: &mut Told| {
            told.times.insert(time);
            told.moved_by_host = true;
        };
        let after = move |told: &mut Told, alone: bool| {
            if alone {
                told.times = [time].into();
            }
        };
        let moves = move |_| async move { desk.move_as_host(&booking.host, id, start, placement).await.is_ok() };
        self.ask(id, before, after, moves);
    }

    /// Something is asked about a booking: `before` notes what may become of it, `after` what was answered, and whether nothing else
    /// was asked from the question to the answer.
    fn ask<F: Future<Output = bool> + 'static>(
        &mut self,
        id: BookingId,
        before: impl FnOnce(&mut Told),
        after: impl FnOnce(&mut Told, bool) + 'static,
        request: impl FnOnce(String) -> F,
    ) {
        let (request, alone) = {
            let mut ledger = self.ledger.lock().unwrap();
            let told = ledger.told.get_mut(&id).unwrap();
            told.open += 1;
            told.asked += 1;
            before(told);
            (request(told.token.clone()), (told.open == 1).then_some(told.asked))
        };
        let (ledger, turns, asking) = (self.ledger.clone(), self.turns.clone(), self.asking.clone());
        let asks = async move {
            turns.wait(What::Begin).await;
            let answered = request.await;
            let mut ledger = ledger.lock().unwrap();
            let told = ledger.told.get_mut(&id).unwrap();
            told.open -= 1;
            if answered {
                after(told, alone == Some(told.asked));
            }
            drop(asking);
        };
        self.pool.spawner().spawn_local(asks).unwrap();
    }

    /// The host moves or deletes an event of a booking in their calendar program, or puts one of their own.
    pub(super) fn host_edits(&mut self) {
        self.counts.host_edits += 1;
        let zone = self.host().zone.clone();
        let events = self.server.events(&zone);
        let start = self.some_start();
        let own = format!("{CALENDAR}private-{}.ics", self.dice.below(3));
        match (self.dice.below(7), self.dice.one_of(&events).cloned()) {
            (0, _) => self.server.host_deletes(&own),
            (1, _) => self.server.host_puts(&own, &private_event(start)),
            (_, Some((path, ..))) if path.contains("private") => {}
            // More at once may be all of the calendar's, which is not believed.
            (2..=3, Some(_)) if self.deleted_by_host == 2 => {}
            (2..=3, Some((path, Event { uid, .. }))) => {
                self.deleted_by_host += 1;
                self.note_of_host(&uid, |told| told.may_have_ended = true);
                self.server.host_deletes(&path);
            }
            (_, Some((path, Event { uid, appointment: Appointment { time, place }, .. }))) => {
                let booking = self.bookings().into_iter().find(|booking| booking.uid == uid);
                let Some(booking) = booking else { return };
                // In time, to another place, or both.
                let edit = self.dice.below(3);
                let time = if edit == 0 { time } else { Interval::new(start, start + time.duration()).unwrap() };
                let location = if edit == 1 { place } else { format!("Room {}", self.dice.below(4)) };
                self.note_of_host(&uid, |told| {
                    told.times.insert(time);
                    told.moved_by_host = true;
                });
                let text =
                    event_text(&Booking { time, location, ..booking }, &self.host(), "https://meet.example.edu/h/x");
                self.server.host_puts(&path, &booking_event(&text));
            }
            (_, None) => {}
        }
    }

    fn note_of_host(&self, uid: &str, note: impl FnOnce(&mut Told)) {
        let id = BookingId(uid.parse().unwrap());
        // Also of one that was not answered yet.
        let mut ledger = self.ledger.lock().unwrap();
        let told = ledger.told.entry(id).or_default();
        note(told);
        // What the host does is asked for ever: it may be found at any time.
        told.open += 1;
        told.asked += 1;
    }
}

pub(super) fn private_event(start: Timestamp) -> String {
    let at = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let (from, to) = (at(start), at(start + SignedDuration::from_mins(30)));
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//host//EN\r\nBEGIN:VEVENT\r\nUID:private-{from}\r\nDTSTAMP:{from}\r\nDTSTART:{from}\r\nDTEND:{to}\r\nSUMMARY:Private\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}
