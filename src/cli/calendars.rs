//! `officehours calendars HOST`: of each source how it does, and every calendar found, asked of the servers now; then subscriptions and
//! folders.

use super::health;
use super::office::{host, open, subscription_advice};
use crate::availability::Counting;
use crate::caldav::Calendar;
use crate::ical::{Zone, calendar_zone};
use crate::sync::{Source, is_named_so};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn calendars(config: Option<&Path>, id: &str) -> anyhow::Result<ExitCode> {
    let (config, services) = open(config).await?;
    let host = host(&services, id)?;
    let mut out = std::io::stdout().lock();
    let mut failed = false;
    for of_host in config.hosts.iter().filter(|of| of.host.id == host.id) {
        for source in services.sources(of_host)? {
            // What the daemon has seen, before anything is asked.
            let report = services.store.source_report(&host.id, source.id()).await?;
            let health = health::line(report.as_ref(), &host.zone, services.clock.now());
            writeln!(out, "{}: {health}", source.name())?;
            let Source::Account(account) = &source else {
                for (calendar, _) in source.sources().await? {
                    let by = told(&calendar.rules.counting);
                    writeln!(out, "{}/{}\t{}\tbusy\tread-only{by}", source.name(), calendar.name, calendar.key.href)?;
                }
                continue;
            };
            let settings = &account.settings;
            match account.client.discover().await {
                Ok(found) => {
                    for calendar in found.calendars {
                        let named = |name: &str| is_named_so(calendar.href.as_str(), &calendar.name, name);
                        let opens = settings.opens.as_ref().filter(|(name, _)| named(name));
                        let busy = match &settings.calendars {
                            Some(names) => names.iter().any(|name| named(name)),
                            None => {
                                let only_opens = opens.is_some_and(|(_, summary)| summary.is_none());
                                !calendar.transparent && calendar.vevent && !calendar.subscribed && !only_opens
                            }
                        };
                        let written = settings.bookings.as_deref().is_some_and(named);
                        if let Some(advice) = subscription_advice(&calendar) {
                            eprintln!("officehours: {}/{}/{advice}", host.id, settings.id);
                        }
                        let writable = match calendar.writable {
                            // Its events cannot be read here.
                            _ if calendar.subscribed => "subscribed",
                            Some(true) => "writable",
                            Some(false) => "read-only",
                            None => "writable?",
                        };
                        writeln!(
                            out,
                            "{}/{}\t{}\t{}\t{writable}{}{}{}{}",
                            settings.id,
                            calendar.name,
                            calendar.href,
                            if busy { "busy" } else { "not busy" },
                            if written { "\tbookings" } else { "" },
                            if opens.is_some() { "\topens" } else { "" },
                            if busy { told(&settings.counting) } else { String::new() },
                            if busy { zone_of(&calendar, &host.zone) } else { String::new() }
                        )?;
                    }
                }
                Err(error) => {
                    failed = true;
                    eprintln!("officehours: {}/{}: {error}", host.id, settings.id);
                }
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The zone of its times without one, where that is not the host's.
fn zone_of(calendar: &Calendar, host: &Zone) -> String {
    let zone = calendar.time_zone.as_deref().and_then(|property| calendar_zone(property, host));
    let zone = zone.filter(|zone| zone.name() != host.name());
    zone.map_or_else(String::new, |zone| format!("\ttimes without a zone: {}", zone.name()))
}

/// How its events count, where that is not the default.
fn told(counting: &Counting) -> String {
    let by = counting.to_string();
    if by.is_empty() { by } else { format!("\t{by}") }
}
