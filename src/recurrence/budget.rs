//! How much work an expansion may do before it gives up and says so.

/// What one rule may cost: some 125,000 occurrences.
const ONE_RULE: u64 = 4_000_000;

/// Steps left to do. Shared by the rules of one calendar object, so that many bombs cost no more than one.
#[derive(Clone, Debug)]
pub struct Budget {
    left: u64,
}

/// What one occurrence costs in steps: it is turned into instants and kept.
pub(crate) const OCCURRENCE: u64 = 32;

impl Budget {
    /// So many steps, of some nanoseconds each.
    pub fn new(steps: u64) -> Budget {
        Budget { left: steps }
    }

    /// What an object of that many bytes may cost: some 20 ms, more for a large file of many events.
    pub fn for_object(bytes: usize) -> Budget {
        Budget::new(ONE_RULE + 100 * bytes as u64)
    }

    /// Steps not yet taken.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Takes out what one rule may cost at most, so that no bomb takes all the memory, or all that its neighbours
    /// need. What it leaves is to be given back.
    pub(crate) fn share(&mut self) -> Budget {
        let left = self.left.min(ONE_RULE);
        self.left -= left;
        Budget { left }
    }

    /// Takes back what is left of a share.
    pub(crate) fn give_back(&mut self, share: Budget) {
        self.left += share.left;
    }

    /// Takes steps; false, and nothing is left, when there were not enough.
    pub(crate) fn spend(&mut self, steps: u64) -> bool {
        let enough = self.left >= steps;
        self.left = self.left.saturating_sub(steps);
        enough
    }
}
