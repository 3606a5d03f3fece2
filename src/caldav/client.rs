//! One account on its server: every operation that the rest of the program asks for. Read [`Client`] first.

use super::error::{Error, ErrorKind};
use super::etag::{ETag, SyncToken};
use super::href::{Href, without_credentials};
use super::request::Stored;
use super::request::{
    Answer, Availability, Create, Delete, FindInbox, Get, ListMembers, Page, QueryMembers, Request, State,
    SyncCollection, Update,
};
use super::transport::Transport;
use super::{Changes, CollectionState, Deleted, Discovery, Login, Member, Object, Written, discovery};
use crate::ical::check_whole;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// More pages than this of one sync is a server that does not get on.
const MAX_PAGES: usize = 1_000;
/// From 1970 to 2100: what a query is to span that stands in for a list. Without a range, or with an open one, servers fail or leave out
/// what is far (standards A2.19, A2.20).
const EVER: (Timestamp, Timestamp) = (Timestamp::UNIX_EPOCH, Timestamp::constant(4_102_444_800, 0));

/// A CalDAV account. Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<Transport>,
}

impl Client {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// `Settings` for a URL that is neither http nor https or an unreadable `ca_file`; `Insecure` for plain http to another machine.
    pub fn new(login: Login) -> Result<Client, Error> {
        Ok(Client { transport: Arc::new(Transport::new(login)?) })
    }

    /// The same account, for the one try by which is found out whether a login that was refused works again: everybody else's requests are
    /// not sent until it does.
    #[must_use]
    pub fn careful(&self) -> Client {
        Client { transport: Arc::new(self.transport.careful()) }
    }

    /// The login was refused a moment ago, and may be another now: a careful client finds out first.
    pub fn distrust(&self) {
        self.transport.distrust();
    }

    /// Whether the server has refused the login, and no later answer says otherwise: nothing is sent but by a [`Client::careful`] one.
    pub fn is_refused(&self) -> bool {
        self.transport.is_refused()
    }

    /// The account's address, without credentials.
    pub fn address(&self) -> &Url {
        self.transport.account()
    }

    /// Finds the account's calendars from its URL: a server, a principal, a home or a calendar. An empty list is a home without calendars.
    ///
    /// # Errors
    /// `Unauthorized` also proves the login wrong; `NoCalendars` when no way leads to a calendar home.
    pub async fn discover(&self) -> Result<Discovery, Error> {
        discovery::discover(&self.transport).await
    }

    /// A calendar's marks of change and what can be done with it; one request.
    ///
    /// # Errors
    /// `NotFound`: the calendar is gone or moved; discover again.
    pub async fn state(&self, calendar: &Href) -> Result<CollectionState, Error> {
        let answer = self.ask(calendar, &State.request()).await?;
        State.read(&answer)
    }

    /// Whether a calendar says itself that it is there no longer. What it does not say clearly is none that is gone.
    ///
    /// # Errors
    /// When the server as a whole cannot be talked to.
    pub async fn is_gone(&self, calendar: &Href) -> Result<bool, Error> {
        match self.state(calendar).await {
            Ok(state) => Ok(state.is_calendar == Some(false)),
            Err(error) if *error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) if error.is_of_the_server() => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// The scheduling inbox of a principal; `None` when the server does no scheduling.
    ///
    /// # Errors
    /// As the server's.
    pub async fn inbox(&self, principal: &Href) -> Result<Option<Href>, Error> {
        let answer = self.ask(principal, &FindInbox.request()).await?;
        FindInbox.read(&answer)
    }

    /// The availability that the owner of a scheduling inbox keeps on it (RFC 7953 7.2.4), as iCalendar text; `None` when
    /// they keep none.
    ///
    /// # Errors
    /// Also when it is there and may not be read.
    pub async fn availability(&self, inbox: &Href) -> Result<Option<String>, Error> {
        let answer = self.ask(inbox, &Availability.request()).await?;
        Availability.read(&answer)
    }

    /// What changed in a calendar since a token, or everything (RFC 6578); follows pages to the last. The same change may come
    /// again at the next call. Deletions are what the server says: compare with [`Client::list`] now and then.
    ///
    /// # Errors
    /// Only what another token could not mend; a refused token is [`Changes::TokenInvalid`].
    pub async fn changes(&self, calendar: &Href, since: Option<&SyncToken>) -> Result<Changes, Error> {
        let refused = if since.is_some() { Changes::TokenInvalid } else { Changes::Unsupported };
        let mut delta = Delta::default();
        let mut from = since.cloned();
        for _ in 0..MAX_PAGES {
            let request = SyncCollection { calendar, since: from.as_ref() };
            let answer = self.ask(calendar, &request.request()).await?;
            let Page::Changes { token, changed, removed, more } = request.read(&answer)? else { return Ok(refused) };
            let gets_on = from.as_ref() != Some(&token) && !(changed.is_empty() && removed.is_empty());
            delta.add(changed, removed);
            if !more {
                return Ok(delta.up_to(token, since.is_none()));
            }
            if !gets_on {
                break;
            }
            from = Some(token);
        }
        // Pages that lead nowhere: the calendar can only be listed.
        Ok(refused)
    }

    /// Every object of a calendar with its version. By PROPFIND; where the server fails at that, by a query.
    ///
    /// # Errors
    /// The first way's, when both fail. A failed read is never an empty list.
    pub async fn list(&self, calendar: &Href) -> Result<Vec<Member>, Error> {
        let request = ListMembers { calendar };
        let listed = match self.ask(calendar, &request.request()).await {
            Ok(answer) => request.read(&answer),
            Err(error) => Err(error),
        };
        match listed {
            Err(error) if !error.is_of_the_server() && *error.kind() != ErrorKind::NotFound => {
                match self.query(calendar, EVER).await {
                    // Nothing at all may be a query that finds nothing: it proves no empty calendar.
                    Ok(members) if !members.is_empty() => Ok(members),
                    _ => Err(error),
                }
            }
            listed => listed,
        }
    }

    /// The objects that the server finds in a range, in addition to a list that may hide members (standards A2.19). Never the only
    /// source: servers' recurrence is not to be relied on. `range` is from (inclusive) to (exclusive).
    ///
    /// # Errors
    /// As the server's; some fail at any query while one event is broken.
    pub async fn query(&self, calendar: &Href, range: (Timestamp, Timestamp)) -> Result<Vec<Member>, Error> {
        let request = QueryMembers { calendar, range };
        let answer = self.ask(calendar, &request.request()).await?;
        request.read(&answer)
    }

    /// Reads one object; None when it is not there. One that ends in the middle is believed when it comes so twice, with warnings: else a
    /// proxy has cut it, and half an event would free the time of the other half.
    ///
    /// # Errors
    /// As the server's; `BadAnswer` when a page came instead, or a part.
    pub async fn get(&self, href: &Href) -> Result<Option<Object>, Error> {
        let request = Get { href };
        let answer = self.ask(href, &request.request()).await?;
        let object = request.read(&answer)?;
        match &object {
            Some(first) if check_whole(&first.data).is_err() => {
                let again = request.read(&self.ask(href, &request.request()).await?)?;
                match again {
                    Some(again) if check_whole(&again.data).is_err() && again.data != first.data => {
                        Err(answer.failed(ErrorKind::BadAnswer).with_detail("it ends in the middle"))
                    }
                    again => Ok(again),
                }
            }
            _ => Ok(object),
        }
    }

    /// Creates an object that must not be there. `data` is one whole VCALENDAR with CRLF. Not every server honours the condition:
    /// see `replaced`, and read back.
    ///
    /// # Errors
    /// `PreconditionFailed`: something is there; `UidConflict`: the UID is elsewhere. After an error that
    /// [`is_ambiguous`](Error::is_ambiguous), GET before trying again.
    pub async fn create(&self, href: &Href, data: &str) -> Result<Written, Error> {
        let request = Create { data };
        let answer = self.ask(href, &request.request()).await?;
        let stored = request.read(&answer)?;
        Ok(self.written(href, &answer, stored).await)
    }

    /// Replaces the version `etag` of an object: the one that the change was computed from, not one fetched for the purpose.
    ///
    /// # Errors
    /// `PreconditionFailed`: it changed since, or is gone.
    pub async fn update(&self, href: &Href, etag: &ETag, data: &str) -> Result<Written, Error> {
        match (self.put_over(href, Some(etag), data).await, etag.as_written()) {
            (Err(error), Some(as_written)) if *error.kind() == ErrorKind::PreconditionFailed => {
                self.put_over(href, Some(&as_written), data).await
            }
            (written, _) => written,
        }
    }

    /// Replaces an object whose server tells no versions: what somebody else has changed since it was read is lost.
    pub async fn replace(&self, href: &Href, data: &str) -> Result<Written, Error> {
        self.put_over(href, None, data).await
    }

    async fn put_over(&self, href: &Href, etag: Option<&ETag>, data: &str) -> Result<Written, Error> {
        let request = Update { etag, data };
        let answer = self.ask(href, &request.request()).await?;
        let stored = request.read(&answer)?;
        Ok(self.written(href, &answer, stored).await)
    }

    /// Deletes an object, when a version is known only that one.
    ///
    /// # Errors
    /// `PreconditionFailed`: it changed since.
    pub async fn delete(&self, href: &Href, etag: Option<&ETag>) -> Result<Deleted, Error> {
        match (self.remove(href, etag).await, etag.and_then(ETag::as_written)) {
            (Err(error), Some(as_written)) if *error.kind() == ErrorKind::PreconditionFailed => {
                self.remove(href, Some(&as_written)).await
            }
            (deleted, _) => deleted,
        }
    }

    async fn remove(&self, href: &Href, etag: Option<&ETag>) -> Result<Deleted, Error> {
        let request = Delete { etag };
        let answer = self.ask(href, &request.request()).await?;
        match request.read(&answer) {
            // No version of what is not there matches: servers say 412 to that too.
            Err(error) if *error.kind() == ErrorKind::PreconditionFailed => match self.get(href).await {
                Ok(None) => Ok(Deleted::AlreadyGone),
                _ => Err(error),
            },
            deleted => deleted,
        }
    }

    pub(super) async fn ask(&self, href: &Href, request: &Request) -> Result<Answer, Error> {
        let account = self.transport.account();
        let url = href.url(account).ok_or_else(|| {
            Error::new(ErrorKind::Settings, request.operation, without_credentials(account))
                .with_detail(format!("{href} is no address"))
        })?;
        self.transport.send(url, request).await
    }

    /// Without an ETag the server may have rewritten the object (RFC 4791 5.3.4): it is read back. That a read back fails does not undo the
    /// write.
    async fn written(&self, asked: &Href, answer: &Answer, stored: Stored) -> Written {
        let reached = answer.href(answer.url.path()).filter(|reached| reached != asked);
        let href = stored.href.or(reached).unwrap_or_else(|| asked.clone());
        let mut written = Written { href, etag: stored.etag, replaced: stored.replaced, data: None };
        if written.etag.is_none()
            && let Ok(Some(object)) = self.get(&written.href).await
        {
            written.etag = object.etag;
            written.data = Some(object.data);
        }
        written
    }
}

/// Pages put together: what comes later about an href counts.
#[derive(Default)]
struct Delta {
    order: Vec<Href>,
    last: HashMap<Href, Option<Member>>,
}

impl Delta {
    fn add(&mut self, changed: Vec<Member>, removed: Vec<Href>) {
        let changed = changed.into_iter().map(|member| (member.href.clone(), Some(member)));
        for (href, member) in changed.chain(removed.into_iter().map(|href| (href, None))) {
            if self.last.insert(href.clone(), member).is_none() {
                self.order.push(href);
            }
        }
    }

    fn up_to(mut self, token: SyncToken, complete: bool) -> Changes {
        let (mut changed, mut removed) = (Vec::new(), Vec::new());
        for href in self.order {
            match self.last.remove(&href) {
                Some(Some(member)) => changed.push(member),
                Some(None) => removed.push(href),
                None => {}
            }
        }
        Changes::Delta { token, changed, removed, complete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::scripted::{Log, answer, multistatus, serve};

    const EVENT: &str = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n";

    fn requests(log: &Log) -> Vec<String> {
        log.lock().unwrap().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }

    #[tokio::test]
    async fn an_object_that_ends_in_the_middle_is_asked_for_again() {
        let calendar = "Content-Type: text/calendar\r\n";
        let seen = std::sync::atomic::AtomicUsize::new(0);
        let (client, log) = serve(move |asked| {
            let turn = seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            match asked.path.as_str() {
                // Cut once on its way.
                "/c/1.ics" if turn == 0 => answer(200, calendar, "BEGIN:VCALENDAR\r\nBEG"),
                // Cut each time elsewhere.
                "/c/2.ics" => answer(200, calendar, &EVENT[..EVENT.len() - 4 - turn % 2]),
                // Nothing, and nothing again, is no event without time.
                "/c/5.ics" => answer(200, calendar, ""),
                // The server has no more of it.
                "/c/3.ics" => answer(200, calendar, "BEGIN:VCALENDAR\r\n"),
                _ => answer(200, calendar, EVENT),
            }
        })
        .await;
        assert_eq!(client.get(&Href::new("/c/1.ics")).await.unwrap().unwrap().data, EVENT.as_bytes());
        assert_eq!(client.get(&Href::new("/c/2.ics")).await.unwrap_err().kind(), &ErrorKind::BadAnswer);
        assert_eq!(client.get(&Href::new("/c/3.ics")).await.unwrap().unwrap().data, b"BEGIN:VCALENDAR\r\n");
        assert_eq!(client.get(&Href::new("/c/4.ics")).await.unwrap().unwrap().data, EVENT.as_bytes());
        assert_eq!(requests(&log).len(), 7);
        assert_eq!(client.get(&Href::new("/c/5.ics")).await.unwrap_err().kind(), &ErrorKind::BadAnswer);
    }

    #[tokio::test]
    async fn pages_are_followed_to_the_last_and_pages_that_lead_nowhere_are_given_up() {
        let page = |n: u32, more: bool| {
            let more = if more { "<response><href>/c/</href><status>HTTP/1.1 507 x</status></response>" } else { "" };
            multistatus(&format!(
                "<response><href>/c/{n}.ics</href><propstat><prop><getetag>\"1\"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>{more}<sync-token>t{n}</sync-token>"
            ))
        };
        let (client, log) = serve(move |seen| match seen.body.split_once("<D:sync-token>").map(|(_, rest)| rest) {
            Some(rest) if rest.starts_with("t1") => page(2, true),
            Some(rest) if rest.starts_with("t2") => page(3, false),
            _ => page(1, true),
        })
        .await;
        let changes = client.changes(&Href::new("/c/"), None).await.unwrap();
        let Changes::Delta { token, changed, complete: true, .. } = changes else { panic!("no delta") };
        assert_eq!((token.as_str(), changed.len(), requests(&log).len()), ("t3", 3, 3));

        let (client, _) = serve(move |_| page(1, true)).await;
        assert_eq!(client.changes(&Href::new("/c/"), None).await.unwrap(), Changes::Unsupported);
        assert_eq!(
            client.changes(&Href::new("/c/"), SyncToken::new("t1").as_ref()).await.unwrap(),
            Changes::TokenInvalid
        );
    }

    #[tokio::test]
    async fn a_list_that_fails_is_tried_by_query_and_never_becomes_empty() {
        let one = "<response><href>/c/1.ics</href><propstat><prop><getetag>\"1\"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>";
        let (client, log) = serve(move |seen| match seen.method.as_str() {
            "PROPFIND" => answer(500, "", ""),
            _ => multistatus(one),
        })
        .await;
        assert_eq!(client.list(&Href::new("/c/")).await.unwrap().len(), 1);
        let query = log.lock().unwrap().last().unwrap().body.clone();
        assert!(query.contains(r#"<C:time-range start="19700101T000000Z" end="21000101T000000Z"/>"#), "{query}");
        let (client, _) = serve(move |seen| match seen.method.as_str() {
            "PROPFIND" => answer(500, "", ""),
            _ => multistatus(""),
        })
        .await;
        assert_eq!(client.list(&Href::new("/c/")).await.unwrap_err().kind(), &ErrorKind::Server(500));
    }

    #[tokio::test]
    async fn a_write_without_an_etag_is_read_back_where_the_server_put_it() {
        let (client, log) = serve(|seen| match (seen.method.as_str(), seen.path.as_str()) {
            ("PUT", "/c/u.ics") => answer(307, "Location: /d/u.ics\r\n", ""),
            ("PUT", _) => answer(201, "Location: /d/9F2.EML\r\n", ""),
            _ => answer(200, "Content-Type: text/calendar\r\nETag: \"5\"\r\n", EVENT),
        })
        .await;
        let written = client.create(&Href::new("/c/u.ics"), EVENT).await.unwrap();
        assert_eq!((written.href.as_str(), &written.etag), ("/d/9F2.EML", &ETag::new("5")));
        assert_eq!(written.data.as_deref(), Some(EVENT.as_bytes()));
        assert_eq!(requests(&log), ["PUT /c/u.ics", "PUT /d/u.ics", "GET /d/9F2.EML"]);
        let log = log.lock().unwrap();
        assert_eq!(log[1].body, EVENT);
        assert!(log[1].head.contains("if-none-match: *") && log[1].head.contains("content-length: 32"));
        assert!(log[1].head.contains("authorization: basic ") && !log[1].head.contains("transfer-encoding"));
    }

    #[tokio::test]
    async fn a_version_is_named_strong_first_and_then_as_the_server_wrote_it() {
        let weak = "Content-Type: text/calendar\r\nETag: W/\"5\"\r\n";
        let (client, log) = serve(move |seen| match (seen.method.as_str(), seen.head.contains("if-match: w/\"5\"")) {
            ("GET", _) => answer(200, weak, EVENT),
            (_, true) => answer(204, "ETag: W/\"6\"\r\n", ""),
            _ => answer(412, "", ""),
        })
        .await;
        let href = Href::new("/c/u.ics");
        let version = client.get(&href).await.unwrap().unwrap().etag.unwrap();
        client.update(&href, &version, EVENT).await.unwrap();
        assert_eq!(client.delete(&href, Some(&version)).await.unwrap(), Deleted::Deleted);
        assert_eq!(requests(&log)[..3], ["GET /c/u.ics", "PUT /c/u.ics", "PUT /c/u.ics"]);
        // One that was never written otherwise is not tried twice.
        let before = requests(&log).len();
        let stale = client.update(&href, &ETag::new("5").unwrap(), EVENT).await.unwrap_err();
        assert_eq!((stale.kind(), requests(&log).len()), (&ErrorKind::PreconditionFailed, before + 1));
    }

    #[tokio::test]
    async fn two_requests_of_an_account_are_under_way_at_once_and_no_more() {
        use tokio::io::AsyncWriteExt;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let client = Client::new(super::super::Login::new(url, "prof", "secret".to_owned().into())).unwrap();
        let asking: Vec<_> = (0..3)
            .map(|n| {
                let client = if n == 0 { client.careful() } else { client.clone() };
                tokio::spawn(async move { client.get(&Href::new(format!("/c/{n}.ics"))).await })
            })
            .collect();
        let (mut first, mut second) = (listener.accept().await.unwrap().0, listener.accept().await.unwrap().0);
        let third = tokio::time::timeout(std::time::Duration::from_millis(200), listener.accept()).await;
        assert!(third.is_err());
        let event = answer(200, "Connection: close\r\n", EVENT);
        first.write_all(event.as_bytes()).await.unwrap();
        let (mut third, _) = listener.accept().await.unwrap();
        for stream in [&mut second, &mut third] {
            stream.write_all(event.as_bytes()).await.unwrap();
        }
        for asked in asking {
            assert!(asked.await.unwrap().unwrap().is_some());
        }
    }

    #[tokio::test]
    async fn the_client_calls_itself_as_the_login_says() {
        let event = || answer(200, "Content-Type: text/calendar\r\n", EVENT);
        let (url, log) = super::super::scripted::serve_raw(move |_| event()).await;
        let login = super::super::Login::new(url, "prof", "secret".to_owned().into());
        let named = super::super::Login { user_agent: Some("Evolution/3.56".to_owned()), ..login.clone() };
        for login in [login, named] {
            Client::new(login).unwrap().get(&Href::new("/c/1.ics")).await.unwrap();
        }
        let usual = format!("user-agent: officehours/{}", env!("CARGO_PKG_VERSION"));
        let heads: Vec<String> = log.lock().unwrap().iter().map(|seen| seen.head.clone()).collect();
        for (head, name) in heads.iter().zip([usual.as_str(), "user-agent: evolution/3.56"]) {
            assert!(head.lines().any(|line| line == name), "{head}");
        }
    }

    #[tokio::test]
    async fn a_refused_login_is_tried_by_one_request_of_the_careful_client_alone() {
        let right = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let told = right.clone();
        let (client, log) = serve(move |_| match told.load(std::sync::atomic::Ordering::Relaxed) {
            true => answer(200, "Content-Type: text/calendar\r\n", EVENT),
            false => answer(401, "", ""),
        })
        .await;
        let href = Href::new("/c/1.ics");
        assert!(client.get(&href).await.unwrap_err().was_sent());
        let other = client.clone();
        for _ in 0..5 {
            let error = other.create(&href, EVENT).await.unwrap_err();
            assert!(*error.kind() == ErrorKind::Unauthorized && !error.was_sent() && other.is_refused());
        }
        assert_eq!(requests(&log).len(), 1);
        assert!(client.careful().get(&href).await.unwrap_err().was_sent());
        assert_eq!(requests(&log).len(), 2);
        right.store(true, std::sync::atomic::Ordering::Relaxed);
        client.careful().get(&href).await.unwrap();
        assert!(other.get(&href).await.is_ok() && !client.is_refused());
    }

    #[tokio::test]
    async fn a_deletion_of_what_is_not_there_is_done_even_where_no_version_matches() {
        let (client, _) = serve(|seen| match (seen.method.as_str(), seen.path.as_str()) {
            ("DELETE", _) => answer(412, "", ""),
            (_, "/c/gone.ics") => answer(404, "", ""),
            _ => answer(200, "Content-Type: text/calendar\r\n", EVENT),
        })
        .await;
        let etag = ETag::new("1");
        assert_eq!(client.delete(&Href::new("/c/gone.ics"), etag.as_ref()).await.unwrap(), Deleted::AlreadyGone);
        let changed = client.delete(&Href::new("/c/changed.ics"), etag.as_ref()).await.unwrap_err();
        assert_eq!(changed.kind(), &ErrorKind::PreconditionFailed);
    }

    #[tokio::test]
    async fn a_broken_connection_repeats_a_read_once_and_a_write_never() {
        let (client, log) = serve(|_| String::new()).await;
        let (read, write) =
            (client.get(&Href::new("/c/1.ics")).await, client.create(&Href::new("/c/2.ics"), EVENT).await);
        assert_eq!(read.unwrap_err().kind(), &ErrorKind::Network);
        let write = write.unwrap_err();
        assert!(write.is_ambiguous() && *write.kind() == ErrorKind::Network);
        assert_eq!(requests(&log), ["GET /c/1.ics", "GET /c/1.ics", "PUT /c/2.ics"]);
    }

    #[tokio::test]
    async fn a_body_that_is_cut_short_is_a_broken_connection_and_no_shorter_list() {
        let whole = multistatus("<response><href>/c/1.ics</href></response>");
        let (client, _) = serve(move |_| {
            format!("{}\r\n", whole.replace("Content-Length: ", "Connection: close\r\nContent-Length: 9"))
        })
        .await;
        let listed = tokio::time::timeout(std::time::Duration::from_millis(300), client.list(&Href::new("/c/"))).await;
        assert!(!matches!(listed, Ok(Ok(_))));
    }

    #[tokio::test]
    async fn redirects_end_and_lead_nowhere_that_may_not_have_the_password() {
        let (client, log) = serve(|_| answer(302, "Location: /again\r\n", "")).await;
        let looped = client.get(&Href::new("/c/1.ics")).await.unwrap_err();
        assert_eq!((looped.kind(), requests(&log).len()), (&ErrorKind::BadAnswer, 6));
        let (client, _) = serve(|_| answer(301, "Location: http://192.0.2.1/\r\n", "")).await;
        assert_eq!(client.get(&Href::new("/c/1.ics")).await.unwrap_err().kind(), &ErrorKind::Insecure);
    }

    #[test]
    fn what_a_later_page_says_counts() {
        let member = |path: &str| Member { href: Href::new(path), etag: None };
        let mut delta = Delta::default();
        delta.add(vec![member("/c/a.ics"), member("/c/b.ics")], vec![Href::new("/c/d.ics")]);
        delta.add(vec![member("/c/d.ics")], vec![Href::new("/c/a.ics")]);
        let Changes::Delta { changed, removed, complete, .. } = delta.up_to(SyncToken::new("t").unwrap(), true) else {
            panic!("no delta")
        };
        assert_eq!(changed, [member("/c/b.ics"), member("/c/d.ics")]);
        assert_eq!(removed, [Href::new("/c/a.ics")]);
        assert!(complete);
    }
}
