//! Bookings as a file: CSV (RFC 4180) for spreadsheets, JSON for programs. Pure; start with [`csv`].

use super::Noted;
use crate::booking::Attendance;
use serde_json::{Map, Value};

/// With a line of names. A cell that a spreadsheet would take for a formula is quoted as text.
pub fn csv(bookings: &[Noted]) -> String {
    let mut text =
        String::from("id,host,meeting,state,start,end,name,email,note,answers,created_at,host_note,attendance\r\n");
    for Noted { booking, mark } in bookings {
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
            mark.note.clone(),
            mark.attendance.map_or("", Attendance::as_str).to_owned(),
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

/// One booking.
pub fn json(Noted { booking, mark }: &Noted) -> Value {
    let answers = booking.guest.answers.iter().map(|a| (a.question.clone(), Value::from(a.text.clone())));
    serde_json::json!({
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
        "answers": answers.collect::<Map<_, _>>(),
        "created_at": booking.created_at,
        "event": booking.event.as_ref().map(|place| serde_json::json!({ "account": place.account, "href": place.href })),
        "host_note": mark.note,
        "attendance": mark.attendance.map(Attendance::as_str),
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
