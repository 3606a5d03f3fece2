//! The mailbox that answers come to (IMAP, RFC 9051; TLS from the start or by STARTTLS, RFC 8314). It is only looked at: opened with
//! EXAMINE and read with PEEK, so that no mail is moved, marked or removed. Start with [`Inbox::open`].

use super::mailer::{Login, Tls, without_addresses};
use async_imap::error::Error as ImapError;
use async_imap::{Authenticator, Client, Session};
use futures_util::TryStreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// How long one command may take.
const COMMAND: Duration = Duration::from_secs(60);
/// No answer of a calendar is larger, in bytes.
const LARGEST: u32 = 2 << 20;

/// A mailbox, and who opens it.
#[derive(Clone, Debug)]
pub struct InboxServer {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// Who logs in.
    pub login: Login,
    /// The folder.
    pub folder: String,
}

/// A message of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its UID.
    pub uid: u32,
    /// In bytes.
    size: u32,
}

/// Why a mailbox cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The password.
    #[error("the mail server refuses the login: {0}")]
    Login(String),
    /// The certificate, the folder, or what else is set up.
    #[error("the mailbox cannot be opened; look at [mail] in the config: {0}")]
    Settings(String),
    /// No connection, or no answer.
    #[error("the mail server does not answer: {0}")]
    Away(String),
    /// An answer that is none.
    #[error("the mail server answers with a failure: {0}")]
    Server(String),
}

/// An open mailbox.
pub struct Inbox {
    session: Session<Box<dyn Wire>>,
    validity: u32,
    /// IDLE (RFC 2177): the server tells of new mail by itself.
    tells: bool,
}

/// What a connection is, with or without TLS.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Wire for T {}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("validity", &self.validity).finish_non_exhaustive()
    }
}

impl InboxServer {
    /// What tells this mailbox from others, to remember how far it was read.
    pub fn name(&self) -> String {
        format!("{}@{}/{}", self.login.username, self.host, self.folder)
    }
}

impl Inbox {
    /// Connects, logs in and opens the folder.
    pub async fn open(server: &InboxServer) -> Result<Inbox, InboxError> {
        let client = in_time(connect(server)).await??;
        let mut session = in_time(log_in(client, &server.login)).await??;
        let capabilities = in_time(session.capabilities()).await?.map_err(failed)?;
        let folder = in_time(session.examine(&server.folder)).await?.map_err(|error| match error {
            ImapError::No(said) => InboxError::Settings(format!("the folder {:?}: {said}", server.folder)),
            error => failed(error),
        })?;
        let without_uids = || InboxError::Settings("the server does not number its messages for good".to_owned());
        let validity = folder.uid_validity.ok_or_else(without_uids)?;
        Ok(Inbox { session, validity, tells: capabilities.has_str("IDLE") })
    }

    /// UIDVALIDITY: with another, the UIDs mean nothing.
    pub fn validity(&self) -> u32 {
        self.validity
    }

    /// The messages after a UID, in order; and where none was read yet (`None`) those that came since the day of `since`.
    pub async fn list(&mut self, after: Option<u32>, since: Timestamp) -> Result<Vec<Listed>, InboxError> {
        let wanted = match after {
            Some(after) => format!("{}:*", after.saturating_add(1)),
            None => {
                // The server's day may be the one before.
                let day = TimeZone::UTC.to_datetime(since).date().strftime("%-d-%b-%Y").to_string();
                let found = in_time(self.session.uid_search(format!("SINCE {day}"))).await?.map_err(failed)?;
                let (Some(first), Some(last)) = (found.iter().min(), found.iter().max()) else { return Ok(Vec::new()) };
                format!("{first}:{last}")
            }
        };
        let list = async {
            let messages = self.session.uid_fetch(&wanted, "(UID RFC822.SIZE)").await?;
            messages.try_collect::<Vec<_>>().await
        };
        let messages = in_time(list).await?.map_err(failed)?;
        let listed = messages.iter().filter_map(|one| Some(Listed { uid: one.uid?, size: one.size.unwrap_or(0) }));
        // "n:*" means the last message too, whatever its number.
        let mut listed: Vec<Listed> = listed.filter(|one| after.is_none_or(|after| one.uid > after)).collect();
        listed.sort_unstable_by_key(|one| one.uid);
        Ok(listed)
    }

    /// The bytes of a message; `None`: it is too large to be an answer, or it is gone.
    pub async fn message(&mut self, listed: Listed) -> Result<Option<Vec<u8>>, InboxError> {
        if listed.size > LARGEST {
            return Ok(None);
        }
        let fetch = async {
            let messages = self.session.uid_fetch(listed.uid.to_string(), "(UID BODY.PEEK[])").await?;
            messages.try_collect::<Vec<_>>().await
        };
        match in_time(fetch).await? {
            Ok(messages) => {
                let found = messages.iter().find(|one| one.uid == Some(listed.uid));
                Ok(found.and_then(|one| one.body()).map(<[u8]>::to_vec))
            }
            // This message, not the mailbox: others come after it.
            Err(ImapError::No(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Waits for new mail, at most so long.
    pub async fn wait(mut self, at_most: Duration) -> Result<Inbox, InboxError> {
        if !self.tells {
            tokio::time::sleep(at_most).await;
            in_time(self.session.noop()).await?.map_err(failed)?;
            return Ok(self);
        }
        let mut idle = self.session.idle();
        in_time(idle.init()).await?.map_err(failed)?;
        {
            let (told, _stop) = idle.wait_with_timeout(at_most);
            told.await.map_err(failed)?;
        }
        let session = in_time(idle.done()).await?.map_err(failed)?;
        Ok(Inbox { session, ..self })
    }
}

async fn connect(server: &InboxServer) -> Result<Client<Box<dyn Wire>>, InboxError> {
    let away = |error: io::Error| InboxError::Away(error.to_string());
    let stream = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(away)?;
    let mut client: Client<Box<dyn Wire>> = match server.tls {
        Tls::Implicit => Client::new(Box::new(encrypt(stream, &server.host).await?)),
        Tls::StartTls | Tls::None => Client::new(Box::new(stream)),
    };
    let greeting = client.read_response().await.map_err(away)?;
    greeting.ok_or_else(|| InboxError::Away("the connection was closed at once".to_owned()))?;
    if server.tls != Tls::StartTls {
        return Ok(client);
    }
    client.run_command_and_check_ok("STARTTLS", None).await.map_err(|error| match error {
        ImapError::No(said) | ImapError::Bad(said) => InboxError::Settings(format!("no STARTTLS: {said}")),
        error => failed(error),
    })?;
    let encrypted = encrypt(client.into_inner(), &server.host).await?;
    Ok(Client::new(Box::new(encrypted)))
}

async fn encrypt<S: Wire + 'static>(stream: S, host: &str) -> Result<impl Wire + 'static, InboxError> {
    let settings = |error: &dyn fmt::Display| InboxError::Settings(error.to_string());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(|error| settings(&error))?
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| settings(&error))?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| match error.kind() {
        // What rustls says: a certificate that nobody vouches for, another name, no TLS at all.
        io::ErrorKind::InvalidData => settings(&error),
        _ => InboxError::Away(error.to_string()),
    })
}

async fn log_in(client: Client<Box<dyn Wire>>, login: &Login) -> Result<Session<Box<dyn Wire>>, InboxError> {
    let Login { username, password } = login;
    let plain = || username.is_ascii() && password.expose_secret().is_ascii();
    let logged_in = match plain() {
        true => client.login(username, password.expose_secret()).await,
        // LOGIN knows ASCII alone.
        false => client.authenticate("PLAIN", Plain { username, password }).await,
    };
    logged_in.map_err(|(error, _)| match error {
        // RFC 5530: it is not the password.
        ImapError::No(said) if is_passing(&said) => InboxError::Away(without_addresses(&said)),
        ImapError::No(said) => InboxError::Login(without_addresses(&said)),
        ImapError::Bad(said) => InboxError::Settings(without_addresses(&said)),
        ImapError::Validate(_) => InboxError::Settings("the user or the password has a line break".to_owned()),
        error => failed(error),
    })
}

fn is_passing(said: &str) -> bool {
    let said = said.to_ascii_uppercase();
    ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"].iter().any(|code| said.contains(code))
}

/// SASL PLAIN (RFC 4616).
struct Plain<'a> {
    username: &'a str,
    password: &'a SecretString,
}

impl Authenticator for Plain<'_> {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        format!("\0{}\0{}", self.username, self.password.expose_secret())
    }
}

async fn in_time<T>(command: impl Future<Output = T>) -> Result<T, InboxError> {
    let late = |_| InboxError::Away(format!("no answer within {} s", COMMAND.as_secs()));
    tokio::time::timeout(COMMAND, command).await.map_err(late)
}

fn failed(error: ImapError) -> InboxError {
    let said = without_addresses(&error.to_string());
    match error {
        ImapError::Io(_) | ImapError::ConnectionLost => InboxError::Away(said),
        _ => InboxError::Server(said),
    }
}
