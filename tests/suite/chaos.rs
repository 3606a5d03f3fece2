//! Everything at once: many guests, a daemon that is killed, a calendar server that stops, a disk that fails, a host who edits.
//! Whatever was answered stays true: each booking is on the calendar once, at its time, and what was cancelled is gone.

use crate::support::{Config, Daemon, Day, Disk, DiskFault, Edit, Guests, Mailbox, Meeting, OwnServer, Random};
use jiff::SignedDuration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_loses_and_doubles_nothing() {
    chaos(150, 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: tests/run --run-ignored only chaos"]
async fn five_thousand_bookings_in_chaos() {
    chaos(5_000, 100).await;
}

/// Meeting type, length, step, buffer after and seats.
const MEETINGS: [(&str, u32, u32, i64, usize); 3] =
    [("short", 20, 10, 0, 1), ("long", 60, 20, 10, 1), ("seminar", 45, 15, 5, 6)];
const DAYS: i64 = 58;

async fn chaos(changes: u32, kills: u32) {
    let (Some(own), Some(disk)) = (OwnServer::start("radicale"), Disk::new()) else { return };
    let mut random = Random::seeded(&format!("chaos of {changes} changes"));
    let calendar = own.server.calendar("chaos").await;
    let mailbox = Mailbox::start().await;
    let meetings = MEETINGS.map(|(id, long, step, buffer, seats)| Meeting {
        horizon: "60d".to_owned(),
        ..Meeting::new(id, &format!("{long}m"), &format!("{step}m"))
            .with(&format!("buffer_after = \"{buffer}m\"\nseats = {seats}"))
    });
    let config = Config {
        weekly: vec!["Mon-Sun 08:00-20:00".to_owned()],
        max_staleness: "2h".to_owned(),
        bookings_lines: "grace = \"5s\"\nnotify = false\n".to_owned(),
        more: mailbox.section(),
        ..Config::new(&calendar).meetings(meetings)
    };
    let mut daemon =
        Daemon::launch_with(config, |folder| disk.environment(folder.join("officehours.db").to_str().unwrap())).await;
    daemon.wait_ready().await;
    let guests = Arc::new(Guests::new(&daemon));
    let mut starts = Vec::new();
    for (meeting, ..) in MEETINGS {
        let mut of_meeting = Vec::new();
        for day in 2..DAYS {
            of_meeting.extend(daemon.starts(meeting, Day::ahead(day)).await);
        }
        starts.push((meeting, of_meeting));
    }

    let over = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (guests, starts, over, mut random) = (guests.clone(), starts.clone(), over.clone(), random.fork());
        tasks.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                guests.act(&mut random, &starts).await;
                tokio::time::sleep(random.millis(0, 200)).await;
            }
        });
    }
    let edits = Arc::new(AtomicU32::new(0));
    let (host, there, edited, done, mut chance) =
        (guests.clone(), calendar.clone(), edits.clone(), over.clone(), random.fork());
    tasks.spawn(async move {
        for round in 0.. {
            if done.load(Ordering::Relaxed) {
                return;
            }
            // Late in the evening, each at another time: the host's own doing makes no overlap.
            let start =
                Day::ahead(2 + round % (DAYS - 2)).at("20:30") + SignedDuration::from_mins(5 * (round / (DAYS - 2)));
            let edit = match chance.below(3) {
                0 => Edit::Deleted,
                _ => Edit::Moved(start, start + SignedDuration::from_mins(4)),
            };
            edited.fetch_add(u32::from(host.edit(&mut chance, &there, edit).await), Ordering::Relaxed);
            tokio::time::sleep(chance.millis(200, 1_000)).await;
        }
    });

    // The daemon is killed, the server stopped and the disk broken, each for a moment, until enough was done of each.
    let own = Arc::new(own);
    let (mut turn, mut killed, mut stopped, mut broken) = (0, 0, 0, [0; 3]);
    while guests.answered() < changes || killed < kills {
        assert!(began.elapsed() < Duration::from_secs(1_500), "only {} and {killed} kills", guests.line());
        while let Some(ended) = tasks.try_join_next() {
            ended.unwrap();
        }
        tokio::time::sleep(random.millis(100, 900)).await;
        // Spread over the whole run: between two kills something is to be done.
        if killed * changes > kills * guests.answered() && guests.answered() < changes {
            continue;
        }
        turn += 1;
        match turn % 8 {
            2 if stopped * 10 <= killed => {
                stopped += 1;
                let (server, pause) = (own.clone(), random.millis(100, 1_500));
                tokio::task::spawn_blocking(move || {
                    server.stop();
                    std::thread::sleep(pause);
                    server.start_again();
                })
                .await
                .unwrap();
            }
            1 | 5 => {
                let which = turn / 4 % 3;
                broken[which] += 1;
                disk.fault([DiskFault::Full, DiskFault::Sync, DiskFault::Write][which]);
                tokio::time::sleep(random.millis(50, 900)).await;
                // Killed in the midst of it, at times.
                if random.percent(30) {
                    daemon.kill();
                    killed += 1;
                    disk.fault(DiskFault::None);
                    daemon.start_again().await;
                }
                disk.fault(DiskFault::None);
                assert!(daemon.is_running(), "a full disk is no reason to end");
            }
            _ => {
                assert!(daemon.is_running(), "it ended by itself");
                daemon.kill();
                killed += 1;
                tokio::time::sleep(random.millis(0, 200)).await;
                daemon.start_again().await;
            }
        }
    }
    let took = began.elapsed();
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }

    let buffers = MEETINGS.map(|(meeting, .., buffer, _)| (meeting, buffer));
    let seats = MEETINGS.map(|(meeting, .., seats)| (meeting, seats));
    let held = guests.verify(&daemon, &calendar, &buffers, &seats).await;
    daemon.wait_two_polls().await;
    assert_eq!(guests.verify(&daemon, &calendar, &buffers, &seats).await, held);
    let mails = mailbox.by_id();
    let again: usize = mails.values().map(|copies| copies.len() - 1).sum();
    for (id, copies) in &mails {
        assert!(copies.iter().all(|copy| copy == &copies[0]), "{id} came again as another message: {copies:?}");
    }
    // Between the server's 250 and the record of it lies a moment in which the daemon can die: then the same message comes
    // again, at most as many as are under way at once.
    assert!(again <= (killed as usize + broken.iter().sum::<usize>()) * 4, "{again} mails came again");
    println!("{}; {held} bookings held, the host's edits: {edits:?}", guests.line());
    println!(
        "{killed} kills, {stopped} stops of the server, {broken:?} disk failures (full, sync, write) in {took:.0?}; {} mails, {again} of them again",
        mails.len()
    );
}
