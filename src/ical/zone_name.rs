//! Which zone a TZID names: an IANA name, the file's VTIMEZONE, a Windows name by CLDR's table, a name with a prefix;
//! never, when all fails, UTC. Start with [`ZoneNames`].

use super::component::{Component, read};
use super::observance::Observances;
use super::zone::Zone;
use jiff::Timestamp;
use windows_timezones::WindowsTimezone;

/// Resolves the TZIDs of one VCALENDAR; each name once.
#[derive(Debug)]
pub(crate) struct ZoneNames<'a> {
    host: &'a Zone,
    vtimezones: Vec<&'a Component<'a>>,
    known: Vec<(String, Zone)>,
    /// One sentence for each name that was guessed.
    pub(crate) warnings: Vec<String>,
}

impl<'a> ZoneNames<'a> {
    pub(crate) fn new(host: &'a Zone, vtimezones: Vec<&'a Component<'a>>) -> ZoneNames<'a> {
        ZoneNames { host, vtimezones, known: Vec::new(), warnings: Vec::new() }
    }

    /// The zone of a TZID; the host's, with a warning, when nothing says which.
    pub(crate) fn zone(&mut self, tzid: &str) -> Zone {
        // Most events are in the host's own zone.
        if self.host.is_iana(tzid) {
            return self.host.clone();
        }
        if let Some((_, zone)) = self.known.iter().find(|(name, _)| name == tzid) {
            return zone.clone();
        }
        let zone = self.resolve(tzid).unwrap_or_else(|| {
            self.warnings.push(format!("the time zone {tzid:?} is not known: {} was assumed", self.host.name()));
            self.host.clone()
        });
        self.known.push((tzid.to_owned(), zone.clone()));
        zone
    }

    fn resolve(&self, tzid: &str) -> Option<Zone> {
        let name = tzid.trim().trim_matches('"').trim();
        Zone::named(name).or_else(|| self.of_file(tzid)).or_else(|| by_other_name(name))
    }

    /// The VTIMEZONE of that TZID. One that cannot be read, but says which place it is for, means that place.
    fn of_file(&self, tzid: &str) -> Option<Zone> {
        let id = |component: &Component<'_>| component.get("TZID").map(|property| property.value.trim().to_owned());
        let plain = |name: &str| name.trim().trim_matches('"').replace('\\', "").to_lowercase();
        let exact = self.vtimezones.iter().filter(|zone| id(zone).as_deref() == Some(tzid.trim()));
        let alike = self.vtimezones.iter().filter(|zone| id(zone).is_some_and(|id| plain(&id) == plain(tzid)));
        exact.chain(alike).find_map(|vtimezone| {
            let rules = Observances::read(vtimezone).map(|rules| Zone::of_file(tzid.trim(), rules));
            rules.or_else(|| Zone::named(vtimezone.get("X-LIC-LOCATION")?.value.trim()))
        })
    }
}

/// The zone that a calendar's property names: `calendar-timezone`, a VCALENDAR with one VTIMEZONE (RFC 4791 5.2.2), or
/// `calendar-timezone-id`, a name (RFC 7809 5.2). `None` where it says nothing that is known, and where it is UTC all year: so servers
/// say of calendars whose zone nobody has chosen (SOGo does).
pub(crate) fn calendar_zone(property: &str, host: &Zone) -> Option<Zone> {
    let calendars = read(property.as_bytes());
    let vtimezones: Vec<&Component<'_>> =
        calendars.iter().flat_map(|calendar| calendar.children("VTIMEZONE")).collect();
    let name = match vtimezones.first() {
        Some(vtimezone) => vtimezone.get("TZID")?.value.trim().to_owned(),
        None => property.trim().to_owned(),
    };
    let zone = ZoneNames::new(host, vtimezones).resolve(&name)?;
    let (from, to) = (Timestamp::constant(1_577_836_800, 0), Timestamp::constant(1_893_456_000, 0));
    zone.first_difference(&Zone::utc(), from, to).map(|_| zone)
}

/// Where a VTIMEZONE with an IANA name says otherwise than the rules of that name between two instants, in a sentence. Those
/// of the name are used (files carry stale copies): RFC 5545 3.2.19 has it the other way. `None` when they agree, or it has
/// no such name.
pub(crate) fn disagreement(vtimezone: &Component<'_>, from: Timestamp, to: Timestamp) -> Option<(Zone, String)> {
    let named = Zone::named(vtimezone.get("TZID")?.value.trim().trim_matches('"').trim())?;
    // A day on both sides, for what the wall clock differs from UTC by.
    let wall = from.as_second().saturating_sub(86_400)..to.as_second().saturating_add(86_400);
    let of_file = Zone::of_file(named.name(), Observances::read_within(vtimezone, wall)?);
    let at = named.first_difference(&of_file, from, to)?;
    let what = format!(
        "its VTIMEZONE {} differs from the time zone database at {at} ({} against {}): the database was believed",
        named.name(),
        of_file.offset(at),
        named.offset(at)
    );
    Some((named, what))
}

/// The zone of a name that is neither IANA's nor the file's.
fn by_other_name(name: &str) -> Option<Zone> {
    let name = name.replace('\\', "");
    windows(&name)
        .or_else(|| alias(&name))
        .or_else(|| without_prefix(&name))
        .or_else(|| Zone::named(&name.replace(' ', "_")))
        .or_else(|| offset_name(&name))
        .or_else(|| display_name(&name))
        .or_else(|| {
            // Outlook numbers the copies that it makes.
            let unnumbered = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
            (unnumbered.len() < name.len()).then(|| windows(unnumbered).or_else(|| Zone::named(unnumbered)))?
        })
}

/// CLDR's windowsZones, territory 001; summer names as the winter names beside them.
fn windows(name: &str) -> Option<Zone> {
    let standard =
        name.replace("Daylight", "Standard").replace("daylight", "standard").replace("Summer Time", "Standard Time");
    let name = WINDOWS_NAMES.iter().find(|known| known.eq_ignore_ascii_case(&standard))?;
    Zone::named(name.parse::<WindowsTimezone>().ok()?.tzdb_id())
}

fn alias(name: &str) -> Option<Zone> {
    let (_, iana) = ALIASES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Zone::named(iana)
}

/// `/freeassociation.sourceforge.net/Europe/Berlin`, `/mozilla.org/20050126_1/Europe/Berlin`, `tzone://Microsoft/Utc`:
/// the longest end that is an IANA name.
fn without_prefix(name: &str) -> Option<Zone> {
    let parts: Vec<&str> = name.split('/').collect();
    let global = name.starts_with('/') || name.contains("://");
    (1..parts.len()).find_map(|from| {
        let end = parts.get(from..).filter(|end| global || end.len() > 1)?.join("/");
        Zone::named(&end).or_else(|| windows(&end))
    })
}

/// `UTC+01:00`, `GMT-5`, `+0530`: always that offset.
fn offset_name(name: &str) -> Option<Zone> {
    let upper = name.to_ascii_uppercase();
    let rest = upper.strip_prefix("UTC").or(upper.strip_prefix("GMT")).unwrap_or(&upper).trim();
    let signed = rest.starts_with(['+', '-']);
    Zone::fixed(name, super::time::parse_offset(rest).filter(|_| signed)?)
}

/// `(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna`, also of other years: the Windows zone whose own
/// display name has one of the cities.
fn display_name(name: &str) -> Option<Zone> {
    let places = |text: &str| -> Vec<String> {
        let text = text.rsplit_once(") ").map_or(text, |(_, places)| places);
        text.split(',').map(|place| place.trim().to_lowercase()).filter(|place| !place.is_empty()).collect()
    };
    let wanted = name.starts_with('(').then(|| places(name))?;
    let zones = || WINDOWS_NAMES.iter().filter_map(|name| name.parse::<WindowsTimezone>().ok());
    let whole = zones().find(|zone| places(zone.description()) == wanted);
    let shared = || zones().find(|zone| places(zone.description()).iter().any(|place| wanted.contains(place)));
    Zone::named(whole.or_else(shared)?.tzdb_id())
}

/// Names that have been in use and are in no table.
const ALIASES: [(&str, &str); 30] = [
    ("Mid-Atlantic Standard Time", "Etc/GMT+2"),
    ("Kamchatka Standard Time", "Asia/Kamchatka"),
    ("Armenian Standard Time", "Asia/Yerevan"),
    ("Mexico Standard Time", "America/Mexico_City"),
    ("Mexico Standard Time 2", "America/Chihuahua"),
    ("US Eastern", "America/New_York"),
    ("Eastern", "America/New_York"),
    ("Central", "America/Chicago"),
    ("Mountain", "America/Denver"),
    ("Pacific", "America/Los_Angeles"),
    ("Eastern Time (US & Canada)", "America/New_York"),
    ("Central Time (US & Canada)", "America/Chicago"),
    ("Mountain Time (US & Canada)", "America/Denver"),
    ("Pacific Time (US & Canada)", "America/Los_Angeles"),
    ("EDT", "America/New_York"),
    ("CDT", "America/Chicago"),
    ("MDT", "America/Denver"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("CEST", "Europe/Paris"),
    ("MEZ", "Europe/Berlin"),
    ("MESZ", "Europe/Berlin"),
    ("EEST", "Europe/Athens"),
    ("WEST", "Europe/Lisbon"),
    ("BST", "Europe/London"),
    ("JST", "Asia/Tokyo"),
    ("AEST", "Australia/Sydney"),
    ("AEDT", "Australia/Sydney"),
    ("Z", "UTC"),
    ("Coordinated Universal Time", "UTC"),
];

/// The names that [`WindowsTimezone`] parses, for a search that does not mind their case.
const WINDOWS_NAMES: [&str; 139] = [
    "Dateline Standard Time",
    "UTC-11",
    "Aleutian Standard Time",
    "Hawaiian Standard Time",
    "Marquesas Standard Time",
    "Alaskan Standard Time",
    "UTC-09",
    "Pacific Standard Time (Mexico)",
    "UTC-08",
    "Pacific Standard Time",
    "US Mountain Standard Time",
    "Mountain Standard Time (Mexico)",
    "Mountain Standard Time",
    "Yukon Standard Time",
    "Central America Standard Time",
    "Central Standard Time",
    "Easter Island Standard Time",
    "Central Standard Time (Mexico)",
    "Canada Central Standard Time",
    "SA Pacific Standard Time",
    "Eastern Standard Time (Mexico)",
    "Eastern Standard Time",
    "Haiti Standard Time",
    "Cuba Standard Time",
    "US Eastern Standard Time",
    "Turks And Caicos Standard Time",
    "Paraguay Standard Time",
    "Atlantic Standard Time",
    "Venezuela Standard Time",
    "Central Brazilian Standard Time",
    "SA Western Standard Time",
    "Pacific SA Standard Time",
    "Newfoundland Standard Time",
    "Tocantins Standard Time",
    "E. South America Standard Time",
    "SA Eastern Standard Time",
    "Argentina Standard Time",
    "Greenland Standard Time",
    "Montevideo Standard Time",
    "Magallanes Standard Time",
    "Saint Pierre Standard Time",
    "Bahia Standard Time",
    "UTC-02",
    "Azores Standard Time",
    "Cape Verde Standard Time",
    "UTC",
    "GMT Standard Time",
    "Greenwich Standard Time",
    "Sao Tome Standard Time",
    "Morocco Standard Time",
    "W. Europe Standard Time",
    "Central Europe Standard Time",
    "Romance Standard Time",
    "Central European Standard Time",
    "W. Central Africa Standard Time",
    "Jordan Standard Time",
    "GTB Standard Time",
    "Middle East Standard Time",
    "Egypt Standard Time",
    "E. Europe Standard Time",
    "Syria Standard Time",
    "West Bank Standard Time",
    "South Africa Standard Time",
    "FLE Standard Time",
    "Israel Standard Time",
    "South Sudan Standard Time",
    "Kaliningrad Standard Time",
    "Sudan Standard Time",
    "Libya Standard Time",
    "Namibia Standard Time",
    "Arabic Standard Time",
    "Turkey Standard Time",
    "Arab Standard Time",
    "Belarus Standard Time",
    "Russian Standard Time",
    "E. Africa Standard Time",
    "Iran Standard Time",
    "Arabian Standard Time",
    "Astrakhan Standard Time",
    "Azerbaijan Standard Time",
    "Russia Time Zone 3",
    "Mauritius Standard Time",
    "Saratov Standard Time",
    "Georgian Standard Time",
    "Volgograd Standard Time",
    "Caucasus Standard Time",
    "Afghanistan Standard Time",
    "West Asia Standard Time",
    "Ekaterinburg Standard Time",
    "Pakistan Standard Time",
    "Qyzylorda Standard Time",
    "India Standard Time",
    "Sri Lanka Standard Time",
    "Nepal Standard Time",
    "Central Asia Standard Time",
    "Bangladesh Standard Time",
    "Omsk Standard Time",
    "Myanmar Standard Time",
    "SE Asia Standard Time",
    "Altai Standard Time",
    "W. Mongolia Standard Time",
    "North Asia Standard Time",
    "N. Central Asia Standard Time",
    "Tomsk Standard Time",
    "China Standard Time",
    "North Asia East Standard Time",
    "Singapore Standard Time",
    "W. Australia Standard Time",
    "Taipei Standard Time",
    "Ulaanbaatar Standard Time",
    "Aus Central W. Standard Time",
    "Transbaikal Standard Time",
    "Tokyo Standard Time",
    "North Korea Standard Time",
    "Korea Standard Time",
    "Yakutsk Standard Time",
    "Cen. Australia Standard Time",
    "AUS Central Standard Time",
    "E. Australia Standard Time",
    "AUS Eastern Standard Time",
    "West Pacific Standard Time",
    "Tasmania Standard Time",
    "Vladivostok Standard Time",
    "Lord Howe Standard Time",
    "Bougainville Standard Time",
    "Russia Time Zone 10",
    "Magadan Standard Time",
    "Norfolk Standard Time",
    "Sakhalin Standard Time",
    "Central Pacific Standard Time",
    "Russia Time Zone 11",
    "New Zealand Standard Time",
    "UTC+12",
    "Fiji Standard Time",
    "Chatham Islands Standard Time",
    "UTC+13",
    "Tonga Standard Time",
    "Samoa Standard Time",
    "Line Islands Standard Time",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(tzid: &str, file: &str) -> (String, usize) {
        let calendars = read(file.as_bytes());
        let host = Zone::named("America/Bogota").unwrap();
        let mut names = ZoneNames::new(&host, calendars.iter().flat_map(|c| c.children("VTIMEZONE")).collect());
        let zone = names.zone(tzid);
        (zone.name().to_owned(), names.warnings.len())
    }

    #[test]
    fn a_calendar_is_in_the_zone_that_it_names_unless_that_is_utc() {
        let host = Zone::named("Europe/Berlin").unwrap();
        let zone = |property: &str| calendar_zone(property, &host).map(|zone| zone.name().to_owned());
        let vtimezone = |tzid: &str, offset: &str| {
            format!(
                "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:{tzid}\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:{offset}\n\
                 TZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n"
            )
        };
        assert_eq!(zone("America/New_York").as_deref(), Some("America/New_York"));
        assert_eq!(zone(&vtimezone("Asia/Tokyo", "+0900")).as_deref(), Some("Asia/Tokyo"));
        // Of a name of its own, the rules in it count.
        assert_eq!(zone(&vtimezone("At home", "+0300")).as_deref(), Some("At home"));
        for nothing in
            ["", "UTC", "Etc/UTC", "Atlantis/Capital", &vtimezone("Etc/UTC", "+0000"), &vtimezone("X", "+0000")]
        {
            assert_eq!(zone(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn every_windows_name_is_a_zone() {
        for name in WINDOWS_NAMES {
            assert!(windows(name).is_some(), "{name}");
        }
        for (name, _) in ALIASES {
            assert!(alias(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_of_all_kinds_are_understood() {
        for (tzid, expected) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/BERLIN", "Europe/Berlin"),
            ("\"Europe/Berlin\"", "Europe/Berlin"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("w. europe daylight time", "Europe/Berlin"),
            ("W. Europe Standard Time 1", "Europe/Berlin"),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"),
            ("(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"),
            ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
            ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "Europe/Berlin"),
            ("/freeassociation.sourceforge.net/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
            ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
            ("/softwarestudio.org/Olson_20011030_5/America/New_York", "America/New_York"),
            ("tzone://Microsoft/Utc", "UTC"),
            ("America/New York", "America/New_York"),
            ("Europe\\/Berlin", "Europe/Berlin"),
            ("GMT-5", "GMT-5"),
        ] {
            assert_eq!(zone(tzid, ""), (expected.to_owned(), 0), "{tzid}");
        }
    }

    #[test]
    fn an_unknown_name_is_the_hosts_zone_with_a_warning_and_never_utc() {
        for tzid in ["Nowhere/Land", "Customized Time Zone", "", "tzone://Microsoft/Custom", "Foo/Israel"] {
            assert_eq!(zone(tzid, ""), ("America/Bogota".to_owned(), 1), "{tzid}");
        }
    }

    #[test]
    fn the_files_rules_hold_for_names_that_are_not_ianas() {
        let of = |tzid: &str| {
            format!(
                "BEGIN:VTIMEZONE\nTZID:{tzid}\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0537\n\
                 TZOFFSETTO:+0537\nEND:STANDARD\nEND:VTIMEZONE\n"
            )
        };
        for (tzid, offset) in [("Odd", 20_220), ("Eastern Standard Time", 20_220), ("Europe/Berlin", 3600)] {
            let text = of(tzid);
            let calendars = read(text.as_bytes());
            let host = Zone::utc();
            let mut names = ZoneNames::new(&host, calendars.iter().flat_map(|c| c.children("VTIMEZONE")).collect());
            let at = jiff::Timestamp::from_second(0).unwrap();
            assert_eq!(names.zone(tzid).offset(at).seconds(), offset, "{tzid}");
        }
    }

    #[test]
    fn a_vtimezone_that_cannot_be_read_is_as_good_as_none() {
        assert_eq!(zone("Odd", "BEGIN:VTIMEZONE\nTZID:Odd\nEND:VTIMEZONE\n"), ("America/Bogota".to_owned(), 1));
        let placed = "BEGIN:VTIMEZONE\nTZID:Odd\nX-LIC-LOCATION:Asia/Tokyo\nEND:VTIMEZONE\n";
        assert_eq!(zone("Odd", placed), ("Asia/Tokyo".to_owned(), 0));
    }
}
