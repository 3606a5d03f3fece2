//! `officehours bookings`: the host's desk on the command line. The running daemon performs what follows from a change.

use super::UsageError;
use super::args::BookingsCommand;
use super::office::{host, open};
use crate::booking::{Attendance, Booking, BookingId};
use crate::daemon::Services;
use crate::desk::{Decision, Noted, csv, json as document};
use crate::store::BookingFilter;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn bookings(config: Option<&Path>, command: BookingsCommand) -> anyhow::Result<ExitCode> {
    let (_, services) = open(config).await?;
    let mut out = std::io::stdout().lock();
    match command {
        BookingsCommand::List { host: only, all, json } => {
            let only = only.map(|id| host(&services, &id)).transpose()?;
            let from = if all { None } else { Some(services.clock.now()) };
            let filter = BookingFilter { from, ..BookingFilter::default() };
            let mut bookings = services.store.bookings(only.as_ref().map(|host| &host.id), filter).await?;
            if !all {
                bookings.retain(|booking| booking.state.holds_slot());
            }
            if json {
                let bookings = services.desk.noted(bookings).await?;
                writeln!(out, "{}", Value::from_iter(bookings.iter().map(document)))?;
            } else {
                for booking in &bookings {
                    writeln!(out, "{}", line(&services, booking))?;
                }
            }
        }
        BookingsCommand::Show { id, json } => {
            let booking = services.store.booking(booking_id(&id)?).await?;
            let booking = booking.ok_or_else(|| anyhow::anyhow!("there is no booking {id}"))?;
            show(&mut out, &services, booking, json).await?;
        }
        BookingsCommand::Cancel { id: Some(id), json, .. } => {
            let booking = services.desk.cancel_by_id(booking_id(&id)?).await?;
            show(&mut out, &services, booking, json).await?;
        }
        BookingsCommand::Cancel { gone, json, .. } => {
            let host = host(&services, &gone.unwrap_or_default())?;
            let missing = services.store.missing_events(&host.id, services.clock.now()).await?;
            let mut cancelled = Vec::new();
            for missing in missing.into_iter().filter(|missing| missing.doubted) {
                cancelled.push(services.desk.cancel_by_id(missing.booking).await?);
            }
            let cancelled = services.desk.noted(cancelled).await?;
            if json {
                writeln!(out, "{}", Value::from_iter(cancelled.iter().map(document)))?;
            } else {
                for noted in &cancelled {
                    describe(&mut out, &services, noted)?;
                }
            }
        }
        BookingsCommand::Move { id, start, json } => {
            let start =
                start.parse().map_err(|_| UsageError(format!("{start:?} is no time: write 2026-12-01T13:00:00Z")))?;
            let booking = services.desk.move_by_id(booking_id(&id)?, start).await?;
            show(&mut out, &services, booking, json).await?;
        }
        BookingsCommand::Export { guest, json } => {
            let bookings = services.desk.bookings_noted(None, guest).await?;
            if json {
                writeln!(out, "{}", Value::from_iter(bookings.iter().map(document)))?;
            } else {
                write!(out, "{}", csv(&bookings))?;
            }
        }
        BookingsCommand::Forget { guest, keep_events, json } => {
            let forgotten = services.desk.forget_guest(&guest, keep_events).await?;
            let ahead: Vec<String> = forgotten.ahead.iter().map(ToString::to_string).collect();
            if json {
                let (erased, waiting) = (forgotten.erased, forgotten.waiting);
                writeln!(out, "{}", json!({ "erased": erased, "events_to_remove": waiting, "ahead": ahead }))?;
            } else if ahead.is_empty() {
                let (erased, waiting) = (forgotten.erased, forgotten.waiting);
                writeln!(
                    out,
                    "{erased} bookings are erased. {waiting} have no name any more, and are erased once the running daemon has removed their events."
                )?;
            }
            if !ahead.is_empty() {
                anyhow::bail!("nothing was erased: cancel what is ahead first: {}", ahead.join(", "));
            }
        }
        BookingsCommand::Approve { id, json } => {
            let booking = services.desk.decide_by_id(booking_id(&id)?, Decision::Approve).await?;
            show(&mut out, &services, booking, json).await?;
        }
        BookingsCommand::Decline { id, json } => {
            let booking = services.desk.decide_by_id(booking_id(&id)?, Decision::Decline).await?;
            show(&mut out, &services, booking, json).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn booking_id(text: &str) -> anyhow::Result<BookingId> {
    let id =
        text.parse().map_err(|_| UsageError(format!("{text:?} is no booking's id: see officehours bookings list")))?;
    Ok(BookingId(id))
}

async fn show(out: &mut impl Write, services: &Services, booking: Booking, json: bool) -> anyhow::Result<()> {
    let Some(noted) = services.desk.noted(vec![booking]).await?.pop() else { return Ok(()) };
    if json {
        writeln!(out, "{}", document(&noted))?;
        return Ok(());
    }
    describe(out, services, &noted)
}

/// A booking with what was noted of it, in lines.
fn describe(out: &mut impl Write, services: &Services, noted: &Noted) -> anyhow::Result<()> {
    let Noted { booking, mark } = noted;
    writeln!(out, "{}", line(services, booking))?;
    writeln!(out, "{} <{}>", booking.guest.name, booking.guest.email)?;
    for answer in &booking.guest.answers {
        writeln!(out, "{} {}", answer.label, answer.text)?;
    }
    if !booking.guest.note.is_empty() {
        writeln!(out, "{}", booking.guest.note)?;
    }
    if !mark.note.is_empty() {
        writeln!(out, "Your note: {}", mark.note)?;
    }
    if let Some(attendance) = mark.attendance {
        writeln!(out, "The guest {}", if attendance == Attendance::Came { "came" } else { "did not come" })?;
    }
    Ok(())
}

fn line(services: &Services, booking: &Booking) -> String {
    let when = match services.desk.host(booking.host.as_str()) {
        Some(host) => host.zone.civil(booking.time.start()).strftime("%a %Y-%m-%d %H:%M").to_string(),
        None => booking.time.start().to_string(),
    };
    format!("{}  {when}  {}/{}  {}  {}", booking.id, booking.host, booking.meeting, booking.state, booking.guest.name)
}
