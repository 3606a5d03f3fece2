//! What guests' calendars answer by mail: the real daemon reads a real mailbox (Dovecot).

use crate::support::{Config, Daemon, Day, Dovecot, Server, Smtp, eventually, now, root, stamp, token};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

/// A mail within the minute.
const TOLD: Duration = Duration::from_secs(60);
/// A message that must not come would have come by then.
const NOTHING: Duration = Duration::from_secs(3);
const ADA: &str = "ada@example.org";

/// An answer of `fixtures/imip`, to this booking, given now and `later` seconds.
fn answer(fixture: &str, booking: &Value, link: &str, later: i64) -> String {
    let text = std::fs::read_to_string(root().join("fixtures/imip").join(fixture)).unwrap().replace("\n ", "");
    let uid = "019aab1c-7e30-7a11-8d22-5e6f70819203";
    let given = stamp(now() + SignedDuration::from_secs(later));
    let stamped = text.split("\nDTSTAMP:").collect::<Vec<_>>();
    let mut lines = stamped.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    for part in lines.iter_mut().skip(1) {
        *part = format!("{given}{}", part.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric()));
    }
    let text = lines.join("\nDTSTAMP:").replace(uid, booking["id"].as_str().unwrap());
    text.replace("https://meet.example.edu/b/mYkx3hN2vUQ5cJr8sLwZt1", link)
}

async fn start(name: &str, bookings: &str, mail: &str, smtp: &Smtp) -> Option<(Daemon, Day)> {
    let server = Server::radicale()?;
    let calendar = server.calendar(name).await;
    let more = format!("{}{mail}", smtp.section());
    let bookings_lines = format!("notify = false\n{bookings}");
    let daemon = Daemon::start(Config { bookings_lines, more, ..Config::new(&calendar) }).await;
    Some((daemon, Day::ahead(3)))
}

/// Books for Ada and waits for her invitation, which is the message of this number.
async fn book(daemon: &Daemon, smtp: &Smtp, start: jiff::Timestamp, number: usize) -> Value {
    let booking = daemon.book_confirmed("office-hour", start, "Ada").await;
    smtp.messages(number, TOLD).await;
    booking
}

fn heading(message: &Value) -> (&str, &str) {
    let to = message["headers"]["x-rcptto"].as_str().unwrap();
    (to, message["text"].as_str().unwrap().lines().next().unwrap())
}

/// Waits until a mail that was delivered last has been read.
async fn is_read(daemon: &Daemon, what: &str, count: usize) {
    eventually(what, TOLD, async || (daemon.log().matches(what).count() == count).then_some(())).await;
}

#[tokio::test]
async fn a_guest_who_declines_by_mail_is_asked_once_and_the_mailbox_stays_as_it_is() {
    let (Some(smtp), Some(dovecot)) = (Smtp::start().await, Dovecot::start().await) else { return };
    let Some((mut daemon, day)) = start("declines", "", &dovecot.lines(), &smtp).await else { return };
    dovecot.deliver("From: somebody@example.org\nSubject: hello\n\nNo answer at all.\n");
    let booking = book(&daemon, &smtp, day.at("10:00"), 1).await;
    let link = booking["manage_url"].as_str().unwrap();

    // Somebody else who knows what there is to know but cannot write from Ada's address.
    dovecot.deliver(&answer("stranger-declined.eml", &booking, link, 0));
    is_read(&daemon, "An answer by mail changes nothing", 1).await;
    dovecot.deliver(&answer("thunderbird-declined.eml", &booking, link, 0));
    let messages = smtp.messages(2, TOLD).await;
    assert_eq!(heading(&messages[1]), (ADA, "Do you want to cancel your booking?"));
    assert_eq!(daemon.booking(&token(&booking)).await["state"], "confirmed", "asked, not cancelled");

    // Over a restart, and when the server has numbered its messages anew, nothing is read twice.
    assert!(daemon.terminate().success());
    dovecot.renumber();
    let counter = answer("google-counter.eml", &booking, link, 5);
    let times = [("20261201T150000Z", day.at("15:00")), ("20261201T153000Z", day.at("15:30"))];
    dovecot.deliver(&times.iter().fold(counter, |text, (was, is)| text.replace(was, &stamp(*is))));
    daemon.start_again().await;
    let messages = smtp.messages(3, TOLD).await;
    assert_eq!(heading(&messages[2]), ("noether@example.edu", "The guest proposes another time"));
    let text = messages[2]["text"].as_str().unwrap();
    let date = day.0.strftime("%A %-d %B %Y").to_string();
    assert!(text.contains(&format!("Proposed: {date}\r\n    15:00–15:30 (Berlin, UTC")), "{text}");
    assert_eq!(messages[2]["headers"]["reply-to"], "Ada <ada@example.org>");
    assert_eq!(daemon.booking(&token(&booking)).await["start"], booking["start"], "shown, not obeyed");
    tokio::time::sleep(NOTHING).await;
    assert_eq!(smtp.raw().len(), 3);
    assert!(dovecot.is_untouched(), "no mail was moved or marked");
    assert!(!daemon.log().contains("ada@"), "no addresses in the log");

    // The host accepts it, though nothing is on offer in the afternoon.
    let page = text.split_whitespace().find(|word| word.contains("/h/")).expect("the host's link");
    let page = page.strip_prefix(&daemon.url("")).unwrap();
    let shown = daemon.get(page).await.text();
    assert!(shown.contains(&format!("the guest proposes: {date}, 15:00–15:30")), "{shown}");
    let form = shown.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form");
    let accept = [("decision", "accept"), ("form", form)];
    assert_eq!(daemon.post_form(page, &accept).await.status, 303);
    let messages = smtp.messages(4, TOLD).await;
    assert_eq!(heading(&messages[3]), (ADA, "Your booking has a new time"));
    let event = &messages[3]["event"];
    assert_eq!((&event["method"], &event["sequence"]), (&json!("REQUEST"), &json!(1)));
    assert_eq!(event["start"], day.at("15:00").to_string());
    assert!(daemon.get(page).await.text().contains("in your calendar"));
    assert_eq!(daemon.post_form(page, &accept).await.status, 303, "pressed twice");
    assert_eq!(smtp.raw().len(), 4);
}

#[tokio::test]
async fn where_the_host_wishes_so_a_decline_cancels_if_it_quotes_the_guests_link() {
    let (Some(smtp), Some(dovecot)) = (Smtp::start().await, Dovecot::start().await) else { return };
    let Some((daemon, day)) = start("obeys", "declined = \"cancel\"\n", &dovecot.lines(), &smtp).await else { return };
    let first = book(&daemon, &smtp, day.at("09:00"), 1).await;
    let second = book(&daemon, &smtp, day.at("11:00"), 2).await;
    // The link of another booking is no proof.
    dovecot.deliver(&answer("thunderbird-declined.eml", &first, second["manage_url"].as_str().unwrap(), 0));
    let messages = smtp.messages(3, TOLD).await;
    assert_eq!(heading(&messages[2]), (ADA, "Do you want to cancel your booking?"));
    assert_eq!(daemon.booking(&token(&first)).await["state"], "confirmed");
    dovecot.deliver(&answer("thunderbird-declined.eml", &second, second["manage_url"].as_str().unwrap(), 0));
    daemon.wait_state(&token(&second), "cancelled").await;
    let messages = smtp.messages(4, TOLD).await;
    assert_eq!((&messages[3]["event"]["method"], &messages[3]["event"]["sequence"]), (&json!("CANCEL"), &json!(1)));
}

#[tokio::test]
async fn a_refused_login_is_told_to_the_host_and_what_came_meanwhile_is_read_with_the_right_password() {
    let (Some(smtp), Some(dovecot)) = (Smtp::start().await, Dovecot::start().await) else { return };
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "wrong").unwrap();
    let mail = format!("{}imap_password = {{ file = {password:?} }}\n", dovecot.line());
    let alerts = "alert_after = \"2s\"\n";
    let Some((daemon, day)) = start("password", alerts, &mail, &smtp).await else { return };
    let messages = smtp.messages(1, TOLD).await;
    let subject = messages[0]["headers"]["subject"].as_str().unwrap();
    assert_eq!(subject, "Office hours: the login to the mailbox is refused");
    let booking = book(&daemon, &smtp, day.at("10:00"), 2).await;
    dovecot.deliver(&answer("thunderbird-declined.eml", &booking, "", 0));
    assert_eq!(dovecot.logins(), 0);
    std::fs::write(&password, "secret").unwrap();
    let messages = smtp.messages(4, TOLD).await;
    let mut told: Vec<_> = messages[2..].iter().map(heading).collect();
    told.sort_unstable();
    assert_eq!(told[0], (ADA, "Do you want to cancel your booking?"));
    assert_eq!(told[1], ("noether@example.edu", "It is over:"));
}

#[tokio::test]
async fn a_mailbox_that_is_away_is_told_after_a_while_and_nothing_that_came_is_passed_over() {
    let (Some(smtp), Some(mut dovecot)) = (Smtp::start().await, Dovecot::start().await) else { return };
    let alerts = "alert_after = \"2s\"\n";
    let Some((mut daemon, day)) = start("away", alerts, &dovecot.lines(), &smtp).await else { return };
    let booking = book(&daemon, &smtp, day.at("10:00"), 1).await;
    eventually("the mailbox is open", TOLD, async || (dovecot.logins() == 1).then_some(())).await;
    dovecot.stop();
    let messages = smtp.messages(2, TOLD).await;
    assert_eq!(messages[1]["headers"]["subject"], "Office hours: the answers of guests cannot be read");
    // What no program reads as an answer, what is too large for one, and then one.
    dovecot.deliver("no mail at all");
    dovecot.deliver(&format!("From: {ADA}\nSubject: a picture\n\n{}", "x".repeat(70).repeat(60_000)));
    dovecot.deliver(&answer("thunderbird-declined.eml", &booking, "", 0));
    dovecot.start_again().await;
    let messages = smtp.messages(4, TOLD).await;
    let mut told: Vec<_> = messages[2..].iter().map(heading).collect();
    told.sort_unstable();
    assert_eq!(told, [(ADA, "Do you want to cancel your booking?"), ("noether@example.edu", "It is over:")]);

    // Killed in the middle of whatever it did, it reads on where it was.
    daemon.kill();
    dovecot.deliver(&answer("outlook-declined.eml", &booking, "", 5));
    dovecot.deliver(&answer("delegated.eml", &booking, "", 9));
    daemon.start_again().await;
    let messages = smtp.messages(5, TOLD).await;
    assert_eq!(heading(&messages[4]), ("noether@example.edu", "The guest sends somebody else"));
    assert!(messages[4]["text"].as_str().unwrap().contains("Instead: charles@example.org"));
    assert!(dovecot.is_untouched());
}

#[tokio::test]
async fn the_mailbox_is_opened_by_tls_from_the_start_and_by_starttls_and_never_without() {
    let (Some(server), Some(dovecot)) = (Server::radicale(), Dovecot::start().await) else { return };
    let calendar = server.calendar("imaps").await;
    let folder = tempfile::tempdir().unwrap();
    let check = |url: &str, lines: &str, trusted: bool| {
        let mail = format!(
            "\n[mail]\nsmtp = \"smtp://127.0.0.1:9?tls=none\"\nfrom = \"office@meet.example.edu\"\nimap = \"{url}\"\n{lines}"
        );
        let path = folder.path().join("officehours.toml");
        std::fs::write(&path, Config { more: mail, ..Config::new(&calendar) }.toml()).unwrap();
        let mut command = Command::new(crate::support::binary());
        command.arg("--config").arg(&path).arg("check").current_dir(folder.path());
        if trusted {
            command.env("SSL_CERT_FILE", dovecot.certificate());
        }
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let right = "imap_password = \"secret\"\n";
    for url in [
        format!("imaps://office@localhost:{}", dovecot.secure_port),
        format!("imap://office@localhost:{}", dovecot.port),
    ] {
        let (good, said) = check(&url, right, true);
        assert!(good && said.contains("mail: the mailbox office@localhost/INBOX can be read."), "{said}");
        let (good, said) = check(&url, "imap_password = \"wrong\"\n", true);
        assert!(!good && said.contains("refuses the login"), "{said}");
        let (good, said) = check(&url, right, false);
        assert!(
            !good && said.contains("look at [mail] in the config"),
            "a certificate that nobody vouches for: {said}"
        );
        let nowhere = format!("{right}imap_folder = \"Nowhere\"\n");
        let (good, said) = check(&url, &nowhere, true);
        assert!(!good && said.contains("the folder \"Nowhere\""), "{said}");
    }
    // A server without STARTTLS is told no password.
    let Some(smtp) = Smtp::start().await else { return };
    let (good, said) = check(&format!("imap://office@localhost:{}", smtp.port), right, true);
    assert!(!good && said.contains("mail: the mailbox"), "{said}");
}
