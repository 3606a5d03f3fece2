//! What a message says, in its reader's language: the same words as text and as HTML. Start with [`Letter::of`]; pure.
//!
//! Subjects are neutral ("Office hour, Tuesday 1 December 2026"): Exchange makes them the title of the appointment.

use super::Occasion;
use crate::availability::{Host, Interval};
use crate::booking::when::{GuestWhen, When, label};
use crate::booking::{DayEntry, Message, Said, Says};
use crate::ical::Zone;
use crate::ical::write::{Breaks, clean};
use crate::language::{HostWords, Language, Words};
use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use std::fmt::Write;

/// The words of a message.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "letter.html", config = "src/mail/askama.toml")]
pub(super) struct Letter {
    /// What of messages it is, and what templates of it are called.
    pub(super) kind: &'static str,
    /// A language tag.
    pub(super) language: &'static str,
    pub(super) subject: String,
    heading: String,
    opening: Vec<String>,
    facts: Vec<Fact>,
    links: Vec<Link>,
    closing: Vec<String>,
    #[serde(skip)]
    spoken: Language,
}

/// A line of the table: `Where  Room 2.12`.
#[derive(Clone, Debug, Serialize)]
struct Fact {
    name: String,
    lines: Vec<String>,
    /// It holds no longer.
    gone: bool,
}

/// A link with what it is for.
#[derive(Clone, Debug, Serialize)]
struct Link {
    name: &'static str,
    url: String,
}

/// A booking in the host's list of a day.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The booking.
    pub of: &'a DayEntry,
    /// The host's page of it.
    pub link: String,
}

/// A link that opens the host's desk.
#[derive(Clone, Debug)]
pub struct DeskLink {
    /// Whole.
    pub url: String,
    /// It opens nothing from then on.
    pub until: Timestamp,
}

/// Its word in Message-IDs and in the names of templates.
pub(super) fn word(message: Message) -> &'static str {
    match message {
        Message::ConfirmAddress => "confirm-address",
        Message::Invitation => "invitation",
        Message::Moved => "moved",
        Message::MovedByHost => "moved-by-host",
        Message::PlaceChanged => "place-changed",
        Message::Cancelled => "cancelled",
        Message::CancelledByHost => "cancelled-by-host",
        Message::Declined => "declined",
        Message::Reminder => "reminder",
        Message::AskToCancel => "ask-to-cancel",
        Message::Again => "again",
        Message::ApprovalRequest => "approval-request",
        Message::HostBooked => "host-booked",
        Message::HostMoved => "host-moved",
        Message::HostCancelled => "host-cancelled",
        Message::HostProposal => "host-proposal",
        Message::HostDelegated => "host-delegated",
    }
}

impl Letter {
    /// What the message of an occasion says.
    pub(super) fn of(occasion: &Occasion<'_>) -> Letter {
        match occasion.message {
            Message::ConfirmAddress => Letter::confirm_address(occasion),
            message if message.is_to_guest() => Letter::to_guest(occasion, message),
            message => Letter::to_host(occasion, message),
        }
    }

    fn new(kind: &'static str, language: Language, subject: String, heading: &str) -> Letter {
        Letter {
            kind,
            language: language.tag(),
            subject,
            heading: heading.to_owned(),
            opening: Vec::new(),
            facts: Vec::new(),
            links: Vec::new(),
            closing: Vec::new(),
            spoken: language,
        }
    }

    /// A message that tells whether mail arrives.
    pub(super) fn test(language: Language) -> Letter {
        let [subject, heading, text] = language.phrases().mail.test;
        Letter { opening: vec![text.to_owned()], ..Letter::new("test", language, subject.to_owned(), heading) }
    }

    /// Whoever typed the address may not be who reads this: nothing in it is theirs.
    fn confirm_address(occasion: &Occasion<'_>) -> Letter {
        let language = occasion.language();
        let mail = &language.phrases().mail;
        let Words { heading, opening } = mail.confirm_address;
        Letter {
            opening: vec![opening(&occasion.host.name)],
            links: vec![Link { name: mail.confirm_link, url: occasion.links.confirm.clone() }],
            facts: vec![with(occasion), when(occasion, None)],
            closing: vec![mail.not_you.to_owned()],
            ..Letter::new(word(Message::ConfirmAddress), language, subject(occasion), heading)
        }
    }

    fn to_guest(occasion: &Occasion<'_>, message: Message) -> Letter {
        let language = occasion.language();
        let mail = &language.phrases().mail;
        let Words { heading, opening } = match message {
            Message::Moved => mail.moved,
            Message::MovedByHost => mail.moved_by_host,
            Message::PlaceChanged => mail.place_changed,
            Message::Cancelled => mail.cancelled,
            Message::CancelledByHost => mail.cancelled_by_host,
            Message::Declined => mail.declined,
            Message::Reminder => mail.reminder,
            Message::AskToCancel => mail.ask_to_cancel,
            _ => mail.invitation,
        };
        let label = language.phrases().label;
        let mut opening = vec![opening(&occasion.host.name)];
        // What the host wants to say stands under their name, a paragraph a line.
        let mut said = occasion.word.lines().map(str::trim).filter(|line| !line.is_empty());
        opening.extend(said.next().map(|line| format!("{} {line}", label(&occasion.host.name))));
        opening.extend(said.map(str::to_owned));
        let on = !matches!(message, Message::Cancelled | Message::CancelledByHost | Message::Declined);
        let mut facts = vec![with(occasion), Fact { gone: !on, ..when(occasion, guest_zone(occasion)) }];
        if matches!(message, Message::Moved | Message::MovedByHost) {
            facts.extend(before(occasion));
        }
        if on {
            facts.extend(location(occasion));
        }
        if matches!(message, Message::Moved | Message::MovedByHost | Message::PlaceChanged) {
            facts.extend(place_before(occasion));
        }
        let subject = match message {
            Message::Reminder => (mail.reminder_subject)(&subject(occasion)),
            _ => subject(occasion),
        };
        Letter {
            opening,
            facts,
            links: match on {
                true => vec![Link { name: mail.change_link, url: occasion.links.guest.clone() }],
                false => vec![Link { name: mail.again_link, url: occasion.links.meeting.clone() }],
            },
            ..Letter::new(word(message), language, subject, heading)
        }
    }

    fn to_host(occasion: &Occasion<'_>, message: Message) -> Letter {
        let language = occasion.language();
        let mail = &language.phrases().mail;
        let guest = &occasion.booking.guest;
        let HostWords { subject: of, heading, opening } = match message {
            Message::ApprovalRequest => mail.approval_request,
            Message::HostMoved => mail.host_moved,
            Message::HostCancelled => mail.host_cancelled,
            Message::HostProposal => mail.host_proposal,
            Message::HostDelegated => mail.host_delegated,
            _ => mail.host_booked,
        };
        let off = message == Message::HostCancelled;
        let mut facts = vec![Fact::new(mail.what, vec![occasion.booking.title.clone()])];
        facts.push(Fact { gone: off, ..when(occasion, guest_zone(occasion)) });
        if message == Message::HostMoved {
            facts.extend(before(occasion));
        }
        facts.extend(proposed(occasion));
        facts.extend(location(occasion));
        if message == Message::HostMoved {
            facts.extend(place_before(occasion));
        }
        facts.push(Fact::new(mail.who, vec![guest.name.clone(), guest.email.clone()]));
        facts.extend(said(occasion));
        for answer in guest.answers.iter().filter(|answer| !answer.text.is_empty()) {
            facts.push(Fact::new(&answer.label, answer.text.lines().map(str::to_owned).collect()));
        }
        if !guest.note.is_empty() {
            facts.push(Fact::new(mail.note, guest.note.lines().map(str::to_owned).collect()));
        }
        let link = |name| Link { name, url: occasion.links.host.clone() };
        Letter {
            opening: vec![opening.to_owned()],
            facts,
            links: match message {
                Message::ApprovalRequest => vec![link(mail.decide_link)],
                Message::HostProposal => vec![link(mail.accept_link)],
                Message::HostCancelled => Vec::new(),
                _ => vec![link(mail.host_link)],
            },
            closing: vec![mail.answer_goes_to_guest.to_owned()],
            ..Letter::new(word(message), language, of(&subject(occasion)), heading)
        }
    }

    /// The host's list of a day.
    pub(super) fn digest(host: &Host, day: Date, entries: &[Entry<'_>]) -> Letter {
        let language = host.language;
        let mail = &language.phrases().mail;
        let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        let fact = |Entry { of, link }: &Entry<'_>| {
            let guest = of.guest_zone.as_deref().and_then(Zone::named);
            let when = When::new(of.time()?, &host.zone, guest.as_ref(), language);
            let mut lines = vec![format!("{} – {}", of.title, of.guest_name), of.guest_email.clone()];
            if !of.location.is_empty() {
                lines.push(of.location.clone());
            }
            lines.extend(when.guest.map(|guest| format!("{} {}", mail.for_guest, guest_line(guest))));
            lines.push(link.clone());
            Some(Fact::new(&when.times, lines))
        };
        Letter {
            facts: entries.iter().filter_map(fact).collect(),
            ..Letter::new(
                "digest",
                language,
                (mail.digest_subject)(&language.long_date(day)),
                &(mail.digest_heading)(count),
            )
        }
    }

    /// The link that a host asked for.
    pub(super) fn desk_link(host: &Host, link: &DeskLink) -> Letter {
        let language = host.language;
        let desk = &language.phrases().desk;
        let clock = language.clock(host.zone.civil(link.until));
        Letter {
            opening: vec![(desk.mail_text)(&format!("{clock} ({})", label(&host.zone, link.until)))],
            links: vec![Link { name: desk.open_button, url: link.url.clone() }],
            closing: vec![desk.mail_not_you.to_owned()],
            ..Letter::new("desk-link", language, desk.mail_subject.to_owned(), desk.mail_heading)
        }
    }

    /// As HTML: no picture, no script, nothing from elsewhere, colours for a light and a dark screen.
    pub(super) fn html(&self) -> Result<String, askama::Error> {
        self.render()
    }

    /// As text.
    pub(super) fn text(&self) -> String {
        let phrases = self.spoken.phrases();
        let mut text = format!("{}\n", self.heading);
        for paragraph in &self.opening {
            let _ = write!(text, "\n{paragraph}\n");
        }
        if !self.facts.is_empty() {
            text.push('\n');
        }
        for Fact { name, lines, .. } in &self.facts {
            let lines = lines.iter();
            // A question has its mark.
            let name = if name.ends_with(['?', '!', ':', '.']) { name.clone() } else { (phrases.label)(name) };
            // Programs that show text wrap it as they like, and find words by their blanks.
            let mut lines = lines.map(|line| line.replace('\u{a0}', " "));
            let _ = writeln!(text, "{name} {}", lines.next().unwrap_or_default());
            for line in lines {
                let _ = writeln!(text, "    {line}");
            }
        }
        for Link { name, url } in &self.links {
            let _ = write!(text, "\n{}\n{url}\n", (phrases.label)(name));
        }
        for paragraph in &self.closing {
            let _ = write!(text, "\n{paragraph}\n");
        }
        text
    }
}

impl Fact {
    fn new(name: &str, lines: Vec<String>) -> Fact {
        Fact { name: name.to_owned(), lines, gone: false }
    }
}

/// `Office hour, Tuesday 1 December 2026`, where the host is. The same in each message of one time.
fn subject(occasion: &Occasion<'_>) -> String {
    let date = occasion.host.zone.civil(occasion.booking.time.start()).date();
    format!("{}, {}", clean(&occasion.booking.title, Breaks::Blank), occasion.language().long_date(date))
}

fn guest_zone(occasion: &Occasion<'_>) -> Option<Zone> {
    occasion.booking.guest.time_zone.as_deref().and_then(Zone::named)
}

/// The host's wall clock, and the guest's when it shows something else at that time.
fn when(occasion: &Occasion<'_>, guest: Option<Zone>) -> Fact {
    let language = occasion.language();
    let mail = &language.phrases().mail;
    let When { date, times, zone, guest, .. } =
        When::new(occasion.booking.time, &occasion.host.zone, guest.as_ref(), language);
    let mut lines = vec![date, clock(&times, &zone)];
    if let Some(guest) = guest {
        let whose = if occasion.message.is_to_guest() { mail.for_you } else { mail.for_guest };
        lines.push(format!("{whose} {}", guest_line(guest)));
    }
    Fact::new(mail.when, lines)
}

/// `14:00–14:30 (New York, UTC−5)`: on a narrow screen a line breaks before the zone, not within it.
fn clock(times: &str, zone: &str) -> String {
    format!("{times} ({})", zone.replace(' ', "\u{a0}"))
}

fn guest_line(GuestWhen { date, times, zone }: GuestWhen) -> String {
    let date = date.map(|date| format!("{date}, ")).unwrap_or_default();
    format!("{date}{}", clock(&times, &zone))
}

/// The time that the guest was told before.
fn before(occasion: &Occasion<'_>) -> Option<Fact> {
    let language = occasion.language();
    let When { date, times, zone, guest, .. } =
        When::new(occasion.before?, &occasion.host.zone, guest_zone(occasion).as_ref(), language);
    let mail = &language.phrases().mail;
    let mut lines = vec![format!("{date}, {}", clock(&times, &zone))];
    let whose = if occasion.message.is_to_guest() { mail.for_you } else { mail.for_guest };
    lines.extend(guest.map(|guest| format!("{whose} {}", guest_line(guest))));
    Some(Fact { gone: true, ..Fact::new(mail.before, lines) })
}

/// The place that the guest was told before.
fn place_before(occasion: &Occasion<'_>) -> Option<Fact> {
    let place = occasion.place_before.as_ref().filter(|place| !place.is_empty())?;
    Some(Fact { gone: true, ..Fact::new(occasion.language().phrases().mail.before, vec![place.clone()]) })
}

/// The time that the guest proposes.
fn proposed(occasion: &Occasion<'_>) -> Option<Fact> {
    let Says::Proposes(start, end) = occasion.said.as_ref()?.what else { return None };
    let language = occasion.language();
    let mail = &language.phrases().mail;
    let time = Interval::new(start, end)?;
    let When { date, times, zone, guest, .. } =
        When::new(time, &occasion.host.zone, guest_zone(occasion).as_ref(), language);
    let mut lines = vec![date, clock(&times, &zone)];
    lines.extend(guest.map(|guest| format!("{} {}", mail.for_guest, guest_line(guest))));
    Some(Fact::new(mail.proposed, lines))
}

/// Who comes in the guest's place, and what the guest's calendar says with its answer.
fn said(occasion: &Occasion<'_>) -> Vec<Fact> {
    let Some(Said { what, comment }) = &occasion.said else { return Vec::new() };
    let mail = &occasion.language().phrases().mail;
    let mut facts = Vec::new();
    if let Says::Delegated(to) = what
        && !to.is_empty()
    {
        facts.push(Fact::new(mail.deputy, vec![to.clone()]));
    }
    if !comment.is_empty() {
        facts.push(Fact::new(mail.comment, comment.lines().map(str::to_owned).collect()));
    }
    facts
}

fn with(occasion: &Occasion<'_>) -> Fact {
    let phrases = occasion.language().phrases();
    Fact::new(phrases.mail.what, vec![(phrases.with)(&occasion.booking.title, &occasion.host.name)])
}

fn location(occasion: &Occasion<'_>) -> Option<Fact> {
    let location = &occasion.booking.location;
    let mail = &occasion.language().phrases().mail;
    (!location.is_empty()).then(|| Fact::new(mail.place, vec![location.clone()]))
}
