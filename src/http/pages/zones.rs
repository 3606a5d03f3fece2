//! The zones that a guest can choose from when the page cannot ask the browser.

use crate::ical::Zone;

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
    pub(super) chosen: bool,
}

/// The choices, with `chosen` among them.
pub(super) fn choices(chosen: &Zone) -> Vec<ZoneChoice> {
    let listed = COMMON.contains(&chosen.name());
    let first = (!listed).then(|| chosen.name());
    let names = first.into_iter().chain(COMMON);
    names.map(|name| ZoneChoice { name: name.to_owned(), chosen: name == chosen.name() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_a_zone_and_the_chosen_one_is_there() {
        assert!(COMMON.iter().all(|name| Zone::named(name).is_some()));
        for name in ["Europe/Berlin", "Indian/Mauritius"] {
            let choices = choices(&Zone::named(name).unwrap());
            assert_eq!(choices.iter().filter(|choice| choice.chosen).count(), 1);
        }
    }
}
