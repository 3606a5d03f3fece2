//! The server by request and answer, without a socket.

use super::icalendar::event;
use super::*;
use base64::Engine;
use http_body_util::BodyExt;

fn server() -> CalendarServer {
    let credentials = Credentials { user: "emmy".to_owned(), password: "secret".to_owned() };
    let server = CalendarServer::new(credentials, Storage::Memory).unwrap().owned_by("emmy@example.edu");
    server.add_calendar("Work", "Work", Transparency::Opaque).unwrap();
    server
}

struct Got {
    status: u16,
    etag: String,
    body: String,
}

fn send(server: &CalendarServer, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Got {
    let login = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("emmy:secret"));
    let mut request = Request::builder().method(method).uri(path).header("authorization", login);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = server.answer(&request.body(body.into()).unwrap());
    let etag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned()).unwrap_or_default();
    let status = answer.status().as_u16();
    let body = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer.into_body().collect());
    Got { status, etag, body: String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap() }
}

fn put(server: &CalendarServer, name: &str, data: String) -> Got {
    send(server, "PUT", &format!("/calendars/emmy/Work/{name}"), &[("content-type", "text/calendar")], data)
}

fn sync(server: &CalendarServer, token: &str, more: &str) -> Got {
    let body = format!(
        "<D:sync-collection xmlns:D=\"DAV:\"><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{more}<D:prop><D:getetag/></D:prop></D:sync-collection>"
    );
    send(server, "REPORT", "/calendars/emmy/Work/", &[("depth", "0")], body)
}

fn token(answer: &Got) -> String {
    let start = answer.body.find("<D:sync-token>").unwrap() + "<D:sync-token>".len();
    answer.body[start..].split('<').next().unwrap().to_owned()
}

#[test]
fn nothing_but_the_way_in_is_shown_without_the_login() {
    let server = server();
    for path in ["/", "/calendars/emmy/Work/", "/nowhere"] {
        let request = Request::builder().method("PROPFIND").uri(path).body(Bytes::new()).unwrap();
        let answer = server.answer(&request);
        assert_eq!(answer.status(), 401, "{path}");
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    }
    let request = Request::builder().method("PROPFIND").uri("/.well-known/caldav").body(Bytes::new()).unwrap();
    let answer = server.answer(&request);
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (301, "/"));
    assert!(answer.headers()["dav"].to_str().unwrap().contains("calendar-access"));
}

#[test]
fn discovery_leads_from_the_root_to_the_calendar() {
    let server = server();
    let ask = |path: &str, depth: &str, prop: &str| {
        let body = format!(
            "<D:propfind xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop>{prop}</D:prop></D:propfind>"
        );
        send(&server, "PROPFIND", path, &[("depth", depth)], body).body
    };
    assert!(ask("/", "0", "<D:current-user-principal/>").contains("<D:href>/principals/emmy/</D:href>"));
    let principal = ask("/principals/emmy/", "0", "<C:calendar-home-set/><C:calendar-user-address-set/><D:nothing/>");
    assert!(principal.contains("<D:href>/calendars/emmy/</D:href>") && principal.contains("mailto:emmy@example.edu"));
    assert!(principal.contains("<D:prop><D:nothing/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status>"));
    let home = ask("/calendars/emmy/", "1", "<D:resourcetype/><D:displayname/><C:supported-calendar-component-set/>");
    assert!(home.contains("<D:href>/calendars/emmy/Work/</D:href>") && home.contains("<C:calendar/>"));
    assert!(home.contains("<C:comp name=\"VEVENT\"/>"));
    assert_eq!(send(&server, "PROPFIND", "/", &[("depth", "infinity")], "").status, 403);
    assert_eq!(send(&server, "PROPFIND", "/", &[("depth", "2")], "").status, 400);
    assert_eq!(send(&server, "PROPFIND", "/calendars/emmy/none/", &[("depth", "0")], "").status, 404);
}

#[test]
fn a_write_holds_its_preconditions() {
    let server = server();
    let text = |at: &str| event("u1", &format!("DTSTART:202603{at}T100000Z"));
    let path = "/calendars/emmy/Work/a.ics";
    let created = send(&server, "PUT", path, &[("if-none-match", "*")], text("01"));
    assert_eq!(created.status, 201);
    assert_eq!(send(&server, "PUT", path, &[("if-none-match", "*")], text("02")).status, 412);
    let replaced = send(&server, "PUT", path, &[("if-match", &created.etag)], text("03"));
    assert_eq!(replaced.status, 204);
    assert_eq!(send(&server, "PUT", path, &[("if-match", &created.etag)], text("04")).status, 412);
    let got = send(&server, "GET", path, &[], "");
    assert_eq!((got.status, got.etag.as_str(), got.body), (200, replaced.etag.as_str(), text("03")));
    assert_eq!(send(&server, "GET", path, &[("if-none-match", &replaced.etag)], "").status, 304);
    assert_eq!(send(&server, "DELETE", path, &[("if-match", &created.etag)], "").status, 412);
    assert_eq!(send(&server, "DELETE", path, &[("if-match", &replaced.etag)], "").status, 204);
    assert_eq!(send(&server, "DELETE", path, &[], "").status, 404);
    assert_eq!(send(&server, "PUT", "/calendars/emmy/None/a.ics", &[], text("01")).status, 409);
}

#[test]
fn what_cannot_be_in_a_calendar_is_refused_with_its_precondition() {
    let server = server();
    let good = |uid: &str| event(uid, "DTSTART:20260301T100000Z");
    assert_eq!(put(&server, "a.ics", good("u1")).status, 201);
    for (name, data, status, condition) in [
        ("b.ics", "hello".to_owned(), 403, "<C:valid-calendar-data/>"),
        ("b.ics", good("u2").replace("VEVENT", "VTODO"), 403, "<C:supported-calendar-component/>"),
        (
            "b.ics",
            good("u2").replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"),
            403,
            "<C:valid-calendar-object-resource/>",
        ),
        ("b.ics", good("u1"), 409, "<C:no-uid-conflict><D:href>/calendars/emmy/Work/a.ics</D:href>"),
        ("a.ics", good("u9"), 409, "<C:no-uid-conflict><D:href>/calendars/emmy/Work/a.ics</D:href>"),
        (
            "b.ics",
            event("u2", &format!("DTSTART:20260301T100000Z\nDESCRIPTION:{}", "x".repeat(1 << 20))),
            403,
            "<C:max-resource-size/>",
        ),
    ] {
        let got = put(&server, name, data);
        assert_eq!(got.status, status, "{condition}");
        assert!(got.body.contains(condition), "{}", got.body);
    }
    let html = send(&server, "PUT", "/calendars/emmy/Work/b.ics", &[("content-type", "text/html")], good("u2"));
    assert!(html.status == 403 && html.body.contains("supported-calendar-data"));
}

#[test]
fn a_sync_goes_on_from_its_token_and_refuses_an_unknown_one() {
    let server = server();
    for name in ["a", "b"] {
        put(&server, &format!("{name}.ics"), event(name, "DTSTART:20260301T100000Z"));
    }
    let first = sync(&server, "", "");
    assert_eq!((first.status, first.body.matches("<D:getetag>").count()), (207, 2));
    assert_eq!(sync(&server, &token(&first), "").body.matches("<D:response>").count(), 0);
    send(&server, "DELETE", "/calendars/emmy/Work/a.ics", &[], "");
    let next = sync(&server, &token(&first), "");
    let gone = "<D:response><D:href>/calendars/emmy/Work/a.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>";
    assert!(next.body.contains(gone) && next.body.matches("<D:response>").count() == 1, "{}", next.body);
    for wrong in ["data:,x-1", "http://example.org/1", "data:,-", "99"] {
        let refused = sync(&server, wrong, "");
        assert!(refused.status == 403 && refused.body.contains("<D:valid-sync-token/>"), "{wrong}");
    }
    let page = sync(&server, "", "<D:limit><D:nresults>1</D:nresults></D:limit>");
    assert_eq!(page.body.matches("507 Insufficient Storage").count(), 0, "one is left");
    put(&server, "c.ics", event("c", "DTSTART:20260301T100000Z"));
    let page = sync(&server, "", "<D:limit><D:nresults>1</D:nresults></D:limit>");
    assert!(
        page.body.contains("507 Insufficient Storage") && page.body.contains("b.ics") && !page.body.contains("c.ics")
    );
    assert!(sync(&server, &token(&page), "").body.contains("c.ics"));
}

#[test]
fn the_token_of_a_deleted_calendar_is_not_good_for_the_next_one() {
    let server = server();
    let old = token(&sync(&server, "", ""));
    assert_eq!(send(&server, "DELETE", "/calendars/emmy/Work/", &[], "").status, 204);
    assert_eq!(send(&server, "MKCALENDAR", "/calendars/emmy/Work/", &[], "").status, 201);
    assert_eq!(sync(&server, &old, "").status, 403);
}

#[test]
fn a_multiget_gives_the_data_to_the_byte_and_404_for_what_is_not_there() {
    let server = server();
    let data = event("a", "DTSTART:20260301T100000Z\nSUMMARY:<Tea> & \"cake\" für alle");
    put(&server, "a.ics", data.clone());
    let body = "<C:calendar-multiget xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:prop><D:getetag/><C:calendar-data/></D:prop><D:href>http://127.0.0.1:1/calendars/emmy/Work/%61.ics</D:href><D:href>/calendars/emmy/Work/none.ics</D:href><D:href>/calendars/emmy/</D:href><D:href>::</D:href></C:calendar-multiget>";
    let got = send(&server, "REPORT", "/calendars/emmy/Work/", &[], body);
    let root = xml::parse(got.body.as_bytes()).unwrap().unwrap();
    let texts: Vec<String> = root
        .children()
        .filter_map(|response| {
            Some(
                response
                    .child(xml::DAV, "propstat")?
                    .child(xml::DAV, "prop")?
                    .child(xml::CALDAV, "calendar-data")?
                    .text(),
            )
        })
        .collect();
    assert_eq!(texts, [data.trim_end()]);
    assert_eq!(got.body.matches("404 Not Found").count(), 3);
}

#[test]
fn properties_are_set_all_or_none_and_kept_as_they_came() {
    let server = server();
    let patch = |prop: &str| {
        let body = format!(
            "<D:propertyupdate xmlns:D=\"DAV:\" xmlns:A=\"http://apple.com/ns/ical/\"><D:set><D:prop>{prop}</D:prop></D:set></D:propertyupdate>"
        );
        send(&server, "PROPPATCH", "/calendars/emmy/Work/", &[], body)
    };
    let good = patch(
        "<D:displayname>Büro</D:displayname><A:calendar-color>#FF0000FF</A:calendar-color><x xmlns=\"urn:x\">1</x>",
    );
    assert!(good.status == 207 && good.body.contains("200 OK"));
    let bad = patch("<D:displayname>Other</D:displayname><D:getetag>1</D:getetag>");
    assert!(bad.body.contains("403 Forbidden") && bad.body.contains("424 Failed Dependency"));
    let now = send(&server, "PROPFIND", "/calendars/emmy/Work/", &[("depth", "0")], "").body;
    for part in [
        "<D:displayname>Büro</D:displayname>",
        "<A:calendar-color>#FF0000FF</A:calendar-color>",
        "<x xmlns=\"urn:x\">1</x>",
    ] {
        assert!(now.contains(part), "{part} in {now}");
    }
}

#[test]
fn a_calendar_is_made_where_it_can_be_and_once() {
    let server = server();
    let mkcol = |resource_type: &str| {
        format!(
            "<D:mkcol xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:set><D:prop><D:resourcetype><D:collection/>{resource_type}</D:resourcetype><D:displayname>New</D:displayname></D:prop></D:set></D:mkcol>"
        )
    };
    assert_eq!(send(&server, "MKCOL", "/calendars/emmy/New/", &[], mkcol("")).status, 403);
    assert_eq!(send(&server, "MKCOL", "/calendars/emmy/New/", &[], mkcol("<C:calendar/>")).status, 201);
    assert_eq!(send(&server, "MKCALENDAR", "/calendars/emmy/New/", &[], "").status, 405);
    assert_eq!(send(&server, "MKCALENDAR", "/calendars/", &[], "").status, 403);
    assert_eq!(send(&server, "MKCALENDAR", "/calendars/emmy/X/", &[], "<a/>").status, 415);
    let protected = "<C:mkcalendar xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><D:set><D:prop><D:getetag>1</D:getetag></D:prop></D:set></C:mkcalendar>";
    assert_eq!(send(&server, "MKCALENDAR", "/calendars/emmy/X/", &[], protected).status, 424);
}

#[test]
fn no_request_makes_it_panic() {
    let server = server();
    put(&server, "a.ics", event("a", "DTSTART:20260301T100000Z"));
    server
        .put_object(
            "Work",
            "odd.ics",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:99999999T999999\nDURATION:P99999999999999999999D",
        )
        .unwrap();
    server
        .put_object(
            "Work",
            "odd2.ics",
            &event("o", "DTSTART:99991231T235959Z\nDURATION:P99999999W\nRRULE:UNTIL=99991231T235959Z"),
        )
        .unwrap();
    let bodies = [
        "",
        "<",
        "<a/>",
        "\u{feff}<propfind xmlns=\"DAV:\"/>",
        "<C:calendar-query xmlns:C=\"urn:ietf:params:xml:ns:caldav\"/>",
        "<C:calendar-query xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\"><C:time-range start=\"19700101T000000Z\"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>",
        "<C:calendar-multiget xmlns:C=\"urn:ietf:params:xml:ns:caldav\"/>",
        "<D:sync-collection xmlns:D=\"DAV:\"><D:sync-token/><D:limit><D:nresults>0</D:nresults></D:limit><D:prop/></D:sync-collection>",
        "<D:sync-collection xmlns:D=\"DAV:\"><D:sync-token/><D:limit><D:nresults>99999999999999999999999</D:nresults></D:limit></D:sync-collection>",
        "<D:propertyupdate xmlns:D=\"DAV:\"><D:set/><D:remove><D:prop><D:displayname/></D:prop></D:remove></D:propertyupdate>",
    ];
    for method in [
        "OPTIONS",
        "GET",
        "HEAD",
        "PUT",
        "DELETE",
        "PROPFIND",
        "PROPPATCH",
        "MKCALENDAR",
        "MKCOL",
        "REPORT",
        "LOCK",
        "X",
    ] {
        for path in [
            "/",
            "/.well-known/caldav",
            "/principals/emmy/",
            "/calendars/emmy/",
            "/calendars/emmy/Work/odd.ics",
            "/calendars/emmy/Work/",
            "/%ff",
            "/x",
        ] {
            for body in bodies {
                for depth in ["0", "1"] {
                    let got = send(&server, method, path, &[("depth", depth)], body);
                    assert!((200..500).contains(&got.status), "{method} {path} {body}: {}", got.status);
                }
            }
        }
    }
}
