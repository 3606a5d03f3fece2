//! The config as a whole: the annotated example, defaults, and every kind of mistake at its line and column.

use super::keys::{KEYS, keys_of};
use super::*;
use crate::availability::{Confirm, Counting};
use jiff::SignedDuration;
use proptest::prelude::*;
use std::path::Path;

const EXAMPLE: &str = include_str!("../../config/officehours.toml");

/// As short as it can be.
pub(super) const SHORT: &str = r#"
[[host]]
id = "noether"
name = "Emmy Noether"
email = "noether@example.edu"
time_zone = "Europe/Berlin"
[[host.account]]
id = "work"
url = "https://cloud.example.edu/"
[host.bookings]
calendar = "work/Work"
[host.hours]
weekly = ["Mon-Fri 09:00-12:00"]
[[host.meeting]]
id = "office-hour"
title = "Office hour"
duration = "30m"
"#;

pub(super) fn home() -> Environment {
    Environment::fixed(&[("HOME", "/home/noether")])
}

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    Config::parse(text, Path::new("/etc/oh/oh.toml"), &home())
}

/// `line:column: message` of every mistake.
fn mistakes(text: &str) -> Vec<String> {
    let errors = parse(text).expect_err("it has mistakes").errors;
    errors.iter().map(|m| format!("{}:{}: {}", m.line, m.column, m.message)).collect()
}

/// The mistakes of [`SHORT`] with one line replaced.
fn with(line: &str, instead: &str) -> Vec<String> {
    assert!(SHORT.contains(line), "{line}");
    mistakes(&SHORT.replacen(line, instead, 1))
}

#[test]
fn the_annotated_example_is_loaded() {
    let config = parse(EXAMPLE).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.warnings, []);
    assert_eq!(config.server.public_url, "https://meet.example.edu");
    assert_eq!(config.limits, Limits::default());
    let host = &config.hosts[0];
    assert_eq!(host.host.zone.name(), "Europe/Berlin");
    assert_eq!(host.host.meeting("office-hour").unwrap().per_day, Some(6));
    assert_eq!(host.host.meeting("thesis").unwrap().confirm, Confirm::Approval);
    assert_eq!(secret_of(&host.accounts[0]), "the systemd credential caldav-work");
    assert_eq!(host.bookings.as_ref().unwrap().calendar, "Work");
}

#[test]
fn every_key_is_in_the_example() {
    for (section, keys) in KEYS.iter().filter(|(section, _)| !section.ends_with("password")) {
        for key in *keys {
            let written = |line: &str| {
                let line = line.trim_start_matches('[');
                line.starts_with(&format!("{key} ="))
                    || line.contains(&format!("{key}]"))
                    || line.contains(&format!("{key} = "))
            };
            assert!(EXAMPLE.lines().any(written), "{section}.{key} is not in the example");
        }
    }
}

#[test]
fn looks_and_frames_are_checked() {
    let look = |line: &str| parse(&format!("{SHORT}[server.look]\n{line}\n"));
    let config = look("accent = \"#14614F\"\nlogo = \"logo.svg\"").unwrap();
    assert_eq!(config.server.look.accent, Some([0x14, 0x61, 0x4f]));
    assert_eq!(config.server.look.logo.as_deref(), Some(Path::new("/etc/oh/logo.svg")));
    for wrong in ["accent = \"green\"", "accent = \"#12345\"", "accent = \"#+12345\"", "photo = \"me.jpg\""] {
        assert!(look(wrong).is_err(), "{wrong}");
    }
    let embed = |site: &str| parse(&format!("[server]\nembed = [\"{site}\"]\n{SHORT}"));
    assert_eq!(embed("https://www.example.edu/").unwrap().server.embed, ["https://www.example.edu"]);
    for wrong in ["*", "www.example.edu", "https://www.example.edu/page", "https://www.example.edu; script-src *"] {
        assert!(embed(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let config = parse(SHORT).unwrap();
    assert_eq!(config.warnings, []);
    assert_eq!(config.server.listen, [Listen::Addr("127.0.0.1:8080".parse().unwrap())]);
    assert_eq!(config.server.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.store.path, Path::new("/home/noether/.local/state/officehours/officehours.db"));
    assert_eq!(config.limits.bookings_per_guest.to_string(), "5/1d");
    assert_eq!(config.limits.open_per_guest, Some(3));
    let host = &config.hosts[0];
    assert_eq!(host.host.max_staleness, SignedDuration::from_mins(30));
    let account = &host.accounts[0];
    assert_eq!((account.poll, account.insecure), (SignedDuration::from_mins(5), false));
    assert_eq!(account.counting, Counting::default());
    assert!(account.login.is_none() && account.calendars.is_none());
    let bookings = host.bookings.as_ref().unwrap();
    assert_eq!((bookings.grace, bookings.notify), (SignedDuration::from_mins(5), true));
    let meeting = host.host.meeting("office-hour").unwrap();
    assert_eq!(meeting.step, meeting.duration);
    assert_eq!((meeting.buffer_before, meeting.buffer_after), (SignedDuration::ZERO, SignedDuration::ZERO));
    assert_eq!((meeting.notice, meeting.horizon), (SignedDuration::from_hours(4), SignedDuration::from_hours(60 * 24)));
    assert_eq!((meeting.seats, meeting.confirm, meeting.per_day), (1, Confirm::Instant, None));
}

#[test]
fn the_store_is_where_systemd_then_xdg_then_home_says() {
    let of = |variables: &[(&str, &str)]| {
        let config = Config::parse(SHORT, Path::new("oh.toml"), &Environment::fixed(variables));
        config.map(|config| config.store.path.display().to_string()).map_err(|errors| errors.errors[0].message.clone())
    };
    let all = [("HOME", "/h"), ("XDG_STATE_HOME", "/x"), ("STATE_DIRECTORY", "/var/lib/officehours:/other")];
    assert_eq!(of(&all).unwrap(), "/var/lib/officehours/officehours.db");
    assert_eq!(of(&all[..2]).unwrap(), "/x/officehours/officehours.db");
    assert_eq!(of(&all[..1]).unwrap(), "/h/.local/state/officehours/officehours.db");
    assert!(of(&[]).unwrap_err().starts_with("`store.path` is missing"));
}

#[test]
fn paths_are_relative_to_the_file() {
    let text = SHORT.replace("url =", "username = \"n\"\npassword = { file = \"secrets/caldav\" }\nurl =");
    let config = parse(&format!("[store]\npath = \"data/oh.db\"\n{text}")).unwrap();
    assert_eq!(config.store.path, Path::new("/etc/oh/data/oh.db"));
    assert_eq!(secret_of(&config.hosts[0].accounts[0]), "the file /etc/oh/secrets/caldav");
}

#[test]
fn a_google_account_needs_a_registered_program_and_no_address() {
    let with = |lines: &str| parse(&SHORT.replace("url = \"https://cloud.example.edu/\"", lines));
    let google = "auth = { google = { client_id = \"i\", client_secret = { file = \"s\" } } }";
    let config = with(google).unwrap();
    let account = &config.hosts[0].accounts[0];
    assert_eq!(account.url.as_str(), "https://apidata.googleusercontent.com/caldav/v2/noether@example.edu/user");
    let Some(Login::OAuth(oauth)) = &account.login else { panic!("{account:?}") };
    assert_eq!(
        (oauth.auth_url.host_str(), oauth.token_url.host_str()),
        (Some("accounts.google.com"), Some("oauth2.googleapis.com"))
    );
    assert_eq!(oauth.scope, "https://www.googleapis.com/auth/calendar");
    assert_eq!(secret_of(account), "the file /etc/oh/s");
    let other = with(&format!("username = \"a/b@example.org\"\n{google}")).unwrap();
    assert!(other.hosts[0].accounts[0].url.path().ends_with("/a%2Fb@example.org/user"));

    let elsewhere = "auth = { google = { client_id = \"i\", auth_url = \"https://id.example.edu/a\", token_url = \"https://id.example.edu/t\" } }";
    assert!(
        with(&format!("url = \"https://cloud.example.edu/\"\n{elsewhere}")).is_ok(),
        "a public client of another server"
    );
    for (lines, part) in [
        ("auth = { google = { client_id = \"i\" } }", "`client_secret` is missing"),
        ("auth = { google = { client_secret = \"hunter2\" } }", "`client_id` is missing"),
        ("auth = {}", "`google` is missing"),
        (elsewhere, "`url` is missing"),
        (&elsewhere.replace("token_url", "scope"), "`token_url` is missing"),
        (&elsewhere.replace("https://id.example.edu/t", "http://id.example.edu/t"), "plain http"),
        (&format!("password = \"hunter2\"\n{google}"), "leave one out"),
        ("auth = { google = { client_id = \"i\", client_secret = \"hunter2\", colour = 1 } }", "unknown key `colour`"),
    ] {
        let errors = with(lines).unwrap_err().to_string();
        assert!(errors.contains(part) && !errors.contains("hunter2"), "{part}: {errors}");
    }
}

fn secret_of(account: &Account) -> String {
    account.login.as_ref().and_then(Login::secret).unwrap().to_string()
}

#[test]
fn every_mistake_is_listed_at_once_each_at_its_place() {
    let text = r#"[server]
listen = ["127.0.0.1", 8080]
public_url = "meet.example.edu"
trusted_proxies = ["10.0.0.1/8"]
colour = "blue"

[limits]
bookings_per_ip = "10/m"
requests_per_ip = false
open_per_guest = "three"

[[host]]
id = "Emmy Noether"
name = ""
email = "noether"
time_zone = "Europe/Berln"
max_staleness = 30

[[host.account]]
id = "work"
url = "http://cloud.example.edu/"
username = "noether"
pol = "5m"
tentative = "maybe"
unanswered = "no"
travel_time = "yes"
ignore_titles = ["Lunch", " * "]

[host.bookings]
calendar = "wrok/Work"
notify = "yes"

[host.hours]
weekly = ["Mon-Fri 09:00-12:00", "Mo 9-10"]
dates = "2026-12-24"
availability = "worc"

[[host.meeting]]
id = "freebusy"
duration = "30min"
seats = 0
questions = [{ id = "email", label = "E" }, { id = "a", lable = "A" }]

[[host.meeting]]
id = "twice"
title = "T"
duration = "1h"
notice = "60d"
horizon = "4h"
hours = { weekdays = [] }

[[host.meeting]]
id = "twice"
title = "T"
duration = "1h"
per_guest = 1
"#;
    let expected = [
        "2:11: listen: \"127.0.0.1\" is no address; write an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\", or \"systemd\"",
        "2:24: listen: expected text in quotes, found a number",
        "3:14: public_url: no URL; write the address that guests use, as \"https://meet.example.edu\"",
        "4:20: trusted_proxies: \"10.0.0.1/8\" has bits after its prefix; write \"10.0.0.0/8\"",
        &format!("5:1: unknown key `colour` in [server]; known here: {}", keys_of("server").join(", ")),
        "8:19: bookings_per_ip: say how long; write \"10/1m\"",
        "9:19: requests_per_ip: write \"off\" to switch it off",
        "10:18: open_per_guest: \"three\" is neither a whole number without quotes nor \"off\"",
        "13:6: id: an id is made of a-z, 0-9 and -, at most 64, with no - at its ends; write \"emmy-noether\"",
        "14:8: name: must not be empty",
        "15:9: email: expected a mail address such as \"noether@example.edu\"",
        "16:13: time_zone: there is no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?",
        "17:17: max_staleness: a duration needs its unit, in quotes; write \"30m\" or \"30s\"",
        "19:1: `password` is missing in [[host.account]]; write password = { file = \"…\" }, { credential = \"…\" }, { command = [\"…\"] } or { env = \"…\" }",
        "21:7: url: plain http would send the password in clear; write https://, or insecure = true in this account",
        "23:1: unknown key `pol` in [[host.account]]; did you mean `poll`?",
        "24:13: tentative: \"maybe\" is not \"busy\" or \"free\"",
        "25:14: unanswered: \"no\" is not \"timed\" or \"busy\" or \"free\"",
        "26:15: travel_time: expected true or false without quotes, found a string",
        "27:27: ignore_titles: that would be every event; write a title, or how titles begin: \"Canceled: *\"",
        "30:12: calendar: this host has no account \"wrok\"; did you mean \"work/Work\"?",
        "31:10: notify: expected true or false without quotes, found a string",
        "34:34: weekly: \"Mo\": a day is Mon, Tue, Wed, Thu, Fri, Sat or Sun",
        "35:9: dates: \"2026-12-24\": a date line is written 2026-12-24..2027-01-06 closed, or 2026-12-01 10:00-15:00",
        "36:16: availability: this host has no account \"worc\"; did you mean \"work\"?",
        "38:1: `title` is missing in [[host.meeting]]; write title = \"Office hour\"",
        "39:6: id: \"freebusy\" is taken by officehours itself in URLs; choose another",
        "40:12: duration: `min` is no unit of time; the units are s, m, h, d and w, as in 1h30m",
        "41:9: seats: 0 is not a whole number from 1 to 10000",
        "42:21: id: \"email\" is a field of every booking form already; choose another",
        "42:45: `label` is missing in `questions`; write label = \"What is it about?\"",
        "42:57: unknown key `lable` in `questions`; did you mean `label`?",
        "48:10: notice: no slot is ever on offer: `notice` (60d) must be shorter than `horizon` (4h)",
        "50:9: `weekly` is missing in `hours`; write hours = { weekly = [\"Tue 14:00-16:00\"] }, or leave `hours` out for the host's",
        "50:11: unknown key `weekdays` in `hours`; known here: weekly, dates",
        "53:6: id: \"twice\" is taken in line 45; each needs its own",
        "56:13: per_guest: expected a string, found a number; write how many bookings in what time, as \"1/7d\"",
    ];
    let found = mistakes(text);
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_mistake_is_printed_with_its_line_and_a_mark() {
    let errors = parse(&SHORT.replace("id = \"work\"", "\tid = \"work\"\npoll = \"soon\"\npol = 1")).unwrap_err();
    let printed = "\
/etc/oh/oh.toml:9:8: poll: `soon` is no duration; write a duration as 30s, 30m, 4h, 60d, 2w or 1h30m
  |
9 | poll = \"soon\"
  |        ^^^^^^

/etc/oh/oh.toml:10:1: unknown key `pol` in [[host.account]]; did you mean `poll`?
   |
10 | pol = …
   | ^^^";
    assert_eq!(errors.to_string(), printed);
}

#[test]
fn columns_count_characters() {
    assert_eq!(
        with("name = \"Emmy Noether\"", "aliases = [\"é@example.edu\", \"ü\"]\nname = \"E\"")[0].split(": ").next(),
        Some("4:29")
    );
}

#[test]
fn nothing_at_all_is_told_to_write_a_host() {
    assert_eq!(mistakes(""), ["1:1: there is no [[host]]; write one for each person whose time can be booked"]);
    assert_eq!(mistakes("host = []").len(), 1);
    assert_eq!(
        mistakes("[[host]]\nid = \"a\"")[..4],
        [
            "1:1: `name` is missing in [[host]]; write name = \"Emmy Noether\"",
            "1:1: `email` is missing in [[host]]; write email = \"noether@example.edu\"",
            "1:1: `time_zone` is missing in [[host]]; write time_zone = \"Europe/Berlin\"",
            "1:1: `account` is missing in [[host]]; write [[host.account]] with the host's calendar server: without it all time would be free",
        ]
    );
}

#[test]
fn sections_with_the_wrong_brackets_are_told_the_right_ones() {
    assert_eq!(
        with("[[host.meeting]]", "[host.meeting]"),
        ["14:1: meeting: must be written as [[host.meeting]], found a table"]
    );
    assert_eq!(
        with("[host.hours]", "[[host.hours]]"),
        ["12:1: hours: must be written with one pair of brackets, as [host.hours], found a list"]
    );
    assert_eq!(
        mistakes(&format!("store = \"x\"\n{SHORT}")),
        ["1:9: store: must be written as a table, found a string"]
    );
}

#[test]
fn ids_that_are_ours_are_refused() {
    // What begins a path of ours and could be a host's id.
    let ours = crate::http::Resource::ALL.into_iter().filter_map(|resource| {
        let first = resource.path().split('/').nth(1).unwrap_or_default();
        crate::availability::HostId::new(first).map(|id| id.to_string())
    });
    let ours: Vec<String> = ours.collect();
    assert!(ours.contains(&"desk".to_owned()) && ours.contains(&"readyz".to_owned()), "{ours:?}");
    for id in ours {
        let found = with("id = \"noether\"", &format!("id = \"{id}\""));
        assert_eq!(found, [format!("3:6: id: \"{id}\" is taken by officehours itself in URLs; choose another")]);
    }
}

#[test]
fn two_hosts_or_accounts_of_one_id_are_refused() {
    let host = "[[host]]\nid = \"noether\"\nname = \"N\"\nemail = \"n@e.edu\"\ntime_zone = \"UTC\"\n[[host.account]]\nid = \"work\"\nurl = \"https://a.example/\"\n";
    let text = format!("{SHORT}{host}[[host.account]]\nid = \"work\"\nurl = \"https://b.example/\"\n");
    assert_eq!(
        mistakes(&text),
        [
            "19:6: id: \"noether\" is taken in line 3; each needs its own",
            "27:6: id: \"work\" is taken in line 24; each needs its own"
        ]
    );
}

#[test]
fn syntax_errors_come_with_what_else_is_certain() {
    assert_eq!(
        with("name = \"Emmy Noether\"", "name = \"Emmy\nemail = Noether\nname = \"x\"\ncolour = 1"),
        [
            "4:13: this is not TOML: invalid basic string, expected `\"`",
            "5:9: this is not TOML: invalid float, expected `nan`",
            "6:1: this is not TOML: duplicate key",
            &format!("7:1: unknown key `colour` in [[host]]; known here: {}", keys_of("host").join(", ")),
            "8:1: this is not TOML: duplicate key",
        ]
    );
    // After a broken header or an open bracket, nothing says what belongs where.
    assert_eq!(with("[host.bookings]", "[host.bookings\ncolour = 1").len(), 1);
    assert_eq!(with("[host.bookings]", "colour = 1\n[host.bookings\nid = \"x\"").len(), 2);
    assert_eq!(
        with("\"Mon-Fri 09:00-12:00\"]", "\"Mon-Fri 09:00-12:00\""),
        [
            "14:1: this is not TOML: missing comma between array elements, expected `,`; perhaps a bracket or a quote before it is not closed"
        ]
    );
}

#[test]
fn a_file_that_is_no_text_is_refused_at_its_byte() {
    let errors = Config::from_bytes(b"[server]\nlisten = \"\xff\"", Path::new("a.toml"), &home()).unwrap_err();
    assert_eq!((errors.errors[0].line, errors.errors[0].column), (2, 11));
}

#[test]
fn plain_http_is_for_this_machine_or_by_choice() {
    for url in ["http://127.0.0.1:5232/", "http://[::1]/dav", "http://localhost/"] {
        parse(&SHORT.replace("https://cloud.example.edu/", url)).unwrap();
    }
    parse(&SHORT.replace("https://cloud.example.edu/", "http://dav.lan/\"\ninsecure = true\n#")).unwrap();
    assert!(with("https://cloud.example.edu/", "http://127.0.0.1.example.edu/")[0].contains("plain http"));
}

#[test]
fn calendars_are_named_or_given_by_href() {
    let config = parse(&SHORT.replace("work/Work", "work//dav/noether/work/")).unwrap();
    assert_eq!(config.hosts[0].bookings.as_ref().unwrap().calendar, "/dav/noether/work/");
    assert_eq!(
        with("work/Work", "Work"),
        ["11:12: calendar: say which account and which calendar; write \"work/Work\""]
    );
}

#[test]
fn limits_are_rates_or_off() {
    let limits = "[limits]\nbookings_per_ip = \"off\"\nbookings_per_guest = \"2/1h30m\"\nopen_per_guest = \"off\"\n";
    let config = parse(&format!("{limits}{SHORT}")).unwrap();
    assert_eq!(config.limits.bookings_per_ip, Limit::Off);
    assert_eq!(config.limits.bookings_per_guest, Limit::Rate { count: 2, per: SignedDuration::from_mins(90) });
    assert_eq!(config.limits.open_per_guest, None);
    for rate in ["0/1m", "10", "10/0s", "-1/1m", "ten/1m", "10/", "/1m", "+1/1m"] {
        assert_eq!(mistakes(&format!("[limits]\nrequests_per_ip = \"{rate}\"\n{SHORT}")).len(), 1, "{rate}");
    }
}

#[test]
fn public_urls_must_be_known_once_others_can_reach_the_daemon() {
    let server = |lines: &str| parse(&format!("[server]\n{lines}\n{SHORT}")).map(|config| config.server);
    assert_eq!(server("listen = \"[::1]:99\"").unwrap().public_url, "http://[::1]:99");
    assert_eq!(server("public_url = \"https://e.edu/meet/\"").unwrap().public_url, "https://e.edu/meet");
    for open in ["listen = \"0.0.0.0:80\"", "listen = \"systemd\"", "listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]"] {
        assert!(server(open).unwrap_err().errors[0].message.starts_with("`public_url` is missing"), "{open}");
    }
    assert!(server("listen = []").unwrap_err().to_string().contains("2:10: listen: an empty list"));
    assert!(server("metrics_listen = \"127.0.0.1:8080\"").unwrap_err().to_string().contains("take another port"));
}

#[test]
fn mail_is_checked_as_a_whole() {
    let found = |lines: &str| {
        let found = parse(&format!("{SHORT}[mail]\nfrom = \"Office <o@example.edu>\"\n{lines}"));
        let errors = found.err().map_or_else(Vec::new, |errors| errors.errors);
        errors.iter().map(|m| format!("{}:{}: {}", m.line, m.column, m.message)).collect::<Vec<_>>()
    };
    let good = ["smtp://localhost:25?tls=none", "smtps://[::1]", "smtp://a.example:587"];
    for url in good {
        assert_eq!(found(&format!("smtp = \"{url}\"")), Vec::<String>::new(), "{url}");
    }
    assert_eq!(found("smtp = \"smtps://o%40e@smtp.example\"\npassword = \"x\""), Vec::<String>::new());
    for (lines, part) in [
        ("smtp = \"smtp.example.edu\"", "20:8: smtp: no URL"),
        ("smtp = \"smtps://smtp.example\"\npassword = \"x\"", "no user"),
        ("smtp = \"smtps://o@smtp.example\"", "`password` is missing"),
        ("smtp = \"smtps://o:hunter2@smtp.example\"", "leave the password out"),
        ("smtp = \"smtp://o@smtp.example?tls=none\"\npassword = \"x\"", "in clear"),
        ("smtp = \"smtp://smtp.example?tls=maybe\"", "option"),
        ("smtp = \"https://smtp.example\"", "must begin with smtps://"),
        ("", "`smtp` is missing in [mail]"),
    ] {
        let found = found(lines);
        assert!(found.len() == 1 && found[0].contains(part), "{lines}: {found:?}");
    }
    let smtp = "smtp = \"smtp://localhost:25?tls=none\"\n";
    for lines in [
        "imap = \"imaps://o@imap.example\"\nimap_password = \"x\"",
        "imap = \"imap://o@localhost?tls=none\"\nimap_password = { env = \"P\" }\nimap_folder = \"Answers\"",
    ] {
        assert_eq!(found(&format!("{smtp}{lines}")), Vec::<String>::new(), "{lines}");
    }
    let both = "smtp = \"smtps://o@smtp.example\"\npassword = \"x\"\nimap = \"imaps://o@imap.example\"";
    assert_eq!(found(both), Vec::<String>::new(), "one password for both");
    for (lines, part) in [
        ("imap = \"imaps://imap.example\"\nimap_password = \"x\"", "21:8: imap: names no user"),
        ("imap = \"imaps://o@imap.example\"", "`imap_password` is missing"),
        ("imap = \"imaps://o:hunter2@imap.example\"\nimap_password = \"x\"", "leave the password out"),
        ("imap = \"imap://o@imap.example?tls=none\"\nimap_password = \"x\"", "in clear"),
        ("imap = \"smtp://o@imap.example\"\nimap_password = \"x\"", "must begin with imaps://"),
        ("imap = \"imaps://o@imap.example/Answers\"\nimap_password = \"x\"", "something after the server"),
        ("imap_password = \"x\"", "there is no `imap`"),
        ("imap_folder = \"Answers\"", "there is no `imap`"),
    ] {
        let found = found(&format!("{smtp}{lines}"));
        assert!(found.len() == 1 && found[0].contains(part), "{lines}: {found:?}");
    }
    assert_eq!(Mailbox::parse("\"Office\" <o@e.edu>").unwrap().to_string(), "Office <o@e.edu>");
    assert_eq!(Mailbox::parse("Office <o>"), None);
}

#[test]
fn a_guests_address_can_be_confirmed_only_where_mail_is_set_up() {
    let asked = SHORT.replace("[[host.meeting]]", "[[host.meeting]]\nconfirm = \"email\"");
    let found = mistakes(&asked);
    assert!(found.len() == 1 && found[0].contains("confirm: \"email\" needs a [mail] section"), "{found:?}");
    assert!(parse(&format!("{asked}[mail]\nfrom = \"o@example.edu\"\nsmtp = \"smtps://smtp.example\"\n")).is_ok());
}

#[test]
fn no_secret_is_ever_printed() {
    let password = |written: &str| format!("username = \"n\"\npassword = {written}\nurl =");
    // Right and wrong in every way; hunter2 is always where a secret would be.
    for written in [
        "\"hunter2\"",
        "\"hunter2",
        "\"hunter2\\q\"",
        "hunter2",
        "[\"hunter2\"]",
        "[\n[\"hunter2\"],\n]",
        "\"\"\"\nhunter2\nhunt\\qer2 = hunter2\"\"\"",
        "\"\"\"\nhunter2==\\q\"\"\"",
        "\"\"\"\n#hunter2\\q\"\"\"",
        "{ command = [\n\"hunter2=\" 5,\n] }",
        "{ file = \"x\", value = \"hunter2\" }",
        "{ env = \"hunter2\", file = \"hunter2\" }",
        "{ command = [\"pass\", \"hunter2\", 5] }",
        "{ command = [\"pass\", \"hunter2\"",
        "{ command = \"hunter2\" }",
        "{ credential = \"hunter2/\" }",
        "\"hunter2\" \"hunter2\"",
        "\"\"\nport = \"hunter2\"\npassword = \"hunter2\"",
        "\"\"\npasword = \"hunter2\"\nPwd.x = \"hunter2",
    ] {
        let text = SHORT.replace("url =", &password(written));
        let printed = match parse(&text) {
            Ok(config) => format!("{config:?}"),
            Err(errors) => format!("{errors}\n{errors:?}"),
        };
        assert!(!printed.contains("hunter2"), "{text}\n{printed}");
    }
    for url in ["https://n:hunter2@cloud.example.edu/", "ftp://hunter2/", "hunter2"] {
        let errors = parse(&SHORT.replace("https://cloud.example.edu/", url)).unwrap_err();
        assert!(!format!("{errors} {errors:?}").contains("hunter2"), "{errors}");
    }
}

#[test]
fn what_is_hardly_meant_is_warned_of() {
    let warnings = |text: &str| {
        let config = parse(text).unwrap();
        config.warnings.iter().map(|m| format!("{}:{}", m.line, m.column)).collect::<Vec<_>>()
    };
    assert_eq!(warnings(&SHORT.replace("id = \"work\"", "id = \"work\"\npoll = \"30m\"")), ["9:8"]);
    assert_eq!(warnings(&SHORT.replace("weekly = [\"Mon-Fri 09:00-12:00\"]", "")), ["15:6"]);
    assert_eq!(warnings(&SHORT.replace("[host.bookings]\ncalendar = \"work/Work\"", "")), ["3:6"]);
}

#[test]
fn what_is_bound_at_the_start_stays_for_a_running_daemon() {
    let start = parse(&format!("[server]\nlisten = \"127.0.0.1:1\"\n{SHORT}")).unwrap();
    let (same, later) = start.clone().running_since(&start);
    assert_eq!((same.server, later), (start.server.clone(), vec![]));
    let text = "[server]\nlisten = \"127.0.0.1:2\"\nmetrics_listen = \"127.0.0.1:3\"\ndns = \"127.0.0.1:53\"\ndirectory = true\n\
                [store]\npath = \"other.db\"\nkeep = \"off\"\n";
    let (next, later) = parse(&format!("{text}{SHORT}")).unwrap().running_since(&start);
    assert_eq!(later, ["[server] listen", "[server] metrics_listen", "[server] dns", "[store] path"]);
    assert_eq!((&next.server.listen, next.server.metrics_listen), (&start.server.listen, None));
    assert_eq!((next.server.dns, &next.store.path), (None, &start.store.path));
    assert!(next.server.directory && next.store.keep.is_none(), "the rest is taken over");
}

#[cfg(unix)]
#[test]
fn a_password_in_a_file_that_all_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("oh.toml");
    std::fs::write(&path, SHORT.replace("url =", "username = \"n\"\npassword = \"hunter2\"\nurl =")).unwrap();
    for (mode, count) in [(0o644, 1), (0o640, 0)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(Config::load(&path, &home()).unwrap().warnings.len(), count);
    }
    let errors = Config::load(&folder.path().join("none.toml"), &home()).unwrap_err();
    assert!(errors.to_string().contains("none.toml:1:1: the config file cannot be read"), "{errors}");
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic_or_fail_without_a_reason(at in 0..EXAMPLE.len(), length in 0usize..40, insert in "[\\[\\]{}=\"'#\n.a\u{e9}0-]{0,4}") {
        let cut = |at: usize| (0..=at.min(EXAMPLE.len())).rev().find(|&at| EXAMPLE.is_char_boundary(at)).unwrap();
        let text = format!("{}{insert}{}", &EXAMPLE[..cut(at)], &EXAMPLE[cut(at + length)..]);
        if let Err(errors) = parse(&text) {
            prop_assert!(!errors.errors.is_empty());
            let lines = text.matches('\n').count() + 1;
            prop_assert!(errors.errors.iter().all(|m| (1..=lines).contains(&m.line) && m.column >= 1));
            prop_assert!(!errors.to_string().is_empty());
        }
    }
}
