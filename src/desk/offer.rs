//! What is on offer: the published snapshot, read by the rules of `availability`. No lock, no SQL.

use super::{Desk, Freshness, Offer, ReserveError, Taken};
use crate::availability::{Held, Host, HostId, Interval, MeetingType, Situation, Slot, Verdict};
use crate::booking::BookingId;
use crate::sync::{Health, Snapshot};
use jiff::{SignedDuration, Timestamp};

/// How many other slots a guest is told of when one is taken.
const ALTERNATIVES: usize = 5;
/// How far around a taken slot others are looked for.
const AROUND: SignedDuration = SignedDuration::from_hours(24 * 14);
/// When a guest should try again while the calendar cannot be read.
pub(super) const RETRY: SignedDuration = SignedDuration::from_secs(60);

/// For what a start is judged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    /// A guest books.
    Book,
    /// A guest moves this booking: as if it were not there.
    Move(BookingId),
    /// The host does, whether or not they take new bookings.
    MoveByHost(BookingId),
}

impl Wish {
    fn moving(self) -> Option<BookingId> {
        match self {
            Wish::Book => None,
            Wish::Move(id) | Wish::MoveByHost(id) => Some(id),
        }
    }

    /// What is known, as it counts for the wish.
    fn sees(self, snapshot: &Snapshot) -> Snapshot {
        let pause = snapshot.pause.filter(|_| !matches!(self, Wish::MoveByHost(_)));
        Snapshot { pause, ..snapshot.clone() }
    }
}

impl Desk {
    /// The slots of a meeting type that are on offer now and start within `window`.
    pub fn offer(&self, host: &Host, meeting: &MeetingType, window: Interval) -> Offer {
        self.offer_as_of(host, meeting, window, self.clock.now())
    }

    /// The same by the rules as they would decide at another time; how fresh the data is, is told by the real one.
    pub fn offer_as_of(&self, host: &Host, meeting: &MeetingType, window: Interval, now: Timestamp) -> Offer {
        let freshness = self.freshness(&host.id);
        let slots = match (freshness, self.world().host_by_id(&host.id)) {
            (Freshness::Fresh(_), Some(desk)) => slots(&desk.board.snapshot(), host, meeting, window, now, None),
            _ => Vec::new(),
        };
        Offer { slots, freshness }
    }

    /// The slots that the host may move a booking to without overruling anything.
    pub fn offer_to_move(&self, host: &Host, meeting: &MeetingType, window: Interval, booking: BookingId) -> Offer {
        let freshness = self.freshness(&host.id);
        let slots = match (freshness, self.world().host_by_id(&host.id)) {
            (Freshness::Fresh(_), Some(desk)) => {
                let snapshot = Wish::MoveByHost(booking).sees(&desk.board.snapshot());
                slots(&snapshot, host, meeting, window, self.clock.now(), Some(booking))
            }
            _ => Vec::new(),
        };
        Offer { slots, freshness }
    }

    /// Somebody looks at the host's data: what is older than 30 s is read anew in the background, for the next look. Nothing that
    /// anybody sees changes by this, and however many look, a server is asked once in 30 s.
    pub fn demand(&self, host: &HostId) {
        let now = self.clock.now();
        if let Some(desk) = self.world().host_by_id(host) {
            desk.accounts.iter().for_each(|source| source.demand(now));
        }
    }

    /// How each of the host's sources does, by its name.
    pub fn sources(&self, host: &HostId) -> Vec<(String, Health)> {
        let world = self.world();
        let Some(desk) = world.host_by_id(host) else { return Vec::new() };
        desk.accounts.iter().map(|handle| (handle.name().to_owned(), handle.health())).collect()
    }

    /// How old the host's data is.
    pub fn freshness(&self, host: &HostId) -> Freshness {
        let world = self.world();
        let Some(desk) = world.host_by_id(host) else { return Freshness::NeverRead };
        freshness(&desk.board.snapshot(), desk.host(), self.clock.now())
    }

    /// Why a start can or cannot be booked, by the published snapshot; what the slot page shows before anything is posted.
    pub fn slot(&self, host: &Host, meeting: &MeetingType, start: Timestamp) -> Result<Slot, ReserveError> {
        self.judge(host, meeting, start, Wish::Book)
    }

    /// Judges a start by the published snapshot.
    pub(super) fn judge(
        &self,
        host: &Host,
        meeting: &MeetingType,
        start: Timestamp,
        wish: Wish,
    ) -> Result<Slot, ReserveError> {
        let world = self.world();
        let desk = world.host_by_id(&host.id).ok_or(ReserveError::Unknown)?;
        let snapshot = wish.sees(&desk.board.snapshot());
        let now = self.clock.now();
        let held = held_without(&snapshot, wish.moving());
        let situation = situation(&snapshot, host, meeting, &held, now);
        // A booking that there is has its calendar, wherever its host moves it.
        let takes_bookings = situation.takes_bookings || matches!(wish, Wish::MoveByHost(_));
        let verdict = Situation { takes_bookings, ..situation }.judge(start);
        if let Verdict::NotASlot(why) = verdict {
            return Err(ReserveError::NotASlot(why));
        }
        if !matches!(freshness(&snapshot, host, now), Freshness::Fresh(_)) {
            return Err(ReserveError::Stale { retry_after: RETRY });
        }
        match verdict {
            Verdict::OnOffer(slot) if snapshot.window.covers(slot.time) => Ok(slot),
            Verdict::OnOffer(_) => Err(self.taken(host, meeting, start, Taken::TooFar)),
            Verdict::Taken(why) => Err(self.taken(host, meeting, start, why)),
            Verdict::NotASlot(why) => Err(ReserveError::NotASlot(why)),
        }
    }

    /// The refusal of a taken start, with the nearest slots on offer.
    pub(super) fn taken(&self, host: &Host, meeting: &MeetingType, start: Timestamp, why: Taken) -> ReserveError {
        let around = Interval::new(
            start.checked_sub(AROUND).unwrap_or(Timestamp::MIN),
            start.checked_add(AROUND).unwrap_or(Timestamp::MAX),
        );
        let mut others: Vec<Interval> = match around.filter(|_| host.takes_bookings) {
            Some(window) => self.offer(host, meeting, window).slots.iter().map(|slot| slot.time).collect(),
            None => Vec::new(),
        };
        others.retain(|time| time.start() != start);
        others.sort_by_key(|time| (time.start().duration_since(start).abs(), time.start()));
        others.truncate(ALTERNATIVES);
        others.sort_unstable();
        ReserveError::Taken { why, alternatives: others }
    }
}

/// How old the data of a snapshot is.
pub(super) fn freshness(snapshot: &Snapshot, host: &Host, now: Timestamp) -> Freshness {
    match snapshot.as_of {
        None => Freshness::NeverRead,
        Some(as_of) if now.duration_since(as_of) > host.max_staleness => Freshness::Stale(as_of),
        Some(as_of) => Freshness::Fresh(as_of),
    }
}

/// The slots on offer by a snapshot, whatever its age.
pub(super) fn slots(
    snapshot: &Snapshot,
    host: &Host,
    meeting: &MeetingType,
    window: Interval,
    now: Timestamp,
    moving: Option<BookingId>,
) -> Vec<Slot> {
    let Some(window) = window.intersection(snapshot.window) else { return Vec::new() };
    let held = held_without(snapshot, moving);
    let mut slots = situation(snapshot, host, meeting, &held, now).slots(window);
    slots.retain(|slot| snapshot.window.covers(slot.time));
    slots
}

pub(super) fn held_without(snapshot: &Snapshot, moving: Option<BookingId>) -> Vec<Held> {
    snapshot.held.iter().filter(|held| moving.is_none_or(|id| held.id != id.0)).cloned().collect()
}

pub(super) fn situation<'a>(
    snapshot: &'a Snapshot,
    host: &'a Host,
    meeting: &'a MeetingType,
    held: &'a [Held],
    now: Timestamp,
) -> Situation<'a> {
    Situation {
        meeting,
        hours: meeting.hours.as_ref().unwrap_or(&host.hours),
        zone: &host.zone,
        opened: if meeting.hours.is_some() { &[] } else { &snapshot.opened },
        busy: &snapshot.busy,
        held,
        pause: snapshot.pause,
        takes_bookings: host.takes_bookings,
        now,
    }
}
