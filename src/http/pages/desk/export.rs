//! `/desk/export/{file}`: all bookings of the host as CSV or JSON.

use super::seat::Seat;
use crate::desk::{csv, json};
use crate::http::fault::Fault;
use crate::http::state::AppState;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// `GET /desk/export/bookings.csv`, `GET /desk/export/bookings.json`.
pub(in super::super::super) async fn export(
    State(state): State<AppState>,
    Path(file): Path<String>,
    seat: Seat,
) -> Result<Response, Fault> {
    let bookings = async || state.desk.bookings_noted(Some(seat.host_id()), None).await.map_err(Fault::of_desk);
    let (kind, disposition, text) = match file.as_str() {
        "bookings.csv" => ("text/csv; charset=utf-8", "attachment; filename=\"bookings.csv\"", csv(&bookings().await?)),
        "bookings.json" => {
            let all = Value::from_iter(bookings().await?.iter().map(json));
            ("application/json", "attachment; filename=\"bookings.json\"", all.to_string())
        }
        _ => return Err(Fault::not_found()),
    };
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, disposition)], text).into_response())
}
