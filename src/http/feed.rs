//! The bookable feeds and the free/busy text: published documents with their validators, for clients of every age.
//! Start with [`send`].

use super::conditional::{http_date, is_current};
use super::fault::{Fault, Problem};
use super::proxy::ClientIp;
use super::state::AppState;
use crate::desk::Document;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;

/// The feed of a host, or of one of their meeting types.
pub(super) fn feed(
    state: &AppState,
    headers: &HeaderMap,
    host: &str,
    meeting: Option<&str>,
) -> Result<Response, Fault> {
    let host = state.desk.host(host).ok_or_else(Fault::not_found)?;
    let meeting = meeting.map(|id| host.meeting(id).cloned().ok_or_else(Fault::not_found)).transpose()?;
    state.desk.demand(&host.id);
    let document = state.desk.feed(&host.id, meeting.as_ref().map(|meeting| &meeting.id));
    let name = meeting.map_or_else(|| host.id.to_string(), |meeting| format!("{}-{}", host.id, meeting.id));
    counted(state, send(document.as_deref(), headers, &format!("{name}.ics")))
}

/// The VFREEBUSY of a host.
pub(super) fn free_busy(state: &AppState, headers: &HeaderMap, host: &str) -> Result<Response, Fault> {
    let host = state.desk.host(host).ok_or_else(Fault::not_found)?;
    state.desk.demand(&host.id);
    let document = state.desk.free_busy(&host.id);
    counted(state, send(document.as_deref(), headers, &format!("{}.ifb", host.id)))
}

/// `GET /b/{token}/sooner.ics`. As other feeds it is fetched from the shared addresses of large services, so only a token that opens
/// nothing counts as a request of its address.
pub(super) async fn sooner(
    State(state): State<AppState>,
    Path(token): Path<String>,
    Extension(ClientIp(from)): Extension<ClientIp>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let document = match state.desk.sooner_feed(&token).await {
        Err(error) => {
            state.count_request(from)?;
            return Err(error.into());
        }
        Ok(document) => document,
    };
    let mut answer = counted(&state, send(document.as_deref(), &headers, "sooner.ics"))?;
    // Its links open the booking: no cache that others share may keep it.
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(answer)
}

fn counted(state: &AppState, answer: Result<Response, Fault>) -> Result<Response, Fault> {
    state.metrics().feed(match &answer {
        Ok(response) if response.status() == StatusCode::NOT_MODIFIED => "not-modified",
        Ok(_) => "sent",
        Err(_) => "not-ready",
    });
    answer
}

/// Sends a document, or 304 when the client has it. Nothing is negotiated: there are subscribers that send no Accept,
/// and some that send an Authorization nobody asked for.
fn send(document: Option<&Document>, headers: &HeaderMap, name: &str) -> Result<Response, Fault> {
    let document = document.ok_or_else(|| Fault::new(Problem::NotReady).retry_after(SignedDuration::from_secs(30)))?;
    let mut response = if is_current(headers, &document.etag, document.modified) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        document.body.clone().into_response()
    };
    let not_modified = response.status() == StatusCode::NOT_MODIFIED;
    let out = response.headers_mut();
    let mut set = |name, value: String| HeaderValue::try_from(value).map(|value| out.insert(name, value));
    let set_all = set(header::ETAG, document.etag.clone())
        .and(set(header::LAST_MODIFIED, http_date(document.modified)))
        .and(set(header::CACHE_CONTROL, "no-cache".to_owned()));
    let set_all = if not_modified {
        // RFC 9110 8.6: the length of what 200 would send; a 0 would be a lie.
        set_all.and(set(header::CONTENT_LENGTH, document.body.len().to_string()))
    } else {
        set_all
            .and(set(header::CONTENT_TYPE, "text/calendar; charset=utf-8".to_owned()))
            .and(set(header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")))
    };
    set_all.map_err(|error| {
        tracing::error!(%error, "A published document has an ETag that is no header value");
        Fault::new(Problem::Internal)
    })?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn document() -> Document {
        Document {
            body: Bytes::from_static(b"BEGIN:VCALENDAR\r\n"),
            etag: "\"abc\"".into(),
            modified: "2026-11-24T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_feed_carries_its_type_and_validators() {
        let response = send(Some(&document()), &HeaderMap::new(), "noether.ics").unwrap();
        assert_eq!(response.status(), 200);
        for (name, value) in [
            ("content-type", "text/calendar; charset=utf-8"),
            ("content-disposition", "inline; filename=\"noether.ics\""),
            ("etag", "\"abc\""),
            ("last-modified", "Tue, 24 Nov 2026 12:00:00 GMT"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
    }

    #[test]
    fn a_304_carries_the_etag_and_no_type() {
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("W/\"abc\""))]);
        let response = send(Some(&document()), &headers, "noether.ics").unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["etag"]),
            (304, &HeaderValue::from_static("\"abc\""))
        );
        assert!(!response.headers().contains_key("content-type"));
        assert_eq!(response.headers()["content-length"], "17");
    }

    #[test]
    fn before_the_first_reading_it_is_503_with_retry_after() {
        let fault = send(None, &HeaderMap::new(), "noether.ics").unwrap_err();
        assert_eq!((fault.problem.status().as_u16(), fault.retry_after), (503, Some(30)));
    }
}
