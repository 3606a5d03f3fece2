//! When a host is willing to meet, whatever is busy: for a sign on the door. Nothing of busy time or bookings is in it.

use super::Desk;
use crate::availability::{Host, Interval, IntervalSet, MeetingType, spans};

impl Desk {
    /// The hours of a meeting type, or the host's own, within `window`: weekly hours, the dates that replace them, and what events of the
    /// host open, as far as their calendar was ever read. Ranges that touch are one.
    pub fn hours(&self, host: &Host, meeting: Option<&MeetingType>, window: Interval) -> IntervalSet {
        let own = meeting.and_then(|meeting| meeting.hours.as_ref());
        let snapshot = self.world().host_by_id(&host.id).map(|desk| desk.board.snapshot());
        let opened = snapshot.as_ref().filter(|_| own.is_none()).map_or(&[][..], |snapshot| &snapshot.opened);
        let spans = spans(own.unwrap_or(&host.hours), &host.zone, opened, window);
        spans.into_iter().collect::<IntervalSet>().clipped(window)
    }
}
