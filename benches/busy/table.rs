//! The table at the end: what criterion measured, as ratios.

use std::path::Path;

/// The rows that compare: the group, with ours first.
const COMPARED: [&str; 3] = ["10,000 events, 60 days", "one weekly rule since 1990, 60 days", "10,000 rules, 60 days"];
const ENGINES: [&str; 5] = ["ours", "libical", "rrule", "ical-rs", "calcard"];

/// Nanoseconds by criterion's estimates; `None` where it was not measured.
fn nanos(folder: &Path, group: &str, name: &str) -> Option<f64> {
    let plain = |name: &str| name.replace(['/', '?', '"', '*', '<', '>', '\\', ':', '|', '^'], "_");
    let file = folder.join(plain(group)).join(plain(name)).join("new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}

fn time(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.2} us", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}

/// Prints what there is in criterion's `folder`.
pub(crate) fn print(folder: &Path) {
    println!("\n{:<36}{:>11}{}", "", "ours", ENGINES[1..].iter().map(|name| format!("{name:>10}")).collect::<String>());
    for group in COMPARED {
        let Some(ours) = nanos(folder, group, "ours") else { continue };
        let ratio = |name: &&str| match nanos(folder, group, name) {
            Some(theirs) => format!("{:>10}", format!("{:.1}x", theirs / ours)),
            None => format!("{:>10}", "-"),
        };
        println!("{group:<36}{:>11}{}", time(ours), ENGINES[1..].iter().map(ratio).collect::<String>());
    }
    for (group, name) in [
        ("one weekly rule, 60 days", "begun last week"),
        ("published", "one changed event of 10,000"),
        ("published", "one changed series of 10,000"),
        ("published", "a pass that changed nothing"),
        ("published", "slots of 60 days"),
        ("published", "feed of these slots"),
    ] {
        if let Some(ours) = nanos(folder, group, name) {
            println!("{:<36}{:>11}", if group == "published" { name } else { group }, time(ours));
        }
    }
}
