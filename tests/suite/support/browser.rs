//! A real browser: Chromium under chromedriver, seen and touched as a guest does.

use super::{eventually, free_port, need, unique};
use axum::http::Method;
use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use reqwest::Url;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Chromium and chromedriver; both end with the test.
pub(crate) struct Browser {
    driver: Child,
    pub(crate) client: Client,
    folder: tempfile::TempDir,
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

/// A command of the Chrome DevTools Protocol.
#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}

impl Browser {
    pub(crate) async fn start(scripts: Scripts) -> Option<Browser> {
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
                "--disable-background-networking", "--no-first-run", "--window-size=1280,1000",
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

    /// Ends the session, and Chromium with it.
    pub(crate) async fn close(self) {
        self.client.clone().close().await.unwrap();
    }

    /// A command of the DevTools.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) {
        self.client.issue_cmd(DevTools(json!({ "cmd": command, "params": parameters }))).await.unwrap();
    }

    /// The window is as wide as this, in CSS pixels.
    pub(crate) async fn width(&self, width: u32) {
        self.size(width, 900).await;
    }

    /// The window's size, in CSS pixels.
    pub(crate) async fn size(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// What the guest's system is set to: `light` or `dark`; on `screen` or in `print`.
    pub(crate) async fn look(&self, theme: &str, medium: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": theme });
        self.devtools("Emulation.setEmulatedMedia", json!({ "media": medium, "features": [feature] })).await;
    }

    /// The computer of the guest is in this zone from the next page on.
    pub(crate) async fn time_zone(&self, zone: &str) {
        self.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await;
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn url(&self) -> Url {
        self.client.current_url().await.unwrap()
    }

    /// What the body of a function returns in the page.
    pub(crate) async fn script(&self, body: &str) -> Value {
        self.client.execute(body, Vec::new()).await.unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    /// The first element of that kind that a person can see.
    pub(crate) async fn visible(&self, css: &str) -> Option<Element> {
        for element in self.client.find_all(Locator::Css(css)).await.unwrap() {
            if element.is_displayed().await.unwrap() {
                return Some(element);
            }
        }
        None
    }

    pub(crate) async fn click(&self, css: &str) {
        for _ in 0..100 {
            if let Some(element) = self.visible(css).await {
                return element.click().await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {css} on the page\n{}", self.client.source().await.unwrap());
    }

    /// What a person reads.
    pub(crate) async fn text(&self) -> String {
        self.client.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn wait_url(&self, part: &str) {
        eventually(&format!("the address has {part}"), Duration::from_secs(20), async || {
            self.url().await.as_str().contains(part).then_some(())
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
