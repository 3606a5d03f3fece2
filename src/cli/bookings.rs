//! `officehours bookings`: the host's desk on the command line. The running daemon performs what follows from a change.

use super::UsageError;
use super::args::BookingsCommand;
use super::office::{host, open};
use crate::booking::{Booking, BookingId};
use crate::daemon::Services;
use crate::desk::Decision;
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
                let all: Vec<Value> = bookings.iter().map(as_json).collect();
                writeln!(out, "{}", Value::from(all))?;
            } else {
                for booking in &bookings {
                    writeln!(out, "{}", line(&services, booking))?;
                }
            }
        }
        BookingsCommand::Show { id, json } => {
            let booking = services.store.booking(booking_id(&id)?).await?;
            let booking = booking.ok_or_else(|| anyhow::anyhow!("there is no booking {id}"))?;
            show(&mut out, &services, &booking, json)?;
        }
        BookingsCommand::Cancel { id: Some(id), json, .. } => {
            let booking = services.desk.cancel_by_id(booking_id(&id)?).await?;
            show(&mut out, &services, &booking, json)?;
        }
        BookingsCommand::Cancel { gone, json, .. } => {
            let host = host(&services, &gone.unwrap_or_default())?;
            let missing = services.store.missing_events(&host.id, services.clock.now()).await?;
            for missing in missing.into_iter().filter(|missing| missing.doubted) {
                let booking = services.desk.cancel_by_id(missing.booking).await?;
                show(&mut out, &services, &booking, json)?;
            }
        }
        BookingsCommand::Move { id, start, json } => {
            let start =
                start.parse().map_err(|_| UsageError(format!("{start:?} is no time: write 2026-12-01T13:00:00Z")))?;
            let booking = services.desk.move_by_id(booking_id(&id)?, start).await?;
            show(&mut out, &services, &booking, json)?;
        }
        BookingsCommand::Export { guest, json } => {
            let bookings = services.store.bookings(None, BookingFilter { guest, ..BookingFilter::default() }).await?;
            if json {
                let all: Vec<Value> = bookings.iter().map(as_json).collect();
                writeln!(out, "{}", Value::from(all))?;
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
            show(&mut out, &services, &booking, json)?;
        }
        BookingsCommand::Decline { id, json } => {
            let booking = services.desk.decide_by_id(booking_id(&id)?, Decision::Decline).await?;
            show(&mut out, &services, &booking, json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn booking_id(text: &str) -> anyhow::Result<BookingId> {
    let id =
        text.parse().map_err(|_| UsageError(format!("{text:?} is no booking's id: see officehours bookings list")))?;
    Ok(BookingId(id))
}

fn show(out: &mut impl Write, services: &Services, booking: &Booking, json: bool) -> std::io::Result<()> {
    if json {
        return writeln!(out, "{}", as_json(booking));
    }
    writeln!(out, "{}", line(services, booking))?;
    writeln!(out, "{} <{}>", booking.guest.name, booking.guest.email)?;
    for answer in &booking.guest.answers {
        writeln!(out, "{} {}", answer.label, answer.text)?;
    }
    if !booking.guest.note.is_empty() {
        writeln!(out, "{}", booking.guest.note)?;
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

/// RFC 4180, with a line of names. A cell that a spreadsheet would take for a formula is quoted as text.
fn csv(bookings: &[Booking]) -> String {
    let mut text = String::from("id,host,meeting,state,start,end,name,email,note,answers,created_at\r\n");
    for booking in bookings {
        let answers: Vec<String> = booking.guest.answers.iter().map(|a| format!("{}: {}", a.label, a.text)).collect();
        let cells = [
            booking.id.to_string(),
            booking.host.to_string(),
            booking.meeting.to_string(),
            booking.state.to_string(),
            booking.time.start().to_string(),
            booking.time.end().to_string(),
            booking.guest.name.clone(),
            booking.guest.email.clone(),
            booking.guest.note.clone(),
            answers.join("\n"),
            booking.created_at.to_string(),
        ];
        text.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        text.push_str("\r\n");
    }
    text
}

fn csv_cell(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

fn as_json(booking: &Booking) -> Value {
    json!({
        "id": booking.id.to_string(),
        "host": booking.host.as_str(),
        "meeting": booking.meeting.as_str(),
        "state": booking.state.as_str(),
        "start": booking.time.start(),
        "end": booking.time.end(),
        "name": booking.guest.name,
        "email": booking.guest.email,
        "note": booking.guest.note,
        "time_zone": booking.guest.time_zone,
        "answers": booking.guest.answers.iter().map(|a| (a.question.clone(), Value::from(a.text.clone()))).collect::<serde_json::Map<_, _>>(),
        "created_at": booking.created_at,
        "event": booking.event.as_ref().map(|place| json!({ "account": place.account, "href": place.href })),
    })
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn no_cell_is_a_formula_or_ends_its_line() {
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
        assert_eq!(csv_cell("Ada"), "Ada");
    }
}
