//! What a server does, asked in plain requests and seen through the proxy, and the table of it in `tests/servers/BEHAVIOUR.md`.
//! A run holds the table against what it sees; with `OFFICEHOURS_WRITE_BEHAVIOUR=1` it writes what it sees.

use super::office::Office;
use crate::story::meeting_at;
use crate::support::{Answer, Calendar, Day, Exchange, OwnServer, event, root, stamp};
use serde_json::Value;
use std::fmt::Write;
use std::fs::File;
use std::io::{Read, Seek, Write as _};

const SERVERS: [&str; 6] = ["radicale", "xandikos", "cyrus", "davical", "sogo", "sabredav"];

pub(super) struct Behaviour {
    server: &'static str,
    rows: Vec<(&'static str, String)>,
}

impl Behaviour {
    /// Asks what can be asked without officehours, in a calendar of its own.
    pub(super) async fn probe(own: &OwnServer) -> Behaviour {
        let calendar = own.server.calendar("probe").await;
        let mut seen = Behaviour { server: own.name, rows: vec![("version", own.version())] };
        seen.writes(&calendar).await;
        seen.syncs(&calendar).await;
        seen.queries(&calendar).await;
        seen.remade(&calendar).await;
        seen
    }

    fn note(&mut self, row: &'static str, value: impl Into<String>) {
        self.rows.push((row, value.into()));
    }

    async fn writes(&mut self, calendar: &Calendar) {
        let day = Day::ahead(10);
        let options = calendar.request("OPTIONS", "", &[], "").await;
        let dav: String = options.headers.get_all("dav").iter().map(|value| value.to_str().unwrap()).collect();
        let schedules = dav.contains("calendar-auto-schedule");
        self.note("says that it sends invitations", if schedules { "yes" } else { "no" });
        self.note("MKCALENDAR of what is there", calendar.request("MKCALENDAR", "", &[], "").await.status.to_string());
        let text = event(
            "probe",
            &[
                &format!("DTSTART:{}", stamp(day.at("10:00"))),
                &format!("DTEND:{}", stamp(day.at("11:00"))),
                "SUMMARY:Übung  ",
                "CATEGORIES:a,b",
                "X-OF-ANOTHER;X-P=1:program",
            ],
        );
        let put = async |file: &str, condition: &[(&str, &str)], text: &str| {
            calendar.request("PUT", file, condition, text).await
        };
        let made = put("probe.ics", &[("if-none-match", "*")], &text).await;
        let etag = made.header("etag").to_owned();
        self.note(
            "PUT of a new event",
            format!("{}, {}", made.status, if etag.is_empty() { "no ETag" } else { "ETag" }),
        );
        let listed = calendar.request("PROPFIND", "", &[("depth", "1")], PROPFIND).await.text();
        let at_once = listed.contains("probe.ics");
        self.note("lists its own write", if at_once { "at once" } else { "later" });
        let got = calendar.request("GET", "probe.ics", &[], "").await;
        let in_list = listed.replace("&quot;", "\"").contains(&etag);
        let same = (in_list, got.header("etag") == etag);
        self.note(
            "ETag of PUT, list and GET",
            match same {
                (true, true) => "the same",
                (true, false) => "another in GET",
                (false, true) => "another in the list",
                (false, false) => "three",
            },
        );
        self.note("text that it gives back", rewritten(&text, &got.text()));
        let status = |answer: Answer| answer.status.to_string();
        self.note("PUT over it, If-None-Match: *", status(put("probe.ics", &[("if-none-match", "*")], &text).await));
        self.note("PUT, stale If-Match", status(put("probe.ics", &[("if-match", "\"stale\"")], &text).await));
        self.note("same UID, other name", status(put("twin.ics", &[("if-none-match", "*")], &text).await));
        calendar.request("DELETE", "twin.ics", &[], "").await;
        let delete = async |condition: &[(&str, &str)]| calendar.request("DELETE", "probe.ics", condition, "").await;
        self.note("DELETE, stale If-Match", status(delete(&[("if-match", "\"stale\"")]).await));
        put("probe.ics", &[], &text).await;
        let (first, again) = (delete(&[]).await.status, delete(&[]).await.status);
        self.note("DELETE, twice", format!("{first}, {again}"));
        calendar.put("anew.ics", &meeting_at("anew", day, "10:00", "11:00")).await;
        let before = calendar.request("GET", "anew.ics", &[], "").await.header("etag").to_owned();
        calendar.delete("anew.ics").await;
        calendar.put("anew.ics", &meeting_at("anew", day, "10:00", "11:30")).await;
        let after = calendar.request("GET", "anew.ics", &[], "").await.header("etag").to_owned();
        self.note("made anew under its old name", if before == after { "the same ETag" } else { "another ETag" });
        calendar.delete("anew.ics").await;
    }

    async fn syncs(&mut self, calendar: &Calendar) {
        calendar.put("kept.ics", &meeting_at("kept", Day::ahead(10), "10:00", "11:00")).await;
        calendar.put("gone.ics", &meeting_at("gone", Day::ahead(10), "10:00", "11:00")).await;
        let first = sync(calendar, "").await;
        let Some(token) = token(&first) else {
            self.note("sync-collection", format!("{}: none", first.status));
            for row in ["a deletion", "an unknown token"] {
                self.note(row, "");
            }
            return;
        };
        let form = if token.contains("://") {
            "a URL"
        } else if token.contains(':') {
            "a URI"
        } else if token.bytes().all(|byte| byte.is_ascii_digit()) {
            "a time"
        } else {
            "a word"
        };
        self.note("sync-collection", format!("yes; the token is {form}"));
        calendar.delete("gone.ics").await;
        let next = sync(calendar, &token).await.text();
        self.note("a deletion", if next.contains("gone.ics") && next.contains("404") { "404" } else { "not named" });
        let bogus = sync(calendar, "http://example.org/not-a-token").await;
        let said = match (bogus.status, bogus.text().contains("kept.ics")) {
            (207, true) => "207, everything".to_owned(),
            (207, false) => "207, nothing".to_owned(),
            (status, _) => status.to_string(),
        };
        self.note("an unknown token", said);
    }

    async fn queries(&mut self, calendar: &Calendar) {
        let path = calendar.url.split_once("://").unwrap().1.split_once('/').unwrap().1;
        let body = format!(
            r#"<C:calendar-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><href>/{path}kept.ics</href><href>/{path}missing.ics</href></C:calendar-multiget>"#
        );
        let got = calendar.request("REPORT", "", &[("depth", "1")], &body).await;
        let said = match (got.status, got.text().contains("missing.ics")) {
            (207, true) => "404 for it".to_owned(),
            (207, false) => "leaves it out".to_owned(),
            (status, _) => format!("{status} for all"),
        };
        self.note("multiget, one missing", said);
        let (day, next) = (Day::ahead(10), Day::ahead(12));
        let (was, is) = (stamp(day.at("10:00")), stamp(next.at("14:00")));
        let series = event("series", &[&format!("DTSTART:{was}"), "DURATION:PT30M", "RRULE:FREQ=WEEKLY;COUNT=2"]);
        let moved = format!(
            "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:{was}\r\nDTSTART:{is}\r\nDURATION:PT30M\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        calendar.put("series.ics", &series.replace("END:VCALENDAR\r\n", &moved)).await;
        let (from, to) = (stamp(next.at("13:00")), stamp(next.at("15:00")));
        let body = format!(
            r#"<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="{from}" end="{to}"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"#
        );
        let found = calendar.request("REPORT", "", &[("depth", "1")], &body).await.text();
        self.note("time range finds a moved instance", if found.contains("series.ics") { "yes" } else { "no" });
    }

    async fn remade(&mut self, calendar: &Calendar) {
        let row = "calendar made anew, old token";
        let Some(old) = token(&sync(calendar, "").await) else { return self.note(row, "") };
        calendar.delete_calendar().await;
        calendar.make().await;
        let answer = sync(calendar, &old).await;
        let names_it = answer.text().contains("kept.ics");
        self.note(
            row,
            match (answer.status, names_it) {
                (207, false) => "207, no deletions".to_owned(),
                (207, true) => "207, with deletions".to_owned(),
                (status, _) => status.to_string(),
            },
        );
    }

    /// What the daemon made of it.
    pub(super) async fn officehours(&mut self, office: &Office) {
        let asked: Vec<String> =
            office.first_pass.iter().take_while(|exchange| exchange.method == "PROPFIND").map(step).collect();
        self.note("found from the bare address", asked.join(", "));
        let strategy: Value = serde_json::from_str(&office.strategy(&office.work)).unwrap();
        self.note("officehours reads by", strategy["way"].as_str().unwrap());
        office.proxy.log();
        office.daemon.wait_two_polls().await;
        let log = office.proxy.log();
        let mut methods: Vec<&str> = log.iter().map(|exchange| exchange.method.as_str()).collect();
        methods.sort_unstable();
        methods.dedup();
        self.note("an idle poll of a calendar", methods.join(", "));
    }

    /// Compares with the table, or writes into it.
    pub(super) fn hold_against_the_table(&self) {
        let path = root().join("tests/servers/BEHAVIOUR.md");
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        file.lock().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let mut table = Table::read(&text);
        if std::env::var_os("OFFICEHOURS_WRITE_BEHAVIOUR").is_some() {
            table.set(self);
            let text = table.print();
            file.set_len(0).unwrap();
            file.rewind().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            return;
        }
        let (version, rest) = self.rows.split_first().unwrap();
        if table.cell(version.0, self.server) != version.1 {
            eprintln!("BEHAVIOUR.md is about another version of {} than {}: not compared", self.server, version.1);
            return;
        }
        for (row, seen) in rest {
            assert_eq!(seen, table.cell(row, self.server), "{}, {row}: BEHAVIOUR.md is out of date", self.server);
        }
    }
}

const PROPFIND: &str = r#"<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>"#;

async fn sync(calendar: &Calendar, token: &str) -> Answer {
    let body = format!(
        r#"<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"#
    );
    calendar.request("REPORT", "", &[("depth", "0")], &body).await
}

/// The token of an answer.
fn token(answer: &Answer) -> Option<String> {
    let text = answer.text();
    let (_, rest) = text.split_once("sync-token>")?;
    Some(rest.split('<').next()?.to_owned())
}

/// How the text differs from what was sent.
fn rewritten(sent: &str, got: &str) -> &'static str {
    let sorted = |text: &str| {
        let unfolded = text.replace("\r\n", "\n").replace("\n ", "");
        let mut lines: Vec<String> = unfolded.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    if sent == got {
        "byte for byte"
    } else if sorted(sent) == sorted(got) {
        "in another order"
    } else {
        "changed"
    }
}

fn step(exchange: &Exchange) -> String {
    format!("`{}` {}", exchange.path, exchange.status)
}

/// The table as text has it: a line a behaviour, a column a server.
struct Table {
    rows: Vec<(String, Vec<String>)>,
}

impl Table {
    fn read(text: &str) -> Table {
        let lines = text.lines().filter(|line| line.starts_with('|')).skip(2);
        let cells = |line: &str| {
            let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
            (cells.next().unwrap(), cells.collect())
        };
        Table { rows: lines.map(cells).collect() }
    }

    fn column(server: &str) -> usize {
        SERVERS.iter().position(|known| *known == server).unwrap()
    }

    fn cell(&self, row: &str, server: &str) -> &str {
        let of_row = self.rows.iter().find(|(name, _)| name == row);
        of_row.map_or("", |(_, cells)| &cells[Table::column(server)])
    }

    fn set(&mut self, seen: &Behaviour) {
        for (row, value) in &seen.rows {
            let at = self.rows.iter().position(|(name, _)| name == row).unwrap_or_else(|| {
                self.rows.push(((*row).to_owned(), vec![String::new(); SERVERS.len()]));
                self.rows.len() - 1
            });
            self.rows[at].1[Table::column(seen.server)].clone_from(value);
        }
        self.rows.retain(|(name, _)| seen.rows.iter().any(|(row, _)| row == name));
    }

    fn print(&self) -> String {
        let mut text = "# What calendar servers do\n\n\
             Written by the tests, which hold it against the servers that they start (`tests/run servers`; \
             `OFFICEHOURS_WRITE_BEHAVIOUR=1 tests/run servers` writes it anew).\nAn empty cell: the question does not arise. \
             What we make of it, and much that no test sees, is in [QUIRKS.md](QUIRKS.md).\n\n"
            .to_owned();
        writeln!(text, "| | {} |", SERVERS.join(" | ")).unwrap();
        writeln!(text, "|---|{}", "---|".repeat(SERVERS.len())).unwrap();
        for (row, cells) in &self.rows {
            writeln!(text, "| {row} | {} |", cells.join(" | ")).unwrap();
        }
        text
    }
}
