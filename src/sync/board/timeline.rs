//! The intervals of many objects by the day on which they begin, so that a change of one object costs what the days that
//! it touches hold, and not what all of them do. See [`Timeline`].

use crate::availability::{Interval, IntervalSet};
use std::collections::BTreeMap;

const DAY: i64 = 86_400;

/// A multiset of intervals. What two objects say is in it twice, and stays when one of them no longer says it.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    days: BTreeMap<i64, Day>,
    /// Since it was last asked for.
    changed: bool,
}

/// Those that begin on one day (of UTC).
#[derive(Debug, Default)]
struct Day {
    all: Vec<Interval>,
    /// False when `all` is sorted.
    unsorted: bool,
    /// Their union; `None` when it is to be found anew.
    union: Option<IntervalSet>,
}

impl Timeline {
    /// Adds the intervals of an object.
    pub(super) fn add(&mut self, intervals: impl IntoIterator<Item = Interval>) {
        for interval in intervals {
            let day = self.days.entry(day_of(interval)).or_default();
            self.changed = true;
            day.unsorted |= day.all.last().is_some_and(|last| *last > interval);
            day.all.push(interval);
            day.union = None;
        }
    }

    /// Takes out the intervals of an object, once each.
    pub(super) fn remove(&mut self, intervals: impl IntoIterator<Item = Interval>) {
        let mut gone: Vec<Interval> = intervals.into_iter().collect();
        gone.sort_unstable();
        for gone in gone.chunk_by(|a, b| day_of(*a) == day_of(*b)) {
            let Some(first) = gone.first() else { continue };
            let Some(day) = self.days.get_mut(&day_of(*first)) else { continue };
            self.changed = true;
            day.sort();
            let mut gone = gone.iter().peekable();
            day.all.retain(|interval| {
                while gone.next_if(|gone| *gone < interval).is_some() {}
                gone.next_if(|gone| *gone == interval).is_none()
            });
            day.union = None;
            if day.all.is_empty() {
                self.days.remove(&day_of(*first));
            }
        }
    }

    /// The instants that are in any of them, if they have changed since this was asked before. Only days that have
    /// changed are looked at in full.
    pub(super) fn changed_union(&mut self) -> Option<IntervalSet> {
        let days = std::mem::take(&mut self.changed).then_some(self.days.values_mut())?;
        let unions = days.map(|day| {
            day.sort();
            &*day.union.get_or_insert_with(|| day.all.iter().copied().collect())
        });
        // By day, and within each by start.
        Some(IntervalSet::of_sorted(unions.flat_map(IntervalSet::iter)))
    }

    /// All of them, sorted, if they have changed since this was asked before.
    pub(super) fn changed(&mut self) -> Option<Vec<Interval>> {
        let days = std::mem::take(&mut self.changed).then_some(self.days.values_mut())?;
        let sorted = days.flat_map(|day| {
            day.sort();
            day.all.iter().copied()
        });
        Some(sorted.collect())
    }
}

impl Day {
    fn sort(&mut self) {
        if std::mem::take(&mut self.unsorted) {
            // Stable, as it finds what is sorted already.
            self.all.sort();
        }
    }
}

fn day_of(interval: Interval) -> i64 {
    interval.start().as_second().div_euclid(DAY)
}
