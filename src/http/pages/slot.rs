//! `/{host}/{meeting}/{start}`: one slot with its form, or why it cannot be had and what is free instead. The GET never
//! books; the POST answers 303 to the booking's page.

use super::visit::zone_of;
use super::when::When;
use super::{Frame, Visit, page};
use crate::availability::{Confirm, Host, Interval, MeetingType};
use crate::desk::{Challenge, IdempotencyKey, NotASlot, Proof, Reservation, ReserveError, Taken};
use crate::http::api::request_digest;
use crate::http::fault::{Fault, FieldError};
use crate::http::guest::GuestInput;
use crate::http::input::{self, Fields};
use crate::http::language;
use crate::http::proxy::ClientIp;
use crate::http::state::AppState;
use crate::ical::Zone;
use crate::language::Language;
use askama::Template;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

/// A field of the form as it is shown again.
struct Field {
    name: String,
    label: String,
    value: String,
    required: bool,
    error: String,
}

struct Choice {
    url: String,
    when: When,
}

#[derive(Template)]
#[template(path = "slot.html", config = "src/http/pages/askama.toml")]
struct SlotPage {
    frame: Frame,
    host_name: String,
    host_url: String,
    meeting_url: String,
    title: String,
    length: String,
    location: String,
    when: When,
    seats: String,
    action: String,
    name: Field,
    email: Field,
    email_hint: &'static str,
    questions: Vec<Field>,
    note: Field,
    /// The mistakes, each with the id of its field.
    mistakes: Vec<FieldError>,
    /// Above them.
    look_again: String,
    time_zone: String,
    once: String,
    challenge: Option<Challenge>,
    button: &'static str,
}

#[derive(Template)]
#[template(path = "unavailable.html", config = "src/http/pages/askama.toml")]
struct Unavailable {
    frame: Frame,
    heading: String,
    text: String,
    host_name: String,
    host_url: String,
    meeting_url: String,
    title: String,
    when: When,
    alternatives: Vec<Choice>,
    /// What was typed, to be sent again with one of the alternatives; empty on a GET.
    typed: Vec<(String, String)>,
}

/// A slot page's subject: what the path names.
struct Subject<'a> {
    host: &'a Host,
    meeting: &'a MeetingType,
    start: Timestamp,
    visit: Visit,
}

/// The instant of the path: RFC 3339.
fn parse_start(start: &str) -> Result<Timestamp, Fault> {
    start.parse().map_err(|_| Fault::not_found())
}

/// `GET /{host}/{meeting}/{start}`.
pub(in super::super) async fn show(
    State(state): State<AppState>,
    Path((host, meeting, start)): Path<(String, String, String)>,
    visit: Visit,
) -> Result<Response, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    let meeting = host.meeting(&meeting).ok_or_else(Fault::not_found)?;
    let start = parse_start(&start)?;
    state.desk.demand(&host.id);
    let subject = Subject { host: &host, meeting, start, visit };
    match state.desk.slot(&host, meeting, start) {
        Ok(slot) => {
            let time_zone = subject.guest().map(|zone| zone.name().to_owned());
            let input = GuestInput { time_zone, ..GuestInput::default() };
            let challenge = state.desk.challenge(input::random()?);
            Ok(page(
                subject.visit.language,
                &subject.form(slot.time, slot.seats_left, &input, Vec::new(), new_key()?, challenge),
            ))
        }
        Err(error) => subject.refusal(&state, error, Vec::new()),
    }
}

/// `POST /{host}/{meeting}/{start}`.
pub(in super::super) async fn book(
    State(state): State<AppState>,
    Path((host, meeting, start)): Path<(String, String, String)>,
    visit: Visit,
    uri: Uri,
    Extension(ClientIp(from)): Extension<ClientIp>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    let meeting = host.meeting(&meeting).ok_or_else(Fault::not_found)?;
    let start = parse_start(&start)?;
    let (fields, bytes) = input::form(&headers, body).await?;
    let visit = Visit { zone: zone_of(&fields).or(visit.zone), ..visit };
    let named = fields.get("lang").or(visit.query.get("lang"));
    let input = GuestInput { language: language::wanted(named, &headers), ..typed(&fields, meeting) };
    let subject = Subject { host: &host, meeting, start, visit };

    let mut mistakes = Vec::new();
    if !fields.text("website").is_empty() {
        mistakes.push(FieldError::new("website", subject.visit.phrases().robot));
    }
    let guest = input.check(meeting, subject.visit.language).map_err(|more| mistakes.extend(more));
    // Without a proof the guest's address is confirmed first; where that cannot be, the page says so.
    let (proof, confirm_address) = match state.desk.proof(fields.text("proof")) {
        Proof::NotAsked => (None, false),
        Proof::Good { nonce } => (Some(nonce), false),
        Proof::Missing if state.settings().mailed && meeting.confirm != Confirm::Approval => (None, true),
        Proof::Missing => {
            mistakes.push(FieldError::new("proof", subject.visit.phrases().no_proof));
            (None, false)
        }
    };
    let once = fields.text("once");
    let (Ok(guest), true) = (guest, mistakes.is_empty()) else {
        // A time that can never be booked is refused before its form is shown again.
        if let Err(error @ (ReserveError::NotASlot(_) | ReserveError::Stale { .. })) =
            state.desk.slot(&host, meeting, start)
        {
            return subject.refusal(&state, error, Vec::new());
        }
        let once = if once.is_empty() { new_key()? } else { once.to_owned() };
        return subject.form_again(&state, &input, mistakes, once);
    };
    let reservation = Reservation {
        host: host.id.clone(),
        meeting: meeting.id.clone(),
        start,
        guest,
        idempotency: form_key(once, request_digest(uri.path(), &bytes)),
        from,
        proof,
        confirm_address,
    };
    match state.desk.reserve(reservation).await {
        Ok(view) => {
            state.metrics().booking(view.booking.state);
            let to = subject.visit.path(&subject.visit.links().booking(&view.guest_token));
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
        }
        Err(ReserveError::ProofSpent) => {
            let spent = FieldError::new("proof", subject.visit.phrases().no_proof);
            subject.form_again(&state, &input, vec![spent], new_key()?)
        }
        Err(error) => subject.refusal(&state, error, kept(&fields)),
    }
}

/// A form carries its own idempotency key, so that a double click books once. The digest is part of it: the same page
/// sent again with other words, after the back button, is another request.
fn form_key(once: &str, request: [u8; 32]) -> Option<IdempotencyKey> {
    let is_key = (1..=64).contains(&once.len()) && once.bytes().all(|b| b.is_ascii_graphic());
    is_key.then(|| IdempotencyKey { key: format!("form {once} {}", URL_SAFE_NO_PAD.encode(request)), request })
}

fn new_key() -> Result<String, Fault> {
    Ok(URL_SAFE_NO_PAD.encode(input::random::<16>()?))
}

fn typed(fields: &Fields, meeting: &MeetingType) -> GuestInput {
    let answer = |id: &String| (id.clone(), fields.text(id).to_owned());
    GuestInput {
        name: fields.text("name").to_owned(),
        email: fields.text("email").to_owned(),
        note: fields.text("note").to_owned(),
        // The script fills it in; a zone that we do not know is no mistake of the guest's.
        time_zone: zone_of(fields).map(|zone| zone.name().to_owned()),
        language: None,
        answers: meeting.questions.iter().map(|question| answer(&question.id)).collect(),
    }
}

/// The fields that are sent again with another slot.
fn kept(fields: &Fields) -> Vec<(String, String)> {
    fields
        .pairs()
        .filter(|(name, value)| !matches!(*name, "once" | "proof") && !value.is_empty())
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
}

/// Why a time cannot be had, where it is the time's fault.
pub(super) fn not_on_offer(error: &ReserveError, language: Language) -> Option<&'static str> {
    let t = &language.phrases().page;
    Some(match error {
        ReserveError::Taken { why, .. } => match why {
            Taken::Busy | Taken::Booked => t.taken,
            Taken::TooSoon => t.too_soon,
            Taken::TooFar => t.too_far,
            Taken::DayFull => t.day_full,
            Taken::Paused => language.phrases().desk.guest_paused,
            Taken::Unbookable => t.unbookable,
            Taken::GuestLimit => t.guest_limit,
        },
        ReserveError::NotASlot(NotASlot::Past) => t.past,
        ReserveError::NotASlot(_) => t.no_slot,
        _ => return None,
    })
}

impl Subject<'_> {
    fn guest(&self) -> Option<&Zone> {
        self.visit.zone.as_ref()
    }

    fn slot_url(&self, start: Timestamp) -> String {
        self.visit.path(&self.visit.links().slot(&self.host.id, &self.meeting.id, start))
    }

    fn form(
        &self,
        time: Interval,
        seats_left: u32,
        input: &GuestInput,
        mistakes: Vec<FieldError>,
        once: String,
        challenge: Option<Challenge>,
    ) -> SlotPage {
        let t = self.visit.phrases();
        let error =
            |field: &str| mistakes.iter().find(|m| m.field == field).map(|m| m.detail.clone()).unwrap_or_default();
        let field = |name: &str, label: &str, value: &str, required| Field {
            name: name.to_owned(),
            label: label.to_owned(),
            value: value.to_owned(),
            required,
            error: error(name),
        };
        let questions = self.meeting.questions.iter().map(|question| Field {
            error: error(&format!("answers.{}", question.id)),
            ..field(&question.id, &question.label, input.answer(&question.id), question.required)
        });
        let questions = questions.collect();
        let (name, email) = (field("name", t.name, &input.name, true), field("email", t.email, &input.email, true));
        let note = field("note", t.note, &input.note, false);
        let links = self.visit.links();
        SlotPage {
            look_again: (t.look_again)(i64::try_from(mistakes.len()).unwrap_or(i64::MAX)),
            frame: Frame::of_meeting(&self.visit, self.host, self.meeting),
            host_name: self.host.name.clone(),
            host_url: self.visit.path(&links.host(&self.host.id)),
            meeting_url: self.visit.path(&links.meeting(&self.host.id, &self.meeting.id)),
            title: self.meeting.title.clone(),
            length: self.visit.language.length(self.meeting.duration),
            location: self.meeting.location.clone(),
            when: When::new(time, &self.host.zone, self.guest(), self.visit.language),
            seats: if self.meeting.seats > 1 {
                (t.seats_of)(i64::from(seats_left), i64::from(self.meeting.seats))
            } else {
                String::new()
            },
            action: self.slot_url(self.start),
            name,
            email,
            email_hint: match (self.visit.settings.mailed, self.meeting.confirm) {
                (true, Confirm::Email) => t.email_for_link,
                (true, _) => t.email_for_invitation,
                (false, _) => t.email_for_host,
            },
            questions,
            note,
            mistakes: mistakes.into_iter().map(|m| FieldError { field: field_id(&m.field), ..m }).collect(),
            time_zone: self.guest().map(|zone| zone.name().to_owned()).unwrap_or_default(),
            once,
            challenge,
            button: if self.meeting.confirm == Confirm::Approval { t.ask } else { t.book },
        }
    }

    /// From the start that was asked for, as long as the meeting type is.
    fn time(&self) -> Result<Interval, Fault> {
        let end = self.start.checked_add(self.meeting.duration).unwrap_or(Timestamp::MAX);
        Interval::new(self.start, end).ok_or_else(Fault::not_found)
    }

    /// The form as it was filled in, with what is wrong in it and another challenge.
    fn form_again(
        &self,
        state: &AppState,
        input: &GuestInput,
        mistakes: Vec<FieldError>,
        once: String,
    ) -> Result<Response, Fault> {
        let challenge = state.desk.challenge(input::random()?);
        let form = self.form(self.time()?, self.meeting.seats, input, mistakes, once, challenge);
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page(self.visit.language, &form)).into_response())
    }

    /// Why it cannot be had, with what is free instead. Faults that are not about this slot are passed on.
    fn refusal(&self, state: &AppState, error: ReserveError, typed: Vec<(String, String)>) -> Result<Response, Fault> {
        let about_this_slot =
            matches!(error, ReserveError::Taken { .. } | ReserveError::NotASlot(_) | ReserveError::Stale { .. });
        let t = self.visit.phrases();
        let not_on_offer = not_on_offer(&error, self.visit.language);
        let is_unbookable = matches!(error, ReserveError::Taken { why: Taken::Unbookable, .. });
        let fault = Fault::from(error);
        if !about_this_slot {
            return Err(fault);
        }
        let near = match &fault.alternatives {
            Some(alternatives) => alternatives.clone(),
            None => nearest(state, self.host, self.meeting, self.start),
        };
        let time = self.time()?;
        // What is wrong with the time is the heading; a paused calendar needs a sentence more.
        let (heading, text) = match not_on_offer {
            Some(heading) if is_unbookable => (heading.to_owned(), (t.unbookable_text)(&self.host.name)),
            Some(heading) => (heading.to_owned(), String::new()),
            None => {
                let said = super::said(fault.problem, t);
                (said.title.to_owned(), said.text.to_owned())
            }
        };
        let links = self.visit.links();
        let choice = |slot: &Interval| Choice {
            url: self.slot_url(slot.start()),
            when: When::new(*slot, &self.host.zone, self.guest(), self.visit.language),
        };
        let mut response = page(
            self.visit.language,
            &Unavailable {
                frame: Frame::of_meeting(&self.visit, self.host, self.meeting),
                heading,
                text,
                host_name: self.host.name.clone(),
                host_url: self.visit.path(&links.host(&self.host.id)),
                meeting_url: self.visit.path(&links.meeting(&self.host.id, &self.meeting.id)),
                title: self.meeting.title.clone(),
                when: When::new(time, &self.host.zone, self.guest(), self.visit.language),
                alternatives: near.iter().map(choice).collect(),
                typed,
            },
        );
        *response.status_mut() = fault.problem.status();
        if let Some(seconds) = fault.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Ok(response)
    }
}

/// The id of a field on the page: `answers.topic` is `topic`.
fn field_id(field: &str) -> String {
    field.strip_prefix("answers.").unwrap_or(field).to_owned()
}

/// The free slots nearest to `start`, in order; within two weeks around it, else the first ones at all.
fn nearest(state: &AppState, host: &Host, meeting: &MeetingType, start: Timestamp) -> Vec<Interval> {
    let now = state.now();
    let fortnight = SignedDuration::from_hours(14 * 24);
    let around = Interval::new(
        start.checked_sub(fortnight).unwrap_or(now).max(now),
        start.checked_add(fortnight).unwrap_or(Timestamp::MAX),
    );
    let all = Interval::new(now, now.checked_add(meeting.horizon).unwrap_or(Timestamp::MAX));
    let found = [around, all].into_iter().flatten().map(|window| state.desk.offer(host, meeting, window).slots);
    let mut slots: Vec<Interval> =
        found.into_iter().find(|slots| !slots.is_empty()).unwrap_or_default().iter().map(|slot| slot.time).collect();
    slots.sort_by_key(|slot| slot.start().duration_since(start).abs());
    slots.truncate(6);
    slots.sort_unstable();
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_click_has_one_key_and_other_words_have_another() {
        let (first, second) = (request_digest("/a", b"name=Ada"), request_digest("/a", b"name=Eve"));
        assert_eq!(form_key("k", first), form_key("k", first));
        assert_ne!(form_key("k", first).unwrap().key, form_key("k", second).unwrap().key);
        assert!(form_key("k", first).unwrap().key.len() <= 255);
        assert_eq!(form_key("", first), None);
        assert_eq!(form_key("a b", first), None);
        assert_ne!(new_key().unwrap(), new_key().unwrap());
    }

    #[test]
    fn what_was_typed_is_kept_but_the_key_is_not() {
        let fields = Fields::parse("name=Ada&once=k&note=&topic=engines").unwrap();
        assert_eq!(kept(&fields), [("name".into(), "Ada".into()), ("topic".into(), "engines".into())]);
    }
}
