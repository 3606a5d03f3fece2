//! The whole life of a booking in Firefox, by WebDriver BiDi.

use crate::support::{Config, Daemon, Day, ON_THE_SERVER, Server, eventually, node};
use std::process::Command;

#[tokio::test]
async fn a_booking_lives_in_firefox() {
    let Some(server) = Server::radicale() else { return };
    let firefox = Command::new("firefox-esr").arg("--version").output().is_ok_and(|output| output.status.success());
    // A browser that Debian has and other distributions may not have under this name: passed over, and said by tests/run.
    if !firefox {
        eprintln!("SKIPPED: this machine has no firefox-esr");
        return;
    }
    let Some(command) = node("firefox.js") else { return };
    let calendar = server.calendar("firefox").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let day = Day::ahead(3);
    let ran = tokio::process::Command::from(command)
        .args([&daemon.url("/noether"), "office-hour", &day.0.to_string(), &day.at("10:30").to_string()])
        .output()
        .await
        .unwrap();
    let (out, complaint) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{complaint}{out}");
    let token = out.trim().rsplit('/').next().unwrap().to_owned();
    daemon.wait_state(&token, "cancelled").await;
    eventually("the event is gone", ON_THE_SERVER, async || calendar.events().await.is_empty().then_some(())).await;
}
