//! The functions that `tests/fuzz/run` fuzzes, with their checks and a bound on their time, on the inputs that it begins
//! with (the fixtures) and on those that it has kept in `fixtures/fuzz`: in each run.

use crate::support::root;
use std::path::Path;
use std::time::Duration;
use targets::Bound;

#[path = "../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "they are public where they are fuzzed")]
mod targets;

/// As where they are fuzzed, 100 ms of CPU for 10 kB, times what a build without optimisation costs.
const BOUND: Bound = Bound { clock: cpu_time, limit: Duration::from_millis(100 * 25) };

/// What this thread has computed, as Linux counts it; elsewhere time stands still and nothing is bound.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

/// The files of a folder; none where there is no such folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_none_or(|extension| extension == "ics"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn calendars() -> Vec<Vec<u8>> {
    [files(&root().join("fixtures/busy")), files(&root().join("fixtures/ical"))].concat()
}

/// Runs it on each of `seeds` and on what was kept for it.
fn replay(target: &str, run: fn(&[u8], &Bound), seeds: Vec<Vec<u8>>) {
    let kept = files(&root().join("fixtures/fuzz").join(target));
    assert!(seeds.len() >= 20 && kept.len() >= 100, "{} inputs, {} kept", seeds.len(), kept.len());
    for data in seeds.iter().chain(&kept) {
        // Shown only when the next line panics.
        println!("{:?}", String::from_utf8_lossy(data));
        run(data, &BOUND);
    }
}

#[test]
fn the_reader_holds_on_every_input_kept() {
    replay("reader", targets::reader, calendars());
}

#[test]
fn busy_time_holds_on_every_input_kept() {
    replay("busy", targets::busy, calendars());
}

#[test]
fn rules_hold_on_every_input_kept() {
    let mut seeds = Vec::new();
    for calendar in calendars() {
        let text = String::from_utf8_lossy(&calendar).into_owned();
        let value = |name: &str| {
            let lines = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit_once(':'));
            lines.map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>()
        };
        let start = value("DTSTART").first().cloned().unwrap_or_default();
        seeds.extend(
            value("RRULE").iter().map(|rule| format!("{}\n{rule}\n", start.trim_end_matches('Z')).into_bytes()),
        );
    }
    replay("rule", targets::rule, seeds);
}

#[test]
fn zones_hold_on_every_input_kept() {
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for calendar in calendars() {
        let text = String::from_utf8_lossy(&calendar).replace("\r\n", "\n");
        for rest in text.split("BEGIN:VTIMEZONE\nTZID:").skip(1) {
            let inner = rest.split("END:VTIMEZONE").next().unwrap();
            seeds.push(inner.into());
            seeds.extend(inner.split_once('\n').map(|(_, observances)| format!("Odd\n{observances}").into_bytes()));
        }
    }
    replay("zone", targets::zone, seeds);
}
