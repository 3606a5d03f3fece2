//! `[[host]]` and what belongs to it, except meeting types.

use super::Surroundings;
use super::file::{File, Section};
use super::keys::{RESERVED_HOSTS, nearest};
use super::look::{self, Look};
use super::meeting;
use super::oauth::{self, OAuth};
use super::secret::{self, Secret};
use super::value::{all, duration, email, flag, language, one_of, slug, text, time_of_day};
use crate::availability::{
    AllDay, Counting, DateHours, Host, HostId, Hours, Tentative, Title, Unanswered, WeeklyHours,
};
use crate::ical::Zone;
use jiff::SignedDuration;
use jiff::civil::Time;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use toml::de::DeValue;
use url::Url;

/// A host, and where their calendars are.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Who they are and what can be booked.
    pub host: Arc<Host>,
    /// Their CalDAV logins; ids are unique within the host.
    pub accounts: Vec<Account>,
    /// Calendars published by URL, also busy.
    pub subscriptions: Vec<Subscription>,
    /// Folders of `.ics` files, also busy.
    pub folders: Vec<Folder>,
    /// Where bookings are written; `None`: nothing can be booked.
    pub bookings: Option<Bookings>,
    /// The calendar whose events open time.
    pub opens: Option<OpeningCalendar>,
    /// How their pages look, beyond `[server.look]`.
    pub look: Look,
    /// The `id` of the account whose availability (RFC 7953) bounds the hours.
    pub availability: Option<String>,
}

impl HostConfig {
    /// The account of that id.
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }
}

/// One CalDAV login of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Unique within the host; without `/`.
    pub id: String,
    /// A server, a principal, a home or a calendar; without a login in it.
    pub url: Url,
    /// Who logs in; `None`: nobody.
    pub login: Option<Login>,
    /// Names or hrefs of the calendars that make the host busy; `None`: every calendar that is not marked transparent.
    pub calendars: Option<Vec<String>>,
    /// How often it is read.
    pub poll: SignedDuration,
    /// Plain http is allowed to a host that is not loopback.
    pub insecure: bool,
    /// Certificate authorities in PEM form, in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Hosts outside of the URL's site that may get the password too.
    pub trusted_hosts: Vec<String>,
    /// What the server is told that we are; `None`: our name and version.
    pub user_agent: Option<String>,
    /// Which of its events count.
    pub counting: Counting,
}

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// By a password.
    Password {
        /// As the server knows them.
        username: String,
        /// Their password.
        password: Secret,
    },
    /// By a grant that the host gave at a browser.
    OAuth(Box<OAuth>),
}

impl Login {
    /// What it keeps secret.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Login::Password { password, .. } => Some(password),
            Login::OAuth(oauth) => oauth.client_secret.as_ref(),
        }
    }
}

/// A calendar published by URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `http` or `https`. Who knows it can read the calendar: not for logs.
    pub url: Url,
    /// How often it is read.
    pub poll: SignedDuration,
    /// Which of its events count.
    pub counting: Counting,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({}, every {:?})", self.url.host_str().unwrap_or_default(), self.poll)
    }
}

/// A folder of `.ics` files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// Which of its events count.
    pub counting: Counting,
}

/// Where bookings are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookings {
    /// The `id` of one of the host's accounts.
    pub account: String,
    /// The name or the href of a calendar in it.
    pub calendar: String,
    /// How long an event that the host deleted stays gone before the booking is cancelled.
    pub grace: SignedDuration,
    /// One plain mail to the host for each booking, move and cancel.
    pub notify: bool,
    /// Alerts are mailed to the host.
    pub alerts: bool,
    /// How long a calendar may be unreachable before that is an alert.
    pub alert_after: SignedDuration,
    /// When the host is sent the list of the day's bookings, by the clock where they are; `None`: never.
    pub digest: Option<Time>,
    /// What is done when the guest's calendar declines the invitation.
    pub declined: Declined,
}

/// What is done when the guest's calendar declines the invitation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Declined {
    /// The guest is asked by mail.
    #[default]
    Ask,
    /// The booking is cancelled.
    Cancel,
    /// Nothing.
    Ignore,
}

/// The calendar whose events open time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningCalendar {
    /// The `id` of one of the host's accounts.
    pub account: String,
    /// The name or the href of a calendar in it.
    pub calendar: String,
    /// Only events with this SUMMARY; `None`: every event.
    pub summary: Option<String>,
}

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_secs(minutes * 60)
}

const POLL: RangeInclusive<SignedDuration> = SignedDuration::from_secs(1)..=minutes(24 * 60);

pub(super) fn hosts(file: &File<'_>, root: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<Vec<HostConfig>> {
    let sections = root.sections("host");
    if sections.is_empty() && (!root.has("host") || root.is_empty_list("host")) {
        file.missing(
            root.span.clone(),
            "there is no [[host]]; write one for each person whose time can be booked".to_owned(),
        );
    }
    let mut ids = BTreeMap::new();
    let hosts = all(sections.iter().map(|section| {
        section.refuse_duplicate("id", &mut ids);
        host(section, surroundings)
    }));
    hosts.filter(|hosts| !hosts.is_empty())
}

fn host(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<HostConfig> {
    let id = section.require("id", "id = \"noether\" (it is in URLs)", host_id);
    let name = section.require("name", "name = \"Emmy Noether\"", text);
    let address = section.require("email", "email = \"noether@example.edu\"", email);
    let aliases = section.list("aliases", email).unwrap_or_default();
    let zone = section.require("time_zone", "time_zone = \"Europe/Berlin\"", zone);
    let max_staleness =
        section.read_or("max_staleness", minutes(30), duration(SignedDuration::from_secs(1)..=minutes(7 * 24 * 60)));

    let spoken = section.read_or("language", surroundings.language, language);
    let reminders = reminders(section, surroundings).unwrap_or_default();

    let account_sections = section.sections("account");
    let mut ids = BTreeMap::new();
    let accounts = all(account_sections.iter().map(|account_section| {
        account_section.refuse_duplicate("id", &mut ids);
        account(account_section, surroundings, max_staleness, address.as_deref())
    }));
    let account_ids: Vec<&str> = ids.keys().map(String::as_str).collect();

    let subscriptions =
        all(section.sections("subscription").iter().map(|section| subscription(section, max_staleness)));
    let folders = all(section.sections("folder").iter().map(|section| folder(section, surroundings)));
    if section.written(&["account", "subscription", "folder"]).is_empty() {
        section
            .missing("account", "[[host.account]] with the host's calendar server: without it all time would be free");
    }

    let bookings = section.section("bookings").map(|section| bookings(&section, surroundings, &account_ids));
    if bookings.is_none() && !section.has("bookings") {
        section.warn("id", "the host has no [host.bookings]: slots are shown and none can be booked".to_owned());
    }
    let hours_section = section.section("hours");
    let hours = hours_section.as_ref().map(hours).unwrap_or_default();
    let opens = hours_section.as_ref().and_then(|section| section.section("from_calendar"));
    let opens = opens.map(|section| opening_calendar(&section, &account_ids));
    let availability =
        hours_section.as_ref().and_then(|section| section.read("availability", account_of(&account_ids)));

    let mut ids = BTreeMap::new();
    let closed = hours.weekly.is_empty()
        && hours.dates.iter().all(|line| line.ranges.is_empty())
        && opens.is_none()
        && availability.is_none();
    let meetings = all(section.sections("meeting").iter().map(|meeting_section| {
        meeting_section.refuse_duplicate("id", &mut ids);
        if closed && !meeting_section.has("hours") {
            let message = "neither the host nor this meeting type has hours: nothing will be on offer";
            meeting_section.warn("id", message.to_owned());
        }
        meeting::meeting(meeting_section, surroundings, &reminders).map(Arc::new)
    }));
    if !section.has("meeting") {
        section.warn("id", "the host has no [[host.meeting]]: nothing will be on offer".to_owned());
    }

    let host = Host {
        id: id?,
        name: name?,
        email: address?,
        aliases,
        zone: zone?,
        max_staleness,
        hours,
        takes_bookings: bookings.is_some(),
        language: spoken,
        meetings: meetings?,
    };
    Some(HostConfig {
        host: Arc::new(host),
        accounts: accounts?,
        subscriptions: subscriptions?,
        folders: folders?,
        bookings: bookings.flatten(),
        opens: opens.flatten(),
        look: look::look(section, surroundings),
        availability,
    })
}

/// How long before it starts a guest is reminded; the longest first. `None`: not written.
pub(super) fn reminders(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<Vec<SignedDuration>> {
    let mut leads = section.list("reminders", duration(minutes(5)..=minutes(30 * 24 * 60)))?;
    leads.sort_by_key(|lead| std::cmp::Reverse(*lead));
    leads.dedup();
    if !leads.is_empty() && !surroundings.has_mail {
        section.warn("reminders", "reminders: there is no [mail] section, so nobody is reminded".to_owned());
    }
    Some(leads)
}

fn host_id(value: &DeValue<'_>) -> Result<HostId, String> {
    let written = text(value)?;
    if RESERVED_HOSTS.contains(&written.as_str()) {
        return Err(format!("\"{written}\" is taken by officehours itself in URLs; choose another"));
    }
    HostId::new(&written).ok_or_else(|| id_advice(&written))
}

/// What to write instead of an id that cannot be in a URL.
pub(super) fn id_advice(written: &str) -> String {
    let rule = "an id is made of a-z, 0-9 and -, at most 64, with no - at its ends";
    match slug(written) {
        slug if slug.is_empty() => rule.to_owned(),
        slug => format!("{rule}; write \"{slug}\""),
    }
}

fn zone(value: &DeValue<'_>) -> Result<Zone, String> {
    let written = text(value)?;
    Zone::named(&written).ok_or_else(|| {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let shown = written.escape_debug();
        // "Berlin" is the end of "Europe/Berlin".
        let city = |name: &&str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&written));
        match names.iter().copied().find(city).or_else(|| nearest(&written, &names)) {
            Some(near) => format!("there is no time zone \"{shown}\"; did you mean \"{near}\"?"),
            None => format!("there is no time zone \"{shown}\"; write an IANA name such as \"Europe/Berlin\""),
        }
    })
}

fn account(
    section: &Section<'_>,
    surroundings: &Surroundings<'_>,
    max_staleness: SignedDuration,
    host_address: Option<&str>,
) -> Option<Account> {
    let id = section.require("id", "id = \"work\" (for [host.bookings])", |value| {
        let written = text(value)?;
        let plain = written.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let advice = "an account's id is made of letters, digits, - and _, at most 64";
        (plain && written.len() <= 64).then_some(written).ok_or_else(|| advice.to_owned())
    });
    let insecure = section.read_or("insecure", false, flag);
    let oauth = oauth::oauth(section, surroundings);
    let read_url = |value: &DeValue<'_>| {
        let url = server_url(value)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "leave the login out of the URL; write username = \"…\" and password = { file = \"…\" }".to_owned()
            );
        }
        if url.scheme() == "http" && !insecure && !is_loopback(&url) {
            let advice =
                "plain http would send the password in clear; write https://, or insecure = true in this account";
            return Err(advice.to_owned());
        }
        Ok(url)
    };
    let by_auth = section.has("auth");
    let url = match oauth.as_ref().filter(|_| !section.has("url")).and_then(|oauth| oauth.caldav(host_address)) {
        Some(url) => Some(url),
        // Of an `auth` with a mistake nobody knows whether it needs one.
        None if by_auth && oauth.is_none() && !section.has("url") => None,
        None => section.require("url", "url = \"https://cloud.example.edu/\"", read_url),
    };
    let username = section.read("username", text);
    let password = secret::read(section, "password", surroundings);
    match (section.has("username"), section.has("password")) {
        (_, true) if by_auth => {
            section
                .mistake("password", "password: an account logs in by auth or by a password; leave one out".to_owned());
        }
        _ if by_auth => {}
        (true, false) => section.missing(
            "password",
            "password = { file = \"…\" }, { credential = \"…\" }, { command = [\"…\"] } or { env = \"…\" }",
        ),
        (false, true) => section.missing("username", "username = \"…\", to go with the password"),
        _ => {}
    }
    let poll = poll(section, minutes(5), max_staleness);
    let counting = counting(section);
    let calendars = section.list("calendars", text);
    let ca_file = section.read("ca_file", text).map(|path| surroundings.folder.join(path));
    let trusted_hosts = section.list("trusted_hosts", host_name).unwrap_or_default();
    let user_agent = section.read("user_agent", text);
    let login = match by_auth {
        true => Some(Login::OAuth(Box::new(oauth?))),
        false => username.zip(password).map(|(username, password)| Login::Password { username, password }),
    };
    Some(Account { id: id?, url: url?, login, calendars, poll, insecure, ca_file, trusted_hosts, user_agent, counting })
}

fn poll(section: &Section<'_>, default: SignedDuration, max_staleness: SignedDuration) -> SignedDuration {
    let poll = section.read_or("poll", default, duration(POLL));
    if poll >= max_staleness {
        let message =
            "poll: it is read no more often than max_staleness allows: between two polls nothing can be booked";
        section.warn("poll", message.to_owned());
    }
    poll
}

/// Which events of the calendars of a section count.
fn counting(section: &Section<'_>) -> Counting {
    let all_day = one_of(&[("obey", AllDay::Obey), ("busy", AllDay::Busy), ("free", AllDay::Free)]);
    let tentative = one_of(&[("busy", Tentative::Busy), ("free", Tentative::Free)]);
    let unanswered = one_of(&[("timed", Unanswered::Timed), ("busy", Unanswered::Busy), ("free", Unanswered::Free)]);
    let counts = [("free", false), ("busy", true)];
    let default = Counting::default();
    Counting {
        all_day: section.read_or("all_day", default.all_day, all_day),
        tentative: section.read_or("tentative", default.tentative, tentative),
        unanswered: section.read_or("unanswered", default.unanswered, unanswered),
        transparent: section.read_or("transparent", default.transparent, one_of(&counts)),
        working_elsewhere: section.read_or("working_elsewhere", default.working_elsewhere, one_of(&counts)),
        travel_time: section.read_or("travel_time", default.travel_time, flag),
        ignore_titles: section.list("ignore_titles", title).unwrap_or_default(),
    }
}

fn title(value: &DeValue<'_>) -> Result<Title, String> {
    let written = text(value)?;
    let advice = "that would be every event; write a title, or how titles begin: \"Canceled: *\"";
    Title::new(&written).ok_or_else(|| advice.to_owned())
}

/// A URL, or what people know their account by: a host or a mail address, whose domain is asked for its calendar service.
fn server_url(value: &DeValue<'_>) -> Result<Url, String> {
    let written = text(value)?;
    if written.contains("://") { http_url(value) } else { domain_url(&written) }
}

/// The server's URL, as far as it is known, of a domain or a mail address.
///
/// # Errors
/// Says what to write instead.
pub fn domain_url(written: &str) -> Result<Url, String> {
    let domain = written.rsplit_once('@').map_or(written, |(_, domain)| domain).trim_end_matches('/');
    let url = Url::parse(&format!("https://{domain}/")).ok().filter(|url| {
        let plain = url.host_str().is_some_and(|host| host.contains('.') || host == "localhost");
        plain && url.path() == "/" && url.query().is_none()
    });
    url.ok_or_else(|| {
        "write a URL as \"https://cloud.example.edu/\", or a domain or mail address whose server can be looked up"
            .to_owned()
    })
}

fn host_name(value: &DeValue<'_>) -> Result<String, String> {
    let written = text(value)?;
    match url::Host::parse(&written) {
        Ok(host) => Ok(host.to_string()),
        Err(_) => Err("write the name of a host alone, such as \"caldav.example.com\"".to_owned()),
    }
}

/// Never says what the URL was: knowing it may be all that is needed to read a calendar.
pub(super) fn http_url(value: &DeValue<'_>) -> Result<Url, String> {
    let advice = "write it as \"https://cloud.example.edu/\"";
    let written = text(value)?;
    let url = Url::parse(&written).map_err(|error| format!("this is no URL ({error}); {advice}"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(format!("must begin with https:// or http://; {advice}")),
    }
}

/// True when what is sent there does not leave the machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    match name.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

fn subscription(section: &Section<'_>, max_staleness: SignedDuration) -> Option<Subscription> {
    let url = section.require("url", "url = \"https://outlook.office365.com/…/calendar.ics\"", |value| {
        // webcal is what calendar programs call a subscription over https.
        let written = text(value)?;
        let https = written.strip_prefix("webcal://").map(|rest| format!("https://{rest}"));
        http_url(&DeValue::String(https.unwrap_or(written).into()))
    });
    let poll = poll(section, minutes(15), max_staleness);
    let counting = counting(section);
    Some(Subscription { url: url?, poll, counting })
}

fn folder(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<Folder> {
    let path = section.require("path", "path = \"/home/noether/.calendars/family\"", text);
    let counting = counting(section);
    Some(Folder { path: surroundings.folder.join(path?), counting })
}

fn bookings(section: &Section<'_>, surroundings: &Surroundings<'_>, accounts: &[&str]) -> Option<Bookings> {
    let calendar = section.require("calendar", "calendar = \"work/Work\" (account/calendar)", calendar_of(accounts));
    let grace = section.read_or("grace", minutes(5), duration(SignedDuration::ZERO..=minutes(7 * 24 * 60)));
    let notify = section.read_or("notify", true, flag);
    let alerts = section.read_or("alerts", true, flag);
    let alert_after =
        section.read_or("alert_after", minutes(60), duration(SignedDuration::from_secs(1)..=minutes(7 * 24 * 60)));
    let digest = section.read("digest", time_of_day);
    let words = [("ask", Declined::Ask), ("cancel", Declined::Cancel), ("ignore", Declined::Ignore)];
    let declined = section.read_or("declined", Declined::default(), one_of(&words));
    if digest.is_some() && !surroundings.has_mail {
        section.warn("digest", "digest: there is no [mail] section, so nothing is sent".to_owned());
    }
    let (account, calendar) = calendar?;
    Some(Bookings { account, calendar, grace, notify, alerts, alert_after, digest, declined })
}

fn opening_calendar(section: &Section<'_>, accounts: &[&str]) -> Option<OpeningCalendar> {
    let calendar =
        section.require("calendar", "calendar = \"work/Office hours\" (account/calendar)", calendar_of(accounts));
    let summary = section.read("summary", text);
    let (account, calendar) = calendar?;
    Some(OpeningCalendar { account, calendar, summary })
}

/// Reads `account/calendar`, where the calendar is a name or an href: `work/Work` or `work//dav/noether/work/`.
fn calendar_of(accounts: &[&str]) -> impl Fn(&DeValue<'_>) -> Result<(String, String), String> {
    move |value| {
        let written = text(value)?;
        let example = accounts.first().copied().unwrap_or("work");
        let parts = written.split_once('/').filter(|(account, calendar)| !account.is_empty() && !calendar.is_empty());
        let Some((account, calendar)) = parts else {
            let shown = written.trim_matches('/').escape_debug();
            return Err(format!("say which account and which calendar; write \"{example}/{shown}\""));
        };
        is_account(account, accounts, &format!("/{calendar}"))?;
        Ok((account.to_owned(), calendar.to_owned()))
    }
}

/// Reads the `id` of one of the host's accounts.
fn account_of(accounts: &[&str]) -> impl Fn(&DeValue<'_>) -> Result<String, String> {
    move |value| {
        let written = text(value)?;
        is_account(&written, accounts, "")?;
        Ok(written)
    }
}

/// What to write instead of an id that no account has; `rest` is what follows it.
fn is_account(account: &str, accounts: &[&str], rest: &str) -> Result<(), String> {
    if accounts.contains(&account) {
        return Ok(());
    }
    let shown = account.escape_debug();
    let known: Vec<String> = accounts.iter().map(|account| format!("\"{account}\"")).collect();
    Err(match (nearest(account, accounts), known.is_empty()) {
        (Some(near), _) => format!("this host has no account \"{shown}\"; did you mean \"{near}{rest}\"?"),
        (None, false) => format!("this host has no account \"{shown}\"; its accounts: {}", known.join(", ")),
        (None, true) => format!("this host has no account \"{shown}\"; write [[host.account]] with id = \"{shown}\""),
    })
}

/// `weekly` and `dates` of the host's or of a meeting type's hours.
pub(super) fn hours(section: &Section<'_>) -> Hours {
    let mut weekly = WeeklyHours::default();
    for line in section.one_or_list("weekly", weekly_line).unwrap_or_default() {
        // Read once already, so that each wrong line was reported at its place.
        let _ = weekly.add(&line);
    }
    let date = |value: &DeValue<'_>| DateHours::parse(&text(value)?).map_err(|error| error.to_string());
    Hours { weekly, dates: section.one_or_list("dates", date).unwrap_or_default() }
}

fn weekly_line(value: &DeValue<'_>) -> Result<String, String> {
    let line = text(value)?;
    WeeklyHours::default().add(&line).map_err(|error| error.to_string())?;
    Ok(line)
}
