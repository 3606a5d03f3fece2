//! A mail server of a test's own: aiosmtpd, which keeps what it gets.

use super::{eventually, free_port, python};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A mail server that may be stopped and started again.
pub(crate) struct Smtp {
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    child: Option<Child>,
}

impl Smtp {
    /// Takes any mail from anybody.
    pub(crate) async fn start() -> Option<Smtp> {
        let mut smtp = Smtp::stopped()?;
        smtp.start_again(&[]).await;
        Some(smtp)
    }

    /// A port that nobody listens on yet.
    pub(crate) fn stopped() -> Option<Smtp> {
        python("smtp_server.py")?;
        Some(Smtp { port: free_port(), folder: tempfile::tempdir().unwrap(), child: None })
    }

    /// Takes mail by TLS (`"tls"` or `"starttls"`) from the user `office` with the password `secret`. Returns the
    /// certificate.
    pub(crate) async fn start_secure(security: &str) -> Option<(Smtp, PathBuf)> {
        let mut smtp = Smtp::stopped()?;
        let (certificate, key) = (smtp.folder.path().join("cert.pem"), smtp.folder.path().join("key.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-out")
            .arg(&certificate)
            .arg("-keyout")
            .arg(&key)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "openssl makes a certificate");
        smtp.start_again(&[security, certificate.to_str().unwrap(), key.to_str().unwrap(), "office", "secret"]).await;
        Some((smtp, certificate))
    }

    /// Starts it, with what it had kept.
    pub(crate) async fn start_again(&mut self, more: &[&str]) {
        let mut command = python("smtp_server.py").expect("the interpreter was there before");
        command.arg(self.port.to_string()).arg(self.folder.path()).args(more).stdin(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let address = ("127.0.0.1", self.port);
        eventually("the mail server listens", Duration::from_secs(20), async || {
            tokio::net::TcpStream::connect(address).await.ok().map(drop)
        })
        .await;
    }

    /// What it does to the next messages: `"refuse"`, `"later"`, `"cut"`, or nothing special.
    pub(crate) fn mode(&self, mode: &str) {
        std::fs::write(self.folder.path().join("mode"), mode).unwrap();
    }

    /// `[mail]` of a config, in clear.
    pub(crate) fn section(&self) -> String {
        format!(
            "\n[mail]\nsmtp = \"smtp://127.0.0.1:{}?tls=none\"\nfrom = \"Office hours <office@meet.example.edu>\"\n",
            self.port
        )
    }

    /// The messages so far, in order, as files.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> =
            entries.filter(|path| path.extension().is_some_and(|extension| extension == "eml")).collect();
        files.sort();
        files
    }

    /// The messages so far, in order, as they came.
    pub(crate) fn raw(&self) -> Vec<Vec<u8>> {
        self.files().iter().map(|path| std::fs::read(path).unwrap()).collect()
    }

    /// Waits until there are so many messages, and reads them with an independent program, which complains of any that is
    /// not as it should be.
    pub(crate) async fn messages(&self, count: usize, within: Duration) -> Vec<Value> {
        eventually(&format!("{count} messages"), within, async || (self.files().len() >= count).then_some(())).await;
        let files = self.files();
        assert_eq!(files.len(), count, "so many messages, and no more");
        let read = |path: &PathBuf| super::check(python("mail.py").unwrap(), path);
        files.iter().map(|path| serde_json::from_str(&read(path)).unwrap()).collect()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
