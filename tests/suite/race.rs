//! Many guests at once. Exclusion is by overlap of intervals, in one place.

use crate::support::{Answer, Config, Daemon, Day, Meeting, Server, client, eventually, times, token};
use jiff::Timestamp;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Books each of these at once, each over a connection of its own; the answers come in the order asked.
async fn all_at_once(daemon: &Daemon, wishes: &[(&str, Timestamp)]) -> Vec<Answer> {
    let mut guests = JoinSet::new();
    for (number, (meeting, start)) in wishes.iter().enumerate() {
        let url = daemon.url(&Daemon::bookings_path(meeting));
        let name = format!("Guest {number}");
        let body = json!({"start": start.to_string(), "name": name, "email": format!("guest{number}@example.org")});
        let request = client().post(url).header("content-type", "application/json").body(body.to_string());
        guests.spawn(async move {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            (number, Answer { status, headers, body: response.bytes().await.unwrap() })
        });
    }
    let mut answers = guests.join_all().await;
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[tokio::test]
async fn of_fifty_guests_who_want_one_slot_one_gets_it() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("race").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let wishes = vec![("office-hour", day.at("10:00")); 50];
    let answers = all_at_once(&daemon, &wishes).await;

    let won: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(won.len(), 1, "{statuses:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        let problem = answer.expect_problem(409, "/slot-taken");
        let alternatives = problem["alternatives"].as_array().unwrap();
        assert!(!alternatives.is_empty(), "{problem}");
        for slot in alternatives {
            let start: Timestamp = slot["start"].as_str().unwrap().parse().unwrap();
            let end: Timestamp = slot["end"].as_str().unwrap().parse().unwrap();
            assert!(start < end && (end <= day.at("10:00") || start >= day.at("10:30")), "{slot}");
        }
    }
    daemon.wait_state(&token(&won[0].json()), "confirmed").await;
    daemon.wait_two_polls().await;
    assert_eq!(calendar.events().await.len(), 1, "exactly one event on the server");
}

#[tokio::test]
async fn h4_overlapping_starts_and_lengths_exclude_each_other() {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("overlap").await;
    let meetings = [Meeting::new("short", "20m", "10m"), Meeting::new("long", "60m", "10m")];
    let daemon = Daemon::start(Config::new(&calendar).meetings(meetings)).await;
    for round in 2..7 {
        let day = Day::ahead(round);
        // Every two of these overlap.
        let wishes = [
            ("short", day.at("10:00")),
            ("short", day.at("10:10")),
            ("long", day.at("10:00")),
            ("long", day.at("09:20")),
            ("long", day.at("09:10")),
            ("short", day.at("10:00")),
        ];
        let answers = all_at_once(&daemon, &wishes).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        let taken: Vec<(Timestamp, Timestamp)> = answers
            .iter()
            .filter(|answer| answer.status == 201)
            .map(|answer| {
                let booking = answer.json();
                let time = |key: &str| booking[key].as_str().unwrap().parse().unwrap();
                (time("start"), time("end"))
            })
            .collect();
        assert!(!taken.is_empty(), "somebody gets it: {statuses:?}");
        for (number, a) in taken.iter().enumerate() {
            for b in &taken[number + 1..] {
                assert!(a.1 <= b.0 || b.1 <= a.0, "{a:?} and {b:?} overlap; {statuses:?}");
            }
        }
        assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    }
}

#[tokio::test]
async fn h5_a_class_that_signs_up_at_once_is_served() {
    let Some(server) = Server::radicale() else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("class").await;
    let config = Config::new(&calendar).meetings([Meeting::new("office-hour", "15m", "15m")]);
    let daemon = Daemon::start(config).await;
    let starts = daemon.starts("office-hour", day).await;
    assert_eq!(starts.len(), 12);
    let wishes: Vec<(&str, Timestamp)> = starts.into_iter().map(|start| ("office-hour", start)).collect();
    let began = Instant::now();
    let answers = all_at_once(&daemon, &wishes).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "12 guests waited {:?}", began.elapsed());
    for answer in &answers {
        daemon.wait_state(&token(&answer.json()), "confirmed").await;
    }
    assert_eq!(calendar.events().await.len(), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_wishes_for_twenty_overlapping_slots_none_that_are_granted_overlap() {
    crowds(5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: tests/run --run-ignored only race"]
async fn a_hundred_crowds_of_two_hundred() {
    crowds(100).await;
}

/// So many times 200 guests at once want 20 slots of five lengths, every neighbours of which overlap.
async fn crowds(rounds: i64) {
    let Some(server) = Server::radicale() else { return };
    let calendar = server.calendar("crowd").await;
    const LENGTHS: [(&str, i64, i64); 5] = [("a", 20, 0), ("b", 30, 5), ("c", 45, 0), ("d", 60, 10), ("e", 90, 0)];
    let meetings = LENGTHS.map(|(id, long, buffer)| Meeting {
        horizon: "120d".to_owned(),
        ..Meeting::new(id, &format!("{long}m"), "10m").with(&format!("buffer_after = \"{buffer}m\""))
    });
    let daemon = Daemon::start(Config::new(&calendar).meetings(meetings)).await;
    let client = client();
    let (mut granted, mut refused) = (0, 0);
    let began = Instant::now();
    for round in 0..rounds {
        let day = Day::ahead(2 + round);
        let starts = ["09:40", "09:50", "10:00", "10:10"].map(|time| day.at(time));
        let mut guests = JoinSet::new();
        for number in 0..200 {
            let (meeting, _, buffer) = LENGTHS[number % LENGTHS.len()];
            let start = starts[(number / LENGTHS.len()) % starts.len()];
            let body =
                json!({"start": start.to_string(), "name": "G", "email": format!("g{round}-{number}@example.org")});
            let request = client.post(daemon.url(&Daemon::bookings_path(meeting)));
            let request = request.header("content-type", "application/json").body(body.to_string());
            guests.spawn(async move {
                let answer = request.send().await.unwrap();
                (answer.status().as_u16(), answer.text().await.unwrap(), buffer)
            });
        }
        let mut taken: Vec<(Timestamp, Timestamp, i64)> = Vec::new();
        for (status, text, buffer) in guests.join_all().await {
            match status {
                201 => {
                    let (start, end) = times(&serde_json::from_str(&text).unwrap());
                    taken.push((start, end, buffer));
                }
                409 => refused += 1,
                _ => panic!("{status}: {text}"),
            }
        }
        assert!(!taken.is_empty(), "somebody gets it");
        taken.sort_unstable();
        for pair in taken.windows(2) {
            let between = pair[1].0.duration_since(pair[0].1);
            assert!(between >= jiff::SignedDuration::from_mins(pair[0].2), "round {round}: {pair:?}");
        }
        granted += taken.len();
    }
    println!("{rounds} crowds of 200: {granted} granted, {refused} refused, no overlap, in {:.0?}", began.elapsed());
    eventually("each is on the calendar once", Duration::from_secs(60), async || {
        let events = calendar.events().await;
        assert!(events.len() <= granted, "{} events for {granted} bookings", events.len());
        (events.len() == granted).then_some(())
    })
    .await;
}
