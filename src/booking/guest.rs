//! A guest: a person who books. What strangers typed, cleaned at the border.

use crate::language::Language;

/// Who booked, and what they said. No control character in `name` and `email`; `note` and answers have line feeds only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// As the guest typed it, trimmed.
    pub name: String,
    /// A mail address, without `mailto:`.
    pub email: String,
    /// May be empty.
    pub note: String,
    /// The IANA name of the zone that the guest sees times in.
    pub time_zone: Option<String>,
    /// What the guest reads; `None`: the host's.
    pub language: Option<Language>,
    /// In the order of the questions.
    pub answers: Vec<Answer>,
}

/// What a guest answered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Answer {
    /// The `id` of the question.
    pub question: String,
    /// The label of the question when it was answered.
    pub label: String,
    /// May be empty.
    pub text: String,
}
