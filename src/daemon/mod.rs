//! The daemon: wiring, tasks, and how they end. Start with [`Daemon`].

mod account;
mod logging;
mod publish;
mod setup;
mod tasks;

pub use account::Poller;
pub use logging::{Journal, Level, start_logging};
pub use publish::load_board;
pub use setup::{Services, SetupError, random, zone_disagreements};
pub use tasks::{Daemon, Ready};
