//! The demo's `officehours.toml`: the sample professor, read from and written to the embedded calendar server through the ordinary
//! client. Start with [`config_text`].

/// Where the parts of the demo are.
#[derive(Clone, Debug)]
pub struct DemoConfig<'a> {
    /// The calendar server, such as `http://127.0.0.1:5232/`.
    pub caldav_url: &'a str,
    /// The login there.
    pub user: &'a str,
    /// Its password.
    pub password: &'a str,
    /// Where the pages listen: `127.0.0.1:8080`.
    pub listen: &'a str,
    /// What links begin with: `http://127.0.0.1:8080`.
    pub public_url: &'a str,
    /// The store's file.
    pub store: &'a str,
}

/// The host's id in the demo's URLs.
pub const HOST: &str = "noether";

/// The config file's text.
pub fn config_text(demo: &DemoConfig<'_>) -> String {
    let text = |value: &str| toml::Value::from(value).to_string();
    format!(
        r#"# Written by `officehours demo` at each start. Every key is documented in config/officehours.toml.

[server]
listen = {listen}
public_url = {public_url}
directory = true

[store]
path = {store}

[limits]
bookings_per_ip = "off"
bookings_per_guest = "off"
requests_per_ip = "off"
overlays_per_ip = "off"
open_per_guest = "off"

[[host]]
id = "{HOST}"
name = "Emmy Noether"
email = "noether@example.edu"
aliases = ["emmy@example.edu"]
time_zone = "Europe/Berlin"

[[host.account]]
id = "demo"
url = {caldav_url}
username = {user}
password = {password}
calendars = ["Work", "Teaching", "Personal"]
poll = "15s"

[host.bookings]
calendar = "demo/Work"
grace = "1m"

[host.hours]
weekly = ["Mon-Fri 09:00-12:00 13:00-17:00"]

[[host.meeting]]
id = "office-hour"
title = "Office hour"
description = "Questions about the lecture, the exercises or your studies."
duration = "30m"
step = "30m"
notice = "2h"
horizon = "60d"
location = "Room 2.12, Mathematical Institute"
hours = {{ weekly = ["Tue 13:00-16:00", "Thu 14:00-17:00"] }}

[[host.meeting]]
id = "thesis"
title = "Thesis meeting"
description = "For students who write their thesis here, and those who would like to."
duration = "60m"
step = "30m"
buffer_before = "10m"
buffer_after = "10m"
notice = "1d"
horizon = "60d"
per_day = 3
location = "Room 2.12, Mathematical Institute"
"#,
        listen = text(demo.listen),
        public_url = text(demo.public_url),
        store = text(demo.store),
        caldav_url = text(demo.caldav_url),
        user = text(demo.user),
        password = text(demo.password),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_is_toml_whatever_the_paths_hold() {
        let demo = DemoConfig {
            caldav_url: "http://127.0.0.1:1/",
            user: "noether",
            password: "a\"b\\c",
            listen: "127.0.0.1:2",
            public_url: "http://127.0.0.1:2",
            store: "C:\\Büro \"x\"\\o.db",
        };
        let table: toml::Table = config_text(&demo).parse().unwrap();
        assert_eq!(table["store"]["path"].as_str(), Some(demo.store));
        let host = &table["host"][0];
        assert_eq!(host["account"][0]["password"].as_str(), Some(demo.password));
        assert_eq!(host["meeting"].as_array().map(Vec::len), Some(2));
    }
}
