//! A config file for one host, written as a user would write it.

use super::{Calendar, Server, free_port};
use std::fmt::Write;

/// What goes into the file. Change what the story is about, leave the rest.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) port: u16,
    pub(crate) url: String,
    pub(crate) user: String,
    /// Empty: the key is left out.
    pub(crate) password: String,
    /// `None`: the key is left out.
    pub(crate) calendars: Option<Vec<String>>,
    /// The calendar that bookings are written to.
    pub(crate) bookings: String,
    pub(crate) poll: String,
    pub(crate) max_staleness: String,
    pub(crate) time_zone: String,
    pub(crate) weekly: Vec<String>,
    pub(crate) meetings: Vec<Meeting>,
    /// Further lines of `[[host.account]]`.
    pub(crate) account_lines: String,
    /// Further lines of `[server]`.
    pub(crate) server_lines: String,
    /// The lines of `[limits]`.
    pub(crate) limits: String,
    /// Further lines of `[host.hours]`.
    pub(crate) hours_lines: String,
    /// Further lines of `[host.bookings]`.
    pub(crate) bookings_lines: String,
    /// Further tables at the end.
    pub(crate) more: String,
}

/// Nothing is limited.
const NO_LIMITS: &str = "bookings_per_ip = \"off\"\nbookings_per_guest = \"off\"\nrequests_per_ip = \"off\"\noverlays_per_ip = \"off\"\nopen_per_guest = \"off\"\n";

/// A meeting type.
#[derive(Clone, Debug)]
pub(crate) struct Meeting {
    pub(crate) id: String,
    pub(crate) duration: String,
    pub(crate) step: String,
    pub(crate) notice: String,
    pub(crate) horizon: String,
    pub(crate) location: String,
    /// Further lines of `[[host.meeting]]`.
    pub(crate) lines: String,
}

impl Meeting {
    pub(crate) fn new(id: &str, duration: &str, step: &str) -> Meeting {
        Meeting {
            id: id.to_owned(),
            duration: duration.to_owned(),
            step: step.to_owned(),
            notice: "0m".to_owned(),
            horizon: "14d".to_owned(),
            location: "Room 2.12".to_owned(),
            lines: String::new(),
        }
    }

    /// With further lines.
    pub(crate) fn with(self, lines: &str) -> Meeting {
        Meeting { lines: lines.to_owned(), ..self }
    }
}

impl Config {
    /// One host, Emmy Noether in Berlin, willing every day from 9 to 12, half an hour each, whose calendar is this one;
    /// the account's URL is the bare server, so that everything is discovered.
    pub(crate) fn new(calendar: &Calendar) -> Config {
        let Server { url, user, password, .. } = &calendar.server;
        Config {
            port: free_port(),
            url: url.clone(),
            user: user.clone(),
            password: password.clone(),
            calendars: Some(vec![calendar.name.clone()]),
            bookings: calendar.name.clone(),
            poll: "1s".to_owned(),
            max_staleness: "30m".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            weekly: vec!["Mon-Sun 09:00-12:00".to_owned()],
            meetings: vec![Meeting::new("office-hour", "30m", "30m")],
            account_lines: String::new(),
            server_lines: String::new(),
            limits: NO_LIMITS.to_owned(),
            hours_lines: String::new(),
            bookings_lines: String::new(),
            more: String::new(),
        }
    }

    /// With these meeting types.
    pub(crate) fn meetings(self, meetings: impl Into<Vec<Meeting>>) -> Config {
        Config { meetings: meetings.into(), ..self }
    }

    /// The file.
    pub(crate) fn toml(&self) -> String {
        let Config { port, url, user, password, bookings, poll, max_staleness, time_zone, .. } = self;
        let Config { server_lines, limits, .. } = self;
        let mut text = format!(
            r#"[server]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
{server_lines}
[store]
path = "officehours.db"

[limits]
{limits}
[[host]]
id = "noether"
name = "Emmy Noether"
email = "noether@example.edu"
time_zone = "{time_zone}"
max_staleness = "{max_staleness}"

[[host.account]]
id = "work"
url = "{url}"
username = "{user}"
poll = "{poll}"
"#
        );
        if !password.is_empty() {
            writeln!(text, "password = \"{password}\"").unwrap();
        }
        if let Some(calendars) = &self.calendars {
            writeln!(text, "calendars = {calendars:?}").unwrap();
        }
        let Config { account_lines, bookings_lines, hours_lines, weekly, .. } = self;
        write!(
            text,
            "{account_lines}\n[host.bookings]\ncalendar = \"work/{bookings}\"\n{bookings_lines}\n[host.hours]\nweekly = {weekly:?}\n{hours_lines}\n"
        )
        .unwrap();
        for Meeting { id, duration, step, notice, horizon, location, lines } in &self.meetings {
            write!(
                text,
                r#"
[[host.meeting]]
id = "{id}"
title = "Office hour"
description = "Questions about the course."
duration = "{duration}"
step = "{step}"
notice = "{notice}"
horizon = "{horizon}"
location = "{location}"
{lines}
"#
            )
            .unwrap();
        }
        text.push_str(&self.more);
        text
    }
}
