//! Recurrence (RFC 5545 3.8.5): rules, dates and exclusions to the instances in a window. Start with [`RecurrenceSet`].

mod bits;
mod budget;
#[cfg(test)]
mod cost;
mod days;
mod expand;
pub(crate) mod local;
#[cfg(test)]
mod oracles;
mod set;

pub use bits::Bits;
pub use budget::Budget;
pub(crate) use expand::{First, expand};
pub(crate) use set::Name;
pub use set::{Instance, Instances, RecurrenceSet};
