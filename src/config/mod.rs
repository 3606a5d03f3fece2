//! The config file: as written -> [`Config`], checked, with every mistake at once. Start with [`Config::load`].
//!
//! `file` knows positions and reports, `value` and `duration` read single values, `server`, `limits`, `mail`, `host`, `oauth`
//! and `meeting` each read a part of the file; `keys` lists what may be written.

mod duration;
mod environment;
mod file;
mod host;
mod keys;
mod limits;
mod locate;
mod look;
mod mail;
mod meeting;
mod mistake;
mod network;
mod oauth;
mod reload;
mod secret;
mod server;
mod value;

#[cfg(test)]
mod tests;

pub use duration::{format_duration, parse_duration};
pub use environment::Environment;
pub use host::{Account, Bookings, Declined, Folder, HostConfig, Login, OpeningCalendar, Subscription, domain_url};
pub use limits::{Blocked, Limit, Limits};
pub use locate::{NotFound, locate};
pub use look::Look;
pub use mail::{Imap, Mail, Mailbox, Smtp, SmtpTls};
pub use mistake::{ConfigErrors, Mistake};
pub use network::{Listen, Network};
pub use oauth::OAuth;
pub use reload::{Changed, Watcher, watch};
pub use secret::{Secret, SecretError};
pub use server::{Server, Store};

use crate::language::Language;
use file::File;
use std::path::{Path, PathBuf};

/// What the config file says, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the daemon listens and what it is called from outside.
    pub server: Server,
    /// Where data is kept.
    pub store: Store,
    /// How mail is sent; `None`: guests get their invitation as a download.
    pub mail: Option<Mail>,
    /// What one address or one guest may do.
    pub limits: Limits,
    /// Whose time can be booked, in the order of the file; at least one when it was read from a file.
    pub hosts: Vec<HostConfig>,
    /// The file it was read from; `None` when it was not read from one.
    pub path: Option<PathBuf>,
    /// What is allowed and hardly meant. To be logged once.
    pub warnings: Vec<Mistake>,
}

/// What sections need to know of where they are read.
struct Surroundings<'a> {
    /// The folder of the file: what relative paths are relative to.
    folder: &'a Path,
    environment: &'a Environment,
    has_mail: bool,
    /// Of [server].
    language: Language,
}

impl Config {
    /// The config as a daemon goes on with that began with another one: what it has bound or opened stays as it was at the start.
    /// With the keys that say otherwise now, and take effect at the next start.
    pub fn running_since(self, start: &Config) -> (Config, Vec<&'static str>) {
        let keys = [
            ("[server] listen", self.server.listen != start.server.listen),
            ("[server] metrics_listen", self.server.metrics_listen != start.server.metrics_listen),
            ("[server] dns", self.server.dns != start.server.dns),
            ("[store] path", self.store.path != start.store.path),
        ];
        let Server { listen, metrics_listen, dns, .. } = start.server.clone();
        let server = Server { listen, metrics_listen, dns, ..self.server };
        let store = Store { path: start.store.path.clone(), ..self.store };
        let later = keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect();
        (Config { server, store, ..self }, later)
    }

    /// Reads and checks a file. A file that cannot be opened is a mistake too. Does not read any secret.
    pub fn load(path: &Path, environment: &Environment) -> Result<Config, ConfigErrors> {
        let unreadable = |error: &std::io::Error| ConfigErrors::unreadable(path, error);
        let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
        let mut config = Config::from_bytes(&bytes, path, environment)?;
        if config.holds_a_password() && secret::is_world_readable(path) {
            let message = "every user of this machine can read this file and the password in it: chmod 640 it, or keep \
                           the password elsewhere with { file = … } or { credential = … }";
            config.warnings.push(Mistake::at_the_top(message.to_owned()));
        }
        Ok(config)
    }

    /// Checks the content of a file. `path` is for messages and for what is relative to it.
    pub fn from_bytes(bytes: &[u8], path: &Path, environment: &Environment) -> Result<Config, ConfigErrors> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Config::parse(text, path, environment),
            Err(error) => Err(ConfigErrors::not_utf8(path, bytes, error.valid_up_to())),
        }
    }

    /// Checks the text of a file. Reads nothing else.
    pub fn parse(text: &str, path: &Path, environment: &Environment) -> Result<Config, ConfigErrors> {
        let (document, syntax) = toml::de::DeTable::parse_recoverable(text);
        let file = File::new(text, syntax);
        let root = file.root(document.get_ref());
        let folder = path.parent().unwrap_or(Path::new(""));
        let bare = Surroundings { folder, environment, has_mail: root.has("mail"), language: Language::default() };
        let server = server::server(&file, &root, &bare);
        let language = server.as_ref().map(|server| server.language).unwrap_or_default();
        let surroundings = Surroundings { language, ..bare };
        let store = server::store(&root, &surroundings);
        let mail = root.section("mail").map(|section| mail::mail(&section, &surroundings));
        let limits = limits::limits(&root);
        let hosts = host::hosts(&file, &root, &surroundings);

        let (errors, warnings) = file.finish();
        match (server, store, hosts) {
            (Some(server), Some(store), Some(hosts)) if errors.is_empty() => {
                Ok(Config { server, store, mail: mail.flatten(), limits, hosts, path: Some(path.to_owned()), warnings })
            }
            _ => Err(ConfigErrors { file: path.to_owned(), errors }),
        }
    }

    /// The host of that id.
    pub fn host(&self, id: &str) -> Option<&HostConfig> {
        self.hosts.iter().find(|host| host.host.id.as_str() == id)
    }

    fn holds_a_password(&self) -> bool {
        let accounts = self.hosts.iter().flat_map(|host| &host.accounts);
        let logins = accounts.filter_map(|account| account.login.as_ref()).filter_map(Login::secret);
        let mail =
            self.mail.iter().flat_map(|mail| mail.password.iter().chain(mail.imap.iter().map(|imap| &imap.password)));
        logins.chain(mail).any(Secret::is_written_out)
    }
}
