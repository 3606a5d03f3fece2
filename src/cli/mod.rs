//! The command line: one file a command.
pub mod busy_ics;
#[cfg(test)]
mod differential;
