//! A calendar of a thousand events whose busy time is known without reading it.

use crate::support::{Calendar, Day, event, stamp};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

/// Twenty events a day for fifty days, from day 30 on; a tenth each transparent and cancelled, a tenth daily series.
pub(super) const EVENTS: i64 = 1_000;
const FIRST_DAY: i64 = 30;

/// The start of the event of that number: each has 72 minutes to itself.
fn start(n: i64) -> Timestamp {
    Day::ahead(FIRST_DAY + n / 20).at("00:00") + SignedDuration::from_mins(72 * (n % 20))
}

const LONG: SignedDuration = SignedDuration::from_mins(30);

fn text(n: i64) -> String {
    let start = start(n);
    let utc = format!("DTSTART:{}", stamp(start));
    let end = format!("DTEND:{}", stamp(start + LONG));
    let berlin = start.in_tz("Europe/Berlin").unwrap().strftime("DTSTART;TZID=Europe/Berlin:%Y%m%dT%H%M%S").to_string();
    let summary = format!("SUMMARY:Besprechung {n}: Übungen & <Korrekturen>\\, wie immer");
    let lines: [&str; 4] = match n % 10 {
        0 => [&utc, &end, "TRANSP:TRANSPARENT", &summary],
        1 => [&utc, &end, "STATUS:CANCELLED", &summary],
        2 => [&berlin, "DURATION:PT30M", "X-OF-ANOTHER:program", &summary],
        3 => [&utc, "DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=2", &summary],
        _ => [&utc, &end, "DESCRIPTION:Raum 2.12\\nBitte pünktlich", &summary],
    };
    event(&format!("large-{n}"), &lines)
}

/// Puts them there, four at a time.
pub(super) async fn load(calendar: &Calendar) {
    stream::iter(0..EVENTS)
        .for_each_concurrent(4, async |n| calendar.put(&format!("large-{n}.ics"), &text(n)).await)
        .await;
}

/// When they make busy.
pub(super) fn busy() -> Vec<(Timestamp, Timestamp)> {
    let one = |n: i64, days: i64| {
        let start = start(n);
        let start = start + SignedDuration::from_hours(24 * days);
        (start, start + LONG)
    };
    let mut busy = Vec::new();
    for n in 0..EVENTS {
        match n % 10 {
            0 | 1 => {}
            3 => busy.extend([one(n, 0), one(n, 1)]),
            _ => busy.push(one(n, 0)),
        }
    }
    busy
}
