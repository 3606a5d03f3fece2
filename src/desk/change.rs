//! Changing a booking: cancel, move, confirm, decide, expire. Each is one transition, stored with its effects.

use super::agenda::Placement;
use super::offer::Wish;
use super::reserve::per_day;
use super::{BookingView, Decision, Desk, ReserveError, Taken, TokenError, World, token};
use crate::availability::{Host, Interval, MeetingType};
use crate::booking::{
    Appointment, Booking, BookingId, BookingState, Command, Effect, Message, Payload, Refused, transition,
};
use crate::store::{Change, Changed, EffectKind, GuestLimits, NewEffect};
use jiff::Timestamp;
use std::sync::Arc;

impl Desk {
    /// The booking of a guest's token.
    pub async fn booking(&self, token: &str) -> Result<BookingView, TokenError> {
        let view = self.view(self.by_guest_token(token).await?);
        Ok(BookingView { missed_mail: self.guest_missed_a_mail(view.booking.id).await?, ..view })
    }

    /// The booking of a host's token. The guest's token is not in it.
    pub async fn booking_for_host(&self, token: &str) -> Result<BookingView, TokenError> {
        Ok(self.view_for_host(self.by_host_token(token).await?))
    }

    /// Calls a booking off, for its guest. Again and again: the same answer.
    pub async fn cancel(&self, token: &str) -> Result<BookingView, TokenError> {
        let booking = self.by_guest_token(token).await?;
        Ok(self.view(self.apply(booking, &Command::CancelByGuest).await?))
    }

    /// Calls a booking off, for its host at the command line.
    pub async fn cancel_by_id(&self, id: BookingId) -> Result<Booking, TokenError> {
        let booking = self.store.booking(id).await?.ok_or(TokenError::Unknown)?;
        self.apply(booking, &Command::CancelByHost).await
    }

    /// The booking whose guest's address this token confirms: it came by mail, and no other token does.
    pub async fn booking_to_confirm(&self, token: &str) -> Result<BookingView, TokenError> {
        Ok(self.view(self.by_confirm_token(token).await?))
    }

    /// The guest's address is theirs, by the token that was mailed to it. Again: the same answer.
    ///
    /// # Errors
    /// `Taken`: the host's calendar has something else there by now, and the booking has lapsed.
    pub async fn confirm_email(&self, token: &str) -> Result<BookingView, ReserveError> {
        let booking = self.by_confirm_token(token).await?;
        if booking.state == BookingState::AwaitingEmail {
            self.is_free_still(&booking).await?;
        }
        Ok(self.view(self.apply(booking, &Command::ConfirmEmail).await?))
    }

    /// Other guests are kept from the time of a booking that awaits its guest; the host, on whose calendar nothing of it is, may have
    /// taken it (standards E2.1).
    async fn is_free_still(&self, booking: &Booking) -> Result<(), ReserveError> {
        let world = self.world();
        let (host, meeting) = meeting_of(&world, booking)?;
        let start = booking.time.start();
        if !host.takes_bookings {
            return Err(self.taken(&host, &meeting, start, Taken::Unbookable));
        }
        self.look_anew(&world, &host).await?;
        let board = world.host_by_id(&host.id).map(|desk| desk.board.snapshot());
        if board.is_some_and(|snapshot| snapshot.busy.overlaps(booking.time)) {
            self.apply(booking.clone(), &Command::Expire).await?;
            tracing::info!(booking = %booking.id, "A booking lapsed: the host took its time before it was confirmed.");
            return Err(self.taken(&host, &meeting, start, Taken::Busy));
        }
        Ok(())
    }

    /// The host approves, declines or cancels, by the host's token.
    pub async fn decide(&self, token: &str, decision: Decision) -> Result<BookingView, TokenError> {
        let booking = self.by_host_token(token).await?;
        Ok(self.view_for_host(self.decide_on(booking, decision).await?))
    }

    /// The host approves, declines or cancels, at the command line.
    pub async fn decide_by_id(&self, id: BookingId, decision: Decision) -> Result<Booking, TokenError> {
        let booking = self.store.booking(id).await?.ok_or(TokenError::Unknown)?;
        self.decide_on(booking, decision).await
    }

    async fn decide_on(&self, booking: Booking, decision: Decision) -> Result<Booking, TokenError> {
        self.decide_saying(booking, decision, "").await
    }

    /// The same, with a word of the host's to the guest.
    pub(super) async fn decide_saying(
        &self,
        booking: Booking,
        decision: Decision,
        word: &str,
    ) -> Result<Booking, TokenError> {
        let command = match decision {
            Decision::Approve => Command::Approve,
            Decision::Decline => Command::Decline,
            Decision::Cancel => Command::CancelByHost,
            Decision::AcceptProposal => Command::AcceptProposal,
        };
        self.apply_saying(booking, &command, word).await
    }

    /// Moves a booking to another slot of its meeting type, for its guest.
    pub async fn move_to(&self, token: &str, start: Timestamp) -> Result<BookingView, ReserveError> {
        let booking = self.by_guest_token(token).await?;
        self.move_booking(booking, start).await
    }

    /// Moves a booking to another slot of its meeting type, for its host at the command line.
    pub async fn move_by_id(&self, id: BookingId, start: Timestamp) -> Result<Booking, ReserveError> {
        let booking = self.store.booking(id).await?.ok_or(TokenError::Unknown)?;
        self.move_for_host(booking, start, Placement::OnOffer).await
    }

    /// The host moves a booking to a free slot, or to any time that is ahead.
    pub(super) async fn move_for_host(
        &self,
        booking: Booking,
        start: Timestamp,
        placement: Placement,
    ) -> Result<Booking, ReserveError> {
        self.may_move(&booking)?;
        if start == booking.time.start() {
            return Ok(booking);
        }
        let world = self.world();
        let desk = world.host_by_id(&booking.host).ok_or(ReserveError::Unknown)?;
        let (host, id) = (desk.host().clone(), booking.id);
        let (booking, time, must_fit) = match placement {
            Placement::OnOffer => {
                let meeting = host.meeting(booking.meeting.as_str()).ok_or(ReserveError::Unknown)?;
                let slot = self.free_slot(&world, &host, meeting, start, Wish::MoveByHost(id)).await?;
                (as_of_now(booking, meeting), slot.time, true)
            }
            Placement::Anywhere => {
                let end = start.checked_add(booking.time.duration()).ok().filter(|_| start > self.clock.now());
                let time = end.and_then(|end| Interval::new(start, end));
                let time = time.ok_or(ReserveError::NotASlot(super::NotASlot::Past))?;
                (booking, time, false)
            }
        };
        let written = self.outbox.watch();
        let limits = GuestLimits { must_fit, ..GuestLimits::default() };
        match self.try_apply(booking, &Command::MoveByHost(time), limits, "").await? {
            Applied::Done(booking) => Ok(self.await_event(booking.id, written).await?.booking),
            Applied::Refused(refused) => Err(TokenError::from(refused).into()),
            Applied::Overlaps | Applied::DayFull | Applied::GuestLimit => {
                Err(ReserveError::Taken { why: Taken::Booked, alternatives: Vec::new() })
            }
        }
    }

    /// Refuses what cannot be moved anywhere, before anything is asked.
    fn may_move(&self, booking: &Booking) -> Result<(), TokenError> {
        match booking.state.holds_slot() {
            false => Err(TokenError::Closed(booking.state)),
            true if booking.is_over(self.clock.now()) => Err(TokenError::Over),
            true => Ok(()),
        }
    }

    async fn move_booking(&self, booking: Booking, start: Timestamp) -> Result<BookingView, ReserveError> {
        self.may_move(&booking)?;
        if start == booking.time.start() {
            return Ok(self.view(booking));
        }
        let world = self.world();
        let (host, meeting) = meeting_of(&world, &booking)?;
        let slot = self.free_slot(&world, &host, &meeting, start, Wish::Move(booking.id)).await?;
        let written = self.outbox.watch();
        let booking = as_of_now(booking, &meeting);
        let (per_day, per_guest) = (per_day(&host, &meeting, start), meeting.per_guest);
        let limits = GuestLimits { per_day, per_guest, ..GuestLimits::default() };
        match self.try_apply(booking, &Command::Move(slot.time), limits, "").await? {
            Applied::Done(booking) => self.await_event(booking.id, written).await,
            Applied::Refused(refused) => Err(TokenError::from(refused).into()),
            Applied::Overlaps => Err(self.taken(&host, &meeting, start, Taken::Booked)),
            Applied::DayFull => Err(self.taken(&host, &meeting, start, Taken::DayFull)),
            Applied::GuestLimit => Err(self.taken(&host, &meeting, start, Taken::GuestLimit)),
        }
    }

    /// Lets the bookings lapse that were not confirmed in time.
    pub async fn expire(&self) -> Result<usize, TokenError> {
        let due = self.store.expire_due(self.clock.now()).await?;
        let count = due.len();
        for booking in due {
            let id = booking.id;
            self.apply(booking, &Command::Expire).await?;
            tracing::info!(booking = %id, "A booking lapsed: it was not confirmed in time.");
        }
        Ok(count)
    }

    /// Applies a command that does not move the booking.
    pub(super) async fn apply(&self, booking: Booking, command: &Command) -> Result<Booking, TokenError> {
        self.apply_saying(booking, command, "").await
    }

    async fn apply_saying(&self, booking: Booking, command: &Command, word: &str) -> Result<Booking, TokenError> {
        match self.try_apply(booking, command, GuestLimits::default(), word).await? {
            Applied::Done(booking) => Ok(*booking),
            Applied::Refused(refused) => Err(refused.into()),
            Applied::Overlaps | Applied::DayFull | Applied::GuestLimit => Err(TokenError::Unknown),
        }
    }

    /// Decides, stores, publishes and wakes the outbox. Decides again when the booking changed meanwhile. `word` is the host's to
    /// the guest, in the mails that follow; it may be empty.
    async fn try_apply(
        &self,
        mut booking: Booking,
        command: &Command,
        limits: GuestLimits,
        word: &str,
    ) -> Result<Applied, TokenError> {
        let world = self.world();
        loop {
            let now = self.clock.now();
            let (next, effects) = match transition(&booking, command, now) {
                Ok(Some(change)) => change,
                Ok(None) => return Ok(Applied::Done(Box::new(booking))),
                Err(refused) => return Ok(Applied::Refused(refused)),
            };
            let effects = saying(word, self.effects(&world, &next, booking.told_appointment().as_ref(), effects));
            let change =
                Change { booking: next.clone(), expected_updated_at: booking.updated_at, effects, limits, now };
            match self.store.change(change).await? {
                Changed::Done(stored) => {
                    self.refresh(&stored.host).await?;
                    self.outbox.wake();
                    return Ok(Applied::Done(stored));
                }
                Changed::Stale(current) => booking = *current,
                Changed::Unknown => return Err(TokenError::Unknown),
                Changed::Overlaps | Changed::SeatsTaken => return Ok(Applied::Overlaps),
                Changed::DayFull => return Ok(Applied::DayFull),
                Changed::GuestLimit => return Ok(Applied::GuestLimit),
            }
        }
    }

    /// The effects as the outbox stores them. Without mail there is nobody to send messages.
    pub(super) fn effects(
        &self,
        world: &World,
        booking: &Booking,
        told: Option<&Appointment>,
        effects: Vec<Effect>,
    ) -> Vec<NewEffect> {
        let notify = world.host_by_id(&booking.host).is_some_and(|desk| desk.notify);
        effects_for(booking, told, effects, world.mailed(), notify)
    }

    pub(super) async fn by_guest_token(&self, token: &str) -> Result<Booking, TokenError> {
        if !token::is_token(token) {
            return Err(TokenError::Unknown);
        }
        self.store.booking_by_guest_token(token::digest(token)).await?.ok_or(TokenError::Unknown)
    }

    async fn by_confirm_token(&self, token: &str) -> Result<Booking, TokenError> {
        if !token::is_token(token) {
            return Err(TokenError::Unknown);
        }
        self.store.booking_by_confirm_token(token::digest(token)).await?.ok_or(TokenError::Unknown)
    }

    async fn by_host_token(&self, token: &str) -> Result<Booking, TokenError> {
        if !token::is_token(token) {
            return Err(TokenError::Unknown);
        }
        self.store.booking_by_host_token(token::digest(token)).await?.ok_or(TokenError::Unknown)
    }

    fn view_for_host(&self, booking: Booking) -> BookingView {
        let form_token = self.tokens.host_form(booking.id);
        BookingView { guest_token: String::new(), form_token, ..self.view(booking) }
    }
}

/// What a move keeps is judged by the meeting type as it is now.
fn as_of_now(booking: Booking, meeting: &MeetingType) -> Booking {
    let (buffer_before, buffer_after, seats) = (meeting.buffer_before, meeting.buffer_after, meeting.seats);
    Booking { buffer_before, buffer_after, seats, ..booking }
}

/// The host and the meeting type of a booking, as configured now.
fn meeting_of(world: &World, booking: &Booking) -> Result<(Arc<Host>, Arc<MeetingType>), ReserveError> {
    let host = world.host_by_id(&booking.host).ok_or(ReserveError::Unknown)?.host().clone();
    let meeting = host.meeting(booking.meeting.as_str()).cloned().ok_or(ReserveError::Unknown)?;
    Ok((host, meeting))
}

/// Puts a word of the host's into the mails to the guest.
fn saying(word: &str, mut effects: Vec<NewEffect>) -> Vec<NewEffect> {
    for effect in effects.iter_mut().filter(|_| !word.is_empty()) {
        let payload = Payload::from_json(&effect.payload).ok();
        let to_guest = |payload: &Payload| matches!(payload.effect, Effect::Mail(message) if message.is_to_guest());
        if let Some(payload) = payload.filter(to_guest) {
            effect.payload = Payload { word: word.to_owned(), ..payload }.to_json();
        }
    }
    effects
}

enum Applied {
    Done(Box<Booking>),
    Refused(Refused),
    Overlaps,
    DayFull,
    GuestLimit,
}

/// The effects as the outbox stores them: mail only where it is set up, and to the host only where they want it. `told` is what the
/// guest was told before.
pub(super) fn effects_for(
    booking: &Booking,
    told: Option<&Appointment>,
    effects: Vec<Effect>,
    mailed: bool,
    notify: bool,
) -> Vec<NewEffect> {
    effects
        .into_iter()
        .filter(|effect| match effect {
            Effect::PutEvent | Effect::DeleteEvent => true,
            Effect::Mail(Message::HostBooked | Message::HostMoved | Message::HostCancelled) => mailed && notify,
            Effect::Mail(_) => mailed,
        })
        .map(|effect| NewEffect {
            kind: match effect {
                Effect::PutEvent => EffectKind::PutEvent,
                Effect::DeleteEvent => EffectKind::DeleteEvent,
                Effect::Mail(_) => EffectKind::Mail,
            },
            payload: Payload::of(&effect, booking, told).to_json(),
        })
        .collect()
}
