//! How much work an expansion may do before it gives up and says so.

/// Steps left to do. Shared by the rules of one calendar object, so that many bombs cost no more than one.
#[derive(Clone, Debug)]
pub struct Budget {
    left: u64,
}

/// What one occurrence costs in steps: it is turned into instants and kept.
pub(crate) const OCCURRENCE: u64 = 16;

impl Budget {
    /// So many steps, of some nanoseconds each.
    pub fn new(steps: u64) -> Budget {
        Budget { left: steps }
    }

    /// What an object of that many bytes may cost: some 20 ms, more for a large file of many events.
    pub fn for_object(bytes: usize) -> Budget {
        Budget::new(2_000_000 + 300 * bytes as u64)
    }

    /// Takes steps; false, and nothing is left, when there were not enough.
    pub(crate) fn spend(&mut self, steps: u64) -> bool {
        let enough = self.left >= steps;
        self.left = self.left.saturating_sub(steps);
        enough
    }
}
