//! A booking that was never made, to try templates with and to look at mails.

use super::letter::{DeskLink, Entry, Letter};
use super::{Links, Occasion};
use crate::availability::{Host, Interval};
use crate::booking::{Answer, Booking, BookingState, DayEntry, Guest, Message, Said, Says};
use crate::ical::Zone;
use crate::language::Language;
use jiff::{SignedDuration, Timestamp};

/// All that is told of a booking.
pub(super) const MESSAGES: [Message; 17] = [
    Message::ConfirmAddress,
    Message::Invitation,
    Message::Moved,
    Message::MovedByHost,
    Message::PlaceChanged,
    Message::Cancelled,
    Message::CancelledByHost,
    Message::Declined,
    Message::Reminder,
    Message::AskToCancel,
    Message::Again,
    Message::ApprovalRequest,
    Message::HostBooked,
    Message::HostMoved,
    Message::HostCancelled,
    Message::HostProposal,
    Message::HostDelegated,
];

/// Hands over each letter in a language, and the occasion of those that are of one booking.
pub(super) fn letters(language: Language, mut each: impl FnMut(&Letter, Option<&Occasion<'_>>)) {
    let Some((host, booking, before)) = sample(language) else { return };
    for message in MESSAGES {
        let links = Links {
            guest: "https://meet.example.edu/b/mYkx3hN2vUQ5cJr8sLwZt1".to_owned(),
            confirm: "https://meet.example.edu/b/c4Tq0pWn7eFb9DgHzXoKa2/confirm".to_owned(),
            host: "https://meet.example.edu/h/Zr6yVd1sGm3kPj8uBxQfE5".to_owned(),
            meeting: "https://meet.example.edu/noether/office-hour".to_owned(),
        };
        let said = match message {
            Message::HostProposal => Some(Says::Proposes(before.start(), before.end())),
            Message::HostDelegated => Some(Says::Delegated("charles@example.org".to_owned())),
            _ => None,
        };
        let said = said.map(|what| Said { what, comment: "I am in Paris that day.".to_owned() });
        let word = String::new();
        let place_before = (message == Message::PlaceChanged).then(|| "Room 1.05".to_owned());
        let occasion = Occasion {
            booking: booking.clone(),
            before: Some(before),
            place_before,
            host: &host,
            message,
            said,
            links,
            word,
        };
        each(&Letter::of(&occasion), Some(&occasion));
    }
    let day = DayEntry::of(&booking);
    let entries = [Entry { of: &day, link: "https://meet.example.edu/h/Zr6yVd1sGm3kPj8uBxQfE5".to_owned() }];
    each(&Letter::digest(&host, host.zone.civil(booking.time.start()).date(), &entries), None);
    let (url, until) = ("https://meet.example.edu/desk/in/p7Gh2xWq9sLbV4tYc0RnJe".to_owned(), booking.time.start());
    each(&Letter::desk_link(&host, &DeskLink { url, until }), None);
    each(&Letter::test(language), None);
}

/// A host in Berlin, a guest in New York, and the time before; `None` only without any zone rules.
pub(super) fn sample(language: Language) -> Option<(Host, Booking, Interval)> {
    let half_hour = |start: i64| {
        let start = Timestamp::from_second(start).ok()?;
        Interval::new(start, start.checked_add(SignedDuration::from_mins(30)).ok()?)
    };
    let (time, before) = (half_hour(1_772_546_400)?, half_hour(1_772_460_000)?);
    let unnamed = Booking::sample(time, BookingState::Confirmed);
    let host = Host { zone: Zone::named("Europe/Berlin")?, language, ..Host::sample() };
    let booking = Booking {
        location: "Room 2.12".to_owned(),
        event_location: "Room 2.12".to_owned(),
        guest: Guest {
            note: "I have read chapter 3.\nExercise 7 is unclear to me.".to_owned(),
            time_zone: Some("America/New_York".to_owned()),
            language: Some(language),
            answers: vec![Answer {
                question: "topic".to_owned(),
                label: "What is it about?".to_owned(),
                text: "Ideals & rings".to_owned(),
            }],
            ..unnamed.guest
        },
        sequence: 1,
        told: Some(1),
        told_time: Some(time),
        created_at: before.start(),
        updated_at: before.start(),
        ..unnamed
    };
    Some((host, booking, before))
}
