//! Content lines (RFC 5545 3.1), read from bytes as they come: unfolding before decoding, so that a fold inside a
//! UTF-8 character is harmless; LF, CRLF or CR; a BOM; Latin-1 where a line is not UTF-8. Start with [`ContentLines`].

use super::rule::upper;
use std::borrow::Cow;

/// A property: name, parameters and value of one content line, the value as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property<'a> {
    /// In upper case.
    pub name: Cow<'a, str>,
    /// As written, without the leading semicolon.
    params: Cow<'a, str>,
    /// As written: still escaped, lists not split.
    pub value: Cow<'a, str>,
    /// The line of the file that it begins on, from 1.
    pub line: usize,
}

impl Property<'_> {
    /// The first value of a parameter, without quotes and with RFC 6868 decoded. The name's case does not matter.
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut rest = self.params.as_ref();
        while !rest.is_empty() {
            let (param, after) = split_outside_quotes(rest, b';');
            rest = after.unwrap_or("");
            let (key, value) = param.split_once('=').unwrap_or((param, ""));
            if key.trim().eq_ignore_ascii_case(name) {
                let value = value.trim();
                let plain = value.strip_prefix('"').map_or(value, |quoted| quoted.split('"').next().unwrap_or(""));
                return Some(if plain.contains('^') { Cow::Owned(decode_carets(plain)) } else { Cow::Borrowed(plain) });
            }
        }
        None
    }

    /// True when a parameter has this value, in any case.
    pub fn param_is(&self, name: &str, value: &str) -> bool {
        self.param(name).is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
    }

    /// The value as TEXT (RFC 5545 3.3.11): unescaped.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut chars = self.value.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(other) => text.push(other),
                    None => text.push('\\'),
                },
                c => text.push(c),
            }
        }
        text
    }
}

/// RFC 6868: `^n` is a line break, `^'` a double quote, `^^` a caret; other carets stay.
fn decode_carets(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('^', Some('n')) => decoded.push('\n'),
            ('^', Some('\'')) => decoded.push('"'),
            ('^', Some('^')) => decoded.push('^'),
            _ => {
                decoded.push(c);
                continue;
            }
        }
        chars.next();
    }
    decoded
}

/// Splits at the first `at` that is not within double quotes.
fn split_outside_quotes(text: &str, at: u8) -> (&str, Option<&str>) {
    match outside_quotes(text).find(|(_, byte)| *byte == at) {
        Some((index, _)) => (text.get(..index).unwrap_or(""), text.get(index + 1..)),
        None => (text, None),
    }
}

/// The bytes that are not within double quotes, nor one, with their places. All that is looked for is ASCII.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, u8)> + '_ {
    let mut quoted = false;
    text.bytes().enumerate().filter(move |(_, byte)| {
        quoted ^= *byte == b'"';
        !quoted && *byte != b'"'
    })
}

/// A line that is no property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoProperty {
    /// The line of the file, from 1.
    pub line: usize,
}

/// The content lines of a text, in order. Never fails: a line that is no property is given as such.
#[derive(Clone, Debug)]
pub struct ContentLines<'a> {
    data: &'a [u8],
    at: usize,
    line: usize,
    end_of_line: u8,
}

impl<'a> ContentLines<'a> {
    /// Reads from the start, past a byte order mark.
    pub fn new(data: &'a [u8]) -> ContentLines<'a> {
        let data = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data);
        // A CR alone ends a line only where nothing else does: else it is a stray in a text.
        let end_of_line = if memchr::memchr(b'\n', data).is_some() { b'\n' } else { b'\r' };
        ContentLines { data, at: 0, line: 0, end_of_line }
    }

    /// The next line as it stands in the file, without its end; `None` at the end.
    fn physical(&mut self) -> Option<&'a [u8]> {
        let rest = self.data.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(self.end_of_line, rest);
        self.at += end.map_or(rest.len(), |end| end + 1);
        self.line += 1;
        let mut line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        while let Some(shorter) = line.strip_suffix(b"\r") {
            line = shorter;
        }
        Some(line)
    }

    /// The next line if it continues the one before. Empty lines between the two are passed over.
    fn continuation(&mut self) -> Option<&'a [u8]> {
        let before = (self.at, self.line);
        while let Some(line) = self.physical() {
            match line {
                [] => {}
                [b' ' | b'\t', rest @ ..] => return Some(rest),
                _ => break,
            }
        }
        (self.at, self.line) = before;
        None
    }
}

impl<'a> Iterator for ContentLines<'a> {
    type Item = Result<Property<'a>, NoProperty>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = self.physical()?;
            let line = self.line;
            let next_byte = self.data.get(self.at);
            let bytes = if matches!(next_byte, Some(b' ' | b'\t' | b'\r' | b'\n')) {
                let mut bytes = Cow::Borrowed(first);
                while let Some(more) = self.continuation() {
                    bytes.to_mut().extend_from_slice(more);
                }
                bytes
            } else {
                Cow::Borrowed(first)
            };
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            return Some(parse(decode(bytes), line).ok_or(NoProperty { line }));
        }
    }
}

/// UTF-8, else Latin-1, in which every byte is a character.
fn decode(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    let latin1 = |bytes: &[u8]| bytes.iter().map(|b| char::from(*b)).collect::<String>();
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map_or_else(|_| Cow::Owned(latin1(bytes)), Cow::Borrowed),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|wrong| latin1(wrong.as_bytes()))),
    }
}

fn parse(text: Cow<'_, str>, line: usize) -> Option<Property<'_>> {
    let (name, params, value) = cut(&text)?;
    Some(match &text {
        Cow::Borrowed(text) => Property {
            name: upper(text.get(name)?),
            params: text.get(params)?.into(),
            value: text.get(value)?.into(),
            line,
        },
        Cow::Owned(text) => Property {
            name: text.get(name)?.to_ascii_uppercase().into(),
            params: text.get(params)?.to_owned().into(),
            value: text.get(value)?.to_owned().into(),
            line,
        },
    })
}

type Span = std::ops::Range<usize>;

/// Where name, parameters and value stand in a line.
fn cut(text: &str) -> Option<(Span, Span, Span)> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let name_end = text.bytes().position(|b| !is_name(b)).filter(|end| *end > 0)?;
    let name = text.get(..name_end)?;
    let rest = text.get(name_end..)?;
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let separator = name_end + blanks;
    match text.as_bytes().get(separator)? {
        b':' => Some((0..name_end, 0..0, separator + 1..text.len())),
        b';' => {
            let colon = separator + value_colon(name, text.get(separator..)?)?;
            Some((0..name_end, separator + 1..colon, colon + 1..text.len()))
        }
        _ => None,
    }
}

/// The colon that ends the parameters: the first outside quotes; but a zone name with a bare colon in it, such as
/// `TZID=(UTC+01:00) Amsterdam`, is wrong and common, so where a time is to follow, one must.
fn value_colon(name: &str, text: &str) -> Option<usize> {
    let mut colons = outside_quotes(text).filter(|(_, byte)| *byte == b':').map(|(index, _)| index);
    let is_time = ["DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"].iter().any(|n| n.eq_ignore_ascii_case(name));
    let looks_like_a_date = |value: &str| -> bool {
        let value = value.trim_start();
        value.len() >= 8 && value.bytes().take(4).all(|b| b.is_ascii_digit())
    };
    let first = colons.next();
    let dated = |index: &usize| text.get(index + 1..).is_some_and(looks_like_a_date);
    let chosen = if is_time { first.into_iter().chain(colons).find(dated) } else { None };
    chosen.or(first).or_else(|| text.find(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<(String, String)> {
        ContentLines::new(text).flatten().map(|p| (p.name.to_string(), p.value.to_string())).collect()
    }

    fn one(text: &str) -> Property<'_> {
        ContentLines::new(text.as_bytes()).next().unwrap().unwrap()
    }

    #[test]
    fn every_line_ending_folds_and_ends_lines() {
        let expected = vec![("A".to_owned(), "xy".to_owned()), ("B".to_owned(), "z".to_owned())];
        for text in [
            "A:x\r\n y\r\nB:z\r\n",
            "A:x\n\ty\nB:z",
            "A:x\r y\rB:z\r",
            "\u{FEFF}A:x\r\r\n y\r\r\nB:z",
            "A:x\n\n y\n\nB:z\n\n",
        ] {
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_fold_inside_a_character_and_latin_1_are_read() {
        assert_eq!(read(b"S:Z\xC3\r\n \xBCrich")[0].1, "Z\u{FC}rich");
        assert_eq!(read(b"S:Z\xFCrich")[0].1, "Z\u{FC}rich");
    }

    #[test]
    fn names_and_parameters_are_found_in_any_case_with_and_without_quotes() {
        let line = one("attendee;cn=\"Prof; A:B\";PartStat=declined;X=a^nb^^^'c:MAILTO:a@b");
        assert_eq!(line.name, "ATTENDEE");
        assert_eq!(line.param("CN").as_deref(), Some("Prof; A:B"));
        assert!(line.param_is("PARTSTAT", "DECLINED"));
        assert_eq!(line.param("x").as_deref(), Some("a\nb^\"c"));
        assert_eq!(line.param("ROLE"), None);
        assert_eq!(line.value, "MAILTO:a@b");
    }

    #[test]
    fn a_bare_colon_in_a_zone_name_does_not_end_the_parameters() {
        let line = one("DTSTART;TZID=(UTC+01:00) Amsterdam, Berlin:20260310T100000");
        assert_eq!(line.param("TZID").as_deref(), Some("(UTC+01:00) Amsterdam, Berlin"));
        assert_eq!(line.value, "20260310T100000");
        let line = one("DTSTART;TZID=tzone://Microsoft/Custom:20260310T100000");
        assert_eq!(line.param("TZID").as_deref(), Some("tzone://Microsoft/Custom"));
    }

    #[test]
    fn lines_without_a_name_or_a_colon_are_no_properties() {
        let lines: Vec<_> = ContentLines::new(b"A:1\nhello there: x\nnothing\n:x\n;x:y\nB:2").collect();
        assert_eq!(lines.iter().filter(|l| l.is_err()).count(), 4);
        assert_eq!(lines[1], Err(NoProperty { line: 2 }));
        assert_eq!(lines[5].as_ref().unwrap().line, 6);
    }

    #[test]
    fn text_is_unescaped() {
        assert_eq!(one("SUMMARY:a\\, b\\; c\\\\d\\nE\\NF").text(), "a, b; c\\d\nE\nF");
    }
}
