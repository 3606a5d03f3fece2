//! The real binary with a config and a store of its own, spoken to over loopback as everybody would.

use super::{Answer, Config, Day, client, eventually, http};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_officehours"))
}

/// Runs the program to its end.
pub(crate) fn officehours(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).env_remove("OFFICEHOURS_CONFIG").stdin(Stdio::null()).output().unwrap()
}

/// `officehours run` in a folder of its own. It ends with the test, and its log is shown when the test fails.
pub(crate) struct Daemon {
    pub(crate) config: Config,
    folder: tempfile::TempDir,
    child: Child,
    client: reqwest::Client,
    environment: Vec<(&'static str, &'static str)>,
}

impl Daemon {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(config: Config) -> Daemon {
        let mut daemon = Daemon::launch(config, &[]).await;
        daemon.wait_ready().await;
        daemon
    }

    /// Starts it with these environment variables and waits until it is live; it may never have read a calendar.
    pub(crate) async fn launch(config: Config, environment: &[(&'static str, &'static str)]) -> Daemon {
        Daemon::launch_with(config, |_| environment.to_vec()).await
    }

    /// The same, where the environment depends on the folder that its store is in.
    pub(crate) async fn launch_with(
        config: Config,
        environment: impl FnOnce(&Path) -> Vec<(&'static str, &'static str)>,
    ) -> Daemon {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        let path = folder.path().join("officehours.toml");
        std::fs::write(&path, config.toml()).unwrap();
        // It has a password in it.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let child = spawn(folder.path(), &environment);
        let mut daemon = Daemon { config, folder, child, client: client(), environment };
        daemon.wait_live().await;
        daemon
    }

    async fn wait_live(&mut self) {
        let url = self.url("/healthz");
        let (child, client) = (&mut self.child, &self.client);
        eventually("the daemon is live", Duration::from_secs(20), async || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the daemon ended: {status}");
            }
            client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200).then_some(())
        })
        .await;
    }

    /// Waits until every host was read.
    pub(crate) async fn wait_ready(&mut self) {
        eventually("the daemon is ready", Duration::from_secs(40), async || {
            (self.get("/readyz").await.status == 200).then_some(())
        })
        .await;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.config.port)
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.folder.path().join("officehours.toml")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A command of the program with this daemon's config.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        let path = self.config_path();
        let mut all = vec!["--config", path.to_str().unwrap()];
        all.extend(arguments);
        officehours(&all)
    }

    /// SIGTERM; the daemon must end within 5 seconds.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(6), "it still runs 5 s after SIGTERM");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on what it left, and waits until it is live.
    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(self.folder.path(), &self.environment);
        self.wait_live().await;
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        http::send(self.client.get(self.url(path))).await
    }

    pub(crate) async fn request(&self, method: &str, path: &str) -> Answer {
        http::send(self.client.request(method.parse().unwrap(), self.url(path))).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        http::send(request).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        let request = self.client.post(self.url(path)).header("content-type", "application/json");
        http::send(request.body(body.to_string())).await
    }

    pub(crate) async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        http::send(request.body(body)).await
    }

    /// The path of the bookings of a meeting type in the API.
    pub(crate) fn bookings_path(meeting: &str) -> String {
        format!("/api/v1/hosts/noether/meetings/{meeting}/bookings")
    }

    /// Books over the API, with a guest of this name.
    pub(crate) async fn book(&self, meeting: &str, start: Timestamp, guest: &str) -> Answer {
        let email = format!("{}@example.org", guest.to_lowercase().replace(' ', "."));
        let body = json!({"start": start.to_string(), "name": guest, "email": email, "note": "", "answers": {}});
        self.post_json(&Daemon::bookings_path(meeting), &body).await
    }

    /// Books and waits until the calendar server has the event. Returns the document.
    pub(crate) async fn book_confirmed(&self, meeting: &str, start: Timestamp, guest: &str) -> Value {
        let booking = self.book(meeting, start, guest).await.expect(201);
        let token = token(&booking);
        self.wait_state(&token, "confirmed").await
    }

    /// The booking of a token, over the API.
    pub(crate) async fn booking(&self, token: &str) -> Value {
        self.get(&format!("/api/v1/bookings/{token}")).await.expect(200)
    }

    /// Waits until a booking is in that state.
    pub(crate) async fn wait_state(&self, token: &str, state: &str) -> Value {
        eventually(&format!("the booking is {state}"), super::ON_THE_SERVER, async || {
            let booking = self.booking(token).await;
            (booking["state"] == state).then_some(booking)
        })
        .await
    }

    /// Cancels over the API, as the guest.
    pub(crate) async fn cancel(&self, token: &str) -> Answer {
        self.request("DELETE", &format!("/api/v1/bookings/{token}")).await
    }

    /// What the slots API answers for one day.
    pub(crate) async fn offer(&self, meeting: &str, day: Day) -> Value {
        let (from, to) = day.window();
        let path = format!("/api/v1/hosts/noether/meetings/{meeting}/slots?from={from}&to={to}");
        self.get(&path).await.expect(200)
    }

    /// The starts of the slots on offer that day, sorted.
    pub(crate) async fn starts(&self, meeting: &str, day: Day) -> Vec<Timestamp> {
        let offer = self.offer(meeting, day).await;
        let slots = offer["slots"].as_array().unwrap();
        slots.iter().map(|slot| slot["start"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// Waits until exactly these wall-clock times of the day are on offer.
    pub(crate) async fn wait_starts(&self, meeting: &str, day: Day, times: &[&str]) {
        let expected: Vec<Timestamp> = times.iter().map(|time| day.at(time)).collect();
        eventually(&format!("the slots are {times:?}"), super::ONE_POLL, async || {
            (self.starts(meeting, day).await == expected).then_some(())
        })
        .await;
    }

    /// Waits until every calendar was read anew, twice, from now on.
    pub(crate) async fn wait_two_polls(&self) {
        for _ in 0..2 {
            let before = self.as_of().await;
            eventually("another poll", super::ONE_POLL, async || (self.as_of().await > before).then_some(())).await;
        }
    }

    /// When the host's calendars were last read.
    pub(crate) async fn as_of(&self) -> Timestamp {
        let offer = self.offer(&self.config.meetings[0].id, Day::ahead(1)).await;
        offer["as_of"].as_str().unwrap().parse().unwrap()
    }
}

/// The guest's token of a booking document.
pub(crate) fn token(booking: &Value) -> String {
    let url = booking["manage_url"].as_str().unwrap_or_else(|| panic!("no manage_url in {booking}"));
    url.rsplit('/').next().unwrap().to_owned()
}

fn spawn(folder: &Path, environment: &[(&str, &str)]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    Command::new(binary())
        .args(["run", "--config"])
        .arg(folder.join("officehours.toml"))
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("--- the daemon's log ---\n{log}");
        } else {
            assert!(!log.contains("panicked at"), "the daemon panicked:\n{log}");
        }
    }
}
