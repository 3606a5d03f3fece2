//! The process: how it ends, what survives, what a saved config does.

use crate::story::meeting_at;
use crate::support::{Config, Daemon, Day, Fault, Meeting, ON_THE_SERVER, ONE_POLL, Proxy, Server, eventually, token};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn sigterm_ends_it_with_0_though_connections_are_open() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("term").await;
    let mut daemon = Daemon::start(Config::new(&calendar)).await;
    let address = ("127.0.0.1", daemon.config.port);
    let idle = TcpStream::connect(address).await.unwrap();
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"POST /noether/office-hour/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nname=")
        .await
        .unwrap();
    let mut kept = TcpStream::connect(address).await.unwrap();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    kept.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let began = Instant::now();
    let status = daemon.terminate();
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop((idle, half, kept));
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
}

#[tokio::test]
async fn bookings_survive_kill_9() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("kill").await;
    let mut daemon = Daemon::start(Config::new(&calendar)).await;
    let booking = daemon.book_confirmed("office-hour", day.at("10:00"), "Ada Lovelace").await;
    daemon.kill();
    daemon.start_again().await;
    let after = daemon.booking(&token(&booking)).await;
    assert_eq!((&after["id"], &after["state"]), (&booking["id"], &booking["state"]));
    daemon.wait_ready().await;
    daemon.wait_two_polls().await;
    daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:30", "11:00", "11:30"]).await;
    assert_eq!(calendar.events().await.len(), 1);
}

#[tokio::test]
async fn a_reserved_booking_reaches_the_calendar_once_though_the_process_was_killed() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("reserved").await;
    let proxy = Proxy::before(&server.url).await;
    let config = Config { url: proxy.url.clone(), ..Config::new(&calendar) };
    let mut daemon = Daemon::start(config).await;
    proxy.fault(Fault::Slow(Duration::from_secs(8)));
    let booking = daemon.book("office-hour", day.at("10:00"), "Ada Lovelace").await.expect(201);
    assert_eq!(booking["state"], "reserved");
    daemon.kill();
    proxy.fault(Fault::None);
    daemon.start_again().await;
    eventually("the event is written", ON_THE_SERVER * 2, async || {
        (daemon.booking(&token(&booking)).await["state"] == "confirmed").then_some(())
    })
    .await;
    daemon.wait_two_polls().await;
    assert_eq!(calendar.events().await.len(), 1);
}

#[tokio::test]
async fn saving_the_config_reloads_it_and_a_mistake_changes_nothing() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("reload").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    assert_eq!(daemon.get("/noether/thesis").await.status, 404);

    let more = daemon
        .config
        .clone()
        .meetings([Meeting::new("office-hour", "30m", "30m"), Meeting::new("thesis", "45m", "15m")]);
    std::fs::write(daemon.config_path(), more.toml()).unwrap();
    eventually("the new meeting type is there", ONE_POLL, async || {
        let there = daemon.get("/noether/thesis").await.status == 200;
        (there && !daemon.starts("thesis", Day::ahead(3)).await.is_empty()).then_some(())
    })
    .await;

    let log = daemon.log().len();
    let wrong = more.toml().replace("duration = \"45m\"", "duration = \"45 parsecs\"");
    std::fs::write(daemon.config_path(), wrong).unwrap();
    eventually("the mistake is logged", ONE_POLL, async || daemon.log()[log..].contains("duration").then_some(()))
        .await;
    assert_eq!(daemon.get("/noether/thesis").await.status, 200, "the last good config stays");
    assert_eq!(daemon.get("/readyz").await.status, 200);

    // Saved as editors do it, by renaming over it, and told by SIGHUP.
    let other = daemon.folder().join("new.toml");
    let renamed = more.toml().replace("name = \"Emmy Noether\"", "name = \"Amalie Noether\"");
    std::fs::write(&other, renamed).unwrap();
    std::fs::rename(&other, daemon.config_path()).unwrap();
    daemon.signal("HUP");
    eventually("the new name is shown", ONE_POLL, async || {
        daemon.get("/noether").await.text().contains("Amalie Noether").then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_daemons_on_one_port_do_not_run() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("port").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("officehours.toml");
    std::fs::write(&path, daemon.config.toml()).unwrap();
    let output = crate::support::officehours(&["run", "--config", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains(&daemon.config.port.to_string()), "it says which address: {complaint}");
}

#[tokio::test]
async fn a_slow_reader_or_writer_does_not_hold_up_others() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("slowloris").await;
    calendar.put("a.ics", &meeting_at("a", Day::ahead(2), "09:00", "10:00")).await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let mut held = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(("127.0.0.1", daemon.config.port)).await.unwrap();
        stream.write_all(b"GET /noether HTTP/1.1\r\nHost: a\r\nX-Slow: ").await.unwrap();
        held.push(stream);
    }
    let began = Instant::now();
    assert_eq!(daemon.get("/noether.ics").await.status, 200);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
