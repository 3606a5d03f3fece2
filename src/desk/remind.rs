//! Reminders to guests and the host's list of a day: when each is due. What is sent, and once, is the store's to know.

use super::Desk;
use super::change::effects_for;
use crate::availability::{Host, Interval};
use crate::booking::{Booking, DayEntry, Effect, Message};
use crate::store::{DigestEntry, StoreError};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// A host's list of a day, which is due.
#[derive(Clone, Debug)]
pub struct DigestOf {
    /// Whose.
    pub host: Arc<Host>,
    /// The day, where the host is.
    pub day: Date,
    /// When it was due.
    pub due: Timestamp,
    /// How often it was begun, this time counted.
    pub attempts: u32,
    /// The bookings that start on that day, by start, as they were when it was begun first.
    pub list: Vec<DayEntry>,
}

impl Desk {
    /// Stores the reminders that are due now; how many.
    pub async fn remind(&self) -> Result<usize, StoreError> {
        let world = self.world();
        let mut count = 0;
        if !world.mailed() {
            return Ok(count);
        }
        for desk in &world.hosts {
            let host = desk.host();
            let Some(longest) = host.meetings.iter().flat_map(|meeting| &meeting.reminders).max() else { continue };
            let now = self.clock.now();
            let until = now.checked_add(*longest).unwrap_or(Timestamp::MAX);
            // A reminder is due at its very instant.
            let until = until.checked_add(SignedDuration::from_micros(1)).unwrap_or(until);
            let Some(starts) = Interval::new(now, until) else { continue };
            for ahead in self.store.ahead(&host.id, starts).await? {
                let booking = ahead.booking;
                let Some(meeting) = host.meeting(booking.meeting.as_str()) else { continue };
                let start = booking.time.start();
                let Some(due) = reminder_due(&meeting.reminders, start, ahead.firm_at, ahead.reminded_at, now) else {
                    continue;
                };
                // Its date is that of the message.
                let dated = Booking { updated_at: now, ..booking.clone() };
                let effects = vec![Effect::Mail(Message::Reminder)];
                for effect in effects_for(&dated, booking.told_appointment().as_ref(), effects, true, desk.notify) {
                    count += usize::from(self.store.remind(booking.clone(), due, effect, now).await?);
                }
            }
        }
        if count > 0 {
            self.outbox.wake();
        }
        Ok(count)
    }

    /// Begins the lists of the day that are due and may not have been sent yet. After downtime a list is late, but never after its day.
    pub async fn begin_digests(&self) -> Result<Vec<DigestOf>, StoreError> {
        let world = self.world();
        let mut due_now = Vec::new();
        for desk in world.hosts.iter().filter(|_| world.mailed()) {
            let (host, now) = (desk.host(), self.clock.now());
            let Some((day, due)) = desk.digest.and_then(|at| digest_due(host, at, now)) else { continue };
            if !self.store.is_digest_due(&host.id, day, now).await? {
                continue;
            }
            let midnight = |date: Date| host.zone.instant(date.to_datetime(Time::midnight()));
            let tomorrow = day.tomorrow().ok().and_then(midnight);
            let Some(whole) = midnight(day).zip(tomorrow).and_then(|(start, end)| Interval::new(start, end)) else {
                continue;
            };
            let ahead = self.store.ahead(&host.id, whole).await?;
            let list = ahead.iter().map(|ahead| DayEntry::of(&ahead.booking)).collect();
            if let Some(DigestEntry { attempts, list }) = self.store.begin_digest(&host.id, day, list).await? {
                due_now.push(DigestOf { host: host.clone(), day, due, attempts, list });
            }
        }
        Ok(due_now)
    }
}

/// The instant at which the reminder was due that is to be sent now: of those that are overdue only the last, none once the
/// booking has started, none that was due before the booking was as it is, and none twice.
fn reminder_due(
    leads: &[SignedDuration],
    start: Timestamp,
    firm_at: Timestamp,
    reminded_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let dues = leads.iter().filter_map(|lead| start.checked_sub(*lead).ok());
    let last = dues.filter(|due| *due <= now && now < start && *due >= firm_at).max()?;
    reminded_at.is_none_or(|reminded| last > reminded).then_some(last)
}

/// The host's date and the instant of its list, once that is past.
fn digest_due(host: &Host, at: Time, now: Timestamp) -> Option<(Date, Timestamp)> {
    let day = host.zone.civil(now).date();
    let due = host.zone.instant(day.to_datetime(at))?;
    (due <= now).then_some((day, due))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ical::Zone;

    fn hour(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    /// Reminders a day and an hour before hour 100, of a booking that is firm since then.
    fn due(firm: i64, reminded: Option<i64>, now: i64) -> Option<Timestamp> {
        let leads = [SignedDuration::from_hours(24), SignedDuration::from_hours(1)];
        reminder_due(&leads, hour(100), hour(firm), reminded.map(hour), hour(now))
    }

    #[test]
    fn each_reminder_is_due_at_its_time_and_once() {
        assert_eq!(due(0, None, 75), None);
        assert_eq!(due(0, None, 76), Some(hour(76)));
        assert_eq!(due(0, Some(76), 98), None);
        assert_eq!(due(0, Some(76), 99), Some(hour(99)));
        assert_eq!(due(0, Some(99), 99), None);
    }

    #[test]
    fn after_downtime_only_the_last_is_sent_and_only_while_the_booking_is_ahead() {
        assert_eq!(due(0, None, 90), Some(hour(76)), "late, but ahead");
        assert_eq!(due(0, None, 99), Some(hour(99)), "one instead of two");
        assert_eq!(due(0, Some(76), 100), None, "it has begun");
    }

    #[test]
    fn nobody_is_reminded_of_what_they_were_told_later_than_the_reminder() {
        assert_eq!(due(77, None, 78), None, "booked 23 hours ahead");
        assert_eq!(due(77, None, 99), Some(hour(99)));
        // Moved at hour 80: what was sent for the old time does not count for the new one.
        assert_eq!(due(80, Some(70), 99), Some(hour(99)));
    }

    #[test]
    fn a_list_of_the_day_is_due_once_the_hosts_clock_shows_its_time_on_days_of_23_and_25_hours_too() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let due = |at: Time, now: &str| {
            let day = berlin.civil(now.parse().unwrap()).date();
            let due = berlin.instant(day.to_datetime(at)).unwrap();
            (due <= now.parse().unwrap()).then(|| due.to_string())
        };
        let seven = Time::constant(7, 0, 0, 0);
        assert_eq!(due(seven, "2026-10-25T05:59:59Z"), None);
        assert_eq!(due(seven, "2026-10-25T06:00:00Z").as_deref(), Some("2026-10-25T06:00:00Z"));
        assert_eq!(due(seven, "2026-03-29T05:00:00Z").as_deref(), Some("2026-03-29T05:00:00Z"));
        // 02:30 does not exist on that day: by the offset before the gap it is 03:30.
        let gap = Time::constant(2, 30, 0, 0);
        assert_eq!(due(gap, "2026-03-29T01:30:00Z").as_deref(), Some("2026-03-29T01:30:00Z"));
    }
}
