//! What most commands begin with: the config, the clock, and a desk on the store.

use super::UsageError;
use crate::availability::{Clock, Host, MeetingType};
use crate::caldav::Calendar;
use crate::config::{Config, Environment, locate};
use crate::daemon::{Journal, Level, Services, start_logging};
use crate::store::Access;
use anyhow::Context;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The config file of `--config`, else of the places that are looked in.
pub(super) fn config_path(config: Option<&Path>) -> anyhow::Result<PathBuf> {
    Ok(locate(config.map(Path::to_owned), &Environment::of_process(), |path| path.is_file())?)
}

/// Reads the config. Its mistakes become exit status 78.
pub(super) fn load(config: Option<&Path>) -> anyhow::Result<Config> {
    let path = config_path(config)?;
    let config = Config::load(&path, &Environment::of_process())?;
    for warning in &config.warnings {
        tracing::warn!("{}", warning.display(&path));
    }
    Ok(config)
}

/// The real time.
pub(super) fn system_clock() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the process asks the time")]
    Clock::new(Timestamp::now)
}

/// Starts logging for a command.
pub(super) fn log(level: Level) {
    let filter = std::env::var("OFFICEHOURS_LOG").ok();
    let journal = if std::env::var_os("JOURNAL_STREAM").is_some() { Journal::Connected } else { Journal::None };
    start_logging(level, filter.as_deref(), journal);
}

/// The config with a desk on its store: what is stored is published, nothing is polled.
pub(super) async fn open(config: Option<&Path>) -> anyhow::Result<(Config, Services)> {
    open_at(config, None).await
}

/// The same, with busy time around `now` instead of the present.
pub(super) async fn open_at(config: Option<&Path>, now: Option<&str>) -> anyhow::Result<(Config, Services)> {
    log(Level::Command);
    let clock = system_clock();
    let now = now.map_or_else(|| Ok(clock.now()), |text| time(text, &crate::ical::Zone::utc()))?;
    let config = load(config)?;
    let services = Services::open(&config, Access::Tool, Environment::of_process(), clock).await?;
    services.publish_stored(&config, now).await.context("what is stored cannot be read")?;
    Ok((config, services))
}

/// What to do about a calendar that the server only names, if it is one.
pub(super) fn subscription_advice(calendar: &Calendar) -> Option<String> {
    let url = calendar.source.as_deref().unwrap_or("the address that it comes from");
    calendar.subscribed.then(|| {
        format!(
            "{}: a subscription that the server names and does not hold; to be busy by it, add [[host.subscription]] with url = {url:?}.",
            calendar.name
        )
    })
}

/// The host of that id, or wrong usage.
pub(super) fn host(services: &Services, id: &str) -> anyhow::Result<Arc<Host>> {
    services.desk.host(id).ok_or_else(|| {
        let known: Vec<String> = services.desk.hosts().iter().map(|host| host.id.to_string()).collect();
        UsageError(format!("there is no host {id:?} in the config; there is {}", known.join(", "))).into()
    })
}

/// The host and meeting type of `HOST/MEETING`, or wrong usage.
pub(super) fn meeting(services: &Services, target: &str) -> anyhow::Result<(Arc<Host>, Arc<MeetingType>)> {
    let (host_id, meeting_id) = target
        .split_once('/')
        .ok_or_else(|| UsageError(format!("{target:?}: write HOST/MEETING, such as noether/office-hour")))?;
    let host = host(services, host_id)?;
    let meeting = host.meeting(meeting_id).cloned().ok_or_else(|| {
        let known: Vec<&str> = host.meetings.iter().map(|meeting| meeting.id.as_str()).collect();
        UsageError(format!("{host_id} has no meeting type {meeting_id:?}; there is {}", known.join(", ")))
    })?;
    Ok((host, meeting))
}

/// A time of the command line, in the host's zone.
pub(super) fn time(text: &str, zone: &crate::ical::Zone) -> anyhow::Result<Timestamp> {
    Ok(super::busy_ics::parse_time(text, zone)?)
}
