//! Many guests at once and what they were promised: each asks until there is an answer, as a browser or a program would that
//! lost one, and remembers what it was. At the end the promises are compared with the calendar.

use super::{Answer, Calendar, Daemon, Random, eventually, token};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// No request may take longer.
const HANGS: Duration = Duration::from_secs(60);
/// For so long a guest asks again.
const PATIENCE: Duration = Duration::from_secs(180);

/// The guests of one daemon.
pub(crate) struct Guests {
    base: String,
    client: reqwest::Client,
    ledger: Mutex<BTreeMap<String, Promise>>,
    pub(crate) counts: Counts,
}

/// What came of what was asked.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) booked: AtomicU32,
    pub(crate) moved: AtomicU32,
    pub(crate) cancelled: AtomicU32,
    /// The slot was not to be had.
    pub(crate) refused: AtomicU32,
    /// An answer was lost or put off, and the same was asked again.
    pub(crate) repeated: AtomicU32,
    slowest: Mutex<Duration>,
}

/// A booking as its guest knows it.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    token: String,
    meeting: String,
    start: Timestamp,
    end: Timestamp,
    cancelled: bool,
    edit: Option<Edit>,
    /// Somebody is changing it just now.
    changing: bool,
    /// Rises with each change.
    version: u64,
}

/// What the host did to the event of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    Moved(Timestamp, Timestamp),
    Deleted,
}

impl Guests {
    pub(crate) fn new(daemon: &Daemon) -> Guests {
        let client = reqwest::Client::builder().no_proxy().timeout(HANGS).pool_max_idle_per_host(0).build().unwrap();
        Guests { base: daemon.url(""), client, ledger: Mutex::default(), counts: Counts::default() }
    }

    /// Books, moves or cancels something, by chance.
    pub(crate) async fn act(&self, random: &mut Random, starts: &[(&str, Vec<Timestamp>)]) {
        let (meeting, starts) = random.pick(starts);
        match random.below(10) {
            0..5 => {
                let start = *random.pick(starts);
                self.book(random, meeting, start).await;
            }
            5..8 => {
                let Some((id, promise)) = self.begin(random) else { return };
                self.move_to(&id, &promise, *random.pick(starts)).await;
            }
            _ => {
                let Some((id, promise)) = self.begin(random) else { return };
                self.cancel(&id, &promise).await;
            }
        }
    }

    async fn book(&self, random: &mut Random, meeting: &str, start: Timestamp) {
        let number = random.next();
        let body = json!({"start": start.to_string(), "name": format!("Guest {number}"), "email": format!("guest{number}@example.org")});
        let url = format!("{}{}", self.base, Daemon::bookings_path(meeting));
        let answer = self
            .ask(|| {
                let request = self.client.post(&url).header("idempotency-key", number.to_string());
                request.header("content-type", "application/json").body(body.to_string())
            })
            .await;
        if answer.status != 201 {
            assert!(matches!(answer.status, 409 | 422), "{answer:?}");
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.counts.booked.fetch_add(1, Ordering::Relaxed);
        let booking = answer.json();
        let (start, end) = times(&booking);
        let promise = Promise {
            token: token(&booking),
            meeting: meeting.to_owned(),
            start,
            end,
            cancelled: false,
            edit: None,
            changing: false,
            version: 0,
        };
        let before = self.ledger.lock().unwrap().insert(booking["id"].as_str().unwrap().to_owned(), promise);
        assert!(before.is_none(), "one key, one booking: {booking}");
    }

    async fn move_to(&self, id: &str, promise: &Promise, start: Timestamp) {
        let url = format!("{}/api/v1/bookings/{}/move", self.base, promise.token);
        let body = json!({"start": start.to_string()}).to_string();
        let answer =
            self.ask(|| self.client.post(&url).header("content-type", "application/json").body(body.clone())).await;
        if answer.status == 200 {
            self.counts.moved.fetch_add(1, Ordering::Relaxed);
            let (start, end) = times(&answer.json());
            self.end(id, |promise| (promise.start, promise.end) = (start, end));
        } else {
            assert!(matches!(answer.status, 409 | 422), "{answer:?}");
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            self.end(id, |_| {});
        }
    }

    async fn cancel(&self, id: &str, promise: &Promise) {
        let url = format!("{}/api/v1/bookings/{}", self.base, promise.token);
        let answer = self.ask(|| self.client.delete(&url)).await;
        assert_eq!(answer.expect(200)["state"], "cancelled");
        self.counts.cancelled.fetch_add(1, Ordering::Relaxed);
        self.end(id, |promise| promise.cancelled = true);
    }

    /// The host edits the event of a confirmed booking on the calendar, if there is one.
    pub(crate) async fn edit(&self, random: &mut Random, calendar: &Calendar, edit: Edit) -> bool {
        // Many events that are gone at once, or all of a calendar, are not believed.
        if edit == Edit::Deleted && self.unbelieved().await >= 2 {
            return false;
        }
        let Some((id, promise)) = self.begin(random) else { return false };
        let url = format!("{}/api/v1/bookings/{}", self.base, promise.token);
        // Only what is on the calendar can be edited there.
        let booking = self.ask(|| self.client.get(&url)).await.expect(200);
        let file = format!("{id}.ics");
        let edited = booking["state"] == "confirmed"
            && match edit {
                Edit::Moved(start, end) => calendar.move_file(&file, start, end).await,
                Edit::Deleted => matches!(calendar.insist("DELETE", &file, None).await.status, 200..=204 | 404),
            };
        self.end(&id, |promise| promise.edit = edited.then_some(edit));
        edited
    }

    /// How many events the host has deleted whose bookings are not cancelled yet.
    async fn unbelieved(&self) -> usize {
        let deleted = |promise: &&Promise| promise.edit == Some(Edit::Deleted);
        let gone: Vec<Promise> = self.ledger.lock().unwrap().values().filter(deleted).cloned().collect();
        let mut count = 0;
        for promise in gone.iter().rev().take(20) {
            let url = format!("{}/api/v1/bookings/{}", self.base, promise.token);
            count += usize::from(self.ask(|| self.client.get(&url)).await.expect(200)["state"] != "cancelled");
        }
        count
    }

    /// A booking that holds its slot and that nobody else is changing, to be changed.
    fn begin(&self, random: &mut Random) -> Option<(String, Promise)> {
        let mut ledger = self.ledger.lock().unwrap();
        let open: Vec<&String> = ledger.iter().filter(|(_, promise)| promise.is_quiet()).map(|(id, _)| id).collect();
        if open.is_empty() {
            return None;
        }
        let id = (*random.pick(&open)).clone();
        let promise = ledger.get_mut(&id).unwrap();
        promise.changing = true;
        Some((id, promise.clone()))
    }

    fn end(&self, id: &str, change: impl FnOnce(&mut Promise)) {
        let mut ledger = self.ledger.lock().unwrap();
        let promise = ledger.get_mut(id).unwrap();
        change(promise);
        promise.changing = false;
        promise.version += 1;
    }

    /// Asks until there is an answer that says something. A lost connection, a failure and "in progress" say nothing.
    async fn ask(&self, request: impl Fn() -> reqwest::RequestBuilder) -> Answer {
        let asked = Instant::now();
        loop {
            let began = Instant::now();
            let answer = async {
                let answer = request().send().await?;
                let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
                Ok::<_, reqwest::Error>(Answer { status, headers, body: answer.bytes().await? })
            };
            let answer = answer.await;
            self.took(began.elapsed());
            match answer {
                Err(error) => assert!(!error.is_timeout(), "no answer within {HANGS:?}: {error}"),
                Ok(answer) if answer.status >= 500 => {
                    assert_eq!(answer.status, 503, "{answer:?}");
                    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
                }
                Ok(answer) if answer.status == 409 && answer.text().contains("/in-progress") => {}
                Ok(answer) => return answer,
            }
            assert!(asked.elapsed() < PATIENCE, "no answer that says something within {PATIENCE:?}");
            self.counts.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    fn took(&self, time: Duration) {
        let mut slowest = self.counts.slowest.lock().unwrap();
        *slowest = time.max(*slowest);
    }

    /// What is held the whole while that `look` takes must not be on offer in what it sees: slots, as start and end.
    pub(crate) async fn watch(
        &self,
        always: &[(Timestamp, Timestamp)],
        shared: &[&str],
        look: impl AsyncFnOnce() -> Option<Vec<(Timestamp, Timestamp)>>,
    ) -> bool {
        let held = |ledger: &BTreeMap<String, Promise>| -> HashMap<(String, u64), (Timestamp, Timestamp)> {
            let quiet =
                ledger.iter().filter(|(_, promise)| promise.is_quiet() && !shared.contains(&promise.meeting.as_str()));
            quiet.map(|(id, promise)| ((id.clone(), promise.version), (promise.start, promise.end))).collect()
        };
        let before = held(&self.ledger.lock().unwrap());
        let Some(slots) = look().await else { return false };
        let after = held(&self.ledger.lock().unwrap());
        let bookings = before.iter().filter(|(key, _)| after.contains_key(*key)).map(|(_, time)| time);
        for (start, end) in bookings.chain(always) {
            let wrong = slots.iter().find(|slot| slot.0 < *end && *start < slot.1);
            assert!(wrong.is_none(), "{start} to {end} is busy, and {wrong:?} is on offer");
        }
        true
    }

    /// Waits until nothing is under way any more, then compares every promise with the calendar. `buffers` are those after each
    /// meeting type, in minutes; of the types with `seats`, so many guests share a slot.
    pub(crate) async fn verify(
        &self,
        daemon: &Daemon,
        calendar: &Calendar,
        buffers: &[(&str, i64)],
        seats: &[(&str, usize)],
    ) -> usize {
        let ledger = self.ledger.lock().unwrap().clone();
        for (id, promise) in &ledger {
            let wanted = if promise.has_ended() { "cancelled" } else { "confirmed" };
            eventually(&format!("{id} is {wanted}: {promise:?}"), Duration::from_secs(90), async || {
                let booking = daemon.booking(&promise.token).await;
                let right_state = booking["state"] == wanted;
                (right_state && (promise.has_ended() || times(&booking) == promise.times())).then_some(())
            })
            .await;
        }
        // Removals are not in the state: the server itself must have none left, and nothing else than what was promised.
        eventually("the calendar is as promised", Duration::from_secs(120), async || {
            let events = calendar.events().await;
            let mut found: HashMap<&str, Vec<(Timestamp, Timestamp)>> = HashMap::new();
            for event in events.iter().filter(|event| !event["uid"].as_str().unwrap().starts_with("foreign")) {
                found.entry(event["uid"].as_str().unwrap()).or_default().push(times(event));
            }
            let wrong = ledger
                .iter()
                .filter(|(_, promise)| !promise.has_ended())
                .find(|(id, promise)| found.get(id.as_str()).is_none_or(|there| there.as_slice() != [promise.times()]));
            let ghost = found.keys().find(|uid| ledger.get(**uid).is_none_or(Promise::has_ended));
            if wrong.is_some() || ghost.is_some() {
                eprintln!("not yet: {wrong:?}, {ghost:?}");
                tokio::time::sleep(Duration::from_secs(2)).await;
                return None;
            }
            Some(())
        })
        .await;
        let mut held: Vec<&Promise> =
            ledger.values().filter(|promise| !promise.has_ended() && promise.edit.is_none()).collect();
        held.sort_by_key(|promise| promise.start);
        let buffer = |promise: &Promise| {
            let minutes =
                buffers.iter().find(|(meeting, _)| *meeting == promise.meeting).map_or(0, |(_, minutes)| *minutes);
            SignedDuration::from_mins(minutes)
        };
        let seats_of = |meeting: &str| seats.iter().find(|(name, _)| *name == meeting).map_or(1, |(_, seats)| *seats);
        for (number, first) in held.iter().enumerate() {
            let mut sharing = 1;
            for second in &held[number + 1..] {
                if second.start.duration_since(first.end) >= SignedDuration::from_hours(1) {
                    break;
                }
                let same = (&first.meeting, first.start) == (&second.meeting, second.start);
                if same && seats_of(&first.meeting) > 1 {
                    sharing += 1;
                    assert!(sharing <= seats_of(&first.meeting), "more guests than seats: {first:?}");
                } else {
                    let between = second.start.duration_since(first.end);
                    assert!(between >= buffer(first), "too near: {first:?} and {second:?}");
                }
            }
        }
        held.len()
    }

    /// The counts in a line.
    pub(crate) fn line(&self) -> String {
        let of = |count: &AtomicU32| count.load(Ordering::Relaxed);
        let Counts { booked, moved, cancelled, refused, repeated, slowest } = &self.counts;
        format!(
            "{} booked, {} moved, {} cancelled, {} refused; {} asked again; the slowest answer took {:?}",
            of(booked),
            of(moved),
            of(cancelled),
            of(refused),
            of(repeated),
            slowest.lock().unwrap()
        )
    }

    /// How many requests were answered with what counts.
    pub(crate) fn answered(&self) -> u32 {
        let Counts { booked, moved, cancelled, .. } = &self.counts;
        [booked, moved, cancelled].iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

impl Promise {
    fn has_ended(&self) -> bool {
        self.cancelled || self.edit == Some(Edit::Deleted)
    }

    fn is_quiet(&self) -> bool {
        !self.changing && !self.cancelled && self.edit.is_none()
    }

    fn times(&self) -> (Timestamp, Timestamp) {
        match self.edit {
            Some(Edit::Moved(start, end)) => (start, end),
            _ => (self.start, self.end),
        }
    }
}

/// Start and end of a document.
pub(crate) fn times(document: &Value) -> (Timestamp, Timestamp) {
    let time = |key: &str| document[key].as_str().unwrap().parse().unwrap();
    (time("start"), time("end"))
}
