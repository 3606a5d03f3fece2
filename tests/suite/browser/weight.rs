//! What the first page weighs, on the wire and on the guest's patience.

use crate::support::{Browser, Config, Daemon, Day, Meeting, Scripts, Server, event, stamp};
use jiff::SignedDuration;
use serde_json::json;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Bytes on the wire, as a browser asks.
async fn transfer(daemon: &Daemon, path: &str) -> (usize, String) {
    let answer = daemon.get_with(path, &[("accept-encoding", "gzip, deflate, br, zstd")]).await;
    assert_eq!(answer.status, 200, "{path}");
    let plain = daemon.get(path).await;
    (answer.body.len(), plain.text())
}

#[tokio::test]
async fn the_first_page_is_one_light_request_and_nothing_on_it_shifts() {
    let Some(server) = Server::radicale() else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let calendar = server.calendar("weight").await;
    // Sixteen free times a day for a month and a half: a full page.
    let meeting = Meeting { horizon: "60d".into(), ..Meeting::new("office-hour", "15m", "15m") };
    let mut config = Config::new(&calendar).meetings([meeting]);
    config.weekly = vec!["Mon-Fri 09:00-13:00".into()];
    let daemon = Daemon::start(config).await;
    let day = Day::ahead(20).0.first_of_month().checked_add(jiff::Span::new().months(1)).unwrap();

    let mut slot = Day(day);
    while matches!(slot.0.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday) {
        slot = Day(slot.0.tomorrow().unwrap());
    }
    let paths = [
        "/noether".to_owned(),
        format!("/noether/office-hour?day={}", slot.0),
        format!("/noether/office-hour/{}", slot.at("09:00")),
    ];
    let mut assets = std::collections::BTreeSet::new();
    for path in &paths {
        let (bytes, html) = transfer(&daemon, path).await;
        println!("{path}: {bytes} bytes on the wire, {} of HTML", html.len());
        assert!(bytes < 15_000, "{path} has {bytes} bytes");
        let named = html.split(['"', '\'']).filter(|part| part.starts_with("/-/"));
        assets.extend(named.map(str::to_owned));
    }
    let mut all = 0;
    for asset in &assets {
        let (bytes, _) = transfer(&daemon, asset).await;
        println!("{asset}: {bytes} bytes on the wire");
        all += bytes;
    }
    println!("assets in all: {all} bytes on the wire");
    assert!(assets.len() >= 3 && all < 60_000, "{assets:?}: {all} bytes");

    for width in [360, 1280] {
        browser.width(width).await;
        for path in &paths {
            browser.goto(&daemon.url(path)).await;
            browser.wait_script("return document.readyState", &json!("complete")).await;
            // The sum of the shifts that were not the guest's doing, once two frames have gone by.
            let shift = "return new Promise(done => { let sum = 0; \
                new PerformanceObserver(list => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value; }) \
                    .observe({ type: 'layout-shift', buffered: true }); \
                requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 50))); })";
            assert_eq!(browser.script(shift).await.as_f64(), Some(0.0), "{path} shifts at {width} px");
            let requests = browser
                .script("return performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname)")
                .await;
            let others = requests.as_array().unwrap();
            assert!(
                others.iter().all(|path| path.as_str().unwrap().starts_with("/-/")),
                "one request of HTML: {requests}"
            );
        }
    }
    browser.close().await;
}

/// The time to the first byte with 10,000 events in the calendar. The figure that counts is that of
/// `./tests/run --release --no-capture browser::weight`.
#[tokio::test]
async fn the_first_page_comes_at_once_with_10000_events() {
    let folder = tempfile::tempdir().unwrap();
    let start = Day::ahead(1).at("00:00");
    for file in 0..10 {
        let mut text = String::new();
        for number in 0..1000 {
            let n = i64::from(file * 1000 + number);
            let from = start + SignedDuration::from_mins(20 * n);
            let lines = [
                format!("DTSTART:{}", stamp(from)),
                format!("DTEND:{}", stamp(from + SignedDuration::from_mins(10))),
                format!("SUMMARY:Meeting {n}"),
            ];
            let object = event(&format!("many-{n}"), &lines.each_ref().map(String::as_str));
            let within = object.split_once("BEGIN:VEVENT").unwrap().1.rsplit_once("END:VCALENDAR").unwrap().0;
            write!(text, "BEGIN:VEVENT{within}").unwrap();
        }
        let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\n{text}END:VCALENDAR\r\n");
        std::fs::write(folder.path().join(format!("{file}.ics")), text).unwrap();
    }
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("first-byte").await;
    let meeting = Meeting { horizon: "60d".into(), ..Meeting::new("office-hour", "10m", "10m") };
    let mut config = Config::new(&calendar).meetings([meeting]);
    config.account_lines = format!("\n[[host.folder]]\npath = {:?}\n", folder.path());
    let daemon = Daemon::start(config).await;
    assert_eq!(daemon.starts("office-hour", Day::ahead(9)).await.len(), 9, "every other ten minutes are busy");

    let mut times = Vec::new();
    let mut bytes = 0;
    for _ in 0..40 {
        let began = Instant::now();
        let answer = daemon.get_with("/noether/office-hour", &[("accept-encoding", "gzip")]).await;
        times.push(began.elapsed());
        assert_eq!(answer.status, 200);
        bytes = answer.body.len();
    }
    times.sort_unstable();
    println!("10,000 events: {bytes} bytes on the wire; median {:?}, slowest {:?}", times[20], times[39]);
    // Not the figure, which is a release build's, but that it does not grow with the calendar.
    assert!(times[20] < Duration::from_millis(250), "median {:?}", times[20]);
    assert!(bytes < 15_000, "{bytes} bytes");
}
