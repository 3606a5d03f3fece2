//! Passwords: where they are kept, and fetching them when they are needed. They appear in no Debug, no message, no error.
//! Start with [`Secret`].

use super::Surroundings;
use super::environment::Environment;
use super::file::Section;
use super::keys::keys_of;
use super::value::{article, text};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// Time for a password manager to ask its user.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// No password is longer: what is, is the wrong file.
const LONGEST: u64 = 64 * 1024;

/// Where a password is kept. Nothing is read before [`Secret::reveal`].
#[derive(Clone)]
pub struct Secret {
    source: Source,
}

#[derive(Clone)]
enum Source {
    Written(SecretString),
    File(PathBuf),
    Credential(String),
    Command(Vec<String>),
    Variable(String),
}

impl Secret {
    /// The password itself.
    pub fn written(password: &str) -> Secret {
        Secret { source: Source::Written(password.into()) }
    }

    /// In a file.
    pub fn in_file(path: PathBuf) -> Secret {
        Secret { source: Source::File(path) }
    }

    /// True when the password itself is in the config.
    pub fn is_written_out(&self) -> bool {
        matches!(self.source, Source::Written(_))
    }

    /// When what it is kept in was last changed, where that can be seen: files and systemd's credentials.
    pub fn changed_at(&self, environment: &Environment) -> Option<Timestamp> {
        let path = match &self.source {
            Source::File(path) => path.clone(),
            Source::Credential(name) => Path::new(&environment.get("CREDENTIALS_DIRECTORY")?).join(name),
            Source::Written(_) | Source::Command(_) | Source::Variable(_) => return None,
        };
        Timestamp::try_from(std::fs::metadata(path).ok()?.modified().ok()?).ok()
    }

    /// Fetches the password. One line break at its end is dropped; of a command's output the first line counts.
    /// Warns in the log when every user of the machine can read its file.
    pub async fn reveal(&self, environment: &Environment) -> Result<SecretString, SecretError> {
        let text = match &self.source {
            Source::Written(password) => return Ok(password.clone()),
            Source::File(path) => read_file(path).await?,
            Source::Credential(name) => {
                let folder = environment.get("CREDENTIALS_DIRECTORY");
                let folder = folder.ok_or_else(|| SecretError::NoCredentials { name: name.clone() })?;
                read_file(&Path::new(&folder).join(name)).await?
            }
            Source::Command(command) => run(command, COMMAND_TIMEOUT).await?,
            Source::Variable(name) => {
                environment.get(name).ok_or_else(|| SecretError::NoVariable { name: name.clone() })?
            }
        };
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        if password.is_empty() {
            return Err(SecretError::Empty { place: self.to_string() });
        }
        Ok(password.into())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        match (&self.source, &other.source) {
            (Source::Written(a), Source::Written(b)) => a.expose_secret() == b.expose_secret(),
            (Source::File(a), Source::File(b)) => a == b,
            (Source::Credential(a), Source::Credential(b)) | (Source::Variable(a), Source::Variable(b)) => a == b,
            (Source::Command(a), Source::Command(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Secret {}

/// Where it is kept, not what it is. Of a command its name only: arguments may be secret.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Written(_) => f.write_str("the password in the config"),
            Source::File(path) => write!(f, "the file {}", path.display()),
            Source::Credential(name) => write!(f, "the systemd credential {name}"),
            Source::Command(command) => write!(f, "the output of {}", program(command)),
            Source::Variable(name) => write!(f, "the environment variable {name}"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({self})")
    }
}

fn program(command: &[String]) -> &str {
    command.first().map_or("", String::as_str)
}

async fn read_file(path: &Path) -> Result<String, SecretError> {
    let failed = |error| SecretError::File { path: path.to_owned(), error };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        return Err(SecretError::TooLong { place: format!("the file {}", path.display()) });
    }
    if is_world_readable(path) {
        tracing::warn!(file = %path.display(), "Every user of this machine can read a password file; chmod 600 it.");
    }
    String::from_utf8(bytes).map_err(|_| SecretError::NotText { place: format!("the file {}", path.display()) })
}

async fn run(command: &[String], timeout: Duration) -> Result<String, SecretError> {
    let program = program(command).to_owned();
    let failed = |error| SecretError::Command { program: program.clone(), error };
    let mut child = tokio::process::Command::new(&program)
        .args(command.get(1..).unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let output = child.stdout.take().ok_or_else(|| failed(std::io::Error::other("it has no output")))?;
    let finish = async {
        let mut bytes = Vec::new();
        output.take(LONGEST + 1).read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>((bytes, child.wait().await?))
    };
    let finished = tokio::time::timeout(timeout, finish).await;
    let (bytes, status) = finished
        .map_err(|_| SecretError::Slow { program: program.clone(), seconds: timeout.as_secs() })?
        .map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        return Err(SecretError::TooLong { place: format!("the output of {program}") });
    }
    if !status.success() {
        return Err(SecretError::Status { program, status });
    }
    let text =
        String::from_utf8(bytes).map_err(|_| SecretError::NotText { place: format!("the output of {program}") })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(unix)]
pub(super) fn is_world_readable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    // A socket, a pipe or systemd's credential store has its own protection around it.
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_world_readable(_: &Path) -> bool {
    false
}

/// A password that cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Its file cannot be read.
    #[error("the password file {path} cannot be read: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// Not started by systemd with credentials.
    #[error(
        "there is no credential {name}: $CREDENTIALS_DIRECTORY is not set; start officehours from a systemd unit with LoadCredential={name}:/path/to/file"
    )]
    NoCredentials {
        /// The credential.
        name: String,
    },
    /// Its variable is not set.
    #[error("the environment variable {name}, which should hold a password, is not set")]
    NoVariable {
        /// The variable.
        name: String,
    },
    /// Its command cannot be run.
    #[error("{program}, which should print a password, cannot be run: {error}")]
    Command {
        /// The command, without arguments.
        program: String,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// Its command failed.
    #[error("{program}, which should print a password, failed ({status}); run it as the user that officehours runs as")]
    Status {
        /// The command, without arguments.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// Its command did not end.
    #[error(
        "{program}, which should print a password, did not end within {seconds} s; nobody can answer its questions here"
    )]
    Slow {
        /// The command, without arguments.
        program: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Nothing is there.
    #[error("{place} is empty; it should hold a password")]
    Empty {
        /// Where.
        place: String,
    },
    /// Not a password.
    #[error("{place} is longer than a password can be")]
    TooLong {
        /// Where.
        place: String,
    },
    /// Not a password.
    #[error("{place} is not UTF-8 text")]
    NotText {
        /// Where.
        place: String,
    },
}

/// Reads a key that holds a secret: a string, or a table that says where. No message says what was written.
pub(super) fn read(section: &Section<'_>, key: &str, surroundings: &Surroundings<'_>) -> Option<Secret> {
    let forms = "\"…\", { file = \"…\" }, { credential = \"…\" }, { command = [\"…\"] } or { env = \"…\" }";
    if section.is_string(key) {
        let password = section.read(key, |value| match value.as_str() {
            Some(password) if !password.is_empty() => Ok(SecretString::from(password)),
            _ => Err(format!("is empty; write {forms}")),
        })?;
        return Some(Secret { source: Source::Written(password) });
    }
    section.read(key, |value| match value.is_table() {
        true => Ok(()),
        false => Err(format!("expected {forms}, found {}", article(value))),
    })?;
    let table = section.section(key)?;
    let source = match table.written(keys_of("mail.password")).as_slice() {
        ["file"] => Source::File(surroundings.folder.join(table.read("file", text)?)),
        ["credential"] => Source::Credential(table.read("credential", |value| {
            let name = text(value)?;
            let plain = !name.contains(['/', ':']) && name != "." && name != "..";
            plain
                .then_some(name)
                .ok_or_else(|| "a credential is named without / and :, as in LoadCredential=NAME:…".to_owned())
        })?),
        ["env"] => Source::Variable(table.read("env", |value| {
            let name = text(value)?;
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            plain.then_some(name).ok_or_else(|| "expected the name of an environment variable, without $".to_owned())
        })?),
        ["command"] => {
            let words = table.list("command", |word| match word.as_str() {
                Some(word) => Ok(word.to_owned()),
                None => Err(format!("expected a word in quotes, found {}", article(word))),
            })?;
            if words.first().is_none_or(|program| program.trim().is_empty()) {
                table.mistake(
                    "command",
                    "command: names no program; write command = [\"pass\", \"show\", \"caldav\"]".to_owned(),
                );
                return None;
            }
            Source::Command(words)
        }
        _ => {
            section.mistake(key, format!("{key}: must say one place; write {forms}"));
            return None;
        }
    };
    Some(Secret { source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Secret {
        Secret { source: Source::Command(words.iter().map(|&word| word.to_owned()).collect()) }
    }

    async fn reveal(secret: Secret, environment: &[(&str, &str)]) -> Result<String, String> {
        let revealed = secret.reveal(&Environment::fixed(environment)).await;
        revealed.map(|secret| secret.expose_secret().to_owned()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_secret_comes_from_where_it_is_kept_without_its_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("caldav");
        std::fs::write(&path, " pass word \r\n").unwrap();
        assert_eq!(reveal(Secret::in_file(path), &[]).await.unwrap(), " pass word ");
        let credential = Secret { source: Source::Credential("caldav".to_owned()) };
        let directory = folder.path().to_str().unwrap();
        assert_eq!(reveal(credential, &[("CREDENTIALS_DIRECTORY", directory)]).await.unwrap(), " pass word ");
        let variable = Secret { source: Source::Variable("WORD".to_owned()) };
        assert_eq!(reveal(variable, &[("WORD", "from env")]).await.unwrap(), "from env");
        assert_eq!(reveal(Secret::written("as is\n"), &[]).await.unwrap(), "as is\n");
        let printing = command(&["sh", "-c", "printf 'first\\nsecond\\n'"]);
        assert_eq!(reveal(printing, &[]).await.unwrap(), "first");
    }

    #[tokio::test]
    async fn what_cannot_be_fetched_says_where_it_should_have_been() {
        for (secret, part) in [
            (Secret::in_file("/nowhere/at/all".into()), "/nowhere/at/all cannot be read"),
            (Secret { source: Source::Credential("caldav".to_owned()) }, "LoadCredential=caldav"),
            (Secret { source: Source::Variable("WORD".to_owned()) }, "WORD"),
            (command(&["/nowhere/at/all", "hunter2"]), "/nowhere/at/all, which should print"),
            (
                command(&["sh", "-c", "echo hunter2; exit 3"]),
                "sh, which should print a password, failed (exit status: 3)",
            ),
            (command(&["true", "hunter2"]), "the output of true is empty"),
            (command(&["sh", "-c", "printf '\\377hunter2'"]), "not UTF-8"),
            (command(&["head", "-c", "100000", "/dev/zero"]), "longer"),
        ] {
            let message = reveal(secret, &[]).await.unwrap_err();
            assert!(message.contains(part), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[tokio::test]
    async fn a_command_that_does_not_end_is_given_up() {
        let words = ["sleep".to_owned(), "600".to_owned()];
        let message = run(&words, Duration::from_millis(50)).await.unwrap_err().to_string();
        assert!(message.contains("did not end"), "{message}");
    }

    #[test]
    fn a_secret_prints_its_place_and_never_itself() {
        let secret = Secret::written("hunter2");
        assert_eq!(format!("{secret:?} {secret}"), "Secret(the password in the config) the password in the config");
        let secret = command(&["pass", "show", "hunter2"]);
        assert!(!format!("{secret:?} {secret}").contains("hunter2"));
    }
}
