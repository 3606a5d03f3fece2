//! One calendar on a real server, as its owner's other programs see and change it.

use super::{Server, client, http, python};
use jiff::Timestamp;
use serde_json::Value;
use std::process::Stdio;
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
