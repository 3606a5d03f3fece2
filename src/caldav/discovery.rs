//! Finding the calendars of an account from whatever address a person was given (RFC 6764 6, RFC 4791 6.2, RFC 5397).
//! Read [`discover`] first.

use super::error::{Error, ErrorKind};
use super::href::without_credentials;
use super::request::{FindHome, Found, ListCalendars, Options};
use super::transport::Transport;
use super::{Calendar, Discovery, Href};
use url::Url;

/// Tries the address as typed (a server, a principal, a home or a calendar), then the well-known one, then what the domain's DNS names
/// (RFC 6764), then the server's root. The first that leads to calendars, or to a home without any, is the answer. A refused
/// login ends it, since each further try counts towards a lock-out; only a mere domain may name another server than its own.
pub(crate) async fn discover(transport: &Transport) -> Result<Discovery, Error> {
    let account = transport.account();
    let (typed, root) = (candidate(account), account.join("/").ok());
    let well_known = account.join("/.well-known/caldav").ok().map(|url| (Typed::Guess, url));
    let mut search = Search { transport, first_failure: None };
    let mut refusal = None;
    for (typed, url) in [Some(typed), well_known].into_iter().flatten() {
        match search.at(typed, url).await {
            Ok(Some(discovery)) => return Ok(discovery),
            Ok(None) => {}
            // Nobody said that the domain's own server is the one.
            Err(error) if typed == Typed::Guess => {
                refusal = Some(error);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let mut failure = None;
    for service in transport.services().await {
        let is_own =
            account.host_str() == Some(service.host.as_str()) && account.port_or_known_default() == Some(service.port);
        if is_own && refusal.is_some() {
            continue;
        }
        for url in service.urls() {
            if !transport.may_ask(&url) {
                let domain = account.host_str().unwrap_or_default();
                let advice = format!(
                    "{domain} names {0} as its calendar server: write that as the url, or trusted_hosts = [\"{0}\"], if it is the right one",
                    service.host
                );
                let error = Error::new(ErrorKind::Insecure, "find calendars", without_credentials(&url));
                return Err(error.with_detail(advice));
            }
            match search.at(Typed::Guess, url).await {
                Ok(Some(discovery)) => return Ok(discovery),
                Ok(None) => {}
                Err(error) if *error.kind() == ErrorKind::Unauthorized => return Err(error),
                // Another server of the domain may answer.
                Err(error) => {
                    failure.get_or_insert(error);
                    break;
                }
            }
        }
    }
    // What the server that the domain names has said tells more than the domain's own.
    if let Some(error) = failure.or(refusal) {
        return Err(error);
    }
    if let Some(root) = root.filter(|root| root != account)
        && let Some(discovery) = search.at(Typed::Guess, root).await?
    {
        return Ok(discovery);
    }
    let nothing = Error::new(ErrorKind::NoCalendars, "find calendars", without_credentials(account));
    Err(match search.first_failure {
        Some(failure) => nothing.with_detail(failure.to_string()).with_source(failure),
        None => nothing,
    })
}

/// What was tried so far.
struct Search<'a> {
    transport: &'a Transport,
    first_failure: Option<Error>,
}

impl Search<'_> {
    /// What an address leads to; fails only when every other address of the server would fail alike.
    async fn at(&mut self, typed: Typed, url: Url) -> Result<Option<Discovery>, Error> {
        let found = match find(self.transport, url).await {
            Ok(found) => calendars(self.transport, &found, typed).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(discovery)) => Ok(Some(with_capabilities(self.transport, discovery).await)),
            Ok(None) => Ok(None),
            Err(error) if error.is_of_the_server() => Err(error),
            Err(error) => {
                self.first_failure.get_or_insert(error);
                Ok(None)
            }
        }
    }
}

/// How much an address says by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Typed {
    /// Somebody gave this path: what is there is meant.
    Path,
    /// A starting point only.
    Guess,
}

fn candidate(account: &Url) -> (Typed, Url) {
    let typed = if matches!(account.path(), "" | "/") { Typed::Guess } else { Typed::Path };
    (typed, account.clone())
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
        // Calypso's home and root say that they are calendars: then it is the home that counts.
        if found.is_calendar && !is_home && (typed == Typed::Path || discovery.principal.is_none()) {
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
                tracing::info!(%error, "One of the account's calendar homes may not be read; calendars that are only there do not count.");
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

/// The homes, addresses and mailboxes of whoever is logged in: the principal tells. What another address says of them counts only
/// where the principal does not (Calypso's root calls itself the home, and lists everybody's).
async fn owner(transport: &Transport, found: &Found) -> Result<Found, Error> {
    let Some(principal) = found.principal.as_ref().filter(|principal| found.here.as_ref() != Some(*principal)) else {
        return Ok(found.clone());
    };
    match find_at(transport, principal).await {
        Ok(owner) if owner.homes.is_empty() => Ok(Found { homes: found.homes.clone(), ..owner }),
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

#[cfg(test)]
mod tests {
    use super::super::scripted::{Seen, answer, multistatus, serve};
    use super::*;

    fn response(href: &str, properties: &str) -> String {
        format!(
            "<response><href>{href}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
        )
    }

    fn principal(href: &str) -> String {
        format!("<current-user-principal><href>{href}</href></current-user-principal>")
    }

    const CALENDAR: &str = "<resourcetype><collection/><C:calendar/></resourcetype>";

    async fn found(server: impl Fn(&Seen) -> String + Send + Sync + 'static) -> Result<Vec<String>, Error> {
        let (client, _) = serve(server).await;
        let calendars = client.discover().await?.calendars;
        Ok(calendars.into_iter().map(|calendar| calendar.href.as_str().to_owned()).collect())
    }

    #[tokio::test]
    async fn a_root_that_is_a_web_page_leads_by_the_well_known_address() {
        // SOGo's shape: 301 to a page at the root, a well-known redirect without a final slash, a principal that is not the home
        let calendars = found(|seen| match seen.path.as_str() {
            "/" => answer(301, "Location: /SOGo\r\n", ""),
            "/SOGo" => answer(405, "", "<html>"),
            "/.well-known/caldav" => answer(301, "Location: /SOGo/dav\r\n", ""),
            "/SOGo/dav" => multistatus(&response("/SOGo/dav/", &principal("/SOGo/dav/prof"))),
            "/SOGo/dav/prof" => multistatus(&response(
                "/SOGo/dav/prof/",
                "<C:calendar-home-set><href>/SOGo/dav/prof/Calendar/</href></C:calendar-home-set>",
            )),
            "/SOGo/dav/prof/Calendar/" => multistatus(&response("/SOGo/dav/prof/Calendar/personal/", CALENDAR)),
            _ => answer(404, "", ""),
        });
        assert_eq!(calendars.await.unwrap(), ["/SOGo/dav/prof/Calendar/personal/"]);
    }

    #[tokio::test]
    async fn calypsos_home_without_a_slash_is_principal_home_and_calendar_in_one() {
        let calendars = found(|seen| {
            let home = format!(
                "{CALENDAR}{}<C:calendar-home-set><href>/prof</href></C:calendar-home-set>",
                principal("/prof")
            );
            match (seen.path.as_str(), seen.head.contains("depth: 1")) {
                ("/", false) => multistatus(&response(
                    "/",
                    &format!(
                        "{CALENDAR}{}<C:calendar-home-set><href>/</href></C:calendar-home-set>",
                        principal("/prof")
                    ),
                )),
                ("/prof", false) => multistatus(&response("/prof", &home)),
                ("/prof", true) => multistatus(&(response("/prof", &home) + &response("/prof/office/", CALENDAR))),
                _ => answer(404, "", ""),
            }
        });
        assert_eq!(calendars.await.unwrap(), ["/prof/office/"]);
    }

    #[tokio::test]
    async fn several_homes_are_all_read_and_a_failing_one_is_not_passed_over() {
        let server = |second: u16| {
            move |seen: &Seen| match seen.path.as_str() {
                "/" => multistatus(&response(
                    "/",
                    &format!(
                        "{}<C:calendar-home-set><href>/a/</href><href>/b/</href></C:calendar-home-set>",
                        principal("/p/")
                    ),
                )),
                "/a/" => multistatus(&(response("/a/1/", CALENDAR) + &response("/b/2/", CALENDAR))),
                "/b/" if second == 207 => multistatus(&response("/b/2/", CALENDAR)),
                "/b/" => answer(second, "", ""),
                _ => answer(404, "", ""),
            }
        };
        assert_eq!(found(server(207)).await.unwrap(), ["/a/1/", "/b/2/"]);
        assert_eq!(found(server(403)).await.unwrap(), ["/a/1/", "/b/2/"]);
        assert_eq!(found(server(503)).await.unwrap_err().kind(), &ErrorKind::Unavailable { retry_after: None });
    }

    #[tokio::test]
    async fn a_refused_login_is_tried_once_and_named() {
        let (client, log) = serve(|_| answer(401, "WWW-Authenticate: Basic realm=\"x\"\r\n", "")).await;
        assert_eq!(client.discover().await.unwrap_err().kind(), &ErrorKind::Unauthorized);
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_domain_whose_records_lead_to_another_site_is_asked_about_and_not_followed() {
        use super::super::service::tests::{name_server, srv, txt};
        let records = vec![srv(0, 0, 8443, "caldav.other.example"), txt("path=/dav/")];
        let dns = name_server("_caldavs._tcp.nobody.example", records).await;
        let url = "https://nobody.example/".parse().unwrap();
        let login = super::super::Login::new(url, "prof", "secret".to_owned().into());
        let client = super::super::Client::new(super::super::Login { dns: Some(dns), ..login }).unwrap();
        let error = client.discover().await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Insecure);
        assert_eq!(error.location(), "https://caldav.other.example:8443/dav/");
        assert!(error.detail().unwrap().contains("trusted_hosts = [\"caldav.other.example\"]"), "{error}");
    }

    #[tokio::test]
    async fn the_order_is_as_typed_then_well_known_then_the_root() {
        let (client, log) = serve(|_| answer(404, "", "")).await;
        assert!(client.discover().await.is_err());
        let paths = |log: &super::super::scripted::Log| -> Vec<String> {
            log.lock().unwrap().iter().map(|seen| seen.path.clone()).collect()
        };
        assert_eq!(paths(&log), ["/", "/.well-known/caldav"]);
        let (url, log) = super::super::scripted::serve_raw(|_| answer(404, "", "")).await;
        let login = super::super::Login::new(url.join("/dav/prof/").unwrap(), "prof", "secret".to_owned().into());
        assert!(super::super::Client::new(login).unwrap().discover().await.is_err());
        assert_eq!(paths(&log), ["/dav/prof/", "/.well-known/caldav", "/"]);
    }

    #[tokio::test]
    async fn headers_that_break_the_rules_do_not_stop_a_server_from_being_read() {
        let home = format!("{}<C:calendar-home-set><href>/h/</href></C:calendar-home-set>", principal("/p/"));
        let calendars = found(move |seen| match seen.path.as_str() {
            "/h/" => multistatus(&response("/h/c/", CALENDAR))
                .replace("Content-Type:", "X-Fold: a\r\n b\r\nX-Blank : c\r\nX\u{7f}Y: d\r\nContent-Type:"),
            _ => multistatus(&response("/", &home)),
        });
        assert_eq!(calendars.await.unwrap(), ["/h/c/"]);
    }

    #[tokio::test]
    async fn nothing_found_says_what_the_first_address_answered() {
        let error = found(|_| answer(501, "", "")).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::NoCalendars);
        assert!(error.detail().unwrap().contains("501"));
    }
}
