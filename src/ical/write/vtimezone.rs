//! VTIMEZONE for a zone (RFC 5545 3.6.5), as far as one event needs it: the changes of offset of the years around it,
//! as a yearly rule where they follow one.

use super::lines::{Lines, local};
use crate::ical::Zone;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// The VTIMEZONE with its lines folded; `None` when the zone has no name that could be a TZID, or is UTC.
pub(super) fn vtimezone(zone: &Zone, around: Timestamp) -> Option<String> {
    let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-+".contains(&b));
    if !zone.name().contains('/') || !plain(zone.name()) {
        return None;
    }
    let year = zone.civil(around).year();
    let start_of = |year: i16| zone.instant(Date::new(year, 1, 1).ok()?.at(0, 0, 0, 0));
    let from = start_of(year.checked_sub(1)?)?;
    let to = start_of(year.checked_add(2)?)?;
    let changes = zone.transitions(from, to);
    let mut lines = Lines::default();
    lines.raw("BEGIN:VTIMEZONE");
    lines.value("TZID", zone.name());
    let mut before = zone.offset(from);
    let mut groups: Vec<Group> = Vec::new();
    if changes.first().is_none_or(|(at, _)| around < *at) {
        // In force before any change.
        groups.push(Group { from: before, to: before, onsets: vec![before.to_datetime(from)] });
    }
    for (at, after) in changes {
        let onset = before.to_datetime(at);
        match groups.iter_mut().find(|group| group.from == before && group.to == after) {
            Some(group) => group.onsets.push(onset),
            None => groups.push(Group { from: before, to: after, onsets: vec![onset] }),
        }
        before = after;
    }
    for group in &groups {
        group.write(&mut lines);
    }
    lines.raw("END:VTIMEZONE");
    Some(lines.finish())
}

struct Group {
    from: Offset,
    to: Offset,
    /// On the clock of `from`.
    onsets: Vec<DateTime>,
}

impl Group {
    fn write(&self, lines: &mut Lines) {
        let Some(first) = self.onsets.first() else { return };
        let name = if self.to.seconds() > self.from.seconds() { "DAYLIGHT" } else { "STANDARD" };
        lines.raw(&format!("BEGIN:{name}"));
        lines.value("DTSTART", &local(*first));
        lines.value("TZOFFSETFROM", &offset(self.from));
        lines.value("TZOFFSETTO", &offset(self.to));
        match yearly(&self.onsets) {
            Some(rule) => lines.value("RRULE", &rule),
            None => self.onsets.iter().skip(1).for_each(|onset| lines.value("RDATE", &local(*onset))),
        }
        lines.raw(&format!("END:{name}"));
    }
}

/// The rule of onsets in three years running: the n-th weekday of a month, at one time.
fn yearly(onsets: &[DateTime]) -> Option<String> {
    let first = onsets.first()?;
    let consecutive = onsets.iter().zip(first.year()..).all(|(onset, year)| onset.year() == year);
    let alike = onsets.iter().all(|onset| {
        onset.month() == first.month()
            && onset.date().weekday() == first.date().weekday()
            && onset.time() == first.time()
    });
    if onsets.len() < 3 || !consecutive || !alike {
        return None;
    }
    let nth = |onset: &DateTime| (onset.day() - 1) / 7 + 1;
    let last = |onset: &DateTime| onset.day() + 7 > onset.date().days_in_month();
    let which = if onsets.iter().all(last) {
        -1
    } else if onsets.iter().all(|onset| nth(onset) == nth(first)) {
        nth(first)
    } else {
        return None;
    };
    let day = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
        .get(usize::try_from(first.date().weekday().to_monday_zero_offset()).ok()?)?;
    Some(format!("FREQ=YEARLY;BYMONTH={};BYDAY={which}{day}", first.month()))
}

fn offset(offset: Offset) -> String {
    let total = SignedDuration::from_secs(offset.seconds().into());
    let sign = if offset.seconds() < 0 { '-' } else { '+' };
    let seconds = total.as_secs().unsigned_abs();
    let rest = if seconds.is_multiple_of(60) { String::new() } else { format!("{:02}", seconds % 60) };
    format!("{sign}{:02}{:02}{rest}", seconds / 3600, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ical::{ZoneNames, read};

    #[test]
    fn what_is_written_has_the_offsets_of_the_zone_all_year() {
        for name in [
            "America/New_York",
            "Europe/Berlin",
            "Europe/Dublin",
            "Australia/Lord_Howe",
            "Asia/Tokyo",
            "Africa/Casablanca",
            "America/Sao_Paulo",
            "Asia/Kathmandu",
        ] {
            let zone = Zone::named(name).unwrap();
            for year in [2018, 2024, 2026] {
                let start: Timestamp = format!("{year}-01-01T12:00Z").parse().unwrap();
                for day in 0..365 {
                    let at = start + SignedDuration::from_hours(24 * day);
                    if day % 30 != 0 {
                        continue;
                    }
                    // Under another name, so that the file's rules count.
                    let text = vtimezone(&zone, at).unwrap().replace(name, "X");
                    let calendars = read(text.as_bytes());
                    let host = Zone::utc();
                    let mut names =
                        ZoneNames::new(&host, calendars.iter().flat_map(|c| c.children("VTIMEZONE")).collect());
                    let read_back = names.zone("X");
                    assert_eq!(read_back.name(), "X");
                    for hour in -2000..2000 {
                        let near = at + SignedDuration::from_hours(hour);
                        assert_eq!(read_back.offset(near), zone.offset(near), "{name} {near}\n{text}");
                    }
                }
            }
        }
        let text = vtimezone(&Zone::named("Europe/Berlin").unwrap(), "2026-06-01T00:00Z".parse().unwrap()).unwrap();
        assert!(text.contains("RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"), "{text}");
    }

    #[test]
    fn utc_and_fixed_offsets_have_none() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(vtimezone(&Zone::utc(), now), None);
        assert_eq!(vtimezone(&Zone::fixed("GMT-5", -18_000).unwrap(), now), None);
    }
}
