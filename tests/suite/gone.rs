//! Events of bookings that are not where they were, or what they were: taken to another calendar, deleted while the guest moves the
//! booking, many gone at once, given another UID. A real server, a real mail server.

use crate::alerts::wait;
use crate::support::{
    Calendar, Config, Daemon, Day, Fault, Meeting, ON_THE_SERVER, Proxy, Server, Smtp, client, eventually, token,
};
use serde_json::{Value, json};
use std::time::Duration;

fn config(calendar: &Calendar) -> Config {
    Config { bookings_lines: "grace = \"6s\"\n".to_owned(), ..Config::new(calendar) }
}

async fn move_to(daemon: &Daemon, token: &str, start: jiff::Timestamp) -> Value {
    daemon.post_json(&format!("/api/v1/bookings/{token}/move"), &json!({"start": start.to_string()})).await.expect(200)
}

#[tokio::test]
async fn what_the_host_took_to_a_calendar_that_is_not_read_is_moved_and_cancelled_there() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let (calendar, private) = (server.calendar("taken").await, server.calendar("private").await);
    let daemon = Daemon::start(config(&calendar)).await;
    let booking = daemon.book_confirmed("office-hour", day.at("09:00"), "Ada").await;
    let (uid, token) = (calendar.events().await[0]["uid"].as_str().unwrap().to_owned(), token(&booking));
    calendar.carry_event(&uid, &private).await;
    // Before anybody has seen where it went.
    move_to(&daemon, &token, day.at("10:30")).await;
    daemon.wait_state(&token, "confirmed").await;
    let there = private.events().await;
    assert_eq!(
        (there.len(), &there[0]["uid"], &there[0]["start"]),
        (1, &uid.as_str().into(), &day.at("10:30").to_string().into())
    );
    assert!(calendar.events().await.is_empty(), "it is where the host has put it, and nowhere else");
    // Longer than the grace: it is still booked.
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(daemon.booking(&token).await["state"], "confirmed");
    assert_eq!(daemon.cancel(&token).await.expect(200)["state"], "cancelled");
    eventually("it is gone from there", ON_THE_SERVER, async || private.events().await.is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_calendar_that_is_not_read_the_host_moves_and_deletes_events_as_in_any_other() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let (calendar, private) = (server.calendar("carried").await, server.calendar("elsewhere").await);
    private.put("lunch.ics", &crate::story::meeting_at("lunch", day, "12:00", "13:00")).await;
    let daemon = Daemon::start(config(&calendar)).await;
    let mut bookings = Vec::new();
    for (number, start) in daemon.starts("office-hour", day).await.into_iter().take(6).enumerate() {
        let booking = daemon.book_confirmed("office-hour", start, &format!("Guest {number}")).await;
        bookings.push((booking["id"].as_str().unwrap().to_owned(), token(&booking)));
    }
    for (id, _) in &bookings {
        calendar.carry_event(id, &private).await;
    }
    let (moved, deleted) = (&bookings[0], &bookings[1]);
    assert!(private.move_file(&format!("{}.ics", moved.0), day.at("15:00"), day.at("15:30")).await);
    eventually("the booking follows the host", ON_THE_SERVER, async || {
        (daemon.booking(&moved.1).await["start"] == day.at("15:00").to_string()).then_some(())
    })
    .await;
    // Longer than the grace: all of them are there, and nobody doubts it.
    tokio::time::sleep(Duration::from_secs(8)).await;
    private.delete(&format!("{}.ics", deleted.0)).await;
    daemon.wait_state(&deleted.1, "cancelled").await;
    for (_, token) in bookings.iter().filter(|booking| *booking != deleted) {
        assert_eq!(daemon.booking(token).await["state"], "confirmed");
    }
    let check = String::from_utf8(daemon.command(&["check"]).stdout).unwrap();
    assert!(!check.contains("alert since"), "{check}");
}

#[tokio::test]
async fn a_move_of_what_the_host_deletes_waits_for_the_grace_and_is_a_cancellation_then() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("deleted").await;
    let daemon = Daemon::start(config(&calendar)).await;
    let of = async |start: jiff::Timestamp, name: &str| {
        let booking = daemon.book_confirmed("office-hour", start, name).await;
        (format!("{}.ics", booking["id"].as_str().unwrap()), token(&booking))
    };
    let (deleted, undone) = (of(day.at("09:00"), "Ada").await, of(day.at("10:00"), "Blaise").await);
    let text = calendar.insist("GET", &undone.0, None).await.text();
    for (file, token) in [&deleted, &undone] {
        calendar.delete(file).await;
        let state = move_to(&daemon, token, day.at(if file == &deleted.0 { "09:30" } else { "11:00" })).await;
        assert_eq!(state["state"], "reserved", "nobody knows yet what the host wants");
    }
    calendar.put(&undone.0, &text).await;
    daemon.wait_state(&undone.1, "confirmed").await;
    daemon.wait_state(&deleted.1, "cancelled").await;
    let there = calendar.events().await;
    assert_eq!((there.len(), &there[0]["start"]), (1, &day.at("11:00").to_string().into()));
    assert!(daemon.starts("office-hour", day).await.contains(&day.at("09:30")), "its slot is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_go_at_once_are_asked_about_and_go_when_the_host_says_so() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("many").await;
    calendar.put("lunch.ics", &crate::story::meeting_at("lunch", day, "12:00", "13:00")).await;
    let more = smtp.section();
    let meetings = [Meeting::new("office-hour", "15m", "15m")];
    let mut daemon = Daemon::start(Config { more, ..config(&calendar) }.meetings(meetings)).await;
    let mut bookings = Vec::new();
    for (number, start) in daemon.starts("office-hour", day).await.into_iter().take(7).enumerate() {
        bookings.push(daemon.book_confirmed("office-hour", start, &format!("Guest {number}")).await);
    }
    for booking in &bookings {
        calendar.delete(&format!("{}.ics", booking["id"].as_str().unwrap())).await;
    }
    let told = wait(&smtp, "Subject: Office hours: many events of bookings are gone at once").await;
    let text = told.replace("=\r\n", "").replace("=3D", "=");
    assert!(text.contains("7 of them.") && text.contains("--gone"), "{text}");
    let links: Vec<&str> = text.lines().map(str::trim).filter(|line| line.contains("/h/")).collect();
    assert_eq!(links.len(), 7, "{text}");
    assert_eq!(client().get(links[0]).send().await.unwrap().status(), 200);
    // Longer than the grace, and over a restart: the bookings stand.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(daemon.terminate().success());
    daemon.start_again().await;
    daemon.wait_ready().await;
    daemon.wait_two_polls().await;
    for booking in &bookings {
        assert_eq!(daemon.booking(&token(booking)).await["state"], "confirmed");
    }
    // The host says that they are called off.
    let check = daemon.command(&["check"]);
    assert!(String::from_utf8_lossy(&check.stdout).contains("Guest 6"), "{check:?}");
    let cancelled = daemon.command(&["bookings", "cancel", "--gone", "noether", "--json"]);
    assert!(cancelled.status.success(), "{cancelled:?}");
    let cancelled: Vec<Value> = serde_json::from_slice(&cancelled.stdout).unwrap();
    assert_eq!(cancelled.len(), 7);
    assert!(cancelled.iter().all(|booking| booking["state"] == "cancelled"));
    for booking in &bookings {
        daemon.wait_state(&token(booking), "cancelled").await;
    }
    wait(&smtp, "Subject: Office hours: over: many events of bookings are gone").await;
    assert_eq!(calendar.events().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_is_wiped_with_its_two_bookings_cancels_none_before_the_host_says_so() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("wiped").await;
    let daemon = Daemon::start(config(&calendar)).await;
    let mut bookings = Vec::new();
    for (start, name) in [("09:00", "Ada"), ("10:00", "Blaise")] {
        bookings.push(daemon.book_confirmed("office-hour", day.at(start), name).await);
    }
    calendar.delete_calendar().await;
    calendar.make().await;
    // Longer than the grace.
    tokio::time::sleep(Duration::from_secs(9)).await;
    for booking in &bookings {
        assert_eq!(daemon.booking(&token(booking)).await["state"], "confirmed");
    }
    let cancelled = daemon.command(&["bookings", "cancel", "--gone", "noether", "--json"]);
    let cancelled: Vec<Value> = serde_json::from_slice(&cancelled.stdout).unwrap();
    assert_eq!(cancelled.len(), 2);
    for booking in &bookings {
        daemon.wait_state(&token(booking), "cancelled").await;
    }
}

// The proxy serves while the test waits for a command.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_gives_events_uids_of_its_own_is_followed() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("own-uids").await;
    let proxy = Proxy::before(&server.url).await;
    proxy.fault(Fault::OwnUids);
    let daemon = Daemon::start(Config { url: proxy.url.clone(), ..config(&calendar) }).await;
    let booking = daemon.book_confirmed("office-hour", day.at("09:00"), "Ada").await;
    let (id, token) = (booking["id"].as_str().unwrap(), token(&booking));
    let uid = || async { calendar.events().await[0]["uid"].as_str().unwrap().to_owned() };
    assert!(uid().await.starts_with("0400") && uid().await.ends_with(id));
    daemon.wait_two_polls().await;
    let check = String::from_utf8(daemon.command(&["check"]).stdout).unwrap();
    assert!(!check.contains("alert since"), "it is no event of a stranger's at the same time: {check}");
    move_to(&daemon, &token, day.at("10:00")).await;
    daemon.wait_state(&token, "confirmed").await;
    assert!(calendar.move_file(&format!("{id}.ics"), day.at("11:00"), day.at("11:30")).await);
    eventually("the booking follows the host", ON_THE_SERVER, async || {
        (daemon.booking(&token).await["start"] == day.at("11:00").to_string()).then_some(())
    })
    .await;
    assert_eq!(daemon.cancel(&token).await.expect(200)["state"], "cancelled");
    eventually("the event is gone", ON_THE_SERVER, async || calendar.events().await.is_empty().then_some(())).await;
}
