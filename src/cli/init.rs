//! `officehours init`: asks for a login, discovers its calendars, and writes a commented config file.

use super::UsageError;
use super::args::InitArguments;
use super::init_text::InitText;
use super::office::{log, subscription_advice};
use crate::caldav::{Calendar, Client, Discovery, Login};
use crate::config::{Config, Environment, Secret, domain_url};
use crate::daemon::Level;
use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use std::fs::OpenOptions;
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use url::Url;

pub(super) async fn init(config: Option<&Path>, args: InitArguments) -> anyhow::Result<ExitCode> {
    log(Level::Command);
    let output = args.output.clone().or_else(|| config.map(Path::to_owned));
    let output = std::path::absolute(output.unwrap_or_else(|| PathBuf::from("officehours.toml")))?;
    if output.exists() {
        bail!("{} is there already and is left as it is: name another with --output", output.display());
    }
    let asker = if args.yes { Asker::Defaults } else { Asker::Person };
    let url = asker.ask("Calendar server (a URL, a domain or a mail address)", args.url.clone(), "--url", None)?;
    let url = if url.contains("://") {
        Url::parse(&url).map_err(|error| UsageError(format!("{url:?} is no URL: {error}")))?
    } else {
        domain_url(&url).or_else(|advice| Url::parse(&format!("https://{url}")).map_err(|_| UsageError(advice)))?
    };
    let username = asker.ask("User", args.username.clone(), "--username", None)?;
    let password = match &args.password_file {
        Some(path) => Secret::in_file(path.clone()).reveal(&Environment::of_process()).await?,
        None => asker.password()?,
    };
    let login = Login::new(url.clone(), username.clone(), password.clone());
    let found = Client::new(login)?.discover().await.context("the calendars could not be discovered")?;
    let usable: Vec<&Calendar> =
        found.calendars.iter().filter(|calendar| calendar.vevent && !calendar.subscribed).collect();
    for advice in found.calendars.iter().filter_map(subscription_advice) {
        eprintln!("{advice}");
    }
    let chosen = choose(&asker, &usable, &args.calendar)?;
    let writable: Vec<&Calendar> = chosen.iter().copied().filter(|calendar| calendar.writable != Some(false)).collect();
    let bookings = match writable.first() {
        Some(first) => {
            let name =
                asker.ask("Calendar that bookings are written to", None, "--calendar", Some(&spell(first, &usable)))?;
            Some(name)
        }
        None => None,
    };
    let guess = guess(&found, &username, &url);
    let zone = jiff::tz::TimeZone::system();
    let password_file = match &args.password_file {
        Some(path) => std::path::absolute(path)?,
        None => output.with_extension("password"),
    };
    let text = InitText {
        name: asker.ask("Your name, as guests see it", None, "", Some(&guess.name))?,
        email: asker.ask("Your mail address", None, "", Some(&guess.email))?,
        id: asker.ask("Your name in links", None, "", Some(&guess.id))?,
        time_zone: asker.ask("Your time zone", None, "", Some(zone.iana_name().unwrap_or("UTC")))?,
        url: url.to_string(),
        username,
        password_file: password_file.to_str().context("the path of the password file is no UTF-8")?.to_owned(),
        calendars: chosen.iter().map(|calendar| spell(calendar, &usable)).collect(),
        bookings,
    };
    let text = text.toml();
    Config::parse(&text, &output, &Environment::of_process())?;
    if args.password_file.is_none() {
        write_new(&password_file, password.expose_secret())?;
        eprintln!("The password is in {}; only you can read it.", password_file.display());
    }
    write_new(&output, &text)?;
    println!("{}", output.display());
    eprintln!("Next: officehours check --config {}", output.display());
    Ok(ExitCode::SUCCESS)
}

/// Who answers.
enum Asker {
    /// Whoever is at standard input.
    Person,
    /// Nobody: what is not given is guessed, or missing.
    Defaults,
}

impl Asker {
    /// `given`, else an answer; an empty one is `guess`. Without a guess there must be one.
    fn ask(&self, question: &str, given: Option<String>, option: &str, guess: Option<&str>) -> anyhow::Result<String> {
        if let Some(given) = given {
            return Ok(given);
        }
        match self {
            Asker::Defaults => {
                guess.map(str::to_owned).ok_or_else(|| UsageError(format!("with --yes, give {option} too")).into())
            }
            Asker::Person => loop {
                match guess {
                    Some(guess) => eprint!("{question} [{guess}]: "),
                    None => eprint!("{question}: "),
                }
                match (line()?.trim(), guess) {
                    ("", Some(guess)) => return Ok(guess.to_owned()),
                    ("", None) => {}
                    (answer, _) => return Ok(answer.to_owned()),
                }
            },
        }
    }

    /// The password, not shown while it is typed.
    fn password(&self) -> anyhow::Result<SecretString> {
        if matches!(self, Asker::Defaults) {
            return Err(UsageError("with --yes, give --password-file too".to_owned()).into());
        }
        eprint!("Password (many servers want an app password): ");
        let echo = |mode: &str| {
            if std::io::stdin().is_terminal() {
                // Where there is no stty the password is shown, which its user sees.
                let _ = Command::new("stty").arg(mode).stderr(Stdio::null()).status();
            }
        };
        echo("-echo");
        let password = line();
        echo("echo");
        eprintln!();
        let password = password?;
        anyhow::ensure!(!password.is_empty(), "the password is empty");
        Ok(password.into())
    }
}

fn line() -> anyhow::Result<String> {
    std::io::stderr().flush()?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line)?;
    anyhow::ensure!(read > 0, "the input ended before every question was answered; nothing was written");
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// The calendars that make the host busy: as given, else as answered, else all that are not marked transparent.
fn choose<'a>(asker: &Asker, usable: &[&'a Calendar], given: &[String]) -> anyhow::Result<Vec<&'a Calendar>> {
    anyhow::ensure!(!usable.is_empty(), "the account has no calendar for events: make one there first");
    let named = |wanted: &String| {
        let found = usable.iter().find(|c| crate::sync::is_named_so(c.href.as_str(), &c.name, wanted)).copied();
        let known = usable.iter().map(|calendar| format!("{:?}", calendar.name)).collect::<Vec<_>>().join(", ");
        found.ok_or_else(|| UsageError(format!("there is no calendar {wanted:?}; there is {known}")).into())
    };
    if !given.is_empty() {
        return given.iter().map(named).collect();
    }
    let opaque: Vec<&Calendar> = usable.iter().copied().filter(|calendar| !calendar.transparent).collect();
    let usual = if opaque.is_empty() { usable.to_vec() } else { opaque };
    if matches!(asker, Asker::Defaults) {
        return Ok(usual);
    }
    for (number, calendar) in usable.iter().enumerate() {
        let note = if calendar.writable == Some(false) { " (read-only)" } else { "" };
        eprintln!("  {}  {}{note}", number + 1, calendar.name);
    }
    let numbers = |of: &[&Calendar]| {
        let number =
            |calendar: &&Calendar| usable.iter().position(|c| c.href == calendar.href).map(|i| (i + 1).to_string());
        of.iter().filter_map(number).collect::<Vec<_>>().join(" ")
    };
    loop {
        let answer = asker.ask("Calendars that make you busy (numbers)", None, "", Some(&numbers(&usual)))?;
        let pick = |word: &str| word.parse::<usize>().ok()?.checked_sub(1).and_then(|index| usable.get(index)).copied();
        let words = answer.split([' ', ',']).filter(|word| !word.is_empty());
        match words.map(pick).collect::<Option<Vec<_>>>() {
            Some(picked) if !picked.is_empty() => return Ok(picked),
            _ => eprintln!("Answer with numbers of the list, such as: 1 2"),
        }
    }
}

/// The name of a calendar, or its href where another has the same name or the config cannot hold it.
fn spell(calendar: &Calendar, all: &[&Calendar]) -> String {
    let is_unique = all.iter().filter(|other| other.name == calendar.name).count() == 1;
    let is_plain = !calendar.name.trim().is_empty() && !calendar.name.contains(char::is_control);
    if is_unique && is_plain { calendar.name.clone() } else { calendar.href.to_string() }
}

struct Guess {
    id: String,
    name: String,
    email: String,
}

/// Who the host is, by what the server and the login say.
fn guess(found: &Discovery, username: &str, url: &Url) -> Guess {
    let mailto = found.addresses.iter().find_map(|address| address.strip_prefix("mailto:"));
    let local = username.split('@').next().unwrap_or(username);
    let email = mailto.map(str::to_owned).or_else(|| username.contains('@').then(|| username.to_owned()));
    let domain = url.domain().filter(|domain| domain.contains('.')).unwrap_or("example.org");
    let id: String = local.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let id = id.trim_matches('-').chars().take(40).collect::<String>();
    let name: Vec<String> = local
        .split(['.', '_', '-'])
        .filter(|word| !word.is_empty())
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        })
        .collect();
    Guess {
        id: if id.is_empty() { "me".to_owned() } else { id.trim_matches('-').to_owned() },
        name: if name.is_empty() { "Me".to_owned() } else { name.join(" ") },
        email: email.unwrap_or_else(|| format!("{local}@{domain}")),
    }
}

/// Writes a file that nobody else can read and that was not there, wholly or not at all.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft = path.with_file_name(name);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link is refused where a file is; a rename would replace it.
        std::fs::hard_link(&draft, path)
    })();
    let _ = std::fs::remove_file(&draft);
    written.with_context(|| format!("{} could not be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_written_for_its_owner_alone_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        write_new(&path, "one").unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(write_new(&path, "two").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_host_is_guessed_from_the_login() {
        let found = Discovery { addresses: vec!["mailto:e.noether@example.edu".into()], ..Discovery::default() };
        let url = Url::parse("https://cloud.example.edu/").unwrap();
        let told = guess(&found, "emmy.noether@example.edu", &url);
        assert_eq!((told.id.as_str(), told.name.as_str()), ("emmy-noether", "Emmy Noether"));
        assert_eq!(told.email, "e.noether@example.edu");
        assert_eq!(guess(&Discovery::default(), "emmy", &url).email, "emmy@cloud.example.edu");
    }
}
