//! Servers that keep few of the rules: what they hold is published, and bookings are written and taken away, all the same.

use crate::story::meeting_at;
use crate::support::{Calendar, Config, Daemon, Day, ON_THE_SERVER, OwnServer, eventually, token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calypso_is_got_along_with() {
    got_along_with("calypso", "office").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caldav_adapter_is_got_along_with() {
    got_along_with("caldav-adapter", "calendar").await;
}

/// With a calendar that the server has from the start: not all make one when they say so.
async fn got_along_with(server: &'static str, calendar: &str) {
    let Some(own) = OwnServer::start(server) else { return };
    let day = Day::ahead(3);
    let url = format!("{}{calendar}/", own.server.home);
    let calendar = Calendar { server: own.server.clone(), name: calendar.to_owned(), url };
    calendar.put("lunch.ics", &meeting_at("lunch", day, "09:00", "10:00")).await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    daemon.wait_starts("office-hour", day, &["10:00", "10:30", "11:00", "11:30"]).await;
    calendar.put("lunch.ics", &meeting_at("lunch", day, "11:00", "12:00")).await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:00", "10:30"]).await;

    let before = members(&calendar).await;
    let booking = daemon.book_confirmed("office-hour", day.at("10:00"), "Ada Lovelace").await;
    assert_eq!(members(&calendar).await, before + 1, "the event is there once");
    daemon.wait_two_polls().await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:30"]).await;
    daemon.cancel(&token(&booking)).await.expect(200);
    eventually("the event is gone from the server", ON_THE_SERVER, async || {
        (members(&calendar).await == before).then_some(())
    })
    .await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:00", "10:30"]).await;
}

/// How many objects and collections the server lists.
async fn members(calendar: &Calendar) -> usize {
    let body = r#"<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>"#;
    let answer = calendar.request("PROPFIND", "", &[("depth", "1")], body).await;
    assert_eq!(answer.status, 207);
    answer.text().matches("response>").count() / 2
}
