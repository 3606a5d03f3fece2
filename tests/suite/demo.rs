//! `officehours demo`: everything on this machine with nothing set up.

use crate::support::{ON_THE_SERVER, binary, client, eventually, free_port, python};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running demo; it ends with the test.
struct Demo {
    child: Child,
    told: HashMap<String, String>,
}

impl Demo {
    /// Starts it and reads the five lines that it prints once ready.
    fn start(port: u16, data: &Path) -> Demo {
        let mut child = Command::new(binary())
            .args(["demo", "--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(data.with_extension("log")).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut demo = Demo { child, told: HashMap::new() };
        for line in lines {
            let line = line.unwrap();
            let (key, value) = line.split_once(": ").unwrap_or_else(|| panic!("no `key: value`: {line:?}"));
            demo.told.insert(key.to_owned(), value.trim().to_owned());
            if demo.told.len() == 5 {
                return demo;
            }
        }
        panic!("it ended early: {}", std::fs::read_to_string(data.with_extension("log")).unwrap());
    }

    fn told(&self, key: &str) -> &str {
        self.told.get(key).unwrap_or_else(|| panic!("no {key} in {:?}", self.told))
    }

    fn events(&self) -> Vec<Value> {
        let output = python("calendar_client.py")
            .unwrap()
            .args(["events", self.told("calendar")])
            .env("CALDAV_USER", self.told("user"))
            .env("CALDAV_PASSWORD", self.told("password"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn text(url: &str) -> String {
    let answer = client().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn the_demo_is_a_calendar_that_can_be_booked_and_its_data_stay() {
    if python("calendar_client.py").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let port = free_port();
    let demo = Demo::start(port, &data);
    for key in ["page", "feed", "calendar", "user", "password"] {
        assert!(!demo.told(key).is_empty(), "{key}");
    }
    let page = text(demo.told("page")).await;
    assert!(page.contains("<html"), "{page}");
    let feed = text(demo.told("feed")).await.replace("\r\n ", "");
    let sample = demo.events();
    assert!(sample.len() > 8, "a whole term: {}", sample.len());

    // Booked as a browser does it, by the link in the feed.
    let mut links =
        feed.lines().filter_map(|line| line.strip_prefix("URL:").or_else(|| line.strip_prefix("URL;VALUE=URI:")));
    let link = links.next_back().expect("a slot in the feed").to_owned();
    let form = text(&link).await;
    let mut fields = form_urlencoded::Serializer::new(String::new());
    let questions = form.split("<textarea ").skip(1).filter_map(|tag| tag.split_once(" name=\"")?.1.split('"').next());
    for name in questions {
        fields.append_pair(name, "Chapter 3");
    }
    let body = fields.append_pair("name", "Ada Lovelace").append_pair("email", "ada@example.org").finish();
    let posted = client().post(&link).header("content-type", "application/x-www-form-urlencoded").body(body);
    let posted = posted.send().await.unwrap();
    assert_eq!(posted.status(), 303, "{}", posted.text().await.unwrap());
    eventually("the booking is in the calendar", ON_THE_SERVER, async || {
        let events = demo.events();
        (events.iter().filter(|event| event["summary"].as_str().unwrap().ends_with("Ada Lovelace")).count() == 1)
            .then_some(())
    })
    .await;
    assert_eq!(demo.events().len(), sample.len() + 1);
    eventually("the slot is gone from the feed", Duration::from_secs(30), async || {
        (!text(demo.told("feed")).await.replace("\r\n ", "").contains(&link)).then_some(())
    })
    .await;

    // A subscriber's first step: discovery from the bare address.
    let output = python("calendar_client.py")
        .unwrap()
        .args(["discover", demo.told("calendar")])
        .env("CALDAV_USER", demo.told("user"))
        .env("CALDAV_PASSWORD", demo.told("password"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let calendars: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!calendars.is_empty());

    // SIGTERM ends it with 0; --data keeps it all.
    let mut demo = demo;
    let kill = Command::new("kill").args(["-TERM", &demo.child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let child = &mut demo.child;
    let status = eventually("it ends", Duration::from_secs(6), async || child.try_wait().unwrap()).await;
    assert_eq!(status.code(), Some(0));
    let log = std::fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(!log.contains("panicked at"), "{log}");
    drop(demo);
    let demo = Demo::start(port, &data);
    assert_eq!(demo.events().len(), sample.len() + 1);
}
