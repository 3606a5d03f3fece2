//! The feed of free slots and the free/busy resource (RFC 5545 3.6.1, 3.6.4, RFC 7986), written line by line: a feed may
//! have thousands of slots, and must be the same to the byte while they are the same.

use super::PRODID;
use super::lines::{Breaks, Lines, clean, utc};
use jiff::Timestamp;
use std::fmt::Write;

/// What a feed says besides its slots.
#[derive(Clone, Debug)]
pub struct FeedText {
    /// NAME and X-WR-CALNAME.
    pub name: String,
    /// X-WR-TIMEZONE: the host's zone.
    pub zone: String,
    /// SOURCE: the feed's own address.
    pub source: String,
    /// REFRESH-INTERVAL and X-PUBLISHED-TTL, in minutes.
    pub refresh_minutes: u32,
}

/// A slot in a feed.
#[derive(Clone, Copy, Debug)]
pub struct FeedSlot<'a> {
    /// UID: from host, meeting type, start and length.
    pub uid: &'a str,
    /// When it starts.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// DTSTAMP and LAST-MODIFIED: when the slot was first offered so, not now.
    pub stamp: Timestamp,
    /// SEQUENCE: rises when a slot of this UID is offered again.
    pub sequence: u32,
    /// SUMMARY.
    pub summary: &'a str,
    /// What DESCRIPTION says above the link; empty: only the link.
    pub description: &'a str,
    /// LOCATION; empty: none.
    pub location: &'a str,
    /// The slot's page.
    pub url: &'a str,
}

/// The text of a feed. Slots are written in the order given.
pub fn feed(text: &FeedText, slots: &[FeedSlot<'_>]) -> String {
    let mut lines = Lines::with_capacity(1024 + slots.len() * 640);
    lines.raw("BEGIN:VCALENDAR");
    lines.raw("VERSION:2.0");
    lines.value("PRODID", PRODID);
    lines.raw("CALSCALE:GREGORIAN");
    lines.raw("METHOD:PUBLISH");
    let name = clean(&text.name, Breaks::Blank);
    lines.text("NAME", &name);
    lines.text("X-WR-CALNAME", &name);
    lines.value("X-WR-TIMEZONE", &text.zone);
    lines.value("REFRESH-INTERVAL;VALUE=DURATION", &format!("PT{}M", text.refresh_minutes));
    lines.value("X-PUBLISHED-TTL", &format!("PT{}M", text.refresh_minutes));
    lines.value("SOURCE;VALUE=URI", &text.source);
    let mut description = String::new();
    for slot in slots {
        lines.raw("BEGIN:VEVENT");
        lines.value("UID", slot.uid);
        lines.utc("DTSTAMP", slot.stamp);
        lines.utc("LAST-MODIFIED", slot.stamp);
        lines.value("SEQUENCE", &slot.sequence.to_string());
        lines.utc("DTSTART", slot.start);
        lines.utc("DTEND", slot.end);
        lines.text("SUMMARY", &clean(slot.summary, Breaks::Blank));
        description.clear();
        let above = clean(slot.description, Breaks::Keep);
        if !above.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(description, "{above}\n\n");
        }
        description.push_str(&clean(slot.url, Breaks::Blank));
        lines.text("DESCRIPTION", &description);
        let location = clean(slot.location, Breaks::Blank);
        if !location.is_empty() {
            lines.text("LOCATION", &location);
        }
        lines.value("URL", slot.url);
        lines.raw("TRANSP:TRANSPARENT");
        lines.raw("X-MICROSOFT-CDO-BUSYSTATUS:FREE");
        lines.raw("END:VEVENT");
    }
    lines.raw("END:VCALENDAR");
    lines.finish()
}

/// What a free/busy resource says.
#[derive(Clone, Debug)]
pub struct FreeBusyText<'a> {
    /// UID.
    pub uid: &'a str,
    /// DTSTAMP.
    pub stamp: Timestamp,
    /// DTSTART.
    pub from: Timestamp,
    /// DTEND.
    pub to: Timestamp,
    /// URL; empty: none.
    pub url: &'a str,
    /// Start and end of busy time, in any order.
    pub busy: &'a [(Timestamp, Timestamp)],
}

/// One VFREEBUSY with no METHOD: merged periods within `from` and `to`, and nothing else.
pub fn free_busy(text: &FreeBusyText<'_>) -> String {
    let mut periods: Vec<(Timestamp, Timestamp)> = text
        .busy
        .iter()
        .map(|(start, end)| ((*start).max(text.from), (*end).min(text.to)))
        .filter(|(start, end)| start < end)
        .collect();
    periods.sort_unstable();
    periods.dedup_by(|next, last| {
        let joined = next.0 <= last.1;
        if joined {
            last.1 = last.1.max(next.1);
        }
        joined
    });
    let mut lines = Lines::with_capacity(512 + periods.len() * 48);
    lines.raw("BEGIN:VCALENDAR");
    lines.raw("VERSION:2.0");
    lines.value("PRODID", PRODID);
    lines.raw("CALSCALE:GREGORIAN");
    lines.raw("BEGIN:VFREEBUSY");
    lines.value("UID", text.uid);
    lines.utc("DTSTAMP", text.stamp);
    lines.utc("DTSTART", text.from);
    lines.utc("DTEND", text.to);
    if !text.url.is_empty() {
        lines.value("URL", text.url);
    }
    for (start, end) in periods {
        lines.value("FREEBUSY", &format!("{}/{}", utc(start), utc(end)));
    }
    lines.raw("END:VFREEBUSY");
    lines.raw("END:VCALENDAR");
    lines.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ical::read;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn slot<'a>(summary: &'a str, url: &'a str) -> FeedSlot<'a> {
        FeedSlot {
            uid: "noether-office-hour-20261201T130000Z-30@meet.example.edu",
            start: at("2026-12-01T13:00:00Z"),
            end: at("2026-12-01T13:30:00Z"),
            stamp: at("2026-11-24T09:00:00Z"),
            sequence: 0,
            summary,
            description: "Questions about the course.",
            location: "",
            url,
        }
    }

    fn text() -> FeedText {
        FeedText {
            name: "Emmy Noether, office hour".to_owned(),
            zone: "Europe/Berlin".to_owned(),
            source: "https://meet.example.edu/noether/office-hour.ics".to_owned(),
            refresh_minutes: 15,
        }
    }

    #[test]
    fn a_feed_is_as_the_contract_has_it() {
        let url = "https://meet.example.edu/noether/office-hour/2026-12-01T13:00:00Z";
        let written = feed(&text(), &[slot("Office hour", url)]);
        let expected = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//officehours//officehours//EN\r\nCALSCALE:GREGORIAN\r\n\
            METHOD:PUBLISH\r\nNAME:Emmy Noether\\, office hour\r\nX-WR-CALNAME:Emmy Noether\\, office hour\r\n\
            X-WR-TIMEZONE:Europe/Berlin\r\nREFRESH-INTERVAL;VALUE=DURATION:PT15M\r\nX-PUBLISHED-TTL:PT15M\r\n\
            SOURCE;VALUE=URI:https://meet.example.edu/noether/office-hour.ics\r\nBEGIN:VEVENT\r\n\
            UID:noether-office-hour-20261201T130000Z-30@meet.example.edu\r\nDTSTAMP:20261124T090000Z\r\n\
            LAST-MODIFIED:20261124T090000Z\r\nSEQUENCE:0\r\nDTSTART:20261201T130000Z\r\nDTEND:20261201T133000Z\r\n\
            SUMMARY:Office hour\r\n\
            DESCRIPTION:Questions about the course.\\n\\nhttps://meet.example.edu/noether/office-hour/2026-12-01T13:00:00Z\r\n\
            URL:https://meet.example.edu/noether/office-hour/2026-12-01T13:00:00Z\r\n\
            TRANSP:TRANSPARENT\r\nX-MICROSOFT-CDO-BUSYSTATUS:FREE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(written.replace("\r\n ", ""), expected);
        assert!(written.split("\r\n").all(|line| line.len() <= 75 && !line.ends_with(' ')));
    }

    #[test]
    fn no_title_or_link_adds_a_property() {
        let count = |typed: &str| {
            let written = feed(&FeedText { name: typed.to_owned(), ..text() }, &[slot(typed, typed)]);
            let calendars = read(written.as_bytes());
            (
                calendars.len(),
                calendars[0].properties.len(),
                calendars[0].components[0].properties.len(),
                calendars[0].bad_lines.len(),
            )
        };
        assert_eq!(count("x\r\nATTENDEE:y\rRRULE:z\nEND:VEVENT\u{2028}a\u{85}b"), count("plain"));
    }

    #[test]
    fn free_busy_is_merged_clipped_and_says_nothing_else() {
        let busy = [
            (at("2026-12-01T14:00:00Z"), at("2026-12-01T15:00:00Z")),
            (at("2026-11-30T23:00:00Z"), at("2026-12-01T01:00:00Z")),
            (at("2026-12-01T15:00:00Z"), at("2026-12-01T16:00:00Z")),
            (at("2027-12-01T15:00:00Z"), at("2027-12-01T16:00:00Z")),
        ];
        let (stamp, from, to) = (at("2026-11-24T09:00:00Z"), at("2026-12-01T00:00:00Z"), at("2026-12-31T00:00:00Z"));
        let written = free_busy(&FreeBusyText { uid: "fb", stamp, from, to, url: "", busy: &busy });
        let periods: Vec<&str> = written.split("\r\n").filter(|line| line.starts_with("FREEBUSY")).collect();
        assert_eq!(
            periods,
            ["FREEBUSY:20261201T000000Z/20261201T010000Z", "FREEBUSY:20261201T140000Z/20261201T160000Z"]
        );
        assert!(!written.contains("METHOD") && !written.contains("VEVENT"));
    }
}
