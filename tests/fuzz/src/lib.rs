//! What the fuzz targets run, and the clock by which they are bound. The targets themselves are in [`targets`].
#![forbid(unsafe_code)]

pub mod targets;

use std::time::Duration;
use targets::Bound;

/// 100 ms of CPU for 10 kB of input, times what the instrumentation and the checks of this build cost.
pub const BOUND: Bound = Bound { clock: cpu_time, limit: Duration::from_millis(100 * SLOWER) };

/// How much slower this build may be than the program: an assumption, on the careful side of what was seen.
const SLOWER: u64 = 3;

fn cpu_time() -> Duration {
    cpu_time::ThreadTime::now().as_duration()
}
