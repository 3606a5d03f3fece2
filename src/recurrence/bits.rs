//! A small set of numbers from 0 to 63, for the BYxxx parts of a rule.

/// A set of numbers from 0 to 63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bits(u64);

impl Bits {
    /// The set of one number; empty when it is not from 0 to 63.
    pub fn only(number: i64) -> Bits {
        let mut bits = Bits::default();
        bits.insert(number);
        bits
    }

    /// Adds a number; others than 0 to 63 are left out.
    pub fn insert(&mut self, number: i64) {
        if (0..64).contains(&number) {
            self.0 |= 1 << number;
        }
    }

    /// True when the number is in it.
    pub fn contains(&self, number: i64) -> bool {
        (0..64).contains(&number) && self.0 >> number & 1 == 1
    }

    /// True when nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// The numbers, in order.
    pub fn iter(self) -> impl Iterator<Item = i64> {
        (0..64).filter(move |n| self.0 >> n & 1 == 1)
    }

    /// What of it is also true of `keep`.
    pub(crate) fn retain(&mut self, keep: impl Fn(i64) -> bool) {
        *self = self.iter().filter(|n| keep(*n)).collect();
    }

    /// With a leap second (60) as the 59th: RFC 5545 3.3.12.
    pub(crate) fn folded_second(self) -> Bits {
        self.iter().map(|n| n.min(59)).collect()
    }
}

impl FromIterator<i64> for Bits {
    fn from_iter<I: IntoIterator<Item = i64>>(numbers: I) -> Bits {
        let mut bits = Bits::default();
        for number in numbers {
            bits.insert(number);
        }
        bits
    }
}
