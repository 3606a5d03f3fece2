//! `[mail]`: how mail is sent.

use super::Surroundings;
use super::file::Section;
use super::secret::{self, Secret};
use super::value::{is_email, one_of, text};
use crate::booking::Organizer;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::PathBuf;
use toml::de::DeValue;
use url::Url;

/// How mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The server.
    pub smtp: Smtp,
    /// For `smtp.username`; both or neither.
    pub password: Option<Secret>,
    /// Where the answers of guests' calendars are read; `None`: they are not.
    pub imap: Option<Imap>,
    /// Who writes.
    pub from: Mailbox,
    /// Whom invitations come from.
    pub organizer: Organizer,
    /// The folder of templates that replace ours.
    pub templates: Option<PathBuf>,
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// A name or an address.
    pub host: String,
    /// 465 for [`SmtpTls::Implicit`], else 587, unless the URL says otherwise.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// Who logs in; `None`: nobody.
    pub username: Option<String>,
}

/// A mailbox that answers come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imap {
    /// A name or an address.
    pub host: String,
    /// 993 for [`SmtpTls::Implicit`], else 143, unless the URL says otherwise.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// Who logs in.
    pub username: String,
    /// Their password.
    pub password: Secret,
    /// The folder.
    pub folder: String,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// From the first byte (`smtps://`, RFC 8314).
    Implicit,
    /// By STARTTLS, or no mail is sent (`smtp://`).
    StartTls,
    /// Not at all (`smtp://…?tls=none`).
    None,
}

/// A mail address with or without a name (RFC 5322 3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// As readers see it.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

impl Mailbox {
    /// Reads `noether@example.edu` or `Emmy Noether <noether@example.edu>`.
    pub fn parse(text: &str) -> Option<Mailbox> {
        let (name, address) = match text.trim().strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, address)) => (Some(name.trim().trim_matches('"').to_owned()), address),
            None => (None, text.trim()),
        };
        is_email(address).then(|| Mailbox { name: name.filter(|name| !name.is_empty()), address: address.to_owned() })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

pub(super) fn mail(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<Mail> {
    let smtp = section.require("smtp", "smtp = \"smtps://office-hours@smtp.example.edu:465\"", smtp);
    let password = secret::read(section, "password", surroundings);
    let from = section.require("from", "from = \"Office hours <office-hours@example.edu>\"", |value| {
        let advice = "expected an address such as \"Office hours <office-hours@example.edu>\"";
        Mailbox::parse(&text(value)?).ok_or_else(|| advice.to_owned())
    });
    let words = [("service", Organizer::Service), ("host", Organizer::Host)];
    let organizer = section.read_or("organizer", Organizer::default(), one_of(&words));
    let imap = imap(section, surroundings, password.as_ref());
    let templates = section.read("templates", text).map(|folder| surroundings.folder.join(folder));
    if let Some(smtp) = &smtp {
        match (&smtp.username, section.has("password")) {
            (Some(_), false) => section.missing("password", "password = { file = \"…\" }, for the user in `smtp`"),
            (None, true) => {
                section
                    .mistake("smtp", "smtp: there is a password but no user; write \"smtps://USER@HOST\"".to_owned());
            }
            _ => {}
        }
    }
    Some(Mail { smtp: smtp?, password, imap, from: from?, organizer, templates })
}

fn imap(section: &Section<'_>, surroundings: &Surroundings<'_>, of_smtp: Option<&Secret>) -> Option<Imap> {
    let server = section.read("imap", imap_url);
    let password = secret::read(section, "imap_password", surroundings).or_else(|| of_smtp.cloned());
    let folder = section.read_or("imap_folder", "INBOX".to_owned(), text);
    for key in section.written(&["imap_password", "imap_folder"]) {
        if !section.has("imap") {
            section.mistake(key, format!("{key}: there is no `imap`; write imap = \"imaps://USER@HOST\""));
        }
    }
    if server.is_some() && password.is_none() && !section.has("imap_password") && !section.has("password") {
        section.missing("imap_password", "imap_password = { file = \"…\" }, for the user in `imap`");
    }
    let MailUrl { host, port, tls, username } = server?;
    Some(Imap { host, port, tls, username: username?, password: password?, folder })
}

/// What the URL of a mail server says.
struct MailUrl {
    host: String,
    port: u16,
    tls: SmtpTls,
    username: Option<String>,
}

fn smtp(value: &DeValue<'_>) -> Result<Smtp, String> {
    let advice =
        "write \"smtps://USER@HOST:465\", \"smtp://USER@HOST:587\" (STARTTLS) or \"smtp://localhost:25?tls=none\"";
    let MailUrl { host, port, tls, username } = mail_url(value, ("smtp", "smtps"), (587, 465), advice)?;
    Ok(Smtp { host, port, tls, username })
}

fn imap_url(value: &DeValue<'_>) -> Result<MailUrl, String> {
    let advice =
        "write \"imaps://USER@HOST\", \"imap://USER@HOST\" (STARTTLS) or \"imap://USER@localhost:143?tls=none\"";
    let url = mail_url(value, ("imap", "imaps"), (143, 993), advice)?;
    if url.username.is_none() {
        return Err(format!("names no user; {advice}"));
    }
    Ok(url)
}

/// `(scheme, its name with TLS)`, and the ports of both. Never says what the URL was: a password may be in it.
fn mail_url(
    value: &DeValue<'_>,
    (open, secure): (&str, &str),
    (open_port, secure_port): (u16, u16),
    advice: &str,
) -> Result<MailUrl, String> {
    let url = Url::parse(&text(value)?).map_err(|_| format!("no URL; {advice}"))?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| format!("names no server; {advice}"))?;
    if url.password().is_some() {
        return Err("leave the password out of the URL and write it as password = { file = \"…\" }".to_owned());
    }
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(format!("has something after the server; {advice}"));
    }
    let tls = match (url.scheme(), url.query()) {
        (scheme, None) if scheme == secure => SmtpTls::Implicit,
        (scheme, None | Some("tls=required")) if scheme == open => SmtpTls::StartTls,
        (scheme, Some("tls=none")) if scheme == open => SmtpTls::None,
        (scheme, Some(_)) if scheme == open || scheme == secure => {
            return Err(format!("has an option that is not known after the ?; {advice}"));
        }
        _ => return Err(format!("must begin with {secure}:// or {open}://; {advice}")),
    };
    let username = Some(url.username()).filter(|name| !name.is_empty());
    let username = username.map(|name| percent_decode_str(name).decode_utf8_lossy().into_owned());
    if tls == SmtpTls::None && username.is_some() && !super::host::is_loopback(&url) {
        return Err("with ?tls=none the password would cross the network in clear; leave out ?tls=none".to_owned());
    }
    let port = url.port().unwrap_or(if tls == SmtpTls::Implicit { secure_port } else { open_port });
    Ok(MailUrl { host: host.trim_matches(['[', ']']).to_owned(), port, tls, username })
}
