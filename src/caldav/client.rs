//! One account on its server: every operation that the rest of the program asks for. Read [`Client`] first.

use super::error::{Error, ErrorKind};
use super::etag::{ETag, SyncToken};
use super::href::{Href, without_credentials};
use super::request::Stored;
use super::request::{
    Answer, Create, Delete, Get, ListMembers, Multiget, Page, QueryMembers, Request, State, SyncCollection, Update,
};
use super::transport::Transport;
use super::{
    Changes, CollectionState, Deleted, Discovery, FailedObject, Fetched, Login, Member, Object, Written, discovery,
};
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How many objects one request asks for: some servers answer for the first hundred only, and say nothing.
const BATCH: usize = 50;
/// More pages than this of one sync is a server that does not get on.
const MAX_PAGES: usize = 1_000;

/// A CalDAV account. Cheap to clone; clones share the connection.
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
                match self.query(calendar, None).await {
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
    pub async fn query(&self, calendar: &Href, range: Option<(Timestamp, Timestamp)>) -> Result<Vec<Member>, Error> {
        let request = QueryMembers { calendar, range };
        let answer = self.ask(calendar, &request.request()).await?;
        request.read(&answer)
    }

    /// Reads objects: many by multiget, halved where the server fails at one of them, and one by one what it leaves out.
    /// Every href that was asked for is in exactly one of the answer's lists.
    ///
    /// # Errors
    /// When the server as a whole cannot be talked to; what fails for one object is in `failed`.
    pub async fn fetch(&self, calendar: &Href, hrefs: &[Href]) -> Result<Fetched, Error> {
        let mut fetched = Fetched::default();
        let mut seen = std::collections::HashSet::new();
        let unique: Vec<Href> = hrefs.iter().filter(|href| seen.insert(*href)).cloned().collect();
        let mut batches: VecDeque<Vec<Href>> = unique.chunks(BATCH).map(<[Href]>::to_vec).collect();
        let mut alone = Vec::new();
        while let Some(batch) = batches.pop_front() {
            if batch.len() < 2 {
                alone.extend(batch);
                continue;
            }
            let request = Multiget { hrefs: &batch };
            let got = match self.ask(calendar, &request.request()).await {
                Ok(answer) => request.read(&answer),
                Err(error) => Err(error),
            };
            match got {
                Ok(got) => {
                    let answered: std::collections::HashSet<&Href> =
                        got.objects.iter().map(|object| &object.href).chain(&got.gone).collect();
                    // A server that answers for none of them does not know the report (Calypso).
                    let knows_it = !answered.is_empty();
                    alone.extend(batch.iter().filter(|href| !answered.contains(href)).cloned());
                    fetched.objects.extend(got.objects);
                    fetched.gone.extend(got.gone);
                    if !knows_it {
                        alone.extend(batches.drain(..).flatten());
                    }
                }
                Err(error) if error.is_of_the_server() => return Err(error),
                Err(error) if matches!(error.kind(), ErrorKind::Rejected { status: 405 } | ErrorKind::Server(501)) => {
                    alone.extend(batch);
                    alone.extend(batches.drain(..).flatten());
                }
                Err(_) => {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    batches.push_front(right.to_vec());
                    batches.push_front(left.to_vec());
                }
            }
        }
        for href in alone {
            match self.get(&href).await {
                Ok(Some(object)) => fetched.objects.push(object),
                Ok(None) => fetched.gone.push(href),
                Err(error) if error.is_of_the_server() => return Err(error),
                Err(error) => fetched.failed.push(FailedObject { href, error }),
            }
        }
        Ok(fetched)
    }

    /// Reads one object; None when it is not there.
    ///
    /// # Errors
    /// As the server's; `BadAnswer` when a page came instead.
    pub async fn get(&self, href: &Href) -> Result<Option<Object>, Error> {
        let request = Get { href };
        let answer = self.ask(href, &request.request()).await?;
        request.read(&answer)
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
        let request = Delete { etag };
        let answer = self.ask(href, &request.request()).await?;
        request.read(&answer)
    }

    async fn ask(&self, href: &Href, request: &Request) -> Result<Answer, Error> {
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
