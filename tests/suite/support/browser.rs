//! A real browser: Chromium under chromedriver, seen and touched as a guest does.

use super::{eventually, free_port, need, unique};
use axum::http::Method;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::key::Key;
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

/// A command that chromedriver has beyond WebDriver: its path, and what it takes.
#[derive(Debug)]
struct Extra(&'static str, Value);

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.1.to_string()))
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
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "WARNING" }));
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

    /// A command of the Chrome DevTools Protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) {
        let command = json!({ "cmd": command, "params": parameters });
        self.client.issue_cmd(Extra("goog/cdp/execute", command)).await.unwrap();
    }

    /// What the browser complains of since the last look: what it was refused by a policy, what fails in a script; but not that an
    /// answer was an error.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Extra("se/log", json!({ "type": "browser" }))).await.unwrap();
        let complaints = log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned());
        complaints.filter(|message| !message.contains("the server responded with a status of")).collect()
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

    /// The languages of the guest, as `Accept-Language` has them, from the next request on.
    pub(crate) async fn languages(&self, accepted: &str) {
        let agent = self.script("return navigator.userAgent").await;
        let agent = json!({ "userAgent": agent, "acceptLanguage": accepted });
        self.devtools("Emulation.setUserAgentOverride", agent).await;
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

    /// Waits until the body of a function returns this in the page, which may be another by then.
    pub(crate) async fn wait_script(&self, body: &str, wanted: &Value) {
        let mut last = Value::Null;
        let began = std::time::Instant::now();
        while last != *wanted {
            assert!(began.elapsed() < Duration::from_secs(10), "{body}: {last}, not {wanted}");
            tokio::time::sleep(Duration::from_millis(20)).await;
            last = self.client.execute(body, Vec::new()).await.unwrap_or_default();
        }
    }

    /// The first element of that kind that a person can see. One that goes away meanwhile, with its page, is not seen.
    pub(crate) async fn visible(&self, css: &str) -> Option<Element> {
        for element in self.client.find_all(Locator::Css(css)).await.unwrap_or_default() {
            if element.is_displayed().await.unwrap_or_default() {
                return Some(element);
            }
        }
        None
    }

    /// Clicks it, as soon as it can be.
    pub(crate) async fn click(&self, css: &str) {
        let mut last = None;
        for _ in 0..100 {
            if let Some(element) = self.visible(css).await {
                match element.click().await {
                    Ok(()) => return,
                    Err(error) => last = Some(error),
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {css} to click on the page {} ({last:?}):\n{}", self.url().await, self.text().await);
    }

    /// Presses keys, one after another.
    pub(crate) async fn press(&self, keys: &[Key]) {
        let typed = keys.iter().fold(KeyActions::new("keyboard".to_owned()), |typed, key| {
            let value = char::from(*key);
            typed.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.client.perform_actions(typed).await.unwrap();
    }

    /// Types into what has the focus.
    pub(crate) async fn type_in(&self, text: &str) {
        let typed = text.chars().fold(KeyActions::new("keyboard".to_owned()), |typed, value| {
            typed.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.client.perform_actions(typed).await.unwrap();
    }

    /// Presses Tab until this has the focus, where it must be seen.
    pub(crate) async fn tab_to(&self, css: &str) {
        for _ in 0..150 {
            self.press(&[Key::Tab]).await;
            if self.script(&format!("return document.activeElement.matches({css:?})")).await == true {
                let ring = self.script("return getComputedStyle(document.activeElement).outlineStyle").await;
                let ring_within = self
                    .script("return getComputedStyle(document.activeElement.firstElementChild ?? document.body).outlineStyle")
                    .await;
                assert!(ring != "none" || ring_within != "none", "{css} does not show that it has the focus");
                return;
            }
        }
        panic!("Tab never reaches {css} on the page {}:\n{}", self.url().await, self.text().await);
    }

    pub(crate) async fn fill(&self, name: &str, text: &str) {
        let css = format!("[name=\"{name}\"]");
        self.client.find(Locator::Css(&css)).await.unwrap().send_keys(text).await.unwrap();
    }

    /// What a person reads; nothing, between two pages.
    pub(crate) async fn text(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    pub(crate) async fn wait_text(&self, part: &str) {
        eventually(&format!("the page says {part:?}"), Duration::from_secs(20), async || {
            self.text().await.contains(part).then_some(())
        })
        .await;
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
