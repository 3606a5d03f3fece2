//! A message as it goes out (RFC 5322), with the calendar in it where it is an invitation (iMIP, RFC 6047). Pure: the same
//! occasion makes the same bytes, so that a message that is sent again is the same message. Start with [`booking_message`].

use super::Occasion;
use super::letter::{DeskLink, Entry, Letter, word};
use super::template::{Form, Templates};
use crate::availability::Host;
use crate::booking::{Booking, BookingState, Message as Kind, Organizer, guest_event, organizer};
use crate::ical::write::{InvitationText, Method, Person, invitation};
use crate::language::Language;
use jiff::Timestamp;
use jiff::civil::Date;
use lettre::Message;
use lettre::address::AddressError;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MessageBuilder, MultiPart, SinglePart};
use std::time::{Duration, SystemTime};

/// Why there is no message, or no mailer. It will not go away by trying again.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Not an address that mail can go to.
    #[error("the address cannot be written to: {0}")]
    Address(#[from] AddressError),
    /// The parts do not make a message.
    #[error("the message cannot be put together: {0}")]
    Build(#[from] lettre::error::Error),
    /// The HTML cannot be filled in.
    #[error("the HTML of the message cannot be made: {0}")]
    Template(#[from] askama::Error),
    /// The settings of the mail server do not make a connection.
    #[error("the mail server cannot be set up: {0}")]
    Server(String),
    /// A MIME type of ours is none.
    #[error("the message cannot be put together: a MIME type is wrong")]
    MimeType,
}

/// Whom messages come from, and what they are made with.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The service's mailbox.
    pub from: Mailbox,
    /// Whom invitations come from.
    pub organizer: Organizer,
    /// In place of our texts.
    pub templates: Templates,
}

/// The message of an occasion, from the service's mailbox. To the guest: text and HTML, and the calendar where it is about
/// the invitation. To the host: text alone, for a calendar in it would be a second event in theirs.
pub fn booking_message(occasion: &Occasion<'_>, sender: &Sender) -> Result<Message, MessageError> {
    let Occasion { booking, host, message, .. } = occasion;
    let Sender { from, templates, .. } = sender;
    let letter = Letter::of(occasion);
    let id = match message {
        // There may be several at one time of the booking.
        Kind::Reminder | Kind::Again | Kind::PlaceChanged | Kind::HostProposal | Kind::HostDelegated => {
            format!("{}.{}.{}.{}", booking.uid, booking.sequence, word(*message), booking.updated_at.as_second())
        }
        _ => format!("{}.{}.{}", booking.uid, booking.sequence, word(*message)),
    };
    let host_box = mailbox(Some(&host.name), &host.email)?;
    let head = |to: Mailbox| head(from, to, (&letter.subject, letter.language), (&id, booking.updated_at));
    let text = templates.render(&letter, Some(occasion), Form::Text).unwrap_or_else(|| letter.text());
    if !message.is_to_guest() {
        let mut head = head(host_box);
        // An address that mail cannot go to is no reason not to tell the host.
        if let Ok(guest) = mailbox(Some(&booking.guest.name), &booking.guest.email) {
            head = head.reply_to(guest);
        }
        return Ok(head.singlepart(SinglePart::plain(text))?);
    }
    let html = match templates.render(&letter, Some(occasion), Form::Html) {
        Some(html) => html,
        None => letter.html()?,
    };
    // Without a name: strangers typed it, for an address that may not be theirs.
    let head = head(mailbox(None, &booking.guest.email)?).reply_to(host_box);
    let head = head.references(format!("<{}@{}>", booking.uid, from.email.domain()));
    let parts = MultiPart::alternative()
        .boundary(boundary(booking, "parts"))
        .singlepart(SinglePart::plain(text))
        .singlepart(SinglePart::html(html));
    let Some(method) = method(*message, booking) else { return Ok(head.multipart(parts)?) };
    let calendar = calendar(occasion, method, sender);
    let mime = |text: &str| ContentType::parse(text).map_err(|_| MessageError::MimeType);
    let part = SinglePart::builder()
        .header(mime(&format!("text/calendar; charset=utf-8; method={}", method.as_str()))?)
        .body(base64(&calendar));
    let attachment = Attachment::new("invite.ics".to_owned()).body(base64(&calendar), mime("application/ics")?);
    let mixed = MultiPart::mixed()
        .boundary(boundary(booking, "mixed"))
        .multipart(parts.singlepart(part))
        .singlepart(attachment);
    Ok(head.multipart(mixed)?)
}

/// The host's list of a day, which was due at `due`. The same day makes the same Message-ID.
pub fn digest_message(
    host: &Host,
    day: Date,
    due: Timestamp,
    entries: &[Entry<'_>],
    sender: &Sender,
) -> Result<Message, MessageError> {
    let letter = Letter::digest(host, day, entries);
    let text = sender.templates.render(&letter, None, Form::Text).unwrap_or_else(|| letter.text());
    let head = head(
        &sender.from,
        mailbox(Some(&host.name), &host.email)?,
        (&letter.subject, letter.language),
        (&format!("{}.{day}.digest", host.id), due),
    );
    Ok(head.singlepart(SinglePart::plain(text))?)
}

/// The link to the desk that a host asked for at `at`. The same `id` makes the same Message-ID.
pub fn desk_link_message(
    host: &Host,
    link: &DeskLink,
    (id, at): (&str, Timestamp),
    sender: &Sender,
) -> Result<Message, MessageError> {
    let letter = Letter::desk_link(host, link);
    let text = sender.templates.render(&letter, None, Form::Text).unwrap_or_else(|| letter.text());
    let to = mailbox(Some(&host.name), &host.email)?;
    let head = head(&sender.from, to, (&letter.subject, letter.language), (&format!("{id}.desk-link"), at));
    Ok(head.singlepart(SinglePart::plain(text))?)
}

/// A message that tells whether mail arrives. `id` is another each time.
pub fn test_message(
    from: &Mailbox,
    to: &str,
    language: Language,
    id: &str,
    at: Timestamp,
) -> Result<Message, MessageError> {
    let letter = Letter::test(language);
    let head = head(from, mailbox(None, to)?, (&letter.subject, letter.language), (&format!("{id}.test"), at));
    Ok(head.singlepart(SinglePart::plain(letter.text()))?)
}

/// An address with a name, as headers have it.
pub(super) fn mailbox(name: Option<&str>, address: &str) -> Result<Mailbox, AddressError> {
    let name = name.map(|name| name.chars().filter(|letter| !letter.is_control()).collect());
    Ok(Mailbox::new(name, address.parse()?))
}

/// `subject` and the tag of its language.
pub(super) fn head(
    from: &Mailbox,
    to: Mailbox,
    (subject, language): (&str, &str),
    (id, at): (&str, Timestamp),
) -> MessageBuilder {
    const CONTENT_LANGUAGE: HeaderName = HeaderName::new_from_ascii_str("Content-Language");
    const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
    Message::builder()
        .from(from.clone())
        .to(to)
        .subject(subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0)))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        // RFC 3834: no robot shall answer it.
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
        // RFC 3282.
        .raw_header(HeaderValue::new(CONTENT_LANGUAGE, language.to_owned()))
}

/// What the guest's calendar is to do; `None`: there is nothing in it that this is about.
fn method(kind: Kind, booking: &Booking) -> Option<Method> {
    match kind {
        Kind::Invitation | Kind::Moved | Kind::MovedByHost | Kind::PlaceChanged | Kind::Again => Some(Method::Request),
        Kind::Cancelled | Kind::CancelledByHost if booking.told.is_some() => Some(Method::Cancel),
        _ => None,
    }
}

/// The iTIP message (RFC 5546 3.2.2, 3.2.5), with the UID of the event on the host's calendar.
fn calendar(occasion: &Occasion<'_>, method: Method, sender: &Sender) -> String {
    let Occasion { booking, host, links, .. } = occasion;
    // It was on the calendar when this was decided, wherever the booking stands now.
    let booking = Booking { state: BookingState::Confirmed, ..booking.clone() };
    invitation(&InvitationText {
        method,
        event: guest_event(&booking, &host.name, host.zone.clone(), &links.guest, occasion.language()),
        organizer: booking.organizer.clone().unwrap_or_else(|| {
            organizer(&host.name, Some(&host.email), Some(sender.from.email.as_ref()), sender.organizer)
        }),
        attendee: Person::new(&booking.guest.name, &booking.guest.email),
        url: links.guest.clone(),
    })
}

/// base64: no relay can break a line of it.
fn base64(calendar: &str) -> Body {
    let bytes = calendar.as_bytes().to_vec();
    Body::new_with_encoding(bytes, ContentTransferEncoding::Base64).unwrap_or_else(Body::new)
}

/// Not by chance, as everything in a message: it is the same when it is sent again.
fn boundary(booking: &Booking, part: &str) -> String {
    format!("oh-{}-{}-{part}", booking.uid, booking.sequence)
}
