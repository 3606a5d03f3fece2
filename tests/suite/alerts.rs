//! What is wrong is told to the host: the real daemon, real servers that fail, a real mail server.

use crate::support::{
    Config, Daemon, Day, Fault, ON_THE_SERVER, Proxy, Server, Smtp, event, eventually, officehours, stamp, token,
};
use serde_json::Value;
use std::time::Duration;

/// A look every 5 s, a mail at once.
const TOLD: Duration = Duration::from_secs(40);

/// The subjects and texts of the alerts so far.
fn alerts(smtp: &Smtp) -> Vec<String> {
    let texts = smtp.raw().into_iter().map(|raw| String::from_utf8(raw).unwrap());
    texts.filter(|text| text.contains("\r\nSubject: Office hours: ")).collect()
}

pub(crate) async fn wait(smtp: &Smtp, part: &str) -> String {
    eventually(part, TOLD, async || alerts(smtp).into_iter().find(|text| text.contains(part))).await
}

/// An event of this title from one instant to another.
fn at(uid: &str, title: &str, start: jiff::Timestamp, end: jiff::Timestamp) -> String {
    let lines = [format!("DTSTART:{}", stamp(start)), format!("DTEND:{}", stamp(end)), format!("SUMMARY:{title}")];
    event(uid, &lines.each_ref().map(String::as_str))
}

fn config(calendar: &crate::support::Calendar, proxy: &Proxy, smtp: &Smtp) -> Config {
    Config {
        url: proxy.url.clone(),
        bookings_lines: "alert_after = \"2s\"\n".to_owned(),
        more: smtp.section(),
        ..Config::new(calendar)
    }
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_is_told_once_over_a_restart_and_so_is_the_end() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let proxy = Proxy::before(&server.url).await;
    let calendar = server.calendar("unreachable").await;
    let mut daemon = Daemon::start(config(&calendar, &proxy, &smtp)).await;
    proxy.fault(Fault::All(500));
    let told = wait(&smtp, "Subject: Office hours: a calendar cannot be read").await;
    assert!(told.contains("work: ") && told.contains("\r\nAuto-Submitted: auto-generated"), "{told}");
    assert!(told.contains("noether@example.edu>\r\n"));
    assert!(daemon.terminate().success());
    daemon.start_again().await;
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(alerts(&smtp).len(), 1, "two looks later it is still the same episode");
    proxy.fault(Fault::None);
    wait(&smtp, "Subject: Office hours: over: a calendar cannot be read").await;
    assert!(daemon.log().contains("alert=\"unreachable\"") && daemon.log().contains("is over"));
    assert_eq!(alerts(&smtp).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_writes_keep_the_slot_and_are_told_and_a_person_can_hurry_them() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let proxy = Proxy::before(&server.url).await;
    let day = Day::ahead(3);
    let calendar = server.calendar("refused").await;
    let daemon = Daemon::start(config(&calendar, &proxy, &smtp)).await;
    proxy.fault(Fault::Writes(403));
    let booking = daemon.book("office-hour", day.at("10:00"), "Ada").await.expect(201);
    assert_eq!(booking["state"], "reserved");
    let told = wait(&smtp, "Subject: Office hours: bookings cannot be written").await;
    assert!(told.contains("1 change of a booking waits"), "{told}");
    assert!(!daemon.starts("office-hour", day).await.contains(&day.at("10:00")), "the slot stays the guest's");

    // The third failure in a row is the last for a quarter of an hour.
    let outbox = || -> Vec<Value> {
        let output = daemon.command(&["outbox", "--json"]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let [waiting] = eventually("the third attempt", ON_THE_SERVER, async || {
        let all: [Value; 1] = outbox().try_into().unwrap();
        (all[0]["attempts"].as_u64() >= Some(3)).then_some(all)
    })
    .await;
    assert_eq!((&waiting["kind"], &waiting["state"]), (&"put-event".into(), &"pending".into()));
    assert_eq!((&waiting["booking"], &waiting["needs_host"]), (&booking["id"], &true.into()));
    assert!(waiting["last_error"].as_str().unwrap().contains("read-only") && waiting["next_try"].is_string());
    let listed = String::from_utf8(daemon.command(&["outbox"]).stdout).unwrap();
    assert!(listed.contains("put-event") && listed.contains("attempt(s)"), "{listed}");
    let metrics = daemon.get("/metrics").await.text();
    for line in [
        r#"officehours_outbox_waiting{lane="calendar"} 1"#,
        r#"officehours_outbox_failed{lane="mail"} 0"#,
        r#"officehours_alerts_open{kind="write-refused"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    let check = String::from_utf8(daemon.command(&["check"]).stdout).unwrap();
    assert!(check.contains("noether: alert since") && check.contains("1 change of a booking waits"), "{check}");

    proxy.fault(Fault::None);
    let id = waiting["id"].to_string();
    assert!(daemon.command(&["outbox", "retry", &id]).status.success());
    daemon.wait_state(&token(&booking), "confirmed").await;
    wait(&smtp, "Subject: Office hours: over: bookings cannot be written").await;
    assert!(outbox().is_empty());
    assert_eq!(daemon.command(&["outbox", "drop", &id]).status.code(), Some(2), "it is done");

    // A refused login is told at once.
    proxy.fault(Fault::All(401));
    wait(&smtp, "Subject: Office hours: the login to a calendar is refused").await;
    assert!(!daemon.log().contains("Ada"), "no names in the log");
}

#[tokio::test]
async fn an_event_without_a_start_is_told_and_named() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let proxy = Proxy::before(&server.url).await;
    let calendar = server.calendar("undated").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exam.ics");
    let event = "BEGIN:VCALENDAR
BEGIN:VEVENT
UID:exam
SUMMARY:Viva
DTSTART:soon
END:VEVENT
END:VCALENDAR
";
    std::fs::write(&file, event).unwrap();
    let mut config = config(&calendar, &proxy, &smtp);
    config.more.push_str(&format!(
        "
[[host.folder]]
path = {:?}
",
        folder.path()
    ));
    let daemon = Daemon::start(config).await;
    let told = wait(&smtp, "Subject: Office hours: an event does not count as busy").await;
    assert!(told.contains("Viva") && told.contains("exam"), "{told}");
    assert!(!daemon.log().contains("Viva"), "no titles in the log");
    std::fs::remove_file(&file).unwrap();
    wait(&smtp, "Subject: Office hours: over: an event does not count as busy").await;
}

#[tokio::test]
async fn what_happens_to_a_booking_behind_its_back_is_told_and_the_guest_sees_that_no_mail_arrives() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let proxy = Proxy::before(&server.url).await;
    let day = Day::ahead(3);
    let calendar = server.calendar("behind").await;
    let daemon = Daemon::start(config(&calendar, &proxy, &smtp)).await;
    smtp.mode("refuse ada@");
    let clashing = daemon.book_confirmed("office-hour", day.at("09:00"), "Ada").await;
    let told = wait(&smtp, "Subject: Office hours: a mail about a booking could not be delivered").await;
    assert!(told.contains("Ada") && told.contains("550"), "{told}");
    let page = daemon.get(&format!("/b/{}", token(&clashing))).await.text();
    assert!(page.contains("We could not mail you at ada@example.org"), "{page}");

    calendar.put("clash.ics", &at("clash", "Faculty", day.at("09:15"), day.at("10:00"))).await;
    let told = wait(&smtp, "Subject: Office hours: a booking is at the same time as an event").await;
    assert!(told.replace("=\r\n", "").contains("Faculty"), "{told}");
    calendar.delete("clash.ics").await;
    wait(&smtp, "Subject: Office hours: over: a booking is at the same time").await;

    // The host makes the event an all-day event: nobody guesses what is meant.
    let uid = |events: &[Value], at: jiff::Timestamp| {
        let event = events.iter().find(|event| event["start"] == at.to_string()).unwrap();
        event["uid"].as_str().unwrap().to_owned()
    };
    let odd = daemon.book_confirmed("office-hour", day.at("10:30"), "Blaise").await;
    let odd_uid = uid(&calendar.events().await, day.at("10:30"));
    let date = format!("DTSTART;VALUE=DATE:{}", day.0.strftime("%Y%m%d"));
    let all_day = event(&odd_uid, &[&date, "SUMMARY:all day", "TRANSP:TRANSPARENT"]);
    calendar.put(&format!("{odd_uid}.ics"), &all_day).await;
    let told = wait(&smtp, "Subject: Office hours: the event of a booking is no longer").await;
    assert!(told.contains("Blaise"), "{told}");
    assert_eq!(daemon.booking(&token(&odd)).await["state"], "confirmed", "the booking stays as it is");

    // An event that comes back after its booking was cancelled is another event, and the host hears of it.
    let cancelled = daemon.book_confirmed("office-hour", day.at("11:30"), "Carl").await;
    let uid = uid(&calendar.events().await, day.at("11:30"));
    daemon.cancel(&token(&cancelled)).await.expect(200);
    eventually("the event is gone", ON_THE_SERVER, async || {
        (!calendar.events().await.iter().any(|event| event["uid"] == uid.as_str())).then_some(())
    })
    .await;
    calendar.put(&format!("{uid}.ics"), &at(&uid, "Office hour: Carl", day.at("11:30"), day.at("12:00"))).await;
    wait(&smtp, "Subject: Office hours: the event of a cancelled booking is back").await;
    assert_eq!(daemon.booking(&token(&cancelled)).await["state"], "cancelled");
    assert!(!daemon.starts("office-hour", day).await.contains(&day.at("11:30")), "it is busy");
    let help = officehours(&["outbox", "--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("retry"));
}

#[tokio::test]
async fn an_event_that_has_lost_its_length_is_told_and_its_booking_stays() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("timeless").await;
    let daemon = Daemon::start(Config { more: smtp.section(), ..Config::new(&calendar) }).await;
    let booking = daemon.book_confirmed("office-hour", day.at("09:00"), "Blaise").await;
    let uid = calendar.events().await[0]["uid"].as_str().unwrap().to_owned();
    let start = format!("DTSTART:{}", stamp(day.at("09:00")));
    calendar.put(&format!("{uid}.ics"), &event(&uid, &[&start, "SUMMARY:Blaise"])).await;
    let told = wait(&smtp, "Subject: Office hours: the event of a booking is no longer").await;
    assert!(told.replace("=\r\n", "").contains("or no length"), "{told}");
    assert_eq!(daemon.booking(&token(&booking)).await["state"], "confirmed");
}

#[tokio::test]
async fn a_booking_that_the_host_drags_onto_something_else_is_told_once_and_not_for_being_out_of_hours() {
    let (Some(server), Some(smtp)) = (Server::radicale(), Smtp::start().await) else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("dragged").await;
    calendar.put("senate.ics", &at("senate", "Senate", day.at("18:00"), day.at("19:00"))).await;
    let daemon = Daemon::start(Config { more: smtp.section(), ..Config::new(&calendar) }).await;
    let drag = async |name: &str, from: &str, to: (&str, &str)| {
        let booking = daemon.book_confirmed("office-hour", day.at(from), name).await;
        let file = format!("{}.ics", booking["id"].as_str().unwrap());
        assert!(calendar.move_file(&file, day.at(to.0), day.at(to.1)).await);
        eventually("the booking follows", ON_THE_SERVER, async || {
            (daemon.booking(&token(&booking)).await["start"] == day.at(to.0).to_string()).then_some(())
        })
        .await;
    };
    drag("Ada", "09:00", ("20:00", "20:30")).await;
    drag("Blaise", "10:00", ("18:30", "19:00")).await;
    let told = wait(&smtp, "Subject: Office hours: a booking is at the same time as an event").await;
    assert!(told.contains("Blaise") && told.contains("Senate") && !told.contains("Ada"), "{told}");
    assert_eq!(alerts(&smtp).len(), 1);
}
