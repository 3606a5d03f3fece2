//! Events that a server does not take as they are given, or that the host has made into something else: nothing is written twice,
//! nothing of the host's is lost, and the host is told.

use crate::alerts::wait;
use crate::story::{events_of, the_event_of};
use crate::support::{Calendar, Config, Daemon, Day, Fault, ON_THE_SERVER, Proxy, Server, Smtp, eventually, token};
use serde_json::{Value, json};

fn config(calendar: &Calendar, proxy: &Proxy, more: String) -> Config {
    let bookings_lines = "alert_after = \"2s\"\n".to_owned();
    Config { url: proxy.url.clone(), bookings_lines, more, ..Config::new(calendar) }
}

/// What waits in the outbox.
fn waiting(daemon: &Daemon) -> Vec<Value> {
    let output = daemon.command(&["outbox", "--json"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_a_server_will_not_take_is_told_to_the_host_and_not_given_up() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let proxy = Proxy::before(&server.url).await;
    let day = Day::ahead(3);
    let calendar = server.calendar("stubborn").await;
    let daemon = Daemon::start(config(&calendar, &proxy, smtp.section())).await;
    proxy.fault(Fault::Writes(409));
    let booking = daemon.book("office-hour", day.at("10:00"), "Ada").await.expect(201);
    assert_eq!(booking["state"], "reserved");
    let told = wait(&smtp, "Subject: Office hours: bookings cannot be written").await;
    assert!(told.contains("1 change of a booking waits") && told.contains("conflict"), "{told}");
    assert!(!daemon.starts("office-hour", day).await.contains(&day.at("10:00")), "the slot stays the guest's");
    assert_eq!(waiting(&daemon)[0]["needs_host"], true);
    proxy.fault(Fault::None);
    let id = waiting(&daemon)[0]["id"].to_string();
    assert!(daemon.command(&["outbox", "retry", &id]).status.success());
    daemon.wait_state(&token(&booking), "confirmed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_host_made_a_series_is_neither_moved_nor_removed_with_it() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let proxy = Proxy::before(&server.url).await;
    let day = Day::ahead(3);
    let calendar = server.calendar("series").await;
    let daemon = Daemon::start(config(&calendar, &proxy, smtp.section())).await;
    let mut guests = Vec::new();
    for (time, name) in [("09:00", "Ada"), ("10:00", "Blaise")] {
        let booking = daemon.book_confirmed("office-hour", day.at(time), name).await;
        let uid = the_event_of(&calendar, name).await["uid"].as_str().unwrap().to_owned();
        let series = json!({"RRULE": {"rule": "FREQ=WEEKLY;COUNT=9"}, "DESCRIPTION": "thesis, each week"});
        calendar.edit_event(&uid, &series).await;
        guests.push((token(&booking), uid));
    }
    wait(&smtp, "Subject: Office hours: the event of a booking is no longer").await;
    let series = async |name: &str| {
        let event = the_event_of(&calendar, name).await;
        assert!(event["properties"].as_array().unwrap().contains(&json!("RRULE")), "{event}");
        assert_eq!(event["description"], "thesis, each week");
        event["start"].clone()
    };

    let [(ada, ada_uid), (blaise, blaise_uid)] = guests.as_slice() else { unreachable!() };
    assert_eq!(daemon.cancel(ada).await.expect(200)["state"], "cancelled");
    let path = format!("/api/v1/bookings/{blaise}/move");
    daemon.post_json(&path, &json!({"start": day.at("11:00").to_string()})).await.expect(200);
    let told = wait(&smtp, "Subject: Office hours: bookings cannot be written").await;
    assert!(told.replace("=\r\n", "").contains("was made a series"), "{told}");
    assert_eq!(series("Ada").await, day.at("09:00").to_string());
    assert_eq!(series("Blaise").await, day.at("10:00").to_string());

    // One event again: what waited is done.
    for uid in [ada_uid, blaise_uid] {
        calendar.edit_event(uid, &json!({"RRULE": null})).await;
    }
    for entry in waiting(&daemon) {
        // One may have been tried by itself by now.
        daemon.command(&["outbox", "retry", &entry["id"].to_string()]);
    }
    eventually("the event of who cancelled is gone", ON_THE_SERVER, async || {
        events_of(&calendar, "Ada").await.is_empty().then_some(())
    })
    .await;
    daemon.wait_state(blaise, "confirmed").await;
    let moved = the_event_of(&calendar, "Blaise").await;
    assert_eq!(
        (&moved["start"], &moved["description"]),
        (&json!(day.at("11:00").to_string()), &json!("thesis, each week"))
    );
}

#[tokio::test]
async fn an_event_that_the_server_took_under_its_own_name_and_never_answered_for_is_there_once() {
    let Some(server) = Server::radicale() else { return };
    let proxy = Proxy::before(&server.url).await;
    let day = Day::ahead(3);
    let calendar = server.calendar("renamed").await;
    let daemon =
        Daemon::start(Config { url: proxy.url.clone(), poll: "1h".to_owned(), ..Config::new(&calendar) }).await;
    proxy.fault(Fault::LostRenames);
    let booking = daemon.book("office-hour", day.at("10:00"), "Ada").await.expect(201);
    daemon.wait_state(&token(&booking), "confirmed").await;
    let puts = proxy.log().into_iter().filter(|exchange| exchange.method == "PUT").count();
    assert_eq!(puts, 1, "it was looked for before it was written again");
    let event = the_event_of(&calendar, "Ada").await;
    assert!(event["href"].as_str().unwrap().ends_with("/own-1.ics"), "{event}");
    proxy.fault(Fault::None);
    daemon.cancel(&token(&booking)).await.expect(200);
    eventually("it is gone", ON_THE_SERVER, async || events_of(&calendar, "Ada").await.is_empty().then_some(())).await;
}

#[tokio::test]
async fn where_a_server_tells_no_versions_bookings_are_moved_all_the_same() {
    let Some(server) = Server::radicale() else { return };
    let proxy = Proxy::before(&server.url).await;
    let day = Day::ahead(3);
    let calendar = server.calendar("unversioned").await;
    let daemon = Daemon::start(Config { url: proxy.url.clone(), ..Config::new(&calendar) }).await;
    proxy.fault(Fault::NoVersions);
    let booking = daemon.book_confirmed("office-hour", day.at("10:00"), "Ada").await;
    let uid = the_event_of(&calendar, "Ada").await["uid"].as_str().unwrap().to_owned();
    calendar.edit_event(&uid, &json!({"X-ROOM-KEY": "4711"})).await;
    let path = format!("/api/v1/bookings/{}/move", token(&booking));
    daemon.post_json(&path, &json!({"start": day.at("11:00").to_string()})).await.expect(200);
    daemon.wait_state(&token(&booking), "confirmed").await;
    let moved = the_event_of(&calendar, "Ada").await;
    assert_eq!(moved["start"], day.at("11:00").to_string());
    assert!(moved["properties"].as_array().unwrap().contains(&json!("X-ROOM-KEY")), "{moved}");
}
