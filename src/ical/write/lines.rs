//! Content lines for writing (RFC 5545 3.1, 3.3.11): CRLF, escaped, folded at 75 octets.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What becomes of line breaks in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// They stay: DESCRIPTION.
    Keep,
    /// They become blanks: SUMMARY, LOCATION, names.
    Blank,
}

/// A text without anything that could end a content line: control characters are dropped, and CR, U+0085, U+2028 and
/// U+2029 are line breaks as LF is. Blanks at its ends are cut, and runs of them that no line could hold.
pub fn clean(text: &str, breaks: Breaks) -> String {
    const LONGEST_RUN: usize = 40;
    let mut cleaned = String::with_capacity(text.len());
    let mut run = 0;
    let mut after_return = false;
    for c in text.chars() {
        let c = match c {
            // CR LF is one break.
            '\n' if after_return => {
                after_return = false;
                continue;
            }
            '\r' => {
                after_return = true;
                run = 0;
                cleaned.push(if breaks == Breaks::Keep { '\n' } else { ' ' });
                continue;
            }
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => match breaks {
                Breaks::Keep => '\n',
                Breaks::Blank => ' ',
            },
            '\t' => ' ',
            c if c.is_control() => continue,
            c => c,
        };
        after_return = false;
        run = if c == ' ' { run + 1 } else { 0 };
        if run <= LONGEST_RUN {
            cleaned.push(c);
        }
    }
    cleaned.trim().to_owned()
}

/// A growing iCalendar text.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    line: String,
}

impl Lines {
    pub(super) fn with_capacity(bytes: usize) -> Lines {
        Lines { text: String::with_capacity(bytes), line: String::with_capacity(256) }
    }

    /// A line as it is. The caller vouches that there is nothing of a user's in it, or that it is cleaned and escaped.
    pub(super) fn raw(&mut self, line: &str) {
        fold(line, &mut self.text);
    }

    /// A property whose value is not TEXT.
    pub(super) fn value(&mut self, name: &str, value: &str) {
        self.line.clear();
        self.line.push_str(name);
        self.line.push(':');
        // A URI has no blanks and no control characters; here at the latest.
        self.line.extend(value.chars().filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')));
        fold(self.line.trim_end(), &mut self.text);
    }

    /// A property whose value is TEXT: escaped. The text must be [`clean`].
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.line.clear();
        self.line.push_str(name);
        self.line.push(':');
        for c in text.chars() {
            match c {
                '\\' => self.line.push_str("\\\\"),
                ';' => self.line.push_str("\\;"),
                ',' => self.line.push_str("\\,"),
                '\n' => self.line.push_str("\\n"),
                c => self.line.push(c),
            }
        }
        fold(self.line.trim_end(), &mut self.text);
    }

    pub(super) fn utc(&mut self, name: &str, instant: Timestamp) {
        self.value(name, &utc(instant));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// Adds a line with its CRLF, folded at 75 octets: never inside a character, and never so that a blank ends a line,
/// which some readers cut.
pub(super) fn fold(line: &str, out: &mut String) {
    const LIMIT: usize = 75;
    let mut rest = line;
    let mut room = LIMIT;
    while rest.len() > room {
        let mut at = room;
        while at > 1 && (!rest.is_char_boundary(at) || rest.as_bytes().get(at - 1).is_some_and(|b| *b == b' ')) {
            at -= 1;
        }
        let (head, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(head);
        out.push_str("\r\n ");
        rest = tail;
        room = LIMIT - 1;
    }
    out.push_str(rest);
    out.push_str("\r\n");
}

/// `20260310T100000Z`.
pub(super) fn utc(instant: Timestamp) -> String {
    format!("{}Z", local(TimeZone::UTC.to_datetime(instant)))
}

/// `20260310T100000`.
pub(super) fn local(time: DateTime) -> String {
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_can_end_a_line() {
        let evil = "a\r\nATTENDEE:x\rb\u{2028}c\u{85}d\u{b}e\u{0}f\u{7f}\tg  ";
        assert_eq!(clean(evil, Breaks::Keep), "a\nATTENDEE:x\nb\nc\nd\nef g");
        assert_eq!(clean(evil, Breaks::Blank), "a ATTENDEE:x b c d ef g");
    }

    #[test]
    fn lines_are_folded_at_75_octets_between_characters_and_never_after_a_blank() {
        for text in [
            "\u{FC}".repeat(300),
            "word ".repeat(100),
            format!("{}{}x", "a".repeat(74), " ".repeat(40)),
            "x".repeat(75),
        ] {
            let line = format!("DESCRIPTION:{}", text.trim());
            let mut folded = String::new();
            fold(&line, &mut folded);
            for physical in folded.trim_end_matches("\r\n").split("\r\n") {
                assert!(physical.len() <= 75 && !physical.ends_with(' '), "{physical:?}");
            }
            assert_eq!(folded.replace("\r\n ", "").trim_end_matches("\r\n"), line);
        }
    }
}
