//! The event of a booking as it goes to the calendar (RFC 5545; INTERFACE "The event of a booking"). Pure.

use crate::availability::Host;
use crate::booking::{Booking, BookingState};
use crate::ical::write::{EventStatus, EventText};
use std::fmt::Write;

/// In letters: calendar programs show no more, and some servers take no more.
const LONGEST_SUMMARY: usize = 200;
/// The same.
const LONGEST_DESCRIPTION: usize = 5000;

/// What the host reads in their calendar: who comes, and the host's link. Never the guest's link.
pub fn event_text(booking: &Booking, host: &Host, host_link: &str) -> EventText {
    let guest = &booking.guest;
    let mut said = format!("{}\n{}\n", guest.name, guest.email);
    for answer in guest.answers.iter().filter(|answer| !answer.text.is_empty()) {
        let _ = write!(said, "\n{}\n{}\n", answer.label, answer.text);
    }
    if !guest.note.is_empty() {
        let _ = write!(said, "\n{}\n", guest.note);
    }
    // All of it is on the host's page, too.
    let room = LONGEST_DESCRIPTION.saturating_sub(host_link.chars().count() + 1);
    let description = format!("{}\n{host_link}", shortened(said, room));
    EventText {
        uid: booking.uid.clone(),
        sequence: booking.sequence,
        stamp: booking.updated_at,
        created: booking.created_at,
        last_modified: booking.updated_at,
        start: booking.time.start(),
        end: booking.time.end(),
        zone: host.zone.clone(),
        summary: shortened(format!("{}: {}", booking.title, guest.name), LONGEST_SUMMARY),
        description,
        location: booking.location.clone(),
        status: match booking.state {
            BookingState::AwaitingApproval => EventStatus::Tentative,
            _ => EventStatus::Confirmed,
        },
    }
}

/// The text in so many letters at most, with a mark where it is cut.
fn shortened(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text,
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::Interval;
    use crate::booking::{Answer, Guest};
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn a_guest_who_writes_a_book_is_cut_short_and_the_hosts_link_is_whole() {
        let time = Interval::new(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_mins(30)).unwrap();
        let made = Booking::sample(time, BookingState::Reserved);
        let answer = |n: usize| Answer { question: format!("q{n}"), label: "Topic".into(), text: "é".repeat(1000) };
        let guest = Guest {
            name: "N".repeat(200),
            note: "x".repeat(2000),
            answers: (0..6).map(answer).collect(),
            ..made.guest
        };
        let link = "https://meet.example.edu/h/Zr6yVd1sGm3kPj8uBxQfE5";
        let text = event_text(&Booking { guest, ..made }, &Host::sample(), link);
        assert_eq!((text.summary.chars().count(), text.description.chars().count()), (200, 5000));
        assert!(text.summary.ends_with("N…") && text.description.ends_with(&format!("é…\n{link}")), "{text:?}");
        assert_eq!(shortened("Grüße".into(), 5), "Grüße");
    }
}
