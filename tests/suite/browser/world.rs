//! Guests elsewhere and unlucky: in another zone and language, with an old link, with two tabs, with a browser that has to work.

use crate::support::{Browser, Config, Daemon, Day, Meeting, ONE_POLL, Scripts, Server, event, eventually, now, stamp};
use fantoccini::Locator;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::time::Duration;

/// The next Sunday on which Berlin's clocks change.
fn clocks_change() -> jiff::civil::Date {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let change = berlin.following(now()).next().unwrap().timestamp();
    change.in_tz("Europe/Berlin").unwrap().date()
}

#[tokio::test]
async fn a_guest_elsewhere_sees_both_clocks_on_either_side_of_a_change_and_may_choose_a_zone() {
    let Some(server) = Server::radicale() else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let calendar = server.calendar("zones").await;
    let meeting = Meeting { horizon: "250d".into(), ..Meeting::new("office-hour", "30m", "30m") };
    let daemon = Daemon::start(Config::new(&calendar).meetings([meeting])).await;
    let change = clocks_change();
    let clock = |at: Timestamp, zone: &str| at.in_tz(zone).unwrap().strftime("%H:%M").to_string();

    // Kolkata has no summer time: the host's 9 o'clock is another there a day before the change and a day after.
    browser.languages("en").await;
    browser.time_zone("Asia/Kolkata").await;
    let mut seen = Vec::new();
    for date in [change.yesterday().unwrap(), change.tomorrow().unwrap()] {
        let nine = Day(date).at("09:00");
        browser.goto(&daemon.url(&format!("/noether/office-hour?day={date}"))).await;
        // As this browser calls it.
        browser.wait_url("tz=Asia%2FCalcutta").await;
        let there = clock(nine, "Asia/Kolkata");
        browser.wait_text(&format!("{there} for you")).await;
        // The link of the slot carries the zone along, and the form shows both clocks.
        browser.click(&format!("#times a[href*=\"{nine}\"]")).await;
        browser.wait_url(&nine.to_string()).await;
        browser.wait_text("Kolkata, UTC+5:30").await;
        let text = browser.text().await;
        assert!(text.contains("09:00–09:30") && text.contains(&there), "{text}");
        seen.push(there);
    }
    assert_ne!(seen[0], seen[1], "an hour apart");

    // Another zone by hand, whatever the computer says; a day later there, it is said.
    browser.goto(&daemon.url(&format!("/noether/office-hour?day={change}"))).await;
    browser.wait_url("tz=").await;
    browser.click("details.zones > summary").await;
    browser.client.find(Locator::Css("#tz")).await.unwrap().select_by_value("Pacific/Auckland").await.unwrap();
    browser.click("details.zones button").await;
    browser.wait_url("tz=Pacific%2FAuckland").await;
    browser.wait_text("Auckland").await;
    let last = Day(change).at("11:30").in_tz("Pacific/Auckland").unwrap();
    let told = if last.date() == change { last.strftime("%H:%M") } else { last.strftime("%a %H:%M") };
    browser.wait_text(&format!("{told} for you")).await;
    browser.close().await;
}

#[tokio::test]
async fn an_old_link_two_tabs_and_the_back_button_book_once_and_lose_nothing() {
    let Some(server) = Server::radicale() else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let calendar = server.calendar("tabs").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let day = Day::ahead(4);
    let page = |time: &str| daemon.url(&format!("/noether/office-hour/{}", day.at(time)));

    // A link of last week.
    let past = Day(Day::ahead(0).0.checked_sub(7.days()).unwrap()).at("10:00");
    browser.goto(&daemon.url(&format!("/noether/office-hour/{past}"))).await;
    browser.wait_text("This time has passed").await;
    assert!(browser.visible("a.card").await.is_some(), "what is free instead");

    // Two tabs with one time: the second is told so, keeps what was typed, and books another with one click.
    let client = &browser.client;
    let first = client.window().await.unwrap();
    browser.goto(&page("09:30")).await;
    browser.fill("name", "Ada Lovelace").await;
    browser.fill("email", "ada@example.org").await;
    let second = client.new_window(true).await.unwrap().handle;
    client.switch_to_window(second).await.unwrap();
    browser.goto(&page("09:30")).await;
    browser.fill("name", "Grace Hopper").await;
    browser.fill("email", "grace@example.org").await;
    client.switch_to_window(first.clone()).await.unwrap();
    browser.click("form.book button").await;
    browser.wait_url("/b/").await;
    let booked = browser.url().await;
    let others: Vec<_> = client.windows().await.unwrap().into_iter().filter(|window| *window != first).collect();
    client.switch_to_window(others[0].clone()).await.unwrap();
    browser.click("form.book button").await;
    browser.wait_text("what you typed is kept").await;
    assert_eq!(browser.script("return document.activeElement.id").await, "taken", "it is what is read first");
    browser.click(&format!("button[formaction*=\"{}\"]", day.at("10:00"))).await;
    browser.wait_url("/b/").await;
    browser.wait_text("Grace Hopper").await;
    browser.wait_text("10:00–10:30").await;
    client.close_window().await.unwrap();
    client.switch_to_window(first).await.unwrap();

    // Back to the form, and the same sent again: the same booking.
    client.back().await.unwrap();
    browser.wait_url("/noether/office-hour/").await;
    browser.click("form.book button").await;
    browser.wait_url("/b/").await;
    assert_eq!(browser.url().await, booked);
    daemon.wait_state(booked.path().rsplit('/').next().unwrap(), "confirmed").await;
    let output = daemon.command(&["bookings", "list", "--json"]);
    assert_eq!(serde_json::from_slice::<Vec<serde_json::Value>>(&output.stdout).unwrap().len(), 2);

    // Times that somebody took meanwhile are gone when the guest comes back to the month.
    browser.goto(&daemon.url(&format!("/noether/office-hour?day={}", day.0))).await;
    let eleven = format!("#times a[href*=\"{}\"]", day.at("11:00"));
    browser.click(&eleven).await;
    browser.wait_url("T").await;
    daemon.book("office-hour", day.at("11:00"), "Emil Artin").await.expect(201);
    client.back().await.unwrap();
    browser.wait_url("day=").await;
    eventually("the time is gone", Duration::from_secs(10), async || {
        browser.visible(&eleven).await.is_none().then_some(())
    })
    .await;
    browser.close().await;
}

#[tokio::test]
async fn a_guest_is_spoken_to_in_their_language_and_their_browser_works_for_the_booking() {
    let Some(server) = Server::radicale() else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let calendar = server.calendar("words").await;
    let meeting = Meeting { horizon: "60d".into(), ..Meeting::new("office-hour", "30m", "30m") };
    let mut config = Config::new(&calendar).meetings([meeting]);
    config.limits.push_str("proof_of_work = 12\n");
    let daemon = Daemon::start(config).await;
    let day = Day::ahead(3);

    browser.languages("de-AT,de;q=0.9,en;q=0.5").await;
    browser.goto(&daemon.url(&format!("/noether/office-hour?day={}", day.0))).await;
    let language = "return document.documentElement.lang";
    assert_eq!(browser.script(language).await, "de");
    let text = browser.text().await;
    assert!(text.contains("Freie Zeiten") || text.contains("freie Zeiten"), "{text}");
    // What is said aloud when the month is turned is in the page's language too.
    browser.click("#month a[rel=next]").await;
    browser.wait_url("month=").await;
    let month = day.0.first_of_month().checked_add(1.month()).unwrap();
    let months = [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ];
    let name = months[usize::try_from(month.month()).unwrap() - 1];
    let said = serde_json::json!(format!("{name} {}", month.year()));
    browser.wait_script("return document.querySelector('#said').textContent", &said).await;

    // Another language by the link at the foot; it goes along into the booking.
    browser.click("a[hreflang=fr]").await;
    browser.wait_url("lang=fr").await;
    assert_eq!(browser.script(language).await, "fr");
    browser.goto(&daemon.url(&format!("/noether/office-hour/{}?lang=fr", day.at("09:00")))).await;
    assert_eq!(browser.script(language).await, "fr");
    browser.fill("name", "Sophie Germain").await;
    browser.fill("email", "sophie@example.org").await;
    // Nothing was asked of the guest; the browser has found what was asked of it.
    browser.click("form.book button").await;
    browser.wait_url("/b/").await;
    assert_eq!(browser.script(language).await, "fr");
    let token = browser.url().await.path().rsplit('/').next().unwrap().to_owned();
    daemon.wait_state(&token, "confirmed").await;

    // That another time has gone meanwhile is said in it too.
    let to = day.at("10:00");
    browser.goto(&daemon.url(&format!("/b/{token}/move?lang=fr&month={}", day.0.strftime("%Y-%m")))).await;
    let chosen = format!("input[value=\"{to}\"]");
    browser.click(&chosen).await;
    let lines = [format!("DTSTART:{}", stamp(to)), format!("DTEND:{}", stamp(day.at("10:30")))];
    calendar.put("faculty.ics", &event("faculty", &lines.each_ref().map(String::as_str))).await;
    eventually("the time is gone", ONE_POLL, async || {
        (!daemon.starts("office-hour", day).await.contains(&to)).then_some(())
    })
    .await;
    browser.click("form[action*=\"/move\"] button").await;
    browser.wait_text("Cet horaire est pris. Merci d’en choisir un autre.").await;
    browser.close().await;
}
