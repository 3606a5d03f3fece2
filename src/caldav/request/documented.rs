//! What servers answer that cannot run here, read by the requests that would ask. These exchanges were written from documentation and
//! bug reports, which the header `X-Written-From` of each names; none was recorded.

use super::recorded::{names, recorded};
use super::*;
use crate::availability::event_summary;
use crate::caldav::Href;
use crate::caldav::etag::SyncToken;
use crate::ical::Zone;

const SERVERS: [&str; 6] = ["google", "icloud", "fastmail", "zoho", "davmail", "nextcloud"];

#[test]
fn each_says_what_it_was_written_from_and_what_was_recorded_does_not() {
    let folder = format!("{}/fixtures/caldav", env!("CARGO_MANIFEST_DIR"));
    for server in std::fs::read_dir(folder).unwrap() {
        let server = server.unwrap().file_name().into_string().unwrap();
        for file in std::fs::read_dir(format!("{}/fixtures/caldav/{server}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let answer = recorded(&server, name.strip_suffix(".http").unwrap());
            let source = answer.header("x-written-from").unwrap_or_default();
            assert_eq!(source.ends_with("; not recorded"), SERVERS.contains(&server.as_str()), "{server}/{name}");
        }
    }
}

fn kind<T: std::fmt::Debug>(read: Result<T, Error>) -> ErrorKind {
    read.unwrap_err().kind().clone()
}

fn create(server: &str, name: &str) -> Result<Stored, Error> {
    Create { data: "" }.read(&recorded(server, name))
}

fn homes(server: &str, name: &str) -> (Vec<String>, Vec<String>) {
    let found = FindHome.read(&recorded(server, name)).unwrap();
    (found.homes.iter().map(Href::to_string).collect(), found.addresses)
}

#[test]
fn a_home_is_found_on_a_partition_under_another_spelling_and_behind_a_port() {
    assert_eq!(homes("google", "root").0, ["/caldav/v2/noether%40example.edu/"]);
    let (homes_of_icloud, addresses) = homes("icloud", "principal");
    assert_eq!(homes_of_icloud, ["https://p42-caldav.icloud.com/1234567890/calendars/"]);
    assert_eq!(addresses, ["mailto:noether@example.edu", "/1234567890/principal/", "urn:uuid:1234567890"]);
    assert_eq!(homes("fastmail", "principal").0, ["/dav/calendars/user/noether@example.edu/"]);
    assert_eq!(homes("nextcloud", "principal").0, ["/remote.php/dav/calendars/noether/"]);
    for server in ["icloud", "fastmail", "nextcloud"] {
        let root = FindHome.read(&recorded(server, "root")).unwrap();
        let principal = recorded(server, "principal");
        assert_eq!(root.principal, principal.href(principal.url.path()), "{server}");
    }
    let home = Href::new("/remote.php/dav/calendars/noether/");
    let url = home.url(&recorded("nextcloud", "root").account).unwrap();
    assert_eq!(url.as_str(), "http://127.0.0.1:8080/remote.php/dav/calendars/noether/");
}

#[test]
fn a_server_without_principals_is_used_by_the_address_of_a_calendar() {
    assert_eq!(kind(FindHome.read(&recorded("zoho", "root"))), ErrorKind::Server(501));
    assert_eq!(kind(FindHome.read(&recorded("zoho", "well-known"))), ErrorKind::NotFound);
    let root = FindHome.read(&recorded("davmail", "root")).unwrap();
    assert!(root.principal.is_none() && root.homes.is_empty());
    for (server, name) in [("zoho", "Kalender"), ("davmail", "Calendar")] {
        let here = FindHome.read(&recorded(server, "calendar")).unwrap();
        assert!(here.is_calendar, "{server}");
        let calendars = ListCalendars::Itself.read(&recorded(server, "calendar"), &[]).unwrap();
        assert_eq!(calendars[0].name, name);
        assert!(calendars[0].vevent && calendars[0].ctag.is_some() && !calendars[0].supports_sync, "{server}");
    }
}

#[test]
fn what_is_listed_beside_calendars_is_none_and_what_is_only_named_is_not_free() {
    let google = ListCalendars::Home.read(&recorded("google", "home"), &[]).unwrap();
    assert_eq!(names(google.iter().map(|calendar| &calendar.href)), ["events"]);
    // It knows no access control: whether events can be made is found by trying.
    assert_eq!(google[0].writable, None);

    let mut answer = recorded("icloud", "home");
    answer.account = "https://caldav.icloud.com/".parse().unwrap();
    let icloud = ListCalendars::Home.read(&answer, &[]).unwrap();
    let told: Vec<_> = icloud.iter().map(|it| (it.name.as_str(), it.vevent, it.subscribed)).collect();
    assert_eq!(told, [("Privat", true, false), ("Erinnerungen", false, false), ("Feiertage", true, true)]);
    assert_eq!(icloud[0].href.as_str(), "https://p42-caldav.icloud.com/1234567890/calendars/home/");
    assert_eq!(icloud[2].source.as_deref(), Some("webcal://example.org/holidays.ics"));
    // The trap: asked for its events, the subscription says that there are none.
    let query = QueryMembers { calendar: &icloud[2].href, range: (Timestamp::UNIX_EPOCH, Timestamp::MAX) };
    assert_eq!(query.read(&recorded("icloud", "subscribed")).unwrap(), []);

    let nextcloud = ListCalendars::Home.read(&recorded("nextcloud", "home"), &[]).unwrap();
    let told: Vec<_> = nextcloud.iter().map(|it| (it.href.name(), it.writable)).collect();
    assert_eq!(told, [("personal".to_owned(), Some(true)), ("contact_birthdays".to_owned(), Some(false))]);
}

#[test]
fn a_refused_login_is_told_from_everything_else() {
    for (server, name) in [("google", "no-token"), ("icloud", "no-app-password"), ("fastmail", "no-app-password")] {
        let error = FindHome.read(&recorded(server, name)).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Unauthorized, "{server}");
        assert_eq!(error.detail().is_some_and(|detail| detail.contains("no Basic login")), server == "google");
    }
    assert_eq!(kind(FindHome.read(&recorded("google", "old-endpoint"))), ErrorKind::Rejected { status: 405 });
}

fn page(server: &str, name: &str) -> Page {
    let answer = recorded(server, name);
    let calendar = answer.href(answer.url.path()).unwrap();
    let token = SyncToken::new("known");
    SyncCollection { calendar: &calendar, since: token.as_ref() }.read(&answer).unwrap()
}

#[test]
fn a_token_that_is_refused_in_any_way_means_to_begin_anew() {
    for (server, name) in [
        ("google", "sync-full"),
        ("google", "sync-bad-token"),
        ("icloud", "sync-bad-token"),
        ("fastmail", "sync-first"),
    ] {
        assert_eq!(page(server, name), Page::Refused, "{server}/{name}");
    }
}

#[test]
fn a_sync_names_neither_the_calendar_nor_believes_an_unknown_status() {
    let Page::Changes { changed, more, .. } = page("icloud", "sync-first") else { panic!("refused") };
    assert_eq!(names(changed.iter().map(|member| &member.href)), ["5F0A6C1E-93B2-4C7B-8A5E-0D1D6E3E7B11.ics"]);
    assert!(!more);
    let Page::Changes { changed, removed, .. } = page("nextcloud", "sync-delta") else { panic!("refused") };
    assert_eq!(names(&removed), ["gone.ics"]);
    assert_eq!(names(changed.iter().map(|member| &member.href)), ["teapot.ics", "u1.ics"], "to be looked at");
}

#[test]
fn a_list_may_spell_the_calendar_otherwise_and_have_times_for_versions() {
    let list = |server| {
        let answer = recorded(server, "list");
        let calendar = answer.href(answer.url.path()).unwrap();
        ListMembers { calendar: &calendar }.read(&answer).unwrap()
    };
    let fastmail = list("fastmail");
    assert_eq!(names(fastmail.iter().map(|member| &member.href)), ["u1.ics"]);
    let davmail = list("davmail");
    assert_eq!(names(davmail.iter().map(|member| &member.href)), ["AAMkAGQ=.EML", "u1.EML"]);
    for member in davmail {
        let etag = member.etag.unwrap();
        assert!(etag.as_str().starts_with('"') && etag.may_be_a_time(), "{etag}");
    }
}

#[test]
fn a_multiget_may_answer_for_fewer_than_it_was_asked_for() {
    for (server, gone) in [("google", 1), ("zoho", 0)] {
        let answer = recorded(server, "multiget");
        let calendar = answer.href(answer.url.path()).unwrap();
        let hrefs = ["u1.ics", "u2.ics"].map(|name| calendar.child(name));
        let got = Multiget { hrefs: &hrefs }.read(&answer).unwrap();
        assert_eq!((got.objects.len(), got.gone.len()), (1, gone), "{server}");
    }
    assert_eq!(kind(Multiget { hrefs: &[] }.read(&recorded("zoho", "multiget-twice"))), ErrorKind::Server(500));
}

#[test]
fn a_write_that_was_taken_may_say_nothing_of_what_is_stored() {
    for (server, name) in [("google", "create"), ("icloud", "create"), ("fastmail", "create-meeting")] {
        let stored = create(server, name).unwrap();
        assert_eq!((stored.etag, stored.href, stored.replaced), (None, None, false), "{server}: to be read back");
    }
    assert!(create("google", "create-again").unwrap().replaced, "no condition but If-Match is known there");
    let davmail = create("davmail", "create").unwrap();
    assert_eq!(davmail.href, Some(Href::new("/users/noether@example.edu/calendar/u1.EML")));
    let href = davmail.href.unwrap();
    let object = Get { href: &href }.read(&recorded("davmail", "get")).unwrap().unwrap();
    let berlin = Zone::named("Europe/Berlin").unwrap();
    let facts = event_summary(&object.data, &berlin).unwrap();
    assert_eq!(facts.uid, "040000008200E00074C5B7101A82E008", "another than was sent");
    assert_eq!(facts.start.to_string(), "2026-12-01T09:00:00Z", "by the Windows name of its zone");
}

#[test]
fn a_write_that_was_refused_says_what_can_be_done() {
    let update = |name| Update { etag: ETag::new("1").as_ref(), data: "" }.read(&recorded("google", name));
    assert_eq!(kind(update("update-stale")), ErrorKind::PreconditionFailed);
    assert_eq!(kind(update("update-organizer")), ErrorKind::Forbidden);
    assert_eq!(kind(update("update-web-event")), ErrorKind::Conflict);
    let there = Href::new("/1234567890/calendars/home/5F0A6C1E-93B2-4C7B-8A5E-0D1D6E3E7B11.ics");
    assert_eq!(kind(create("icloud", "create-same-uid")), ErrorKind::UidConflict { href: Some(there) });
    assert_eq!(kind(create("icloud", "create-without-end")), ErrorKind::NotFound);
    assert_eq!(kind(create("nextcloud", "create-trashed")), ErrorKind::UidConflict { href: None });
    assert_eq!(kind(create("nextcloud", "create-same-uid")), ErrorKind::UidConflict { href: None });
    assert_eq!(kind(create("nextcloud", "quota")), ErrorKind::Quota);
    let locked = create("nextcloud", "create-locked").unwrap_err();
    assert!(locked.is_ambiguous(), "the event may be there all the same");
}

#[test]
fn a_server_that_asks_to_wait_says_how_long() {
    let maintenance = FindHome.read(&recorded("nextcloud", "maintenance")).unwrap_err();
    assert_eq!(maintenance.retry_after().map(|wait| wait.as_secs()), Some(120));
    let many = create("nextcloud", "too-many").unwrap_err();
    assert_eq!(many.retry_after().map(|wait| wait.as_secs()), Some(60));
}
