//! What was answered is there after `kill -9`, whole.

use super::*;
use crate::store::{Access, EffectFilter, EffectKind, Lane};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Tells the child process which store to write to.
const VARIABLE: &str = "OFFICEHOURS_TEST_CRASH_STORE";

/// The child: takes slots for ever and prints each number once it is answered.
#[tokio::test]
#[ignore = "runs within the next test, which kills it"]
async fn child_that_takes_slots_until_it_is_killed() {
    let Some(path) = std::env::var_os(VARIABLE) else { return };
    let store = Store::open(path.as_ref(), Access::Daemon).unwrap();
    let first = store.bookings(None, Default::default()).await.unwrap().len() as i64;
    let entry = store.due_effects(Lane::Calendar, minute(0), 1, &[]).await.unwrap();
    if let [entry] = entry.as_slice() {
        store.claim(entry.id, minute(0), SignedDuration::from_hours(1)).await.unwrap();
    }
    for number in first.. {
        let effects = vec![NewEffect { kind: EffectKind::PutEvent, payload: number.to_string() }];
        let booking = booking(number as u128, minutes(30 * number, 30 * number + 30));
        assert_eq!(store.reserve(NewBooking { effects, ..new(booking) }).await.unwrap(), Reserved::Done);
        println!("stored {number}");
        std::io::stdout().flush().unwrap();
    }
}

#[tokio::test]
async fn every_answered_booking_is_there_with_its_effects_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut answered = HashSet::new();
    for round in 0..10 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::tests::crash::child_that_takes_slots_until_it_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(VARIABLE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = 0;
        while heard < 5 + 7 * round {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, number)) = line.split_once("stored ") {
                answered.insert(number.parse::<u128>().unwrap());
                heard += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        answered
            .extend(lines.map_while(Result::ok).filter_map(|line| line.split_once("stored ")?.1.parse::<u128>().ok()));

        let store = Store::open(&path, Access::Daemon).unwrap();
        let stored: HashSet<u128> = store
            .bookings(None, Default::default())
            .await
            .unwrap()
            .iter()
            .map(|booking| booking.id.0.as_u128())
            .collect();
        assert!(answered.is_subset(&stored), "round {round}: an answered booking is lost");
        assert!(stored.len() <= answered.len() + round as usize + 1, "at most one a round was stored and not answered");
        let effects = store.effects(EffectFilter::default()).await.unwrap();
        let with_effect: HashSet<u128> = effects.iter().map(|entry| entry.booking.0.as_u128()).collect();
        assert_eq!(with_effect, stored, "a booking and its effects are stored together");
        assert!(
            effects.iter().all(|entry| entry.claimed_until.is_none()),
            "what the dead daemon had begun is free again"
        );
        store.close().await;
    }
}
