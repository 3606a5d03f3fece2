//! Answers to invitations, as calendars mail them (iMIP, RFC 6047): from the bytes of a message to what it says. Pure, and for bytes
//! of anybody's. Start with [`read_reply`]. Whether it is believed is for `booking::judge` to say.

use crate::availability::event_summary;
use crate::booking::{Reply, Said, Says};
use crate::ical::write::{Breaks, clean};
use crate::ical::{Component, Property, Zone, read};
use jiff::Timestamp;
use mail_parser::{Address, HeaderName, Message, MessageParser, MessagePart, MimeHeaders, PartType};

/// A comment is shown so far, in characters.
const LONGEST_COMMENT: usize = 1000;
/// What looks like a guest's link is looked up; more of them are no guest's mail.
const MOST_TOKENS: usize = 8;
/// More parts than this has no answer.
const MOST_PARTS: usize = 64;

/// What a message answers; `None`: it is no answer to an invitation.
pub fn read_reply(message: &[u8]) -> Option<Reply> {
    let message = MessageParser::default().parse(message)?;
    let from = sender(&message)?;
    let parts = || message.parts.iter().take(MOST_PARTS);
    let (text, mut reply) = parts().filter_map(calendar).find_map(|text| Some((text, reply(text, &from)?)))?;
    reply.tokens = parts()
        .filter_map(|part| match &part.body {
            PartType::Text(text) | PartType::Html(text) => Some(text.as_ref()),
            _ => None,
        })
        .flat_map(tokens)
        .chain(tokens_of_calendar(text))
        .collect();
    reply.tokens.sort_unstable();
    reply.tokens.dedup();
    reply.tokens.truncate(MOST_TOKENS);
    Some(reply)
}

/// The one address in the one From; in lower case.
fn sender(message: &Message<'_>) -> Option<String> {
    let headers = message.headers().iter().filter(|header| header.name == HeaderName::From);
    let addresses: Vec<&Address<'_>> = headers.filter_map(|header| header.value.as_address()).collect();
    let [address] = addresses.as_slice() else { return None };
    let mut all = address.iter();
    match (all.next(), all.next()) {
        (Some(only), None) => only.address().and_then(plain),
        _ => None,
    }
}

/// The text of a calendar part: `text/calendar`, or the file that some send in its place.
fn calendar<'m>(part: &'m MessagePart<'_>) -> Option<&'m [u8]> {
    let kind = part.content_type()?;
    let is_calendar = match (kind.ctype(), kind.subtype()) {
        (first, Some(second)) if first.eq_ignore_ascii_case("text") => second.eq_ignore_ascii_case("calendar"),
        (first, Some(second)) if first.eq_ignore_ascii_case("application") => second.eq_ignore_ascii_case("ics"),
        _ => false,
    };
    is_calendar.then(|| part.contents())
}

/// What a calendar answers, in the name of whoever sent it.
fn reply(text: &[u8], from: &str) -> Option<Reply> {
    let calendars = read(text);
    let calendar = calendars.first()?;
    let method = value(calendar, "METHOD")?;
    let event = calendar.children("VEVENT").next()?;
    let attendee = attendee(event, from)?;
    let said = match method.as_str() {
        "REPLY" => match attendee.param("PARTSTAT").unwrap_or_default().trim().to_ascii_uppercase().as_str() {
            "ACCEPTED" => Says::Accepted,
            "TENTATIVE" => Says::Tentative,
            "DECLINED" => Says::Declined,
            "DELEGATED" => {
                let to = attendee.param("DELEGATED-TO").unwrap_or_default();
                Says::Delegated(clean(&mail_address(&to).unwrap_or_default(), Breaks::Blank))
            }
            _ => return None,
        },
        "COUNTER" => {
            let time = event_summary(text, &Zone::utc())?.time()?;
            Says::Proposes(time.start(), time.end())
        }
        "REFRESH" => Says::Again,
        _ => return None,
    };
    let comment = event.get("COMMENT").map(Property::text).unwrap_or_default();
    let comment: String = clean(&comment, Breaks::Keep).trim().chars().take(LONGEST_COMMENT).collect();
    Some(Reply {
        uid: event.get("UID")?.value.trim().to_owned(),
        from: from.to_owned(),
        attendee: address_of(attendee)?,
        said: Said { what: said, comment },
        sequence: value(event, "SEQUENCE").and_then(|number| number.parse().ok()).unwrap_or(0),
        stamp: value(event, "DTSTAMP").and_then(|stamp| instant(&stamp)),
        tokens: Vec::new(),
    })
}

fn value(component: &Component<'_>, name: &str) -> Option<String> {
    component.get(name).map(|property| property.value.trim().to_ascii_uppercase())
}

/// The ATTENDEE whose address is the sender's, or else the first: a reply has one (RFC 5546 3.2.3), and some counters list all.
fn attendee<'e, 'a>(event: &'e Component<'a>, from: &str) -> Option<&'e Property<'a>> {
    let mut all = event.properties.iter().filter(|property| property.name == "ATTENDEE");
    let first = all.next()?;
    let of_sender = |property: &&Property<'_>| address_of(property).is_some_and(|address| address == from);
    if of_sender(&first) { Some(first) } else { Some(all.find(of_sender).unwrap_or(first)) }
}

/// The mail address of an ATTENDEE, in lower case. Some name it by a `urn:` and write the address beside it (EMAIL).
fn address_of(attendee: &Property<'_>) -> Option<String> {
    mail_address(&attendee.value).or_else(|| {
        let email = attendee.param("EMAIL")?;
        plain(&email).filter(|email| email.contains('@'))
    })
}

fn mail_address(uri: &str) -> Option<String> {
    uri.trim().to_lowercase().strip_prefix("mailto:").and_then(plain)
}

/// An address in lower case; none with a control character, as a broken line leaves it.
fn plain(address: &str) -> Option<String> {
    let address = address.trim();
    (!address.chars().any(char::is_control)).then(|| address.to_lowercase())
}

/// `20261201T130000Z`. What has no zone is no DTSTAMP (RFC 5545 3.8.7.2).
fn instant(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", digits).ok()?;
    Zone::utc().instant(civil)
}

/// The segments that follow `/b/` in a text: the tokens of links to guests' pages, and what looks like them.
fn tokens(text: &str) -> Vec<String> {
    let word = |rest: &str| -> String {
        rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')).collect()
    };
    text.split("/b/").skip(1).take(MOST_TOKENS).map(word).filter(|word| word.len() >= 16).collect()
}

/// The same in the texts of the calendar's events, unfolded and unescaped.
fn tokens_of_calendar(text: &[u8]) -> Vec<String> {
    let calendars = read(text);
    let events = calendars.iter().flat_map(|calendar| calendar.children("VEVENT"));
    let properties = events.flat_map(|event| &event.properties);
    let of_text = properties.filter(|property| matches!(property.name.as_ref(), "DESCRIPTION" | "URL" | "COMMENT"));
    of_text.flat_map(|property| tokens(&property.text())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A message of `fixtures/imip`, as it would come over the wire.
    fn fixture(name: &str) -> Vec<u8> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/imip").join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.replace('\n', "\r\n").into_bytes()
    }

    fn read_fixture(name: &str) -> Reply {
        read_reply(&fixture(name)).unwrap_or_else(|| panic!("{name} is an answer"))
    }

    const UID: &str = "019aab1c-7e30-7a11-8d22-5e6f70819203";
    const TOKEN: &str = "mYkx3hN2vUQ5cJr8sLwZt1";

    #[test]
    fn what_each_program_writes_is_read_alike() {
        for (name, what, sequence, comment) in [
            ("google-declined.eml", Says::Declined, 0, ""),
            ("google-accepted.eml", Says::Accepted, 0, ""),
            ("outlook-declined.eml", Says::Declined, 1, "I am in Paris that day, sorry."),
            ("outlook-tentative.eml", Says::Tentative, 0, ""),
            ("apple-declined.eml", Says::Declined, 0, ""),
            ("thunderbird-declined.eml", Says::Declined, 0, ""),
            ("delegated.eml", Says::Delegated("charles@example.org".to_owned()), 0, ""),
            ("refresh.eml", Says::Again, 0, ""),
        ] {
            let reply = read_fixture(name);
            assert_eq!((reply.uid.as_str(), reply.from.as_str()), (UID, "ada@example.org"), "{name}");
            assert_eq!(reply.attendee, "ada@example.org", "{name}");
            assert_eq!(
                (reply.said.what, reply.sequence, reply.said.comment.as_str()),
                (what, sequence, comment),
                "{name}"
            );
            assert!(reply.stamp.is_some(), "{name}");
        }
    }

    #[test]
    fn a_proposed_time_is_read_in_its_zone() {
        let times = |name: &str| match read_fixture(name).said.what {
            Says::Proposes(start, end) => format!("{start} {end}"),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(times("google-counter.eml"), "2026-12-01T15:00:00Z 2026-12-01T15:30:00Z");
        assert_eq!(times("outlook-counter.eml"), "2026-12-02T13:00:00Z 2026-12-02T13:30:00Z");
        assert_eq!(read_fixture("outlook-counter.eml").said.comment, "Could we meet a day later?");
    }

    #[test]
    fn the_guests_link_is_found_where_an_answer_quotes_it_and_nowhere_else() {
        for (name, quotes) in [
            ("google-declined.eml", true),
            ("apple-declined.eml", true),
            ("thunderbird-declined.eml", true),
            ("outlook-declined.eml", false),
            ("delegated.eml", false),
        ] {
            assert_eq!(read_fixture(name).tokens.iter().any(|token| token == TOKEN), quotes, "{name}");
        }
    }

    #[test]
    fn whoever_writes_in_anothers_name_is_told_apart() {
        let forged = read_fixture("stranger-declined.eml");
        assert_eq!((forged.from.as_str(), forged.attendee.as_str()), ("eve@example.net", "ada@example.org"));
        let text = String::from_utf8(fixture("google-declined.eml")).unwrap();
        let twice = text.replacen("From: ", "From: Eve <eve@example.net>\r\nFrom: ", 1);
        assert_eq!(read_reply(twice.as_bytes()), None, "two of them");
        let both = text.replacen("From: ", "From: Eve <eve@example.net>, ", 1);
        assert_eq!(read_reply(both.as_bytes()), None, "two in one");
        assert_eq!(read_reply(text.replacen("From: ", "X-From: ", 1).as_bytes()), None);
    }

    #[test]
    fn invitations_cancels_other_mails_and_rubbish_are_no_answers() {
        let text = String::from_utf8(fixture("thunderbird-declined.eml")).unwrap();
        for method in ["REQUEST", "CANCEL", "PUBLISH", "ADD", "DECLINECOUNTER", ""] {
            let other = text.replace("METHOD:REPLY", &format!("METHOD:{method}"));
            assert_eq!(read_reply(other.as_bytes()), None, "{method}");
        }
        assert_eq!(read_reply(text.replace("PARTSTAT=DECLINED", "PARTSTAT=NEEDS-ACTION").as_bytes()), None);
        assert_eq!(read_reply(b""), None);
        assert_eq!(read_reply(b"From: a@example.org\r\n\r\nI cannot come."), None);
        let nested = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(5000);
        assert_eq!(read_reply(format!("From: a@example.org\r\n{nested}").as_bytes()), None);
        for end in (0..text.len()).step_by(97) {
            let _ = read_reply(text.as_bytes().get(..end).unwrap());
        }
    }

    #[test]
    fn a_comment_is_shortened_and_begins_nothing() {
        let text = String::from_utf8(fixture("outlook-declined.eml")).unwrap();
        let evil = format!("x\\nBcc: a\u{7}{}", "y".repeat(5000));
        let comment =
            read_reply(text.replace("I am in Paris that day\\, sorry.", &evil).as_bytes()).unwrap().said.comment;
        assert!(comment.starts_with("x\nBcc: a") && !comment.contains('\u{7}'), "{comment}");
        assert_eq!(comment.chars().count(), LONGEST_COMMENT);
    }

    #[test]
    fn an_address_that_a_line_break_has_split_is_none() {
        assert_eq!(mail_address("MAILTO: Ada@Example.org "), Some("ada@example.org".to_owned()));
        assert_eq!(mail_address("mailto:ada@exa\rmple.org"), None);
    }

    proptest! {
        #[test]
        fn no_damage_to_an_answer_ends_the_reader(
            name in prop::sample::select(vec!["google-declined.eml", "outlook-counter.eml", "apple-declined.eml", "delegated.eml"]),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_usize..200), 0..12),
        ) {
            let mut mail = fixture(name);
            for (at, byte, cut) in damage {
                let at = at.index(mail.len().max(1)).min(mail.len().saturating_sub(1));
                let end = (at + cut).min(mail.len());
                mail.splice(at..end, std::iter::repeat_n(byte, cut / 2));
            }
            if let Some(reply) = read_reply(&mail) {
                prop_assert!(reply.said.comment.chars().count() <= LONGEST_COMMENT && reply.tokens.len() <= MOST_TOKENS);
                let texts = [&reply.from, &reply.attendee, &reply.said.comment];
                prop_assert!(texts.iter().all(|text| !text.contains('\r')));
            }
        }
    }
}
