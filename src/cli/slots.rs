//! `officehours slots HOST/MEETING`: the slots on offer by what is stored, as a table or as JSON.

use super::UsageError;
use super::args::SlotsArguments;
use super::office::{meeting, open_at, time};
use crate::availability::Interval;
use crate::desk::Freshness;
use crate::http::slots_document;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn slots(config: Option<&Path>, args: SlotsArguments) -> anyhow::Result<ExitCode> {
    let (_, services) = open_at(config, args.now.as_deref()).await?;
    let (host, meeting) = meeting(&services, &args.target)?;
    let window = Interval::new(time(&args.from, &host.zone)?, time(&args.to, &host.zone)?)
        .ok_or_else(|| UsageError("--to must be later than --from".to_owned()))?;
    let now = args.now.as_deref().map_or_else(|| Ok(services.clock.now()), |text| time(text, &host.zone))?;
    let offer = services.desk.offer_as_of(&host, &meeting, window, now);
    match offer.freshness {
        Freshness::Fresh(_) => {}
        Freshness::Stale(at) => anyhow::bail!(
            "the calendars of {} were last read at {at}, longer ago than max_staleness: nothing can be booked. Run officehours sync {}",
            host.id,
            host.id
        ),
        Freshness::NeverRead => {
            anyhow::bail!("a calendar of {} was never read: run officehours sync {}", host.id, host.id)
        }
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        if let Some(document) = slots_document(&host, &meeting, &offer) {
            writeln!(out, "{document}")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    for slot in &offer.slots {
        let (start, end) = (host.zone.civil(slot.time.start()), host.zone.civil(slot.time.end()));
        let seats = if meeting.seats > 1 { format!("  {} seats", slot.seats_left) } else { String::new() };
        writeln!(
            out,
            "{}  {}-{}{seats}",
            start.strftime("%a %Y-%m-%d"),
            start.strftime("%H:%M"),
            end.strftime("%H:%M")
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
