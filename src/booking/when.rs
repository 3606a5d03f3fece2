//! Times in words: the host's wall clock first, the guest's beside it when it differs. Start with [`When`].

use crate::availability::Interval;
use crate::ical::Zone;
use crate::language::Language;
use jiff::Timestamp;

/// A slot or booking in words.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct When {
    /// `Tuesday 1 December 2026`, where the host is, as the language writes it.
    pub date: String,
    /// `14:00–14:30`, where the host is.
    pub times: String,
    /// `Berlin, UTC+1`.
    pub zone: String,
    /// For `<time datetime>`: UTC.
    pub start: String,
    /// Where the guest is, when the clock shows something else there.
    pub guest: Option<GuestWhen>,
}

/// The same for the guest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct GuestWhen {
    /// Only when it is another date there.
    pub date: Option<String>,
    /// As [`When::times`].
    pub times: String,
    /// As [`When::zone`].
    pub zone: String,
}

impl When {
    /// `time` where the host is, and where the guest is.
    pub fn new(time: Interval, host: &Zone, guest: Option<&Zone>, language: Language) -> When {
        let date = host.civil(time.start()).date();
        When {
            date: language.long_date(date),
            times: times(time, host, language),
            zone: label(host, time.start()),
            start: time.start().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            guest: guest.filter(|guest| guest.offset(time.start()) != host.offset(time.start())).map(|guest| {
                let theirs = guest.civil(time.start()).date();
                GuestWhen {
                    date: (theirs != date).then(|| language.long_date(theirs)),
                    times: times(time, guest, language),
                    zone: label(guest, time.start()),
                }
            }),
        }
    }
}

fn times(time: Interval, zone: &Zone, language: Language) -> String {
    language.times(zone.civil(time.start()), zone.civil(time.end()))
}

/// `Berlin, UTC+1`: the offset at that instant, for the clocks may change before.
pub fn label(zone: &Zone, at: Timestamp) -> String {
    match city(zone.name()) {
        "UTC" => "UTC".to_owned(),
        city => format!("{}, {}", city.replace('_', " "), offset(zone, at)),
    }
}

fn city(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// `UTC+1`, `UTC−3:30`.
pub fn offset(zone: &Zone, at: Timestamp) -> String {
    let minutes = zone.offset(at).seconds() / 60;
    let sign = if minutes < 0 { '−' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language::{English, German};
    use jiff::SignedDuration;

    fn slot(start: &str) -> Interval {
        let start: Timestamp = start.parse().unwrap();
        Interval::new(start, start + SignedDuration::from_mins(30)).unwrap()
    }

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    #[test]
    fn both_clocks_are_shown_only_when_they_differ_at_that_time() {
        let berlin = zone("Europe/Berlin");
        let when = When::new(slot("2026-12-01T13:00:00Z"), &berlin, Some(&zone("Europe/Paris")), English);
        assert_eq!((when.date.as_str(), when.times.as_str()), ("Tuesday 1 December 2026", "14:00–14:30"));
        assert_eq!((when.zone.as_str(), when.guest), ("Berlin, UTC+1", None));
        let guest =
            When::new(slot("2026-12-01T13:00:00Z"), &berlin, Some(&zone("America/New_York")), English).guest.unwrap();
        assert_eq!((guest.date, guest.times.as_str(), guest.zone.as_str()), (None, "08:00–08:30", "New York, UTC−5"));
    }

    #[test]
    fn dates_and_clocks_are_written_as_the_language_has_them() {
        let when = When::new(slot("2026-12-01T16:00:00Z"), &zone("Europe/Berlin"), Some(&zone("Asia/Tokyo")), German);
        assert_eq!((when.date.as_str(), when.times.as_str()), ("Dienstag, 1. Dezember 2026", "17:00–17:30 Uhr"));
        let guest = when.guest.unwrap();
        assert_eq!(guest.date.as_deref(), Some("Mittwoch, 2. Dezember 2026"));
        assert_eq!(guest.times, "01:00–01:30 Uhr");
    }

    #[test]
    fn the_offset_is_that_of_the_slot_not_of_the_page() {
        let berlin = zone("Europe/Berlin");
        assert_eq!(When::new(slot("2026-10-25T00:30:00Z"), &berlin, None, English).zone, "Berlin, UTC+2");
        assert_eq!(When::new(slot("2026-10-25T01:30:00Z"), &berlin, None, English).zone, "Berlin, UTC+1");
    }

    #[test]
    fn another_date_at_the_guest_is_said() {
        let when = When::new(slot("2026-12-01T16:00:00Z"), &zone("Europe/Berlin"), Some(&zone("Asia/Tokyo")), English);
        assert_eq!(when.guest.unwrap().date.unwrap(), "Wednesday 2 December 2026");
    }

    #[test]
    fn odd_offsets_are_written_out() {
        let at = "2026-12-01T16:00:00Z".parse().unwrap();
        assert_eq!(label(&zone("America/St_Johns"), at), "St Johns, UTC−3:30");
        assert_eq!(label(&zone("Asia/Kathmandu"), at), "Kathmandu, UTC+5:45");
        assert_eq!(label(&Zone::utc(), at), "UTC");
        assert_eq!(label(&zone("Europe/London"), at), "London, UTC");
    }
}
