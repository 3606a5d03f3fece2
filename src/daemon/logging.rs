//! Logs: to the journal with fields when systemd listens, else as lines on standard error. A sentence plus fields, and nothing
//! that names a guest.

use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How much is logged when `OFFICEHOURS_LOG` does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What a running service has to tell.
    Service,
    /// What a command has to tell: only what is wrong.
    Command,
}

/// Starts logging. `filter` is what `OFFICEHOURS_LOG` says, such as `officehours=debug`; `journal` is true when standard
/// error is connected to systemd's journal.
pub fn start_logging(level: Level, filter: Option<&str>, journal: Journal) {
    let default = match level {
        Level::Service => "officehours=info,warn",
        Level::Command => "officehours=warn,error",
    };
    let filter = filter.map_or_else(|| EnvFilter::new(default), EnvFilter::new);
    // It would tell the password of the mailbox.
    let filter = "async_imap=warn".parse().map_or_else(|_| EnvFilter::new(default), |less| filter.add_directive(less));
    let registry = tracing_subscriber::registry().with(filter);
    let journald = match journal {
        Journal::Connected => tracing_journald::layer().ok(),
        Journal::None => None,
    };
    // A second start, in a test, keeps the first.
    let _ = match journald {
        Some(journald) => registry.with(journald).try_init(),
        None => {
            let lines =
                tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_target(false);
            registry.with(lines).try_init()
        }
    };
}

/// Whether standard error is connected to systemd's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    /// It is: `$JOURNAL_STREAM` is set.
    Connected,
    /// It is not.
    None,
}
