//! Mail over hours and days, by a clock that the test sets: a mail server that is away, refuses for now, or cuts the connection;
//! reminders and the host's list of the day. The outbox and the store are the daemon's own, the mail server is real.

use crate::support::{Smtp, eventually};
use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use officehours::availability::{Clock, Interval};
use officehours::booking::{
    Appointment, Booking, BookingId, BookingState, Command, Effect, Guest, Payload, transition,
};
use officehours::config::{Config, Environment};
use officehours::daemon::Services;
use officehours::language::Language;
use officehours::outbox::MailOutbox;
use officehours::store::{
    Access, Change, Changed, EffectFilter, EffectKind, EffectState, GuestLimits, NewBooking, NewEffect, Reserved,
};
use officehours::sync::Observation;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the machine may take for what is due at once by the clock of the test.
const SOON: Duration = Duration::from_secs(20);

/// An office whose time stands still until it is moved on.
struct Office {
    seconds: Arc<AtomicI64>,
    services: Services,
    outbox: Arc<MailOutbox>,
    stop: CancellationToken,
    /// Sends what is due; `None`: only lists of the day are sent, by the test.
    running: Option<tokio::task::JoinHandle<()>>,
}

impl Office {
    /// The host moves the event of a booking on the calendar.
    async fn host_moves(&self, booking: BookingId, to: Interval) {
        self.host_edits(booking, |appointment| appointment.time = to).await;
    }

    /// The host edits the event of a booking on the calendar.
    async fn host_edits(&self, booking: BookingId, edit: impl FnOnce(&mut Appointment)) {
        let from = self.services.store.booking(booking).await.unwrap().unwrap().event_appointment();
        let mut to = from.clone();
        edit(&mut to);
        self.services.desk.observe(Observation::Edited { booking, from, to }).await.unwrap();
    }

    /// Opens the store in the folder, at that time, and sends what is due.
    async fn open(folder: &Path, smtp: &Smtp, more: &str, at: &str) -> Office {
        Office::with(folder, &smtp.section(), more, at).await
    }

    /// The same with another line of `[mail]`.
    async fn open_as(folder: &Path, smtp: &Smtp, line: &str, at: &str) -> Office {
        Office::with(folder, &format!("{}{line}\n", smtp.section()), "notify = false", at).await
    }

    async fn with(folder: &Path, mail: &str, more: &str, at: &str) -> Office {
        let text = format!(
            r#"
[server]
language = "fr"
[store]
path = "officehours.db"
[[host]]
id = "noether"
name = "Emmy Noether"
email = "noether@example.edu"
time_zone = "Europe/Berlin"
language = "en"
reminders = ["24h", "1h"]
[[host.account]]
id = "work"
url = "http://127.0.0.1:9/"
[host.bookings]
calendar = "work/Work"
{more}
[host.hours]
weekly = ["Mon-Sun 09:00-17:00"]
[[host.meeting]]
id = "office-hour"
title = "Office hour"
duration = "30m"
{mail}"#
        );
        let config = Config::parse(&text, &folder.join("officehours.toml"), &Environment::of_process()).unwrap();
        let seconds = Arc::new(AtomicI64::new(at.parse::<Timestamp>().unwrap().as_second()));
        let shown = seconds.clone();
        let clock = Clock::new(move || Timestamp::from_second(shown.load(Ordering::SeqCst)).unwrap());
        let services = Services::open(&config, Access::Daemon, Environment::of_process(), clock.clone()).await.unwrap();
        services.publish_stored(&config, clock.now()).await.unwrap();
        let mailer = services.mailer(&config).await.unwrap();
        let outbox = Arc::new(MailOutbox {
            mailer: Arc::new(ArcSwapOption::from_pointee(mailer)),
            store: services.store.clone(),
            desk: services.desk.clone(),
            signal: services.signal.clone(),
            clock,
        });
        let stop = CancellationToken::new();
        let (runs, stopped) = (outbox.clone(), stop.clone());
        let run = async move { runs.run(stopped).await.unwrap() };
        let running = (!more.contains("digest")).then(|| tokio::spawn(run));
        Office { seconds, services, outbox, stop, running }
    }

    async fn close(self) {
        self.stop.cancel();
        if let Some(running) = self.running {
            running.await.unwrap();
        }
        self.services.store.close().await;
    }

    fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    /// Moves the clock on, and does what the daemon does each half minute.
    async fn pass(&self, time: SignedDuration) {
        self.seconds.fetch_add(time.as_secs(), Ordering::SeqCst);
        self.services.desk.remind().await.unwrap();
        if self.running.is_none() {
            self.outbox.send_digests().await.unwrap();
        }
        self.services.signal.wake();
    }

    async fn set(&self, at: &str) {
        let at: Timestamp = at.parse().unwrap();
        self.pass(at.duration_since(self.now())).await;
    }

    /// A booking whose event is on the calendar server.
    async fn book(&self, number: u128, start: &str) -> BookingId {
        let (now, start) = (self.now(), start.parse().unwrap());
        let time = Interval::new(start, start + SignedDuration::from_mins(30)).unwrap();
        let made = Booking::sample(time, BookingState::Reserved);
        let email = format!("ada{number}@example.org");
        let booking = Booking {
            id: BookingId(uuid::Uuid::from_u128(number)),
            guest: Guest { email, language: Some(Language::German), ..made.guest },
            uid: format!("uid-{number}"),
            created_at: now,
            updated_at: now,
            ..made
        };
        let hash = |of: u8| {
            let mut hash = [of; 32];
            hash[..16].copy_from_slice(&number.to_be_bytes());
            hash
        };
        let new = NewBooking {
            booking: booking.clone(),
            guest_token_hash: hash(1),
            confirm_token_hash: None,
            host_token_hash: hash(2),
            effects: Vec::new(),
            idempotency: None,
            limits: GuestLimits::default(),
            hits: Vec::new(),
            now,
        };
        assert_eq!(self.services.store.reserve(new).await.unwrap(), Reserved::Done);
        let (confirmed, effects) = transition(
            &booking,
            &Command::EventWritten { sequence: 0, tentative: false, place: String::new(), created: true },
            now,
        )
        .unwrap()
        .unwrap();
        let mail = |effect: &Effect| NewEffect {
            kind: EffectKind::Mail,
            payload: Payload::of(effect, &confirmed, None).to_json(),
        };
        let effects = effects.iter().map(mail).collect();
        let change = Change {
            booking: confirmed.clone(),
            expected_updated_at: booking.updated_at,
            effects,
            limits: GuestLimits::default(),
            now,
        };
        assert!(matches!(self.services.store.change(change).await.unwrap(), Changed::Done(_)));
        self.services.signal.wake();
        booking.id
    }

    async fn effects(&self, state: EffectState) -> Vec<(u32, bool)> {
        let filter = EffectFilter { state: Some(state), ..EffectFilter::default() };
        let all = self.services.store.effects(filter).await.unwrap();
        let mails = all.into_iter().filter(|effect| effect.kind == EffectKind::Mail);
        mails.map(|effect| (effect.attempts, effect.claimed_until.is_some())).collect()
    }

    /// Waits until nothing of what is due now is under way.
    async fn quiet(&self) {
        eventually("what is due was tried", SOON, async || {
            let due =
                self.services.store.due_effects(officehours::store::Lane::Mail, self.now(), 10, &[]).await.unwrap();
            let under_way = self.effects(EffectState::Pending).await.into_iter().any(|(_, claimed)| claimed);
            (due.is_empty() && !under_way).then_some(())
        })
        .await;
    }
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn moved(start: &str) -> Interval {
    let start: Timestamp = start.parse().unwrap();
    Interval::new(start, start + minutes(30)).unwrap()
}

/// `REQUEST 0`, or the heading of a mail without a calendar, of one guest.
fn told(messages: &[Value], guest: &str) -> Vec<String> {
    let theirs = messages.iter().filter(|message| message["headers"]["x-rcptto"] == guest);
    let word = |message: &Value| match message["event"].as_object() {
        Some(event) => format!("{} {}", event["method"].as_str().unwrap(), event["sequence"]),
        None => message["text"].as_str().unwrap().lines().next().unwrap().to_owned(),
    };
    theirs.map(word).collect()
}

#[tokio::test]
async fn an_hour_without_the_mail_server_loses_nothing_doubles_nothing_and_keeps_the_order() {
    let Some(mut smtp) = Smtp::stopped() else { return };
    let folder = tempfile::tempdir().unwrap();
    let office = Office::open(folder.path(), &smtp, "", "2026-12-01T08:00:00Z").await;
    let booking = office.book(1, "2026-12-04T09:00:00Z").await;
    office.book(2, "2026-12-04T10:00:00Z").await;
    office.pass(minutes(5)).await;
    office.host_moves(booking, moved("2026-12-04T13:00:00Z")).await;
    office.pass(minutes(5)).await;
    office.services.desk.observe(Observation::Gone(booking)).await.unwrap();
    for _ in 0..10 {
        office.pass(minutes(5)).await;
        office.quiet().await;
    }
    let waiting = office.effects(EffectState::Pending).await;
    assert_eq!(waiting.len(), 6, "nothing is lost: {waiting:?}");
    assert!(
        waiting.iter().all(|(attempts, _)| *attempts <= 8),
        "nor is the server hammered once it is back: {waiting:?}"
    );
    office.close().await;

    // Over a restart too; then the server asks to come back later (450), for a quarter of an hour.
    smtp.start_again(&[]).await;
    smtp.mode("later");
    let office = Office::open(folder.path(), &smtp, "", "2026-12-01T09:05:00Z").await;
    for _ in 0..3 {
        office.pass(minutes(5)).await;
        office.quiet().await;
    }
    assert_eq!((smtp.raw().len(), office.effects(EffectState::Pending).await.len()), (0, 6));
    // It takes the next one and cuts the connection before it says so: that one comes twice, the same to the byte.
    smtp.mode("cut");
    for _ in 0..30 {
        office.pass(minutes(15)).await;
        office.quiet().await;
    }
    assert_eq!(office.effects(EffectState::Pending).await, []);
    assert_eq!(office.effects(EffectState::Failed).await, []);
    let raw = smtp.raw();
    assert_eq!(raw.len(), 7);
    let cut = raw.iter().filter(|message| **message == raw[0]).count();
    assert_eq!(cut, 2, "sent again as the same message");
    let messages = smtp.messages(7, SOON).await;
    // The guest whose message was cut off has it twice, directly one after the other as far as they see.
    let mut first = told(&messages, "ada1@example.org");
    first.dedup();
    assert_eq!(first, ["REQUEST 0", "REQUEST 1", "CANCEL 2"]);
    let mut second = told(&messages, "ada2@example.org");
    second.dedup();
    assert_eq!(second, ["REQUEST 0"]);
    office.close().await;
}

#[tokio::test]
async fn a_guest_is_reminded_once_of_each_time_and_never_of_a_booking_that_is_off() {
    let Some(smtp) = Smtp::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let office = Office::open(folder.path(), &smtp, "notify = false", "2026-12-01T08:00:00Z").await;
    let booking = office.book(1, "2026-12-04T09:00:00Z").await;
    // Made less than a day ahead: only the hour's reminder can come.
    office.book(2, "2026-12-02T07:30:00Z").await;
    let host = 2;
    smtp.messages(2 + host, SOON).await;
    office.set("2026-12-02T06:29:00Z").await;
    office.quiet().await;
    assert_eq!(smtp.raw().len(), 2 + host, "not before its time");
    office.set("2026-12-02T06:30:00Z").await;
    let messages = smtp.messages(3 + host, SOON).await;
    assert_eq!(told(&messages, "ada2@example.org"), ["REQUEST 0", "Erinnerung an Ihren Termin"]);

    // Down over the day's reminder, and back: late, but the booking is ahead.
    office.close().await;
    let office = Office::open(folder.path(), &smtp, "notify = false", "2026-12-03T12:00:00Z").await;
    office.pass(SignedDuration::ZERO).await;
    let messages = smtp.messages(4 + host, SOON).await;
    assert_eq!(told(&messages, "ada1@example.org"), ["REQUEST 0", "Erinnerung an Ihren Termin"]);
    for _ in 0..3 {
        office.pass(minutes(1)).await;
        office.quiet().await;
    }
    assert_eq!(smtp.raw().len(), 4 + host, "once");

    // It moves, and its reminders with it.
    office.host_moves(booking, moved("2026-12-07T09:00:00Z")).await;
    smtp.messages(5 + host, SOON).await;
    office.set("2026-12-04T08:00:00Z").await;
    office.quiet().await;
    assert_eq!(smtp.raw().len(), 5 + host, "nothing for the old time");
    office.set("2026-12-06T09:00:00Z").await;
    let messages = smtp.messages(6 + host, SOON).await;
    let last = messages.last().unwrap();
    assert!(last["text"].as_str().unwrap().contains("Montag, 7. Dezember 2026"), "{last}");
    assert_eq!(last["headers"]["subject"], "Erinnerung: Office hour, Montag, 7. Dezember 2026");
    office.services.desk.observe(Observation::Gone(booking)).await.unwrap();
    smtp.messages(7 + host, SOON).await;
    office.set("2026-12-07T08:00:00Z").await;
    office.quiet().await;
    assert_eq!(smtp.raw().len(), 7 + host, "none after the cancel");
    office.close().await;
}

#[tokio::test]
async fn a_guest_is_told_of_another_place_once_and_reminded_at_the_old_time() {
    let Some(smtp) = Smtp::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let office = Office::open(folder.path(), &smtp, "notify = false", "2026-12-01T08:00:00Z").await;
    let booking = office.book(1, "2026-12-04T09:00:00Z").await;
    // One of them is the host's.
    smtp.messages(2, SOON).await;
    let theirs = |messages: Vec<Value>| -> Vec<Value> {
        messages.into_iter().filter(|message| message["headers"]["x-rcptto"] == "ada1@example.org").collect()
    };
    office.pass(minutes(5)).await;
    office.host_edits(booking, |appointment| appointment.place = "Hörsaal 2; links, \"Aula\"".into()).await;
    let messages = theirs(smtp.messages(3, SOON).await);
    let (first, update) = (&messages[0]["event"], &messages[1]["event"]);
    assert_eq!(update["location"], "Hörsaal 2; links, \"Aula\"");
    for same in ["uid", "sequence", "start", "end"] {
        assert_eq!(update[same], first[same], "{same}");
    }
    assert_ne!(update["stamp"], first["stamp"], "RFC 5546 2.1.5: the later of one SEQUENCE");
    assert_eq!(told(&messages, "ada1@example.org"), ["REQUEST 0", "REQUEST 0"]);
    let text = messages[1]["text"].as_str().unwrap();
    assert!(text.contains("Ihr Termin hat einen neuen Ort") && text.contains("Wo: Hörsaal 2"), "{text}");
    office.set("2026-12-03T09:00:00Z").await;
    let messages = theirs(smtp.messages(4, SOON).await);
    assert!(messages[2]["text"].as_str().unwrap().contains("Wo: Hörsaal 2"), "{}", messages[2]);
    office.close().await;
}

#[tokio::test]
async fn a_guest_whose_calendar_declines_is_asked_once_and_the_booking_stays() {
    let Some(smtp) = Smtp::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let office = Office::open(folder.path(), &smtp, "", "2026-12-01T08:00:00Z").await;
    let booking = office.book(1, "2026-12-04T09:00:00Z").await;
    smtp.messages(2, SOON).await;
    let declined = |who: &str| office.services.desk.observe(Observation::Declined(booking, vec![who.to_owned()]));
    declined("eve@example.org").await.unwrap();
    declined("ada1@example.org").await.unwrap();
    declined("ada1@example.org").await.unwrap();
    let messages = smtp.messages(3, SOON).await;
    assert_eq!(told(&messages, "ada1@example.org"), ["REQUEST 0", "Möchten Sie Ihren Termin absagen?"]);
    office.pass(minutes(1)).await;
    office.quiet().await;
    assert_eq!(smtp.raw().len(), 3);
    let stored = office.services.store.booking(booking).await.unwrap().unwrap();
    assert_eq!(stored.state, BookingState::Confirmed, "asked, not cancelled");
    office.close().await;

    let office = Office::open(folder.path(), &smtp, "declined = \"cancel\"", "2026-12-01T09:00:00Z").await;
    let other = office.book(2, "2026-12-04T10:00:00Z").await;
    smtp.messages(5, SOON).await;
    let who = vec!["ada2@example.org".to_owned()];
    office.services.desk.observe(Observation::Declined(other, who)).await.unwrap();
    let messages = smtp.messages(7, SOON).await;
    assert_eq!(told(&messages, "ada2@example.org"), ["REQUEST 0", "CANCEL 1"]);
    office.close().await;
}

#[tokio::test]
async fn a_list_of_the_day_that_is_sent_again_is_the_same_message_to_the_byte() {
    let Some(smtp) = Smtp::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let more = "digest = \"07:00\"\nnotify = false";
    let office = Office::open(folder.path(), &smtp, more, "2026-12-07T05:00:00Z").await;
    office.book(1, "2026-12-07T09:00:00Z").await;
    // The server has it, and the connection is cut before it says so.
    smtp.mode("cut");
    office.set("2026-12-07T06:00:00Z").await;
    assert_eq!(smtp.raw().len(), 1);
    office.book(2, "2026-12-07T13:00:00Z").await;
    office.close().await;
    let office = Office::open(folder.path(), &smtp, more, "2026-12-07T06:30:00Z").await;
    office.pass(SignedDuration::ZERO).await;
    office.pass(minutes(60)).await;
    let raw = smtp.raw();
    assert_eq!((raw.len(), raw.first() == raw.last()), (2, true), "what it said was decided at seven");

    // Who dies in the middle of it goes on with the same list.
    assert!(office.services.desk.begin_digests().await.unwrap().is_empty(), "that one is done");
    office.set("2026-12-08T05:00:00Z").await;
    office.book(3, "2026-12-08T09:00:00Z").await;
    office.seconds.fetch_add(3600, Ordering::SeqCst);
    let begun = office.services.desk.begin_digests().await.unwrap();
    assert_eq!((begun.len(), begun[0].attempts, begun[0].list.len()), (1, 1, 1));
    office.book(4, "2026-12-08T13:00:00Z").await;
    office.close().await;
    let office = Office::open(folder.path(), &smtp, more, "2026-12-08T06:01:00Z").await;
    office.pass(SignedDuration::ZERO).await;
    let messages = smtp.messages(3, SOON).await;
    assert_eq!(messages[2]["text"].as_str().unwrap().lines().next(), Some("1 booking"));
    office.close().await;
}

#[tokio::test]
async fn a_change_of_the_config_leaves_the_organizer_of_invitations_that_are_out() {
    let Some(smtp) = Smtp::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let office = Office::open(folder.path(), &smtp, "notify = false", "2026-12-01T08:00:00Z").await;
    // As one of an older version, without an organizer of its own: it is settled at the next start.
    let booking = office.book(1, "2026-12-04T09:00:00Z").await;
    smtp.messages(2, SOON).await;
    office.close().await;
    let office = Office::open(folder.path(), &smtp, "notify = false", "2026-12-01T09:00:00Z").await;
    office.close().await;

    let office = Office::open_as(folder.path(), &smtp, "organizer = \"host\"", "2026-12-01T10:00:00Z").await;
    office.host_moves(booking, moved("2026-12-04T13:00:00Z")).await;
    smtp.messages(3, SOON).await;
    office.services.desk.observe(Observation::Gone(booking)).await.unwrap();
    let messages = smtp.messages(4, SOON).await;
    let theirs = messages.iter().filter(|message| message["headers"]["x-rcptto"] == "ada1@example.org");
    let organizers: Vec<&Value> = theirs.map(|message| &message["event"]["organizer"]).collect();
    let service = serde_json::json!(["mailto:office@meet.example.edu", "Emmy Noether"]);
    assert_eq!(organizers, [&service; 3]);
    office.close().await;
}

#[tokio::test]
async fn the_host_gets_the_list_of_the_day_once_at_its_time_and_none_on_an_empty_day() {
    let Some(mut smtp) = Smtp::stopped() else { return };
    let folder = tempfile::tempdir().unwrap();
    let more = "digest = \"07:00\"\nnotify = false";
    let count = |smtp: &Smtp, subject: &str| {
        let raw = smtp.raw().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect::<Vec<_>>();
        raw.iter().filter(|text| text.contains(&format!("Subject: {subject}"))).count()
    };
    // Saturday; the list is of Monday, the first day with a booking. The mail server is away at seven.
    let office = Office::open(folder.path(), &smtp, more, "2026-12-05T12:00:00Z").await;
    office.book(1, "2026-12-07T09:00:00Z").await;
    office.book(2, "2026-12-07T13:00:00Z").await;
    office.set("2026-12-06T07:00:00Z").await;
    office.set("2026-12-07T05:59:00Z").await;
    office.set("2026-12-07T06:00:00Z").await;
    office.close().await;
    smtp.start_again(&[]).await;
    let office = Office::open(folder.path(), &smtp, more, "2026-12-07T06:20:00Z").await;
    office.pass(SignedDuration::ZERO).await;
    assert_eq!(count(&smtp, "Your bookings on"), 1, "late, over a restart");
    for _ in 0..4 {
        office.pass(minutes(60)).await;
    }
    office.set("2026-12-08T12:00:00Z").await;
    assert_eq!(count(&smtp, "Your bookings on"), 1, "once, and none on the empty Tuesday");
    let sent = smtp.messages(smtp.raw().len(), SOON).await;
    let list = sent.iter().find(|message| message["headers"]["subject"].as_str().unwrap().starts_with("Your")).unwrap();
    assert_eq!(list["headers"]["subject"], "Your bookings on Monday 7 December 2026");
    assert_eq!(
        (&list["shape"], &list["headers"]["x-rcptto"]),
        (&Value::from("text/plain"), &Value::from("noether@example.edu"))
    );
    let text = list["text"].as_str().unwrap();
    assert!(
        text.lines().next() == Some("2 bookings") && text.contains("10:00–10:30: Office hour – Ada Lovelace"),
        "{text}"
    );
    assert!(text.contains("/h/") && !text.contains("/b/"), "the host's links, not the guest's: {text}");
    office.close().await;
}
