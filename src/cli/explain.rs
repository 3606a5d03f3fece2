//! `officehours explain HOST/MEETING TIME`: why that time is or is not on offer by what is stored, in words or as JSON.

use super::args::ExplainArguments;
use super::office::{meeting, open_at, time};
use crate::availability::{Decision, Effect};
use anyhow::Context;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn explain(config: Option<&Path>, args: ExplainArguments) -> anyhow::Result<ExitCode> {
    let (_, services) = open_at(config, args.now.as_deref()).await?;
    let (host, meeting) = meeting(&services, &args.target)?;
    let start = time(&args.time, &host.zone)?;
    let now = args.now.as_deref().map_or_else(|| Ok(services.clock.now()), |text| time(text, &host.zone))?;
    let told = services.desk.explain(&host, &meeting, start, now).context("the host is gone from the config")?;
    let end = told.time.map(|time| time.end());
    let mut out = std::io::stdout().lock();
    if args.json {
        let reasons: Vec<_> = told
            .reasons
            .iter()
            .map(|reason| {
                let effect = match reason.effect {
                    Effect::Against => "against",
                    Effect::For => "for",
                    Effect::Note => "note",
                };
                json!({ "rule": reason.rule.name(), "effect": effect, "text": reason.text })
            })
            .collect();
        let seats_left = match told.decision {
            Decision::OnOffer(slot) => Some(slot.seats_left),
            _ => None,
        };
        let answer = json!({
            "host": host.id.as_str(),
            "meeting": meeting.id.as_str(),
            "time_zone": host.zone.name(),
            "now": now,
            "start": start,
            "end": end,
            "on_offer": seats_left.is_some(),
            "decision": told.decision.name(),
            "seats_left": seats_left,
            "reasons": reasons,
        });
        writeln!(out, "{answer}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let verdict = match told.decision {
        Decision::OnOffer(_) => "on offer".to_owned(),
        Decision::NotASlot(why) => format!("not on offer: {why}"),
        Decision::Taken(why) => format!("not on offer: {why}"),
        Decision::Unread => "not on offer: a calendar was not read lately enough, so nothing can be booked".to_owned(),
    };
    let when = host.zone.civil(start).strftime("%a %Y-%m-%d %H:%M");
    writeln!(out, "{}/{} {when} {}: {verdict}", host.id, meeting.id, host.zone.name())?;
    for reason in &told.reasons {
        let mark = match reason.effect {
            Effect::Against => "no",
            Effect::For => "yes",
            Effect::Note => "note",
        };
        writeln!(out, "  {mark:<4}  {}: {}", reason.rule.name(), reason.text)?;
    }
    Ok(ExitCode::SUCCESS)
}
