//! Time zones (RFC 5545 3.2.19, 3.3.5, 3.6.5): the one place that knows where zone rules come from.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use std::fmt;

/// A time zone: wall-clock time to instants and back. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: std::sync::Arc<str>,
    rules: TimeZone,
}

impl Zone {
    /// UTC.
    pub fn utc() -> Zone {
        Zone { name: "UTC".into(), rules: TimeZone::UTC }
    }

    /// The zone of an IANA name (`Europe/Berlin`), in the rules of the operating system, else the bundled ones.
    pub fn named(name: &str) -> Option<Zone> {
        let rules = TimeZone::get(name).ok()?;
        Some(Zone { name: rules.iana_name().unwrap_or(name).into(), rules })
    }

    /// The name that it is written with: an IANA name, or the TZID of a VTIMEZONE.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The instant of a wall-clock time. In a gap: by the offset before it, so 02:30 becomes 03:30; in a fold: the
    /// first of the two (RFC 5545 3.3.5). `None` beyond the range of [`Timestamp`].
    pub fn instant(&self, local: DateTime) -> Option<Timestamp> {
        self.rules.to_ambiguous_timestamp(local).compatible().ok()
    }

    /// The wall-clock time of an instant.
    pub fn civil(&self, instant: Timestamp) -> DateTime {
        self.rules.to_datetime(instant)
    }

    /// The UTC offset in force at an instant.
    pub fn offset(&self, instant: Timestamp) -> Offset {
        self.rules.to_offset(instant)
    }
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
