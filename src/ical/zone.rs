//! Time zones (RFC 5545 3.2.19, 3.3.5, 3.6.5): the one place that knows where zone rules come from. Start with [`Zone`].
//!
//! IANA names have the rules of the operating system's tzdata, behind it jiff's bundle, behind that chrono-tz; other
//! names those of the file's VTIMEZONE. Which name means which zone is in [`super::zone_name`].

use super::observance::Observances;
use crate::recurrence::local::{Local, datetime_of, local_of};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use std::fmt;
use std::sync::Arc;

/// A time zone: wall-clock time to instants and back. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: Arc<str>,
    rules: Rules,
}

#[derive(Clone, PartialEq, Eq)]
enum Rules {
    Known(TimeZone),
    OfFile(Arc<Observances>),
    ChronoTz(chrono_tz::Tz),
}

/// A stretch of wall-clock time, half-open, within which one offset holds and nothing is shown twice or left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady {
    from: Local,
    to: Local,
    offset: i64,
}

impl Steady {
    /// The instant of a wall-clock time within it, in seconds since 1970.
    pub(crate) fn second(&self, local: Local) -> Option<i64> {
        (self.from <= local && local < self.to).then(|| local - self.offset)
    }
}

impl Zone {
    /// UTC.
    pub fn utc() -> Zone {
        Zone { name: "UTC".into(), rules: Rules::Known(TimeZone::UTC) }
    }

    /// The zone of an IANA name (`Europe/Berlin`) in any case, in the rules of the operating system, else the bundled ones.
    pub fn named(name: &str) -> Option<Zone> {
        if !is_iana_shaped(name) {
            return None;
        }
        if let Ok(rules) = TimeZone::get(name) {
            let name = rules.iana_name().unwrap_or(name).into();
            return (!rules.is_unknown()).then_some(Zone { name, rules: Rules::Known(rules) });
        }
        if let Ok(rules) = TimeZoneDatabase::bundled().get(name) {
            let name = rules.iana_name().unwrap_or(name).into();
            return Some(Zone { name, rules: Rules::Known(rules) });
        }
        let rules = *chrono_tz::TZ_VARIANTS.iter().find(|rules| rules.name().eq_ignore_ascii_case(name))?;
        Some(Zone { name: rules.name().into(), rules: Rules::ChronoTz(rules) })
    }

    /// A zone that is always so many seconds ahead of UTC.
    pub(crate) fn fixed(name: &str, seconds: i32) -> Option<Zone> {
        let rules = TimeZone::fixed(Offset::from_seconds(seconds).ok()?);
        Some(Zone { name: name.into(), rules: Rules::Known(rules) })
    }

    /// The zone of a VTIMEZONE.
    pub(crate) fn of_file(tzid: &str, observances: Observances) -> Zone {
        Zone { name: tzid.into(), rules: Rules::OfFile(Arc::new(observances)) }
    }

    /// True for the zone that [`Zone::named`] has of that very name.
    pub(crate) fn is_iana(&self, name: &str) -> bool {
        matches!(&self.rules, Rules::Known(rules) if rules.iana_name() == Some(name))
    }

    /// The name that it is written with: an IANA name, or the TZID of a VTIMEZONE.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The instant of a wall-clock time. In a gap: by the offset before it, so 02:30 becomes 03:30; in a fold: the
    /// first of the two (RFC 5545 3.3.5). `None` beyond the range of [`Timestamp`].
    pub fn instant(&self, local: DateTime) -> Option<Timestamp> {
        match &self.rules {
            Rules::Known(rules) => rules.to_ambiguous_timestamp(local).compatible().ok(),
            Rules::OfFile(_) | Rules::ChronoTz(_) => {
                Timestamp::new(self.second(local_of(local))?, local.subsec_nanosecond()).ok()
            }
        }
    }

    /// The wall-clock time of an instant.
    pub fn civil(&self, instant: Timestamp) -> DateTime {
        match &self.rules {
            Rules::Known(rules) => rules.to_datetime(instant),
            Rules::OfFile(_) | Rules::ChronoTz(_) => self.offset(instant).to_datetime(instant),
        }
    }

    /// The UTC offset in force at an instant.
    pub fn offset(&self, instant: Timestamp) -> Offset {
        match &self.rules {
            Rules::Known(rules) => rules.to_offset(instant),
            Rules::OfFile(rules) => Offset::from_seconds(rules.offset_at(instant.as_second())).unwrap_or(Offset::UTC),
            Rules::ChronoTz(rules) => {
                Offset::from_seconds(chrono_offset(*rules, instant.as_second())).unwrap_or(Offset::UTC)
            }
        }
    }

    /// As [`Zone::instant`], in seconds since 1970.
    pub(crate) fn second(&self, local: Local) -> Option<i64> {
        match &self.rules {
            Rules::Known(rules) => {
                Some(rules.to_ambiguous_timestamp(datetime_of(local)?).compatible().ok()?.as_second())
            }
            Rules::OfFile(rules) => local.checked_sub(rules.offset_of_local(local).into()),
            Rules::ChronoTz(rules) => {
                // Of the offsets a day before and after, the larger gives the earlier instant; it holds in a fold, and
                // outside of one if it is in force there. In a gap neither is, and the one before counts.
                let before = chrono_offset(*rules, local.saturating_sub(86_400 * 3 / 2));
                let after = chrono_offset(*rules, local.saturating_add(86_400 * 3 / 2));
                let holds = |offset: i32| chrono_offset(*rules, local.saturating_sub(offset.into())) == offset;
                let offset = [before, after].into_iter().find(|offset| holds(*offset)).unwrap_or(before);
                local.checked_sub(offset.into())
            }
        }
    }

    /// As [`Zone::civil`], in wall-clock seconds.
    pub(crate) fn local(&self, second: i64) -> Option<Local> {
        match &self.rules {
            Rules::OfFile(rules) => second.checked_add(rules.offset_at(second).into()),
            Rules::Known(_) | Rules::ChronoTz(_) => {
                Some(second + i64::from(self.offset(Timestamp::from_second(second).ok()?).seconds()))
            }
        }
    }

    /// As [`Zone::second`], with how far after `local` the same offset reads the wall clock.
    pub(crate) fn steady(&self, local: Local) -> Option<(i64, Steady)> {
        let second = self.second(local)?;
        let none = Steady { from: local, to: local, offset: 0 };
        let Ok(instant) = Timestamp::from_second(second) else { return Some((second, none)) };
        let offset = i64::from(self.offset(instant).seconds());
        let Rules::Known(rules) = &self.rules else { return Some((second, none)) };
        if second + offset != local {
            return Some((second, none));
        }
        let to = rules.following(instant).next().map_or(Timestamp::MAX.as_second() + offset, |change| {
            // Where the wall is set back, what it shows twice begins before the change.
            change.timestamp().as_second() + offset.min(change.offset().seconds().into())
        });
        Some((second, Steady { from: local, to, offset }))
    }

    /// The instants after `from` and before `to` at which the offset changes, with the offset from then on, in order.
    pub(crate) fn transitions(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Offset)> {
        let mut found: Vec<(Timestamp, Offset)> = Vec::new();
        let mut offset = self.offset(from);
        let mut add = |at: Timestamp, next: Offset| {
            if next != offset {
                offset = next;
                found.push((at, next));
            }
        };
        match &self.rules {
            Rules::Known(rules) => {
                rules.following(from).take_while(|t| t.timestamp() < to).for_each(|t| add(t.timestamp(), t.offset()));
            }
            Rules::OfFile(rules) => {
                for (second, after) in rules.changes() {
                    if let (Ok(at), Ok(after)) = (Timestamp::from_second(second), Offset::from_seconds(after))
                        && from < at
                        && at < to
                    {
                        add(at, after);
                    }
                }
            }
            Rules::ChronoTz(rules) => {
                let mut second = from.as_second();
                while second < to.as_second() {
                    let next = second + 3600;
                    if chrono_offset(*rules, next) != chrono_offset(*rules, second) {
                        let (mut low, mut high) = (second, next);
                        while high - low > 1 {
                            let middle = low + (high - low) / 2;
                            let same = chrono_offset(*rules, middle) == chrono_offset(*rules, second);
                            if same { low = middle } else { high = middle }
                        }
                        if let (Ok(at), Ok(after)) =
                            (Timestamp::from_second(high), Offset::from_seconds(chrono_offset(*rules, high)))
                        {
                            add(at, after);
                        }
                    }
                    second = next;
                }
            }
        }
        found
    }

    /// The first instant of a range from which on another zone has another offset. `None` when the two agree.
    pub(crate) fn first_difference(&self, other: &Zone, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
        let changes = |zone: &Zone| {
            let mut changes = vec![(from, zone.offset(from))];
            changes.extend(zone.transitions(from, to));
            changes
        };
        let (ours, theirs) = (changes(self), changes(other));
        let alone = ours.iter().filter(|change| !theirs.contains(change));
        alone.chain(theirs.iter().filter(|change| !ours.contains(change))).map(|(at, _)| *at).min()
    }

    /// What the bundled rules of the same name say otherwise between two instants, one sentence each; empty when they
    /// agree. A difference means that the operating system's tzdata, or the bundle, is out of date.
    pub fn disagreements(&self, from: Timestamp, to: Timestamp) -> Vec<String> {
        let mut found = Vec::new();
        let bundled =
            TimeZoneDatabase::bundled().get(&self.name).ok().map(|rules| ("jiff's bundled", Rules::Known(rules)));
        let chrono = self.name.parse().ok().map(|rules| ("chrono-tz's", Rules::ChronoTz(rules)));
        for (source, rules) in bundled.into_iter().chain(chrono) {
            let other = Zone { name: self.name.clone(), rules };
            if let Some(at) = self.first_difference(&other, from, to) {
                found.push(format!(
                    "the rules in use for {} and {source} ones differ at {at}: {} against {}",
                    self.name,
                    self.offset(at),
                    other.offset(at)
                ));
            }
        }
        found
    }
}

/// The names in tzdata that are no zones, or mean the machine's, are left out: `localtime`, `posixrules`.
fn is_iana_shaped(name: &str) -> bool {
    let odd = ["localtime", "posixrules", "Factory", "leapseconds", "Etc/Unknown"];
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-+".contains(&b))
        && !odd.iter().any(|odd| odd.eq_ignore_ascii_case(name))
}

fn chrono_offset(rules: chrono_tz::Tz, second: i64) -> i32 {
    use chrono_tz::OffsetComponents as _;
    let Some(time) = chrono::DateTime::from_timestamp(second, 0) else { return 0 };
    let offset = chrono::TimeZone::offset_from_utc_datetime(&rules, &time.naive_utc());
    let total = offset.base_utc_offset() + offset.dst_offset();
    i32::try_from(total.num_seconds()).unwrap_or(0)
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_but_none_that_means_this_machine() {
        assert_eq!(Zone::named("europe/berlin").unwrap().name(), "Europe/Berlin");
        for name in
            ["localtime", "posixrules", "Factory", "../../etc/passwd", "", "Nowhere/Land", "posix/Europe/Berlin"]
        {
            assert_eq!(Zone::named(name), None, "{name}");
        }
    }

    #[test]
    fn the_third_source_agrees_with_the_first_on_gaps_and_folds() {
        for name in ["America/New_York", "Australia/Lord_Howe", "Europe/London"] {
            let first = Zone::named(name).unwrap();
            let third = Zone { name: name.into(), rules: Rules::ChronoTz(name.parse().unwrap()) };
            let mut local = local_of("2024-01-01T00:00".parse().unwrap());
            while local < local_of("2025-01-01T00:00".parse().unwrap()) {
                assert_eq!(first.second(local), third.second(local), "{name} {:?}", datetime_of(local));
                let second = first.second(local).unwrap();
                assert_eq!(first.local(second), third.local(second));
                local += 900;
            }
        }
    }

    #[test]
    fn stale_rules_are_named_and_good_ones_are_not() {
        let from: Timestamp = "2026-01-01T00:00Z".parse().unwrap();
        let to = "2027-06-01T00:00Z".parse().unwrap();
        let of = |name: &str| TimeZoneDatabase::bundled().get(name).unwrap();
        let bundled = |name: &str| Zone { name: name.into(), rules: Rules::Known(of(name)) };
        assert_eq!(bundled("Europe/Berlin").disagreements(from, to), Vec::<String>::new());
        // British Columbia stays on summer time from November 2026 on; chrono-tz's rules are older than that.
        let lines = bundled("America/Vancouver").disagreements(from, to);
        assert!(lines.iter().any(|line| line.contains("chrono-tz")), "{lines:?}");
    }
}
