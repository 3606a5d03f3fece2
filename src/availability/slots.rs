//! The rules that decide a slot, each in one place: hours to spans, spans to starts, a start to a [`Verdict`].

use super::{Hours, Interval, IntervalSet, MeetingId, MeetingType, Pause};
use crate::ical::Zone;
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use uuid::Uuid;

/// A slot that can be booked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When it is.
    pub time: Interval,
    /// Guests that can still take it; at least 1.
    pub seats_left: u32,
}

/// A booking that holds its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The booking's id.
    pub id: Uuid,
    /// What was booked.
    pub meeting: MeetingId,
    /// When it is.
    pub time: Interval,
    /// Kept free before it.
    pub buffer_before: SignedDuration,
    /// Kept free after it.
    pub buffer_after: SignedDuration,
}

/// Everything that decides what is on offer.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What is to be booked.
    pub meeting: &'a MeetingType,
    /// The meeting type's own hours, else the host's.
    pub hours: &'a Hours,
    /// The host's zone.
    pub zone: &'a Zone,
    /// What events of the host open, beside the hours.
    pub opened: &'a [Interval],
    /// When the host's calendars are busy, without the events of `held`.
    pub busy: &'a IntervalSet,
    /// The host's bookings, of all meeting types.
    pub held: &'a [Held],
    /// While it holds, the host takes no new bookings.
    pub pause: Option<Pause>,
    /// Whether there is a calendar that bookings go to. Where there is none, slots are shown, and each is refused.
    pub takes_bookings: bool,
    /// Now.
    pub now: Timestamp,
}

/// What the rules say of one start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can be booked.
    OnOffer(Slot),
    /// It is no slot and will never be one.
    NotASlot(NotASlot),
    /// It is a slot, but not on offer.
    Taken(Taken),
}

/// Why a start can never be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASlot {
    /// It is not in the future.
    #[error("this time has passed")]
    Past,
    /// No slot starts then.
    #[error("no slot starts at this time")]
    OffGrid,
    /// The host does not meet then.
    #[error("this time is outside the hours")]
    OutsideHours,
}

/// What keeps a slot of the grid from being on offer. Never says which event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The host is busy, or the buffer to something busy is too short.
    Busy,
    /// Too soon: within the notice.
    TooSoon,
    /// Beyond the horizon.
    TooFar,
    /// The day has enough bookings of this type.
    DayFull,
    /// All seats are taken, or another booking is in the way.
    Booked,
    /// The guest has enough bookings.
    GuestLimit,
    /// The host takes no new bookings for now.
    Paused,
    /// There is no calendar that bookings go to: times are shown, and none can be booked.
    Unbookable,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Taken::Busy => "the host is busy then",
            Taken::TooSoon => "it is too soon to book this time",
            Taken::TooFar => "it is too early to book this time",
            Taken::DayFull => "that day has enough meetings of this kind",
            Taken::Booked => "somebody else has booked this time",
            Taken::GuestLimit => "there are enough bookings for this address",
            Taken::Paused => "the host takes no new bookings for now",
            Taken::Unbookable => "the host takes no bookings here",
        })
    }
}

/// The spans of hours that touch `window`: whole, sorted by start. Ranges of one day that touch or overlap are one span;
/// spans of different days are not joined.
pub fn spans(hours: &Hours, zone: &Zone, opened: &[Interval], window: Interval) -> Vec<Interval> {
    let mut spans = Vec::new();
    // A day further at both ends: the range of one day can reach into the next by an event that opens it.
    let first = zone.civil(window.start()).date();
    let first = first.yesterday().unwrap_or(first);
    let last = zone.civil(window.end()).date();
    let opened: Vec<(Date, Interval)> = opened
        .iter()
        .filter(|span| span.overlaps(window))
        .map(|span| (zone.civil(span.start()).date(), *span))
        .collect();
    let far_back = opened.iter().map(|(date, _)| *date).min().map_or(first, |date| date.min(first));
    for date in far_back.series(jiff::Span::new().days(1)).take_while(|date| *date <= last) {
        let exception = hours.exception(date);
        let ranges = exception.map_or_else(|| hours.weekly.on(date.weekday()), |line| &line.ranges);
        let day: IntervalSet = ranges
            .iter()
            .filter_map(|range| Interval::new(instant(zone, date, range.start())?, instant(zone, date, range.end())?))
            .chain(opened.iter().filter(|(day, _)| *day == date && exception.is_none()).map(|(_, span)| *span))
            .collect();
        spans.extend(day.iter().filter(|span| span.overlaps(window)));
    }
    spans.sort_unstable();
    spans
}

/// The instant of a wall-clock time of a date, `minutes` after its midnight by the clock; 1440 is the next date's.
fn instant(zone: &Zone, date: Date, minutes: u16) -> Option<Timestamp> {
    let (date, minutes) = if minutes == 24 * 60 { (date.tomorrow().ok()?, 0) } else { (date, minutes) };
    let time = Time::new(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
    zone.instant(date.to_datetime(time))
}

impl Situation<'_> {
    /// Whether the host takes no new bookings now.
    pub fn is_paused(&self) -> bool {
        self.pause.is_some_and(|pause| pause.holds(self.now))
    }

    /// The slots on offer that start in `window`, sorted by start.
    pub fn slots(&self, window: Interval) -> Vec<Slot> {
        if self.is_paused() {
            return Vec::new();
        }
        let earliest = window.start().max(self.now.checked_add(self.meeting.notice).unwrap_or(Timestamp::MAX));
        let latest = window.end().min(self.now.checked_add(self.meeting.horizon).unwrap_or(Timestamp::MAX));
        let Some(window) = Interval::new(earliest, latest) else { return Vec::new() };
        let mut slots: Vec<Slot> = Vec::new();
        for span in spans(self.hours, self.zone, self.opened, window) {
            let mut start = first_start(span, self.meeting.step, window.start());
            while let Some(time) = start.and_then(|at| self.at(at)) {
                if time.start() >= window.end() || time.end() > span.end() {
                    break;
                }
                if let Ok(seats_left) = self.seats_left(time) {
                    slots.push(Slot { time, seats_left });
                }
                start = time.start().checked_add(self.meeting.step).ok();
            }
        }
        slots.sort_unstable_by_key(|slot| slot.time);
        slots.dedup_by_key(|slot| slot.time);
        slots
    }

    /// What the rules say of one start.
    pub fn judge(&self, start: Timestamp) -> Verdict {
        let Some(time) = self.at(start) else { return Verdict::NotASlot(NotASlot::OutsideHours) };
        if start <= self.now {
            return Verdict::NotASlot(NotASlot::Past);
        }
        if let Err(not) = self.on_grid(time) {
            return Verdict::NotASlot(not);
        }
        if self.is_paused() {
            return Verdict::Taken(Taken::Paused);
        }
        if !self.takes_bookings {
            return Verdict::Taken(Taken::Unbookable);
        }
        if self.now.checked_add(self.meeting.notice).map_or(true, |soonest| start < soonest) {
            return Verdict::Taken(Taken::TooSoon);
        }
        if self.now.checked_add(self.meeting.horizon).is_ok_and(|latest| start >= latest) {
            return Verdict::Taken(Taken::TooFar);
        }
        match self.seats_left(time) {
            Ok(seats_left) => Verdict::OnOffer(Slot { time, seats_left }),
            Err(taken) => Verdict::Taken(taken),
        }
    }

    /// The slot that would start then.
    pub fn at(&self, start: Timestamp) -> Option<Interval> {
        Interval::new(start, start.checked_add(self.meeting.duration).ok()?)
    }

    /// Whether a span of hours has a slot at that time.
    pub fn on_grid(&self, time: Interval) -> Result<Interval, NotASlot> {
        let mut why = NotASlot::OutsideHours;
        for span in spans(self.hours, self.zone, self.opened, time) {
            if span.contains(time.start()) {
                if first_start(span, self.meeting.step, time.start()) != Some(time.start()) {
                    why = NotASlot::OffGrid;
                } else if span.covers(time) {
                    return Ok(span);
                }
            }
        }
        Err(why)
    }

    /// What of busy time and bookings leaves the time, whatever the hours, notice and horizon say.
    pub fn seats_left(&self, time: Interval) -> Result<u32, Taken> {
        if self.busy.overlaps(time.widened(self.meeting.buffer_before, self.meeting.buffer_after)) {
            return Err(Taken::Busy);
        }
        let mut seats_left = self.meeting.seats;
        for held in self.held {
            if held.meeting == self.meeting.id && held.time == time {
                seats_left = seats_left.saturating_sub(1);
            } else if held.is_too_close(self.meeting, time) {
                return Err(Taken::Booked);
            }
        }
        if seats_left == 0 {
            return Err(Taken::Booked);
        }
        if let Some(most) = self.meeting.per_day {
            let day = |instant: Timestamp| self.zone.civil(instant).date();
            let same_day =
                |held: &&Held| held.meeting == self.meeting.id && day(held.time.start()) == day(time.start());
            if self.held.iter().filter(same_day).count() >= usize::try_from(most).unwrap_or(usize::MAX) {
                return Err(Taken::DayFull);
            }
        }
        Ok(seats_left)
    }
}

impl Held {
    /// True unless at least the greater of the two buffers that face each other lies between it and `time`.
    pub fn is_too_close(&self, meeting: &MeetingType, time: Interval) -> bool {
        let before = self.buffer_after.max(meeting.buffer_before);
        let after = self.buffer_before.max(meeting.buffer_after);
        time.widened(before, after).overlaps(self.time)
    }
}

/// The first start of the span's grid at or after `from`.
fn first_start(span: Interval, step: SignedDuration, from: Timestamp) -> Option<Timestamp> {
    let behind = from.duration_since(span.start()).as_nanos().max(0);
    let step_nanos = step.as_nanos().max(1);
    let steps = (behind + step_nanos - 1) / step_nanos;
    span.start().checked_add(SignedDuration::from_nanos_i128(steps * step_nanos)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{Confirm, DateHours};
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(start: &str, end: &str) -> Interval {
        Interval::new(at(start), at(end)).unwrap()
    }

    fn minutes(count: i64) -> SignedDuration {
        SignedDuration::from_mins(count)
    }

    fn hours(weekly: &[&str], dates: &[&str]) -> Hours {
        let mut hours = Hours::default();
        weekly.iter().for_each(|line| hours.weekly.add(line).unwrap());
        hours.dates = dates.iter().map(|line| DateHours::parse(line).unwrap()).collect();
        hours
    }

    fn meeting() -> MeetingType {
        MeetingType {
            id: MeetingId::new("talk").unwrap(),
            title: "Talk".into(),
            description: String::new(),
            duration: minutes(30),
            step: minutes(30),
            buffer_before: minutes(0),
            buffer_after: minutes(0),
            notice: minutes(0),
            horizon: SignedDuration::from_hours(24 * 400),
            per_day: None,
            per_guest: None,
            seats: 1,
            location: String::new(),
            confirm: Confirm::Instant,
            reminders: Vec::new(),
            questions: Vec::new(),
            hours: None,
        }
    }

    struct Case {
        meeting: MeetingType,
        hours: Hours,
        zone: Zone,
        opened: Vec<Interval>,
        busy: IntervalSet,
        held: Vec<Held>,
        pause: Option<Pause>,
        now: Timestamp,
    }

    impl Case {
        fn new(zone: &str, weekly: &[&str]) -> Case {
            Case {
                meeting: meeting(),
                hours: hours(weekly, &[]),
                zone: Zone::named(zone).unwrap(),
                opened: Vec::new(),
                busy: IntervalSet::new(),
                held: Vec::new(),
                pause: None,
                now: at("2026-01-01T00:00:00Z"),
            }
        }

        fn situation(&self) -> Situation<'_> {
            Situation {
                meeting: &self.meeting,
                hours: &self.hours,
                zone: &self.zone,
                opened: &self.opened,
                busy: &self.busy,
                held: &self.held,
                pause: self.pause,
                takes_bookings: true,
                now: self.now,
            }
        }

        fn starts(&self, window: Interval) -> Vec<String> {
            self.situation().slots(window).iter().map(|slot| slot.time.start().to_string()).collect()
        }

        fn hold(&mut self, time: Interval, before: i64, after: i64) {
            self.held.push(Held {
                id: Uuid::from_u128(self.held.len() as u128),
                meeting: self.meeting.id.clone(),
                time,
                buffer_before: minutes(before),
                buffer_after: minutes(after),
            });
        }
    }

    #[test]
    fn slots_follow_the_wall_clock_over_a_change_of_offset() {
        let case = Case::new("Europe/Berlin", &["Sat-Mon 09:00-09:30"]);
        assert_eq!(
            case.starts(span("2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z")),
            ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"]
        );
    }

    #[test]
    fn hours_in_the_gap_vanish_and_hours_in_the_fold_give_each_instant_once() {
        let gap = Case::new("Europe/Berlin", &["Sun 02:00-03:00"]);
        assert_eq!(gap.starts(span("2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z")), [""; 0]);
        let fold = Case::new("Europe/Berlin", &["Sun 02:00-03:00"]);
        // From the first 02:00 to 03:00 are two hours.
        assert_eq!(
            fold.starts(span("2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z")),
            ["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"]
        );
    }

    #[test]
    fn ranges_that_touch_are_one_span_and_steps_count_from_its_start() {
        let mut case = Case::new("UTC", &["Mon 09:10-10:00", "Mon 10:00-11:00"]);
        case.meeting.duration = minutes(45);
        case.meeting.step = minutes(45);
        let day = span("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
        assert_eq!(case.starts(day), ["2026-03-02T09:10:00Z", "2026-03-02T09:55:00Z"]);
    }

    #[test]
    fn dates_replace_the_days_hours() {
        let mut case = Case::new("UTC", &["Mon-Sun 09:00-10:00"]);
        case.hours = hours(&["Mon-Sun 09:00-10:00"], &["2026-03-03 closed", "2026-03-04 14:00-14:30"]);
        case.opened = vec![span("2026-03-03T15:00:00Z", "2026-03-03T16:00:00Z")];
        assert_eq!(
            case.starts(span("2026-03-03T00:00:00Z", "2026-03-06T00:00:00Z")),
            ["2026-03-04T14:00:00Z", "2026-03-05T09:00:00Z", "2026-03-05T09:30:00Z"]
        );
    }

    #[test]
    fn an_event_that_opens_time_joins_the_hours_of_its_day() {
        let mut case = Case::new("UTC", &["Mon 09:00-10:00"]);
        case.opened = vec![
            span("2026-03-02T09:45:00Z", "2026-03-02T10:45:00Z"),
            span("2026-03-03T23:30:00Z", "2026-03-04T00:30:00Z"),
        ];
        assert_eq!(
            case.starts(span("2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z")),
            [
                "2026-03-02T09:00:00Z",
                "2026-03-02T09:30:00Z",
                "2026-03-02T10:00:00Z",
                "2026-03-03T23:30:00Z",
                "2026-03-04T00:00:00Z"
            ]
        );
    }

    #[test]
    fn a_slot_may_touch_an_event_but_keeps_its_buffers() {
        let mut case = Case::new("UTC", &["Mon 09:00-12:00"]);
        case.busy = [span("2026-03-02T10:00:00Z", "2026-03-02T10:30:00Z")].into_iter().collect();
        let day = span("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
        assert_eq!(case.starts(day).len(), 5);
        case.meeting.buffer_after = minutes(10);
        assert_eq!(
            case.starts(day),
            ["2026-03-02T09:00:00Z", "2026-03-02T10:30:00Z", "2026-03-02T11:00:00Z", "2026-03-02T11:30:00Z"]
        );
    }

    #[test]
    fn between_bookings_lies_the_greater_of_the_facing_buffers() {
        let mut case = Case::new("UTC", &["Mon 09:00-12:00"]);
        case.meeting.step = minutes(10);
        case.meeting.buffer_after = minutes(10);
        case.hold(span("2026-03-02T10:00:00Z", "2026-03-02T10:30:00Z"), 20, 0);
        let starts = case.starts(span("2026-03-02T09:00:00Z", "2026-03-02T11:00:00Z"));
        // Before it: 30 minutes and the greater of 10 and 20; after it: the greater of 0 and 0.
        assert_eq!(
            starts,
            [
                "2026-03-02T09:00:00Z",
                "2026-03-02T09:10:00Z",
                "2026-03-02T10:30:00Z",
                "2026-03-02T10:40:00Z",
                "2026-03-02T10:50:00Z"
            ]
        );
    }

    #[test]
    fn seats_are_shared_at_one_start_only() {
        let mut case = Case::new("UTC", &["Mon 09:00-10:00"]);
        case.meeting.seats = 2;
        case.meeting.step = minutes(15);
        case.hold(span("2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z"), 0, 0);
        let slots = case.situation().slots(span("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"));
        let seats: Vec<_> = slots.iter().map(|slot| (slot.time.start().to_string(), slot.seats_left)).collect();
        assert_eq!(seats, [("2026-03-02T09:00:00Z".to_owned(), 1), ("2026-03-02T09:30:00Z".to_owned(), 2)]);
        case.hold(span("2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z"), 0, 0);
        assert_eq!(case.situation().judge(at("2026-03-02T09:00:00Z")), Verdict::Taken(Taken::Booked));
    }

    #[test]
    fn per_day_counts_in_the_hosts_day() {
        let mut case = Case::new("America/New_York", &["Mon-Sun 00:00-24:00"]);
        case.meeting.per_day = Some(1);
        case.hold(span("2026-03-03T03:00:00Z", "2026-03-03T03:30:00Z"), 0, 0);
        // 03:00Z is still the evening of the 2nd in New York.
        assert_eq!(case.situation().judge(at("2026-03-02T15:00:00Z")), Verdict::Taken(Taken::DayFull));
        assert!(matches!(case.situation().judge(at("2026-03-03T15:00:00Z")), Verdict::OnOffer(_)));
    }

    #[test]
    fn notice_is_kept_to_the_second_and_the_horizon_is_exclusive() {
        let mut case = Case::new("UTC", &["Mon-Sun 00:00-24:00"]);
        case.now = at("2026-03-02T08:30:00Z");
        case.meeting.notice = minutes(60);
        case.meeting.horizon = minutes(120);
        assert_eq!(
            case.starts(span("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")),
            ["2026-03-02T09:30:00Z", "2026-03-02T10:00:00Z"]
        );
        assert_eq!(case.situation().judge(at("2026-03-02T09:00:00Z")), Verdict::Taken(Taken::TooSoon));
        assert_eq!(case.situation().judge(at("2026-03-02T10:30:00Z")), Verdict::Taken(Taken::TooFar));
    }

    #[test]
    fn while_the_host_takes_no_bookings_nothing_is_on_offer_and_then_all_is_again() {
        let mut case = Case::new("UTC", &["Mon 09:00-10:00"]);
        let day = span("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
        for until in [None, Some(at("2026-01-02T00:00:00Z"))] {
            case.pause = Some(Pause { until });
            assert_eq!(case.starts(day), [""; 0]);
            assert_eq!(case.situation().judge(at("2026-03-02T09:00:00Z")), Verdict::Taken(Taken::Paused));
            let off = case.situation().judge(at("2026-03-02T09:10:00Z"));
            assert_eq!(off, Verdict::NotASlot(NotASlot::OffGrid), "what is no slot stays none");
        }
        case.now = at("2026-01-02T00:00:00Z");
        assert_eq!(case.starts(day).len(), 2, "until is not included");
    }

    #[test]
    fn what_is_no_slot_is_told_apart() {
        let mut case = Case::new("UTC", &["Mon 09:00-10:10"]);
        case.now = at("2026-03-02T00:00:00Z");
        let judge = |start: &str| case.situation().judge(at(start));
        assert_eq!(judge("2026-02-23T09:00:00Z"), Verdict::NotASlot(NotASlot::Past));
        assert_eq!(judge("2026-03-02T09:10:00Z"), Verdict::NotASlot(NotASlot::OffGrid));
        assert_eq!(judge("2026-03-02T09:30:00.5Z"), Verdict::NotASlot(NotASlot::OffGrid));
        assert_eq!(judge("2026-03-02T10:00:00Z"), Verdict::NotASlot(NotASlot::OutsideHours));
        assert_eq!(judge("2026-03-03T03:17:00Z"), Verdict::NotASlot(NotASlot::OutsideHours));
    }
}
