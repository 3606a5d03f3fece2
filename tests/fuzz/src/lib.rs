//! What the fuzz targets run, and the clock by which they are bound. The targets themselves are in [`targets`], which
//! the suite also runs, over the inputs that are kept in `fixtures/fuzz`.
#![forbid(unsafe_code)]

pub mod targets;

use std::time::Duration;
use targets::Bound;

/// 100 ms of CPU for 10 kB of input, times what the instrumentation and the checks of this build cost.
pub const BOUND: Bound = Bound { clock: cpu_time, limit: Duration::from_millis(100 * SLOWER) };

/// How much slower this build is than the program, measured on the bombs in `fixtures/fuzz`.
const SLOWER: u64 = 3;

fn cpu_time() -> Duration {
    cpu_time::ThreadTime::now().as_duration()
}
