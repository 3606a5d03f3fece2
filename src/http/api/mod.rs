//! The JSON API, version 1. Start with `bookings`; the routes are in `route`.

mod bookings;
mod openapi;
mod slots;

pub(super) use bookings::{cancel, create, request_digest, reschedule, show};
pub(super) use openapi::openapi;
pub(super) use slots::slots;
pub use slots::slots_document;

use super::fault::{Fault, FieldError, Problem};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// A body that is one JSON object (RFC 8259).
fn object(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Fault::because(Problem::Malformed, "The body must be a JSON object.")),
        Err(error) => Err(Fault::because(Problem::Malformed, format!("The body is no JSON: {error}."))),
    }
}

/// A member that is a text; `null` and nothing are the empty text.
fn text(members: &Map<String, Value>, name: &str, errors: &mut Vec<FieldError>) -> String {
    match members.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => {
            errors.push(FieldError::new(name, format!("`{name}` must be a text.")));
            String::new()
        }
    }
}

/// `start`: an RFC 3339 instant.
fn start(members: &Map<String, Value>) -> Result<Timestamp, FieldError> {
    let wrong = || FieldError::new("start", "`start` must be an instant such as 2026-12-01T13:00:00Z.");
    members.get("start").and_then(Value::as_str).and_then(|text| text.parse().ok()).ok_or_else(wrong)
}
