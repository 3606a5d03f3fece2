//! The zones that a guest can choose from when the page cannot ask the browser.

use super::when;
use crate::ical::Zone;
use jiff::Timestamp;

/// One city for each zone that many people live in; a zone from `?tz=` that is not here is put in front.
const COMMON: [&str; 60] = [
    "Pacific/Honolulu",
    "America/Anchorage",
    "America/Los_Angeles",
    "America/Vancouver",
    "America/Phoenix",
    "America/Denver",
    "America/Edmonton",
    "America/Mexico_City",
    "America/Chicago",
    "America/Winnipeg",
    "America/Bogota",
    "America/Lima",
    "America/New_York",
    "America/Toronto",
    "America/Havana",
    "America/Caracas",
    "America/Halifax",
    "America/Santiago",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires",
    "Atlantic/Azores",
    "UTC",
    "Atlantic/Reykjavik",
    "Africa/Casablanca",
    "Africa/Lagos",
    "Europe/Lisbon",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Paris",
    "Europe/Brussels",
    "Europe/Amsterdam",
    "Europe/Zurich",
    "Europe/Berlin",
    "Europe/Rome",
    "Europe/Vienna",
    "Europe/Stockholm",
    "Europe/Warsaw",
    "Europe/Athens",
    "Europe/Helsinki",
    "Europe/Kyiv",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Europe/Istanbul",
    "Africa/Nairobi",
    "Asia/Riyadh",
    "Asia/Tehran",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Perth",
    "Australia/Sydney",
    "Pacific/Auckland",
];

/// A zone in a list of choices.
pub(super) struct ZoneChoice {
    pub(super) name: String,
    /// `Berlin, UTC+1`: it is found by typing the city.
    pub(super) label: String,
    pub(super) chosen: bool,
}

/// The choices as they are at that instant, with `chosen` among them.
pub(super) fn choices(chosen: &Zone, at: Timestamp) -> Vec<ZoneChoice> {
    let listed = COMMON.contains(&chosen.name());
    let first = (!listed).then(|| chosen.clone());
    let zones = first.into_iter().chain(COMMON.iter().filter_map(|name| Zone::named(name)));
    let choice = |zone: Zone| ZoneChoice {
        label: when::label(&zone, at),
        chosen: zone.name() == chosen.name(),
        name: zone.name().to_owned(),
    };
    zones.map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_a_zone_and_the_chosen_one_is_there() {
        let now = "2026-12-01T13:00:00Z".parse().unwrap();
        assert!(COMMON.iter().all(|name| Zone::named(name).is_some_and(|zone| zone.name() == *name)));
        for name in ["Europe/Berlin", "Indian/Mauritius"] {
            let choices = choices(&Zone::named(name).unwrap(), now);
            let chosen: Vec<&ZoneChoice> = choices.iter().filter(|choice| choice.chosen).collect();
            assert_eq!(chosen.len(), 1);
            assert_eq!(chosen[0].name, name);
        }
        let labels: Vec<String> = choices(&Zone::utc(), now).into_iter().map(|choice| choice.label).collect();
        assert!(labels.contains(&"St Johns, UTC−3:30".to_owned()) && labels.contains(&"UTC".to_owned()), "{labels:?}");
    }
}
