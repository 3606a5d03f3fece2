//! `officehours backup FILE`: a consistent copy of the store. `officehours new-key`: other links for all bookings.

use super::office::{load, log};
use crate::daemon::{Level, Services, key_path};
use crate::store::{Access, Store};
use anyhow::Context;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn backup(config: Option<&Path>, file: &Path, without_key: bool) -> anyhow::Result<ExitCode> {
    log(Level::Command);
    let config = load(config)?;
    let store = Store::open(&config.store.path, Access::Tool)?;
    store.backup(file).await?;
    let (key, copy) = (key_path(&config.store.path), key_path(file));
    // A store that was never served has none yet.
    if !without_key && key.exists() {
        let digits = std::fs::read(&key).with_context(|| format!("cannot read the key {}", key.display()))?;
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy);
        let written = opened.and_then(|mut file| file.write_all(&digits).and_then(|()| file.sync_all()));
        written.with_context(|| format!("cannot write {}", copy.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn new_key(config: Option<&Path>) -> anyhow::Result<ExitCode> {
    log(Level::Command);
    let config = load(config)?;
    let bookings = Services::renew_key(&config).await?;
    println!("{bookings} bookings have new links; those of before open nothing any more.");
    Ok(ExitCode::SUCCESS)
}
