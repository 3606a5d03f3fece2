//! The month as a grid of days, walked with the keys as the WAI-ARIA Authoring Practices have it ("Date Picker").

use crate::support::{Browser, Config, Daemon, Day, Meeting, Scripts, Server};
use fantoccini::key::Key;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::json;

/// What the page tells of the grid.
impl Browser {
    async fn at(&self, date: Date) {
        self.wait_script(
            "return document.activeElement.dataset.date ?? document.activeElement.outerHTML",
            &json!(date.to_string()),
        )
        .await;
        let stops = "return [...document.querySelectorAll('.month [tabindex]')].filter(e => e.tabIndex == 0).map(e => e.dataset.date)";
        assert_eq!(self.script(stops).await, json!([date.to_string()]), "one tab stop, and it has the focus");
    }

    async fn goes(&self, key: Key, date: Date) {
        self.press(&[key]).await;
        self.at(date).await;
    }
}

fn days(date: Date, days: i32) -> Date {
    date.checked_add(days.days()).unwrap()
}

#[tokio::test]
async fn the_month_is_walked_with_the_keys_and_the_back_button_leads_back() {
    let Some(server) = Server::radicale() else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    let calendar = server.calendar("grid").await;
    let meeting = Meeting { horizon: "120d".into(), ..Meeting::new("office-hour", "30m", "30m") };
    let mut config = Config::new(&calendar).meetings([meeting]);
    config.weekly = vec!["Tue 09:00-10:00".into(), "Thu 14:00-15:30".into()];
    let daemon = Daemon::start(config).await;

    browser.languages("en").await;
    // The second Tuesday of the month after next: the month before and the one after can be seen as well.
    let first = Day::ahead(0).0.first_of_month().checked_add(2.months()).unwrap();
    let tuesday = first.nth_weekday_of_month(2, jiff::civil::Weekday::Tuesday).unwrap();
    let month = tuesday.strftime("%B %Y").to_string();
    browser.goto(&daemon.url(&format!("/noether/office-hour?day={tuesday}"))).await;
    browser.script("window.still = 'here'").await;
    browser.wait_script("return document.querySelector('.month').getAttribute('role')", &json!("grid")).await;
    let named =
        "return document.getElementById(document.querySelector('.month').getAttribute('aria-labelledby')).textContent";
    assert_eq!(browser.script(named).await, json!(month));

    // The chosen day is the stop; arrows walk by days and weeks, Home and End within the week, over days with nothing free too.
    browser.tab_to("td[data-date]").await;
    browser.at(tuesday).await;
    assert_eq!(browser.script("return document.activeElement.getAttribute('aria-selected')").await, "true");
    browser.goes(Key::Right, days(tuesday, 1)).await;
    assert_eq!(browser.script("return document.activeElement.getAttribute('aria-disabled')").await, "true");
    let label = browser.script("return document.activeElement.querySelector('.hidden').textContent").await;
    assert!(label.as_str().unwrap().ends_with("nothing free"), "{label}");
    browser.press(&[Key::Enter]).await;
    browser.goes(Key::Down, days(tuesday, 8)).await;
    browser.goes(Key::Left, days(tuesday, 7)).await;
    browser.goes(Key::Up, tuesday).await;
    browser.goes(Key::End, days(tuesday, 5)).await;
    browser.goes(Key::Home, days(tuesday, -1)).await;
    browser.goes(Key::Right, tuesday).await;

    // PageDown and PageUp, and the arrows over a month's end, turn the month, say so, and keep the focus in it.
    let in_month = |months: i32| tuesday.checked_add(months.months()).unwrap();
    let said = "return document.querySelector('#said').textContent";
    browser.goes(Key::PageDown, in_month(1)).await;
    browser.wait_script(said, &json!(in_month(1).strftime("%B %Y").to_string())).await;
    browser.goes(Key::PageUp, tuesday).await;
    browser.wait_script(said, &json!(month)).await;
    let last = tuesday.last_of_month();
    browser.goes(Key::PageUp, in_month(-1)).await;
    browser.goes(Key::PageDown, tuesday).await;
    for week in 1..=4 {
        if days(tuesday, 7 * week) <= last {
            browser.goes(Key::Down, days(tuesday, 7 * week)).await;
        }
    }
    let below = i32::from((last.day() - tuesday.day()) / 7) * 7;
    browser.goes(Key::Down, days(tuesday, below + 7)).await;
    browser.goes(Key::Up, days(tuesday, below)).await;

    // Beyond what is offered there is no month to turn to.
    for _ in 0..6 {
        let turned = browser.script("return document.querySelector('.arrow[rel=next]') && document.querySelector('#month-title').textContent").await;
        if turned.is_null() {
            break;
        }
        browser.press(&[Key::PageDown]).await;
        browser
            .wait_script(
                &format!("return document.querySelector('#month-title').textContent !== {turned}"),
                &json!(true),
            )
            .await;
    }
    browser.wait_script("return document.querySelector('.arrow[rel=next]')", &json!(null)).await;
    let at = browser.script("return document.activeElement.dataset.date").await;
    browser.press(&[Key::PageDown]).await;
    browser.wait_script("return document.activeElement.dataset.date", &at).await;

    // Choosing a day, by Enter or by Space, shows its times on this very page, and Tab leads to them.
    browser.goto(&daemon.url(&format!("/noether/office-hour?day={tuesday}"))).await;
    browser.script("window.still = 'here'").await;
    browser.tab_to("td[data-date]").await;
    let thursday = days(tuesday, 2);
    browser.press(&[Key::Right, Key::Right]).await;
    browser.at(thursday).await;
    browser.press(&[Key::Enter]).await;
    let title = |date: Date| json!(date.strftime("%A %-d %B %Y").to_string());
    let shown = "return document.querySelector('#times-title').textContent";
    browser.wait_script(shown, &title(thursday)).await;
    browser.at(thursday).await;
    browser.wait_script(said, &json!(format!("{}, 3 free times", thursday.strftime("%A %-d %B %Y")))).await;
    assert_eq!(browser.script("return document.querySelectorAll('[aria-selected=true]').length").await, 1);
    browser.press(&[Key::Left, Key::Left]).await;
    browser.type_in(" ").await;
    browser.wait_script(shown, &title(tuesday)).await;
    browser.wait_script("return new URL(location).searchParams.get('day')", &json!(tuesday.to_string())).await;
    assert_eq!(browser.script("return window.still").await, "here", "no page was left");
    browser.press(&[Key::Tab]).await;
    let slot = browser.script("return document.activeElement.className").await;
    assert_eq!(slot, "slot");

    // Back goes through the days that were chosen, on this page; from a slot, to the day it was of.
    browser.client.back().await.unwrap();
    browser.wait_script(shown, &title(thursday)).await;
    assert_eq!(browser.script("return window.still").await, "here");
    browser.click("#times a.slot").await;
    browser.wait_url("T").await;
    browser.client.back().await.unwrap();
    browser.wait_script(shown, &title(thursday)).await;

    // On a telephone the times of a day that is tapped come into sight, the month stays.
    browser.width(360).await;
    browser.goto(&daemon.url(&format!("/noether/office-hour?day={tuesday}"))).await;
    browser.wait_script("return document.querySelector('.month').getAttribute('role')", &json!("grid")).await;
    browser.click(&format!("#month a[href*=\"day={thursday}\"]")).await;
    let in_sight = "const times = document.querySelector('#times').getBoundingClientRect(); \
        return times.top > 300 && times.bottom <= innerHeight";
    browser.wait_script(in_sight, &json!(true)).await;

    // From right to left, the next day is on the left, and nothing sticks out.
    browser.script("document.documentElement.dir = 'rtl'").await;
    browser.tab_to("td[data-date]").await;
    browser.at(thursday).await;
    browser.goes(Key::Left, days(thursday, 1)).await;
    browser.goes(Key::Right, thursday).await;
    for width in [320, 1280, 3840] {
        browser.width(width).await;
        let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.script(overflow).await, 0, "at {width} px");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
