//! When a host can be met: intervals, hours, meeting types and busy time, to slots, and why. Start with [`Interval`].

mod blocking;
mod busy;
mod clock;
mod counting;
mod explain;
mod free_busy;
mod happening;
mod host;
mod hours;
mod interval;
mod meeting;
mod pause;
#[cfg(test)]
mod properties;
mod sample;
mod slots;
mod vavailability;
mod who;

pub use busy::{
    BusyCause, BusyInterval, BusyKind, EventFacts, ObjectBusy, Undated, Warning, event_summary, object_busy,
    object_opens,
};
pub use clock::Clock;
pub use counting::{AllDay, BusyRules, Counting, Tentative, Title, Unanswered};
pub use explain::{Decision, Effect, Explanation, Known, KnownCalendar, Reason, Rule};
pub use host::{Host, HostId};
pub use hours::{DateHours, Hours, HoursError, TimeRange, WeeklyHours};
pub use interval::{Interval, IntervalSet};
pub use meeting::{Confirm, MeetingId, MeetingType, PerGuest, Question};
pub use pause::Pause;
pub use slots::{Held, NotASlot, Situation, Slot, Taken, Verdict, spans};
pub use vavailability::{ObjectAvailability, object_availability};
