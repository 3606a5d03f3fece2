//! `officehours busy`: merged busy time as JSON, of a host's stored calendars or of `.ics` files.

use super::UsageError;
use super::args::{BusyArguments, TentativeArgument};
use super::busy_ics::{BusyIcs, run};
use super::office::{host, open, time};
use crate::availability::{Interval, IntervalSet, Tentative};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn busy(config: Option<&Path>, args: BusyArguments) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let Some(id) = args.host else {
        let args = BusyIcs {
            paths: args.ics,
            from: args.from,
            to: args.to,
            time_zone: args.time_zone.ok_or_else(|| UsageError("--ics needs --time-zone".to_owned()))?,
            owner: args.owner,
            tentative: match args.tentative {
                TentativeArgument::Busy => Tentative::Busy,
                TentativeArgument::Free => Tentative::Free,
            },
        };
        run(&args, &mut out)?;
        return Ok(ExitCode::SUCCESS);
    };
    let (config, services) = open(config).await?;
    let host = host(&services, &id)?;
    let window = Interval::new(time(&args.from, &host.zone)?, time(&args.to, &host.zone)?)
        .ok_or_else(|| UsageError("--to must be later than --from".to_owned()))?;
    let (mut busy, mut warnings) = (Vec::new(), Vec::new());
    for of_host in config.hosts.iter().filter(|of| of.host.id == host.id) {
        for of in services.sources(of_host)? {
            for (source, read_at) in of.sources().await?.into_iter().filter(|(source, _)| source.busy) {
                anyhow::ensure!(
                    read_at.is_some(),
                    "calendar {:?} was never read: run officehours sync {id}, or see officehours check",
                    source.name
                );
                for object in services.store.objects(&source.key).await? {
                    let read = source.read(&object.data, window).busy;
                    busy.extend(read.intervals.iter().map(|busy| busy.interval));
                    warnings.extend(read.warnings.into_iter().map(
                        |warning| json!({ "calendar": source.name, "file": object.href, "uid": warning.uid, "what": warning.what }),
                    ));
                }
            }
        }
    }
    let busy: IntervalSet = busy.into_iter().collect();
    let busy: Vec<Value> =
        busy.clipped(window).iter().map(|i| json!([i.start().to_string(), i.end().to_string()])).collect();
    let answer = json!({ "from": window.start(), "to": window.end(), "busy": busy, "warnings": warnings });
    writeln!(out, "{answer}")?;
    Ok(ExitCode::SUCCESS)
}
