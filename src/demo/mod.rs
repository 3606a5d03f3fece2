//! The demo: an embedded calendar server, the sample professor whose term it holds, and the config that puts the daemon on both.
//! Start with [`CalendarServer`] and [`professor`].

mod config;
mod professor;
mod server;

pub use config::{DemoConfig, HOST, config_text};
pub use professor::{SampleCalendar, professor};
pub use server::{CalendarServer, Credentials, Error, Storage, Transparency};
