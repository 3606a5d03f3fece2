//! A professor's calendars on one server, the daemon before them, and what must be busy.

use super::large;
use crate::support::{Calendar, Config, Daemon, Day, Exchange, ON_THE_SERVER, OwnServer, Proxy, eventually};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use rusqlite::{Connection, OpenFlags, params};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, Instant};

/// All that is offered on a free day.
pub(super) const ALL: &[&str] = &["09:00", "09:30", "10:00", "10:30", "11:00", "11:30"];
/// How long the event of a booking has to be gone.
const GRACE: Duration = Duration::from_secs(3);

type Busy = Vec<(Timestamp, Timestamp)>;

pub(super) struct Office {
    pub(super) proxy: Proxy,
    pub(super) daemon: Daemon,
    /// Where bookings go.
    pub(super) work: Calendar,
    pub(super) other: Calendar,
    /// In the account, and not in the config.
    pub(super) unread: Calendar,
    large: Calendar,
    /// What the daemon asked until it was ready.
    pub(super) first_pass: Vec<Exchange>,
    busy: BTreeMap<String, Busy>,
    // Last: it ends after the daemon.
    _own: OwnServer,
}

impl Office {
    /// Makes the calendars, fills the large one, and has everything found from the bare host.
    pub(super) async fn open(own: OwnServer) -> Office {
        let (work, other) = (own.server.calendar("work").await, own.server.calendar("other").await);
        let large = own.server.calendar("large").await;
        let unread = own.server.calendar("unread").await;
        large::load(&large).await;
        let proxy = Proxy::before(&own.bare).await;
        let mut config = Config::new(&work);
        config.url = proxy.url.clone();
        config.calendars = Some([&work, &other, &large].map(|calendar| calendar.name.clone()).to_vec());
        config.bookings_lines = format!("grace = \"{}s\"\n", GRACE.as_secs());
        let daemon = Daemon::start(config).await;
        let first_pass = proxy.log();
        let busy = BTreeMap::from([("large".to_owned(), large::busy())]);
        let office = Office { proxy, daemon, work, other, unread, large, first_pass, busy, _own: own };
        office.everything_in_step().await;
        office
    }

    /// From now on, this makes busy at these times, and only then.
    pub(super) fn expect(&mut self, what: &str, times: &[(Day, &str, &str)]) {
        let instant = |day: Day, time: &str| if time == "24:00" { day.window().1 } else { day.at(time) };
        let times = times.iter().map(|(day, from, to)| (instant(*day, from), instant(*day, to))).collect();
        self.busy.insert(what.to_owned(), times);
    }

    /// From now on, this does not make busy.
    pub(super) fn forget(&mut self, what: &str) {
        self.busy.remove(what);
    }

    /// Waits until our copy of both small calendars is the server's, and what must be busy is.
    pub(super) async fn in_step(&self, after: &str) {
        self.same(&[&self.work, &self.other], after).await;
        self.busy(after).await;
    }

    /// The same of all three.
    pub(super) async fn everything_in_step(&self) {
        self.same(&[&self.large], "everything").await;
        self.in_step("everything").await;
    }

    /// Waits until we hold nothing of a calendar that is gone.
    pub(super) async fn in_step_without(&self, calendar: &Calendar) {
        becomes("a calendar was deleted", BTreeMap::new(), async || self.ours(calendar)).await;
    }

    async fn same(&self, calendars: &[&Calendar], after: &str) {
        for (calendar, theirs) in calendars.iter().zip(Calendar::copies(calendars).await) {
            let theirs: BTreeMap<String, String> =
                theirs.iter().map(|(path, text)| (path.clone(), lines(text))).collect();
            becomes(&format!("after {after}, {}", calendar.name), theirs, async || self.ours(calendar)).await;
        }
    }

    async fn busy(&self, after: &str) {
        let mut expected: Busy = Vec::new();
        let mut all: Busy = self.busy.values().flatten().copied().collect();
        all.sort_unstable();
        for (from, to) in all {
            match expected.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => expected.push((from, to)),
            }
        }
        let (from, to) = (Day::ahead(1).window().0.to_string(), Day::ahead(100).window().0.to_string());
        becomes(&format!("busy after {after}"), expected, async || {
            let output = self.daemon.command(&["busy", "noether", "--from", &from, "--to", &to]);
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let pair = |pair: &Value| [0, 1].map(|at| pair[at].as_str().unwrap().parse::<Timestamp>().unwrap());
            let busy = answer["busy"].as_array().into_iter().flatten().map(pair);
            busy.map(|[from, to]| (from, to)).collect::<Busy>()
        })
        .await;
    }

    /// What the daemon holds of a calendar.
    fn ours(&self, calendar: &Calendar) -> BTreeMap<String, String> {
        let store = self.store(OpenFlags::SQLITE_OPEN_READ_ONLY);
        let mut statement = store
            .prepare(
                "SELECT calendar.href, object.href, data FROM object JOIN calendar ON calendar.id = object.calendar",
            )
            .unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?)));
        let of_it = rows.unwrap().map(Result::unwrap).filter(|(of, ..)| same_path(of, calendar));
        of_it.map(|(_, href, data)| (decoded(&href), lines(&String::from_utf8_lossy(&data)))).collect()
    }

    /// What the daemon has learnt of how a calendar can be read, as it keeps it.
    pub(super) fn strategy(&self, calendar: &Calendar) -> String {
        let store = self.store(OpenFlags::SQLITE_OPEN_READ_ONLY);
        let mut statement = store.prepare("SELECT href, strategy FROM calendar").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)));
        let mut of_it = rows.unwrap().map(Result::unwrap).filter(|(href, _)| same_path(href, calendar));
        of_it.next().unwrap().1.expect("it was read")
    }

    /// Puts another token in the place of the one that we hold, if we hold one.
    pub(super) fn set_token(&self, calendar: &Calendar, token: &str) {
        let store = self.store(OpenFlags::SQLITE_OPEN_READ_WRITE);
        store.busy_timeout(Duration::from_secs(10)).unwrap();
        let like = format!("%/{}%", calendar.name);
        let sql = "UPDATE calendar SET sync_token = ?1 WHERE href LIKE ?2 AND sync_token IS NOT NULL";
        store.execute(sql, params![token, like]).unwrap();
    }

    fn store(&self, flags: OpenFlags) -> Connection {
        Connection::open_with_flags(self.daemon.folder().join("officehours.db"), flags).unwrap()
    }

    /// Waits until a booking begins then.
    pub(super) async fn wait_start(&self, guest: &str, start: Timestamp) {
        let expected = (start.to_string(), "confirmed".to_owned());
        becomes("the booking follows", expected, async || {
            let booking = self.daemon.booking(guest).await;
            (booking["start"].as_str().unwrap().to_owned(), booking["state"].as_str().unwrap().to_owned())
        })
        .await;
    }

    /// Waits until the daemon has logged this since that length of its log.
    pub(super) async fn wait_log(&self, since: usize, words: &str) {
        eventually(&format!("it is logged: {words}"), ON_THE_SERVER, async || {
            self.daemon.log()[since..].contains(words).then_some(())
        })
        .await;
    }

    /// Waits until the calendars were read after the grace period, from now on.
    pub(super) async fn outlast_the_grace(&self) {
        let over = crate::support::now() + GRACE;
        eventually("a pass after the grace period", ON_THE_SERVER, async || {
            (self.daemon.as_of().await > over).then_some(())
        })
        .await;
    }

    /// Has the calendars read anew, by the command, as a host in doubt would.
    pub(super) async fn read_anew(&self) {
        let output = self.daemon.command(&["sync"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// Asks again and again until the answer is the expected one.
async fn becomes<T: PartialEq + Debug>(what: &str, expected: T, mut actual: impl AsyncFnMut() -> T) {
    let began = Instant::now();
    loop {
        let answer = actual().await;
        if answer == expected {
            return;
        }
        if began.elapsed() > ON_THE_SERVER * 2 {
            panic!("{what}\n  is: {answer:?}\n  should be: {expected:?}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn same_path(href: &str, calendar: &Calendar) -> bool {
    let url: reqwest::Url = calendar.url.parse().unwrap();
    decoded(href).trim_end_matches('/') == decoded(url.path()).trim_end_matches('/')
}

fn decoded(href: &str) -> String {
    percent_decode_str(href).decode_utf8_lossy().into_owned()
}

/// The lines of an object, however they end.
fn lines(text: &str) -> String {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
