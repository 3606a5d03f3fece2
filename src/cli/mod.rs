//! The command line: arguments to a command to an exit status. One file a command.

mod args;
mod bookings;
mod busy;
pub mod busy_ics;
mod calendars;
mod check;
mod demo;
mod desk_link;
#[cfg(test)]
mod differential;
mod explain;
mod feed;
mod generate;
mod health;
mod init;
mod init_text;
mod login;
mod maintain;
mod office;
mod outbox;
mod pause;
mod run;
mod slots;
mod sync;

pub use args::{Arguments, Command};

use crate::config::{ConfigErrors, NotFound};
use clap::Parser;
use std::process::ExitCode;

/// Wrong usage: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Reads the arguments of the process and does what they ask.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("officehours: the runtime could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(perform(arguments));
    // What blocks a thread of the runtime, such as a password command, does not hold up the end.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => report(&error),
    }
}

/// Says what went wrong, and gives the exit status that belongs to it.
fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(mistakes) = error.downcast_ref::<ConfigErrors>() {
        eprintln!("{mistakes}");
        return ExitCode::from(78);
    }
    // A pipe that was closed, as by `head`, is no failure.
    let pipe = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    if pipe.into_iter().any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("officehours: {error:#}");
    if error.is::<NotFound>() {
        return ExitCode::from(78);
    }
    if error.is::<UsageError>() {
        return ExitCode::from(2);
    }
    match error.downcast_ref::<busy_ics::BusyIcsError>() {
        Some(error) => ExitCode::from(error.exit_status()),
        None => ExitCode::FAILURE,
    }
}

async fn perform(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.config;
    match arguments.command {
        Command::Run => run::run(config.as_deref()).await,
        Command::Demo(args) => demo::demo(args).await,
        Command::Init(args) => init::init(config.as_deref(), args).await,
        Command::Check(args) => check::check(config.as_deref(), args).await,
        Command::Login { account, no_browser } => login::login(config.as_deref(), &account, no_browser).await,
        Command::Sync { host } => sync::sync(config.as_deref(), host.as_deref()).await,
        Command::Calendars { host } => calendars::calendars(config.as_deref(), &host).await,
        Command::Busy(args) => busy::busy(config.as_deref(), args).await,
        Command::Slots(args) => slots::slots(config.as_deref(), args).await,
        Command::Explain(args) => explain::explain(config.as_deref(), args).await,
        Command::Feed { target } => feed::feed(config.as_deref(), &target).await,
        Command::Bookings(command) => bookings::bookings(config.as_deref(), command).await,
        Command::Outbox { host, json, command } => {
            outbox::outbox(config.as_deref(), host.as_deref(), json, command).await
        }
        Command::DeskLink { host, revoke, json } => desk_link::desk_link(config.as_deref(), &host, revoke, json).await,
        Command::Pause { host, until, json } => pause::pause(config.as_deref(), &host, until.as_deref(), json).await,
        Command::Resume { host, json } => pause::resume(config.as_deref(), &host, json).await,
        Command::Backup { file, without_key } => maintain::backup(config.as_deref(), &file, without_key).await,
        Command::NewKey => maintain::new_key(config.as_deref()).await,
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { directory } => generate::man(directory.as_deref()),
    }
}
