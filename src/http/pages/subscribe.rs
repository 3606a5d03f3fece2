//! How to follow a feed: a link for each calendar program, and the plain address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but RFC 3986's unreserved characters.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value for a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

/// The ways to follow one feed.
pub(super) struct Subscribe {
    /// What the feed has, for labels.
    pub(super) what: String,
    /// The plain address.
    pub(super) url: String,
    /// For Apple's and most other programs.
    pub(super) webcal: String,
    pub(super) google: String,
    pub(super) outlook_work: String,
    pub(super) outlook_home: String,
}

impl Subscribe {
    pub(super) fn new(what: &str, url: String) -> Subscribe {
        let bare = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let webcal = format!("webcal://{bare}");
        let query = format!("url={}&name={}", encoded(&url), encoded(what));
        Subscribe {
            what: what.to_owned(),
            google: format!("https://calendar.google.com/calendar/r?cid={}", encoded(&webcal)),
            outlook_work: format!("https://outlook.office.com/calendar/0/addfromweb?{query}"),
            outlook_home: format!("https://outlook.live.com/calendar/0/addfromweb?{query}"),
            webcal,
            url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_gets_the_form_it_takes() {
        let subscribe = Subscribe::new("Emmy Nöther", "https://meet.example.edu/noether.ics".into());
        assert_eq!(subscribe.webcal, "webcal://meet.example.edu/noether.ics");
        assert!(subscribe.google.ends_with("?cid=webcal%3A%2F%2Fmeet.example.edu%2Fnoether.ics"));
        assert!(
            subscribe
                .outlook_home
                .ends_with("url=https%3A%2F%2Fmeet.example.edu%2Fnoether.ics&name=Emmy%20N%C3%B6ther")
        );
    }
}
