//! `GET /api/v1/hosts/{host}/meetings/{meeting}/slots`: what is on offer in a window.

use super::super::fault::{Fault, FieldError, Problem, rfc3339};
use super::super::input::Fields;
use super::super::state::AppState;
use crate::availability::{Host, Interval, MeetingType};
use crate::desk::{Freshness, Offer};
use crate::ical::Zone;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use jiff::civil::{Date, time};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const MOST_DAYS: i64 = 92;
const DEFAULT_DAYS: i64 = 31;
const STALE_RETRY: SignedDuration = SignedDuration::from_secs(60);

pub(in super::super) async fn slots(
    State(state): State<AppState>,
    Path((host, meeting)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    let meeting = host.meeting(&meeting).ok_or_else(Fault::not_found)?;
    let query = Fields::query(query.as_deref())?;
    let window = window(query.get("from"), query.get("to"), &host.zone, state.now()).map_err(Fault::invalid)?;
    state.desk.demand(&host.id);
    let offer = state.desk.offer(&host, meeting, window);
    slots_document(&host, meeting, &offer).map(Json).ok_or_else(|| Fault::new(Problem::Stale).retry_after(STALE_RETRY))
}

/// What the slots API answers. `None` unless the offer is fresh: an empty list would say that nothing is free.
pub fn slots_document(host: &Host, meeting: &MeetingType, offer: &Offer) -> Option<Value> {
    let Freshness::Fresh(as_of) = offer.freshness else { return None };
    let slot = |slot: &crate::desk::Slot| json!({"start": rfc3339(slot.time.start()), "end": rfc3339(slot.time.end()), "seats_left": slot.seats_left});
    Some(json!({
        "host": host.id.as_str(),
        "meeting": meeting.id.as_str(),
        "time_zone": host.zone.name(),
        "as_of": rfc3339(as_of),
        "slots": offer.slots.iter().map(slot).collect::<Value>(),
    }))
}

/// One end of a window, as it was written.
#[derive(Clone, Copy)]
enum Edge {
    Instant(Timestamp),
    Date(Date),
}

impl Edge {
    /// An RFC 3339 instant, or a date.
    fn parse(text: &str) -> Option<Edge> {
        if text.len() == 10 {
            return text.parse().ok().map(Edge::Date);
        }
        // A `+` in a query that was not escaped arrives as a blank.
        let (date, time) = text.split_at_checked(11)?;
        format!("{date}{}", time.replace(' ', "+")).parse().ok().map(Edge::Instant)
    }

    /// A date is local midnight in the host's zone.
    fn instant(self, zone: &Zone) -> Option<Timestamp> {
        match self {
            Edge::Instant(instant) => Some(instant),
            Edge::Date(date) => zone.instant(date.to_datetime(time(0, 0, 0, 0))),
        }
    }
}

/// `from` is inclusive, `to` exclusive, of a slot's start. By default from now on, for a month.
fn window(from: Option<&str>, to: Option<&str>, zone: &Zone, now: Timestamp) -> Result<Interval, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut read = |name: &str, text: Option<&str>| -> Option<(Edge, Timestamp)> {
        let edge = text.map(|text| Edge::parse(text).and_then(|edge| Some((edge, edge.instant(zone)?))));
        if matches!(edge, Some(None)) {
            let detail =
                format!("`{name}` must be an instant such as 2026-12-01T13:00:00Z, or a date such as 2026-12-01.");
            errors.push(FieldError::new(name, detail));
        }
        edge.flatten()
    };
    let (from, to) = (read("from", from), read("to", to));
    if !errors.is_empty() {
        return Err(errors);
    }
    let days = |count: i64| SignedDuration::from_hours(24 * count);
    let (start, end) = match (from, to) {
        (None, None) => (Some(now), now.checked_add(days(DEFAULT_DAYS)).ok()),
        (Some((_, from)), None) => (Some(from), from.checked_add(days(DEFAULT_DAYS)).ok()),
        (None, Some((_, to))) => (Some(now.min(to)), Some(to)),
        (Some((_, from)), Some((_, to))) => (Some(from), Some(to)),
    };
    let window = start.zip(end).and_then(|(start, end)| Interval::new(start, end));
    let window = window.ok_or_else(|| vec![FieldError::new("to", "`to` must be after `from`.")])?;
    let too_long = match (from, to) {
        (Some((Edge::Date(from), _)), Some((Edge::Date(to), _))) => to.duration_since(from) > days(MOST_DAYS),
        _ => window.duration() > days(MOST_DAYS),
    };
    if too_long {
        return Err(vec![FieldError::new("to", format!("`from` to `to` may be {MOST_DAYS} days at most."))]);
    }
    Ok(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(from: Option<&str>, to: Option<&str>) -> Result<String, String> {
        let window = window(from, to, &Zone::named("Europe/Berlin").unwrap(), "2026-11-24T12:00:00Z".parse().unwrap());
        window.map(|w| format!("{} {}", w.start(), w.end())).map_err(|errors| errors[0].field.clone())
    }

    #[test]
    fn dates_are_midnight_at_the_host_and_instants_are_instants() {
        assert_eq!(ask(Some("2026-12-01"), Some("2026-12-02")).unwrap(), "2026-11-30T23:00:00Z 2026-12-01T23:00:00Z");
        let plus = ask(Some("2026-12-01T00:00:00 01:00"), Some("2026-12-01T00:00:00Z")).unwrap();
        assert_eq!(plus, "2026-11-30T23:00:00Z 2026-12-01T00:00:00Z");
    }

    #[test]
    fn the_default_is_a_month_from_now() {
        assert_eq!(ask(None, None).unwrap(), "2026-11-24T12:00:00Z 2026-12-25T12:00:00Z");
    }

    #[test]
    fn more_than_92_days_are_refused_and_the_clocks_do_not_matter() {
        // 92 local days with the change to winter time are 92 days and an hour.
        assert!(ask(Some("2026-08-01"), Some("2026-11-01")).is_ok());
        assert_eq!(ask(Some("2026-08-01"), Some("2026-11-02")).unwrap_err(), "to");
        assert!(ask(Some("2026-01-01T00:00:00Z"), Some("2026-04-03T00:00:00Z")).is_ok());
        assert_eq!(ask(Some("2026-01-01T00:00:00Z"), Some("2026-04-03T00:00:01Z")).unwrap_err(), "to");
    }

    #[test]
    fn what_is_no_time_or_ends_before_it_starts_is_named() {
        assert_eq!(ask(Some("tomorrow"), None).unwrap_err(), "from");
        assert_eq!(ask(None, Some("2026-13-01")).unwrap_err(), "to");
        assert_eq!(ask(Some("2026-12-02"), Some("2026-12-01")).unwrap_err(), "to");
        assert_eq!(ask(Some("é2026-12-02ééééé"), None).unwrap_err(), "from");
        assert_eq!(ask(Some("9999-12-31"), Some("9999-12-31")).unwrap_err(), "from");
    }
}
