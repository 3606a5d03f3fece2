//! A guest at a real browser: books through the pages and cancels, with scripts and without.

use crate::support::{Config, Daemon, Day, ON_THE_SERVER, Server, eventually, free_port, need, unique};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Chromium under chromedriver; both end with the test.
struct Browser {
    driver: Child,
    client: Client,
    folder: tempfile::TempDir,
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scripts {
    On,
    Off,
}

impl Browser {
    async fn start(scripts: Scripts) -> Option<Browser> {
        let found = Command::new("chromedriver").arg("--version").output().is_ok_and(|output| output.status.success());
        need("chromedriver", found.then_some(()))?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let log = std::fs::File::create(folder.path().join("chromedriver.log")).unwrap();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let profile = folder.path().join(unique("profile"));
        let options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-background-networking", "--no-first-run", "--window-size=1000,1400",
                format!("--user-data-dir={}", profile.display()),
            ],
            "prefs": { "profile.default_content_setting_values.javascript": if scripts == Scripts::On { 1 } else { 2 } },
        });
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        builder.capabilities(capabilities);
        let url = format!("http://127.0.0.1:{port}");
        let client = eventually("chromedriver starts Chromium", Duration::from_secs(40), async || {
            builder.connect(&url).await.ok()
        })
        .await;
        Some(Browser { driver, client, folder })
    }

    /// The first element of that kind that a person can see.
    async fn visible(&self, css: &str) -> Option<Element> {
        for element in self.client.find_all(Locator::Css(css)).await.unwrap() {
            if element.is_displayed().await.unwrap() {
                return Some(element);
            }
        }
        None
    }

    async fn click(&self, css: &str) {
        for _ in 0..100 {
            if let Some(element) = self.visible(css).await {
                return element.click().await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {css} on the page\n{}", self.client.source().await.unwrap());
    }

    async fn fill(&self, name: &str, text: &str) {
        let css = format!("[name=\"{name}\"]");
        self.client.find(Locator::Css(&css)).await.unwrap().send_keys(text).await.unwrap();
    }

    /// What a person reads.
    async fn text(&self) -> String {
        self.client.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
    }

    async fn wait_url(&self, part: &str) {
        eventually(&format!("the address has {part}"), Duration::from_secs(20), async || {
            self.client.current_url().await.unwrap().as_str().contains(part).then_some(())
        })
        .await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A session that was closed has no Chromium any more; else chromedriver takes it along on SIGTERM.
        let _ = Command::new("kill").args(["-TERM", &self.driver.id().to_string()]).status();
        let _ = self.driver.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("chromedriver.log")).unwrap_or_default();
            eprintln!("--- chromedriver ---\n{log}");
        }
    }
}

#[tokio::test]
async fn a_guest_books_and_cancels_with_scripts() {
    book_and_cancel(Scripts::On).await;
}

#[tokio::test]
async fn a_guest_books_and_cancels_without_scripts() {
    book_and_cancel(Scripts::Off).await;
}

async fn book_and_cancel(scripts: Scripts) {
    let Some(server) = Server::radicale() else { return };
    let Some(browser) = Browser::start(scripts).await else { return };
    let day = Day::ahead(3);
    let calendar = server.calendar("browser").await;
    let daemon = Daemon::start(Config::new(&calendar)).await;
    let slot = day.at("10:30");

    // From the host's page, by links alone, to the slot.
    browser.client.goto(&daemon.url("/noether")).await.unwrap();
    assert!(browser.text().await.contains("Emmy Noether"));
    browser.click("a[href$=\"/noether/office-hour\"]").await;
    browser.wait_url("/noether/office-hour").await;
    let on_page = format!("a[href*=\"/noether/office-hour/{slot}\"]");
    if browser.visible(&on_page).await.is_none() {
        // The day is not the one shown first: the month leads there, if need be the next one.
        let in_month = format!("a[href*=\"day={}\"]", day.0);
        if browser.visible(&in_month).await.is_none() {
            browser.click(&format!("a[href*=\"month={}\"]", day.0.strftime("%Y-%m"))).await;
        }
        browser.click(&in_month).await;
    }
    browser.click(&on_page).await;
    browser.wait_url(&slot.to_string()).await;

    browser.fill("name", "Ada Lovelace").await;
    browser.fill("email", "ada@example.org").await;
    browser.click("form[method=\"post\" i] button:not([type=\"button\"])").await;
    browser.wait_url("/b/").await;
    let done = browser.text().await;
    assert!(done.contains("Ada Lovelace") || done.contains("Office hour"), "{done}");
    assert!(done.contains("10:30"), "{done}");
    let token = browser.client.current_url().await.unwrap().path().rsplit('/').next().unwrap().to_owned();
    daemon.wait_state(&token, "confirmed").await;
    assert_eq!(calendar.events().await.len(), 1);

    // The slot's page now says that it is taken.
    browser.client.goto(&daemon.url(&format!("/noether/office-hour/{slot}"))).await.unwrap();
    assert!(browser.text().await.to_lowercase().contains("taken"), "{}", browser.text().await);
    let screenshot = browser.client.screenshot().await.unwrap();
    assert!(screenshot.starts_with(b"\x89PNG"));

    browser.client.goto(&daemon.url(&format!("/b/{token}"))).await.unwrap();
    let button = "form[action*=\"/cancel\"] button";
    if browser.visible(button).await.is_none() {
        browser.click("details:has(form[action*=\"/cancel\"]) > summary").await;
    }
    // A choice is made before the button counts: programs that open mails press buttons.
    let choice = "form[action*=\"/cancel\"] :is([type=\"checkbox\"], [type=\"radio\"])";
    if let Some(choice) = browser.visible(choice).await {
        choice.click().await.unwrap();
    }
    browser.click(button).await;
    daemon.wait_state(&token, "cancelled").await;
    eventually("the page says so", Duration::from_secs(10), async || {
        browser.text().await.to_lowercase().contains("cancelled").then_some(())
    })
    .await;
    eventually("the event is gone", ON_THE_SERVER, async || calendar.events().await.is_empty().then_some(())).await;
    browser.client.clone().close().await.unwrap();
}
