//! `officehours demo`: an embedded calendar server with a sample professor's term, and the daemon on it, through its ordinary
//! CalDAV client. Nothing is set up, nothing is short-cut.

use super::args::DemoArguments;
use super::office::{log, system_clock};
use crate::config::{Config, Environment};
use crate::daemon::{Daemon, Level, random};
use crate::demo::{CalendarServer, Credentials, DemoConfig, HOST, Storage, config_text, professor};
use crate::ical::Zone;
use anyhow::Context;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const USER: &str = "noether";

pub(super) async fn demo(args: DemoArguments) -> anyhow::Result<ExitCode> {
    log(Level::Command);
    let clock = system_clock();
    let temporary = if args.data.is_none() { Some(Temporary::new()?) } else { None };
    let data = match (&args.data, &temporary) {
        (Some(data), _) => data.clone(),
        (None, Some(temporary)) => temporary.path.clone(),
        (None, None) => PathBuf::from("."),
    };
    std::fs::create_dir_all(&data).with_context(|| format!("the folder {} cannot be made", data.display()))?;

    let password = password(&data)?;
    let credentials = Credentials { user: USER.to_owned(), password: password.clone() };
    let server = CalendarServer::new(credentials, Storage::Folder(data.join("calendars")))?;
    let server = Arc::new(server.owned_by("noether@example.edu"));
    if server.is_empty() {
        let zone = Zone::named("Europe/Berlin").context("there is no zone Europe/Berlin")?;
        for calendar in professor(zone.civil(clock.now()).date()) {
            server.add_calendar(calendar.name, calendar.display_name, calendar.transparency)?;
            for (name, text) in &calendar.objects {
                server.put_object(calendar.name, name, text)?;
            }
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(server.clone().serve(listener, shutdown.clone()));

    // A port of 0 is chosen here, so that links can name it.
    let listen = match args.listen.port() {
        0 => std::net::TcpListener::bind(args.listen)?.local_addr()?,
        _ => args.listen,
    };
    let public_url = format!("http://{listen}");
    let text = config_text(&DemoConfig {
        caldav_url: &url,
        user: USER,
        password: &password,
        listen: &listen.to_string(),
        public_url: &public_url,
        store: &data.join("officehours.db").to_string_lossy(),
    });
    let path = data.join("officehours.toml");
    write_private(&path, &text)?;
    let environment = Environment::of_process();
    let config = Config::load(&path, &environment)?;

    let page = format!("{public_url}/{HOST}");
    // The calendar that bookings are written to; a calendar program finds the others from it.
    let calendar = format!("{}{}", url.trim_end_matches('/'), server.calendar_path("Work"));
    let ready = Box::new(move |_: &[std::net::SocketAddr]| {
        // Whoever reads this has what to open; a closed pipe is theirs to close.
        let mut out = std::io::stdout().lock();
        let _ =
            writeln!(out, "page: {page}\nfeed: {page}.ics\ncalendar: {calendar}\nuser: {USER}\npassword: {password}");
        let _ = out.flush();
    });
    let daemon = Daemon { config, environment, clock };
    let ended = daemon.run(CancellationToken::new(), ready).await;
    shutdown.cancel();
    serving.await??;
    drop(temporary);
    ended.map(|()| ExitCode::SUCCESS)
}

/// The password of this folder's calendars: made once.
fn password(data: &Path) -> anyhow::Result<String> {
    let path = data.join("password");
    if let Ok(known) = std::fs::read_to_string(&path) {
        return Ok(known.trim().to_owned());
    }
    let new: String = random::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    write_private(&path, &new)?;
    Ok(new)
}

/// Writes a file that only its owner may read: there is a password in it.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// A folder that goes with the demo.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn new() -> anyhow::Result<Temporary> {
        let name: String = random::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = std::env::temp_dir().join(format!("officehours-demo-{name}"));
        std::fs::create_dir(&path).with_context(|| format!("the folder {} cannot be made", path.display()))?;
        Ok(Temporary { path })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder of temporary files.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
