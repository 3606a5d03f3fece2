//! The way to the mail server (SMTP, RFC 5321; TLS from the start or by STARTTLS, RFC 8314). Start with [`Mailer::send`].

use super::message::{MessageError, Sender, mailbox};
use super::template::Templates;
use crate::booking::Organizer;
use lettre::message::Mailbox;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::time::Duration;

/// How long one command may take. RFC 5321 4.5.3.2 grants minutes; an effect is tried again anyway.
const COMMAND: Duration = Duration::from_secs(60);
/// How long a message may take in all.
const MESSAGE: Duration = Duration::from_secs(180);
/// Connections at once.
const CONNECTIONS: u32 = 4;
/// How long a connection waits for the next message.
const IDLE: Duration = Duration::from_secs(30);

/// A mail server and who writes through it.
#[derive(Clone, Debug)]
pub struct MailServer {
    /// A name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// `None`: nobody logs in.
    pub login: Option<Login>,
    /// The name that messages come from; `None`: the address alone.
    pub from_name: Option<String>,
    /// The address that messages come from.
    pub from_address: String,
    /// Whom invitations come from.
    pub organizer: Organizer,
    /// A folder of templates in place of our texts.
    pub templates: Option<PathBuf>,
}

/// Who logs in at a mail server.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte.
    Implicit,
    /// By STARTTLS, or nothing is sent.
    StartTls,
    /// Not at all.
    None,
}

/// Sends messages. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Sender,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server is away, or asks to come back.
    #[error("the mail server does not take mail just now: {0}")]
    Temporary(String),
    /// The server would take no message from us: the login, the TLS, or what else is set up.
    #[error("the mail server does not accept us; look at [mail] in the config: {0}")]
    Server(String),
    /// The server will never take this message.
    #[error("the mail server refused the message for good: {0}")]
    Message(String),
}

impl Mailer {
    /// A mailer for this server. Does not connect yet.
    pub fn new(server: &MailServer) -> Result<Mailer, MessageError> {
        type Transport = AsyncSmtpTransport<Tokio1Executor>;
        let builder = match server.tls {
            Tls::Implicit => Transport::relay(&server.host),
            Tls::StartTls => Transport::starttls_relay(&server.host),
            Tls::None => Ok(Transport::builder_dangerous(&server.host)),
        };
        let builder = builder.map_err(|error| MessageError::Server(error.to_string()))?;
        let mut builder = builder
            .port(server.port)
            .timeout(Some(COMMAND))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS).idle_timeout(IDLE));
        if let Some(Login { username, password }) = &server.login {
            builder = builder.credentials(Credentials::new(username.clone(), password.expose_secret().to_owned()));
        }
        let from = mailbox(server.from_name.as_deref(), &server.from_address)?;
        let sender = Sender { from, organizer: server.organizer, templates: Templates::new(server.templates.clone()) };
        Ok(Mailer { transport: builder.build(), sender })
    }

    /// Whom messages come from.
    pub fn from(&self) -> &Mailbox {
        &self.sender.from
    }

    /// What messages are made with.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Hands a message to the server: once it returns, the message is the server's.
    pub async fn send(&self, message: Message) -> Result<(), SendError> {
        let sent = tokio::time::timeout(MESSAGE, self.transport.send(message)).await;
        let error = match sent {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_elapsed) => return Err(SendError::Temporary("it took too long".to_owned())),
        };
        let text = without_addresses(&error.to_string());
        // A certificate that nobody vouches for is reported as a failed connection.
        if error.is_tls() || text.contains("certificate") {
            return Err(SendError::Server(text));
        }
        if !error.is_permanent() && !error.is_client() {
            return Err(SendError::Temporary(text));
        }
        // A 5xx may be about the message or about us, a wrong password for one. If we can still log in, it is the message.
        match tokio::time::timeout(COMMAND, self.transport.test_connection()).await {
            Ok(Ok(true)) => Err(SendError::Message(text)),
            Ok(Err(error)) if !error.is_permanent() && !error.is_client() => Err(SendError::Temporary(text)),
            _ => Err(SendError::Server(text)),
        }
    }
}

/// What the server said, without the addresses that it repeats: it goes to the log.
pub(super) fn without_addresses(text: &str) -> String {
    let words = text.split_whitespace().map(|word| if word.contains('@') { "(address)" } else { word });
    words.take(60).collect::<Vec<_>>().join(" ")
}
