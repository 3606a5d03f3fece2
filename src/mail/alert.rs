//! Mails that alert a host, and that say when it is over: plain text, for the host alone. Pure. All words of alerts are here.

use super::message::{MessageError, head, mailbox};
use crate::alert::{AlertKind, Notice};
use crate::availability::Host;
use crate::ical::write::{Breaks, clean};
use crate::language::Language;
use lettre::Message;
use lettre::message::{Mailbox, SinglePart};

/// The message of a notice, from the service's mailbox. `id` tells it from every other; the same when it is sent again. `links` are the
/// host's links of what the notice is about, one each; or none.
pub fn alert_message(
    host: &Host,
    kind: AlertKind,
    over: bool,
    notice: &Notice,
    links: &[String],
    (id, from): (&str, &Mailbox),
) -> Result<Message, MessageError> {
    let words = words(kind);
    let (subject, opening) = match over {
        false if kind == AlertKind::ManyGone => {
            (format!("Office hours: {}", words.wrong), format!("{} of them. {}", notice.about.len(), words.advice))
        }
        false => (format!("Office hours: {}", words.wrong), words.advice.to_owned()),
        true => (format!("Office hours: over: {}", words.wrong), "It is over:".to_owned()),
    };
    // Guests' names and servers' answers are in it: no line of theirs begins anything.
    let mut paragraphs = vec![opening];
    let links = links.iter().map(|link| format!("\n  {link}")).chain(std::iter::repeat(String::new()));
    let about = notice.about.iter().zip(links);
    paragraphs.extend(about.map(|(about, link)| format!("- {}{link}", clean(about, Breaks::Blank))));
    let text = format!("{}\n", paragraphs.join("\n\n"));
    let head =
        head(from, mailbox(Some(&host.name), &host.email)?, (&subject, Language::English.tag()), (id, notice.at));
    Ok(head.singlepart(SinglePart::plain(text))?)
}

struct Words {
    /// What is wrong, for the subject.
    wrong: &'static str,
    /// What it means and what to do.
    advice: &'static str,
}

fn words(kind: AlertKind) -> Words {
    let (wrong, advice) = match kind {
        AlertKind::Unreachable => (
            "a calendar cannot be read",
            "While it cannot be read, nobody knows when you are free: once what is known of it is too old, nothing can be booked. It \
             is tried again by itself.",
        ),
        AlertKind::LoginRefused => (
            "the login to a calendar is refused",
            "The calendar is not read, and bookings are not written to it, until it is given a login that works: a new password in the \
             config, or “officehours login”.",
        ),
        AlertKind::WriteRefused => (
            "bookings cannot be written to the calendar",
            "Their times stay taken, and their guests wait for the confirmation. Look whether the calendar can be written and the account \
             has room; then all is done by itself.",
        ),
        AlertKind::Conflict => (
            "a booking is at the same time as an event",
            "The event came into the calendar after the booking. Both stand until you move or delete one of them; moving the booking's \
             event moves the booking, and tells the guest.",
        ),
        AlertKind::MailFailed => (
            "a mail about a booking could not be delivered",
            "The booking stands. Tell the guest in another way, if you can.",
        ),
        AlertKind::OddEvent => (
            "the event of a booking is no longer a single appointment",
            "officehours does not guess what is meant. Make it a single event with a time again, or delete it to cancel the booking.",
        ),
        AlertKind::Restored => {
            ("the event of a cancelled booking is back", "Delete it again, or tell the guest to book anew.")
        }
        AlertKind::ManyGone => (
            "many events of bookings are gone at once",
            "They are not in your calendar any more. So many at once may be a fault of the calendar or of a program: the bookings stand, and \
             their guests were told nothing. If you deleted the events, cancel the bookings: each at its link, or all of them by “officehours \
             bookings cancel --gone” and your id. If you did not, bring the events back, from the calendar's trash or a backup. Those that \
             stay away for a day while other events are in the calendar are cancelled then.",
        ),
    };
    Words { wrong, advice }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::{HostId, Hours};
    use crate::ical::Zone;
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn every_kind_is_told_in_plain_text_and_the_same_again() {
        let host = Host {
            id: HostId::new("noether").unwrap(),
            name: "Emmy Noether".to_owned(),
            language: Language::English,
            email: "noether@example.edu".to_owned(),
            aliases: Vec::new(),
            zone: Zone::named("Europe/Berlin").unwrap(),
            max_staleness: SignedDuration::from_mins(30),
            hours: Hours::default(),
            meetings: Vec::new(),
        };
        let from: Mailbox = "Office hours <office@example.edu>".parse().unwrap();
        let notice = Notice {
            about: vec!["work: no\r\nBcc: x".to_owned(), "home".to_owned()],
            subjects: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        let links = ["https://meet.example.edu/h/x".to_owned()];
        for kind in AlertKind::ALL {
            for over in [false, true] {
                let message =
                    || alert_message(&host, kind, over, &notice, &links, ("alert.7", &from)).unwrap().formatted();
                let text = String::from_utf8(message()).unwrap();
                assert_eq!(message(), text.as_bytes());
                assert!(
                    text.contains("To: \"Emmy Noether\" <noether@example.edu>") && text.contains("Auto-Submitted"),
                    "{text}"
                );
                assert!(!text.contains("\r\nBcc"), "{text}");
                assert!(text.contains("work: no") && text.contains("home"), "{text}");
                assert!(text.contains("https://meet.example.edu/h/x"), "{text}");
                assert_eq!(text.contains("It is over"), over);
            }
        }
    }
}
