//! Chance that can be had again: a generator whose seed is printed, and taken from `OFFICEHOURS_TEST_SEED`.

/// SplitMix64: small, and good enough to choose faults by.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// From `OFFICEHOURS_TEST_SEED`, else a seed of its own; printed either way.
    pub(crate) fn seeded(what: &str) -> Random {
        let given = std::env::var("OFFICEHOURS_TEST_SEED").ok().map(|seed| seed.parse().expect("a number"));
        let seed: u64 =
            given.unwrap_or_else(|| u64::from_ne_bytes(uuid::Uuid::now_v7().as_bytes()[8..].try_into().unwrap()));
        println!("{what}: OFFICEHOURS_TEST_SEED={seed}");
        Random(seed)
    }

    /// Another one, for another task.
    pub(crate) fn fork(&mut self) -> Random {
        Random(self.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to `count`, not included.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count.max(1)).unwrap()).unwrap()
    }

    /// True so many times of a hundred.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// So many milliseconds, from the first up to the second.
    pub(crate) fn millis(&mut self, from: usize, to: usize) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(from + self.below(to - from)).unwrap())
    }
}
