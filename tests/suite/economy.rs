//! What reading a calendar costs: requests, and time beside that of a client that only fetches the same bytes.

use crate::story::meeting_at;
use crate::support::{Calendar, Config, Daemon, Day, OwnServer, Recorder, Server, binary, event, eventually};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A config file for this calendar in a folder of its own, by way of `url`.
fn configured(calendar: &Calendar, url: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("officehours.toml");
    std::fs::write(&path, Config { url: url.to_owned(), ..Config::new(calendar) }.toml()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

/// The methods of what is asked until so many reports have been, from now on.
async fn polled(recorder: &Recorder, reports: usize) -> Vec<String> {
    let mut methods: Vec<String> = Vec::new();
    eventually("the polls", Duration::from_secs(20), async || {
        methods.extend(recorder.take().into_iter().map(|asked| asked.method));
        (methods.iter().filter(|method| *method == "REPORT").count() >= reports).then_some(())
    })
    .await;
    methods
}

// More threads than one: the recorder has to answer while the daemon is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_poll_is_one_request_and_a_poll_with_one_change_is_two() {
    for server in [Server::radicale(), Server::xandikos()] {
        let Some(server) = server else { return };
        let day = Day::ahead(3);
        let calendar = server.calendar("economy").await;
        calendar.put("a.ics", &meeting_at("a", day, "09:00", "10:00")).await;
        calendar.put("b.ics", &meeting_at("b", day, "10:00", "11:00")).await;
        let recorder = Recorder::before(&server.url).await;
        let config = Config { url: recorder.url.clone(), poll: "1s".into(), ..Config::new(&calendar) };
        let daemon = Daemon::start(config).await;
        let starts = |expected: &'static [&'static str]| daemon.wait_starts("office-hour", day, expected);
        starts(&["11:00", "11:30"]).await;
        recorder.take();
        let idle = polled(&recorder, 3).await;
        assert!(idle.iter().all(|method| method == "REPORT"), "{}: {idle:?}", server.url);
        calendar.put("a.ics", &meeting_at("a", day, "09:30", "10:00")).await;
        starts(&["09:00", "11:00", "11:30"]).await;
        let changed = polled(&recorder, 2).await;
        let others: Vec<&String> = changed.iter().filter(|method| *method != "REPORT").collect();
        assert_eq!(others, ["GET"], "{}: {changed:?}", server.url);
    }
}

/// `tests/run --release --run-ignored only economy`: a measurement, on a machine that does nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement of minutes"]
async fn a_first_sync_of_10000_events_takes_little_longer_than_its_bytes() {
    for name in ["radicale", "xandikos"] {
        let Some(own) = OwnServer::start(name) else { return };
        let calendar = own.server.calendar("large").await;
        own.stop();
        let inside = match name {
            "radicale" => "collection-root/prof",
            _ => "prof/calendars",
        };
        fill(&own.data().join(inside).join(&calendar.name), 10_000);
        own.start_again();

        let recorder = Recorder::before(&own.server.url).await;
        let seen = ours(&calendar, &recorder.url);
        assert!(seen.text.contains("10000 added"), "{}", seen.text);
        let asked = recorder.take();
        let server = own.server.url.trim_end_matches('/');
        let (mut bare, mut whole, mut cpu) = (Duration::MAX, Duration::MAX, Duration::MAX);
        for _ in 0..3 {
            let client = crate::support::client();
            let began = Instant::now();
            let mut bytes = 0;
            for one in &asked {
                let mut answer = one.send(&client, server).await;
                while let Some(chunk) = answer.chunk().await.unwrap() {
                    bytes += chunk.len();
                }
            }
            bare = bare.min(began.elapsed());
            // As they come, which may be compressed.
            assert!(bytes > 500_000, "{bytes}");
            let run = ours(&calendar, &own.server.url);
            assert!(run.text.contains("10000 added"), "{}", run.text);
            (whole, cpu) = (whole.min(run.wall), cpu.min(run.cpu));
        }
        let ratio = whole.as_secs_f64() / bare.as_secs_f64();
        println!(
            "{name}: {} requests; bytes alone {bare:.2?}, officehours sync {whole:.2?} ({ratio:.2} times), {cpu:.2?} of CPU",
            asked.len()
        );
        assert!(ratio <= 1.15, "{name}: {ratio:.2}");
    }
}

/// Ten thousand events, every fiftieth a weekly series, put where the server keeps them.
fn fill(folder: &Path, count: usize) {
    let first = Day::ahead(-300);
    for n in 0..count {
        let start = first.at("08:00") + jiff::SignedDuration::from_mins(45 * i64::try_from(n).unwrap());
        let stamp = |at: jiff::Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut lines = vec![
            format!("DTSTART:{}", stamp(start)),
            format!("DTEND:{}", stamp(start + jiff::SignedDuration::from_mins(30))),
            format!("SUMMARY:Meeting {n} of the working group on rings and fields"),
            "DESCRIPTION:Minutes of the last meeting\\, then reports\\, then any other business.".to_owned(),
        ];
        if n % 50 == 0 {
            lines.push("RRULE:FREQ=WEEKLY;COUNT=30".to_owned());
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        std::fs::write(folder.join(format!("e{n}.ics")), event(&format!("e{n}"), &lines)).unwrap();
    }
    // Xandikos keeps its calendars in git.
    if folder.join(".git").exists() || folder.join("objects").exists() {
        for arguments in
            [&["add", "."][..], &["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "t"]]
        {
            let git = Command::new("git").arg("-C").arg(folder).args(arguments).status().unwrap();
            assert!(git.success());
        }
    }
}

struct Run {
    text: String,
    wall: Duration,
    cpu: Duration,
}

/// `officehours sync` with nothing stored yet.
fn ours(calendar: &Calendar, url: &str) -> Run {
    let folder = configured(calendar, url);
    let timed = "TIMEFORMAT='%R %U %S'; time \"$0\" --config \"$1\" sync";
    let output = Command::new("bash")
        .args(["-c", timed])
        .arg(binary())
        .arg(folder.path().join("officehours.toml"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let times: Vec<f64> = errors.lines().last().unwrap().split(' ').map(|seconds| seconds.parse().unwrap()).collect();
    Run {
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
        wall: Duration::from_secs_f64(times[0]),
        cpu: Duration::from_secs_f64(times[1] + times[2]),
    }
}
