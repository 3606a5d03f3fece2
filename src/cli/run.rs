//! `officehours run`: the daemon.

use super::office::{load, log, system_clock};
use crate::config::Environment;
use crate::daemon::{Daemon, Level};
use std::path::Path;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

pub(super) async fn run(config: Option<&Path>) -> anyhow::Result<ExitCode> {
    log(Level::Service);
    let config = load(config)?;
    let daemon = Daemon { config, environment: Environment::of_process(), clock: system_clock() };
    daemon.run(CancellationToken::new(), Box::new(|_| {})).await?;
    Ok(ExitCode::SUCCESS)
}
