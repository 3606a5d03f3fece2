//! The calendar server goes away and comes back: what is served, what can be booked, what happens to it.

use crate::story::{events_of, meeting_at};
use crate::support::{
    Config, Daemon, Day, Fault, ON_THE_SERVER, OwnServer, Proxy, Recorder, Server, eventually, token,
};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

#[tokio::test]
async fn an_outage_of_radicale_is_survived() {
    outage("radicale").await;
}

#[tokio::test]
async fn an_outage_of_xandikos_is_survived() {
    outage("xandikos").await;
}

async fn outage(name: &'static str) {
    let Some(own) = OwnServer::start(name) else { return };
    let day = Day::ahead(3);
    let calendar = own.server.calendar("outage").await;
    calendar.put("lunch.ics", &meeting_at("lunch", day, "09:00", "10:00")).await;
    let mut daemon = Daemon::start(Config::new(&calendar)).await;
    daemon.wait_starts("office-hour", day, &["10:00", "10:30", "11:00", "11:30"]).await;
    let feed = daemon.get("/noether.ics").await;
    assert_eq!(feed.status, 200);

    own.stop();
    let down = daemon.get("/noether.ics").await;
    assert_eq!((down.status, &down.body), (200, &feed.body), "the last good feed");

    // Over a restart too.
    assert!(daemon.terminate().success());
    daemon.start_again().await;
    let restarted = daemon.get("/noether.ics").await;
    assert_eq!((restarted.status, &restarted.body), (200, &feed.body), "the last good feed, over a restart");
    assert_eq!(restarted.header("etag"), feed.header("etag"));

    // The data is younger than max_staleness: the slot is the guest's, and the event on its way.
    let asked = Instant::now();
    let booking = daemon.book("office-hour", day.at("10:30"), "Ada Lovelace").await.expect(201);
    assert!(asked.elapsed() < Duration::from_secs(10), "the guest waited {:?}", asked.elapsed());
    assert_eq!(booking["state"], "reserved");
    let again = daemon.book("office-hour", day.at("10:30"), "Grace Hopper").await;
    let problem = again.expect_problem(409, "/slot-taken");
    assert!(!problem["alternatives"].as_array().unwrap().is_empty());

    own.start_again();
    daemon.wait_state(&token(&booking), "confirmed").await;
    assert_eq!(events_of(&calendar, "Ada Lovelace").await.len(), 1);
    daemon.wait_two_polls().await;
    daemon.wait_starts("office-hour", day, &["10:00", "11:00", "11:30"]).await;

    // A cancellation made while the server is down reaches it too.
    own.stop();
    assert_eq!(daemon.cancel(&token(&booking)).await.expect(200)["state"], "cancelled");
    own.start_again();
    eventually("the event is gone from the server", ON_THE_SERVER + ON_THE_SERVER, async || {
        events_of(&calendar, "Ada Lovelace").await.is_empty().then_some(())
    })
    .await;
    daemon.wait_starts("office-hour", day, &["10:00", "10:30", "11:00", "11:30"]).await;
}

#[tokio::test]
async fn nothing_can_be_booked_on_stale_data_but_the_feed_stays() {
    let Some(own) = OwnServer::start("radicale") else { return };
    let day = Day::ahead(3);
    let calendar = own.server.calendar("stale").await;
    // The shortest that can be configured.
    let config = Config { max_staleness: "1m".to_owned(), ..Config::new(&calendar) };
    let daemon = Daemon::start(config).await;
    let feed = daemon.get("/noether.ics").await;
    own.stop();
    eventually("it is no longer ready", Duration::from_secs(90), async || {
        (daemon.get("/readyz").await.status == 503).then_some(())
    })
    .await;
    assert_eq!(daemon.get("/healthz").await.status, 200);
    let refused = daemon.book("office-hour", day.at("09:00"), "Ada Lovelace").await;
    refused.expect_problem(503, "/stale");
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    let stale = daemon.get("/noether.ics").await;
    assert_eq!((stale.status, &stale.body), (200, &feed.body), "subscribers keep what they have");

    // The next poll may be a minute away; a guest's wish is a reason to look at once.
    own.start_again();
    let booking = eventually("it can be booked again", ON_THE_SERVER, async || {
        let answer = daemon.book("office-hour", day.at("09:00"), "Ada Lovelace").await;
        (answer.status == 201).then(|| answer.json())
    })
    .await;
    daemon.wait_state(&token(&booking), "confirmed").await;
    assert_eq!(daemon.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn before_a_host_was_ever_read_the_feed_says_try_later() {
    let Some(own) = OwnServer::start("radicale") else { return };
    let calendar = own.server.calendar("unread").await;
    own.stop();
    let mut daemon = Daemon::launch(Config::new(&calendar), &[]).await;
    for path in ["/noether.ics", "/noether/office-hour.ics", "/noether/freebusy.ifb", "/readyz"] {
        assert_eq!(daemon.get(path).await.status, 503, "{path}");
    }
    let feed = daemon.get("/noether.ics").await;
    assert!(feed.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    let refused = daemon.book("office-hour", Day::ahead(3).at("09:00"), "Ada Lovelace").await;
    refused.expect_problem(503, "/stale");
    own.start_again();
    daemon.wait_ready().await;
    assert_eq!(daemon.get("/noether.ics").await.status, 200);
}

#[tokio::test]
async fn a_dead_account_does_not_stop_the_others() {
    let Some(own) = OwnServer::start("radicale") else { return };
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let (dead, alive) = (own.server.calendar("dead").await, server.calendar("alive").await);
    own.stop();
    let mut config = Config::new(&dead);
    let second = Config::new(&alive).toml();
    let host = second.split_once("[[host]]").unwrap().1.replace("\"noether\"", "\"hilbert\"");
    config.more = format!("\n[[host]]{host}");
    let daemon = Daemon::launch(config, &[]).await;
    let (from, to) = day.window();
    let path = format!("/api/v1/hosts/hilbert/meetings/office-hour/slots?from={from}&to={to}");
    eventually("the other host is offered", ON_THE_SERVER, async || {
        let answer = daemon.get(&path).await;
        (answer.status == 200 && answer.json()["slots"].as_array().unwrap().len() == 6).then_some(())
    })
    .await;
    assert_eq!(daemon.get("/hilbert.ics").await.status, 200);
    assert_eq!(daemon.get("/noether.ics").await.status, 503);
}

#[tokio::test]
async fn a_refused_login_is_left_alone_until_its_password_changes() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("refused").await;
    let recorder = Recorder::before(&server.url).await;
    let daemon = Daemon::start(Config { url: recorder.url.clone(), ..Config::new(&calendar) }).await;
    let secret = daemon.folder().join("caldav.password");
    std::fs::write(&secret, "wrong\n").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = std::fs::read_to_string(daemon.config_path()).unwrap();
    let written = format!("password = \"{}\"", server.password);
    assert!(text.contains(&written));
    std::fs::write(daemon.config_path(), text.replace(&written, "password = { file = \"caldav.password\" }")).unwrap();
    let refused = async || {
        let metrics = daemon.get("/metrics").await.text();
        metrics.contains("officehours_source_trouble_seconds{host=\"noether\",source=\"work\",kind=\"login\"}")
    };
    eventually("the login is refused", ON_THE_SERVER, async || refused().await.then_some(())).await;

    // Polls, guests and bookings: none of them makes another try, which could lock the account.
    recorder.take();
    let day = Day::ahead(3);
    for _ in 0..5 {
        assert_eq!(daemon.get("/noether/office-hour").await.status, 200);
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let booking = daemon.book("office-hour", day.at("09:00"), "Ada Lovelace").await.expect(201);
    assert_eq!(booking["state"], "reserved");
    // The outbox would have tried again by now.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let tried = recorder.take();
    assert!(tried.is_empty(), "{tried:?}");

    // Another password that is wrong is one more try, whatever waits.
    std::fs::write(&secret, "wrong too\n").unwrap();
    eventually("it was tried", ON_THE_SERVER, async || {
        (daemon.log().matches("config was reloaded").count() > 1).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let tried = recorder.take();
    assert_eq!(tried.len(), 1, "{tried:?}");

    std::fs::write(&secret, format!("{}\n", server.password)).unwrap();
    eventually("it is read again", ON_THE_SERVER, async || (!refused().await).then_some(())).await;
    assert_eq!(daemon.get("/readyz").await.status, 200);
    daemon.wait_state(&token(&booking), "confirmed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_works_again_is_found_by_a_sync_that_somebody_asks_for() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("refused-for-a-while").await;
    let proxy = Proxy::before(&server.url).await;
    let daemon = Daemon::start(Config { url: proxy.url.clone(), ..Config::new(&calendar) }).await;
    proxy.fault(Fault::All(401));
    eventually("the login is refused", ON_THE_SERVER, async || daemon.log().contains("left alone").then_some(())).await;
    let booking = daemon.book("office-hour", day.at("09:00"), "Ada Lovelace").await.expect(201);
    proxy.log();
    let refused = daemon.command(&["sync"]);
    assert!(!refused.status.success(), "{refused:?}");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(proxy.log().len(), 1, "the command's one try");
    let listed = String::from_utf8(daemon.command(&["calendars", "noether"]).stdout).unwrap();
    assert!(listed.contains("work: last read ") && listed.contains("; login since "), "{listed}");
    proxy.fault(Fault::None);
    assert!(daemon.command(&["sync"]).status.success());
    daemon.wait_state(&token(&booking), "confirmed").await;
}
