//! From a config to everything that runs by it: store, desk, boards, accounts. The wiring, on one screen.

use super::inbox::InboxReader;
use super::key::{KeyError, key_path, new_key, token_key};
use super::look::LookError;
use super::poller::Poller;
use super::publish::load_board;
use crate::availability::{Clock, Counting, Host, HostId};
use crate::booking::Links;
use crate::caldav::oauth::{AccessTokens, GrantFile, OAuthClient};
use crate::caldav::{self, Credentials, Password};
use crate::config::{self, Account, Config, Declined, Environment, HostConfig, Limit, SecretError, SmtpTls};
use crate::desk::{BlockList, Desk, HostDesk, Keep, Limits, OutboxSignal, Rate, TokenSource, WhenDeclined, World};
use crate::mail::{self, InboxServer, MailServer, Mailer};
use crate::outbox::Targets;
use crate::store::{Access, Store, StoreError};
use crate::sync::{
    AccountSettings, AccountSync, AvailabilitySync, FolderSync, HostBoard, Reading, Source, SubscriptionSync,
    SyncError, SyncHandle,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// What lives as long as the process, whatever the config becomes.
#[derive(Clone, Debug)]
pub struct Services {
    /// Keeps everything.
    pub store: Store,
    /// The one door.
    pub desk: Desk,
    /// Between desk and outbox.
    pub signal: OutboxSignal,
    /// Tells the time.
    pub clock: Clock,
    /// Where secrets may come from.
    pub environment: Environment,
    /// The name server of `[server] dns`.
    pub dns: Option<std::net::SocketAddr>,
    /// The folder of the grants of accounts that log in by OAuth: beside the store, so that a copy of the store holds no login.
    pub logins: PathBuf,
}

/// What a config makes.
pub(super) struct Built {
    pub(super) world: World,
    pub(super) targets: Targets,
    pub(super) pollers: Vec<Poller>,
    /// Reads the answers of guests' calendars.
    pub(super) inbox: Option<InboxReader>,
}

/// Why the daemon cannot start, or cannot go over to another config.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An account's settings do not make a client.
    #[error("account {account:?} of host {host:?}: {source}")]
    Client {
        /// The host's id.
        host: String,
        /// The account's id.
        account: String,
        /// Why.
        source: caldav::Error,
    },
    /// The password for the mail server cannot be had.
    #[error("[mail]: {0}")]
    MailSecret(SecretError),
    /// The settings of `[mail]` do not make a connection.
    #[error("[mail]: {0}")]
    Mail(#[from] mail::MessageError),
    /// A file of a look.
    #[error(transparent)]
    Look(#[from] LookError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key of the links.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The system has no randomness.
    #[error("the operating system gives no random bytes")]
    Random,
}

impl Services {
    /// Opens the store of the config and a desk on it, without hosts yet.
    pub async fn open(
        config: &Config,
        access: Access,
        environment: Environment,
        clock: Clock,
    ) -> Result<Services, SetupError> {
        let store = Store::open(&config.store.path, access)?;
        let key = token_key(&store, &key_path(&config.store.path), random()?).await?;
        let logins = config.store.path.with_file_name("logins");
        Ok(Services::on(store, key, environment, clock, (config.server.dns, logins)))
    }

    /// Makes another key for the links, and gives every booking its new tokens. How many bookings there are.
    pub async fn renew_key(config: &Config) -> Result<usize, SetupError> {
        let store = Store::open(&config.store.path, Access::Daemon)?;
        let fresh = random()?;
        let tokens = TokenSource::new(fresh, || random::<16>().unwrap_or_default());
        let renew = store.renew_tokens(move |id| tokens.digests(id));
        let renewed = new_key(&store, &key_path(&config.store.path), fresh, renew).await?;
        store.close().await;
        Ok(renewed)
    }

    /// A desk on a store that is open.
    fn on(
        store: Store,
        key: [u8; 32],
        environment: Environment,
        clock: Clock,
        (dns, logins): (Option<std::net::SocketAddr>, PathBuf),
    ) -> Services {
        // An id is no secret; without randomness the instant still tells most apart, and the store refuses the rest.
        let tokens = TokenSource::new(key, || random::<16>().unwrap_or_default());
        let signal = OutboxSignal::new();
        let desk = Desk::new(World::of_nobody(), store.clone(), signal.clone(), clock.clone(), tokens);
        Services { store, desk, signal, clock, environment, dns, logins }
    }

    /// What the config makes, with all that is stored of its hosts already published.
    /// Busy time is expanded around `now`.
    pub(super) async fn build(&self, config: &Config, now: Timestamp) -> Result<Built, SetupError> {
        let mut built = Built {
            world: World {
                hosts: Vec::new(),
                links: Links::new(&config.server.public_url),
                limits: limits(config),
                mailbox: config.mail.as_ref().map(|mail| mail.from.address.clone()),
                keep: Keep { past: config.store.keep, events: config.store.keep_events },
                block: block(config),
                organizer: config.mail.as_ref().map(|mail| mail.organizer).unwrap_or_default(),
                inbox: None,
            },
            targets: Targets::default(),
            pollers: Vec::new(),
            inbox: None,
        };
        for host in &config.hosts {
            let board = Arc::new(HostBoard::new(host.host.clone(), now));
            let sources: Arc<[Source]> = self.sources(host)?.into();
            load_board(&board, &sources, now).await?;
            let mut handles = Vec::new();
            for source in sources.iter() {
                let (handle, requests) = SyncHandle::new(source.name());
                handles.push(handle.clone());
                if let Source::Account(account) = source {
                    built.targets.accounts.insert((host.host.id.clone(), source.id().to_owned()), account.clone());
                }
                built.pollers.push(Poller {
                    source: source.clone(),
                    sources: sources.clone(),
                    board: board.clone(),
                    services: self.clone(),
                    poll: poll_of(source, host),
                    handle,
                    requests,
                });
            }
            if let Some(bookings) = &host.bookings {
                built.targets.bookings.insert(host.host.id.clone(), bookings.account.clone());
            }
            built.world.hosts.push(HostDesk {
                board,
                accounts: handles,
                notify: host.bookings.as_ref().is_some_and(|bookings| bookings.notify),
                alerts: host.bookings.as_ref().is_some_and(|bookings| bookings.alerts),
                alert_after: host.bookings.as_ref().map(|bookings| bookings.alert_after),
                declined: match host.bookings.as_ref().map(|bookings| bookings.declined).unwrap_or_default() {
                    Declined::Ask => WhenDeclined::Ask,
                    Declined::Cancel => WhenDeclined::Cancel,
                    Declined::Ignore => WhenDeclined::Ignore,
                },
                digest: host.bookings.as_ref().and_then(|bookings| bookings.digest),
            });
        }
        Ok(built)
    }

    /// The same with the mailbox of guests' answers, for a daemon.
    pub(super) async fn build_to_run(&self, config: &Config, now: Timestamp) -> Result<Built, SetupError> {
        let mut built = self.build(config, now).await?;
        if let Some(server) = self.inbox_server(config).await? {
            let (handle, _) = SyncHandle::new(&server.name());
            built.world.inbox = Some(handle.clone());
            built.inbox = Some(InboxReader { server, services: self.clone(), handle });
        }
        Ok(built)
    }

    /// What waits for a host to act is tried at once: the host may have acted.
    pub(super) async fn hurry(&self) -> Result<(), StoreError> {
        let hurried = self.store.hurry_refused(None, self.clock.now()).await;
        self.signal.wake();
        hurried.or_else(|error| if error.kind().passes() { Ok(()) } else { Err(error) })
    }

    /// Publishes a world: from here on the desk serves it, with the bookings that are stored.
    pub(super) async fn publish(&self, world: World) -> Result<(), StoreError> {
        let hosts: Vec<HostId> = world.hosts.iter().map(|desk| desk.host().id.clone()).collect();
        for host in &hosts {
            self.desk.restore_documents(host).await?;
        }
        self.desk.replace_world(world);
        for desk in &self.desk.world().hosts {
            let organizer = self.desk.world().organizer_of(desk.host());
            self.store.settle_organizer(&desk.host().id, organizer).await?;
        }
        for host in hosts {
            self.desk.refresh(&host).await?;
        }
        Ok(())
    }

    /// Publishes what is stored, around `now`, with nothing polled: for commands.
    pub async fn publish_stored(&self, config: &Config, now: Timestamp) -> Result<(), SetupError> {
        let built = self.build(config, now).await?;
        Ok(self.publish(built.world).await?)
    }

    /// All that makes a host busy: accounts, subscriptions and folders, each once.
    pub fn sources(&self, host: &HostConfig) -> Result<Vec<Source>, SetupError> {
        let reading = |counting: &Counting| Reading { host: host.host.clone(), counting: counting.clone() };
        let mut sources: Vec<Source> = self.accounts(host)?.into_iter().map(Source::Account).collect();
        sources.extend(host.subscriptions.iter().map(|of| {
            let reading = reading(&of.counting);
            Source::Subscription(SubscriptionSync::new(of.url.clone(), of.poll, reading, self.store.clone()))
        }));
        sources.extend(host.folders.iter().map(|of| {
            let reading = reading(&of.counting);
            Source::Folder(FolderSync::new(of.path.clone(), reading, self.store.clone()))
        }));
        let kept = host.availability.as_ref().and_then(|id| host.account(id));
        let of_account = |source: &Source, id: &str| match source {
            Source::Account(account) if account.settings.id == id => Some(account.client.clone()),
            _ => None,
        };
        if let Some(account) = kept
            && let Some(client) = sources.iter().find_map(|source| of_account(source, &account.id))
        {
            let reading = reading(&account.counting);
            let opens = host.host.hours.weekly.is_empty() && host.opens.is_none();
            let availability = AvailabilitySync::new(&account.id, client, reading, self.store.clone(), opens);
            sources.push(Source::Availability(availability));
        }
        let mut known = HashSet::new();
        sources.retain(|source| known.insert(source.id().to_owned()));
        Ok(sources)
    }

    /// Forgets the copies of subscriptions and folders that are in the config no longer.
    pub(super) async fn forget_others(&self, pollers: &[Poller]) -> Result<(), StoreError> {
        let configured: HashSet<(&HostId, &str)> =
            pollers.iter().map(|poller| (&poller.source.host().id, poller.source.id())).collect();
        for (host, source) in self.store.known_accounts().await? {
            // The id of an account has no colon.
            if source.contains(':') && !configured.contains(&(&host, source.as_str())) {
                self.store.forget_account(&host, &source).await?;
            }
        }
        Ok(())
    }

    /// A client for each account of a host.
    pub fn accounts(&self, host: &HostConfig) -> Result<Vec<AccountSync>, SetupError> {
        let mut accounts = Vec::new();
        for account in &host.accounts {
            let login = caldav::Login {
                url: account.url.clone(),
                credentials: self.credentials(&host.host.id, account),
                insecure: account.insecure,
                ca_file: account.ca_file.clone(),
                trusted_hosts: account.trusted_hosts.clone(),
                user_agent: account.user_agent.clone(),
                dns: self.dns,
            };
            let client = caldav::Client::new(login).map_err(|source| SetupError::Client {
                host: host.host.id.to_string(),
                account: account.id.clone(),
                source,
            })?;
            let of_account = |id: &String| *id == account.id;
            let settings = AccountSettings {
                host: host.host.clone(),
                id: account.id.clone(),
                calendars: account.calendars.clone(),
                counting: account.counting.clone(),
                bookings: host.bookings.as_ref().filter(|b| of_account(&b.account)).map(|b| b.calendar.clone()),
                grace: host.bookings.as_ref().map_or(DEFAULT_GRACE, |bookings| bookings.grace),
                opens: host
                    .opens
                    .as_ref()
                    .filter(|opens| of_account(&opens.account))
                    .map(|opens| (opens.calendar.clone(), opens.summary.clone())),
            };
            accounts.push(AccountSync { settings: Arc::new(settings), client, store: self.store.clone() });
        }
        Ok(accounts)
    }
}

impl Services {
    fn credentials(&self, host: &HostId, account: &Account) -> Credentials {
        match &account.login {
            Some(config::Login::Password { username, password }) => {
                Credentials::Basic { username: username.clone(), password: self.password(password) }
            }
            Some(config::Login::OAuth(oauth)) => {
                let client = self.oauth_client(oauth);
                let login = format!("officehours login {host}/{}", account.id);
                let file = self.grant_file(host, &account.id);
                Credentials::Bearer(AccessTokens::new(client, file, login, self.clock.clone()))
            }
            None => Credentials::Basic { username: String::new(), password: SecretString::default().into() },
        }
    }

    /// A secret of the config, fetched when a server is asked and not before.
    fn password(&self, secret: &config::Secret) -> Password {
        let (secret, environment) = (secret.clone(), self.environment.clone());
        Password::kept(move || {
            let (secret, environment) = (secret.clone(), environment.clone());
            Box::pin(async move { secret.reveal(&environment).await.map_err(|error| error.to_string()) })
        })
    }

    /// This program as the authorization server of an account knows it.
    pub fn oauth_client(&self, oauth: &config::OAuth) -> OAuthClient {
        OAuthClient {
            client_id: oauth.client_id.clone(),
            client_secret: oauth.client_secret.as_ref().map(|secret| self.password(secret)),
            auth_url: oauth.auth_url.clone(),
            token_url: oauth.token_url.clone(),
            scope: oauth.scope.clone(),
        }
    }

    /// Where the grant of an account is kept.
    pub fn grant_file(&self, host: &HostId, account: &str) -> GrantFile {
        GrantFile::new(self.logins.join(format!("{host}.{account}.json")))
    }

    /// The mailbox of guests' answers; `None` when the config names none.
    pub async fn inbox_server(&self, config: &Config) -> Result<Option<InboxServer>, SetupError> {
        let Some(imap) = config.mail.as_ref().and_then(|mail| mail.imap.as_ref()) else { return Ok(None) };
        let password = imap.password.reveal(&self.environment).await.map_err(SetupError::MailSecret)?;
        Ok(Some(InboxServer {
            host: imap.host.clone(),
            port: imap.port,
            tls: tls(imap.tls),
            login: mail::Login { username: imap.username.clone(), password },
            folder: imap.folder.clone(),
        }))
    }

    /// The way to the mail server; `None` when the config has no `[mail]`.
    pub async fn mailer(&self, config: &Config) -> Result<Option<Mailer>, SetupError> {
        let Some(mail) = &config.mail else { return Ok(None) };
        let login = match (&mail.smtp.username, &mail.password) {
            (Some(username), Some(password)) => {
                let password = password.reveal(&self.environment).await.map_err(SetupError::MailSecret)?;
                Some(mail::Login { username: username.clone(), password })
            }
            _ => None,
        };
        let server = MailServer {
            host: mail.smtp.host.clone(),
            port: mail.smtp.port,
            tls: tls(mail.smtp.tls),
            login,
            from_name: mail.from.name.clone(),
            from_address: mail.from.address.clone(),
            organizer: mail.organizer,
            templates: mail.templates.clone(),
        };
        let mailer = Mailer::new(&server)?;
        for mistake in mailer.sender().templates.check() {
            tracing::error!("A mail template fails; the built-in text is sent instead: {mistake}.");
        }
        Ok(Some(mailer))
    }
}

fn tls(tls: SmtpTls) -> mail::Tls {
    match tls {
        SmtpTls::Implicit => mail::Tls::Implicit,
        SmtpTls::StartTls => mail::Tls::StartTls,
        SmtpTls::None => mail::Tls::None,
    }
}

/// Folders are watched; this finds what watching misses.
const FOLDER_POLL: SignedDuration = SignedDuration::from_mins(1);

/// How often a source is read.
fn poll_of(source: &Source, host: &HostConfig) -> SignedDuration {
    match source {
        Source::Account(account) => host.account(&account.settings.id).map_or(FOLDER_POLL, |account| account.poll),
        Source::Subscription(subscription) => subscription.poll(),
        Source::Availability(kept) => host.account(kept.account()).map_or(FOLDER_POLL, |account| account.poll),
        Source::Folder(_) => FOLDER_POLL.min(host.host.max_staleness / 2),
    }
}

const DEFAULT_GRACE: SignedDuration = SignedDuration::from_mins(5);

fn block(config: &Config) -> BlockList {
    let blocked = config.limits.block.clone();
    BlockList::new(move |email, from| blocked.iter().any(|blocked| blocked.means(email, from)))
}

fn limits(config: &Config) -> Limits {
    let rate = |limit: &Limit| match limit {
        Limit::Off => None,
        Limit::Rate { count, per } => Some(Rate { count: *count, per: *per }),
    };
    Limits {
        bookings_per_ip: rate(&config.limits.bookings_per_ip),
        bookings_per_guest: rate(&config.limits.bookings_per_guest),
        bookings_in_all: rate(&config.limits.bookings_in_all),
        open_per_guest: config.limits.open_per_guest,
        proof_of_work: config.limits.proof_of_work,
    }
}

/// What the sources of zone rules say otherwise about the host's zone, from a day ago until the farthest slot ends; empty
/// when they agree. One sentence each: zone, instant, both offsets.
pub fn zone_disagreements(host: &Host, now: Timestamp) -> Vec<String> {
    let farthest = host.meetings.iter().map(|meeting| meeting.horizon + meeting.duration).max().unwrap_or_default();
    let from = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    host.zone.disagreements(from, now.checked_add(farthest).unwrap_or(Timestamp::MAX))
}

/// Warns of them at the start and when the config changes.
pub(super) fn warn_of_zones(config: &Config, now: Timestamp) {
    for host in &config.hosts {
        for line in zone_disagreements(&host.host, now) {
            tracing::warn!(
                host = %host.host.id,
                "The sources of time zone rules disagree: {line}. From then on times may be an hour off: bring the system's tzdata up to date, then officehours."
            );
        }
    }
}

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], SetupError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SetupError::Random)?;
    Ok(bytes)
}
