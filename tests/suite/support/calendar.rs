//! One calendar on a real server, as its owner's other programs see and change it.

use super::{Server, client, http, python, stamp};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

/// A calendar that only one test uses.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    pub(crate) server: Server,
    pub(crate) name: String,
    /// With a final slash.
    pub(crate) url: String,
}

impl Calendar {
    /// Makes it on the server.
    pub(crate) async fn make(&self) {
        let Calendar { name, url, .. } = self;
        let body = format!(
            r#"<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><displayname>{name}</displayname>
<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set></prop></set></C:mkcalendar>"#
        );
        let request = client().request("MKCALENDAR".parse().unwrap(), url).header("content-type", "application/xml");
        let answer = self.send(request.body(body)).await;
        assert_eq!(answer.status, 201, "MKCALENDAR {url}");
    }

    /// Puts an object under a file name, over whatever is there.
    pub(crate) async fn put(&self, file: &str, text: &str) {
        let request =
            client().put(format!("{}{file}", self.url)).header("content-type", "text/calendar; charset=utf-8");
        let answer = self.send(request.body(text.to_owned())).await;
        assert!(matches!(answer.status, 200..=204), "PUT {file}: {answer:?}");
    }

    /// Removes the object of that file name.
    pub(crate) async fn delete(&self, file: &str) {
        let answer = self.send(client().delete(format!("{}{file}", self.url))).await;
        assert!(matches!(answer.status, 200..=204), "DELETE {file}: {answer:?}");
    }

    /// Removes the whole calendar.
    pub(crate) async fn delete_calendar(&self) {
        let answer = self.send(client().delete(&self.url)).await;
        assert!(matches!(answer.status, 200..=204), "DELETE {}: {answer:?}", self.url);
    }

    /// Asks the server until it answers with what counts: it may be away for a while, and Xandikos locks an object, or fails, while
    /// another writes.
    pub(crate) async fn insist(&self, method: &str, file: &str, text: Option<String>) -> http::Answer {
        let began = Instant::now();
        loop {
            let mut request = client()
                .request(method.parse().unwrap(), format!("{}{file}", self.url))
                .basic_auth(&self.server.user, Some(&self.server.password));
            if let Some(text) = &text {
                request = request.header("content-type", "text/calendar; charset=utf-8").body(text.clone());
            }
            let answer = async {
                let answer = request.send().await?;
                let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
                Ok::<_, reqwest::Error>(http::Answer { status, headers, body: answer.bytes().await? })
            };
            match answer.await {
                Ok(answer) if matches!(answer.status, 423 | 500 | 503) => {
                    assert!(began.elapsed() < Duration::from_secs(60), "{method} {file}: {answer:?}");
                }
                Ok(answer) => return answer,
                Err(error) => assert!(began.elapsed() < Duration::from_secs(60), "{method} {file}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Moves an event as a program would that knows its file; false when it is not there.
    pub(crate) async fn move_file(&self, file: &str, start: Timestamp, end: Timestamp) -> bool {
        let answer = self.insist("GET", file, None).await;
        if answer.status != 200 {
            return false;
        }
        let text = answer.text();
        let (head, event) = text.split_once("BEGIN:VEVENT").expect("an event");
        let times = [("DTSTART", start), ("DTEND", end)];
        let moved: String = event
            .split_inclusive("\r\n")
            .map(|line| match times.iter().find(|(name, _)| line.starts_with(name)) {
                Some((name, time)) => format!("{name}:{}\r\n", stamp(*time)),
                None => line.to_owned(),
            })
            .collect();
        let answer = self.insist("PUT", file, Some(format!("{head}BEGIN:VEVENT{moved}"))).await;
        assert!(matches!(answer.status, 200..=204), "PUT {file}: {answer:?}");
        true
    }

    /// Every object of the calendar, by file name, as the server holds it.
    pub(crate) async fn objects(&self) -> Vec<(String, String)> {
        let mut objects = Vec::new();
        for event in self.events().await {
            let file = event["href"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            objects.push((file.clone(), self.insist("GET", &file, None).await.text()));
        }
        objects
    }

    /// Any request about a file of the calendar, or about the calendar itself (`""`).
    pub(crate) async fn request(&self, method: &str, file: &str, headers: &[(&str, &str)], body: &str) -> http::Answer {
        let kind = if method == "PUT" { "text/calendar; charset=utf-8" } else { "application/xml; charset=utf-8" };
        let mut request = client().request(method.parse().unwrap(), format!("{}{file}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.header("content-type", kind).body(body.to_owned());
        }
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> http::Answer {
        http::send(request.basic_auth(&self.server.user, Some(&self.server.password))).await
    }

    /// Every event, as python-caldav reads them.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let Value::Array(events) = self.python(&["events", &self.url], None).await else { panic!("a list") };
        events
    }

    /// Moves an event to other times, as python-caldav does it.
    pub(crate) async fn move_event(&self, uid: &str, start: Timestamp, end: Timestamp) {
        self.python(&["move", &self.url, uid, &start.to_string(), &end.to_string()], None).await;
    }

    /// Removes an event by its UID, as python-caldav does it.
    pub(crate) async fn delete_event(&self, uid: &str) {
        self.python(&["delete", &self.url, uid], None).await;
    }

    /// Adds an event, as python-caldav does it.
    pub(crate) async fn add_event(&self, text: &str) {
        self.python(&["put", &self.url], Some(text)).await;
    }

    /// Sets properties of an event, as python-caldav does it: see the script for the values.
    pub(crate) async fn edit_event(&self, uid: &str, properties: &Value) {
        self.python(&["edit", &self.url, uid], Some(&properties.to_string())).await;
    }

    /// Moves an event to another calendar, as many clients do it: a deletion and a creation.
    pub(crate) async fn carry_event(&self, uid: &str, to: &Calendar) {
        self.python(&["carry", &self.url, uid, &to.url], None).await;
    }

    /// Gives the calendar another display name.
    pub(crate) async fn rename(&self, name: &str) {
        self.python(&["rename", &self.url, name], None).await;
    }

    /// The text of the object of an event.
    pub(crate) async fn text_of(&self, uid: &str) -> String {
        let of_it = format!("UID:{uid}");
        let mut copies = Calendar::copies(&[self]).await.remove(0).into_values();
        copies.find(|text| text.contains(&of_it)).unwrap_or_else(|| panic!("no event {uid}"))
    }

    /// The text of every object of each of these calendars of one account, by its decoded path.
    pub(crate) async fn copies(calendars: &[&Calendar]) -> Vec<BTreeMap<String, String>> {
        let mut arguments = vec!["copy"];
        arguments.extend(calendars.iter().map(|calendar| calendar.url.as_str()));
        let copies = calendars[0].python(&arguments, None).await;
        calendars.iter().map(|calendar| serde_json::from_value(copies[&calendar.url].clone()).unwrap()).collect()
    }

    async fn python(&self, arguments: &[&str], input: Option<&str>) -> Value {
        let command = python("calendar_client.py").expect("a test that has a server has the client");
        let mut child = tokio::process::Command::from(command)
            .args(arguments)
            .env("CALDAV_USER", &self.server.user)
            .env("CALDAV_PASSWORD", &self.server.password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "python-caldav {arguments:?}: {complaint}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
