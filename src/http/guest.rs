//! What a stranger typed, checked field by field and cleaned at the border: raw texts to a [`Guest`], or every mistake
//! at once. Start with [`GuestInput::check`].

use super::fault::FieldError;
use crate::availability::MeetingType;
use crate::booking::{Answer, Guest};
use crate::ical::Zone;
use crate::language::{Language, PagePhrases};

/// Caps, in characters.
const MAX_NAME: usize = 200;
const MAX_EMAIL: usize = 254;
const MAX_NOTE: usize = 2000;
const MAX_ANSWER: usize = 1000;

/// What was typed, as it was sent.
#[derive(Clone, Debug, Default)]
pub(super) struct GuestInput {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) note: String,
    pub(super) time_zone: Option<String>,
    pub(super) language: Option<Language>,
    /// Answers by the `id` of their question.
    pub(super) answers: Vec<(String, String)>,
}

impl GuestInput {
    /// The answer to a question, as typed.
    pub(super) fn answer(&self, question: &str) -> &str {
        self.answers.iter().find(|(id, _)| id == question).map(|(_, text)| text.as_str()).unwrap_or_default()
    }

    /// A guest, or every field that is wrong, said in the language; answers are named `answers.{id}`.
    pub(super) fn check(&self, meeting: &MeetingType, language: Language) -> Result<Guest, Vec<FieldError>> {
        let t = &language.phrases().page;
        let mut errors = Vec::new();
        let mut keep = |field: String, checked: Result<String, String>| {
            checked.unwrap_or_else(|detail| {
                errors.push(FieldError::new(field, detail));
                String::new()
            })
        };
        let name = keep("name".into(), name(&self.name, t));
        let email = keep("email".into(), email(&self.email, t));
        let answers = meeting.questions.iter().map(|question| {
            let text = long_text(self.answer(&question.id), MAX_ANSWER, t).and_then(|text| {
                let missing = question.required && text.is_empty();
                if missing { Err(t.answer_missing.to_owned()) } else { Ok(text) }
            });
            let text = keep(format!("answers.{}", question.id), text);
            Answer { question: question.id.clone(), label: question.label.clone(), text }
        });
        let answers = answers.collect();
        let note = keep("note".into(), long_text(&self.note, MAX_NOTE, t));
        let time_zone = self.time_zone.as_deref().map(str::trim).filter(|zone| !zone.is_empty());
        let time_zone = time_zone.map(|name| keep("time_zone".into(), zone_name(name, t)));
        if errors.is_empty() {
            Ok(Guest { name, email, note, time_zone, language: self.language, answers })
        } else {
            Err(errors)
        }
    }
}

fn name(text: &str, t: &PagePhrases) -> Result<String, String> {
    // Of the text as it was sent: trimmed, a line break at its end would be gone.
    if text.chars().any(breaks_a_line) {
        return Err(t.name_in_one_line.into());
    }
    let name = text.trim();
    if name.is_empty() { Err(t.name_missing.into()) } else { within(name, MAX_NAME, t) }
}

fn email(text: &str, t: &PagePhrases) -> Result<String, String> {
    if text.chars().any(breaks_a_line) {
        return Err(t.email_in_one_line.into());
    }
    let email = text.trim();
    if email.is_empty() {
        return Err(t.email_missing.into());
    }
    let email = within(email, MAX_EMAIL, t)?;
    let plausible = email.parse::<lettre::Address>().is_ok_and(|address| {
        let quoted = address.user().contains(['"', '<', '>', '(', ')', ',', ';', ':', '\\']);
        !quoted && address.domain().contains('.') && !address.domain().starts_with('[')
    });
    if plausible { Ok(email) } else { Err(t.email_wrong.into()) }
}

fn within(text: &str, most: usize, t: &PagePhrases) -> Result<String, String> {
    let length = text.chars().count();
    if length > most {
        return Err((t.too_long)(length, most));
    }
    Ok(text.to_owned())
}

/// A control character, or one of Unicode's line and paragraph separators.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Text of several lines: every kind of line break becomes a line feed, other control characters are dropped.
pub(super) fn long_text(text: &str, most: usize, t: &PagePhrases) -> Result<String, String> {
    let lines = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    let kept: String = lines.chars().filter(|&c| c == '\n' || !c.is_control()).collect();
    within(kept.trim(), most, t)
}

fn zone_name(name: &str, t: &PagePhrases) -> Result<String, String> {
    zone(name).map(|zone| zone.name().to_owned()).ok_or_else(|| t.zone_unknown.into())
}

/// Places that Chromium and its kin still call as they were called once: what they say, and what people say.
const RENAMED: [(&str, &str); 10] = [
    ("Africa/Asmera", "Africa/Asmara"),
    ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("America/Godthab", "America/Nuuk"),
    ("Asia/Calcutta", "Asia/Kolkata"),
    ("Asia/Katmandu", "Asia/Kathmandu"),
    ("Asia/Rangoon", "Asia/Yangon"),
    ("Asia/Saigon", "Asia/Ho_Chi_Minh"),
    ("Atlantic/Faeroe", "Atlantic/Faroe"),
    ("Europe/Kiev", "Europe/Kyiv"),
    ("Pacific/Truk", "Pacific/Chuuk"),
];

/// The zone of an IANA name that a stranger sent, under the name of today.
pub(super) fn zone(name: &str) -> Option<Zone> {
    let name = RENAMED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new);
    let is_name = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'));
    is_name.then(|| Zone::named(name)).flatten()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::availability::{Confirm, MeetingId, Question};
    use jiff::SignedDuration;

    /// A meeting type with one required question, `topic`, and one other, `room`.
    pub(in super::super) fn meeting() -> MeetingType {
        let question = |id: &str, required| Question { id: id.into(), label: format!("{id}?"), required };
        MeetingType {
            id: MeetingId::new("office-hour").unwrap(),
            title: "Office hour".into(),
            description: String::new(),
            duration: SignedDuration::from_mins(30),
            step: SignedDuration::from_mins(30),
            buffer_before: SignedDuration::ZERO,
            buffer_after: SignedDuration::ZERO,
            notice: SignedDuration::from_hours(4),
            horizon: SignedDuration::from_hours(24 * 60),
            per_day: None,
            per_guest: None,
            seats: 1,
            location: "Room 2.12".into(),
            confirm: Confirm::Instant,
            reminders: Vec::new(),
            questions: vec![question("topic", true), question("room", false)],
            hours: None,
        }
    }

    fn input() -> GuestInput {
        GuestInput {
            name: " Ada Lovelace ".into(),
            email: "ada@example.edu".into(),
            note: String::new(),
            time_zone: None,
            language: None,
            answers: vec![("topic".into(), "engines".into())],
        }
    }

    fn wrong(input: GuestInput) -> Vec<String> {
        input.check(&meeting(), Language::English).unwrap_err().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_guest_is_trimmed_and_answers_are_in_the_order_of_the_questions() {
        let guest = input().check(&meeting(), Language::English).unwrap();
        assert_eq!(guest.name, "Ada Lovelace");
        let answers: Vec<_> = guest.answers.iter().map(|a| (a.question.as_str(), a.text.as_str())).collect();
        assert_eq!(answers, [("topic", "engines"), ("room", "")]);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let empty = GuestInput { time_zone: Some("Mars/Olympus".into()), ..GuestInput::default() };
        assert_eq!(wrong(empty), ["name", "email", "answers.topic", "time_zone"]);
    }

    #[test]
    fn line_breaks_in_a_name_or_an_address_are_refused() {
        for breaker in ["\r\n", "\r", "\n", "\u{b}", "\u{85}", "\u{2028}", "\u{2029}", "\0", "\u{7f}"] {
            let name = GuestInput { name: format!("x{breaker}ATTENDEE:mailto:evil@example.com"), ..input() };
            assert_eq!(wrong(name), ["name"], "{breaker:?}");
            let email = GuestInput { email: format!("ada@example.edu{breaker}x"), ..input() };
            assert_eq!(wrong(email), ["email"], "{breaker:?}");
            // At an end, where trimming would hide it, too.
            let ends =
                GuestInput { name: format!("Eve{breaker}"), email: format!("{breaker}ada@example.edu"), ..input() };
            assert_eq!(wrong(ends), ["name", "email"], "{breaker:?}");
        }
    }

    #[test]
    fn a_note_keeps_its_lines_and_loses_other_control_characters() {
        let note = GuestInput { note: "a\r\nb\rc\u{2028}d\0\u{1b}[0m\te\u{b}f\u{c}g\n\n".into(), ..input() };
        assert_eq!(note.check(&meeting(), Language::English).unwrap().note, "a\nb\nc\nd[0mefg");
    }

    #[test]
    fn fields_have_caps_in_characters() {
        assert!(GuestInput { name: "ö".repeat(200), ..input() }.check(&meeting(), Language::English).is_ok());
        assert_eq!(wrong(GuestInput { name: "ö".repeat(201), ..input() }), ["name"]);
        assert_eq!(wrong(GuestInput { note: "x".repeat(2001), ..input() }), ["note"]);
        assert_eq!(
            wrong(GuestInput { answers: vec![("topic".into(), "x".repeat(1001))], ..input() }),
            ["answers.topic"]
        );
        assert_eq!(wrong(GuestInput { email: format!("a@{}.edu", "b.".repeat(130)), ..input() }), ["email"]);
    }

    #[test]
    fn addresses_are_plausible() {
        for good in ["ada@example.edu", "a.b+c@x-y.example.edu", "o'hara@example.ie", "jörg@example.de"] {
            assert!(
                GuestInput { email: good.into(), ..input() }.check(&meeting(), Language::English).is_ok(),
                "{good}"
            );
        }
        for bad in [
            "ada",
            "ada@",
            "@example.edu",
            "ada@example",
            "a b@example.edu",
            "\"a b\"@example.edu",
            "a@[127.0.0.1]",
            "<ada@example.edu>",
            "ada@example.edu,eve@example.edu",
            "Ada <ada@example.edu>",
            "mailto:ada@example.edu",
        ] {
            assert_eq!(wrong(GuestInput { email: bad.into(), ..input() }), ["email"], "{bad}");
        }
    }

    #[test]
    fn zones_of_strangers_are_names_and_nothing_else() {
        assert!(zone("Europe/Berlin").is_some());
        assert!(zone("America/Argentina/Buenos_Aires").is_some());
        assert_eq!(zone("Asia/Calcutta").unwrap().name(), "Asia/Kolkata");
        assert!(RENAMED.iter().all(|(old, new)| zone(old).is_some_and(|zone| zone.name() == *new)));
        for bad in ["", "../../etc/passwd", "Europe/Nowhere", "Europe/Berlin\n", &"x".repeat(65)] {
            assert!(zone(bad).is_none(), "{bad:?}");
        }
    }
}
