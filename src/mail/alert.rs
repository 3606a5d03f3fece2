//! Mails that alert a host, and that say when it is over: plain text, for the host alone, in their language. Pure.

use super::message::{MessageError, head, mailbox};
use crate::alert::{AlertKind, Notice};
use crate::availability::Host;
use crate::ical::write::{Breaks, clean};
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
    let phrases = &host.language.phrases().alert;
    let words = phrases.of(kind);
    let (subject, opening) = match over {
        false if kind == AlertKind::ManyGone => {
            let many = (phrases.so_many)(notice.about.len());
            ((phrases.subject)(words.wrong), format!("{many} {}", words.advice))
        }
        false => ((phrases.subject)(words.wrong), words.advice.to_owned()),
        true => ((phrases.over_subject)(words.wrong), phrases.over.to_owned()),
    };
    // Guests' names and servers' answers are in it: no line of theirs begins anything.
    let mut paragraphs = vec![opening];
    let links = links.iter().map(|link| format!("\n  {link}")).chain(std::iter::repeat(String::new()));
    let about = notice.about.iter().zip(links);
    paragraphs.extend(about.map(|(about, link)| format!("- {}{link}", clean(about, Breaks::Blank))));
    let text = format!("{}\n", paragraphs.join("\n\n"));
    let head = head(from, mailbox(Some(&host.name), &host.email)?, (&subject, host.language.tag()), (id, notice.at));
    Ok(head.singlepart(SinglePart::plain(text))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use jiff::Timestamp;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_is_told_in_plain_text_and_the_same_again() {
        let host = Host::sample();
        let from: Mailbox = "Office hours <office@example.edu>".parse().unwrap();
        let notice = Notice {
            about: vec!["work: no\r\nBcc: x".to_owned(), "home".to_owned()],
            subjects: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        let links = ["https://meet.example.edu/h/x".to_owned()];
        let mut subjects = BTreeSet::new();
        for language in [Language::English, Language::German, Language::French, Language::Spanish] {
            let host = Host { language, ..host.clone() };
            for (kind, over) in AlertKind::ALL.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
                let message =
                    || alert_message(&host, kind, over, &notice, &links, ("alert.7", &from)).unwrap().formatted();
                let text = String::from_utf8(message()).unwrap();
                assert_eq!(message(), text.as_bytes());
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                assert!(head.contains("To: \"Emmy Noether\" <noether@example.edu>") && head.contains("Auto-Submitted"));
                assert!(head.contains(&format!("Content-Language: {language}\r\n")), "{head}");
                assert!(!text.contains("\r\nBcc"), "{text}");
                assert!(body.contains("work: no") && body.contains("home"), "{text}");
                assert!(body.contains("https://meet.example.edu/h/x"), "{text}");
                let subject = head.split("\r\nSubject: ").nth(1).unwrap().split("\r\nDate").next().unwrap();
                assert!(subjects.insert(subject.to_owned()), "{subject} is another's too");
            }
        }
    }
}
