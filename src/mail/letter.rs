//! What a message says: the same words as text and as HTML. English. Start with [`Letter::of`]; pure.
//!
//! Subjects are neutral ("Office hour, Tuesday 1 December 2026"): Exchange makes them the title of the appointment.

use super::Occasion;
use crate::booking::Message;
use crate::booking::when::{GuestWhen, When};
use crate::ical::Zone;
use crate::ical::write::{Breaks, clean};
use crate::language::Language;
use askama::Template;
use std::fmt::Write;

/// The words of a message.
#[derive(Clone, Debug, Template)]
#[template(path = "letter.html", config = "src/mail/askama.toml")]
pub(super) struct Letter {
    pub(super) subject: String,
    heading: &'static str,
    opening: Vec<String>,
    facts: Vec<Fact>,
    links: Vec<Link>,
    closing: Vec<&'static str>,
}

/// A line of the table: `Where  Room 2.12`.
#[derive(Clone, Debug)]
struct Fact {
    name: String,
    lines: Vec<String>,
}

/// A link with what it is for.
#[derive(Clone, Debug)]
struct Link {
    name: &'static str,
    url: String,
}

impl Letter {
    /// What the message of an occasion says.
    pub(super) fn of(occasion: &Occasion<'_>, message: Message) -> Letter {
        match message {
            Message::ConfirmAddress => Letter::confirm_address(occasion),
            Message::Invitation | Message::Moved | Message::Cancelled | Message::Declined => {
                Letter::to_guest(occasion, message)
            }
            Message::ApprovalRequest | Message::HostBooked | Message::HostMoved | Message::HostCancelled => {
                Letter::to_host(occasion, message)
            }
        }
    }

    /// A message that tells whether mail arrives.
    pub(super) fn test() -> Letter {
        Letter {
            subject: "A test of officehours".to_owned(),
            heading: "Mail works",
            opening: vec!["This message was sent by “officehours check --mail”.".to_owned()],
            facts: Vec::new(),
            links: Vec::new(),
            closing: Vec::new(),
        }
    }

    /// Whoever typed the address may not be who reads this: nothing in it is theirs.
    fn confirm_address(occasion: &Occasion<'_>) -> Letter {
        Letter {
            subject: subject(occasion),
            heading: "Please confirm your booking",
            opening: vec!["This time was asked for with your address. If that was you, confirm it here:".to_owned()],
            links: vec![Link { name: "Confirm the booking", url: occasion.links.confirm.clone() }],
            facts: vec![with(occasion), when(occasion, None)],
            closing: vec!["If it was not you, do nothing: the time becomes free again by itself."],
        }
    }

    fn to_guest(occasion: &Occasion<'_>, message: Message) -> Letter {
        let (heading, opening) = match message {
            Message::Moved => ("Your booking is at another time", "It takes place then:"),
            Message::Cancelled => ("Your booking is cancelled", "It does not take place:"),
            Message::Declined => ("Your booking was declined", "The time that you asked for was declined:"),
            _ => ("You are booked", "It is in the calendar:"),
        };
        let mut facts = vec![with(occasion), when(occasion, guest_zone(occasion))];
        let on = matches!(message, Message::Invitation | Message::Moved);
        if on {
            facts.extend(location(occasion));
        }
        Letter {
            subject: subject(occasion),
            heading,
            opening: vec![opening.to_owned()],
            facts,
            links: match on {
                true => vec![Link { name: "Move or cancel it", url: occasion.links.guest.clone() }],
                false => vec![Link { name: "Book another time", url: occasion.links.meeting.clone() }],
            },
            closing: Vec::new(),
        }
    }

    fn to_host(occasion: &Occasion<'_>, message: Message) -> Letter {
        let guest = &occasion.booking.guest;
        let (word, heading, opening) = match message {
            Message::ApprovalRequest => {
                ("To approve", "A booking awaits your approval", "Its time is held for the guest.")
            }
            Message::HostMoved => ("Moved", "A booking has moved", "It is in your calendar at its new time."),
            Message::HostCancelled => ("Cancelled", "A booking was cancelled", "Its time is free again."),
            _ => ("Booked", "You are booked", "It is in your calendar."),
        };
        let mut facts = vec![Fact::new("What", vec![occasion.booking.title.clone()])];
        facts.push(when(occasion, guest_zone(occasion)));
        facts.extend(location(occasion));
        facts.push(Fact::new("Who", vec![guest.name.clone(), guest.email.clone()]));
        for answer in guest.answers.iter().filter(|answer| !answer.text.is_empty()) {
            facts.push(Fact::new(&answer.label, answer.text.lines().map(str::to_owned).collect()));
        }
        if !guest.note.is_empty() {
            facts.push(Fact::new("Note", guest.note.lines().map(str::to_owned).collect()));
        }
        Letter {
            subject: format!("{word}: {}", subject(occasion)),
            heading,
            opening: vec![opening.to_owned()],
            facts,
            links: match message {
                Message::ApprovalRequest => {
                    vec![Link { name: "Approve or decline", url: occasion.links.host.clone() }]
                }
                Message::HostCancelled => Vec::new(),
                _ => vec![Link { name: "See or cancel it", url: occasion.links.host.clone() }],
            },
            closing: vec!["An answer to this message goes to the guest."],
        }
    }

    /// As HTML: no picture, no script, nothing from elsewhere, colours of the reader's own.
    pub(super) fn html(&self) -> Result<String, askama::Error> {
        self.render()
    }

    /// As text.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n", self.heading);
        for paragraph in &self.opening {
            let _ = write!(text, "\n{paragraph}\n");
        }
        if !self.facts.is_empty() {
            text.push('\n');
        }
        for Fact { name, lines, .. } in &self.facts {
            let mut lines = lines.iter();
            let _ = writeln!(text, "{name}: {}", lines.next().map_or("", String::as_str));
            for line in lines {
                let _ = writeln!(text, "    {line}");
            }
        }
        for Link { name, url } in &self.links {
            let _ = write!(text, "\n{name}:\n{url}\n");
        }
        for paragraph in &self.closing {
            let _ = write!(text, "\n{paragraph}\n");
        }
        text
    }
}

impl Fact {
    fn new(name: &str, lines: Vec<String>) -> Fact {
        Fact { name: name.to_owned(), lines }
    }
}

/// `Office hour, Tuesday 1 December 2026`, where the host is. The same in each message of one time.
fn subject(occasion: &Occasion<'_>) -> String {
    let date = occasion.host.zone.civil(occasion.booking.time.start()).date();
    format!("{}, {}", clean(&occasion.booking.title, Breaks::Blank), Language::English.long_date(date))
}

fn guest_zone(occasion: &Occasion<'_>) -> Option<Zone> {
    occasion.booking.guest.time_zone.as_deref().and_then(Zone::named)
}

/// The host's wall clock, and the guest's when it shows something else at that time.
fn when(occasion: &Occasion<'_>, guest: Option<Zone>) -> Fact {
    let When { date, times, zone, guest, .. } =
        When::new(occasion.booking.time, &occasion.host.zone, guest.as_ref(), Language::English);
    let mut lines = vec![date, format!("{times} ({zone})")];
    if let Some(GuestWhen { date, times, zone }) = guest {
        let date = date.map(|date| format!("{date}, ")).unwrap_or_default();
        lines.push(format!("{date}{times} ({zone})"));
    }
    Fact::new("When", lines)
}

fn with(occasion: &Occasion<'_>) -> Fact {
    Fact::new("What", vec![format!("{} with {}", occasion.booking.title, occasion.host.name)])
}

fn location(occasion: &Occasion<'_>) -> Option<Fact> {
    let location = &occasion.booking.location;
    (!location.is_empty()).then(|| Fact::new("Where", vec![location.clone()]))
}
