//! `officehours outbox`: what waits to be done and what was given up. The running daemon does what is asked for here.

use super::UsageError;
use super::args::OutboxCommand;
use super::office::{host, open};
use crate::daemon::Services;
use crate::store::{EffectFilter, EffectState, Handled, NoticeEntry, OutboxEntry};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn outbox(
    config: Option<&Path>,
    only: Option<&str>,
    json: bool,
    command: Option<OutboxCommand>,
) -> anyhow::Result<ExitCode> {
    let (_, services) = open(config).await?;
    let now = services.clock.now();
    let mut out = std::io::stdout().lock();
    let (id, handled, done) = match command {
        None => {
            list(&mut out, &services, only, json).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(OutboxCommand::Retry { id }) => {
            (id, services.store.retry_effect(id, now).await?, "is tried within 5 seconds, if the daemon runs")
        }
        Some(OutboxCommand::Drop { id }) => (id, services.store.drop_effect(id, now).await?, "will not be done"),
    };
    match handled {
        Handled::Done => writeln!(out, "{id} {done}.")?,
        Handled::UnderWay => anyhow::bail!("{id} is being done just now: look again in a few minutes"),
        Handled::Unknown => {
            return Err(
                UsageError(format!("nothing with the id {id} waits or was given up: see officehours outbox")).into()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(out: &mut impl Write, services: &Services, only: Option<&str>, json: bool) -> anyhow::Result<()> {
    let only = only.map(|id| host(services, id)).transpose()?.map(|host| host.id.clone());
    let mut effects = services.store.effects(EffectFilter { host: only.clone(), ..EffectFilter::default() }).await?;
    effects.retain(|entry| entry.state != EffectState::Done);
    let mut notices = services.store.open_notices().await?;
    notices.retain(|entry| only.as_ref().is_none_or(|only| entry.host == *only));
    if json {
        let all: Vec<Value> = effects.iter().map(effect_json).chain(notices.iter().map(notice_json)).collect();
        writeln!(out, "{}", Value::from(all))?;
        return Ok(());
    }
    for entry in &effects {
        let state = state(entry.state, entry.due_at);
        writeln!(out, "{}  {}  {}  {}  {state}", entry.id, entry.host, entry.booking, entry.kind.as_str())?;
        trouble(out, entry.attempts, entry.last_error.as_deref())?;
    }
    for entry in &notices {
        let state = state(entry.state, entry.due_at);
        writeln!(out, "-  {}  alert  {}  {state}", entry.host, entry.kind)?;
        trouble(out, entry.attempts, entry.last_error.as_deref())?;
    }
    if effects.is_empty() && notices.is_empty() {
        eprintln!("Nothing waits, and nothing was given up.");
    }
    Ok(())
}

fn state(state: EffectState, due_at: jiff::Timestamp) -> String {
    match state {
        EffectState::Failed => "given up".to_owned(),
        _ => format!("next try {due_at}"),
    }
}

fn trouble(out: &mut impl Write, attempts: u32, error: Option<&str>) -> std::io::Result<()> {
    match error {
        Some(error) => writeln!(out, "    {attempts} attempt(s): {error}"),
        None => Ok(()),
    }
}

fn effect_json(entry: &OutboxEntry) -> Value {
    json!({
        "id": entry.id,
        "host": entry.host.as_str(),
        "booking": entry.booking.to_string(),
        "kind": entry.kind.as_str(),
        "state": entry.state.as_str(),
        "attempts": entry.attempts,
        "created_at": entry.created_at,
        "next_try": (entry.state == EffectState::Pending).then_some(entry.due_at),
        "needs_host": entry.needs_host,
        "last_error": entry.last_error,
    })
}

fn notice_json(entry: &NoticeEntry) -> Value {
    json!({
        "id": null,
        "host": entry.host.as_str(),
        "booking": null,
        "kind": "alert",
        "alert": entry.kind.as_str(),
        "state": entry.state.as_str(),
        "attempts": entry.attempts,
        "created_at": entry.created_at,
        "next_try": (entry.state == EffectState::Pending).then_some(entry.due_at),
        "needs_host": false,
        "last_error": entry.last_error,
    })
}
