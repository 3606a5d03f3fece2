//! `[server]` and `[store]`.

use super::Surroundings;
use super::duration::parse_duration;
use super::environment::Environment;
use super::file::{File, Section};
use super::look::{self, Look};
use super::network::{self, Listen, Network};
use super::value::{flag, language, text};
use crate::language::Language;
use jiff::SignedDuration;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use toml::de::DeValue;
use url::Url;

/// Where the daemon listens and what it is called from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// At least one.
    pub listen: Vec<Listen>,
    /// `http` or `https`, with or without a path, without a final slash: what links begin with.
    pub public_url: String,
    /// Whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<Network>,
    /// `/metrics`, `/healthz` and `/readyz` here and not in public.
    pub metrics_listen: Option<SocketAddr>,
    /// `GET /` lists the hosts.
    pub directory: bool,
    /// What guests and hosts are spoken to in who say no other.
    pub language: Language,
    /// Who is asked for the calendar services of domains; `None`: the name servers of the system.
    pub dns: Option<SocketAddr>,
    /// The sites that may show pages in a frame, as origins.
    pub embed: Vec<String>,
    /// How all pages look.
    pub look: Look,
}

/// Where data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The database file. Its folder need not exist yet.
    pub path: PathBuf,
    /// How long bookings are kept after their end; `None`: for ever.
    pub keep: Option<SignedDuration>,
    /// Whether their events stay on the calendar when they are erased.
    pub keep_events: bool,
}

/// A year.
const KEEP: SignedDuration = SignedDuration::from_hours(365 * 24);

const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

pub(super) fn server(file: &File<'_>, root: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<Server> {
    let local = |listen: SocketAddr| format!("http://{listen}");
    let Some(section) = root.section("server") else {
        return Some(Server {
            listen: vec![Listen::Addr(LISTEN)],
            public_url: local(LISTEN),
            trusted_proxies: Vec::new(),
            metrics_listen: None,
            directory: false,
            language: Language::default(),
            dns: None,
            embed: Vec::new(),
            look: Look::default(),
        });
    };
    let listen = section.one_or_list("listen", |value| Listen::parse(&text(value)?));
    if section.is_empty_list("listen") {
        section.mistake("listen", "listen: an empty list; write an address such as \"127.0.0.1:8080\"".to_owned());
    }
    let listen = listen.unwrap_or_else(|| vec![Listen::Addr(LISTEN)]);
    let public_url = match (section.has("public_url"), listen.as_slice()) {
        (true, _) => section.read("public_url", public_url),
        // For a try on one's own machine nothing needs to be said; else links would lead guests nowhere.
        (false, [Listen::Addr(listen)]) if listen.ip().is_loopback() && listen.port() != 0 => Some(local(*listen)),
        (false, _) => {
            file.missing(
                section.span.clone(),
                "`public_url` is missing in [server]; write the address that guests use, as \
                 public_url = \"https://meet.example.edu\""
                    .to_owned(),
            );
            None
        }
    };
    let trusted_proxies = section.one_or_list("trusted_proxies", |value| Network::parse(&text(value)?));
    let metrics_listen = section.read("metrics_listen", |value| network::address(&text(value)?));
    if let Some(metrics) = metrics_listen
        && metrics.port() != 0
        && listen.contains(&Listen::Addr(metrics))
    {
        section
            .mistake("metrics_listen", format!("metrics_listen: {metrics} is in `listen` already; take another port"));
    }
    Some(Server {
        listen,
        public_url: public_url?,
        trusted_proxies: trusted_proxies.unwrap_or_default(),
        metrics_listen,
        directory: section.read_or("directory", false, flag),
        language: section.read_or("language", Language::default(), language),
        dns: section.read("dns", |value| network::address(&text(value)?)),
        embed: section.one_or_list("embed", origin).unwrap_or_default(),
        look: look::look(&section, surroundings),
    })
}

fn origin(value: &DeValue<'_>) -> Result<String, String> {
    let advice = "write the origin of the site, as \"https://www.example.edu\"";
    let url = Url::parse(&text(value)?).map_err(|_| format!("no URL; {advice}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("must begin with https:// or http://; {advice}"));
    }
    let origin = url.origin().ascii_serialization();
    if url.as_str().trim_end_matches('/') != origin {
        return Err(format!("must end with the name of the site or its port; {advice}"));
    }
    Ok(origin)
}

fn public_url(value: &DeValue<'_>) -> Result<String, String> {
    let advice = "write the address that guests use, as \"https://meet.example.edu\"";
    let written = text(value)?;
    let url = Url::parse(&written).map_err(|_| format!("no URL; {advice}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("must begin with https:// or http://; {advice}"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("must have no login, no ? and no #; {advice}"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

pub(super) fn store(root: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<Store> {
    let section = root.section("store");
    let keep = section.as_ref().map_or(Some(KEEP), |section| section.read_or("keep", Some(KEEP), keep));
    let keep_events = section.as_ref().is_none_or(|section| section.read_or("keep_events", true, flag));
    let written = section.as_ref().filter(|section| section.has("path"));
    if let Some(section) = written {
        let path = section.read("path", text)?;
        return Some(Store { path: surroundings.folder.join(path), keep, keep_events });
    }
    let path = default_store(surroundings.environment);
    if path.is_none() {
        let section = section.as_ref().unwrap_or(root);
        section.missing(
            "store.path",
            "[store] and path = \"/var/lib/officehours/officehours.db\" (no $HOME to keep data in)",
        );
    }
    Some(Store { path: path?, keep, keep_events })
}

/// Reads `"365d"` or `"off"`.
fn keep(value: &DeValue<'_>) -> Result<Option<SignedDuration>, String> {
    match text(value)?.as_str() {
        "off" => Ok(None),
        written => parse_duration(written).map(Some),
    }
}

/// `$STATE_DIRECTORY` (systemd; the first, if there are several), else as the XDG base directory specification has it.
fn default_store(environment: &Environment) -> Option<PathBuf> {
    let systemd = environment.get("STATE_DIRECTORY").and_then(|list| list.split(':').next().map(PathBuf::from));
    let xdg = || environment.get("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment.get("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let folder = systemd.or_else(|| xdg().or_else(home).map(|state| state.join("officehours")))?;
    Some(folder.join("officehours.db"))
}
