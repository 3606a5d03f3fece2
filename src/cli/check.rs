//! `officehours check`: validates the config, connects, lists calendars and what each would contribute.

use super::args::CheckArguments;
use super::health;
use super::office::{log, open, subscription_advice};
use crate::alert::Episode;
use crate::availability::{HostId, Interval};
use crate::config::Config;
use crate::daemon::{Level, Services, zone_disagreements};
use crate::ical::write::{EventStatus, EventText, booking_event};
use crate::mail::{Inbox, Templates};
use crate::sync::{AccountSync, Source, Strategy, is_named_so};
use anyhow::Context;
use jiff::SignedDuration;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn check(config: Option<&Path>, args: CheckArguments) -> anyhow::Result<ExitCode> {
    log(Level::Command);
    let (config, services) = open(config).await?;
    let mut out = std::io::stdout().lock();
    let mut failed = false;
    writeln!(out, "The config is right: {} host(s).", config.hosts.len())?;
    for host in &config.hosts {
        for line in zone_disagreements(&host.host, services.clock.now()) {
            writeln!(out, "{}: {line}: bring the system's tzdata up to date, then officehours.", host.host.id)?;
        }
        for alert in open_alerts(&services, &host.host.id).await? {
            writeln!(out, "{}: alert since {}: {}", host.host.id, alert.since, alert.what)?;
        }
        for source in services.sources(host)? {
            let name = format!("{}/{}", host.host.id, source.name());
            let now = services.clock.now();
            let report = services.store.source_report(&host.host.id, source.id()).await?;
            writeln!(out, "{name}: {}.", health::line(report.as_ref(), &host.host.zone, now))?;
            if let Source::Account(account) = &source {
                match connect(&mut out, account, &name, now).await? {
                    Connection::Good => {}
                    Connection::Doubtful => failed = true,
                    Connection::None => {
                        failed = true;
                        continue;
                    }
                }
            }
            let pass = source.pass(now).await?;
            for calendar in &pass.calendars {
                if let Err(error) = &calendar.result {
                    failed = true;
                    writeln!(out, "{name}/{}: {error}", calendar.name)?;
                }
            }
            contributions(&mut out, &source, &name, now).await?;
            if let Source::Account(account) = &source
                && args.write
                && account.settings.bookings.is_some()
            {
                match write_and_remove(account, now).await {
                    Ok(calendar) => {
                        writeln!(out, "{name}/{calendar}: a test event was written, read back and removed.")?
                    }
                    Err(error) => {
                        failed = true;
                        writeln!(out, "{name}: a test event could not be written and removed: {error:#}")?;
                    }
                }
            }
        }
    }
    for mistake in config.mail.iter().flat_map(|mail| Templates::new(mail.templates.clone()).check()) {
        failed = true;
        writeln!(out, "mail: a template fails, and the built-in text is sent instead: {mistake}.")?;
    }
    if let Some(server) = services.inbox_server(&config).await? {
        match Inbox::open(&server).await {
            Ok(_) => writeln!(out, "mail: the mailbox {} can be read.", server.name())?,
            Err(error) => {
                failed = true;
                writeln!(out, "mail: the mailbox {}: {error}", server.name())?;
            }
        }
    }
    if let Some(address) = &args.mail {
        match send_test(&config, &services, address).await {
            Ok(()) => writeln!(out, "mail: the mail server took a test message; look whether it arrives.")?,
            Err(error) => {
                failed = true;
                writeln!(out, "mail: a test message could not be sent: {error:#}")?;
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is wrong by the last look of the daemon, and was worth telling.
pub(super) async fn open_alerts(services: &Services, host: &HostId) -> anyhow::Result<Vec<Episode>> {
    let mut alerts = services.store.alerts(host).await?;
    alerts.retain(|alert| alert.raised_at.is_some() && alert.ended_at.is_none());
    Ok(alerts)
}

/// Sends a test message.
async fn send_test(config: &Config, services: &Services, address: &str) -> anyhow::Result<()> {
    let mailer = services.mailer(config).await?;
    let mailer = mailer.context("there is no [mail] in the config")?;
    let id = uuid::Uuid::from_bytes(crate::daemon::random()?).to_string();
    let message = crate::mail::test_message(mailer.from(), address, config.server.language, &id, services.clock.now())?;
    Ok(mailer.send(message).await?)
}

/// How an account's server was met.
enum Connection {
    Good,
    /// Something is to be put right.
    Doubtful,
    None,
}

/// Asks an account's server what it has.
async fn connect(
    out: &mut impl Write,
    account: &AccountSync,
    name: &str,
    now: jiff::Timestamp,
) -> anyhow::Result<Connection> {
    let mut connection = Connection::Good;
    match account.client.discover().await {
        Ok(found) => {
            let server = found.server.as_deref().unwrap_or("a server that does not say what it is");
            writeln!(out, "{name}: connected to {server}; {} calendar(s).", found.calendars.len())?;
            for calendar in &found.calendars {
                if let Some(advice) = subscription_advice(calendar) {
                    writeln!(out, "{name}/{advice}")?;
                } else if calendar.transparent && account.settings.calendars.is_none() {
                    writeln!(out, "{name}/{}: marked as transparent; not counted as busy.", calendar.name)?;
                }
                let bookings = account.settings.bookings.as_deref();
                if bookings.is_some_and(|wanted| is_named_so(calendar.href.as_str(), &calendar.name, wanted))
                    && calendar.writable == Some(false)
                {
                    connection = Connection::Doubtful;
                    writeln!(
                        out,
                        "{name}/{}: read-only, so that no booking can be written: name another calendar in [host.bookings], or have it shared for writing.",
                        calendar.name
                    )?;
                }
            }
            let own = match found.addresses.is_empty() {
                true => "none: [[host]] email and aliases alone say whose answer to an invitation counts".to_owned(),
                false => found.addresses.join(", "),
            };
            writeln!(out, "{name}: the server's addresses of the account (calendar-user-address-set): {own}.")?;
            if let Some(skew) = found.clock_skew(now).filter(|skew| skew.abs() > SignedDuration::from_secs(30)) {
                connection = Connection::Doubtful;
                writeln!(
                    out,
                    "{name}: its clock differs from this machine's by {} s: set both by NTP.",
                    skew.as_secs()
                )?;
            }
            if found.dav.iter().any(|token| token == "calendar-auto-schedule") {
                writeln!(
                    out,
                    "{name}: the server can send invitations itself; bookings have no attendees, so it sends none."
                )?;
            }
        }
        Err(error) => {
            writeln!(out, "{name}: {error}")?;
            return Ok(Connection::None);
        }
    }
    Ok(connection)
}

/// What each calendar of the source contributes over the next 30 days, and what in it is not understood.
async fn contributions(out: &mut impl Write, from: &Source, name: &str, now: jiff::Timestamp) -> anyhow::Result<()> {
    let month = now.checked_add(SignedDuration::from_hours(24 * 30)).ok().and_then(|end| Interval::new(now, end));
    let month = month.context("the clock is at the end of time")?;
    for (source, read_at) in from.sources().await? {
        let Some(_) = read_at else { continue };
        let objects = from.store().objects(&source.key).await?;
        let (mut busy, mut ignored, mut opens, mut warnings) = (0, 0, 0, Vec::new());
        for object in &objects {
            let read = source.read(&object.data, month);
            busy += read.busy.intervals.len();
            ignored += read.busy.ignored.len();
            opens += read.opens.len();
            warnings.extend(read.busy.warnings);
        }
        let mut role = match source.busy {
            true => format!("busy {busy} time(s) in the next 30 days"),
            false => "not counted as busy".to_owned(),
        };
        if let Some(by) = &source.opens {
            let called =
                by.summary.as_ref().map(|summary| format!(" by events called {summary:?}")).unwrap_or_default();
            role.push_str(&format!(", opens time {opens} time(s){called}"));
        }
        let by = source.rules.counting.to_string();
        if source.busy && !by.is_empty() {
            role.push_str(&format!(", by {by}"));
        }
        if ignored > 0 {
            role.push_str(&format!("; {ignored} time(s) left out by ignore_titles"));
        }
        writeln!(out, "{name}/{}: {} object(s), {role}.", source.name, objects.len())?;
        if let (Source::Account(_), Some(stored)) = (from, from.store().calendar(&source.key).await?) {
            writeln!(out, "{name}/{}: {}.", source.name, Strategy::parse(stored.strategy.as_deref()))?;
        }
        for warning in warnings {
            let uid = warning.uid.as_deref().unwrap_or("an event without UID");
            writeln!(out, "{name}/{}: {uid}: {}", source.name, warning.what)?;
        }
    }
    Ok(())
}

/// Puts an event on the bookings calendar and takes it off again.
async fn write_and_remove(account: &AccountSync, now: jiff::Timestamp) -> anyhow::Result<String> {
    let calendar = account.bookings_calendar().await?.context("the calendar for bookings was not found")?;
    let uid = uuid::Uuid::from_bytes(crate::daemon::random()?).to_string();
    let time = Interval::new(now, now.checked_add(SignedDuration::from_mins(5))?).context("no time is left")?;
    let text = booking_event(&EventText {
        uid: uid.clone(),
        sequence: 0,
        stamp: now,
        created: now,
        last_modified: now,
        start: time.start(),
        end: time.end(),
        zone: account.settings.host.zone.clone(),
        summary: "officehours check".to_owned(),
        description: "A test event; it is removed at once.".to_owned(),
        location: String::new(),
        status: EventStatus::Confirmed,
    });
    let href = crate::caldav::Href::new(calendar.key.href.clone()).child(&format!("{uid}.ics"));
    let written = account.client.create(&href, &text).await?;
    let there = account.client.get(&written.href).await?.context("the event is not there after it was written")?;
    account.client.delete(&written.href, there.etag.as_ref()).await?;
    anyhow::ensure!(
        account.client.get(&written.href).await?.is_none(),
        "the event is still there after it was removed"
    );
    Ok(calendar.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::Counting;
    use crate::caldav::scripted::{answer, multistatus, serve};
    use crate::store::{Access, Store};
    use crate::sync::AccountSettings;
    use crate::sync::testing::host;
    use std::sync::Arc;

    #[tokio::test]
    async fn what_the_server_says_of_itself_and_what_does_not_count_is_told() {
        let found = |href: &str, properties: &str| {
            format!(
                "<response><href>{href}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
            )
        };
        let (client, _) = serve(move |seen| match (seen.method.as_str(), seen.path.as_str()) {
            ("OPTIONS", _) => answer(200, "DAV: 1, calendar-access, calendar-auto-schedule\r\n", ""),
            (_, "/") => multistatus(&found(
                "/",
                "<current-user-principal><href>/</href></current-user-principal><C:calendar-home-set><href>/c/</href></C:calendar-home-set>",
            )),
            _ => multistatus(&[
                found("/c/work/", "<resourcetype><collection/><C:calendar/></resourcetype>"),
                found(
                    "/c/birthdays/",
                    "<resourcetype><collection/><C:calendar/></resourcetype><C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>",
                ),
                found(
                    "/c/lectures/",
                    r#"<resourcetype><collection/><S:subscribed xmlns:S="http://calendarserver.org/ns/"/></resourcetype><S:source xmlns:S="http://calendarserver.org/ns/"><href>webcal://uni.example/l.ics</href></S:source>"#,
                ),
            ].concat()),
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let settings = AccountSettings {
            host: host(),
            id: "work".into(),
            calendars: None,
            counting: Counting::default(),
            bookings: None,
            grace: SignedDuration::from_mins(5),
            opens: None,
        };
        let store = Store::open(&folder.path().join("store.db"), Access::Daemon).unwrap();
        let account = AccountSync { settings: Arc::new(settings), client, store };
        let mut out = Vec::new();
        connect(&mut out, &account, "noether/work", jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        let told = String::from_utf8(out).unwrap();
        for line in [
            "noether/work/birthdays: marked as transparent; not counted as busy.",
            "noether/work/lectures: a subscription that the server names and does not hold; to be busy by it, add \
             [[host.subscription]] with url = \"webcal://uni.example/l.ics\".",
            "noether/work: the server can send invitations itself; bookings have no attendees, so it sends none.",
        ] {
            assert!(told.lines().any(|told| told == line), "{told}");
        }
    }
}
