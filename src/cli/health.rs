//! How a source does, in a line, by what the daemon keeps of its passes. Pure, by [`line`].

use crate::ical::Zone;
use crate::store::SourceReport;
use jiff::{SignedDuration, Timestamp};

/// So much later than it was to be, a pass is late.
const LATE: SignedDuration = SignedDuration::from_mins(2);

/// For people to read: age, trouble, and when it is read next; times by the clock in `zone`.
pub(super) fn line(report: Option<&SourceReport>, zone: &Zone, now: Timestamp) -> String {
    let Some(report) = report else { return "no daemon has looked at it yet".to_owned() };
    let clock = |at: Timestamp| zone.civil(at).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let read = match report.read_at {
        Some(at) => format!("last read {} ({} ago)", clock(at), age(now.duration_since(at))),
        None => "never read".to_owned(),
    };
    let next = match now.duration_since(report.next_at) > LATE {
        true => format!("the next pass was due at {}: does the daemon run?", clock(report.next_at)),
        false => format!("next at {}", clock(report.next_at)),
    };
    match &report.trouble {
        None => format!("{read}; {next}"),
        Some(trouble) => {
            format!("{read}; {} since {}: {}; {next}", trouble.kind, clock(trouble.since), trouble.what)
        }
    }
}

/// In the largest unit of which there are two.
fn age(age: SignedDuration) -> String {
    match age.as_secs().max(0) {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 2 * 3600 => format!("{} min", seconds / 60),
        seconds if seconds < 2 * 86_400 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ReportedTrouble;

    #[test]
    fn a_source_is_told_with_its_age_its_trouble_and_its_next_pass() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let at = |minute: i64| "2026-12-01T11:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute);
        let well = SourceReport { read_at: Some(at(0)), trouble: None, looked_at: at(0), next_at: at(5) };
        assert_eq!(line(None, &zone, at(0)), "no daemon has looked at it yet");
        assert_eq!(
            line(Some(&well), &zone, at(1)),
            "last read 2026-12-01 12:00:00 (60 s ago); next at 2026-12-01 12:05:00"
        );
        assert!(line(Some(&well), &zone, at(180)).ends_with("was due at 2026-12-01 12:05:00: does the daemon run?"));
        let trouble = ReportedTrouble { kind: "login".into(), since: at(10), what: "refused".into() };
        let refused = SourceReport { trouble: Some(trouble), looked_at: at(10), next_at: at(15), ..well };
        assert_eq!(
            line(Some(&refused), &zone, at(14)),
            "last read 2026-12-01 12:00:00 (14 min ago); login since 2026-12-01 12:10:00: refused; next at 2026-12-01 12:15:00"
        );
        assert_eq!(
            (age(SignedDuration::from_hours(47)), age(SignedDuration::from_hours(49))),
            ("47 h".into(), "2 d".into())
        );
    }
}
