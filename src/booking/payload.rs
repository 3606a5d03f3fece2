//! What the outbox stores of an effect: all that has to be said later as it is now.

use super::{Appointment, Booking, Effect, Message, Said};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An effect with the version of the booking that it reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// What to do.
    pub effect: Effect,
    /// SEQUENCE of the booking then.
    pub sequence: u32,
    /// Start of the booking then.
    pub start: Timestamp,
    /// End of the booking then.
    pub end: Timestamp,
    /// The time that the guest was told before, where it was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<(Timestamp, Timestamp)>,
    /// Where the booking was then; `None` of an older version, before a place could change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The place that the guest was told before, where it was another; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place_before: Option<String>,
    /// What the guest's calendar answered, where that is what it reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
    /// What the host wants the guest to read with it; may have several lines.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub word: String,
    /// When it was decided: DTSTAMP and Date of what is sent, the same in each retry.
    pub at: Timestamp,
}

impl Payload {
    /// The effect on this version of the booking, whose guest was `told` this before.
    pub fn of(effect: &Effect, booking: &Booking, told: Option<&Appointment>) -> Payload {
        let (time, place) = told.map(|told| (told.time, &told.place)).unzip();
        Payload {
            effect: effect.clone(),
            sequence: booking.sequence,
            start: booking.time.start(),
            end: booking.time.end(),
            before: time.filter(|time| *time != booking.time).map(|time| (time.start(), time.end())),
            place: Some(booking.location.clone()),
            place_before: place.filter(|place| **place != booking.location).cloned(),
            said: booking.answered.as_ref().filter(|_| reports_answer(effect)).map(|answered| answered.said.clone()),
            word: String::new(),
            at: booking.updated_at,
        }
    }

    /// As the store keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| unreachable!("a payload has no maps and no floats"))
    }

    /// From what the store kept.
    pub fn from_json(text: &str) -> Result<Payload, serde_json::Error> {
        serde_json::from_str(text)
    }
}

fn reports_answer(effect: &Effect) -> bool {
    matches!(effect, Effect::Mail(Message::HostProposal | Message::HostDelegated))
}
