//! The daemon: wiring, tasks, and how they end. Start with [`Daemon`].

mod inbox;
mod key;
mod logging;
mod look;
#[cfg(test)]
mod model;
mod poller;
mod publish;
mod setup;
mod tasks;
mod watch;

pub use key::{KeyError, key_path};
pub use logging::{Journal, Level, start_logging};
pub use look::{LookError, looks};
pub use poller::Poller;
pub use publish::load_board;
pub use setup::{Services, SetupError, random, zone_disagreements};
pub use tasks::{Daemon, Ready};
