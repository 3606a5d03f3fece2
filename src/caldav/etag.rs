//! The opaque marks by which a server says what changed: [`ETag`] of an object (RFC 9110 8.8.3), [`SyncToken`] of a calendar (RFC 6578).

use std::fmt;

/// An object's version. Normalised, since servers write one tag in several ways: no `W/` (compressing servers add it),
/// always quoted (some lists leave that out), none of the suffixes that compressing proxies add. How it was written is kept beside it,
/// and does not count when two are compared.
#[derive(Clone, Debug)]
pub struct ETag {
    tag: String,
    written: Option<String>,
}

impl PartialEq for ETag {
    fn eq(&self, other: &ETag) -> bool {
        self.tag == other.tag
    }
}

impl Eq for ETag {}

impl ETag {
    /// As a header, a property or the store has it. None for an empty one, and for what no header can carry.
    pub fn new(text: &str) -> Option<ETag> {
        let text = text.trim();
        // A list may leave out the quotes, and no header can do without them.
        let is_header = text.ends_with('"') && !text.chars().any(char::is_control);
        let strong = text.strip_prefix("W/").or_else(|| text.strip_prefix("w/")).unwrap_or(text);
        let tag = strong.trim_matches('"');
        let tag = ["--gzip", "-gzip", ";gzip"].iter().find_map(|suffix| tag.strip_suffix(suffix)).unwrap_or(tag);
        if tag.is_empty() || tag.chars().any(|c| c.is_control() || c == '"') {
            return None;
        }
        let tag = format!("\"{tag}\"");
        let written = Some(text.to_owned()).filter(|written| is_header && *written != tag);
        Some(ETag { tag, written })
    }

    /// As the server wrote it, where that is another way: for a server that knows no other.
    pub(crate) fn as_written(&self) -> Option<ETag> {
        self.written.clone().map(|tag| ETag { tag, written: None })
    }

    /// Whether it looks like a time in whole seconds (DavMail, Kerio): such a version may stand for two states.
    pub fn may_be_a_time(&self) -> bool {
        let digits = self.tag.chars().filter(char::is_ascii_digit).count();
        digits >= 10 && self.tag.chars().all(|c| c.is_ascii_digit() || "\"-:TZ+ ".contains(c))
    }

    /// Strong and quoted: what `If-Match` carries.
    pub fn as_str(&self) -> &str {
        &self.tag
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tag)
    }
}

/// Up to where a calendar was read. Opaque: neither a URI nor in any order, whatever it looks like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SyncToken(String);

impl SyncToken {
    /// As the server or the store has it. None for an empty one.
    pub fn new(text: &str) -> Option<SyncToken> {
        let text = text.trim();
        (!text.is_empty()).then(|| SyncToken(text.to_owned()))
    }

    /// As the server gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_tag_is_one_tag_strong_and_quoted() {
        let tag = ETag::new("\"gcs00000000\"").unwrap();
        for text in ["gcs00000000", "W/\"gcs00000000\"", " \"gcs00000000\" ", "\"gcs00000000-gzip\""] {
            assert_eq!(ETag::new(text).unwrap(), tag);
        }
        assert_eq!(tag.as_str(), "\"gcs00000000\"");
    }

    #[test]
    fn an_empty_tag_is_none_and_a_line_break_cannot_reach_a_header() {
        for text in ["", "\"\"", "W/\"\"", "\"a\r\nX: y\""] {
            assert_eq!(ETag::new(text), None);
        }
    }
}
