//! The main job, end to end, on a real calendar server: discover, sync, publish, book, follow what the host does there.

use crate::support::{Calendar, Config, Daemon, Day, Meeting, ON_THE_SERVER, Server, event, eventually, stamp, token};
use serde_json::{Value, json};

const ALL: [&str; 6] = ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"];

#[tokio::test]
async fn a_guest_books_on_radicale_and_the_slots_follow_the_host() {
    let Some(server) = Server::radicale() else { return };
    main_job(&server).await;
}

#[tokio::test]
async fn a_guest_books_on_xandikos_and_the_slots_follow_the_host() {
    let Some(server) = Server::xandikos() else { return };
    main_job(&server).await;
}

async fn main_job(server: &Server) {
    let (day, next_week) = (Day::ahead(3), Day::ahead(10));
    let calendar = server.calendar("story").await;
    calendar.add_event(&meeting_at("lunch", day, "09:00", "10:00")).await;
    let start = format!("DTSTART;TZID=Europe/Berlin:{}T110000", day.0.strftime("%Y%m%d"));
    let weekly = event("seminar", &[&start, "DURATION:PT30M", "RRULE:FREQ=WEEKLY", "SUMMARY:Seminar"]);
    calendar.put("seminar-file.ics", &weekly).await;

    // The URL in the config is the bare server: the calendar is discovered.
    let daemon = Daemon::start(Config::new(&calendar)).await;
    daemon.wait_starts("office-hour", day, &["10:00", "10:30", "11:30"]).await;
    daemon.wait_starts("office-hour", next_week, &["09:00", "09:30", "10:00", "10:30", "11:30"]).await;
    let feed = daemon.get("/noether.ics").await.text();
    assert!(feed.contains(&format!("DTSTART:{}\r\n", stamp(day.at("10:00")))));
    assert!(!feed.contains(&format!("DTSTART:{}\r\n", stamp(day.at("11:00")))));
    assert!(!feed.contains("Seminar"), "a busy event's title is nobody's business");

    // A guest books, and an independent client sees the event.
    let booking = daemon.book_confirmed("office-hour", day.at("10:30"), "Ada Lovelace").await;
    assert_eq!(booking["start"], day.at("10:30").to_string());
    assert_eq!(booking["end"], day.at("11:00").to_string());
    let ours = the_event_of(&calendar, "Ada Lovelace").await;
    assert_eq!(ours["summary"], "Office hour: Ada Lovelace");
    assert_eq!((&ours["start"], &ours["end"]), (&booking["start"], &booking["end"]));
    assert_eq!(ours["tzid"], "Europe/Berlin");
    assert_eq!(ours["components"], json!(["VTIMEZONE", "VEVENT"]), "one event and its zone");
    assert_eq!(ours["location"], "Room 2.12");
    assert_eq!(ours["status"], "CONFIRMED");
    let properties = ours["properties"].as_array().unwrap();
    for absent in ["ORGANIZER", "ATTENDEE"] {
        assert!(!properties.contains(&json!(absent)), "a server would send a second invitation: {ours}");
    }
    assert!(!ours["calendar_properties"].as_array().unwrap().contains(&json!("METHOD")), "{ours}");
    let description = ours["description"].as_str().unwrap();
    assert!(description.contains("ada.lovelace@example.org"), "{description}");
    assert!(!description.contains(&token(&booking)), "the guest's secret is not the calendar's");
    let href = ours["href"].as_str().unwrap();
    assert!(href.ends_with(&format!("{}.ics", ours["uid"].as_str().unwrap())), "{href}");

    daemon.wait_starts("office-hour", day, &["10:00", "11:30"]).await;

    // The host moves one event and deletes another, in another program.
    calendar.move_event("lunch", day.at("11:30"), day.at("12:00")).await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:00"]).await;
    calendar.delete_event("seminar").await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:00", "11:00"]).await;
    daemon.wait_starts("office-hour", next_week, &ALL).await;

    // The guest cancels: the event goes, the slot comes back, and again gives the same answer.
    for _ in 0..2 {
        let cancelled = daemon.cancel(&token(&booking)).await.expect(200);
        assert_eq!(cancelled["state"], "cancelled");
    }
    eventually("the event is gone from the server", ON_THE_SERVER, async || {
        events_of(&calendar, "Ada Lovelace").await.is_empty().then_some(())
    })
    .await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:00", "10:30", "11:00"]).await;
}

#[tokio::test]
async fn our_own_event_is_counted_once() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("once").await;
    let office_hour = Meeting::new("office-hour", "30m", "30m").with("buffer_after = \"10m\"\nper_day = 4");
    let group = Meeting::new("group", "30m", "30m").with("seats = 2");
    let daemon = Daemon::start(Config::new(&calendar).meetings([group, office_hour])).await;

    // Were the event of the first guest taken for one of the host's, the second seat would be gone.
    daemon.book_confirmed("group", day.at("09:00"), "Ada Lovelace").await;
    daemon.wait_two_polls().await;
    let offer = daemon.offer("group", day).await;
    assert_eq!(offer["slots"][0]["start"], day.at("09:00").to_string());
    assert_eq!(offer["slots"][0]["seats_left"], 1);
    daemon.book_confirmed("group", day.at("09:00"), "Grace Hopper").await;
    daemon.wait_two_polls().await;
    assert_eq!(daemon.starts("group", day).await.first(), Some(&day.at("09:30")));

    // A buffer stands between bookings, once; and the day is not fuller than it is.
    let booking = daemon.book_confirmed("office-hour", day.at("10:30"), "Alan Turing").await;
    daemon.wait_two_polls().await;
    daemon.wait_starts("office-hour", day, &["09:30", "11:30"]).await;

    daemon.cancel(&token(&booking)).await.expect(200);
    daemon.wait_starts("office-hour", day, &["09:30", "10:00", "10:30", "11:00", "11:30"]).await;
}

#[tokio::test]
async fn a_booking_can_be_moved_onto_a_time_that_it_covers_itself() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(4);
    let calendar = server.calendar("move").await;
    let config = Config::new(&calendar).meetings([Meeting::new("office-hour", "60m", "30m")]);
    let daemon = Daemon::start(config).await;
    let booking = daemon.book_confirmed("office-hour", day.at("09:00"), "Ada Lovelace").await;
    let path = format!("/api/v1/bookings/{}/move", token(&booking));
    let moved = daemon.post_json(&path, &json!({"start": day.at("09:30").to_string()})).await.expect(200);
    assert_eq!(moved["start"], day.at("09:30").to_string());
    assert_eq!(moved["id"], booking["id"]);
    eventually("the event is at its new time, and there once", ON_THE_SERVER, async || {
        let events = events_of(&calendar, "Ada Lovelace").await;
        let there = events.len() == 1 && events[0]["start"] == day.at("09:30").to_string();
        there.then_some(())
    })
    .await;
    daemon.wait_starts("office-hour", day, &["10:30", "11:00"]).await;
}

#[tokio::test]
async fn a_time_without_a_zone_is_in_the_zone_of_its_calendar() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(5);
    let calendar = server.calendar("tokyo").await;
    let body = r#"<?xml version="1.0" encoding="utf-8"?><propertyupdate xmlns="DAV:"><set><prop>
<C:calendar-timezone xmlns:C="urn:ietf:params:xml:ns:caldav">BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Asia/Tokyo
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0900
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE
END:VCALENDAR
</C:calendar-timezone></prop></set></propertyupdate>"#;
    let answer = calendar.request("PROPPATCH", "", &[], body).await;
    assert_eq!(answer.status, 207, "{answer:?}");
    let wall = day.at("10:00").in_tz("Asia/Tokyo").unwrap().strftime("%Y%m%dT%H%M%S").to_string();
    calendar.put("floats.ics", &event("floats", &[&format!("DTSTART:{wall}"), "DURATION:PT1H"])).await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "11:00", "11:30"]).await;
    let listed = daemon.command(&["calendars", "noether"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("\ttimes without a zone: Asia/Tokyo\n"), "{listed:?}");
}

pub(crate) fn meeting_at(uid: &str, day: Day, start: &str, end: &str) -> String {
    let (start, end) = (stamp(day.at(start)), stamp(day.at(end)));
    event(uid, &[&format!("DTSTART:{start}"), &format!("DTEND:{end}"), &format!("SUMMARY:{uid}")])
}

/// The events whose summary ends with this guest's name.
pub(crate) async fn events_of(calendar: &Calendar, guest: &str) -> Vec<Value> {
    let events = calendar.events().await;
    events.into_iter().filter(|event| event["summary"].as_str().unwrap().ends_with(guest)).collect()
}

/// The one event of a guest.
pub(crate) async fn the_event_of(calendar: &Calendar, guest: &str) -> Value {
    let events = events_of(calendar, guest).await;
    let [event] = events.as_slice() else { panic!("one event expected: {events:?}") };
    event.clone()
}
