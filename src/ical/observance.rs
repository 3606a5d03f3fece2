//! VTIMEZONE (RFC 5545 3.6.5): STANDARD and DAYLIGHT observances to a table of the instants at which the offset changes.

use super::component::Component;
use super::rule::{RecurrenceRule, Until};
use super::time::{Written, parse_offset, parse_written};
use crate::recurrence::local::{Local, day_of, local_of};
use crate::recurrence::{Budget, First, expand};
use std::ops::Range;

/// The changes of offset of a zone that a file defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observances {
    /// In force before the first change.
    first: i32,
    /// In order of time.
    changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    /// Seconds since 1970.
    at: i64,
    /// In force from then on.
    offset: i32,
    /// The first wall-clock time that is read by the new offset: later than all of a gap and all of a fold.
    from_local: Local,
}

/// Rules are expanded within these years; a zone that changes before or after them keeps its offset there.
const YEARS: (i64, i64) = (1900, 2150);

impl Observances {
    /// `None` when no observance can be read.
    pub(crate) fn read(vtimezone: &Component<'_>) -> Option<Observances> {
        Observances::read_within(vtimezone, Local::MIN..Local::MAX)
    }

    /// As [`Observances::read`], but right only within a range of wall-clock time: rules without an end are expanded from a
    /// year before it to its end, which is much less work.
    pub(crate) fn read_within(vtimezone: &Component<'_>, range: Range<Local>) -> Option<Observances> {
        let mut onsets: Vec<(i64, i32, i32)> = Vec::new();
        let mut budget = Budget::new(300_000);
        for observance in vtimezone.components.iter().filter(|c| c.name == "STANDARD" || c.name == "DAYLIGHT") {
            read_observance(observance, &range, &mut budget, &mut onsets);
        }
        onsets.sort_unstable();
        onsets.dedup_by_key(|onset| onset.0);
        let first = onsets.first()?.1;
        let mut before = first;
        let changes = onsets.into_iter().map(|(at, _, offset)| {
            let change = Change { at, offset, from_local: at + i64::from(before.max(offset)) };
            before = offset;
            change
        });
        Some(Observances { first, changes: changes.collect() })
    }

    /// The offset at an instant.
    pub(crate) fn offset_at(&self, second: i64) -> i32 {
        let after = self.changes.partition_point(|change| change.at <= second);
        after.checked_sub(1).and_then(|at| self.changes.get(at)).map_or(self.first, |change| change.offset)
    }

    /// The offset by which a wall-clock time is read: in a gap and in a fold, the one before.
    pub(crate) fn offset_of_local(&self, local: Local) -> i32 {
        let after = self.changes.partition_point(|change| change.from_local <= local);
        after.checked_sub(1).and_then(|at| self.changes.get(at)).map_or(self.first, |change| change.offset)
    }

    /// The seconds since 1970 at which it changes, with the offset from then on.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (i64, i32)> {
        self.changes.iter().map(|change| (change.at, change.offset))
    }
}

/// Adds the onsets of one STANDARD or DAYLIGHT, as (instant, offset before, offset after). What cannot be read adds none.
fn read_observance(
    observance: &Component<'_>,
    wanted: &Range<Local>,
    budget: &mut Budget,
    onsets: &mut Vec<(i64, i32, i32)>,
) {
    let offset = |name: &str| observance.get(name).and_then(|property| parse_offset(&property.value));
    let Some(to) = offset("TZOFFSETTO").or(offset("TZOFFSETFROM")) else { return };
    let from = offset("TZOFFSETFROM").unwrap_or(to);
    let wall = |written: Written| match written {
        Written::Date(date) => local_of(date.to_datetime(jiff::civil::Time::midnight())),
        Written::Local(time) => local_of(time),
        Written::Instant(instant) => instant.as_second() + i64::from(from),
    };
    let Some(start) = observance.get("DTSTART").and_then(|property| parse_written(&property.value)).map(wall) else {
        return;
    };
    let mut locals = vec![start];
    for property in &observance.properties {
        match property.name.as_ref() {
            "RDATE" => locals.extend(property.value.split(',').filter_map(parse_written).map(wall)),
            "RRULE" => {
                let Ok(rule) = RecurrenceRule::parse(&property.value) else { continue };
                // "If the TZOFFSETFROM … UNTIL … MUST be specified in UTC": an onset at that very instant counts.
                let until = match rule.until {
                    None => Local::MAX - 1,
                    Some(Until::Utc(instant)) => instant.as_second() + i64::from(from),
                    Some(Until::Local(time)) => local_of(time),
                    Some(Until::Date(date)) => local_of(date.to_datetime(jiff::civil::Time::midnight())) + 86_399,
                };
                let within = |year| day_of(year, 1, 1) * 86_400;
                let mut range = within(YEARS.0)..within(YEARS.1).min(until + 1);
                if rule.until.is_none() && rule.count.is_none() {
                    range.start = range.start.max(wanted.start.saturating_sub(400 * 86_400));
                    range.end = range.end.min(wanted.end);
                }
                // Truncated: what is known stands, and the last offset holds on.
                let _ = expand(&rule, start, First::Happens, range, budget, &mut locals);
            }
            _ => {}
        }
    }
    onsets.extend(locals.into_iter().map(|local| (local - i64::from(from), from, to)));
}
