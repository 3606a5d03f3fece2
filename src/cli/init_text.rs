//! The text of a new config file: what was found and answered, in the comments that a newcomer needs. Pure.

/// What goes into the file.
#[derive(Clone, Debug)]
pub(super) struct InitText {
    /// In URLs.
    pub(super) id: String,
    /// As guests see them.
    pub(super) name: String,
    /// Where they get mail.
    pub(super) email: String,
    /// An IANA name.
    pub(super) time_zone: String,
    /// Where the calendars were found.
    pub(super) url: String,
    /// The login.
    pub(super) username: String,
    /// The file with its password.
    pub(super) password_file: String,
    /// Names or hrefs of the calendars that make the host busy.
    pub(super) calendars: Vec<String>,
    /// The name or href of the calendar that bookings are written to.
    pub(super) bookings: Option<String>,
}

impl InitText {
    /// The file.
    pub(super) fn toml(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let calendars = self.calendars.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let bookings = match &self.bookings {
            Some(name) => format!("[host.bookings]\ncalendar = {}", quoted(&format!("work/{name}"))),
            None => "# No calendar that was found can be written: slots are shown and none can be booked.\n\
                     #[host.bookings]\n#calendar = \"work/Bookings\""
                .to_owned(),
        };
        format!(
            r#"# officehours: written by `officehours init`. What to do next:
#   officehours check     connects, and says what each calendar contributes
#   officehours run       the daemon: the page is then at the address of `listen` below
# Saving this file reloads it in the running daemon. Every other key, with what it does, is in the example
# config/officehours.toml that comes with officehours.

[server]
# Where the daemon listens, and what it is called from outside: links and feeds begin with it. Guests elsewhere need a
# web server with https in front of it, and its address here.
listen = "127.0.0.1:8080"
public_url = "http://127.0.0.1:8080"

# Where bookings and copies of the calendars are kept. Without it: $STATE_DIRECTORY, else $XDG_STATE_HOME/officehours.
#[store]
#path = "/var/lib/officehours/officehours.db"


[[host]]
# In URLs: {{public_url}}/{id_plain}. Keep it once links are out.
id = {id}
name = {name}
# Also tells which answers to invitations are yours.
email = {email}
# Hours and days are by this clock.
time_zone = {time_zone}

[[host.account]]
id = "work"
url = {url}
username = {username}
password = {{ file = {password_file} }}
# The calendars that make you busy.
calendars = [{calendars}]

# Where bookings are written: ACCOUNT/CALENDAR. Moving such an event moves the booking, deleting it cancels it.
{bookings}

# When you are willing to meet; what your calendars say is taken off.
[host.hours]
weekly = ["Mon-Fri 09:00-12:00 13:00-17:00"]
# Exceptions, such as holidays:
#dates = ["2026-12-24..2027-01-06 closed"]

# What can be booked. Repeat it for other lengths and rules.
[[host.meeting]]
id = "office-hour"
title = "Office hour"
duration = "30m"
# Kept free after each.
buffer_after = "10m"
# No slot sooner, none later than this.
notice = "4h"
horizon = "30d"
#location = "Room 2.12"
"#,
            id_plain = self.id,
            id = quoted(&self.id),
            name = quoted(&self.name),
            email = quoted(&self.email),
            time_zone = quoted(&self.time_zone),
            url = quoted(&self.url),
            username = quoted(&self.username),
            password_file = quoted(&self.password_file),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};
    use std::path::Path;

    fn text() -> InitText {
        InitText {
            id: "noether".into(),
            name: "Emmy \"Em\" Noether".into(),
            email: "noether@example.edu".into(),
            time_zone: "Europe/Berlin".into(),
            url: "https://cloud.example.edu/".into(),
            username: "noether".into(),
            password_file: "/home/no ether/caldav\\password".into(),
            calendars: vec!["Work".into(), "Ümläut \"quoted\"".into()],
            bookings: Some("Work".into()),
        }
    }

    #[test]
    fn the_file_loads_and_says_what_was_answered() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("officehours.toml");
        let environment = Environment::fixed(&[("HOME", "/h")]);
        std::fs::write(&file, text().toml()).unwrap();
        let config = Config::load(&file, &environment).unwrap();
        assert_eq!(config.warnings, []);
        let host = &config.hosts[0];
        assert_eq!((host.host.name.as_str(), host.host.zone.name()), ("Emmy \"Em\" Noether", "Europe/Berlin"));
        assert_eq!(host.accounts[0].calendars.as_deref().unwrap(), text().calendars);
        assert_eq!(
            host.accounts[0].login.as_ref().and_then(|login| login.secret()).unwrap().to_string(),
            "the file /home/no ether/caldav\\password"
        );
        assert_eq!(host.bookings.as_ref().unwrap().calendar, "Work");
        assert_eq!(host.host.meetings.len(), 1);
    }

    #[test]
    fn without_a_calendar_to_write_to_it_still_loads_and_warns() {
        let config = Config::parse(
            &InitText { bookings: None, ..text() }.toml(),
            Path::new("/etc/oh.toml"),
            &Environment::fixed(&[("HOME", "/h")]),
        )
        .unwrap();
        assert!(config.hosts[0].bookings.is_none());
        assert_eq!(config.warnings.len(), 1);
    }
}
