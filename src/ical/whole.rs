//! Whether bytes are a whole iCalendar stream (RFC 5545 3.4): a login page is none, and half of one would free the time
//! of the other half. See [`check_whole`].

/// Why bytes are no whole iCalendar stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWhole {
    /// It does not begin as one; it may be empty, or a web page.
    #[error("it is not iCalendar")]
    NotCalendar,
    /// It begins as one and has no end.
    #[error("it ends in the middle")]
    CutShort,
}

/// Whether this begins with `BEGIN:VCALENDAR` and ends with `END:VCALENDAR`, but for blanks and a byte order mark.
pub fn check_whole(data: &[u8]) -> Result<(), NotWhole> {
    const BEGIN: &[u8] = b"BEGIN:VCALENDAR";
    const END: &[u8] = b"END:VCALENDAR";
    let text = data.trim_ascii();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii();
    if !text.get(..BEGIN.len()).is_some_and(|start| start.eq_ignore_ascii_case(BEGIN)) {
        return Err(NotWhole::NotCalendar);
    }
    let end = text.get(text.len().saturating_sub(END.len())..).unwrap_or_default();
    if end.eq_ignore_ascii_case(END) { Ok(()) } else { Err(NotWhole::CutShort) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_and_ends_is_whole() {
        assert_eq!(check_whole(b"\xef\xbb\xbf\nBegin:vcalendar\r\nEND:VCALENDAR\r\n\r\n"), Ok(()));
        assert_eq!(check_whole(b""), Err(NotWhole::NotCalendar));
        assert_eq!(check_whole(b"<html>END:VCALENDAR"), Err(NotWhole::NotCalendar));
        assert_eq!(check_whole(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"), Err(NotWhole::CutShort));
    }
}
