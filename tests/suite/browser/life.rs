//! The whole life of a booking: found, booked, moved and cancelled, with scripts and without, by pointer and by the keyboard alone.

use crate::support::{Browser, Calendar, Config, Daemon, Day, ON_THE_SERVER, Scripts, Server, eventually};
use fantoccini::Locator;
use fantoccini::key::Key;
use std::time::Duration;

/// How a guest touches a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    Pointer,
    Keyboard,
}

impl Hand {
    /// Follows a link, presses a button, opens what is folded.
    async fn press(self, browser: &Browser, css: &str) {
        match self {
            Hand::Pointer => browser.click(css).await,
            Hand::Keyboard => {
                browser.tab_to(css).await;
                browser.press(&[Key::Enter]).await;
            }
        }
    }

    /// Chooses a box.
    async fn choose(self, browser: &Browser, css: &str) {
        match self {
            Hand::Pointer => browser.click(css).await,
            Hand::Keyboard => {
                browser.tab_to(css).await;
                browser.type_in(" ").await;
            }
        }
    }

    async fn fill(self, browser: &Browser, name: &str, text: &str) {
        match self {
            Hand::Pointer => browser.fill(name, text).await,
            Hand::Keyboard => {
                browser.tab_to(&format!("[name={name}]")).await;
                browser.type_in(text).await;
            }
        }
    }
}

#[tokio::test]
async fn a_booking_lives_with_scripts_by_pointer_and_by_keyboard() {
    lives(Scripts::On, [(Hand::Pointer, 1280), (Hand::Keyboard, 360)]).await;
}

#[tokio::test]
async fn a_booking_lives_without_scripts_by_pointer_and_by_keyboard() {
    lives(Scripts::Off, [(Hand::Pointer, 360), (Hand::Keyboard, 1280)]).await;
}

async fn lives(scripts: Scripts, ways: [(Hand, u32); 2]) {
    let Some(server) = Server::radicale() else { return };
    let Some(browser) = Browser::start(scripts).await else { return };
    let calendar = server.calendar("browser").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    for (hand, width) in ways {
        browser.width(width).await;
        life(&browser, &daemon, &calendar, scripts, hand).await;
    }
    browser.close().await;
}

/// On a page of times, to those of a day.
async fn to_day(browser: &Browser, scripts: Scripts, hand: Hand, day: Day) {
    let in_month = format!("a[href*=\"day={}\"]", day.0);
    if browser.client.find(Locator::Css(&in_month)).await.is_err() {
        hand.press(browser, "a[rel=next]").await;
        browser.wait_url(&format!("month={}", day.0.strftime("%Y-%m"))).await;
    }
    if scripts == Scripts::Off || hand == Hand::Pointer {
        hand.press(browser, &in_month).await;
        return browser.wait_url(&format!("day={}", day.0)).await;
    }
    // The month is one stop, left with Tab.
    browser.tab_to("td[data-date]").await;
    let wanted = day.0.to_string();
    for _ in 0..31 {
        let at = browser.script("return document.activeElement.dataset.date").await;
        match at.as_str().expect("a day has the focus").cmp(&wanted) {
            std::cmp::Ordering::Less => browser.press(&[Key::Right]).await,
            std::cmp::Ordering::Greater => browser.press(&[Key::Left]).await,
            std::cmp::Ordering::Equal => break,
        }
    }
    browser.press(&[Key::Enter]).await;
    browser.wait_url(&format!("day={}", day.0)).await;
}

async fn life(browser: &Browser, daemon: &Daemon, calendar: &Calendar, scripts: Scripts, hand: Hand) {
    let day = Day::ahead(3);
    let slot = day.at("10:30");

    // From the host's page, by links alone, to the slot.
    browser.goto(&daemon.url("/noether")).await;
    browser.wait_text("Emmy Noether").await;
    hand.press(browser, "a[href$=\"/noether/office-hour\"]").await;
    browser.wait_url("/noether/office-hour").await;
    to_day(browser, scripts, hand, day).await;
    hand.press(browser, &format!("#times a[href*=\"/noether/office-hour/{slot}\"]")).await;
    browser.wait_url(&slot.to_string()).await;

    hand.fill(browser, "name", "Ada Lovelace").await;
    hand.fill(browser, "email", "ada@example.org").await;
    hand.press(browser, "form.book button").await;
    browser.wait_url("/b/").await;
    browser.wait_text("10:30").await;
    assert!(browser.text().await.contains("Ada Lovelace"));
    let token = browser.url().await.path().rsplit('/').next().unwrap().to_owned();
    daemon.wait_state(&token, "confirmed").await;
    assert_eq!(calendar.events().await.len(), 1);

    // The slot's page now says that it is taken, and another is a click away.
    browser.goto(&daemon.url(&format!("/noether/office-hour/{slot}"))).await;
    browser.wait_text("taken").await;
    assert!(browser.visible(&format!("a.card[href*=\"{}\"]", day.at("10:00"))).await.is_some());

    // Moved to the first time there is.
    browser.goto(&daemon.url(&format!("/b/{token}"))).await;
    hand.press(browser, "a[href$=\"/move\"]").await;
    browser.wait_url("/move").await;
    hand.choose(browser, "input[type=radio]").await;
    hand.press(browser, "form[action$=\"/move\"] button").await;
    eventually("the booking's own page", Duration::from_secs(10), async || {
        browser.url().await.path().ends_with(&token).then_some(())
    })
    .await;
    eventually("the event is elsewhere", ON_THE_SERVER, async || {
        let events = calendar.events().await;
        (events.len() == 1 && !events[0]["start"].as_str().unwrap().contains("10:30")).then_some(())
    })
    .await;

    // A choice is made before the button counts: programs that open mails press buttons.
    hand.press(browser, "details.cancel > summary").await;
    hand.choose(browser, "form[action$=\"/cancel\"] [type=checkbox]").await;
    hand.press(browser, "form[action$=\"/cancel\"] button").await;
    daemon.wait_state(&token, "cancelled").await;
    browser.wait_text("cancelled").await;
    eventually("the event is gone", ON_THE_SERVER, async || calendar.events().await.is_empty().then_some(())).await;
}
