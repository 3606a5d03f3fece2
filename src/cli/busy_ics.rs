//! `officehours busy --ics`: the busy time of `.ics` files as JSON, with no config, no network and no store.
//! Start with [`run`].

use crate::availability::{BusyRules, Counting, Interval, IntervalSet, Tentative, object_busy};
use crate::ical::Zone;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the command line asks for, as written there.
#[derive(Clone, Debug)]
pub struct BusyIcs {
    /// Files, or folders of `.ics` files.
    pub paths: Vec<PathBuf>,
    /// An RFC 3339 instant, or a date: its first instant in `time_zone`.
    pub from: String,
    /// As `from`; not included.
    pub to: String,
    /// IANA name of the host's zone, for floating times and dates.
    pub time_zone: String,
    /// The host's addresses, with or without `mailto:`.
    pub owner: Vec<String>,
    /// How tentative events count.
    pub tentative: Tentative,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum BusyIcsError {
    /// Wrong usage: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// A path that cannot be opened: exit status 1.
    #[error("{path} cannot be opened")]
    Open {
        /// As it was given.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The answer cannot be written: exit status 1.
    #[error("the answer cannot be written")]
    Write(#[from] std::io::Error),
}

impl BusyIcsError {
    /// The exit status that INTERFACE.md gives it.
    pub fn exit_status(&self) -> u8 {
        if matches!(self, BusyIcsError::Usage(_)) { 2 } else { 1 }
    }
}

/// Reads every file by itself and writes one JSON document: `{"from", "to", "busy", "warnings"}`.
pub fn run(args: &BusyIcs, out: &mut dyn Write) -> Result<(), BusyIcsError> {
    let zone = Zone::named(&args.time_zone).ok_or_else(|| {
        BusyIcsError::Usage(format!("{:?} is no IANA time zone, such as Europe/Berlin", args.time_zone))
    })?;
    let window = Interval::new(parse_time(&args.from, &zone)?, parse_time(&args.to, &zone)?)
        .ok_or_else(|| BusyIcsError::Usage("--to must be later than --from".to_owned()))?;
    let owner = args.owner.iter().map(|address| address.to_lowercase()).collect();
    let counting = Counting { tentative: args.tentative, ..Counting::default() };
    let rules = BusyRules { zone, owner, counting };

    let mut intervals = Vec::new();
    let mut warnings: Vec<Value> = Vec::new();
    let mut warn = |file: &Path, uid: Option<String>, what: String| {
        warnings.push(json!({ "file": file.display().to_string(), "uid": uid, "what": what }));
    };
    for path in &args.paths {
        let open = |source| BusyIcsError::Open { path: path.display().to_string(), source };
        let folder = std::fs::metadata(path).map_err(open)?.is_dir();
        let mut files = vec![path.clone()];
        if folder {
            files = ics_files(path).map_err(open)?;
            if files.is_empty() {
                warn(path, None, "there is no .ics file in this folder".to_owned());
            }
        }
        for file in files {
            let data = match std::fs::read(&file) {
                Ok(data) => data,
                Err(source) if !folder => return Err(open(source)),
                Err(error) => {
                    warn(&file, None, format!("it cannot be read: {error}"));
                    continue;
                }
            };
            let busy = object_busy(&data, &rules, window);
            intervals.extend(busy.intervals.iter().map(|busy| busy.interval));
            for warning in busy.warnings {
                warn(&file, warning.uid, warning.what);
            }
        }
    }
    let busy: IntervalSet = intervals.into_iter().collect();
    let busy: Vec<Value> =
        busy.clipped(window).iter().map(|i| json!([i.start().to_string(), i.end().to_string()])).collect();
    let answer = json!({
        "from": window.start().to_string(),
        "to": window.end().to_string(),
        "busy": busy,
        "warnings": warnings,
    });
    writeln!(out, "{answer}")?;
    Ok(())
}

/// An RFC 3339 instant, or a date: its first instant in the zone.
pub fn parse_time(text: &str, zone: &Zone) -> Result<Timestamp, BusyIcsError> {
    let date = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
    let midnight = date.and_then(|date| zone.instant(date.to_datetime(Time::midnight())));
    midnight
        .or_else(|| text.parse().ok())
        .ok_or_else(|| BusyIcsError::Usage(format!("{text:?} is no time: write 2026-03-01T00:00:00Z, or a date")))
}

/// The `.ics` files of a folder, by name.
fn ics_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ics")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(paths: Vec<PathBuf>) -> BusyIcs {
        BusyIcs {
            paths,
            from: "2026-03-01".to_owned(),
            to: "2026-05-01T00:00:00Z".to_owned(),
            time_zone: "America/New_York".to_owned(),
            owner: vec!["mailto:Prof@example.edu".to_owned()],
            tentative: Tentative::Busy,
        }
    }

    fn answer(args: &BusyIcs) -> Value {
        let mut out = Vec::new();
        run(args, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn every_case_of_fixtures_busy_has_its_known_busy_time() {
        cases_hold("fixtures/busy", 292);
    }

    #[test]
    fn the_table_of_what_pins_each_rule_names_cases_that_exist() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/busy");
        let text = std::fs::read_to_string(folder.join("README.md")).unwrap();
        let files = ics_files(&folder).unwrap();
        let stems: Vec<&str> = files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
        let table = text.split_once("## What pins each rule").unwrap().1;
        let cells = table.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').nth(1));
        let mut named = 0;
        for case in cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
            let is_there = match case.strip_suffix('*') {
                Some(start) => stems.iter().any(|stem| stem.starts_with(start)),
                None => stems.contains(&case),
            };
            assert!(is_there, "{case}");
            named += 1;
        }
        assert!(named > 100, "{named}");
    }

    #[test]
    fn calendars_as_real_programs_write_them_have_their_known_busy_time() {
        cases_hold("fixtures/ical", 8);
    }

    fn cases_hold(folder: &str, least: usize) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut wrong = Vec::new();
        let files = ics_files(&folder).unwrap();
        assert!(files.len() >= least, "{} cases", files.len());
        for file in files {
            let case: Value = serde_json::from_slice(&std::fs::read(file.with_extension("json")).unwrap()).unwrap();
            let text = |key: &str| case[key].as_str().unwrap().to_owned();
            let tentative = if case["tentative_free"] == true { Tentative::Free } else { Tentative::Busy };
            let owner =
                case["owner"].as_array().unwrap().iter().map(|owner| owner.as_str().unwrap().to_owned()).collect();
            let (from, to, time_zone) = (text("from"), text("to"), text("tz"));
            let got = answer(&BusyIcs { paths: vec![file.clone()], from, to, time_zone, owner, tentative });
            let told: Vec<&str> =
                got["warnings"].as_array().unwrap().iter().filter_map(|w| w["what"].as_str()).collect();
            let expected: Vec<&str> =
                case["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let as_expected = told.len() == expected.len()
                && expected.iter().all(|part| told.iter().any(|warning| warning.contains(part)));
            if !as_expected {
                wrong.push(format!("{}: expected warnings {expected:?}, got {told:?}", file.display()));
            }
            if got["busy"] != case["busy"] {
                wrong.push(format!(
                    "{}: {}\n  expected {}\n  got      {}",
                    file.display(),
                    text("why"),
                    case["busy"],
                    got["busy"]
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn files_are_read_by_themselves_and_what_cannot_be_read_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        let event = |start: &str| {
            format!(
                "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:{start}\r\nDURATION:PT1H\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            )
        };
        std::fs::write(folder.path().join("a.ics"), event("20260310T100000Z")).unwrap();
        std::fs::write(folder.path().join("b.ICS"), event("20260310T110000Z")).unwrap();
        std::fs::write(folder.path().join("c.ics"), "<html>").unwrap();
        std::fs::write(folder.path().join("d.txt"), event("20260310T150000Z")).unwrap();
        let got = answer(&args(vec![folder.path().to_owned(), empty.clone()]));
        assert_eq!(got["from"], "2026-03-01T05:00:00Z", "a date is local midnight");
        assert_eq!(got["busy"], json!([["2026-03-10T10:00:00Z", "2026-03-10T12:00:00Z"]]));
        let files: Vec<&str> =
            got["warnings"].as_array().unwrap().iter().map(|w| w["file"].as_str().unwrap()).collect();
        assert_eq!(files, [folder.path().join("c.ics").to_str().unwrap(), empty.to_str().unwrap()]);
    }

    #[test]
    fn a_path_that_cannot_be_opened_fails_and_wrong_usage_is_told_apart() {
        let status = |args: BusyIcs| run(&args, &mut Vec::new()).unwrap_err().exit_status();
        assert_eq!(status(args(vec!["/nowhere/at/all.ics".into()])), 1);
        assert_eq!(status(BusyIcs { time_zone: "Nowhere".to_owned(), ..args(vec![]) }), 2);
        assert_eq!(status(BusyIcs { to: "2026-03-01".to_owned(), ..args(vec![]) }), 2);
        assert_eq!(status(BusyIcs { from: "yesterday".to_owned(), ..args(vec![]) }), 2);
    }
}
