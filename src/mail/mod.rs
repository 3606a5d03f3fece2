//! Mail about bookings: what each message says (`letter`; `template` where an administrator says it), the message itself (`message`: RFC 5322, MIME, iMIP RFC 6047), and
//! the way to the mail server (`mailer`: SMTP, RFC 5321); what guests' calendars answer (`reply`), in a mailbox (`inbox`: IMAP, RFC 9051).
//! Start with [`Occasion`] and [`Mailer`].

mod alert;
mod inbox;
mod letter;
mod mailer;
mod message;
mod reply;
mod sample;
mod template;
#[cfg(test)]
mod tests;

pub use alert::alert_message;
pub use inbox::{Inbox, InboxError, InboxServer, Listed};
pub use letter::{DeskLink, Entry};
pub use mailer::{Login, MailServer, Mailer, SendError, Tls};
pub use message::{MessageError, Sender, booking_message, desk_link_message, digest_message, test_message};
pub use reply::read_reply;
pub use template::Templates;

use crate::availability::{Host, Interval};
use crate::booking::when::When;
use crate::booking::{Answer, Booking, Message, Payload, Said};
use crate::ical::Zone;
use crate::language::Language;
use serde::Serialize;

/// What a message is about.
#[derive(Clone, Debug)]
pub struct Occasion<'a> {
    /// The booking as it was when the message was decided: time and SEQUENCE are those of the message.
    booking: Booking,
    /// The time that the guest was told before, where it was another.
    before: Option<Interval>,
    /// The place that the guest was told before, where it was another; may be empty.
    place_before: Option<String>,
    host: &'a Host,
    message: Message,
    /// What the guest's calendar answered, where the message reports it.
    said: Option<Said>,
    links: Links,
    /// What the host wants the guest to read with it; may be empty.
    word: String,
}

/// The links that messages carry; each message only those of its reader.
#[derive(Clone, Debug)]
pub struct Links {
    /// The guest's page of the booking.
    pub guest: String,
    /// Where the guest's address is confirmed. Only the message to that address has it.
    pub confirm: String,
    /// The host's page of the booking.
    pub host: String,
    /// The page of the meeting type.
    pub meeting: String,
}

impl<'a> Occasion<'a> {
    /// The occasion of `message`, decided as `payload` says.
    pub fn new(booking: &Booking, host: &'a Host, message: Message, payload: &Payload, links: Links) -> Occasion<'a> {
        let booking = Booking {
            time: Interval::new(payload.start, payload.end).unwrap_or(booking.time),
            sequence: payload.sequence,
            updated_at: payload.at,
            location: payload.place.clone().unwrap_or_else(|| booking.location.clone()),
            ..booking.clone()
        };
        let before = payload.before.and_then(|(start, end)| Interval::new(start, end));
        let (place_before, said, word) = (payload.place_before.clone(), payload.said.clone(), payload.word.clone());
        Occasion { booking, before, place_before, host, message, said, links, word }
    }

    /// What its reader reads.
    fn language(&self) -> Language {
        match self.message.is_to_guest() {
            true => self.booking.guest.language.unwrap_or(self.host.language),
            false => self.host.language,
        }
    }

    /// What templates know besides the letter.
    fn variables(&self) -> Variables<'_> {
        let Occasion { booking, host, message, .. } = self;
        // Nothing that a stranger typed is in the message that asks whether the address is theirs.
        let known = *message != Message::ConfirmAddress;
        let typed = |text: &'_ str| if known { text.to_owned() } else { String::new() };
        let guest = &booking.guest;
        let zone = guest.time_zone.as_deref().filter(|_| known).and_then(Zone::named);
        Variables {
            booking: BookingVariables {
                title: &booking.title,
                location: &booking.location,
                when: When::new(booking.time, &host.zone, zone.as_ref(), self.language()),
                start: booking.time.start().to_string(),
                end: booking.time.end().to_string(),
                answers: if known { &guest.answers } else { &[] },
            },
            host: PersonVariables { name: host.name.clone(), email: host.email.clone(), note: String::new() },
            guest: PersonVariables { name: typed(&guest.name), email: typed(&guest.email), note: typed(&guest.note) },
        }
    }
}

/// The variables of templates, besides those of the letter.
#[derive(Serialize)]
struct Variables<'a> {
    booking: BookingVariables<'a>,
    host: PersonVariables,
    guest: PersonVariables,
}

#[derive(Serialize)]
struct BookingVariables<'a> {
    title: &'a str,
    location: &'a str,
    when: When,
    start: String,
    end: String,
    answers: &'a [Answer],
}

#[derive(Serialize)]
struct PersonVariables {
    name: String,
    email: String,
    note: String,
}
