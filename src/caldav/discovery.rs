//! Finding the calendars of an account from whatever address a person was given (RFC 6764 6, RFC 4791 6.2, RFC 5397).
//! Read [`discover`] first.

use super::error::{Error, ErrorKind};
use super::href::without_credentials;
use super::request::{FindHome, Found, ListCalendars, Options};
use super::transport::Transport;
use super::{Calendar, Discovery, Href};
use url::Url;

/// Tries the address as typed (a server, a principal, a home or a calendar), then the well-known one, then the server's root. The first
/// that leads to calendars, or to a home without any, is the answer. A refused login ends it at once: each further try counts
/// towards a lock-out.
pub(crate) async fn discover(transport: &Transport) -> Result<Discovery, Error> {
    let mut first_failure = None;
    for (typed, url) in candidates(transport.account()) {
        let found = match find(transport, url.clone()).await {
            Ok(found) => found,
            Err(error) if error.is_of_the_server() => return Err(error),
            Err(error) => {
                first_failure.get_or_insert(error);
                continue;
            }
        };
        match calendars(transport, &found, typed).await {
            Ok(Some(discovery)) => return Ok(with_capabilities(transport, discovery).await),
            Ok(None) => {}
            Err(error) if error.is_of_the_server() => return Err(error),
            Err(error) => {
                first_failure.get_or_insert(error);
            }
        }
    }
    let location = without_credentials(transport.account());
    let nothing = Error::new(ErrorKind::NoCalendars, "find calendars", location);
    Err(match first_failure {
        Some(failure) => nothing.with_detail(failure.to_string()).with_source(failure),
        None => nothing,
    })
}

/// How much an address says by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Typed {
    /// Somebody gave this path: what is there is meant.
    Path,
    /// A starting point only.
    Guess,
}

fn candidates(account: &Url) -> Vec<(Typed, Url)> {
    let own = if matches!(account.path(), "" | "/") { Typed::Guess } else { Typed::Path };
    let mut all = vec![(own, account.clone())];
    for path in ["/.well-known/caldav", "/"] {
        if let Ok(url) = account.join(path)
            && all.iter().all(|(_, known)| *known != url)
        {
            all.push((Typed::Guess, url));
        }
    }
    all
}

async fn find(transport: &Transport, url: Url) -> Result<Found, Error> {
    let answer = transport.send(url, &FindHome.request()).await?;
    FindHome.read(&answer)
}

async fn find_at(transport: &Transport, href: &Href) -> Result<Found, Error> {
    match href.url(transport.account()) {
        Some(url) => find(transport, url).await,
        None => Ok(Found::default()),
    }
}

async fn list(
    transport: &Transport,
    href: &Href,
    request: ListCalendars,
    mailboxes: &[Href],
) -> Result<Vec<Calendar>, Error> {
    let Some(url) = href.url(transport.account()) else { return Ok(Vec::new()) };
    let answer = transport.send(url, &request.request()).await?;
    request.read(&answer, mailboxes)
}

/// What `found` leads to; None when it leads nowhere.
async fn calendars(transport: &Transport, found: &Found, typed: Typed) -> Result<Option<Discovery>, Error> {
    let owner = owner(transport, found).await?;
    let principal = found.principal.clone().or_else(|| found.here.clone().filter(|_| found.is_principal));
    let mut discovery = Discovery { principal, addresses: owner.addresses.clone(), ..Discovery::default() };

    if let Some(here) = &found.here {
        let is_home = owner.homes.contains(here) || discovery.principal.as_ref() == Some(here);
        // Calypso's home says that it is a calendar: then it is the home that counts.
        if found.is_calendar && !is_home {
            discovery.calendars = list(transport, here, ListCalendars::Itself, &[]).await?;
            return Ok(Some(discovery));
        }
        // Another's home, or one on a server that knows no principals.
        if typed == Typed::Path && !is_home && !found.is_principal {
            match list(transport, here, ListCalendars::Home, &owner.mailboxes).await {
                Ok(calendars) if !calendars.is_empty() => {
                    discovery.calendars = calendars;
                    return Ok(Some(discovery));
                }
                Ok(_) => {}
                Err(error) if error.is_of_the_server() => return Err(error),
                // The way by the principal may still be open.
                Err(_) => {}
            }
        }
    }

    let homes = match (owner.homes.is_empty(), &discovery.principal) {
        (false, _) => owner.homes.clone(),
        (true, Some(principal)) => vec![principal.clone()],
        (true, None) => return Ok(None),
    };
    let mut failure = None;
    let mut readable = false;
    for home in &homes {
        match list(transport, home, ListCalendars::Home, &owner.mailboxes).await {
            Ok(calendars) => {
                readable = true;
                for calendar in calendars {
                    if discovery.calendars.iter().all(|known| known.href != calendar.href) {
                        discovery.calendars.push(calendar);
                    }
                }
            }
            // One of several homes may be another's, or gone; a failure of another kind must not hide calendars.
            Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => {
                failure.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    if let (false, Some(error)) = (readable, failure) {
        return Err(error);
    }
    discovery.homes = homes;
    // A principal that names no home and holds no calendar is no home.
    Ok((!owner.homes.is_empty() || !discovery.calendars.is_empty()).then_some(discovery))
}

/// The homes, addresses and mailboxes of whoever is logged in: told here, or by the principal.
async fn owner(transport: &Transport, found: &Found) -> Result<Found, Error> {
    let Some(principal) = &found.principal else { return Ok(found.clone()) };
    if !found.homes.is_empty() || found.here.as_ref() == Some(principal) {
        return Ok(found.clone());
    }
    match find_at(transport, principal).await {
        Ok(owner) => Ok(owner),
        Err(error) if error.is_of_the_server() => Err(error),
        // An address that is a calendar or a home needs no principal.
        Err(_) => Ok(found.clone()),
    }
}

/// What the server says of itself at the home or calendar: at the root it often says less, or nothing.
async fn with_capabilities(transport: &Transport, mut discovery: Discovery) -> Discovery {
    let at = discovery.homes.first().or_else(|| discovery.calendars.first().map(|calendar| &calendar.href));
    let Some(url) = at.and_then(|href| href.url(transport.account())) else { return discovery };
    if let Ok(answer) = transport.send(url, &Options.request()).await {
        let capabilities = Options.read(&answer);
        discovery.dav = capabilities.dav;
        discovery.server = capabilities.server;
        discovery.server_time = capabilities.server_time;
    }
    discovery
}
