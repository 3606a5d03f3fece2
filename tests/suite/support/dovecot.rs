//! A mailbox of a test's own: Dovecot, whose only folder is a maildir that the test puts mail into.

use super::{eventually, free_port, need};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// An IMAP server on loopback, with the user `office`; it ends with the test.
pub(crate) struct Dovecot {
    pub(crate) port: u16,
    /// With TLS from the start.
    pub(crate) secure_port: u16,
    folder: tempfile::TempDir,
    child: Child,
    delivered: AtomicU32,
}

impl Dovecot {
    /// With a certificate for localhost: the port speaks STARTTLS, too. The password is `secret`.
    pub(crate) async fn start() -> Option<Dovecot> {
        let without = std::env::var("OFFICEHOURS_TEST_WITHOUT").unwrap_or_default();
        if without.contains(" dovecot ") {
            eprintln!("SKIPPED: dovecot is not among the programs of this run");
            return None;
        }
        let programs = need("OFFICEHOURS_TEST_DOVECOT", std::env::var("OFFICEHOURS_TEST_DOVECOT").ok())?;
        let folder = tempfile::tempdir().unwrap();
        let (port, secure_port) = (free_port(), free_port());
        write_config(folder.path(), &programs, port, secure_port);
        let child = launch(folder.path());
        let dovecot = Dovecot { port, secure_port, folder, child, delivered: AtomicU32::new(0) };
        dovecot.password("secret");
        dovecot.listens().await;
        Some(dovecot)
    }

    /// From now on the password is another.
    pub(crate) fn password(&self, password: &str) {
        let (path, next) = (self.folder.path().join("users"), self.folder.path().join("users.next"));
        std::fs::write(&next, format!("office:{{PLAIN}}{password}\n")).unwrap();
        run("chmod", &["644", next.to_str().unwrap()]);
        std::fs::rename(next, path).unwrap();
    }

    /// The certificate of its TLS.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// The keys of `[mail]`, in clear.
    pub(crate) fn lines(&self) -> String {
        format!("{}imap_password = \"secret\"\n", self.line())
    }

    /// The same without the password.
    pub(crate) fn line(&self) -> String {
        format!("imap = \"imap://office@127.0.0.1:{}?tls=none\"\n", self.port)
    }

    /// A mail comes in.
    pub(crate) fn deliver(&self, mail: &str) {
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let maildir = self.folder.path().join("mail");
        let (part, name) = (maildir.join("tmp").join(number.to_string()), format!("{number:06}.test"));
        std::fs::write(&part, mail.replace('\n', "\r\n")).unwrap();
        run("chmod", &["644", part.to_str().unwrap()]);
        std::fs::rename(part, maildir.join("new").join(name)).unwrap();
    }

    /// Whether every mail is as it came: new, with no flag.
    pub(crate) fn is_untouched(&self) -> bool {
        let maildir = self.folder.path().join("mail");
        let count = |name: &str| std::fs::read_dir(maildir.join(name)).unwrap().count();
        count("new") == self.delivered.load(Ordering::Relaxed) as usize && count("cur") == 0
    }

    /// The server is away, until it is started again.
    pub(crate) fn stop(&mut self) {
        run("kill", &[&self.child.id().to_string()]);
        self.child.wait().unwrap();
    }

    /// Starts it, with what it had.
    pub(crate) async fn start_again(&mut self) {
        self.child = launch(self.folder.path());
        self.listens().await;
    }

    async fn listens(&self) {
        let address = ("127.0.0.1", self.port);
        eventually("Dovecot listens", Duration::from_secs(20), async || {
            tokio::net::TcpStream::connect(address).await.ok().map(drop)
        })
        .await;
    }

    /// The server gives its messages other numbers.
    pub(crate) fn renumber(&self) {
        for entry in std::fs::read_dir(self.folder.path().join("mail")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with("dovecot") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// How often somebody has logged in.
    pub(crate) fn logins(&self) -> usize {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.matches("imap-login: Info: Login: ").count()
    }
}

fn launch(folder: &Path) -> Child {
    Command::new("/usr/sbin/dovecot")
        .args(["-F", "-c"])
        .arg(folder.join("dovecot.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// `programs` is where the IMAP daemon is; the rest is installed.
fn write_config(folder: &Path, programs: &str, port: u16, secure_port: u16) {
    let at = folder.to_str().unwrap();
    let id = |flag: &str| {
        let output = Command::new("id").arg(flag).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    // Dovecot gives no mail to root; without root there is nobody else.
    let (user, group, own) = match id("-u").as_str() {
        "0" => ("nobody".to_owned(), "nogroup".to_owned(), String::new()),
        _ => {
            let (user, group) = (id("-un"), id("-gn"));
            let own = format!(
                "default_login_user = {user}\ndefault_internal_user = {user}\ndefault_internal_group = {group}\n"
            );
            (user, group, own)
        }
    };
    for name in ["mail/new", "mail/cur", "mail/tmp"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    run("chmod", &["755", at]);
    if user == "nobody" {
        run("chown", &["-R", "nobody:nogroup", &format!("{at}/mail")]);
    }
    let (cert, key) = (format!("{at}/cert.pem"), format!("{at}/key.pem"));
    let names = ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"];
    let made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
    run("openssl", &[&made[..], &names[..], &["-out", &cert, "-keyout", &key]].concat());
    // Its processes are other users, who may not see where it was brought to.
    let own_programs = format!("{at}/programs");
    run("cp", &["-r", programs, &own_programs]);
    let programs = own_programs;
    let services: String = ["imap", "imap-hibernate", "imap-urlauth", "imap-urlauth-login", "imap-urlauth-worker"]
        .map(|name| format!("service {name} {{\n  executable = {programs}/{name}\n}}\n"))
        .concat();
    let text = format!(
        r#"{own}protocols = imap
base_dir = {at}/run
state_dir = {at}/run
listen = 127.0.0.1
log_path = {at}/log
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{at}/mail
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {at}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={at}
}}
{services}service imap-login {{
  executable = {programs}/imap-login
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {secure_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"#
    );
    std::fs::write(folder.join("dovecot.conf"), text).unwrap();
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Its workers end with it, where it is asked to end.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
