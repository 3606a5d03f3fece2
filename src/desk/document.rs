//! The published texts: the bookable feed and the VFREEBUSY. Byte-identical while what they say is the same.

use super::offer::slots;
use super::{Desk, Document};
use crate::availability::{Host, HostId, Interval, MeetingId, MeetingType, Slot};
use crate::booking::{BookingId, Links};
use crate::ical::write::{FeedSlot, FeedText, FreeBusyText, feed, free_busy};
use crate::sync::Snapshot;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How often a client is asked to fetch the feed, in minutes.
pub(super) const REFRESH_MINUTES: u32 = 15;
/// How far ahead the VFREEBUSY tells.
const FREE_BUSY_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 60);

/// How many guests' feeds are remembered; of more, those that have changed longest ago begin anew.
const GUESTS: usize = 10_000;

/// The name of a host's VFREEBUSY among their texts; no id of a meeting type has a full stop.
const FREE_BUSY: &str = "freebusy.ifb";

/// A text: whose, and which of theirs. The whole feed has no name, that of a meeting type its id.
pub(super) type Name = (HostId, String);

/// The texts that were published last, in this process or before it began.
#[derive(Debug, Default)]
pub(super) struct Documents {
    last: Mutex<HashMap<Name, Last>>,
    guests: Mutex<Guests>,
    /// A text is another than before.
    pub(super) changed: Notify,
}

#[derive(Debug)]
struct Last {
    document: Arc<Document>,
    /// The store has it.
    is_kept: bool,
}

impl Documents {
    fn all(&self) -> MutexGuard<'_, HashMap<Name, Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self, name: &Name) -> Option<Arc<Document>> {
        self.all().get(name).map(|last| last.document.clone())
    }

    /// Those that the store may not have yet.
    pub(super) fn not_kept(&self) -> Vec<(Name, Arc<Document>)> {
        let all = self.all();
        all.iter().filter(|(_, last)| !last.is_kept).map(|(name, last)| (name.clone(), last.document.clone())).collect()
    }

    /// The store has this one now.
    pub(super) fn are_kept(&self, name: &Name, document: &Arc<Document>) {
        if let Some(last) = self.all().get_mut(name) {
            // Another may have been published meanwhile.
            last.is_kept = Arc::ptr_eq(&last.document, document);
        }
    }

    /// Takes up one that the store has, where none was published since.
    pub(super) fn restore(&self, name: Name, document: Arc<Document>) {
        self.all().entry(name).or_insert(Last { document, is_kept: true });
    }
}

/// The feeds of single bookings: of each its ETag and when that came to be. There may be one for each booking, so no text is kept.
#[derive(Debug, Default)]
struct Guests(HashMap<BookingId, (String, Timestamp)>);

impl Guests {
    /// Since when the feed of a booking has this ETag; now, if it has another than before.
    fn since(&mut self, booking: BookingId, etag: &str, now: Timestamp) -> Timestamp {
        if let Some((_, modified)) = self.0.get(&booking).filter(|(known, _)| known == etag) {
            return *modified;
        }
        if self.0.len() >= GUESTS && !self.0.contains_key(&booking) {
            let oldest = self.0.iter().min_by_key(|(_, (_, modified))| *modified).map(|(id, _)| *id);
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        self.0.insert(booking, (etag.to_owned(), now));
        now
    }
}

/// What is to be published.
pub(super) struct Text(pub(super) String);

impl Text {
    fn etag(&self) -> String {
        let mut etag = String::from("\"");
        for byte in Sha256::digest(self.0.as_bytes()).iter().take(16) {
            // Writing to a String cannot fail.
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        etag
    }
}

impl Desk {
    /// The bookable feed of a host, or of one of their meeting types. While the host's data is stale: by the last that was
    /// known; while a source was never read: as it was last published. `None` if it never was, and for what is not configured.
    pub fn feed(&self, host: &HostId, meeting: Option<&MeetingId>) -> Option<Arc<Document>> {
        let world = self.world();
        let desk = world.host_by_id(host)?;
        let snapshot = desk.board.snapshot();
        let host = desk.host();
        let meetings: Vec<&Arc<MeetingType>> = match meeting {
            Some(id) => vec![host.meeting(id.as_str())?],
            None => host.meetings.iter().collect(),
        };
        let name = (host.id.clone(), meeting.map_or_else(String::new, ToString::to_string));
        if snapshot.as_of.is_none() {
            return self.documents.last(&name);
        }
        let now = self.clock.now();
        let text = feed_text(host, &meetings, meeting, &world.links, &snapshot, now);
        Some(self.publish(name, text, now))
    }

    /// The VFREEBUSY of a host: merged busy periods of calendars and bookings, from the start of the host's day, 60 days on.
    /// While a source was never read: as it was last published. `None` if it never was.
    pub fn free_busy(&self, host: &HostId) -> Option<Arc<Document>> {
        let world = self.world();
        let desk = world.host_by_id(host)?;
        let snapshot = desk.board.snapshot();
        let name = (host.clone(), FREE_BUSY.to_owned());
        let Some(as_of) = snapshot.as_of else { return self.documents.last(&name) };
        let now = self.clock.now();
        let today = super::reserve::day_of(desk.host(), now)?;
        // Whole days of what is known: its end moves on with the clock, which would make another text each time.
        let known = super::reserve::day_of(desk.host(), snapshot.window.end())?.start();
        let until = today.start().checked_add(FREE_BUSY_AHEAD).ok()?.min(known);
        let window = Interval::new(today.start().max(snapshot.window.start()), until)?;
        let held = snapshot.held.iter().map(|held| held.time).collect();
        let busy = snapshot.busy.union(&held).clipped(window);
        let url = format!("{}/freebusy.ifb", world.links.host(host));
        let busy: Vec<(Timestamp, Timestamp)> = busy.iter().map(|busy| (busy.start(), busy.end())).collect();
        let text = free_busy(&FreeBusyText {
            uid: &format!("{host}@freebusy.officehours"),
            stamp: as_of.min(today.start()),
            from: window.start(),
            to: window.end(),
            url: &url,
            busy: &busy,
        });
        Some(self.publish(name, text, now))
    }

    /// Gives the text its validators: those of the last time while it is the same.
    fn publish(&self, name: Name, text: String, now: Timestamp) -> Arc<Document> {
        let text = Text(text);
        let etag = text.etag();
        let mut all = self.documents.all();
        match all.get(&name) {
            Some(last) if last.document.etag == etag => last.document.clone(),
            _ => {
                let document = Arc::new(Document { body: text.0.into(), etag, modified: whole_second(now) });
                all.insert(name, Last { document: document.clone(), is_kept: false });
                self.documents.changed.notify_one();
                document
            }
        }
    }

    /// The same for the feed of one booking.
    pub(super) fn publish_to_guest(&self, booking: BookingId, text: Text, now: Timestamp) -> Arc<Document> {
        let etag = text.etag();
        let mut guests = self.documents.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let modified = guests.since(booking, &etag, whole_second(now));
        Arc::new(Document { body: text.0.into(), etag, modified })
    }
}

fn whole_second(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn feed_text(
    host: &Host,
    meetings: &[&Arc<MeetingType>],
    only: Option<&MeetingId>,
    links: &Links,
    snapshot: &Snapshot,
    now: Timestamp,
) -> String {
    let mut all: Vec<(&MeetingType, Slot)> = Vec::new();
    for meeting in meetings {
        all.extend(
            slots(snapshot, host, meeting, snapshot.window, now, None).into_iter().map(|slot| (meeting.as_ref(), slot)),
        );
    }
    all.sort_by(|(a, x), (b, y)| (x.time, &a.id).cmp(&(y.time, &b.id)));
    let texts: Vec<(String, String, String)> = all
        .iter()
        .map(|(meeting, slot)| {
            let summary =
                if only.is_some() { meeting.title.clone() } else { format!("{}: {}", host.name, meeting.title) };
            (slot_uid(&host.id, &meeting.id, slot.time), summary, links.slot(&host.id, &meeting.id, slot.time.start()))
        })
        .collect();
    let slots: Vec<FeedSlot<'_>> = all
        .iter()
        .zip(&texts)
        .map(|((meeting, slot), (uid, summary, url))| FeedSlot {
            uid,
            start: slot.time.start(),
            end: slot.time.end(),
            // The instant at which the slot came into the horizon: never "now", never later than now.
            stamp: slot.time.start().checked_sub(meeting.horizon).unwrap_or(slot.time.start()),
            sequence: 0,
            summary,
            description: &meeting.description,
            location: &meeting.location,
            url,
        })
        .collect();
    let name = match meetings {
        [meeting] if only.is_some() => format!("{}: {}", host.name, meeting.title),
        _ => format!("{}: free slots", host.name),
    };
    let text = FeedText {
        name,
        zone: host.zone.name().to_owned(),
        source: links.feed(&host.id, only),
        refresh_minutes: REFRESH_MINUTES,
    };
    feed(&text, &slots)
}

/// The UID of a slot: the same for the same host, meeting type, start and length, and for no other.
fn slot_uid(host: &HostId, meeting: &MeetingId, time: Interval) -> String {
    let minutes = time.duration().as_secs() / 60;
    format!("{host}.{meeting}.{}.{minutes}@slots.officehours", time.start().strftime("%Y%m%dT%H%M%SZ"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_guests_feed_has_its_time_while_it_is_the_same_and_not_all_are_remembered() {
        let mut guests = Guests::default();
        let at = |second: usize| Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
        let id = |number: usize| BookingId(Uuid::from_u128(number as u128));
        assert_eq!(guests.since(id(0), "a", at(1)), at(1));
        assert_eq!(guests.since(id(0), "a", at(2)), at(1));
        assert_eq!(guests.since(id(0), "b", at(3)), at(3));
        for number in 1..=GUESTS {
            guests.since(id(number), "a", at(10 + number));
        }
        assert_eq!(guests.0.len(), GUESTS);
        assert!(!guests.0.contains_key(&id(0)), "it has changed longest ago");
        assert_eq!(guests.since(id(1), "a", at(99_999)), at(11));
    }
}
