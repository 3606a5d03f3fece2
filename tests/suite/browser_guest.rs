//! A guest at a real browser, around a booking: subscribes, finds something sooner, lays their own calendar over the free times; and what
//! axe-core and a printer make of those pages.

use crate::story::meeting_at;
use crate::support::{
    Browser, Config, Daemon, Day, Meeting, Scripts, Server, event, eventually, need, root, stamp, token,
};
use fantoccini::Locator;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Emmy Noether, who meets from 9 to 12 on one day of the week and is busy until 10, and a booking of that day at 11.
struct Office {
    daemon: Daemon,
    day: Day,
    guest: String,
}

impl Office {
    async fn open(prefix: &str) -> Option<Office> {
        let server = Server::radicale()?;
        let calendar = server.calendar(prefix).await;
        let day = Day::ahead(3);
        calendar.put("busy.ics", &meeting_at("Oncologist", day, "09:00", "10:00")).await;
        let weekly = vec![format!("{} 09:00-12:00", day.0.strftime("%a"))];
        let meetings = [Meeting::new("chat", "30m", "30m"), Meeting::new("thesis", "30m", "30m")];
        let daemon = Daemon::start(Config { weekly, ..Config::new(&calendar) }.meetings(meetings)).await;
        let booking = daemon.book_confirmed("chat", day.at("11:00"), "Ada Lovelace").await;
        Some(Office { daemon, day, guest: token(&booking) })
    }

    /// A calendar of the guest's, as a file: busy from half past ten to eleven.
    fn calendar(&self) -> String {
        let lines = [format!("DTSTART:{}", stamp(self.day.at("10:30"))), "DURATION:PT30M".to_owned()];
        event("mine", &lines.each_ref().map(String::as_str))
    }
}

/// The starts that the page links to, on that day.
async fn offered(browser: &Browser, day: Day) -> Vec<Timestamp> {
    let mut starts = Vec::new();
    for link in browser.client.find_all(Locator::Css("a.slot time")).await.unwrap() {
        starts.push(link.attr("datetime").await.unwrap().unwrap().parse::<Timestamp>().unwrap());
    }
    let (from, to) = day.window();
    starts.retain(|start| (from..to).contains(start));
    starts
}

/// Waits until the page, which may be another by then, says this.
async fn says(browser: &Browser, part: &str) {
    let read = "return document.body?.innerText ?? ''";
    let says = async || {
        let text = browser.client.execute(read, Vec::new()).await.ok()?;
        text.as_str()?.contains(part).then_some(())
    };
    eventually(&format!("the page says {part:?}"), Duration::from_secs(20), says).await;
}

#[tokio::test]
async fn a_guest_finds_how_to_subscribe_and_a_button_for_each_program() {
    let Some(office) = Office::open("browser-subscribe").await else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    browser.width(360).await;
    browser.time_zone("Europe/Berlin").await;
    browser.goto(&office.daemon.url("/noether/chat")).await;
    browser.click("a[href*=\"/noether/chat/subscribe\"]").await;
    browser.wait_url("/noether/chat/subscribe").await;
    for css in [
        "a[href^=\"webcal://\"]",
        "a[href*=\"google\"]",
        "a[href*=\"outlook.office\"]",
        "a[href*=\"outlook.live\"]",
        "svg.qr",
    ] {
        assert!(browser.visible(css).await.is_some(), "{css}");
    }
    let feed = office.daemon.url("/noether/chat.ics");
    assert_eq!(browser.script("return document.querySelector('#feed').value").await, json!(feed));
    // The button puts the address where it can be pasted, and says so.
    browser
        .devtools(
            "Browser.grantPermissions",
            json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] }),
        )
        .await;
    browser.click("[data-copy=\"feed\"]").await;
    says(&browser, "Copied").await;
    assert_eq!(browser.script("return navigator.clipboard.readText()").await, json!(feed));
    browser.click("a[href*=\"/noether/-/subscribe\"]").await;
    browser.wait_url("/noether/-/subscribe").await;
    browser.click("a[href*=\"/noether/-/sign\"]").await;
    browser.wait_url("/noether/-/sign").await;
    browser.close().await;
}

#[tokio::test]
async fn a_guest_moves_to_something_sooner_with_scripts() {
    move_sooner(Scripts::On).await;
}

#[tokio::test]
async fn a_guest_moves_to_something_sooner_without_scripts() {
    move_sooner(Scripts::Off).await;
}

async fn move_sooner(scripts: Scripts) {
    let Some(office) = Office::open("browser-sooner").await else { return };
    let Some(browser) = Browser::start(scripts).await else { return };
    let Office { daemon, day, guest } = &office;
    let page = format!("/b/{guest}/sooner");
    browser.time_zone("Europe/Berlin").await;
    browser.goto(&daemon.url(&format!("/b/{guest}"))).await;
    browser.click(&format!("a.card[href^=\"{page}\"]")).await;
    browser.wait_url("/sooner?to=").await;
    // Both times are there.
    browser.wait_text("10:00–10:30").await;
    browser.wait_text("11:00–11:30").await;
    assert_eq!(daemon.booking(guest).await["start"], day.at("11:00").to_string(), "a look changes nothing");
    browser.click("button[name=\"start\"]").await;
    says(&browser, "10:00–10:30").await;
    browser.wait_url(&format!("/b/{guest}")).await;
    daemon.wait_state(guest, "confirmed").await;
    assert_eq!(daemon.booking(guest).await["start"], day.at("10:00").to_string());
    // Nothing is sooner now, and the old link of a feed leads to what was done by it.
    browser.goto(&daemon.url(&format!("{page}?to={}", day.at("10:00")))).await;
    says(&browser, "Nothing sooner is free").await;
    assert!(!browser.url().await.as_str().contains("sooner"));
    browser.close().await;
}

#[tokio::test]
async fn a_guest_lays_their_calendar_over_the_free_times_with_scripts() {
    overlay(Scripts::On).await;
}

#[tokio::test]
async fn a_guest_lays_their_calendar_over_the_free_times_without_scripts() {
    overlay(Scripts::Off).await;
}

async fn overlay(scripts: Scripts) {
    let Some(office) = Office::open("browser-overlay").await else { return };
    let Some(browser) = Browser::start(scripts).await else { return };
    let Office { daemon, day, .. } = &office;
    let both = [day.at("10:00"), day.at("11:30")];
    browser.time_zone("Europe/Berlin").await;
    browser.goto(&daemon.url("/noether/chat")).await;
    browser.click("a[href*=\"/noether/chat/overlay\"]").await;
    browser.wait_url("/overlay").await;

    // What is no calendar is told beside its field, and the page is there to try again.
    let wrong = daemon.folder().join("wrong.ics");
    std::fs::write(&wrong, "<html>").unwrap();
    browser.client.find(Locator::Css("#file")).await.unwrap().send_keys(wrong.to_str().unwrap()).await.unwrap();
    browser.click("form button.main").await;
    says(&browser, "This is no calendar").await;

    let mine = daemon.folder().join("mine.ics");
    std::fs::write(&mine, office.calendar()).unwrap();
    browser.client.find(Locator::Css("#file")).await.unwrap().send_keys(mine.to_str().unwrap()).await.unwrap();
    browser.click("form button.main").await;
    says(&browser, "suit you too").await;
    assert_eq!(offered(&browser, *day).await, both);
    // One click on to the form, which books.
    browser.click(&format!("a.slot[href*=\"{}\"]", day.at("11:30"))).await;
    browser.wait_url(&day.at("11:30").to_string()).await;
    browser.close().await;
}

#[tokio::test]
async fn a_file_can_be_dropped() {
    let Some(office) = Office::open("browser-drop").await else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    browser.time_zone("Europe/Berlin").await;
    browser.goto(&office.daemon.url("/noether/chat/overlay")).await;
    let drop = format!(
        "const data = new DataTransfer(); data.items.add(new File([{:?}], 'mine.ics', {{ type: 'text/calendar' }}));\
         const at = document.querySelector('[data-drop] .hint');\
         for (const name of ['dragenter', 'dragover']) at.dispatchEvent(new DragEvent(name, {{ dataTransfer: data, bubbles: true, cancelable: true }}));\
         const over = document.querySelector('[data-drop]').hasAttribute('data-over');\
         const taken = !at.dispatchEvent(new DragEvent('drop', {{ dataTransfer: data, bubbles: true, cancelable: true }}));\
         return [over, taken]",
        office.calendar()
    );
    assert_eq!(browser.script(&drop).await, json!([true, true]));
    says(&browser, "suit you too").await;
    assert_eq!(offered(&browser, office.day).await, [office.day.at("10:00"), office.day.at("11:30")]);
    // The answer stays when the zone of the guest is another than that of the page.
    browser.time_zone("Asia/Tokyo").await;
    browser.goto(&office.daemon.url("/noether/chat/overlay")).await;
    browser.wait_url("tz=Asia").await;
    browser.script(&drop).await;
    says(&browser, "suit you too").await;
    assert!(browser.text().await.contains("Tokyo, UTC+9"), "{}", browser.text().await);
    browser.close().await;
}

/// What axe-core finds on the page that is open.
async fn violations(browser: &Browser) -> Value {
    let run = "return axe.run({ rules: { 'target-size': { enabled: true } } }).then((found) => \
        found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html} ${node.failureSummary}`)))";
    browser.script(run).await
}

#[tokio::test]
async fn axe_finds_nothing_on_these_pages_in_both_themes_at_both_widths() {
    let axe = root().join("tests/node_modules/axe-core/axe.min.js");
    let Some(axe) = need("tests/node_modules", axe.exists().then_some(axe)) else { return };
    let axe = std::fs::read_to_string(axe).unwrap();
    let Some(office) = Office::open("browser-axe").await else { return };
    let Some(browser) = Browser::start(Scripts::On).await else { return };
    browser.time_zone("America/New_York").await;
    let Office { daemon, day, guest } = &office;
    // Each with what is done on it before it is looked at.
    let send = "document.querySelector('form button.main').click()";
    let drop = format!(
        "const data = new DataTransfer(); data.items.add(new File([{:?}], 'a.ics')); document.querySelector('#file').files = data.files; {send}",
        office.calendar()
    );
    let open = "document.querySelectorAll('details').forEach((all) => { all.open = true })";
    let pages = [
        ("/noether/-/subscribe".to_owned(), ""),
        ("/noether/chat/subscribe".to_owned(), ""),
        ("/noether/-/sign".to_owned(), ""),
        (format!("/noether/chat/sign?week={}", day.0), ""),
        ("/noether/chat/overlay".to_owned(), ""),
        ("/noether/chat/overlay?tz=America/New_York&x=1".to_owned(), send),
        ("/noether/chat/overlay?tz=America/New_York&x=2".to_owned(), drop.as_str()),
        (format!("/b/{guest}"), ""),
        (format!("/b/{guest}/sooner"), open),
        (format!("/b/{guest}/sooner?to={}", day.at("10:00")), ""),
        (format!("/b/{guest}/sooner?to={}", day.at("09:00")), ""),
    ];
    let mut found = Vec::new();
    for (path, then) in &pages {
        browser.look("light", "screen").await;
        browser.width(360).await;
        browser.goto(&daemon.url(path)).await;
        if !then.is_empty() {
            browser.script(&format!("window.before = true; {then}")).await;
            if *then != open {
                let left = async || {
                    let there =
                        browser.client.execute("return !window.before && document.readyState === 'complete'", vec![]);
                    (there.await.ok()? == json!(true)).then_some(())
                };
                eventually("the answer is there", Duration::from_secs(20), left).await;
            }
        }
        browser.script(&axe).await;
        for (width, theme) in [(360, "light"), (360, "dark"), (1280, "dark"), (1280, "light")] {
            browser.width(width).await;
            browser.look(theme, "screen").await;
            for violation in violations(&browser).await.as_array().unwrap() {
                found.push(format!("{path} ({theme}, {width} px): {violation}"));
            }
        }
        for width in [320, 3840] {
            browser.width(width).await;
            let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.script(overflow).await, 0, "{path} at {width} px");
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    browser.close().await;
}

#[tokio::test]
async fn a_door_sign_is_one_sheet_of_a4() {
    let Some(office) = Office::open("browser-sign").await else { return };
    let there = Command::new("chromium").arg("--version").output().is_ok_and(|output| output.status.success());
    let Some(()) = need("chromium", there.then_some(())) else { return };
    for (path, language) in [("/noether/-/sign", "en"), ("/noether/chat/sign", "de")] {
        let pdf = office.daemon.folder().join("sign.pdf");
        let status = Command::new("chromium")
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-pdf-header-footer",
            ])
            .arg(format!("--user-data-dir={}", office.daemon.folder().join("printer").display()))
            .arg(format!("--print-to-pdf={}", pdf.display()))
            .arg(office.daemon.url(&format!("{path}?lang={language}&week={}", office.day.0)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        let bytes = std::fs::read(&pdf).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(text.matches("/Type /Page\n").count(), 1, "{path} is one page");
        let page = text.split("/MediaBox [").nth(1).unwrap().split(']').next().unwrap();
        let sides: Vec<f64> = page.split_whitespace().map(|side| side.parse().unwrap()).collect();
        // In points of 1/72 inch: 210 by 297 mm.
        assert!((sides[2] - 595.3).abs() < 1.0 && (sides[3] - 841.9).abs() < 1.0, "{sides:?}");
    }
}
