//! Half-open intervals of time and sets of them. Everything that decides "free or not" is arithmetic on these.

use jiff::{SignedDuration, Timestamp};

/// A half-open interval of instants: `start` is in it, `end` is not; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    start: Timestamp,
    end: Timestamp,
}

impl Interval {
    /// `None` when `end` is not after `start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Interval> {
        (start < end).then_some(Interval { start, end })
    }

    /// The first instant that is in it.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The first instant that is no longer in it.
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// How long it is, in elapsed time.
    pub fn duration(&self) -> SignedDuration {
        self.end.duration_since(self.start)
    }

    /// True when an instant is in both. Intervals that only touch do not overlap.
    pub fn overlaps(&self, other: Interval) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// True when all of `other` is in it.
    pub fn covers(&self, other: Interval) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// True when the instant is in it.
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }

    /// What is in both.
    pub fn intersection(&self, other: Interval) -> Option<Interval> {
        Interval::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Longer by `before` at its start and `after` at its end, as far as time goes.
    pub fn widened(&self, before: SignedDuration, after: SignedDuration) -> Interval {
        Interval {
            start: self.start.checked_sub(before).unwrap_or(Timestamp::MIN).min(self.start),
            end: self.end.checked_add(after).unwrap_or(Timestamp::MAX).max(self.end),
        }
    }
}

/// A set of instants as sorted intervals that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntervalSet {
    intervals: Vec<Interval>,
}

impl IntervalSet {
    /// The empty set.
    pub fn new() -> IntervalSet {
        IntervalSet::default()
    }

    /// The intervals, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Interval> + '_ {
        self.intervals.iter().copied()
    }

    /// True when nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// The number of intervals.
    pub fn len(&self) -> usize {
        self.intervals.len()
    }

    /// True when an instant is in both.
    pub fn overlaps(&self, interval: Interval) -> bool {
        let first = self.intervals.partition_point(|i| i.end <= interval.start);
        self.intervals.get(first).is_some_and(|i| i.start < interval.end)
    }

    /// True when all of `interval` is in it.
    pub fn covers(&self, interval: Interval) -> bool {
        let first = self.intervals.partition_point(|i| i.end <= interval.start);
        self.intervals.get(first).is_some_and(|i| i.covers(interval))
    }

    /// What of it is within `window`.
    pub fn clipped(&self, window: Interval) -> IntervalSet {
        let first = self.intervals.partition_point(|i| i.end <= window.start);
        let rest = self.intervals.get(first..).unwrap_or_default();
        IntervalSet {
            intervals: rest
                .iter()
                .take_while(|i| i.start < window.end)
                .filter_map(|i| i.intersection(window))
                .collect(),
        }
    }

    /// What is in either.
    pub fn union(&self, other: &IntervalSet) -> IntervalSet {
        self.iter().chain(other.iter()).collect()
    }

    /// Those that are sorted by start, as a set.
    pub(crate) fn of_sorted(sorted: impl Iterator<Item = Interval>) -> IntervalSet {
        let mut intervals: Vec<Interval> = Vec::new();
        for next in sorted {
            match intervals.last_mut() {
                Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
                _ => intervals.push(next),
            }
        }
        IntervalSet { intervals }
    }

    /// What is in it and not in `other`.
    pub fn subtract(&self, other: &IntervalSet) -> IntervalSet {
        let mut left = Vec::with_capacity(self.intervals.len());
        let mut cuts = other.intervals.iter().copied().peekable();
        for whole in &self.intervals {
            let mut start = whole.start;
            while cuts.next_if(|cut| cut.end <= start).is_some() {}
            while let Some(cut) = cuts.peek().copied().filter(|cut| cut.start < whole.end) {
                left.extend(Interval::new(start, cut.start));
                start = start.max(cut.end);
                if cut.end > whole.end {
                    break;
                }
                cuts.next();
            }
            left.extend(Interval::new(start, whole.end));
        }
        IntervalSet { intervals: left }
    }
}

impl FromIterator<Interval> for IntervalSet {
    fn from_iter<I: IntoIterator<Item = Interval>>(iter: I) -> IntervalSet {
        let mut all: Vec<Interval> = iter.into_iter().collect();
        all.sort_unstable();
        IntervalSet::of_sorted(all.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn span(start: i64, end: i64) -> Interval {
        Interval::new(at(start), at(end)).unwrap()
    }

    fn set(spans: &[(i64, i64)]) -> IntervalSet {
        spans.iter().map(|&(start, end)| span(start, end)).collect()
    }

    #[test]
    fn an_interval_is_never_empty() {
        assert_eq!(Interval::new(at(5), at(5)), None);
        assert_eq!(Interval::new(at(6), at(5)), None);
    }

    #[test]
    fn touching_intervals_do_not_overlap_but_are_joined_in_a_set() {
        assert!(!span(0, 5).overlaps(span(5, 9)));
        assert_eq!(set(&[(5, 9), (0, 5), (20, 30)]), set(&[(0, 9), (20, 30)]));
        assert_eq!(set(&[(5, 9), (0, 5)]).len(), 1);
    }

    #[test]
    fn subtracting_cuts_at_both_ends_in_the_middle_and_over_several() {
        let whole = set(&[(0, 10), (20, 30), (40, 50)]);
        assert_eq!(whole.subtract(&set(&[(2, 3), (8, 22), (25, 45)])), set(&[(0, 2), (3, 8), (22, 25), (45, 50)]));
        assert_eq!(whole.subtract(&set(&[(-5, 60)])), IntervalSet::new());
        assert_eq!(whole.subtract(&IntervalSet::new()), whole);
    }

    #[test]
    fn clipping_keeps_what_is_within() {
        assert_eq!(set(&[(0, 10), (20, 30)]).clipped(span(5, 20)), set(&[(5, 10)]));
    }

    #[test]
    fn subtract_agrees_with_counting_every_second() {
        // Every pair of sets over eight seconds, against the definition.
        let of = |bits: u32| -> IntervalSet { (0..8).filter(|b| bits >> b & 1 == 1).map(|b| span(b, b + 1)).collect() };
        for a in 0..256 {
            for b in 0..256 {
                assert_eq!(of(a).subtract(&of(b)), of(a & !b), "{a:08b} - {b:08b}");
                assert_eq!(of(a).union(&of(b)), of(a | b));
            }
        }
    }
}
