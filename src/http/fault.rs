//! What went wrong with a request: one value, shown as RFC 9457 problem details, as a page or as a line of text,
//! whichever the client came for. Start with [`Fault`].

use crate::availability::Interval;
use crate::booking::Links;
use crate::desk::{Challenge, ReserveError, Taken, TokenError};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The kinds of faults. Each has a stable `type` in problem details, and a page that explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Malformed,
    CrossSite,
    NotFound,
    MethodNotAllowed,
    Timeout,
    SlotTaken,
    InProgress,
    BookingClosed,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    NotASlot,
    KeyReused,
    TooManyRequests,
    Internal,
    NotReady,
    Stale,
    ProofOfWork,
    Unavailable,
}

impl Problem {
    pub(super) const ALL: [Problem; 19] = [
        Problem::Malformed,
        Problem::CrossSite,
        Problem::NotFound,
        Problem::MethodNotAllowed,
        Problem::Timeout,
        Problem::SlotTaken,
        Problem::InProgress,
        Problem::BookingClosed,
        Problem::TooLarge,
        Problem::UnsupportedMediaType,
        Problem::Invalid,
        Problem::NotASlot,
        Problem::KeyReused,
        Problem::TooManyRequests,
        Problem::Internal,
        Problem::NotReady,
        Problem::Stale,
        Problem::ProofOfWork,
        Problem::Unavailable,
    ];

    pub(super) fn status(self) -> StatusCode {
        self.row().0
    }

    /// The last segment of `type`. Programs depend on it.
    pub(super) fn slug(self) -> &'static str {
        self.row().1
    }

    pub(super) fn title(self) -> &'static str {
        self.row().2
    }

    /// What to do about it, in a sentence.
    pub(super) fn advice(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Problem::Malformed => {
                (S::BAD_REQUEST, "malformed", "This request cannot be read", "What was sent is not well-formed.")
            }
            Problem::CrossSite => (
                S::FORBIDDEN,
                "cross-site",
                "This form was sent from another site",
                "Open the page here and send its form from there.",
            ),
            Problem::NotFound => (
                S::NOT_FOUND,
                "not-found",
                "There is nothing here",
                "The link may be incomplete, or what it led to is gone.",
            ),
            Problem::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "That cannot be done here",
                "This address does not know the method of the request; the Allow header names those that it knows.",
            ),
            Problem::Timeout => (
                S::REQUEST_TIMEOUT,
                "timeout",
                "The request took too long",
                "Its body did not arrive in time. Please try again.",
            ),
            Problem::SlotTaken => {
                (S::CONFLICT, "slot-taken", "This time is not on offer", "Choose one of the alternatives.")
            }
            Problem::InProgress => (
                S::CONFLICT,
                "in-progress",
                "This request is being answered already",
                "Send the same request again in a moment: it gets the same answer.",
            ),
            Problem::BookingClosed => (
                S::CONFLICT,
                "booking-closed",
                "This booking can no longer be changed",
                "It was cancelled or declined, has lapsed, or is over.",
            ),
            Problem::TooLarge => {
                (S::PAYLOAD_TOO_LARGE, "too-large", "That is too much", "The body of a request may have 64 KiB.")
            }
            Problem::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "This format is not known here",
                "Forms take application/x-www-form-urlencoded, the API takes application/json.",
            ),
            Problem::Invalid => (
                S::UNPROCESSABLE_ENTITY,
                "invalid",
                "Something is not right yet",
                "`errors` names each field and what is wrong with it.",
            ),
            Problem::NotASlot => (
                S::UNPROCESSABLE_ENTITY,
                "not-a-slot",
                "This time cannot be booked",
                "No slot starts at this time: it has passed, or it is outside the hours.",
            ),
            Problem::KeyReused => (
                S::UNPROCESSABLE_ENTITY,
                "key-reused",
                "This Idempotency-Key was used before",
                "A key belongs to one request; use a new one for another request.",
            ),
            Problem::TooManyRequests => (
                S::TOO_MANY_REQUESTS,
                "too-many-requests",
                "That was too much in a short time",
                "Please wait a little; Retry-After says how many seconds.",
            ),
            Problem::Internal => (
                S::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong here",
                "It is our fault, not yours, and it was noted. Please try again later.",
            ),
            Problem::NotReady => (
                S::SERVICE_UNAVAILABLE,
                "not-ready",
                "Not ready yet",
                "The calendars have not been read yet. Please try again in a minute.",
            ),
            Problem::Stale => (
                S::SERVICE_UNAVAILABLE,
                "stale",
                "Booking is paused for a moment",
                "The calendar cannot be read at the moment, so nothing can be promised. Please try again in a few minutes.",
            ),
            Problem::ProofOfWork => (
                S::PRECONDITION_REQUIRED,
                "proof-of-work",
                "A proof of work is asked for",
                "Append a full stop and a number to `challenge`, such that the SHA-256 of the whole begins with as many zero bits as \
                 `bits` says, and send it with the same request as the member `proof`. A proof is good for one booking and two hours.",
            ),
            Problem::Unavailable => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "Nothing can be saved at the moment",
                "It is our fault, not yours, and it was noted. Please try again in a minute; what you see then is what counts.",
            ),
        }
    }
}

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldError {
    /// As in the API: `name`, `answers.topic`.
    pub(super) field: String,
    /// What is wrong with it, for the one who filled it in.
    pub(super) detail: String,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), detail: detail.into() }
    }
}

/// What went wrong with a request.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) problem: Problem,
    pub(super) detail: String,
    pub(super) errors: Vec<FieldError>,
    pub(super) alternatives: Option<Vec<Interval>>,
    pub(super) retry_after: Option<u64>,
    pub(super) challenge: Option<Box<Challenge>>,
}

impl Fault {
    /// What the desk could not do.
    pub(super) fn of_desk(error: impl Into<TokenError>) -> Fault {
        error.into().into()
    }

    pub(super) fn new(problem: Problem) -> Fault {
        Fault {
            problem,
            detail: problem.advice().to_owned(),
            errors: Vec::new(),
            alternatives: None,
            retry_after: None,
            challenge: None,
        }
    }

    pub(super) fn because(problem: Problem, detail: impl Into<String>) -> Fault {
        Fault { detail: detail.into(), ..Fault::new(problem) }
    }

    pub(super) fn not_found() -> Fault {
        Fault::new(Problem::NotFound)
    }

    pub(super) fn invalid(errors: Vec<FieldError>) -> Fault {
        let detail: Vec<&str> = errors.iter().map(|error| error.detail.as_str()).collect();
        Fault { detail: detail.join(" "), errors, ..Fault::new(Problem::Invalid) }
    }

    /// With `Retry-After`, in whole seconds, at least one.
    pub(super) fn retry_after(self, wait: SignedDuration) -> Fault {
        let seconds = u64::try_from(wait.as_secs()).unwrap_or(0).saturating_add(u64::from(wait.subsec_nanos() > 0));
        Fault { retry_after: Some(seconds.max(1)), ..self }
    }

    /// RFC 9457 problem details.
    pub(super) fn json(&self, links: &Links) -> Value {
        let mut problem = json!({
            "type": format!("{}/-/problems/{}", links.base(), self.problem.slug()),
            "title": self.problem.title(),
            "status": self.problem.status().as_u16(),
            "detail": self.detail,
        });
        if let Some(members) = problem.as_object_mut() {
            if !self.errors.is_empty() {
                let error =
                    |e: &FieldError| json!({"field": e.field, "detail": e.detail, "pointer": pointer(&e.field)});
                members.insert("errors".into(), self.errors.iter().map(error).collect());
            }
            if let Some(challenge) = &self.challenge {
                members.insert("challenge".into(), challenge.text.clone().into());
                members.insert("bits".into(), challenge.bits.into());
            }
            if let Some(alternatives) = &self.alternatives {
                let slot = |slot: &Interval| json!({"start": rfc3339(slot.start()), "end": rfc3339(slot.end())});
                members.insert("alternatives".into(), alternatives.iter().map(slot).collect());
            }
        }
        problem
    }
}

/// RFC 6901 in a fragment: `answers.topic` is `#/answers/topic`.
fn pointer(field: &str) -> String {
    format!("#/{}", field.replacen('.', "/", 1))
}

/// An instant as the API writes it: UTC, whole seconds.
pub(super) fn rfc3339(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The fault itself goes into the response's extensions; `shell` writes it out as the client wants it.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.problem.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Why a slot is not on offer, for its guest. Never which event it is.
pub(super) fn taken_because(why: Taken) -> &'static str {
    match why {
        Taken::Busy | Taken::Booked => "This time is taken.",
        Taken::TooSoon => "This time is too soon to be booked.",
        Taken::TooFar => "This time is too far ahead to be booked yet.",
        Taken::DayFull => "That day is fully booked.",
        Taken::Paused => "No new bookings are taken at the moment.",
        Taken::Unbookable => "The times of this host are shown and cannot be booked here.",
        // A stranger who types an address in learns nothing about its owner.
        Taken::GuestLimit => "This time cannot be booked with this address.",
    }
}

impl From<ReserveError> for Fault {
    fn from(error: ReserveError) -> Fault {
        let passes = error.passes();
        match error {
            ReserveError::Unknown => Fault::not_found(),
            ReserveError::NotASlot(why) => {
                let detail = sentence(&why.to_string());
                Fault { errors: vec![FieldError::new("start", &detail)], ..Fault::because(Problem::NotASlot, detail) }
            }
            ReserveError::Taken { why, alternatives } => {
                Fault { alternatives: Some(alternatives), ..Fault::because(Problem::SlotTaken, taken_because(why)) }
            }
            ReserveError::Stale { retry_after } => Fault::new(Problem::Stale).retry_after(retry_after),
            ReserveError::Limited { retry_after } => Fault::new(Problem::TooManyRequests).retry_after(retry_after),
            ReserveError::ProofSpent => Fault::new(Problem::ProofOfWork),
            ReserveError::InProgress => Fault::new(Problem::InProgress).retry_after(SignedDuration::from_secs(1)),
            ReserveError::KeyReused => Fault::new(Problem::KeyReused),
            ReserveError::Token(error) => error.into(),
            ReserveError::Store(error) => of_store("A booking could not be stored", &error, passes),
        }
    }
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Fault {
        let passes = error.passes();
        match error {
            TokenError::Unknown => Fault::because(
                Problem::NotFound,
                "There is no such booking. The link may be incomplete, or the booking was deleted.",
            ),
            TokenError::Closed(state) => {
                Fault::because(Problem::BookingClosed, format!("This booking is {}.", state.as_str().replace('-', " ")))
            }
            TokenError::Over => Fault::because(Problem::BookingClosed, "This booking is over."),
            TokenError::Store(error) => of_store("A booking could not be read or changed", &error, passes),
        }
    }
}

/// How long to wait for a store that fails for now.
const STORE_RETRY: SignedDuration = SignedDuration::from_secs(10);

/// A store that fails for now (a full disk) may be asked again; anything else is a fault of ours.
fn of_store(what: &str, error: &(dyn std::error::Error + 'static), passes: bool) -> Fault {
    let fault = internal(what, error);
    if passes { Fault::new(Problem::Unavailable).retry_after(STORE_RETRY) } else { fault }
}

/// Logged here, once; the client learns nothing of it.
fn internal(what: &str, error: &(dyn std::error::Error + 'static)) -> Fault {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    tracing::error!(error = text, "{what}");
    Fault::new(Problem::Internal)
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::NotASlot;

    #[test]
    fn a_taken_slot_carries_its_alternatives_even_when_there_are_none() {
        let links = Links::new("https://meet.example.edu");
        let start: Timestamp = "2026-12-01T13:00:00Z".parse().unwrap();
        let slot = Interval::new(start, start + SignedDuration::from_mins(30)).unwrap();
        let taken = |alternatives| Fault::from(ReserveError::Taken { why: Taken::Busy, alternatives }).json(&links);
        assert_eq!(taken(vec![]).get("alternatives"), Some(&json!([])));
        let problem = taken(vec![slot]);
        assert_eq!(problem["type"], "https://meet.example.edu/-/problems/slot-taken");
        assert_eq!(problem["status"], 409);
        assert_eq!(problem["alternatives"], json!([{"start": "2026-12-01T13:00:00Z", "end": "2026-12-01T13:30:00Z"}]));
    }

    #[test]
    fn every_wrong_field_is_named() {
        let links = Links::new("https://meet.example.edu");
        let fault = Fault::invalid(vec![FieldError::new("answers.topic", "Please answer this question.")]);
        assert_eq!(fault.json(&links)["errors"][0]["field"], "answers.topic");
        assert_eq!(fault.json(&links)["errors"][0]["pointer"], "#/answers/topic");
        let past = Fault::from(ReserveError::NotASlot(NotASlot::Past));
        assert_eq!((past.problem.status().as_u16(), past.errors[0].field.as_str()), (422, "start"));
        assert_eq!(past.detail, "This time has passed.");
        let over = Fault::from(TokenError::Over);
        assert_eq!((over.problem, over.detail.as_str()), (Problem::BookingClosed, "This booking is over."));
    }

    #[test]
    fn retry_after_is_whole_seconds_and_never_none() {
        let wait = |d| Fault::new(Problem::Stale).retry_after(d).retry_after;
        assert_eq!(wait(SignedDuration::from_millis(1500)), Some(2));
        assert_eq!(wait(SignedDuration::from_secs(60)), Some(60));
        assert_eq!(wait(SignedDuration::from_secs(-3)), Some(1));
    }

    #[test]
    fn busy_and_booked_look_the_same_from_outside() {
        assert_eq!(taken_because(Taken::Busy), taken_because(Taken::Booked));
    }

    #[test]
    fn slugs_differ() {
        let mut slugs: Vec<&str> = Problem::ALL.iter().map(|problem| problem.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Problem::ALL.len());
    }
}
