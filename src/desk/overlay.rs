//! A guest's own calendar laid over what is on offer: read in memory for one answer, and kept nowhere. Nothing of it is stored or
//! logged, not even that it came. Start with [`Desk::overlay`].

use super::{Desk, Freshness};
use crate::availability::{BusyRules, Counting, Host, Interval, IntervalSet, MeetingType, Slot, object_busy};
use crate::caldav::{Error, ErrorKind, Reach, Subscribed, Validators, fetch_at_most};
use crate::ical::{Zone, check_whole};
use bytes::Bytes;
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// A published calendar may have this many bytes, decompressed.
const MOST_BYTES: usize = 10 * 1024 * 1024;
/// A published calendar must be here after this.
const FETCH: Duration = Duration::from_secs(20);
/// How many are fetched at once, and how many are read, which takes a processor.
const FETCHING: usize = 8;
const READING: usize = 2;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The guest's calendar, as given. Debug prints nothing of it: an address is as good as a password.
pub enum GuestCalendar {
    /// The bytes of a file.
    File(Bytes),
    /// Where it is published, as typed.
    Address(String),
}

impl fmt::Debug for GuestCalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuestCalendar")
    }
}

/// What is on offer, and what of it suits the guest.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// The slots on offer that overlap nothing busy in the guest's calendar, sorted by start.
    pub slots: Vec<Slot>,
    /// How many are on offer.
    pub offered: usize,
    /// How many things in the calendar were not understood, and may count as busy.
    pub not_understood: usize,
    /// How old the host's data is.
    pub freshness: Freshness,
}

/// Why a guest's calendar cannot be read. Of an address it says no more than its owner can do about it: what is and is not there, a
/// stranger does not learn from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// The address is not one of https.
    #[error("the address must begin with https:// or webcal://")]
    NotSecure,
    /// No iCalendar, or not whole.
    #[error("this is no whole calendar")]
    NotACalendar,
    /// With how many MB fit.
    #[error("the calendar is larger than {0} MB")]
    TooLarge(usize),
    /// Nothing was read, for whatever reason.
    #[error("no calendar can be read at this address")]
    Unreachable,
    /// Too many at once.
    #[error("too many calendars are being compared at the moment")]
    Crowded,
}

/// How many are fetched and read at once.
#[derive(Clone, Debug)]
pub(super) struct Room {
    fetching: Arc<Semaphore>,
    reading: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Room {
        Room { fetching: Arc::new(Semaphore::new(FETCHING)), reading: Arc::new(Semaphore::new(READING)) }
    }
}

impl Desk {
    /// The slots on offer within the horizon that also suit a guest by their calendar, whose floating times and dates are in `zone`.
    /// Which of its events are busy is decided as for a host's, but that nobody knows which attendee the guest is: all that is
    /// neither cancelled nor transparent is.
    pub async fn overlay(
        &self,
        host: &Host,
        meeting: &MeetingType,
        calendar: GuestCalendar,
        zone: Zone,
    ) -> Result<Overlay, OverlayError> {
        let now = self.clock.now();
        let horizon = now.checked_add(meeting.horizon).unwrap_or(Timestamp::MAX);
        let Some(window) = Interval::new(now, horizon) else { return Err(OverlayError::NotACalendar) };
        let data = match calendar {
            GuestCalendar::File(data) => data,
            GuestCalendar::Address(address) => self.overlays.fetch(&https(&address)?, Reach::Public).await?,
        };
        // A slot that starts before the horizon may end after it.
        let end = horizon.checked_add(meeting.duration).unwrap_or(Timestamp::MAX);
        let busy_window = Interval::new(now, end).unwrap_or(window);
        let permit = turn(&self.overlays.reading).await?;
        let read = tokio::task::spawn_blocking(move || {
            // Held until the work is done, whether or not somebody still waits for it.
            let _permit: OwnedSemaphorePermit = permit;
            busy_of(&data, zone, busy_window)
        });
        let (busy, not_understood) = read.await.map_err(|_| OverlayError::NotACalendar)??;
        let offer = self.offer(host, meeting, window);
        let offered = offer.slots.len();
        let slots = offer.slots.into_iter().filter(|slot| !busy.overlaps(slot.time)).collect();
        Ok(Overlay { slots, offered, not_understood, freshness: offer.freshness })
    }
}

impl Room {
    async fn fetch(&self, url: &Url, reach: Reach) -> Result<Bytes, OverlayError> {
        let _permit = turn(&self.fetching).await?;
        let known = Validators::default();
        match tokio::time::timeout(FETCH, fetch_at_most(url, &known, reach, MOST_BYTES)).await {
            Ok(Ok(Subscribed::Body { data, .. })) => Ok(data.into()),
            Ok(Err(error)) => Err(of_fetch(&error)),
            Ok(Ok(Subscribed::NotModified)) | Err(_) => Err(OverlayError::Unreachable),
        }
    }
}

async fn turn(room: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, OverlayError> {
    let permit = tokio::time::timeout(PATIENCE, room.clone().acquire_owned()).await;
    permit.map_err(|_| OverlayError::Crowded)?.map_err(|_| OverlayError::Crowded)
}

/// An address of https, or one that calendar programs write for it.
fn https(address: &str) -> Result<Url, OverlayError> {
    let url = Url::parse(address.trim()).map_err(|_| OverlayError::NotSecure)?;
    if matches!(url.scheme(), "https" | "webcal" | "webcals") { Ok(url) } else { Err(OverlayError::NotSecure) }
}

fn of_fetch(error: &Error) -> OverlayError {
    match error.kind() {
        ErrorKind::TooLarge => OverlayError::TooLarge(MOST_BYTES / (1024 * 1024)),
        ErrorKind::BadAnswer => OverlayError::NotACalendar,
        _ => OverlayError::Unreachable,
    }
}

/// The guest's busy time, and how many things were not understood.
fn busy_of(data: &[u8], zone: Zone, window: Interval) -> Result<(IntervalSet, usize), OverlayError> {
    check_whole(data).map_err(|_| OverlayError::NotACalendar)?;
    let rules = BusyRules { zone, owner: Vec::new(), counting: Counting::default() };
    let busy = object_busy(data, &rules, window);
    Ok((busy.intervals.iter().map(|busy| busy.interval).collect(), busy.warnings.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caldav::scripted::{answer, serve_raw};

    fn calendar(lines: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n")
    }

    fn busy(text: &str, zone: &str) -> Result<(Vec<String>, usize), OverlayError> {
        let window = Interval::new("2026-12-01T00:00:00Z".parse().unwrap(), "2026-12-31T00:00:00Z".parse().unwrap());
        let (busy, unread) = busy_of(text.as_bytes(), Zone::named(zone).unwrap(), window.unwrap())?;
        Ok((busy.iter().map(|busy| busy.start().to_string()).collect(), unread))
    }

    #[test]
    fn floating_times_are_in_the_guests_zone_and_what_is_transparent_or_cancelled_is_not_busy() {
        let at = |lines: &str, zone| busy(&calendar(lines), zone).unwrap().0;
        let floating = "DTSTART:20261201T090000\r\nDURATION:PT1H\r\n";
        assert_eq!(at(floating, "Europe/Berlin"), ["2026-12-01T08:00:00Z"]);
        assert_eq!(at(floating, "America/New_York"), ["2026-12-01T14:00:00Z"]);
        assert_eq!(at(&format!("{floating}TRANSP:TRANSPARENT\r\n"), "UTC"), Vec::<String>::new());
        assert_eq!(at(&format!("{floating}STATUS:CANCELLED\r\n"), "UTC"), Vec::<String>::new());
        // Whose answer it is, nobody knows.
        let declined = format!("{floating}ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.org\r\n");
        assert_eq!(at(&declined, "UTC"), ["2026-12-01T09:00:00Z"]);
    }

    #[test]
    fn what_is_no_whole_calendar_is_refused_and_what_is_not_understood_is_counted() {
        for text in ["", "<html>", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "\0\u{1}\u{2}"] {
            assert_eq!(busy(text, "UTC"), Err(OverlayError::NotACalendar), "{text:?}");
        }
        let odd = calendar("DTSTART:20261201T090000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=SOMETIMES\r\n");
        let (starts, unread) = busy(&odd, "UTC").unwrap();
        assert!(unread > 0 && !starts.is_empty(), "what cannot be read is busy: {starts:?}");
    }

    #[test]
    fn only_addresses_of_https_are_taken() {
        for good in ["https://example.org/a.ics", " webcal://example.org/a.ics ", "https://example.org:8443/"] {
            assert!(https(good).is_ok(), "{good}");
        }
        for bad in
            ["", "example.org/a.ics", "http://example.org/", "file:///etc/passwd", "ftp://example.org", "https://"]
        {
            assert_eq!(https(bad), Err(OverlayError::NotSecure), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_published_calendar_is_fetched_once_and_no_fault_of_it_tells_more_than_it_must() {
        let room = Room::default();
        let body = calendar("DTSTART:20261201T090000Z\r\nDURATION:PT1H\r\n");
        let (url, log) = serve_raw(move |seen| match seen.path.as_str() {
            "/good" => answer(200, "", &body),
            "/page" => answer(200, "", "<html>"),
            "/large" => answer(200, "", &format!("BEGIN:VCALENDAR\r\n{}", " ".repeat(MOST_BYTES))),
            _ => answer(404, "", ""),
        })
        .await;
        let fetch = async |path: &str, reach| room.fetch(&url.join(path).unwrap(), reach).await;
        assert!(fetch("good", Reach::Anywhere).await.is_ok());
        assert_eq!(log.lock().unwrap().len(), 1);
        assert_eq!(fetch("page", Reach::Anywhere).await, Err(OverlayError::NotACalendar));
        assert_eq!(fetch("large", Reach::Anywhere).await, Err(OverlayError::TooLarge(10)));
        assert_eq!(fetch("none", Reach::Anywhere).await, Err(OverlayError::Unreachable));
        // As guests are served: what is private here is as good as not there.
        let asked = log.lock().unwrap().len();
        assert_eq!(fetch("good", Reach::Public).await, Err(OverlayError::Unreachable));
        assert_eq!(log.lock().unwrap().len(), asked);
    }
}
