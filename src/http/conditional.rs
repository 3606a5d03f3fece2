//! Conditional requests (RFC 9110 13): whether the client has the current text already. Start with [`is_current`].

use axum::http::{HeaderMap, header};
use jiff::{Timestamp, civil::DateTime, fmt::strtime};

/// True when 304 is the answer to a GET or HEAD. `If-None-Match` decides alone when it is there; `modified` has whole
/// seconds.
pub(super) fn is_current(headers: &HeaderMap, etag: &str, modified: Timestamp) -> bool {
    let mut tags = headers.get_all(header::IF_NONE_MATCH).iter().peekable();
    if tags.peek().is_some() {
        return tags.filter_map(|value| value.to_str().ok()).any(|list| names(list, etag));
    }
    let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok()).and_then(parse_http_date);
    since.is_some_and(|since| modified <= since)
}

/// True when a list of entity tags names `etag` by weak comparison, or is `*`.
fn names(list: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let mut rest = list.trim();
    if rest == "*" {
        return true;
    }
    while !rest.is_empty() {
        let weak = if rest.starts_with("W/") { 2 } else { 0 };
        // A tag is quoted and may contain commas; a client that forgets the quotes ends its tag at the comma.
        let quoted = rest.get(weak..).and_then(|tag| tag.strip_prefix('"')).and_then(|tag| tag.find('"'));
        let end = quoted.map_or_else(|| rest.find(',').unwrap_or(rest.len()), |length| weak + length + 2);
        let (tag, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if opaque(tag.trim()) == opaque(etag) {
            return true;
        }
        rest = after.trim_start_matches([',', ' ', '\t']);
    }
    false
}

/// An HTTP date (RFC 9110 5.6.7).
pub(super) fn http_date(instant: Timestamp) -> String {
    instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The three forms of an HTTP date. `None` when it is none: the field is then ignored.
fn parse_http_date(text: &str) -> Option<Timestamp> {
    let forms = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let civil: DateTime = forms.iter().find_map(|form| strtime::parse(form, text.trim()).ok()?.to_datetime().ok())?;
    jiff::tz::Offset::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"abc,1\"";

    fn current(headers: &[(&str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(header::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        is_current(&map, TAG, "2026-11-24T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn if_none_match_takes_lists_weak_tags_and_the_asterisk() {
        for (value, expected) in [
            ("\"abc,1\"", true),
            ("W/\"abc,1\"", true),
            ("\"x\", W/\"y\" ,\"abc,1\"", true),
            ("\"x\",\"abc,1\"", true),
            ("*", true),
            ("\"abc\"", false),
            ("\"abc,1", false),
            ("\"x\", *", false),
            ("", false),
        ] {
            assert_eq!(current(&[("if-none-match", value)]), expected, "{value}");
        }
        assert!(current(&[("if-none-match", "\"x\""), ("if-none-match", TAG)]));
    }

    #[test]
    fn if_none_match_goes_before_if_modified_since() {
        let later = "Wed, 25 Nov 2026 00:00:00 GMT";
        assert!(!current(&[("if-none-match", "\"x\""), ("if-modified-since", later)]));
        assert!(current(&[("if-modified-since", later)]));
    }

    #[test]
    fn if_modified_since_compares_whole_seconds_in_all_three_forms() {
        for (value, expected) in [
            ("Tue, 24 Nov 2026 12:00:00 GMT", true),
            ("Tue, 24 Nov 2026 11:59:59 GMT", false),
            ("Tuesday, 24-Nov-26 12:00:00 GMT", true),
            ("Tue Nov 24 12:00:00 2026", true),
            ("yesterday", false),
        ] {
            assert_eq!(current(&[("if-modified-since", value)]), expected, "{value}");
        }
    }

    #[test]
    fn dates_are_written_as_http_wants_them() {
        assert_eq!(http_date("2026-12-01T09:05:00Z".parse().unwrap()), "Tue, 01 Dec 2026 09:05:00 GMT");
    }
}
