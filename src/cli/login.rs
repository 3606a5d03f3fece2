//! `officehours login`: a person grants access at a browser, which comes back to a port of this machine (RFC 8252 7.3), or whose
//! last address is pasted here. Start with [`login`].

use super::UsageError;
use super::office::{load, log, system_clock};
use crate::caldav::oauth::{Attempt, OAuthClient, Redirect, RedirectError, exchange};
use crate::config::{Account, Environment, HostConfig, Login};
use crate::daemon::{Level, Services, random};
use crate::store::Access;
use anyhow::{Context, bail};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::io::IsTerminal;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long the person may take.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

pub(super) async fn login(config: Option<&Path>, target: &str, no_browser: bool) -> anyhow::Result<ExitCode> {
    log(Level::Command);
    let config = load(config)?;
    let (host, account) = account(&config.hosts, target)?;
    let Some(Login::OAuth(oauth)) = &account.login else {
        return Err(UsageError(format!("{target} logs in by a password in the config: there is nothing to do")).into());
    };
    let services = Services::open(&config, Access::Tool, Environment::of_process(), system_clock()).await?;
    let client = services.oauth_client(oauth);
    if let Some(secret) = &client.client_secret {
        // Told before the person has gone to a browser.
        let had = secret.get().await.map_err(anyhow::Error::msg);
        had.with_context(|| format!("the client_secret of {target}"))?;
    }

    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port of this machine can be had")?;
    let attempt = Attempt::new(random()?, format!("http://{}/", listener.local_addr()?).parse()?);
    let url = attempt.url(&client, oauth.username.as_deref());
    eprintln!("Open this address in a browser, and grant access to {target}:\n");
    println!("{url}");
    eprintln!();
    let pasting = no_browser || std::io::stdin().is_terminal();
    if pasting {
        eprintln!(
            "If that browser is on another machine, its last page will not load: copy that page's address and paste it here."
        );
    }
    if !no_browser {
        open_browser(url.as_str());
    }
    let attempt = Arc::new(attempt);
    let granted = tokio::time::timeout(PATIENCE, wait(listener, attempt.clone(), pasting));
    let redirect = granted.await.context("nobody has granted access; try again")??;
    finish(&services, host, account, (&client, &attempt, &redirect)).await?;
    eprintln!("{target} is logged in; a running daemon goes on by itself.");
    Ok(ExitCode::SUCCESS)
}

/// The account of `HOST/ACCOUNT`.
fn account<'a>(hosts: &'a [HostConfig], target: &str) -> anyhow::Result<(&'a HostConfig, &'a Account)> {
    let all = || hosts.iter().flat_map(|host| host.accounts.iter().map(move |account| (host, account)));
    let found = all().find(|(host, account)| format!("{}/{}", host.host.id, account.id) == target);
    found.ok_or_else(|| {
        let known: Vec<String> = all().map(|(host, account)| format!("{}/{}", host.host.id, account.id)).collect();
        UsageError(format!("there is no account {target:?} in the config; there is {}", known.join(", "))).into()
    })
}

/// Gets the grant, and tries it.
async fn finish(
    services: &Services,
    host: &HostConfig,
    account: &Account,
    (client, attempt, redirect): (&OAuthClient, &Attempt, &Redirect),
) -> anyhow::Result<()> {
    let file = services.grant_file(&host.host.id, &account.id);
    exchange(client, attempt, redirect, &file, services.clock.now()).await?;
    for synced in services.accounts(host)? {
        if synced.settings.id == account.id {
            let found = synced.client.discover().await;
            let found = found.context("access was granted, but the calendars cannot be read with it")?;
            eprintln!("It has {} calendar(s).", found.calendars.len());
        }
    }
    Ok(())
}

/// Waits for the browser to come back, or for a pasted address.
async fn wait(listener: TcpListener, attempt: Arc<Attempt>, pasting: bool) -> anyhow::Result<Redirect> {
    let (came, mut brought) = mpsc::channel(1);
    let app = Router::new().route("/", get(come_back)).with_state((attempt.clone(), came));
    let mut serving = std::pin::pin!(async move { axum::serve(listener, app).await });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut reading = pasting;
    loop {
        tokio::select! {
            ended = &mut serving => match ended {
                Ok(()) => bail!("the port was closed"),
                Err(error) => return Err(error).context("the port cannot be served"),
            },
            Some(outcome) = brought.recv() => {
                // The page is on its way; give it the time to arrive.
                let _ = tokio::time::timeout(Duration::from_millis(500), &mut serving).await;
                return Ok(outcome?);
            }
            line = lines.next_line(), if reading => match line? {
                Some(line) if line.trim().is_empty() => {}
                Some(line) => match attempt.read_address(&line) {
                    Ok(redirect) => return Ok(redirect),
                    Err(RedirectError::Foreign) => eprintln!("officehours: {}", RedirectError::Foreign),
                    Err(refused) => return Err(refused.into()),
                },
                None => reading = false,
            },
        }
    }
}

type Came = mpsc::Sender<Result<Redirect, RedirectError>>;

/// The browser is back.
async fn come_back(State((attempt, came)): State<(Arc<Attempt>, Came)>, RawQuery(query): RawQuery) -> Response {
    let outcome = attempt.read(&query.unwrap_or_default());
    let (status, title, text) = match &outcome {
        Ok(_) => (StatusCode::OK, "You are logged in", "officehours has what it needs. You can close this page."),
        Err(RedirectError::Refused(_)) => {
            (StatusCode::OK, "You are not logged in", "Access was not granted. You can close this page and try again.")
        }
        Err(RedirectError::Foreign) => (
            StatusCode::BAD_REQUEST,
            "Nothing was done",
            "This address does not belong to the login that is under way.",
        ),
    };
    if !matches!(outcome, Err(RedirectError::Foreign)) {
        // A second visit finds nobody waiting.
        let _ = came.try_send(outcome);
    }
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         </head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::CONNECTION, "close"),
    ];
    (status, headers, Html(page)).into_response()
}

/// Opens the person's browser, where there is a screen. Whether it does is seen by them alone.
fn open_browser(url: &str) {
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if screen {
        let opened = tokio::process::Command::new("xdg-open")
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if let Err(error) = opened {
            tracing::debug!(%error, "No browser could be opened.");
        }
    }
}
