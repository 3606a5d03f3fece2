//! Mail about bookings: what each message says (`letter`), the message itself (`message`: RFC 5322, MIME, iMIP RFC 6047), and
//! the way to the mail server (`mailer`: SMTP, RFC 5321). Start with [`Occasion`] and [`Mailer`].

mod alert;
mod letter;
mod mailer;
mod message;
#[cfg(test)]
mod tests;

pub use alert::alert_message;
pub use mailer::{Login, MailServer, Mailer, SendError, Tls};
pub use message::{MessageError, booking_message, test_message};

use crate::availability::{Host, Interval};
use crate::booking::{Booking, Message, Payload};

/// What a message is about.
#[derive(Clone, Debug)]
pub struct Occasion<'a> {
    /// The booking as it was when the message was decided: time and SEQUENCE are those of the message.
    booking: Booking,
    host: &'a Host,
    message: Message,
    links: Links,
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
            ..booking.clone()
        };
        Occasion { booking, host, message, links }
    }
}
