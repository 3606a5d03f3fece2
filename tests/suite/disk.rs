//! A disk that is full, fails or may not be written to: nothing is promised that is not kept, nothing that was done is
//! forgotten, and whoever starts the daemon is told what is wrong.

use crate::support::{Config, Daemon, Day, Disk, DiskFault, Fault, ON_THE_SERVER, Proxy, Server, binary, eventually};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// The daemon on such a disk.
async fn daemon_on(disk: &Disk, config: Config) -> Daemon {
    let store = |folder: &Path| folder.join("officehours.db").to_str().unwrap().to_owned();
    let mut daemon = Daemon::launch_with(config, |folder| disk.environment(&store(folder))).await;
    daemon.wait_ready().await;
    daemon
}

fn stored(daemon: &Daemon) -> Vec<Value> {
    let output = daemon.command(&["bookings", "list", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn on_a_full_or_failing_disk_a_guest_is_told_to_come_again_and_nothing_is_booked() {
    let (Some(server), Some(disk)) = (Server::radicale(), Disk::new()) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("full").await;
    let mut daemon = daemon_on(&disk, Config::new(&calendar)).await;
    let booking = daemon.book_confirmed("office-hour", day.at("09:00"), "Ada Lovelace").await;
    let feed = daemon.get("/noether.ics").await;
    let token = crate::support::token(&booking);
    for fault in [DiskFault::Full, DiskFault::Write, DiskFault::Sync] {
        disk.fault(fault);
        let refused = daemon.book("office-hour", day.at("10:00"), "Grace Hopper").await;
        refused.expect_problem(503, "/unavailable");
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{fault:?}");
        let to = json!({"start": day.at("11:00").to_string()});
        daemon.post_json(&format!("/api/v1/bookings/{token}/move"), &to).await.expect_problem(503, "/unavailable");
        daemon.cancel(&token).await.expect_problem(503, "/unavailable");
        let page = daemon
            .post_form(
                &format!("/noether/office-hour/{}", day.at("10:00")),
                &[("name", "Grace"), ("email", "grace@example.org")],
            )
            .await;
        assert_eq!(page.status, 503, "{fault:?}");
        assert!(page.text().contains("Nothing can be saved"), "{}", page.text());
        // What is only read goes on, and the process with it.
        assert_eq!(daemon.get("/noether.ics").await.body, feed.body, "{fault:?}");
        assert_eq!(daemon.booking(&token).await["state"], "confirmed");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(daemon.is_running(), "{fault:?}: {}", daemon.log());
        disk.fault(DiskFault::None);
    }
    assert_eq!(stored(&daemon).len(), 1, "no ghost");
    assert_eq!(calendar.events().await.len(), 1);
    daemon.wait_starts("office-hour", day, &["09:30", "10:00", "10:30", "11:00", "11:30"]).await;
    daemon.book_confirmed("office-hour", day.at("10:00"), "Grace Hopper").await;
    // Nor is there one after a restart: what a failed transaction left in the log is not played.
    daemon.kill();
    daemon.start_again().await;
    assert_eq!(stored(&daemon).len(), 2);
}

#[tokio::test]
async fn an_event_that_could_not_be_recorded_is_recorded_later_and_written_once() {
    let (Some(server), Some(disk)) = (Server::radicale(), Disk::new()) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("record").await;
    let proxy = Proxy::before(&server.url).await;
    let mut daemon = daemon_on(&disk, Config { url: proxy.url.clone(), ..Config::new(&calendar) }).await;
    for (time, killed) in [("09:00", false), ("10:00", true)] {
        let before = calendar.events().await.len();
        proxy.fault(Fault::Slow(Duration::from_millis(1_500)));
        let booking = daemon.book("office-hour", day.at(time), "Ada Lovelace").await.expect(201);
        assert_eq!(booking["state"], "reserved");
        disk.fault(DiskFault::Full);
        eventually("the event is on the server", ON_THE_SERVER, async || {
            (calendar.events().await.len() > before).then_some(())
        })
        .await;
        proxy.fault(Fault::None);
        tokio::time::sleep(Duration::from_secs(4)).await;
        let token = crate::support::token(&booking);
        assert_eq!(daemon.booking(&token).await["state"], "reserved", "it cannot be recorded");
        if killed {
            daemon.kill();
        }
        disk.fault(DiskFault::None);
        if killed {
            daemon.start_again().await;
        }
        daemon.wait_state(&token, "confirmed").await;
        assert!(daemon.is_running());
        daemon.wait_two_polls().await;
        assert_eq!(calendar.events().await.len(), before + 1, "once");
    }
}

/// Starts a daemon that is to fail.
fn start(config: &Path, environment: &[(&str, &str)]) -> Output {
    Command::new(binary()).args(["run", "--config"]).arg(config).envs(environment.iter().copied()).output().unwrap()
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_named_at_the_start() {
    let (Some(server), Some(disk)) = (Server::radicale(), Disk::new()) else { return };
    let calendar = server.calendar("start").await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("officehours.toml");
    std::fs::write(&config, Config::new(&calendar).toml()).unwrap();
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    let store = folder.path().join("officehours.db");
    // The lock beside it can be written, and the store itself cannot.
    let environment = disk.environment(store.to_str().unwrap());
    for (fault, why) in [(DiskFault::Full, "No space left on device"), (DiskFault::Sync, "make room on its disk")] {
        disk.fault(fault);
        let output = start(&config, &environment);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains(store.to_str().unwrap()) && complaint.contains(why), "{fault:?}: {complaint}");
    }

    // A directory that belongs to somebody else. Root may write everywhere, and so lets nobody try.
    let shut = tempfile::tempdir().unwrap();
    let program = shut.path().join("officehours");
    std::fs::copy(binary(), &program).unwrap();
    let config = shut.path().join("officehours.toml");
    std::fs::write(&config, Config::new(&calendar).toml()).unwrap();
    std::fs::set_permissions(shut.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let output = Command::new("sh")
        .arg("-c")
        .arg("if [ \"$(id -u)\" = 0 ]; then set -- setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; fi; exec \"$@\"")
        .arg("sh")
        .arg(&program)
        .args(["run", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    std::fs::set_permissions(shut.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("officehours.db") && complaint.contains("Permission denied"), "{complaint}");
}
