//! `officehours backup FILE`: a consistent copy of the store.

use super::office::{load, log};
use crate::daemon::Level;
use crate::store::{Access, Store};
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn backup(config: Option<&Path>, file: &Path) -> anyhow::Result<ExitCode> {
    log(Level::Command);
    let config = load(config)?;
    Store::open(&config.store.path, Access::Tool)?.backup(file).await?;
    Ok(ExitCode::SUCCESS)
}
