//! iCalendar text as other programs would write it, and days that every story can use whenever it runs.

use jiff::{Timestamp, civil};

/// The time on the wall: tests are the edge of the world, where it may be asked.
#[expect(clippy::disallowed_methods, reason = "a black-box test has no clock to hand in")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A civil day of the host, far enough ahead that nothing of it is past or too soon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day(pub(crate) civil::Date);

impl Day {
    /// Some days from today, in Europe/Berlin, where the hosts of the tests live.
    pub(crate) fn ahead(days: i64) -> Day {
        let today = now().in_tz(BERLIN).unwrap().date();
        Day(today.checked_add(jiff::Span::new().days(days)).unwrap())
    }

    /// The instant of a wall-clock time such as `"09:30"` on that day.
    pub(crate) fn at(self, time: &str) -> Timestamp {
        let time: civil::Time = format!("{time}:00").parse().unwrap();
        self.0.to_datetime(time).in_tz(BERLIN).unwrap().timestamp()
    }

    /// Midnight of the day and of the next.
    pub(crate) fn window(self) -> (Timestamp, Timestamp) {
        let next = self.0.tomorrow().unwrap();
        (self.at("00:00"), Day(next).at("00:00"))
    }
}

const BERLIN: &str = "Europe/Berlin";

/// An instant as iCalendar writes it: `20261201T080000Z`.
pub(crate) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A calendar object with one VEVENT of these lines (and UID, DTSTAMP).
pub(crate) fn event(uid: &str, lines: &[&str]) -> String {
    let mut text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n"
    );
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("END:VEVENT\r\nEND:VCALENDAR\r\n");
    text
}
