//! `officehours sync`: one pass over every calendar; a line a calendar.

use super::office::{host, open};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn sync(config: Option<&Path>, only: Option<&str>) -> anyhow::Result<ExitCode> {
    let (config, services) = open(config).await?;
    let only = only.map(|id| host(&services, id)).transpose()?;
    let mut out = std::io::stdout().lock();
    let mut failed = false;
    // Whoever asks for this doubts what is known: each calendar is compared as a whole.
    services.store.list_anew(only.as_ref().map(|only| &only.id)).await?;
    for host in config.hosts.iter().filter(|host| only.as_ref().is_none_or(|only| only.id == host.host.id)) {
        for source in services.sources(host)? {
            let name = format!("{}/{}", host.host.id, source.name());
            match source.pass(services.clock.now()).await {
                Ok(pass) => {
                    for calendar in pass.calendars {
                        let read = &calendar.brought;
                        if calendar.result.is_ok() || !read.is_empty() {
                            writeln!(
                                out,
                                "{name}/{}: {} added, {} changed, {} removed",
                                calendar.name,
                                read.added.len(),
                                read.changed.len(),
                                read.removed.len()
                            )?;
                        }
                        if let Err(error) = calendar.result {
                            failed = true;
                            writeln!(out, "{name}/{}: not read: {error}", calendar.name)?;
                        }
                    }
                }
                Err(error) => {
                    failed = true;
                    writeln!(out, "{name}: not read: {error}")?;
                }
            }
        }
    }
    for host in config.hosts.iter().filter(|host| only.as_ref().is_none_or(|only| only.id == host.host.id)) {
        for alert in super::check::open_alerts(&services, &host.host.id).await? {
            tracing::warn!(host = %host.host.id, alert = alert.kind.as_str(), subject = alert.subject, since = %alert.since, "The host is alerted; officehours check tells of what.");
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
