//! One story on every calendar server that can be had: found from its bare address, a thousand events read, every kind of
//! change that another program of the host makes, and bookings that follow what the host does with their events. After each
//! step our copy is the server's, object by object, as an independent client reads it. Nothing here, and nothing in the
//! daemon, goes by a server's name.

mod behaviour;
mod large;
mod office;
mod robust;

use crate::story::{events_of, meeting_at, the_event_of};
use crate::support::{Day, Fault, ON_THE_SERVER, OwnServer, event, eventually, stamp, token};
use behaviour::Behaviour;
use office::Office;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn radicale_is_kept_in_step() {
    story("radicale").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xandikos_is_kept_in_step() {
    story("xandikos").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cyrus_is_kept_in_step() {
    story("cyrus").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn davical_is_kept_in_step() {
    story("davical").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sogo_is_kept_in_step() {
    story("sogo").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sabredav_is_kept_in_step() {
    story("sabredav").await;
}

async fn story(name: &'static str) {
    let Some(own) = OwnServer::start(name) else { return };
    let mut seen = Behaviour::probe(&own).await;
    let mut office = Office::open(own).await;
    seen.officehours(&office).await;
    changes(&mut office).await;
    remade(&mut office).await;
    lost_token(&mut office).await;
    moved_by_the_host(&mut office).await;
    not_guessed(&mut office).await;
    called_off_by_the_host(&mut office).await;
    lost_answer(&mut office).await;
    office.everything_in_step().await;
    seen.hold_against_the_table();
}

/// Every kind of change, by another program.
async fn changes(office: &mut Office) {
    let day = Day::ahead(20);
    let (work, other) = (office.work.clone(), office.other.clone());

    work.add_event(&meeting_at("lunch", day, "12:00", "13:00")).await;
    office.expect("lunch", &[(day, "12:00", "13:00")]);
    office.in_step("an event was made").await;

    work.edit_event("lunch", &json!({"SUMMARY": "Mittagessen bei Göttingens", "DESCRIPTION": "x".repeat(300)})).await;
    office.in_step("its text was changed").await;

    work.move_event("lunch", day.at("13:00"), day.at("14:30")).await;
    office.expect("lunch", &[(day, "13:00", "14:30")]);
    office.in_step("it was moved").await;

    let start = format!("DTSTART;TZID=Europe/Berlin:{}T090000", day.0.strftime("%Y%m%d"));
    let seminar = event("seminar", &[&start, "DURATION:PT45M", "RRULE:FREQ=WEEKLY;COUNT=3", "SUMMARY:Seminar"]);
    work.add_event(&seminar).await;
    let weeks = [20, 27, 34].map(|days| (Day::ahead(days), "09:00", "09:45"));
    office.expect("seminar", &weeks);
    office.in_step("a series was made").await;

    let (was, is) = (stamp(Day::ahead(27).at("09:00")), stamp(Day::ahead(27).at("15:00")));
    let moved = format!(
        "BEGIN:VEVENT\r\nUID:seminar\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:{was}\r\nDTSTART:{is}\r\nDURATION:PT45M\r\nSUMMARY:Seminar\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    work.add_event(&seminar.replace("END:VCALENDAR\r\n", &moved)).await;
    office.expect("seminar", &[weeks[0], (Day::ahead(27), "15:00", "15:45"), weeks[2]]);
    office.in_step("one of the series was moved").await;

    work.carry_event("lunch", &other).await;
    office.in_step("an event went to another calendar").await;

    for n in 0..40 {
        work.put(&format!("bulk-{n}.ics"), &meeting_at(&format!("bulk-{n}"), Day::ahead(21), "10:00", "10:30")).await;
    }
    office.expect("bulk", &[(Day::ahead(21), "10:00", "10:30")]);
    office.in_step("many were made").await;
    for n in 0..40 {
        work.delete(&format!("bulk-{n}.ics")).await;
    }
    office.forget("bulk");
    work.delete_event("seminar").await;
    office.forget("seminar");
    office.in_step("many were deleted").await;

    // The same name again, at once: there are servers that give the second event the version of the first.
    let again = |from, to| meeting_at("again", Day::ahead(22), from, to);
    work.put("again.ics", &again("10:00", "10:30")).await;
    office.expect("again", &[(Day::ahead(22), "10:00", "10:30")]);
    office.in_step("an event was made").await;
    work.delete("again.ics").await;
    work.put("again.ics", &again("16:00", "16:30")).await;
    office.expect("again", &[(Day::ahead(22), "16:00", "16:30")]);
    office.in_step("it was deleted and made anew").await;

    work.rename("Arbeit und Lehre").await;
    work.put("renamed.ics", &meeting_at("renamed", Day::ahead(23), "10:00", "10:30")).await;
    office.expect("renamed", &[(Day::ahead(23), "10:00", "10:30")]);
    office.in_step("the calendar was given another name").await;
    work.rename(&work.name).await;
}

/// A whole calendar deleted and made again under its old address: while we look on, and behind our back.
async fn remade(office: &mut Office) {
    let other = office.other.clone();
    office.forget("lunch");
    for (behind_our_back, time) in [(false, "17:00"), (true, "18:00")] {
        let (day, end) = (Day::ahead(24), time.replace(":00", ":30"));
        if behind_our_back {
            assert!(office.daemon.terminate().success());
        }
        other.delete_calendar().await;
        if !behind_our_back {
            office.in_step_without(&other).await;
        }
        other.make().await;
        // The same names as before, and others.
        other.put("remade.ics", &meeting_at("remade", day, time, &end)).await;
        other.put(&format!("only-{}.ics", &time[..2]), &meeting_at("only", day, time, &end)).await;
        office.expect("remade", &[(day, time, &end)]);
        if behind_our_back {
            office.daemon.start_again().await;
        }
        office.in_step("a calendar was deleted and made again").await;
    }
}

/// The server forgets what our token meant, and what was deleted since.
async fn lost_token(office: &mut Office) {
    let work = office.work.clone();
    for token in ["http://example.org/not-a-token", "data:,999999999", "4102444800"] {
        office.set_token(&work, token);
        work.put("token.ics", &meeting_at("token", Day::ahead(25), "10:00", "10:30")).await;
        office.expect("token", &[(Day::ahead(25), "10:00", "10:30")]);
        office.read_anew().await;
        office.in_step("a token was lost").await;
        // Again, and nothing but a deletion.
        office.set_token(&work, token);
        work.delete("token.ics").await;
        office.forget("token");
        office.read_anew().await;
        office.in_step("a token and a deletion were lost").await;
    }
}

/// A booking, and the host's hand on its event.
async fn moved_by_the_host(office: &mut Office) {
    let day = Day::ahead(3);
    let (work, other) = (office.work.clone(), office.other.clone());
    let booking = office.daemon.book_confirmed("office-hour", day.at("09:00"), "Ada Lovelace").await;
    let guest = token(&booking);
    let ours = the_event_of(&work, "Ada Lovelace").await;
    assert_eq!((&ours["start"], &ours["end"]), (&booking["start"], &booking["end"]));
    assert_eq!((&ours["summary"], &ours["location"]), (&json!("Office hour: Ada Lovelace"), &json!("Room 2.12")));
    let uid = ours["uid"].as_str().unwrap();
    office.expect("Ada", &[(day, "09:00", "09:30")]);
    office.in_step("a guest booked").await;

    // The host moves it on the phone, and makes it longer.
    work.move_event(uid, day.at("10:00"), day.at("11:00")).await;
    office.wait_start(&guest, day.at("10:00")).await;
    assert_eq!(office.daemon.booking(&guest).await["end"], day.at("11:00").to_string());
    office.expect("Ada", &[(day, "10:00", "11:00")]);
    office.in_step("the host moved the booking").await;
    office.daemon.wait_starts("office-hour", day, &["09:00", "09:30", "11:00", "11:30"]).await;

    // What the host adds to the event outlives what the guest does, and time that the host calls free stays taken.
    let place = "Hörsaal 3, Haus B; links";
    work.edit_event(uid, &json!({"X-ROOM-KEY": "4711", "TRANSP": "TRANSPARENT", "LOCATION": place})).await;
    office.forget("Ada");
    office.in_step("the host edited the event").await;
    eventually("the booking follows to another place", ON_THE_SERVER, async || {
        (office.daemon.booking(&guest).await["location"] == place).then_some(())
    })
    .await;
    office.daemon.wait_starts("office-hour", day, &["09:00", "09:30", "11:00", "11:30"]).await;
    let path = format!("/api/v1/bookings/{guest}/move");
    office.daemon.post_json(&path, &json!({"start": day.at("09:00").to_string()})).await.expect(200);
    eventually("the event is where the guest wants it, and there once", ON_THE_SERVER, async || {
        let events = events_of(&work, "Ada Lovelace").await;
        (events.len() == 1 && events[0]["start"] == day.at("09:00").to_string()).then_some(())
    })
    .await;
    let moved = the_event_of(&work, "Ada Lovelace").await;
    assert_eq!(moved["uid"], ours["uid"]);
    let properties = moved["properties"].as_array().unwrap();
    assert!(properties.contains(&json!("X-ROOM-KEY")), "the host's own property is still there: {moved}");
    assert_eq!((&moved["location"], &office.daemon.booking(&guest).await["location"]), (&json!(place), &json!(place)));
    office.wait_start(&guest, day.at("09:00")).await;
    office.in_step("the guest moved it").await;

    // To another calendar and on from there.
    work.carry_event(uid, &other).await;
    office.in_step("the host carried the event to another calendar").await;
    office.outlast_the_grace().await;
    assert_eq!(office.daemon.booking(&guest).await["state"], "confirmed");
    other.move_event(uid, day.at("11:00"), day.at("11:30")).await;
    office.wait_start(&guest, day.at("11:00")).await;
    office.in_step("it was moved there").await;

    // To one that we do not read, and back: it is booked all the same.
    other.carry_event(uid, &office.unread).await;
    office.in_step("it went where we do not look").await;
    office.outlast_the_grace().await;
    assert_eq!(office.daemon.booking(&guest).await["state"], "confirmed");
    office.unread.carry_event(uid, &other).await;
    office.in_step("it came back").await;

    // Deleted, it is believed after the grace period.
    let text = other.text_of(uid).await;
    other.delete_event(uid).await;
    office.daemon.wait_state(&guest, "cancelled").await;
    office.in_step("the host deleted the event").await;
    office.daemon.wait_starts("office-hour", day, office::ALL).await;

    // Taken out of the bin again, it is the host's: busy, and the host is told.
    let log = office.daemon.log().len();
    other.put("restored.ics", &text.replace("TRANSP:TRANSPARENT", "TRANSP:OPAQUE")).await;
    office.expect("restored", &[(day, "11:00", "11:30")]);
    office.in_step("the host restored the event").await;
    office.daemon.wait_starts("office-hour", day, &["09:00", "09:30", "10:00", "10:30", "11:30"]).await;
    assert_eq!(office.daemon.booking(&guest).await["state"], "cancelled");
    office.wait_log(log, "alert=\"restored\"").await;
}

/// What a booking cannot be is not guessed at.
async fn not_guessed(office: &mut Office) {
    let day = Day::ahead(4);
    let work = office.work.clone();
    let booking = office.daemon.book_confirmed("office-hour", day.at("09:00"), "Alan Turing").await;
    let guest = token(&booking);
    let ours = the_event_of(&work, "Alan Turing").await;
    let uid = ours["uid"].as_str().unwrap();
    let next_day = Day::ahead(5);
    let (from, to) = (json!({"date": day.0.to_string()}), json!({"date": next_day.0.to_string()}));
    let times =
        json!({"DTSTART": {"instant": day.at("09:00").to_string()}, "DTEND": {"instant": day.at("09:30").to_string()}});
    for (odd, back, said, busy) in [
        (json!({"DTSTART": from, "DTEND": to}), times, "all-day", vec![(day, "00:00", "24:00")]),
        (
            json!({"RRULE": {"rule": "FREQ=DAILY;COUNT=2"}}),
            json!({"RRULE": null}),
            "series",
            vec![(day, "09:00", "09:30"), (next_day, "09:00", "09:30")],
        ),
    ] {
        let log = office.daemon.log().len();
        work.edit_event(uid, &odd).await;
        office.expect("Alan", &busy);
        office.in_step("the event became something else").await;
        office.wait_log(log, said).await;
        office.outlast_the_grace().await;
        let after = office.daemon.booking(&guest).await;
        assert_eq!((&after["state"], &after["start"]), (&json!("confirmed"), &booking["start"]));
        let starts = office.daemon.starts("office-hour", day).await;
        assert!(!starts.contains(&day.at("09:00")), "the slot is the guest's still");
        work.edit_event(uid, &back).await;
        office.expect("Alan", &[(day, "09:00", "09:30")]);
        office.in_step("it is what it was").await;
    }
}

/// The other two ways to call a booking off on the calendar.
async fn called_off_by_the_host(office: &mut Office) {
    let day = Day::ahead(6);
    let work = office.work.clone();
    let declined = json!({
        "ORGANIZER": {"address": "mailto:guest@example.org"},
        "ATTENDEE": {"address": "mailto:Noether@Example.edu", "params": {"PARTSTAT": "DECLINED"}},
    });
    for (time, name, edit) in
        [("09:00", "Grace Hopper", json!({"STATUS": "CANCELLED"})), ("10:00", "Barbara Liskov", declined)]
    {
        let booking = office.daemon.book_confirmed("office-hour", day.at(time), name).await;
        let ours = the_event_of(&work, name).await;
        work.edit_event(ours["uid"].as_str().unwrap(), &edit).await;
        office.daemon.wait_state(&token(&booking), "cancelled").await;
    }
    office.daemon.wait_starts("office-hour", day, office::ALL).await;
    office.in_step("the host called bookings off").await;
}

/// The server takes the event and dies over the answer.
async fn lost_answer(office: &mut Office) {
    let day = Day::ahead(7);
    let work = office.work.clone();
    office.proxy.log();
    office.proxy.fault(Fault::LostPuts);
    let booking = office.daemon.book("office-hour", day.at("09:00"), "Kurt Gödel").await.expect(201);
    eventually("the event was sent", ON_THE_SERVER, async || {
        office.proxy.log().iter().any(|exchange| exchange.method == "PUT").then_some(())
    })
    .await;
    office.proxy.fault(Fault::None);
    office.daemon.wait_state(&token(&booking), "confirmed").await;
    assert_eq!(the_event_of(&work, "Kurt Gödel").await["start"], booking["start"]);
    office.expect("Kurt", &[(day, "09:00", "09:30")]);
    office.in_step("an answer was lost").await;
}
