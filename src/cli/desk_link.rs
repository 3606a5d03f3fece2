//! `officehours desk-link HOST`: a link that opens the host's desk once; or, with `--revoke`, every desk of theirs closed.

use super::office::{host, open};
use crate::daemon::random;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn desk_link(config: Option<&Path>, id: &str, revoke: bool, json: bool) -> anyhow::Result<ExitCode> {
    let (_, services) = open(config).await?;
    let host = host(&services, id)?;
    let mut out = std::io::stdout().lock();
    if revoke {
        let ended = services.desk.close_desk(&host.id).await?;
        match json {
            true => writeln!(out, "{}", json!({ "host": host.id.as_str(), "sessions_ended": ended }))?,
            false => writeln!(out, "{ended} session(s) of {} ended; links that were not used open nothing.", host.id)?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (url, until) = services.desk.new_desk_link(&host.id, random()?).await?;
    if json {
        writeln!(out, "{}", json!({ "host": host.id.as_str(), "url": url, "expires_at": until }))?;
    } else {
        writeln!(out, "{url}")?;
        eprintln!("It opens the desk of {} once, until {}.", host.name, host.zone.civil(until).strftime("%H:%M"));
    }
    Ok(ExitCode::SUCCESS)
}
