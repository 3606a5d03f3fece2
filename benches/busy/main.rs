//! How fast busy time is, beside other engines in the same run: libical, and the crates `rrule`, `ical-rs` and `calcard`.
//! `cargo bench` prints a table of ratios at the end.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench fails by panicking")]

mod calendar;
mod engines;
mod libical;
mod published;
mod table;

use criterion::Criterion;
use libical::{Ask, Libical};
use officehours::availability::object_busy;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// `calcard` needs more than a minute for all objects: every so many of them stand for all.
const SAMPLED: usize = 100;

fn objects(c: &mut Criterion, libical: Option<&Libical>) {
    let (window, rules, objects) = (calendar::window(), calendar::rules(), calendar::objects());
    let found =
        || objects.iter().map(|text| object_busy(text.as_bytes(), &rules, window).intervals.len()).sum::<usize>();
    let mut group = c.benchmark_group("10,000 events, 60 days");
    group.sample_size(10);
    group.bench_function("ours", |b| b.iter(found));
    if let Some(libical) = libical {
        let file = libical.write(Ask::Objects, objects.iter().map(String::as_str));
        // Four starts are not of their rules: RFC 5545 3.8.5.3 leaves open whether they happen; with us they do, with a warning.
        let odd = |text: &&String| !object_busy(text.as_bytes(), &rules, window).warnings.is_empty();
        let (ours, theirs) = (found(), libical.rounds(Ask::Objects, &file, 1).0);
        println!("busy intervals: ours {ours}, libical {theirs}");
        assert_eq!(ours, theirs + objects.iter().filter(odd).count());
        group.bench_function("libical", |b| b.iter_custom(|rounds| libical.rounds(Ask::Objects, &file, rounds).1));
    }
    let sample: Vec<&String> = objects.iter().step_by(SAMPLED + 1).collect();
    group.bench_function("calcard", |b| {
        b.iter_custom(|rounds| {
            let began = Instant::now();
            for _ in 0..rounds {
                black_box(sample.iter().map(|text| engines::calcard(text, window)).sum::<usize>());
            }
            began.elapsed() * u32::try_from(objects.len() / sample.len()).unwrap()
        })
    });
    group.finish();
}

fn recurrences(c: &mut Criterion, libical: Option<&Libical>) {
    let (window, zone) = (calendar::window(), calendar::rules().zone);
    let weekly = |start: &str| (start.to_owned(), "FREQ=WEEKLY;BYDAY=MO,WE".to_owned());
    for (group, recurrences, samples) in [
        ("10,000 rules, 60 days", calendar::recurrences(10_000), 10),
        ("one weekly rule since 1990, 60 days", vec![weekly("19900101T100000")], 50),
    ] {
        let mut group = c.benchmark_group(group);
        group.sample_size(samples);
        let all = || recurrences.iter();
        group.bench_function("ours", |b| {
            b.iter(|| all().map(|r| engines::ours(black_box(r), &zone, window)).sum::<usize>())
        });
        if let Some(libical) = libical {
            let lines: Vec<String> = all().map(|(start, rule)| format!("{start} {rule}")).collect();
            let file = libical.write(Ask::Rules, lines.iter().map(String::as_str));
            group.bench_function("libical", |b| b.iter_custom(|rounds| libical.rounds(Ask::Rules, &file, rounds).1));
        }
        group.bench_function("rrule", |b| b.iter(|| all().map(|r| engines::rrule(black_box(r))).sum::<usize>()));
        group.bench_function("ical-rs", |b| b.iter(|| all().map(|r| engines::ical_rs(black_box(r))).sum::<usize>()));
        group.finish();
    }
    let mut group = c.benchmark_group("one weekly rule, 60 days");
    let last_week = weekly("20260223T100000");
    group.bench_function("begun last week", |b| b.iter(|| engines::ours(black_box(&last_week), &zone, window)));
    group.finish();
}

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    let mut criterion = Criterion::default()
        .output_directory(&folder)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let libical = Libical::compile();
    objects(&mut criterion, libical.as_ref());
    recurrences(&mut criterion, libical.as_ref());
    published::measure(&mut criterion);
    criterion.final_summary();
    table::print(&folder);
}
