//! Subscriptions and folders of `.ics` files beside an account: busy like it, seen at once, and never silently empty.

use crate::story::meeting_at;
use crate::support::{Config, Daemon, Day, Server, eventually};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ALL: [&str; 6] = ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"];

/// A published calendar: what it gives, `None` for a server that fails.
type Published = Arc<Mutex<Option<String>>>;

/// Serves it under a URL that is known to nobody else.
async fn publish(first: Option<String>) -> (String, Published) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/5f2c81d0e7/calendar.ics", listener.local_addr().unwrap());
    let published = Published::new(Mutex::new(first));
    let given = published.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let answer = match given.lock().unwrap().clone() {
                Some(body) => {
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
                }
                None => "HTTP/1.1 500 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, published)
}

/// As vdirsyncer writes: whole, under another name, then renamed.
fn replace(folder: &Path, name: &str, text: &str) {
    let beside = folder.join(format!("{name}.tmp"));
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(&beside, folder.join(name)).unwrap();
}

// More threads than one: commands block theirs, and the publisher has to answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_and_folders_make_the_host_busy_too() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("sources").await;
    calendar.put("lunch.ics", &meeting_at("lunch", day, "09:00", "09:30")).await;
    let (url, published) = publish(None).await;
    let folder = tempfile::tempdir().unwrap();
    let vdir = folder.path();
    replace(vdir, "a.ics", &meeting_at("a", day, "10:00", "10:30"));
    let mut config = Config::new(&calendar);
    config.more =
        format!("\n[[host.subscription]]\nurl = \"{url}\"\npoll = \"1s\"\n\n[[host.folder]]\npath = {vdir:?}\n");
    let mut daemon = Daemon::launch(config, &[]).await;

    // A subscription that was never read is busy, nobody knows when.
    daemon.book("office-hour", day.at("11:00"), "Ada Lovelace").await.expect_problem(503, "/stale");
    *published.lock().unwrap() = Some(meeting_at("b", day, "11:30", "12:00"));
    daemon.wait_ready().await;
    daemon.wait_starts("office-hour", day, &["09:30", "10:30", "11:00"]).await;

    // The folder is watched: its poll is a minute, this waits for far less.
    replace(vdir, "a.ics", &meeting_at("a", day, "10:30", "11:00"));
    daemon.wait_starts("office-hour", day, &["09:30", "10:00", "11:00"]).await;
    std::fs::remove_file(vdir.join("a.ics")).unwrap();
    daemon.wait_starts("office-hour", day, &["09:30", "10:00", "10:30", "11:00"]).await;
    // One that is half written does not hide what comes beside it.
    std::fs::write(vdir.join("half.ics"), "BEGIN:VCALENDAR\r\n").unwrap();
    replace(vdir, "c.ics", &meeting_at("c", day, "10:00", "10:30"));
    daemon.wait_starts("office-hour", day, &["09:30", "10:30", "11:00"]).await;
    std::fs::remove_file(vdir.join("half.ics")).unwrap();
    std::fs::remove_file(vdir.join("c.ics")).unwrap();
    daemon.wait_starts("office-hour", day, &["09:30", "10:00", "10:30", "11:00"]).await;

    // A booking waits for the sources to be read: what was published a moment ago counts.
    *published.lock().unwrap() = Some(meeting_at("b", day, "11:00", "11:30"));
    daemon.book("office-hour", day.at("11:00"), "Ada Lovelace").await.expect_problem(409, "/slot-taken");
    daemon.book_confirmed("office-hour", day.at("11:30"), "Ada Lovelace").await;

    // Half a calendar and a failure free nothing.
    let before = daemon.starts("office-hour", day).await;
    let half = meeting_at("b", day, "11:00", "11:30").split("DTSTART").next().unwrap().to_owned();
    for bad in [Some(half), Some(String::new()), None] {
        *published.lock().unwrap() = bad;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(daemon.starts("office-hour", day).await, before);
    }
    *published.lock().unwrap() = Some(meeting_at("b", day, "11:00", "11:30"));

    // The commands know them.
    let out = |arguments: &[&str]| {
        let output = daemon.command(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text} {}", String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains("5f2c81d0e7"), "{text}");
        text
    };
    replace(vdir, "c.ics", &meeting_at("c", day, "10:00", "10:30"));
    let synced = out(&["sync"]);
    assert!(synced.contains("noether/subscription/127.0.0.1: ") && synced.contains("noether/folder/"), "{synced}");
    let listed = out(&["calendars", "noether"]);
    assert!(listed.contains("subscription/127.0.0.1\t") && listed.contains(vdir.to_str().unwrap()), "{listed}");
    let checked = out(&["check"]);
    assert!(checked.contains("noether/subscription/127.0.0.1: 1 object(s), busy 1 time(s)"), "{checked}");
    let (from, to) = day.window();
    let busy = out(&["busy", "noether", "--from", &from.to_string(), "--to", &to.to_string()]);
    for time in ["10:00", "11:00"] {
        assert!(busy.contains(&day.at(time).to_string()), "{busy}");
    }
    assert!(!daemon.log().contains("5f2c81d0e7"), "{}", daemon.log());

    // Out of the config, out of the store.
    let text = std::fs::read_to_string(daemon.config_path()).unwrap();
    std::fs::write(daemon.config_path(), text.split("\n[[host.subscription]]").next().unwrap()).unwrap();
    eventually("only the account and the booking make the host busy", Duration::from_secs(15), async || {
        let starts = daemon.starts("office-hour", day).await;
        (starts == ALL[1..5].iter().map(|time| day.at(time)).collect::<Vec<_>>()).then_some(())
    })
    .await;
}

// More threads than one: the command blocks its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_command_reads_beside_the_daemon_is_busy_for_the_daemon_too() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("beside").await;
    let daemon = Daemon::start(Config { poll: "1h".to_owned(), ..Config::new(&calendar) }).await;
    daemon.wait_starts("office-hour", day, &ALL).await;
    calendar.put("lunch.ics", &meeting_at("lunch", day, "09:00", "09:30")).await;
    let synced = daemon.command(&["sync"]);
    assert!(synced.status.success(), "{synced:?}");
    assert!(String::from_utf8_lossy(&synced.stdout).contains("1 added"), "the command was first: {synced:?}");
    daemon.book("office-hour", day.at("09:00"), "Ada Lovelace").await.expect_problem(409, "/slot-taken");
}
