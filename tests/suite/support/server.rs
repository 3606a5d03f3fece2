//! Real calendar servers: the two that `tests/run` started for everybody, and one of a test's own that it may stop.

use super::{Calendar, free_port, need, root, unique};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// How to reach a server, and the calendar homes of its two users.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) home: String,
    pub(crate) other_home: String,
}

impl Server {
    /// The Radicale of this run.
    pub(crate) fn radicale() -> Option<Server> {
        Server::shared("OFFICEHOURS_TEST_RADICALE")
    }

    /// The Xandikos of this run.
    pub(crate) fn xandikos() -> Option<Server> {
        Server::shared("OFFICEHOURS_TEST_XANDIKOS")
    }

    fn shared(variable: &str) -> Option<Server> {
        let words = need(variable, std::env::var(variable).ok())?;
        let [url, user, password, home, other_home] = words.split(' ').collect::<Vec<_>>().try_into().unwrap();
        Some(Server {
            url: url.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            home: home.to_owned(),
            other_home: other_home.to_owned(),
        })
    }

    /// As its other user, whose home only one test uses.
    pub(crate) fn as_other_user(&self) -> Server {
        Server { user: "ta".to_owned(), home: self.other_home.clone(), ..self.clone() }
    }

    /// Makes a calendar that only this test uses.
    pub(crate) async fn calendar(&self, prefix: &str) -> Calendar {
        let name = unique(prefix);
        let url = format!("{}{name}/", self.home);
        let calendar = Calendar { server: self.clone(), name, url };
        calendar.make().await;
        calendar
    }
}

/// A server of the test's own, which it may stop and start again.
pub(crate) struct OwnServer {
    pub(crate) server: Server,
    /// The bare host.
    pub(crate) bare: String,
    pub(crate) name: &'static str,
    port: u16,
    folder: tempfile::TempDir,
}

impl OwnServer {
    /// A server of `tests/servers`, on ports of its own, with fresh data. `None` for one that this machine cannot have;
    /// `tests/run` says so, and why.
    pub(crate) fn start(name: &'static str) -> Option<OwnServer> {
        need("CALDAV_CACHE", std::env::var_os("CALDAV_CACHE"))?;
        if std::env::var("OFFICEHOURS_TEST_WITHOUT").is_ok_and(|names| names.split(' ').any(|without| without == name))
        {
            eprintln!("SKIPPED: this machine has no {name}");
            return None;
        }
        let nowhere = String::new();
        let server = Server {
            url: nowhere.clone(),
            user: "prof".to_owned(),
            password: "secret".to_owned(),
            home: nowhere.clone(),
            other_home: nowhere,
        };
        // In a folder that `tests/run` sweeps, should this process be killed; and the server's own user has to reach it.
        let within = std::env::var_os("CALDAV_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let folder = tempfile::Builder::new().prefix("own-").tempdir_in(within).unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut own = OwnServer { server, bare: String::new(), name, port: free_block(), folder };
        let line = own.script(&["start"]);
        let variable = |key: &str| {
            let value = line.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            value.unwrap_or_else(|| panic!("{key} in {line}")).to_owned()
        };
        own.server.url = variable("CALDAV_URL");
        own.bare = variable("CALDAV_ROOT");
        own.server.home = variable("CALDAV_HOME");
        own.server.other_home = variable("CALDAV_TA_HOME");
        Some(own)
    }

    /// Its version, as its package has it.
    pub(crate) fn version(&self) -> String {
        self.script(&["version"]).trim().to_owned()
    }

    /// Ends it; its data stays.
    pub(crate) fn stop(&self) {
        self.script(&["stop"]);
    }

    /// Starts it again on the same port with its data.
    pub(crate) fn start_again(&self) {
        self.script(&["start", "--keep"]);
    }

    /// Where it keeps its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join(self.name).join("data")
    }

    fn path(&self) -> PathBuf {
        root().join("tests/servers").join(format!("{}.sh", self.name))
    }

    fn script(&self, arguments: &[&str]) -> String {
        let output = Command::new(self.path())
            .args(arguments)
            .env("CALDAV_DIR", self.folder.path())
            .env(format!("{}_PORT", self.name.to_uppercase().replace('-', "_")), self.port.to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{} {arguments:?}", self.name);
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A free port whose neighbours at +50 to +52 are free too: databases and the like listen there.
fn free_block() -> u16 {
    loop {
        let port = free_port();
        if (50..=52).all(|above| std::net::TcpListener::bind(("127.0.0.1", port + above)).is_ok()) {
            return port;
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.stop();
    }
}
