//! `officehours feed HOST[/MEETING]`: the feed's text, by what is stored.

use super::office::{host, meeting, open};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn feed(config: Option<&Path>, target: &str) -> anyhow::Result<ExitCode> {
    let (_, services) = open(config).await?;
    let (host, meeting) = if target.contains('/') {
        let (host, meeting) = meeting(&services, target)?;
        (host, Some(meeting))
    } else {
        (host(&services, target)?, None)
    };
    let feed = services.desk.feed(&host.id, meeting.as_ref().map(|meeting| &meeting.id));
    let feed = feed
        .ok_or_else(|| anyhow::anyhow!("a calendar of {} was never read: run officehours sync {}", host.id, host.id))?;
    std::io::stdout().lock().write_all(&feed.body)?;
    Ok(ExitCode::SUCCESS)
}
