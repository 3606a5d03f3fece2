//! Something sooner: the free slots before a booking, for its guest, as a list and as a feed to follow. Start with [`Desk::sooner`].

use super::document::Text;
use super::offer::slots;
use super::{BookingView, Desk, Document, Freshness, Offer, TokenError};
use crate::availability::{Host, Interval, MeetingType, Slot};
use crate::ical::write::{FeedSlot, FeedText, feed};
use crate::sync::Snapshot;
use jiff::Timestamp;
use std::sync::Arc;

/// The soonest ones, that is: a feed of more is slow to take in, and nobody reads it.
const MOST: usize = 300;

impl BookingView {
    /// True while its guest can move it: it holds its slot, and that is ahead.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.booking.state.holds_slot() && self.booking.time.start() > now
    }
}

impl Desk {
    /// The slots that the booking could be moved to and that start before it; none once it is over or called off.
    pub fn sooner(&self, view: &BookingView) -> Offer {
        let freshness = self.freshness(&view.booking.host);
        let slots = match freshness {
            Freshness::Fresh(_) => self.sooner_slots(view),
            Freshness::Stale(_) | Freshness::NeverRead => Vec::new(),
        };
        Offer { slots, freshness }
    }

    /// The same as a feed, by a guest's token. While the host's data is stale: by the last that was known. `None` before the host was
    /// ever read. Of a booking that is over or called off, and where nothing is sooner, it is a calendar without events: whoever follows
    /// it goes on to do so, and an error would leave what they were told last.
    pub async fn sooner_feed(&self, token: &str) -> Result<Option<Arc<Document>>, TokenError> {
        let view = self.view(self.by_guest_token(token).await?);
        if self.is_unread(&view) {
            return Ok(None);
        }
        self.demand(&view.booking.host);
        let text = self.sooner_text(&view);
        Ok(Some(self.publish_to_guest(view.booking.id, text, self.clock.now())))
    }

    /// True for a booking that is ahead with a host who is configured and was never read.
    fn is_unread(&self, view: &BookingView) -> bool {
        view.host.is_some()
            && view.is_ahead(self.clock.now())
            && self.freshness(&view.booking.host) == Freshness::NeverRead
    }

    fn sooner_slots(&self, view: &BookingView) -> Vec<Slot> {
        let (Some(host), Some(meeting)) = (&view.host, &view.meeting) else { return Vec::new() };
        let world = self.world();
        let Some(desk) = world.host_by_id(&host.id) else { return Vec::new() };
        sooner_slots(&desk.board.snapshot(), host, meeting, view, self.clock.now())
    }

    fn sooner_text(&self, view: &BookingView) -> Text {
        let (booking, links) = (&view.booking, self.links());
        let host = view.host.as_ref();
        let language = booking.guest.language.or(host.map(|host| host.language)).unwrap_or_default();
        let words = &language.phrases().guest;
        let name = host.map_or(booking.host.as_str(), |host| host.name.as_str());
        let summary = (words.sooner_event)(&booking.title, name);
        let horizon = view.meeting.as_ref().map(|meeting| meeting.horizon).unwrap_or_default();
        let all = self.sooner_slots(view);
        let texts: Vec<(String, String)> = all
            .iter()
            .map(|slot| {
                let (start, minutes) = (slot.time.start(), slot.time.duration().as_secs() / 60);
                let uid = format!("{}.{}.{minutes}@sooner.officehours", booking.id, start.strftime("%Y%m%dT%H%M%SZ"));
                (uid, links.sooner_slot(&view.guest_token, start))
            })
            .collect();
        let location = view.meeting.as_ref().map_or("", |meeting| &meeting.location);
        let slots = all.iter().zip(&texts).map(|(slot, (uid, url))| FeedSlot {
            uid,
            start: slot.time.start(),
            end: slot.time.end(),
            // As in the host's feed: when the slot came into the horizon, never "now".
            stamp: slot.time.start().checked_sub(horizon).unwrap_or(slot.time.start()),
            sequence: 0,
            summary: &summary,
            description: words.sooner_event_text,
            location,
            url,
        });
        let text = FeedText {
            name: (words.sooner_feed)(&booking.title, name),
            zone: host.map_or("UTC", |host| host.zone.name()).to_owned(),
            source: links.sooner_feed(&view.guest_token),
            refresh_minutes: super::document::REFRESH_MINUTES,
        };
        Text(feed(&text, &slots.collect::<Vec<_>>()))
    }
}

/// By a snapshot, whatever its age.
fn sooner_slots(
    snapshot: &Snapshot,
    host: &Host,
    meeting: &MeetingType,
    view: &BookingView,
    now: Timestamp,
) -> Vec<Slot> {
    let booking = &view.booking;
    let window = Interval::new(now, booking.time.start()).filter(|_| view.is_ahead(now) && host.takes_bookings);
    let mut slots =
        window.map(|window| slots(snapshot, host, meeting, window, now, Some(booking.id))).unwrap_or_default();
    slots.truncate(MOST);
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::{Confirm, Held, Hours, IntervalSet, MeetingId};
    use crate::booking::{Booking, BookingState};
    use crate::ical::Zone;
    use jiff::SignedDuration;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(start: &str, minutes: i64) -> Interval {
        Interval::new(at(start), at(start) + SignedDuration::from_mins(minutes)).unwrap()
    }

    /// A host who meets on Tuesdays from 9 to 12 for an hour every half hour, and a booking of Tuesday at 11:00; Monday is now.
    fn case(state: BookingState) -> (Snapshot, Host, BookingView) {
        let minutes = SignedDuration::from_mins;
        let meeting = MeetingType {
            id: MeetingId::new("chat").unwrap(),
            title: "Chat".into(),
            description: String::new(),
            duration: minutes(60),
            step: minutes(30),
            buffer_before: minutes(0),
            buffer_after: minutes(30),
            notice: minutes(0),
            horizon: minutes(60 * 24 * 14),
            per_day: Some(1),
            per_guest: None,
            seats: 1,
            location: String::new(),
            confirm: Confirm::Instant,
            reminders: Vec::new(),
            questions: Vec::new(),
            hours: None,
        };
        let mut hours = Hours::default();
        hours.weekly.add("Tue 09:00-12:00").unwrap();
        let host = Host { zone: Zone::utc(), hours, meetings: vec![Arc::new(meeting)], ..Host::sample() };
        let time = span("2026-03-03T11:00:00Z", 60);
        let booking =
            Booking { meeting: host.meetings[0].id.clone(), buffer_after: minutes(30), ..Booking::sample(time, state) };
        let held = Held {
            id: booking.id.0,
            meeting: booking.meeting.clone(),
            time,
            buffer_before: minutes(0),
            buffer_after: minutes(30),
        };
        let snapshot = Snapshot {
            as_of: Some(at("2026-03-02T08:00:00Z")),
            busy: Arc::new(IntervalSet::new()),
            opened: [].into(),
            held: [held].into(),
            pause: None,
            window: span("2026-02-20T00:00:00Z", 60 * 24 * 30),
        };
        let view = BookingView {
            host: Some(Arc::new(host.clone())),
            meeting: Some(host.meetings[0].clone()),
            booking,
            guest_token: "secret".into(),
            form_token: "form".into(),
            mailed: false,
            missed_mail: false,
        };
        (snapshot, host, view)
    }

    fn starts(snapshot: &Snapshot, host: &Host, view: &BookingView, now: &str) -> Vec<String> {
        let slots = sooner_slots(snapshot, host, &host.meetings[0], view, at(now));
        slots.iter().map(|slot| slot.time.start().strftime("%d %H:%M").to_string()).collect()
    }

    #[test]
    fn a_booking_is_not_in_its_own_way_and_nothing_later_is_sooner() {
        let (snapshot, host, view) = case(BookingState::Confirmed);
        // 10:30 overlaps the booking itself, and the day has its one booking: it is this one.
        assert_eq!(
            starts(&snapshot, &host, &view, "2026-03-02T08:00:00Z"),
            ["03 09:00", "03 09:30", "03 10:00", "03 10:30"]
        );
        assert_eq!(starts(&snapshot, &host, &view, "2026-03-03T09:45:00Z"), ["03 10:00", "03 10:30"]);
    }

    #[test]
    fn the_rules_of_the_meeting_type_hold() {
        let (snapshot, mut host, view) = case(BookingState::Confirmed);
        let busy = [span("2026-03-03T09:00:00Z", 15)].into_iter().collect();
        let snapshot = Snapshot { busy: Arc::new(busy), ..snapshot };
        let meeting = MeetingType { notice: SignedDuration::from_hours(26), ..(*host.meetings[0]).clone() };
        host.meetings = vec![Arc::new(meeting)];
        // 09:00 is busy, 09:30 too soon.
        assert_eq!(starts(&snapshot, &host, &view, "2026-03-02T07:45:00Z"), ["03 10:00", "03 10:30"]);
    }

    #[test]
    fn nothing_is_sooner_than_what_is_over_or_called_off() {
        for (state, now) in [
            (BookingState::Cancelled, "2026-03-02T08:00:00Z"),
            (BookingState::Expired, "2026-03-02T08:00:00Z"),
            (BookingState::Confirmed, "2026-03-03T11:00:00Z"),
        ] {
            let (snapshot, host, view) = case(state);
            assert_eq!(starts(&snapshot, &host, &view, now), Vec::<String>::new(), "{state}");
        }
    }
}
