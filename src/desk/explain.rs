//! Why a time is or is not on offer, for the host: the published snapshot, with the names of what is in it.

use super::Desk;
use super::offer::{held_without, situation};
use crate::availability::{Explanation, Host, Known, KnownCalendar, MeetingType};
use jiff::Timestamp;

impl Desk {
    /// Why `start` is or is not on offer: what [`Desk::offer`] and [`Desk::slot`] decide, with every rule and event
    /// that has a say. It names the host's events: for their eyes only. `None` when there is no such host.
    /// By the rules as they would decide at `now`; how old the data is, is told by the real time.
    pub fn explain(&self, host: &Host, meeting: &MeetingType, start: Timestamp, now: Timestamp) -> Option<Explanation> {
        let world = self.world();
        let (snapshot, causes) = world.host_by_id(&host.id)?.board.causes();
        let held = held_without(&snapshot, None);
        let calendars: Vec<KnownCalendar<'_>> = causes
            .iter()
            .map(|calendar| KnownCalendar {
                name: &calendar.name,
                read_at: calendar.read_at,
                busy: &calendar.intervals,
                ignored: &calendar.ignored,
                opens: &calendar.opens,
                warnings: &calendar.warnings,
            })
            .collect();
        let known = Known {
            calendars: &calendars,
            max_staleness: host.max_staleness,
            as_of: self.clock.now(),
            window: snapshot.window,
        };
        Some(situation(&snapshot, host, meeting, &held, now).explain(start, &known))
    }
}
