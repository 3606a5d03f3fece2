//! Taking a slot: check, read the calendars anew, reserve in one transaction, and wait a little for the event.

use super::offer::{RETRY, Wish};
use super::{
    BookingView, Desk, Freshness, HostDesk, IdempotencyKey, Rate, Reservation, ReserveError, Taken, TokenError, World,
    token,
};
use crate::availability::{Confirm, Host, Interval, MeetingType, Slot};
use crate::booking::{Booking, BookingId, BookingState, first_effects, place};
use crate::store::{GuestLimits, Hit, IdempotencyRow, NewBooking, PerDay, Reserved, Used};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a guest waits for the calendars to be read, and then for the event to be written.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a guest has to confirm the address.
const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(2);
/// A proof of work is counted as a limit of one.
const PROOF: &str = "proof";

impl Desk {
    /// Books: checks, reads the calendars anew (3 s at most), reserves in one transaction, and waits up to 3 s for the event.
    /// With an idempotency key: the same request gives the same answer.
    pub async fn reserve(&self, request: Reservation) -> Result<BookingView, ReserveError> {
        let world = self.world();
        let desk = world.host_by_id(&request.host).ok_or(ReserveError::Unknown)?;
        let host = desk.host().clone();
        let meeting = host.meeting(request.meeting.as_str()).cloned().ok_or(ReserveError::Unknown)?;
        let _in_progress = match &request.idempotency {
            Some(key) => Some(self.begin(&host, key)?),
            None => None,
        };
        let idempotency = request.idempotency.as_ref().map(|key| IdempotencyRow {
            key: key.key.clone(),
            scope: host.id.clone(),
            request: key.request,
        });
        if let Some(row) = &idempotency {
            match self.store.idempotency(row.clone(), self.clock.now()).await? {
                Some(Used::Same(booking)) => return self.replay(booking).await,
                Some(Used::Other) => return Err(ReserveError::KeyReused),
                None => {}
            }
        }
        let slot = self.free_slot(&world, &host, &meeting, request.start, Wish::Book).await?;
        if world.block.has(&request.guest.email, request.from) {
            tracing::info!(host = %host.id, meeting = %meeting.id, "A booking of a blocked guest was refused.");
            // As if another had been quicker: whoever is blocked is not told.
            return Err(self.taken(&host, &meeting, request.start, Taken::Booked));
        }

        let now = self.clock.now();
        let booking = self.new_booking(&request, &host, &meeting, slot.time, now);
        let id = booking.id;
        let written = self.outbox.watch();
        let (wanted, limits) = (first_effects(booking.state), world.limits);
        let new = NewBooking {
            guest_token_hash: token::digest(&self.tokens.guest(id)),
            confirm_token_hash: (booking.state == BookingState::AwaitingEmail)
                .then(|| token::digest(&self.tokens.confirm(id))),
            host_token_hash: token::digest(&self.tokens.host(id)),
            effects: self.effects(&world, &booking, None, wanted),
            idempotency,
            limits: GuestLimits {
                per_day: per_day(&host, &meeting, slot.time.start()),
                per_guest: meeting.per_guest,
                open_per_guest: limits.open_per_guest,
                must_fit: false,
            },
            hits: hits(&limits, &request, now),
            booking,
            now,
        };
        let reserved = self.store.reserve(new).await?;
        self.refresh(&host.id).await?;
        match reserved {
            Reserved::Done => {}
            Reserved::Replay(id) => return self.replay(id).await,
            Reserved::KeyReused => return Err(ReserveError::KeyReused),
            Reserved::Limited { kind, .. } if kind == PROOF => return Err(ReserveError::ProofSpent),
            Reserved::Limited { retry_after, .. } => return Err(ReserveError::Limited { retry_after }),
            Reserved::Overlaps | Reserved::SeatsTaken => {
                return Err(self.taken(&host, &meeting, request.start, Taken::Booked));
            }
            Reserved::Paused => return Err(self.taken(&host, &meeting, request.start, Taken::Paused)),
            Reserved::DayFull => return Err(self.taken(&host, &meeting, request.start, Taken::DayFull)),
            Reserved::GuestLimit => return Err(self.taken(&host, &meeting, request.start, Taken::GuestLimit)),
        }
        tracing::info!(host = %host.id, meeting = %meeting.id, booking = %id, "A slot was reserved.");
        self.await_event(id, written).await
    }

    /// The slot that starts then, if it is still free after the calendars were read anew.
    pub(super) async fn free_slot(
        &self,
        world: &World,
        host: &Host,
        meeting: &MeetingType,
        start: Timestamp,
        wish: Wish,
    ) -> Result<Slot, ReserveError> {
        // What is refused by what we know is refused at once, without a look at the server.
        match self.judge(host, meeting, start, wish) {
            Ok(_) | Err(ReserveError::Stale { .. }) => {}
            Err(refused) => return Err(refused),
        }
        self.look_anew(world, host).await?;
        self.judge(host, meeting, start, wish)
    }

    /// Reads the host's calendars anew. Where that fails, what is known counts while it is fresh.
    pub(super) async fn look_anew(&self, world: &World, host: &Host) -> Result<(), ReserveError> {
        let desk = world.host_by_id(&host.id).ok_or(ReserveError::Unknown)?;
        if !read_anew(desk).await {
            tracing::warn!(host = %host.id, "The calendars could not be read anew for a booking within 3 s.");
            if !matches!(self.freshness(&host.id), Freshness::Fresh(_)) {
                return Err(ReserveError::Stale { retry_after: RETRY });
            }
        }
        Ok(())
    }

    fn new_booking(
        &self,
        request: &Reservation,
        host: &Host,
        meeting: &MeetingType,
        time: Interval,
        now: Timestamp,
    ) -> Booking {
        let id = self.tokens.booking_id(now);
        let (state, expires_at) = match meeting.confirm {
            Confirm::Instant if request.confirm_address => {
                (BookingState::AwaitingEmail, now.checked_add(CONFIRM_WITHIN).ok())
            }
            Confirm::Instant => (BookingState::Reserved, None),
            Confirm::Email => (BookingState::AwaitingEmail, now.checked_add(CONFIRM_WITHIN).ok()),
            Confirm::Approval => (BookingState::AwaitingApproval, Some(time.start())),
        };
        Booking {
            id,
            host: host.id.clone(),
            meeting: meeting.id.clone(),
            title: meeting.title.clone(),
            location: meeting.location.clone(),
            event_location: place(&meeting.location),
            time,
            buffer_before: meeting.buffer_before,
            buffer_after: meeting.buffer_after,
            seats: meeting.seats,
            state,
            guest: request.guest.clone(),
            uid: id.to_string(),
            sequence: 0,
            told: None,
            told_time: None,
            declined: None,
            answered: None,
            organizer: Some(self.world().organizer_of(host)),
            placed_by_host: false,
            created_at: now,
            updated_at: now,
            expires_at: expires_at.map(|at| at.min(time.start())),
            event: None,
        }
    }

    /// Waits up to 3 s for the booking's event to be on the server, then tells how the booking stands.
    pub(super) async fn await_event(
        &self,
        id: BookingId,
        mut written: super::Watch,
    ) -> Result<BookingView, ReserveError> {
        self.outbox.wake();
        let settled = async {
            loop {
                match self.store.booking(id).await {
                    Ok(Some(booking)) if booking.state == BookingState::Reserved => {}
                    other => return other,
                }
                written.changed().await;
            }
        };
        let booking = match tokio::time::timeout(PATIENCE, settled).await {
            Ok(booking) => booking?,
            Err(_elapsed) => self.store.booking(id).await?,
        };
        booking.map(|booking| self.view(booking)).ok_or(ReserveError::Token(TokenError::Unknown))
    }

    async fn replay(&self, id: BookingId) -> Result<BookingView, ReserveError> {
        let booking = self.store.booking(id).await?;
        booking.map(|booking| self.view(booking)).ok_or(ReserveError::KeyReused)
    }

    /// Notes that a request with this key is being answered, until the guard is dropped.
    fn begin(&self, host: &Host, key: &IdempotencyKey) -> Result<InProgress, ReserveError> {
        let name = format!("{}\n{}", host.id, key.key);
        let mut all = self.in_progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !all.insert(name.clone()) {
            return Err(ReserveError::InProgress);
        }
        Ok(InProgress { name, all: self.in_progress.clone() })
    }
}

/// A request with an idempotency key that is being answered.
struct InProgress {
    name: String,
    all: Arc<std::sync::Mutex<std::collections::HashSet<String>>>,
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&self.name);
    }
}

/// Reads all accounts of a host anew; false when one could not be read within 3 s.
async fn read_anew(desk: &HostDesk) -> bool {
    let passes = join_all(desk.accounts.iter().map(|account| account.fresh()));
    tokio::time::timeout(PATIENCE, passes).await.is_ok_and(|read| read.into_iter().all(|read| read))
}

/// The host's day of an instant.
pub(super) fn day_of(host: &Host, instant: Timestamp) -> Option<Interval> {
    let date = host.zone.civil(instant).date();
    let midnight = |date: jiff::civil::Date| host.zone.instant(date.to_datetime(jiff::civil::Time::midnight()));
    Interval::new(midnight(date)?, midnight(date.tomorrow().ok()?)?)
}

/// The limit of a day that a slot of the meeting type is under.
pub(super) fn per_day(host: &Host, meeting: &MeetingType, start: Timestamp) -> Option<PerDay> {
    Some(PerDay { day: day_of(host, start)?, max: meeting.per_day? })
}

/// What the limits count of a request.
fn hits(limits: &super::Limits, request: &Reservation, at: Timestamp) -> Vec<Hit> {
    let by_ip = limits.bookings_per_ip.zip(request.from.map(network)).map(|(rate, key)| ("booking-ip", key, rate));
    let guest = request.guest.email.to_lowercase();
    let by_guest = limits.bookings_per_guest.map(|rate| ("booking-guest", guest, rate));
    let in_all = limits.bookings_in_all.map(|rate| ("booking-in-all", String::new(), rate));
    let once = Rate { count: 1, per: SignedDuration::from_hours(24) };
    let by_proof = request.proof.clone().map(|nonce| (PROOF, nonce, once));
    // What is spent is looked at before what a stranger could use up for another.
    by_proof
        .into_iter()
        .chain(by_ip)
        .chain(by_guest)
        .chain(in_all)
        .map(|(kind, key, rate)| Hit { kind, key, at, count: rate.count, span: rate.per })
        .collect()
}

/// An address as the limits count it: an IPv6 /64 is one.
pub fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_and_a_mapped_address_as_ipv4() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
