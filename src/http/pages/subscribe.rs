//! `/{host}/-/subscribe` and `/{host}/{meeting}/subscribe`: how to follow a feed, with a link for each calendar program, how slow each
//! is, the plain address, and a QR code that takes the page to a phone. Start with [`Subscribe`].

use super::qr::Qr;
use super::{Frame, Visit, page};
use crate::availability::{Host, MeetingType};
use crate::http::fault::Fault;
use crate::http::state::AppState;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
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

#[derive(Template)]
#[template(path = "subscribe_page.html", config = "src/http/pages/askama.toml")]
struct SubscribePage {
    frame: Frame,
    back_url: String,
    back: String,
    feed: Subscribe,
    /// Of this page: a phone has programs of its own, and `webcal:` opens nothing on many.
    qr: Option<Qr>,
    qr_label: String,
    others_title: String,
    /// The pages of the host's other feeds: URLs and names.
    others: Vec<(String, String)>,
    sign_url: String,
}

/// `GET /{host}/-/subscribe`.
pub(in super::super) async fn of_host(
    State(state): State<AppState>,
    Path(host): Path<String>,
    visit: Visit,
) -> Result<Response, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    Ok(subscribe_page(&visit, &host, None))
}

/// `GET /{host}/{meeting}/subscribe`.
pub(in super::super) async fn of_meeting(
    State(state): State<AppState>,
    Path((host, meeting)): Path<(String, String)>,
    visit: Visit,
) -> Result<Response, Fault> {
    let host = state.desk.host(&host).ok_or_else(Fault::not_found)?;
    let meeting = host.meeting(&meeting).ok_or_else(Fault::not_found)?;
    Ok(subscribe_page(&visit, &host, Some(meeting)))
}

fn subscribe_page(visit: &Visit, host: &Host, meeting: Option<&MeetingType>) -> Response {
    let (links, t) = (visit.links(), visit.phrases());
    let id = meeting.map(|meeting| &meeting.id);
    let of_meeting = |meeting: &MeetingType| format!("{} – {}", meeting.title, host.name);
    let what = meeting.map_or_else(|| (t.feed_of)(&host.name), of_meeting);
    let (back, back_url) = match meeting {
        Some(meeting) => (meeting.title.clone(), links.meeting(&host.id, &meeting.id)),
        None => (host.name.clone(), links.host(&host.id)),
    };
    let to = |meeting: &MeetingType| (visit.path(&links.subscribe(&host.id, Some(&meeting.id))), meeting.title.clone());
    // Of one meeting type, the feeds of all are one more; of a host with one meeting type, both feeds are the same.
    let (others_title, others) = match meeting {
        _ if host.meetings.len() < 2 => Default::default(),
        Some(_) => {
            let all = (visit.path(&links.subscribe(&host.id, None)), (t.feed_of)(&host.name));
            (visit.language.phrases().guest.all_kinds.to_owned(), vec![all])
        }
        None => (t.one_kind.to_owned(), host.meetings.iter().map(|meeting| to(meeting)).collect()),
    };
    let here = links.subscribe(&host.id, id);
    let shown = SubscribePage {
        frame: Frame::of_host(visit, &host.id, format!("{} – {what}", t.subscribe)).with_guest_style(),
        back_url: visit.path(&back_url),
        back,
        qr_label: (visit.language.phrases().guest.qr_of)(&here),
        qr: Qr::new(&here),
        feed: Subscribe::new(&what, links.feed(&host.id, id)),
        others_title,
        others,
        sign_url: visit.path(&links.sign(&host.id, id)),
    };
    page(visit.language, &shown)
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
