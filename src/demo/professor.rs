//! A sample professor's term, as several calendar programs wrote it (`fixtures/professor`), moved to today. Start with [`professor`].

use super::Transparency;
use jiff::Span;
use jiff::civil::{Date, Weekday, date};

/// One calendar of the professor.
#[derive(Clone, Debug)]
pub struct SampleCalendar {
    /// Its name in the URL.
    pub name: &'static str,
    /// Its name for people.
    pub display_name: &'static str,
    /// Whether its events make the professor busy.
    pub transparency: Transparency,
    /// File names and iCalendar texts.
    pub objects: Vec<(&'static str, String)>,
}

/// The Monday of the week that the files were written in.
const WRITTEN: Date = date(2026, 11, 23);

/// File names and texts of a folder of `fixtures/professor`.
macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../fixtures/professor/", $folder, "/", $name)))),+]
    };
}

type Files = &'static [(&'static str, &'static str)];

const CALENDARS: [(&str, &str, Transparency, Files); 5] = [
    (
        "Work",
        "Work",
        Transparency::Opaque,
        files!("work":
            "budget-cancelled.ics", "call-dean.ics", "colloquium.ics", "conference.ics", "doctoral-committee.ics",
            "faculty-meeting.ics", "grant-deadline.ics", "library-committee-declined.ics", "reading-time.ics", "thesis-emil.ics",
            "trip-flight-back.ics", "trip-flight-out.ics", "trip-talk.ics", "trip-workshop.ics", "visit-van-der-waerden.ics"),
    ),
    (
        "Teaching",
        "Teaching",
        Transparency::Opaque,
        files!("teaching":
            "algebra-exercises.ics", "algebra.ics", "invariants.ics", "oral-exams.ics", "topology-guest-lecture.ics"),
    ),
    (
        "Personal",
        "Personal",
        Transparency::Opaque,
        files!("personal":
            "birthday.ics", "choir.ics", "day-off.ics", "dentist.ics", "station.ics", "swimming.ics"),
    ),
    (
        "Birthdays",
        "Birthdays",
        Transparency::Transparent,
        files!("birthdays": "artin.ics", "hilbert.ics", "klein.ics", "weyl.ics"),
    ),
    ("Office-hours", "Office hours", Transparency::Transparent, files!("office-hours": "tuesday.ics")),
];

/// The professor's calendars, with every date moved by whole weeks so that the week they were written in is the week of `today`.
/// Weekdays and times of day stay; a monthly series moves further, so that the second Wednesday stays one.
pub fn professor(today: Date) -> Vec<SampleCalendar> {
    let days = WRITTEN.until(monday(today)).map_or(0, |span| span.get_days());
    let weeks = days / 7;
    let calendar = |(name, display_name, transparency, files): (_, _, _, Files)| SampleCalendar {
        name,
        display_name,
        transparency,
        objects: files.iter().map(|(name, text)| (*name, shift(text, weeks))).collect(),
    };
    CALENDARS.into_iter().map(calendar).collect()
}

fn monday(day: Date) -> Date {
    let back = i64::from(Weekday::to_monday_zero_offset(day.weekday()));
    day.checked_sub(Span::new().days(back)).unwrap_or(day)
}

/// The text with its dates moved; what is inside a VTIMEZONE stays, and so do DTSTAMP, CREATED and LAST-MODIFIED.
fn shift(text: &str, weeks: i32) -> String {
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "");
    let weeks = weeks + monthly_correction(&unfolded, weeks);
    let mut out = String::with_capacity(text.len());
    let mut in_zone = false;
    for line in unfolded.lines() {
        match line {
            "BEGIN:VTIMEZONE" => in_zone = true,
            "END:VTIMEZONE" => in_zone = false,
            _ => {}
        }
        let name = line.split([':', ';']).next().unwrap_or_default();
        let dated = matches!(name, "DTSTART" | "DTEND" | "EXDATE" | "RDATE" | "RECURRENCE-ID" | "RRULE") && !in_zone;
        if dated {
            // No zone's name in the samples has a colon.
            let (head, value) = line.split_once(':').unwrap_or((line, ""));
            fold(&format!("{head}:{}", shift_dates(value, weeks)), &mut out);
        } else {
            fold(line, &mut out);
        }
    }
    out
}

/// How many weeks more keep the first start the n-th of its weekday in its month, for a monthly series.
fn monthly_correction(unfolded: &str, weeks: i32) -> i32 {
    let monthly = unfolded.lines().any(|line| line.starts_with("RRULE:FREQ=MONTHLY"));
    let events = unfolded.find("BEGIN:VEVENT").and_then(|at| unfolded.get(at..)).unwrap_or_default();
    let start = events
        .lines()
        .filter(|line| line.starts_with("DTSTART"))
        .find_map(|line| line.split_once(':'))
        .and_then(|(_, v)| read(v.get(..8)?));
    let (true, Some(start)) = (monthly, start) else { return 0 };
    let ordinal = |date: Date| (date.day() - 1) / 7;
    let fits = |more: &i32| moved(start, weeks + more).is_some_and(|date| ordinal(date) == ordinal(start));
    [0, -1, 1, -2, 2, -3, 3, -4, 4].into_iter().find(fits).unwrap_or(0)
}

/// Moves each date in a value: each run of exactly eight digits.
fn shift_dates(value: &str, weeks: i32) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (part, after) = rest.split_at(if digits == 0 { character.len_utf8() } else { digits });
        match read(part).and_then(|date| moved(date, weeks)) {
            Some(date) => out.push_str(&date.strftime("%Y%m%d").to_string()),
            None => out.push_str(part),
        }
        rest = after;
    }
    out
}

fn moved(date: Date, weeks: i32) -> Option<Date> {
    date.checked_add(Span::new().try_weeks(weeks).ok()?).ok()
}

fn read(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Date::new(text.get(..4)?.parse().ok()?, text.get(4..6)?.parse().ok()?, text.get(6..)?.parse().ok()?).ok()
}

/// Writes a line in pieces of at most 75 octets, never inside a character (RFC 5545 section 3.1).
fn fold(line: &str, out: &mut String) {
    let mut used = 0;
    for character in line.chars() {
        if used + character.len_utf8() > 75 {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push(character);
        used += character.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::{CalendarServer, Credentials, Storage};
    use super::*;

    fn object(today: Date, name: &str) -> String {
        let all = professor(today);
        let found = all.iter().flat_map(|calendar| &calendar.objects).find(|(file, _)| *file == name);
        found.unwrap().1.replace("\r\n ", "")
    }

    #[test]
    fn in_the_week_of_the_files_nothing_moves() {
        for calendar in CALENDARS {
            for (name, text) in calendar.3 {
                assert_eq!(shift(text, 0), *text, "{name}");
            }
        }
        assert_eq!(object(date(2026, 11, 29), "algebra.ics"), object(date(2026, 11, 23), "algebra.ics"));
    }

    #[test]
    fn dates_move_by_whole_weeks_and_those_of_zones_stay() {
        let text = object(date(2027, 3, 5), "algebra.ics");
        for line in [
            "DTSTART;TZID=Europe/Berlin:20270118T101500",
            "RRULE:FREQ=WEEKLY;UNTIL=20270519T225959Z;BYDAY=MO,WE",
            "EXDATE;TZID=Europe/Berlin:20270329T101500,20270331T101500",
            "RECURRENCE-ID;TZID=Europe/Berlin:20270315T101500",
            "DTSTART:19700329T020000",
            "DTSTAMP:20261116T142201Z",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line} in {text}");
        }
    }

    #[test]
    fn the_monthly_meeting_stays_on_the_second_wednesday() {
        let mut today = date(2024, 1, 1);
        while today < date(2030, 1, 1) {
            let text = object(today, "faculty-meeting.ics");
            let event = text.split("BEGIN:VEVENT").nth(1).unwrap();
            let line = event.lines().find(|line| line.starts_with("DTSTART")).unwrap();
            let start = read(&line.split_once(':').unwrap().1[..8]).unwrap();
            assert_eq!((start.weekday(), (start.day() - 1) / 7), (Weekday::Wednesday, 1), "{today}: {line}");
            assert!(start < today && start > today - Span::new().weeks(11), "{today}: {line}");
            today += Span::new().days(5);
        }
    }

    #[test]
    fn every_object_is_one_that_the_server_takes_and_every_file_is_listed() {
        let server =
            CalendarServer::new(Credentials { user: "n".to_owned(), password: "p".to_owned() }, Storage::Memory)
                .unwrap();
        let mut count = 0;
        for calendar in professor(date(2028, 2, 29)) {
            server.add_calendar(calendar.name, calendar.display_name, calendar.transparency).unwrap();
            for (name, text) in &calendar.objects {
                assert!(crate::demo::server::is_calendar_object(text), "{name}");
                assert!(text.split("\r\n").all(|line| line.len() <= 75), "{name}");
                server.put_object(calendar.name, name, text).unwrap();
                count += 1;
            }
        }
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/professor");
        let files =
            std::fs::read_dir(folder).unwrap().filter_map(|entry| std::fs::read_dir(entry.unwrap().path()).ok());
        assert_eq!(files.map(Iterator::count).sum::<usize>(), count);
    }
}
