//! `officehours pause HOST` and `officehours resume HOST`: whether new bookings are taken. The running daemon follows within seconds.

use super::UsageError;
use super::office::{host, open, time};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn pause(
    config: Option<&Path>,
    id: &str,
    until: Option<&str>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let (_, services) = open(config).await?;
    let host = host(&services, id)?;
    let until = until.map(|text| time(text, &host.zone)).transpose()?;
    if until.is_some_and(|until| until <= services.clock.now()) {
        return Err(UsageError("--until is over already: write a time that is ahead".to_owned()).into());
    }
    services.desk.pause(&host.id, until).await?;
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", json!({ "host": host.id.as_str(), "paused": true, "until": until }))?;
    } else {
        let until = until.map_or_else(
            || format!("until officehours resume {}", host.id),
            |until| format!("until {}", host.zone.civil(until).strftime("%a %Y-%m-%d %H:%M")),
        );
        writeln!(out, "{} takes no new bookings {until}. What is booked stays.", host.id)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn resume(config: Option<&Path>, id: &str, json: bool) -> anyhow::Result<ExitCode> {
    let (_, services) = open(config).await?;
    let host = host(&services, id)?;
    let was_paused = services.desk.resume(&host.id).await?;
    let mut out = std::io::stdout().lock();
    match (json, was_paused) {
        (true, _) => {
            writeln!(out, "{}", json!({ "host": host.id.as_str(), "paused": false, "was_paused": was_paused }))?;
        }
        (false, true) => writeln!(out, "{} takes new bookings again.", host.id)?,
        (false, false) => writeln!(out, "{} takes new bookings already.", host.id)?,
    }
    Ok(ExitCode::SUCCESS)
}
