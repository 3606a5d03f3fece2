//! `officehours completions` and `officehours man`: made from the arguments themselves, so that they cannot differ.

use super::Arguments;
use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn completions(shell: Shell) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "officehours", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn man(directory: Option<&Path>) -> anyhow::Result<ExitCode> {
    match directory {
        Some(directory) => clap_mangen::generate_to(Arguments::command(), directory)
            .with_context(|| format!("the manual pages cannot be written to {}", directory.display()))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
            std::io::stdout().lock().write_all(&page)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
