//! The calendar server of the model: the demo's own, behind a network that loses, delays and refuses. It remembers what was done
//! to each event, for the invariants are about what the server has seen.

use super::turns::{Fate, Turns, What};
use crate::availability::event_summary;
use crate::booking::Appointment;
use crate::caldav::ErrorKind;
use crate::caldav::simulated::Exchange;
use crate::demo::{CalendarServer, Credentials, Storage, Transparency};
use crate::ical::Zone;
use base64::Engine;
use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::{Method, Request, Response};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const CALENDAR: &str = "/calendars/emmy/work/";
pub(super) const LOGIN: (&str, &str) = ("emmy", "secret");

/// What was done to the event at one href, by us and by the host.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) created: u32,
    /// By a request that was thought lost.
    pub(super) created_late: u32,
    pub(super) deleted: u32,
    pub(super) deleted_by_host: u32,
    /// Writes that changed nothing.
    pub(super) written_again: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Us,
    /// A request of ours that was given up.
    Late,
    Host,
}

/// A request that is on its way, and when it arrives.
type Late = (Instant, Request<Bytes>);

/// An event as the server has it.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) uid: String,
    pub(super) appointment: Appointment,
    pub(super) is_tentative: bool,
}

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Server {
    calendars: Arc<CalendarServer>,
    seen: Arc<Mutex<BTreeMap<String, Seen>>>,
    late: Arc<Mutex<Vec<Late>>>,
}

/// What is on its way for longer never arrives.
const LATEST: Duration = Duration::from_secs(30 * 60);

impl Server {
    pub(super) fn new() -> Server {
        let login = Credentials { user: LOGIN.0.into(), password: LOGIN.1.into() };
        let calendars = CalendarServer::new(login, Storage::Memory).unwrap();
        calendars.add_calendar("work", "Work", Transparency::Opaque).unwrap();
        Server { calendars: Arc::new(calendars), seen: Arc::default(), late: Arc::default() }
    }

    /// What the daemon's clients talk to.
    pub(super) fn exchange(&self, turns: &Turns) -> Exchange {
        let (server, turns) = (self.clone(), turns.clone());
        Arc::new(move |request| {
            let (server, turns) = (server.clone(), turns.clone());
            async move {
                let changes = matches!(*request.method(), Method::PUT | Method::DELETE);
                match turns.wait(What::Request(changes)).await {
                    Fate::Well => {}
                    Fate::Fails => return Err(ErrorKind::Network),
                    Fate::Refused(status) => return Ok(Response::builder().status(status).body(Vec::new()).unwrap()),
                    Fate::Late => {
                        server.late.lock().unwrap().push((Instant::now(), request));
                        return Err(ErrorKind::Timeout);
                    }
                }
                let answer = server.answer(&request, By::Us);
                match turns.wait(What::Answer).await {
                    Fate::Well => Ok(answer),
                    _ => Err(ErrorKind::Network),
                }
            }
            .boxed()
        })
    }

    /// A request that was thought lost arrives.
    pub(super) fn deliver_late(&self) -> bool {
        let late = self.late.lock().unwrap().pop();
        late.filter(|(sent, _)| sent.elapsed() < LATEST).is_some_and(|(_, request)| {
            self.answer(&request, By::Late);
            true
        })
    }

    fn answer(&self, request: &Request<Bytes>, by: By) -> Response<Vec<u8>> {
        let path = request.uri().path().to_owned();
        let before = self.text(&path);
        let (head, body) = self.calendars.answer(request).into_parts();
        if head.status.is_success() {
            let mut all = self.seen.lock().unwrap();
            let seen = all.entry(path).or_default();
            match *request.method() {
                Method::PUT if by == By::Host => {}
                Method::PUT if before.is_none() && by == By::Late => seen.created_late += 1,
                Method::PUT if before.is_none() => seen.created += 1,
                Method::PUT if before.as_deref() == std::str::from_utf8(request.body()).ok() => seen.written_again += 1,
                Method::DELETE if by == By::Host => seen.deleted_by_host += 1,
                Method::DELETE => seen.deleted += 1,
                _ => {}
            }
        }
        let body = body.collect().now_or_never().unwrap().unwrap().to_bytes().to_vec();
        Response::from_parts(head, body)
    }

    fn by_host(&self, method: Method, path: &str, body: &str) -> Response<Vec<u8>> {
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", LOGIN.0, LOGIN.1));
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header("authorization", format!("Basic {login}"))
            .header("content-type", if body.starts_with('<') { "application/xml" } else { "text/calendar" })
            .header("depth", "1");
        self.answer(&request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap(), By::Host)
    }

    /// The object at a path.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", LOGIN.0, LOGIN.1));
        let request = Request::builder().uri(path).header("authorization", format!("Basic {login}"));
        let answer = self.calendars.answer(&request.body(Bytes::new()).unwrap());
        let found = answer.status().is_success() && path.ends_with(".ics");
        let body = answer.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        found.then(|| String::from_utf8(body.to_vec()).unwrap())
    }

    /// The host's calendar program stores this.
    pub(super) fn host_puts(&self, path: &str, text: &str) {
        self.by_host(Method::PUT, path, text);
    }

    /// The host's calendar program deletes it.
    pub(super) fn host_deletes(&self, path: &str) {
        self.by_host(Method::DELETE, path, "");
    }

    /// Every event, by its path.
    pub(super) fn events(&self, zone: &Zone) -> Vec<(String, Event)> {
        let list = self.by_host(
            Method::from_bytes(b"PROPFIND").unwrap(),
            CALENDAR,
            "<propfind xmlns=\"DAV:\"><prop><getetag/></prop></propfind>",
        );
        let list = String::from_utf8(list.into_body()).unwrap();
        let paths = list.split("href>").filter(|part| part.starts_with('/')).filter_map(|part| part.split('<').next());
        let mut events = Vec::new();
        for path in paths.filter(|path| path.ends_with(".ics")) {
            let facts = event_summary(self.text(path).unwrap().as_bytes(), zone).unwrap();
            let is_tentative = facts.is_tentative();
            let appointment = Appointment::of(&facts).unwrap();
            events.push((path.to_owned(), Event { uid: facts.uid, appointment, is_tentative }));
        }
        events
    }

    /// What was done to each event.
    pub(super) fn seen(&self) -> BTreeMap<String, Seen> {
        self.seen.lock().unwrap().clone()
    }
}
