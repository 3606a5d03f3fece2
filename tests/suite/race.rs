//! Many guests at once. Exclusion is by overlap of intervals, in one place.

use crate::support::{Answer, Config, Daemon, Day, Meeting, Server, client, token};
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
