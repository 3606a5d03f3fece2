//! A bad network between the daemon and a real calendar server, while guests book and the host edits: no booking is lost or
//! doubled, nothing is freed that is busy, and in the end our copy is the server's.

use crate::support::{
    Calendar, Config, Daemon, Day, Edit, Fault, Guests, Meeting, Network, ON_THE_SERVER, OwnServer, Proxy, Random,
    client, event, eventually, officehours, stamp, times, token,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_on_the_way_to_radicale_lose_and_free_nothing() {
    faults("radicale", 150).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: tests/run --run-ignored only faults"]
async fn two_thousand_faults_on_the_way_to_radicale() {
    faults("radicale", 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: tests/run --run-ignored only faults"]
async fn two_thousand_faults_on_the_way_to_xandikos() {
    faults("xandikos", 2_000).await;
}

#[tokio::test]
async fn what_the_host_does_to_a_confirmed_event_is_not_undone_by_a_write_that_is_late() {
    let Some(own) = OwnServer::start("radicale") else { return };
    let day = Day::ahead(3);
    let calendar = own.server.calendar("late").await;
    let proxy = Proxy::before(&own.server.url).await;
    let daemon = Daemon::start(Config { url: proxy.url.clone(), ..Config::new(&calendar) }).await;
    let booking = daemon.book_confirmed("office-hour", day.at("09:00"), "Ada Lovelace").await;
    let token = token(&booking);
    // Two moves wait to be written; the first write is of the second already, and confirms it.
    own.stop();
    for time in ["10:00", "11:00"] {
        let to = json!({"start": day.at(time).to_string()});
        let moved = daemon.post_json(&format!("/api/v1/bookings/{token}/move"), &to).await.expect(200);
        assert_eq!(moved["state"], "reserved");
    }
    proxy.fault(Fault::Slow(Duration::from_millis(700)));
    own.start_again();
    daemon.wait_state(&token, "confirmed").await;
    let file = format!("{}.ics", booking["id"].as_str().unwrap());
    assert!(calendar.move_file(&file, day.at("15:00"), day.at("15:30")).await);
    eventually("the booking is where the host has put it", ON_THE_SERVER, async || {
        (daemon.booking(&token).await["start"] == day.at("15:00").to_string()).then_some(())
    })
    .await;
    assert_eq!(calendar.events().await[0]["start"], day.at("15:00").to_string());
}

const MEETINGS: [(&str, i64); 2] = [("office-hour", 30), ("thesis", 45)];
const DAYS: std::ops::Range<i64> = 2..12;

async fn faults(server: &'static str, count: u32) {
    let Some(own) = OwnServer::start(server) else { return };
    let mut random = Random::seeded(&format!("{count} faults on the way to {server}"));
    let calendar = own.server.calendar("faults").await;
    let other = own.server.calendar("family").await;
    let always = busy_all_the_while(&calendar, &other).await;

    let network = Network::before(&own.server.url, random.fork()).await;
    let daemon = Daemon::start(Config {
        url: network.url.clone(),
        calendars: Some(vec![calendar.name.clone(), other.name.clone()]),
        weekly: vec!["Mon-Sun 08:00-20:00".to_owned()],
        max_staleness: "2h".to_owned(),
        bookings_lines: "grace = \"8s\"\n".to_owned(),
        ..Config::new(&calendar).meetings(MEETINGS.map(|(id, long)| Meeting::new(id, &format!("{long}m"), "15m")))
    })
    .await;
    let guests = Arc::new(Guests::new(&daemon));
    let mut starts = Vec::new();
    for (meeting, _) in MEETINGS {
        let mut of_meeting = Vec::new();
        for day in DAYS {
            of_meeting.extend(daemon.starts(meeting, Day::ahead(day)).await);
        }
        starts.push((meeting, of_meeting));
    }

    network.faults(count);
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (guests, network, starts, mut random) = (guests.clone(), network.clone(), starts.clone(), random.fork());
        tasks.spawn(async move {
            while network.left() > 0 {
                guests.act(&mut random, &starts).await;
                tokio::time::sleep(random.millis(0, 300)).await;
            }
        });
    }
    let (edits, looks) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let host = Host { calendar: calendar.clone(), other: other.clone(), guests: guests.clone(), edits: edits.clone() };
    tasks.spawn(host.work(network.clone(), random.fork()));
    let (watching, seen, still, base) = (guests.clone(), looks.clone(), network.clone(), daemon.url(""));
    tasks.spawn(async move {
        while still.left() > 0 {
            for path in [offer_path(MEETINGS[0].0), offer_path(MEETINGS[1].0), "/noether.ics".to_owned()] {
                let url = format!("{base}{path}");
                if watching.watch(&always, &[], async || slots(&url).await).await {
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
        assert!(began.elapsed() < Duration::from_secs(1_500), "{} faults are still to come", network.left());
    }
    let took = began.elapsed();

    network.faults(0);
    let held = guests.verify(&daemon, &calendar, &[], &[]).await;
    same_busy_time(&daemon, &[&calendar, &other]).await;
    let (kinds, requests) = network.counts();
    let total: u32 = kinds.values().sum();
    assert!(total >= count && kinds.len() >= 15, "{kinds:?}");
    assert!(looks.load(Ordering::Relaxed) > 20, "the watcher has seen {looks:?} offers");
    println!("{server}: {total} faults in {requests} requests in {took:.0?}: {kinds:?}");
    println!("{}; {held} bookings held, the host's edits: {edits:?}, offers watched: {looks:?}", guests.line());
}

/// Two events a day in two calendars, which nobody touches.
async fn busy_all_the_while(calendar: &Calendar, other: &Calendar) -> Vec<(Timestamp, Timestamp)> {
    let mut always = Vec::new();
    for day in DAYS {
        for (calendar, start, end) in [(calendar, "10:00", "11:00"), (other, "15:30", "16:45")] {
            let (start, end) = (Day::ahead(day).at(start), Day::ahead(day).at(end));
            let uid = format!("foreign-{day}-{}", start.as_second());
            calendar.put(&format!("{uid}.ics"), &foreign(&uid, start, end)).await;
            always.push((start, end));
        }
    }
    always
}

fn foreign(uid: &str, start: Timestamp, end: Timestamp) -> String {
    let long = "It is a long story. ".repeat(40);
    let lines = [format!("SUMMARY:{uid}"), format!("DESCRIPTION:{long}"), format!("DTSTART:{}", stamp(start))];
    let [summary, description, begin] = &lines;
    // What is told last is lost first.
    event(uid, &[summary, description, begin, &format!("DTEND:{}", stamp(end))])
}

/// The host with a program of their own, past the bad network.
struct Host {
    calendar: Calendar,
    other: Calendar,
    guests: Arc<Guests>,
    edits: Arc<AtomicU32>,
}

impl Host {
    async fn work(self, network: Network, mut random: Random) {
        for round in 0.. {
            if network.left() == 0 {
                return;
            }
            let calendar = random.pick(&[self.calendar.clone(), self.other.clone()]).clone();
            let file = format!("foreign-{}.ics", random.below(30));
            if random.percent(70) {
                let start = Day::ahead(DAYS.start + i64::try_from(random.below(10)).unwrap()).at("08:00")
                    + SignedDuration::from_mins(15 * i64::try_from(random.below(40)).unwrap());
                let uid = format!("foreign-{}-{}", calendar.name, file.trim_end_matches(".ics"));
                let text = foreign(&uid, start, start + SignedDuration::from_mins(50));
                let answer = calendar.insist("PUT", &file, Some(text)).await;
                assert!(matches!(answer.status, 200..=204), "PUT {file}: {answer:?}");
            } else {
                calendar.insist("DELETE", &file, None).await;
            }
            self.edits.fetch_add(1, Ordering::Relaxed);
            if round % 5 == 4 {
                // Late in the evening, each at another time: the host's own doing makes no overlap.
                let start =
                    Day::ahead(DAYS.start + (round / 5) % 10).at("20:00") + SignedDuration::from_mins(5 * (round / 50));
                let edit = match random.below(3) {
                    0 => Edit::Deleted,
                    _ => Edit::Moved(start, start + SignedDuration::from_mins(4)),
                };
                if self.guests.edit(&mut random, &self.calendar, edit).await {
                    self.edits.fetch_add(1, Ordering::Relaxed);
                }
            }
            tokio::time::sleep(random.millis(50, 400)).await;
        }
    }
}

fn offer_path(meeting: &str) -> String {
    let (from, to) = (Day::ahead(DAYS.start).window().0, Day::ahead(DAYS.end).window().1);
    format!("/api/v1/hosts/noether/meetings/{meeting}/slots?from={from}&to={to}")
}

/// The slots that the API or a feed offers.
async fn slots(url: &str) -> Option<Vec<(Timestamp, Timestamp)>> {
    let answer = client().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    let text = answer.text().await.unwrap();
    if let Ok(offer) = serde_json::from_str::<Value>(&text) {
        return Some(offer["slots"].as_array().unwrap().iter().map(times).collect());
    }
    let of = |name: &str| -> Vec<Timestamp> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        lines
            .map(|time| {
                jiff::fmt::strtime::parse("%Y%m%dT%H%M%S%#z", time.replace('Z', "+0000"))
                    .unwrap()
                    .to_timestamp()
                    .unwrap()
            })
            .collect()
    };
    let (starts, ends) = (of("DTSTART"), of("DTEND"));
    assert_eq!(starts.len(), ends.len());
    Some(starts.into_iter().zip(ends).collect())
}

/// What `busy` says of the host is what it says of the very objects on the server.
async fn same_busy_time(daemon: &Daemon, calendars: &[&Calendar]) {
    let (from, to) = (Day::ahead(1).window().0.to_string(), Day::ahead(20).window().0.to_string());
    eventually("our copy is the server's", Duration::from_secs(60), async || {
        let folder = tempfile::tempdir().unwrap();
        for calendar in calendars {
            for (file, text) in calendar.objects().await {
                std::fs::write(folder.path().join(format!("{}-{file}", calendar.name)), text).unwrap();
            }
        }
        let busy = |arguments: &[&str]| {
            let output = officehours(arguments);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let json: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert!(json["busy"].as_array().unwrap().len() > 20, "{json}");
            json["busy"].clone()
        };
        let window = ["--from", &from, "--to", &to];
        let config = daemon.config_path();
        let ours = busy(&[&["--config", config.to_str().unwrap(), "busy", "noether"], &window[..]].concat());
        let path = folder.path().to_str().unwrap();
        let theirs = busy(&[&["busy", "--ics", path, "--time-zone", "Europe/Berlin"], &window[..]].concat());
        if ours != theirs {
            eprintln!("ours {ours}\ntheirs {theirs}");
        }
        (ours == theirs).then_some(())
    })
    .await;
}
