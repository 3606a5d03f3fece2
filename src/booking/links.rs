//! The addresses that feeds, mails and events carry: every public URL is printed here.

use super::BookingId;
use crate::availability::{HostId, MeetingId};
use jiff::Timestamp;

/// Prints public URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    base: String,
}

impl Links {
    /// `public_url` is `http` or `https`, with or without a path and a final slash.
    pub fn new(public_url: &str) -> Links {
        Links { base: public_url.trim_end_matches('/').to_owned() }
    }

    /// The public URL without a final slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The path that all paths begin with: empty, or such as `/meet`.
    pub fn base_path(&self) -> &str {
        let after_scheme = self.base.find("://").map_or(0, |at| at + 3);
        let rest = self.base.get(after_scheme..).unwrap_or_default();
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default()
    }

    /// The host's page.
    pub fn host(&self, host: &HostId) -> String {
        format!("{}/{host}", self.base)
    }

    /// The page of a meeting type.
    pub fn meeting(&self, host: &HostId, meeting: &MeetingId) -> String {
        format!("{}/{host}/{meeting}", self.base)
    }

    /// The page of one slot: what feed links point to.
    pub fn slot(&self, host: &HostId, meeting: &MeetingId, start: Timestamp) -> String {
        format!("{}/{host}/{meeting}/{}", self.base, start.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }

    /// The feed of a host, or of one of their meeting types.
    pub fn feed(&self, host: &HostId, meeting: Option<&MeetingId>) -> String {
        match meeting {
            Some(meeting) => format!("{}/{host}/{meeting}.ics", self.base),
            None => format!("{}/{host}.ics", self.base),
        }
    }

    /// Whether it is the address of a booking that exists, to its guest or its host: one of those below.
    pub fn is_of_booking(&self, url: &str) -> bool {
        url.strip_prefix(&self.base).is_some_and(|path| path.starts_with("/b/") || path.starts_with("/h/"))
    }

    /// How to follow that feed. No id of a meeting type is `-`, and no slot starts at `subscribe`.
    pub fn subscribe(&self, host: &HostId, meeting: Option<&MeetingId>) -> String {
        format!("{}/subscribe", self.beside(host, meeting))
    }

    /// A sign for the door, to be printed.
    pub fn sign(&self, host: &HostId, meeting: Option<&MeetingId>) -> String {
        format!("{}/sign", self.beside(host, meeting))
    }

    /// Where the guest's own calendar is laid over the free times.
    pub fn overlay(&self, host: &HostId, meeting: &MeetingId) -> String {
        format!("{}/{host}/{meeting}/overlay", self.base)
    }

    fn beside(&self, host: &HostId, meeting: Option<&MeetingId>) -> String {
        let meeting = meeting.map_or("-", MeetingId::as_str);
        format!("{}/{host}/{meeting}", self.base)
    }

    /// The guest's page of a booking.
    pub fn booking(&self, guest_token: &str) -> String {
        format!("{}/b/{guest_token}", self.base)
    }

    /// Where the guest's booking is cancelled.
    pub fn cancel(&self, guest_token: &str) -> String {
        format!("{}/b/{guest_token}/cancel", self.base)
    }

    /// Where the guest chooses another time.
    pub fn reschedule(&self, guest_token: &str) -> String {
        format!("{}/b/{guest_token}/move", self.base)
    }

    /// The free slots that are sooner than the booking.
    pub fn sooner(&self, guest_token: &str) -> String {
        format!("{}/b/{guest_token}/sooner", self.base)
    }

    /// The same page, for one of them: what the links of [`Links::sooner_feed`] point to.
    pub fn sooner_slot(&self, guest_token: &str, start: Timestamp) -> String {
        format!("{}?to={}", self.sooner(guest_token), start.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }

    /// The feed of the free slots that are sooner than the booking.
    pub fn sooner_feed(&self, guest_token: &str) -> String {
        format!("{}/b/{guest_token}/sooner.ics", self.base)
    }

    /// Where the guest's address is confirmed.
    pub fn confirmation(&self, confirm_token: &str) -> String {
        format!("{}/b/{confirm_token}/confirm", self.base)
    }

    /// The event of a booking as a download.
    pub fn invitation(&self, guest_token: &str) -> String {
        format!("{}/b/{guest_token}/invitation.ics", self.base)
    }

    /// The host's desk.
    pub fn desk(&self) -> String {
        format!("{}/desk", self.base)
    }

    /// Where a one-time link opens the desk.
    pub fn desk_link(&self, link_token: &str) -> String {
        format!("{}/desk/in/{link_token}", self.base)
    }

    /// A booking at the desk.
    pub fn desk_booking(&self, id: BookingId) -> String {
        format!("{}/desk/b/{id}", self.base)
    }

    /// The host's page of a booking.
    pub fn host_booking(&self, host_token: &str) -> String {
        format!("{}/h/{host_token}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_the_public_url_is_kept() {
        let links = Links::new("https://example.edu/meet/");
        let (host, meeting) = (HostId::new("noether").unwrap(), MeetingId::new("office-hour").unwrap());
        assert_eq!(links.base_path(), "/meet");
        assert_eq!(Links::new("https://example.edu").base_path(), "");
        assert_eq!(
            links.slot(&host, &meeting, "2026-12-01T13:00:00Z".parse().unwrap()),
            "https://example.edu/meet/noether/office-hour/2026-12-01T13:00:00Z"
        );
        assert_eq!(links.feed(&host, None), "https://example.edu/meet/noether.ics");
        // What stands there is no id and no start.
        assert!(MeetingId::new("-").is_none());
        assert!(["subscribe", "sign", "overlay"].iter().all(|word| word.parse::<Timestamp>().is_err()));
        assert_eq!(links.subscribe(&host, None), "https://example.edu/meet/noether/-/subscribe");
        assert_eq!(links.sign(&host, Some(&meeting)), "https://example.edu/meet/noether/office-hour/sign");
    }

    #[test]
    fn the_addresses_of_a_booking_are_told_from_the_others() {
        let links = Links::new("https://example.edu/meet");
        for url in [links.booking("x"), links.cancel("x"), links.reschedule("x"), links.confirmation("x")] {
            assert!(links.is_of_booking(&url), "{url}");
        }
        assert!(links.is_of_booking(&links.invitation("x")) && links.is_of_booking(&links.host_booking("x")));
        let (b, meeting) = (HostId::new("b").unwrap(), MeetingId::new("office-hour").unwrap());
        assert!(!links.is_of_booking(&links.host(&b)) && !links.is_of_booking("https://example.org/b/x"));
        assert!(!links.is_of_booking(&links.feed(&HostId::new("noether").unwrap(), Some(&meeting))));
    }
}
