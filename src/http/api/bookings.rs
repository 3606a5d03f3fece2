//! `/api/v1/…/bookings` and `/api/v1/bookings/{token}`: book, look, move, cancel.

use super::super::fault::{Fault, FieldError, Problem, rfc3339};
use super::super::guest::GuestInput;
use super::super::input;
use super::super::language;
use super::super::proxy::ClientIp;
use super::super::state::AppState;
use super::{object, start, text};
use crate::booking::Links;
use crate::desk::{BookingView, IdempotencyKey, Proof, Reservation, ReserveError};
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

const JSON: &str = "application/json";

/// `POST /api/v1/hosts/{host}/meetings/{meeting}/bookings`.
pub(in super::super) async fn create(
    State(state): State<AppState>,
    Path((host, meeting)): Path<(String, String)>,
    uri: Uri,
    Extension(ClientIp(from)): Extension<ClientIp>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    let meeting = host.meeting(&meeting).ok_or_else(Fault::not_found)?;
    let body = input::body(&headers, body, JSON).await?;
    let members = object(&body)?;
    let mut errors = Vec::new();
    let start = start(&members).map_err(|error| errors.push(error));
    let named = text(&members, "language", &mut errors);
    let language = language::wanted(Some(&named), &headers);
    let typed = GuestInput { language, ..typed(&members, &mut errors) };
    let guest = typed.check(meeting, language.unwrap_or_default()).map_err(|more| errors.extend(more));
    let idempotency = idempotency_key(&headers, uri.path(), &body).map_err(|error| errors.push(error));
    let (Ok(start), Ok(guest), Ok(idempotency), true) = (start, guest, idempotency, errors.is_empty()) else {
        // A member of the wrong type is named once, with what it should be.
        errors.sort_by(|a, b| a.field.cmp(&b.field));
        errors.dedup_by(|a, b| a.field == b.field);
        return Err(Fault::invalid(errors));
    };
    let solution = members.get("proof").and_then(Value::as_str).unwrap_or_default();
    let proof = match state.desk.proof(solution) {
        Proof::NotAsked => None,
        Proof::Good { nonce } => Some(nonce),
        Proof::Missing => return Err(another_proof(&state)?),
    };
    let (host, meeting) = (host.id.clone(), meeting.id.clone());
    let reservation = Reservation { host, meeting, start, guest, idempotency, from, proof, confirm_address: false };
    let view = match state.desk.reserve(reservation).await {
        Err(ReserveError::ProofSpent) => return Err(another_proof(&state)?),
        reserved => reserved?,
    };
    state.metrics().booking(view.booking.state);
    let location = format!("{}/api/v1/bookings/{}", state.settings().links.base_path(), view.guest_token);
    let document = Json(document(&view, &state.settings().links));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], document).into_response())
}

/// Asks for a proof of work.
fn another_proof(state: &AppState) -> Result<Fault, Fault> {
    let challenge = state.desk.challenge(input::random()?).map(Box::new);
    Ok(Fault { challenge, ..Fault::new(Problem::ProofOfWork) })
}

/// `GET /api/v1/bookings/{token}`.
pub(in super::super) async fn show(
    State(state): State<AppState>,
    Path(token): Path<String>,
) -> Result<Json<Value>, Fault> {
    let view = state.desk.booking(&token).await?;
    Ok(Json(document(&view, &state.settings().links)))
}

/// `DELETE /api/v1/bookings/{token}`.
pub(in super::super) async fn cancel(
    State(state): State<AppState>,
    Path(token): Path<String>,
) -> Result<Json<Value>, Fault> {
    let view = state.desk.cancel(&token).await?;
    Ok(Json(document(&view, &state.settings().links)))
}

/// `POST /api/v1/bookings/{token}/move`.
pub(in super::super) async fn reschedule(
    State(state): State<AppState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Fault> {
    let body = input::body(&headers, body, JSON).await?;
    let start = start(&object(&body)?).map_err(|error| Fault::invalid(vec![error]))?;
    let view = state.desk.move_to(&token, start).await?;
    Ok(Json(document(&view, &state.settings().links)))
}

/// A booking as the API shows it.
fn document(view: &BookingView, links: &Links) -> Value {
    json!({
        "id": view.booking.id.to_string(),
        "state": view.booking.state.as_str(),
        "start": rfc3339(view.booking.time.start()),
        "end": rfc3339(view.booking.time.end()),
        "location": view.booking.location,
        "manage_url": links.booking(&view.guest_token),
        "invitation_url": links.invitation(&view.guest_token),
    })
}

/// What the guest typed, as far as it is of the right type.
fn typed(members: &Map<String, Value>, errors: &mut Vec<FieldError>) -> GuestInput {
    let answers = match members.get("answers") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(answers)) => {
            let mut texts = Vec::new();
            for (id, answer) in answers {
                match answer {
                    Value::String(text) => texts.push((id.clone(), text.clone())),
                    Value::Null => (),
                    _ => errors.push(FieldError::new(format!("answers.{id}"), "An answer must be a text.")),
                }
            }
            texts
        }
        Some(_) => {
            errors.push(FieldError::new("answers", "`answers` must be an object of texts."));
            Vec::new()
        }
    };
    let time_zone = text(members, "time_zone", errors);
    GuestInput {
        name: text(members, "name", errors),
        email: text(members, "email", errors),
        note: text(members, "note", errors),
        time_zone: Some(time_zone),
        language: None,
        answers,
    }
}

/// `Idempotency-Key`: 1 to 255 visible characters.
fn idempotency_key(headers: &HeaderMap, path: &str, body: &[u8]) -> Result<Option<IdempotencyKey>, FieldError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().map(str::trim).unwrap_or_default();
    if key.is_empty() || key.len() > 255 {
        return Err(FieldError::new("Idempotency-Key", "An Idempotency-Key has 1 to 255 visible ASCII characters."));
    }
    Ok(Some(IdempotencyKey { key: key.to_owned(), request: request_digest(path, body) }))
}

/// SHA-256 of method, path and body.
pub(in super::super) fn request_digest(path: &str, body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(b"POST ").chain_update(path).chain_update([0]).chain_update(body).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::super::super::guest::tests::meeting;
    use super::*;

    #[test]
    fn members_of_the_wrong_type_are_named() {
        let body = br#"{"name": 1, "email": "ada@example.edu", "answers": {"topic": ["x"], "room": null}}"#;
        let mut errors = Vec::new();
        let typed = typed(&object(body).unwrap(), &mut errors);
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["answers.topic", "name"]);
        assert_eq!(typed.email, "ada@example.edu");
        assert!(typed.check(&meeting(), crate::language::Language::English).is_err());
    }

    #[test]
    fn what_is_no_json_object_is_malformed() {
        for body in [&b""[..], b"{", b"[]", b"\"x\"", b"{\"name\": \"\xff\"}", b"{} {}"] {
            assert_eq!(object(body).unwrap_err().problem, Problem::Malformed);
        }
        let deep = "[".repeat(60_000);
        assert_eq!(object(deep.as_bytes()).unwrap_err().problem, Problem::Malformed);
    }

    #[test]
    fn a_key_belongs_to_method_path_and_body() {
        let headers = |value: &str| {
            HeaderMap::from_iter([(header::HeaderName::from_static("idempotency-key"), value.parse().unwrap())])
        };
        let key = |value: &str, path: &str, body: &[u8]| idempotency_key(&headers(value), path, body);
        let first = key("k1", "/a", b"x").unwrap().unwrap();
        assert_eq!(first, key("k1", "/a", b"x").unwrap().unwrap());
        assert_ne!(first.request, key("k1", "/a", b"y").unwrap().unwrap().request);
        assert_ne!(first.request, key("k1", "/b", b"x").unwrap().unwrap().request);
        assert!(key("", "/a", b"").is_err() && key(&"k".repeat(256), "/a", b"").is_err());
        assert_eq!(idempotency_key(&HeaderMap::new(), "/a", b"").unwrap(), None);
    }
}
