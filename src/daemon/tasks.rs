//! The tasks of the daemon and how they end: each by its token; a task that dies takes the process with it, and systemd starts
//! it again. Start with [`Daemon::run`].

use super::Poller;
use super::inbox::InboxReader;
use super::look::{LookError, looks};
use super::setup::{Built, Services, SetupError, warn_of_zones};
use crate::availability::Clock;
use crate::config::{self, Config, Environment, Limit, Listen};
use crate::desk::TokenError;
use crate::http::{self, AppState, Metrics, Requests, ServerLimits, Settings, SettingsSource};
use crate::mail::Mailer;
use crate::outbox::{AlertOutbox, MailOutbox, Outbox};
use crate::store::{Access, Purge, StoredCalendar};
use crate::sync::{SyncHandle, TroubleKind};
use anyhow::{Context, anyhow, bail};
use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often passwords are looked at while a login is refused.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How long the end may take: within the 5 s that SIGTERM grants.
const DRAIN: Duration = Duration::from_millis(4500);
/// How soon what another process says of pauses is published.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);
/// How often feeds are made anew though nobody fetches them.
const RENEW_EVERY: Duration = Duration::from_secs(60);
/// How often unconfirmed bookings are looked through.
const EXPIRE_EVERY: Duration = Duration::from_secs(30);
/// How often old rows are removed, in rounds of [`EXPIRE_EVERY`].
const PURGE_ROUNDS: u32 = 120;

/// The daemon of one config.
#[derive(Debug)]
pub struct Daemon {
    /// Checked.
    pub config: Config,
    /// Where secrets come from.
    pub environment: Environment,
    /// Tells the time.
    pub clock: Clock,
}

/// Called with the public addresses once the daemon serves and every account was tried once.
pub type Ready = Box<dyn FnOnce(&[SocketAddr]) + Send>;

impl Daemon {
    /// Runs until SIGTERM, SIGINT or `shutdown`. An error is a task that died, or a start that failed.
    pub async fn run(self, shutdown: CancellationToken, ready: Ready) -> anyhow::Result<()> {
        let Daemon { config, environment, clock } = self;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;

        let services = Services::open(&config, Access::Daemon, environment.clone(), clock.clone()).await?;
        warn_of_zones(&config, clock.now());
        let Built { world, targets, pollers, inbox } = services.build_to_run(&config, clock.now()).await?;
        services.forget_others(&pollers).await?;
        // While we were away, a server may have been restored from a backup, and its tokens mean something else.
        services.store.list_anew(None).await?;
        services.publish(world).await?;
        let targets = Arc::new(ArcSwap::from_pointee(targets));
        let mailer = Arc::new(ArcSwapOption::from_pointee(services.mailer(&config).await?));
        let metrics = Metrics::new();
        let time = clock.clone();
        let requests = Requests::restored(services.store.counted_requests().await?);
        let app = AppState::new(
            services.desk.clone(),
            settings(&config)?,
            Arc::new(move || time.now()),
            metrics,
            requests.clone(),
        );

        let listeners = bind(&config).await?;
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
        let mut tasks = Tasks { set: JoinSet::new(), stop: CancellationToken::new() };
        tasks.spawn("pages and API", {
            let (app, stop) = (http::app(app.clone()), tasks.stop.clone());
            async move { Ok(http::serve(listeners, app, ServerLimits::default(), stop).await?) }
        });
        if let Some(address) = config.server.metrics_listen {
            let listener = listen(address).await?;
            let (ops, stop) = (http::ops(app.clone()), tasks.stop.clone());
            tasks.spawn("metrics", async move {
                Ok(http::serve(vec![listener], ops, ServerLimits::default(), stop).await?)
            });
        }
        let outbox = Outbox {
            targets: targets.clone(),
            store: services.store.clone(),
            desk: services.desk.clone(),
            signal: services.signal.clone(),
            clock: clock.clone(),
        };
        let stop = tasks.stop.clone();
        tasks.spawn("outbox", async move { Ok(outbox.run(stop).await?) });
        let mails = MailOutbox {
            mailer: mailer.clone(),
            store: services.store.clone(),
            desk: services.desk.clone(),
            signal: services.signal.clone(),
            clock: clock.clone(),
        };
        let stop = tasks.stop.clone();
        tasks.spawn("mail", async move { Ok(mails.run(stop).await?) });
        let alerts = AlertOutbox {
            mailer: mailer.clone(),
            store: services.store.clone(),
            desk: services.desk.clone(),
            clock: clock.clone(),
        };
        let stop = tasks.stop.clone();
        tasks.spawn("alerts", async move { Ok(alerts.run(stop).await?) });
        tasks.spawn("pauses", follow_pauses(services.clone(), tasks.stop.clone()));
        tasks.spawn("feeds", keep_documents(services.clone(), tasks.stop.clone()));
        tasks.spawn("housekeeping", keep_house(services.clone(), requests, tasks.stop.clone()));
        let mut polling = tasks.poll(pollers, inbox);

        let (_watcher, mut changes) = watch(&config)?;
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        let mut watchdog = watchdog();
        let mut look_again = tokio::time::interval(LOOK_AGAIN);
        let mut current = config.clone();
        let world = services.desk.world();
        let first_passes = world.hosts.iter().flat_map(|host| host.accounts.iter().map(|account| account.fresh()));
        let mut tried = std::pin::pin!(join_all(first_passes));
        let mut ready = Some(ready);
        tracing::info!(hosts = config.hosts.len(), "officehours is ready.");

        let ended = loop {
            let changed = tokio::select! {
                _ = terminate.recv() => break Ok(()),
                _ = interrupt.recv() => break Ok(()),
                () = shutdown.cancelled() => break Ok(()),
                _ = &mut tried, if ready.is_some() => {
                    services.desk.renew_documents().await;
                    if let Some(ready) = ready.take() {
                        ready(&addresses);
                    }
                    continue;
                }
                ended = tasks.next() => match ended {
                    // The pollers of the config before the last reload end as they should.
                    Ok(Ended::AsTold) => continue,
                    Ok(Ended::Died(error)) | Err(error) => break Err(error),
                },
                _ = watchdog.tick() => {
                    let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
                    continue;
                }
                _ = hang_up.recv() => reread(&config, &environment),
                _ = look_again.tick() => match is_worth_a_try(&services, &current).await {
                    true => reread(&config, &environment),
                    false => continue,
                },
                Some(changed) = changes.recv() => changed.check(&environment),
            };
            match changed.map(|next| next.running_since(&config)) {
                Ok((next, later)) => match rebuild(&services, &next).await {
                    Ok((built, next_mailer, next_settings)) => {
                        warn_of_zones(&next, clock.now());
                        polling.cancel();
                        services.forget_others(&built.pollers).await?;
                        // What is good now is what is served if the next config has a source that was never read.
                        services.desk.renew_documents().await;
                        services.publish(built.world).await?;
                        built.targets.distrust_as(&targets.load());
                        targets.store(Arc::new(built.targets));
                        mailer.store(next_mailer.map(Arc::new));
                        services.hurry().await?;
                        app.reload(next_settings);
                        polling = tasks.poll(built.pollers, built.inbox);
                        if !later.is_empty() {
                            let keys = later.join(", ");
                            tracing::warn!(keys, "These keys have changed and take effect at the next start.");
                        }
                        tracing::info!(hosts = next.hosts.len(), "The config was reloaded.");
                        current = next;
                    }
                    Err(error) => tracing::error!(%error, "The config was not reloaded; the last good one stays."),
                },
                Err(mistakes) => tracing::error!("The config was not reloaded; the last good one stays. {mistakes}"),
            }
        };
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        tasks.stop.cancel();
        let drained = tokio::time::timeout(DRAIN, tasks.drain()).await;
        if drained.is_err() {
            tracing::warn!(
                "Not everything that was under way could be finished in time; it goes on at the next start."
            );
        }
        services.store.close().await;
        tracing::info!("officehours has ended.");
        ended
    }
}

/// True when a login is refused whose password was changed since, or with which a command (`sync`, `check`) has read a calendar
/// since: the account is not to be left alone any longer.
async fn is_worth_a_try(services: &Services, config: &Config) -> bool {
    let world = services.desk.world();
    let was_changed = |handle: &SyncHandle, secret: Option<&config::Secret>| {
        let trouble = handle.health().trouble.filter(|trouble| trouble.kind == TroubleKind::Login);
        let changed = secret.and_then(|secret| secret.changed_at(&services.environment));
        trouble.zip(changed).is_some_and(|(trouble, changed)| changed > trouble.at)
    };
    let imap = config.mail.as_ref().and_then(|mail| mail.imap.as_ref());
    let of_inbox = world.inbox.as_ref().is_some_and(|inbox| was_changed(inbox, imap.map(|imap| &imap.password)));
    if of_inbox {
        return true;
    }
    for host in &config.hosts {
        let Some(desk) = world.host_by_id(&host.host.id) else { continue };
        for source in &desk.accounts {
            let trouble = source.health().trouble.filter(|trouble| trouble.kind == TroubleKind::Login);
            let Some((trouble, account)) = trouble.zip(host.account(source.name())) else { continue };
            if was_changed(source, account.login.as_ref().and_then(config::Login::secret)) {
                return true;
            }
            // Nobody in this process has: nothing is asked.
            let read = |stored: &StoredCalendar| {
                stored.key.account == account.id && stored.read_at.is_some_and(|read_at| read_at > trouble.at)
            };
            let known = services.store.calendars(&host.host.id).await;
            if known.is_ok_and(|calendars| calendars.iter().any(read)) {
                return true;
            }
        }
    }
    false
}

/// All that another config makes, or none of it.
async fn rebuild(services: &Services, config: &Config) -> Result<(Built, Option<Mailer>, Settings), SetupError> {
    let settings = settings(config)?;
    Ok((services.build_to_run(config, services.clock.now()).await?, services.mailer(config).await?, settings))
}

/// The running tasks.
struct Tasks {
    set: JoinSet<(&'static str, anyhow::Result<()>)>,
    stop: CancellationToken,
}

enum Ended {
    AsTold,
    Died(anyhow::Error),
}

impl Tasks {
    fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.set.spawn(async move { (name, task.await) });
    }

    /// Starts the pollers of one config, the mailbox's among them; the token ends them.
    fn poll(&mut self, pollers: Vec<Poller>, inbox: Option<InboxReader>) -> CancellationToken {
        let stop = self.stop.child_token();
        for poller in pollers {
            let stop = stop.clone();
            self.spawn(POLLER, async move { Ok(poller.run(stop).await?) });
        }
        if let Some(inbox) = inbox {
            let stop = stop.clone();
            self.spawn(POLLER, async move { Ok(inbox.run(stop).await?) });
        }
        stop
    }

    /// Waits for a task to end.
    async fn next(&mut self) -> anyhow::Result<Ended> {
        match self.set.join_next().await {
            Some(Ok((POLLER, Ok(())))) => Ok(Ended::AsTold),
            Some(Ok((name, Ok(())))) => Ok(Ended::Died(anyhow!("the task {name:?} ended by itself"))),
            Some(Ok((name, Err(error)))) => Ok(Ended::Died(error.context(format!("the task {name:?} failed")))),
            Some(Err(error)) => Err(anyhow!(error).context("a task panicked")),
            None => bail!("all tasks ended"),
        }
    }

    async fn drain(&mut self) {
        while self.set.join_next().await.is_some() {}
    }
}

const POLLER: &str = "poller";

/// Publishes what a command says of pauses.
async fn follow_pauses(services: Services, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(FOLLOW_EVERY) => {}
        }
        match services.desk.follow_pauses().await {
            Err(error) if error.kind().passes() => {
                tracing::error!(%error, "Pauses could not be looked at; they will be.")
            }
            followed => followed?,
        }
    }
}

/// Keeps the feeds as they change, so that the last good ones are there after a restart. Nobody waits for that.
async fn keep_documents(services: Services, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = stop.cancelled() => {}
            () = services.desk.documents_changed() => {}
            () = tokio::time::sleep(RENEW_EVERY) => services.desk.renew_documents().await,
        }
        match services.desk.keep_documents().await {
            Err(error) if error.kind().passes() => tracing::error!(%error, "Feeds could not be kept; they will be."),
            kept => kept?,
        }
        if stop.is_cancelled() {
            return Ok(());
        }
    }
}

/// Lets unconfirmed bookings lapse, removes what is old, and keeps what was counted of requests.
async fn keep_house(services: Services, requests: Requests, stop: CancellationToken) -> anyhow::Result<()> {
    let mut round: u32 = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EXPIRE_EVERY) => {}
        }
        let now = services.clock.now();
        match services.store.count_requests(requests.counted(now)).await {
            Err(error) if error.kind().passes() => {
                tracing::error!(%error, "What was counted of requests could not be kept.")
            }
            kept => kept?,
        }
        if stop.is_cancelled() {
            return Ok(());
        }
        match services.desk.expire().await {
            Err(TokenError::Store(error)) if error.kind().passes() => {
                tracing::error!(%error, "Lapsed bookings could not be looked through; they will be later.");
                continue;
            }
            expired => expired?,
        };
        match services.desk.remind().await {
            Err(error) if error.kind().passes() => {
                tracing::error!(%error, "Reminders could not be looked through; they will be later.");
                continue;
            }
            reminded => reminded?,
        };
        round = round.wrapping_add(1);
        if round.is_multiple_of(PURGE_ROUNDS) {
            let before = |days: i64| {
                let span = SignedDuration::from_hours(24 * days);
                services.clock.now().checked_sub(span).unwrap_or(Timestamp::MIN)
            };
            let purge = Purge { hits_before: before(60), idempotency_before: before(1), done_before: before(30) };
            match services.store.purge(purge).await {
                Err(error) if error.kind().passes() => tracing::error!(%error, "Old rows could not be removed."),
                purged => drop(purged?),
            }
            match services.desk.forget_old_sessions().await {
                Err(error) if error.kind().passes() => tracing::error!(%error, "Old sessions could not be removed."),
                forgotten => drop(forgotten?),
            }
            match services.desk.forget_old().await {
                Err(error) if error.kind().passes() => tracing::error!(%error, "Past bookings could not be erased."),
                erased => {
                    let erased = erased?;
                    if erased > 0 {
                        tracing::info!(bookings = erased, "Past bookings were erased, as [store] keep says.");
                    }
                }
            }
        }
    }
}

/// The sockets to serve on.
async fn bind(config: &Config) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for wanted in &config.server.listen {
        match wanted {
            Listen::Addr(address) => listeners.push(listen(*address).await?),
            Listen::Systemd => {
                let mut passed = listenfd::ListenFd::from_env();
                let before = listeners.len();
                for index in 0..passed.len() {
                    if let Some(listener) = passed.take_tcp_listener(index)? {
                        listener.set_nonblocking(true)?;
                        listeners.push(TcpListener::from_std(listener)?);
                    }
                }
                if listeners.len() == before {
                    bail!("[server] listen = \"systemd\", but systemd passed no socket: enable officehours.socket");
                }
            }
        }
    }
    Ok(listeners)
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}: another program may hold it"))
}

fn settings(config: &Config) -> Result<Settings, LookError> {
    let (look, looks) = looks(config)?;
    let rate = |limit: Limit| match limit {
        Limit::Off => None,
        Limit::Rate { count, per } => {
            std::num::NonZeroU32::new(count).map(|count| http::Rate { count, per: per.unsigned_abs() })
        }
    };
    let trusted = config.server.trusted_proxies.clone();
    Ok(Settings::new(SettingsSource {
        public_url: config.server.public_url.clone(),
        trusted_proxies: http::TrustedProxies::new(move |address| {
            trusted.iter().any(|network| network.contains(address))
        }),
        directory: config.server.directory,
        public_metrics: config.server.metrics_listen.is_none(),
        mailed: config.mail.is_some(),
        requests_per_ip: rate(config.limits.requests_per_ip),
        overlays_per_ip: rate(config.limits.overlays_per_ip),
        embed: config.server.embed.clone(),
        language: config.server.language,
        look,
        looks,
    }))
}

/// Watches the config file, where there is one.
fn watch(config: &Config) -> anyhow::Result<(Option<config::Watcher>, mpsc::Receiver<config::Changed>)> {
    match &config.path {
        Some(path) => {
            let (watcher, changes) = config::watch(path).context("the config file cannot be watched")?;
            Ok((Some(watcher), changes))
        }
        None => Ok((None, mpsc::channel(1).1)),
    }
}

fn reread(config: &Config, environment: &Environment) -> Result<Config, config::ConfigErrors> {
    match &config.path {
        Some(path) => Config::load(path, environment),
        None => Ok(config.clone()),
    }
}

/// Ticks twice in the time that systemd's watchdog grants, or as good as never.
fn watchdog() -> tokio::time::Interval {
    let granted = sd_notify::watchdog_enabled();
    let every = granted.map_or(Duration::from_secs(3600), |granted| granted / 2);
    tokio::time::interval(every.max(Duration::from_millis(100)))
}
