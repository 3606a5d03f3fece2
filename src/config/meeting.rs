//! `[[host.meeting]]`: what can be booked.

use super::Surroundings;
use super::duration::format_duration;
use super::file::Section;
use super::host::{self, hours, id_advice};
use super::keys::{RESERVED_MEETINGS, RESERVED_QUESTIONS};
use super::limits::per_guest;
use super::value::{all, count, duration, flag, one_of, prose, text};
use crate::availability::{Confirm, MeetingId, MeetingType, Question};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use toml::de::DeValue;

const fn hours_long(hours: i64) -> SignedDuration {
    SignedDuration::from_secs(hours * 3_600)
}

/// `reminders` are the host's, for a meeting type that has none of its own.
pub(super) fn meeting(
    section: &Section<'_>,
    surroundings: &Surroundings<'_>,
    reminders: &[SignedDuration],
) -> Option<MeetingType> {
    let minute = SignedDuration::from_secs(60);
    let (day, two_years) = (hours_long(24), hours_long(24 * 731));
    let id = section.require("id", "id = \"office-hour\" (it is in URLs)", meeting_id);
    let title = section.require("title", "title = \"Office hour\"", text);
    // A span of hours lies within one day.
    let length = section.require("duration", "duration = \"30m\"", duration(minute..=day));
    let step = section.read("step", duration(minute..=day)).or(length);
    let buffer = |key| section.read_or(key, SignedDuration::ZERO, duration(SignedDuration::ZERO..=day));
    let (buffer_before, buffer_after) = (buffer("buffer_before"), buffer("buffer_after"));
    let notice = section.read_or("notice", hours_long(4), duration(SignedDuration::ZERO..=two_years));
    let horizon = section.read_or("horizon", hours_long(60 * 24), duration(minute..=two_years));
    if notice >= horizon {
        let key = if section.has("notice") { "notice" } else { "horizon" };
        let (notice, horizon) = (format_duration(notice), format_duration(horizon));
        let message =
            format!("{key}: no slot is ever on offer: `notice` ({notice}) must be shorter than `horizon` ({horizon})");
        section.mistake(key, message);
    }
    let words = [("instant", Confirm::Instant), ("email", Confirm::Email), ("approval", Confirm::Approval)];
    let confirm = section.read_or("confirm", Confirm::default(), one_of(&words));
    if confirm == Confirm::Email && !surroundings.has_mail {
        section.mistake(
            "confirm",
            "confirm: \"email\" needs a [mail] section: the guest is sent a link to confirm".to_owned(),
        );
    }
    let own_hours = section.section("hours").map(|section| {
        if section.written(&["weekly", "dates"]).is_empty() {
            section
                .missing("weekly", "hours = { weekly = [\"Tue 14:00-16:00\"] }, or leave `hours` out for the host's");
        }
        hours(&section)
    });
    let description = section.read_or("description", String::new(), prose);
    let location = section.read_or("location", String::new(), text);
    let per_day = section.read("per_day", count(1..=10_000));
    let per_guest = section.read("per_guest", per_guest);
    let seats = section.read_or("seats", 1, count(1..=10_000));
    let reminders = host::reminders(section, surroundings).unwrap_or_else(|| reminders.to_vec());
    let questions = questions(section);
    Some(MeetingType {
        id: id?,
        title: title?,
        description,
        duration: length?,
        step: step?,
        buffer_before,
        buffer_after,
        notice,
        horizon,
        per_day,
        per_guest,
        seats,
        location,
        confirm,
        reminders,
        questions: questions?,
        hours: own_hours,
    })
}

fn meeting_id(value: &DeValue<'_>) -> Result<MeetingId, String> {
    let written = text(value)?;
    if RESERVED_MEETINGS.contains(&written.as_str()) {
        return Err(format!("\"{written}\" is taken by officehours itself in URLs; choose another"));
    }
    MeetingId::new(&written).ok_or_else(|| id_advice(&written))
}

fn questions(meeting: &Section<'_>) -> Option<Vec<Question>> {
    let mut ids = BTreeMap::new();
    let read = |section: Section<'_>| {
        section.refuse_duplicate("id", &mut ids);
        let id = section.require("id", "id = \"topic\" (the field of the form)", question_id);
        let label = section.require("label", "label = \"What is it about?\"", text);
        let required = section.read_or("required", false, flag);
        Some(Question { id: id?, label: label?, required })
    };
    all(meeting.sections("questions").into_iter().map(read))
}

fn question_id(value: &DeValue<'_>) -> Result<String, String> {
    let written = text(value)?;
    if RESERVED_QUESTIONS.contains(&written.as_str()) {
        return Err(format!("\"{written}\" is a field of every booking form already; choose another"));
    }
    let plain = written.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    let starts = written.starts_with(|c: char| c.is_ascii_lowercase());
    let advice = "a question's id is made of a-z, 0-9, - and _, at most 64, and begins with a letter";
    (plain && starts && written.len() <= 64).then_some(written).ok_or_else(|| advice.to_owned())
}
