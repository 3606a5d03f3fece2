//! The token endpoint (RFC 6749 4.1.3, 5, 6): a form goes there, a grant comes back. Start with [`exchange`].

use super::OAuthClient;
use super::authorize::{Attempt, Redirect};
use super::grant::{AccessToken, Grant, GrantFile};
use crate::caldav::error::{Error, ErrorKind};
use crate::caldav::origin::is_loopback;
use crate::caldav::transport::{client_builder, failure};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

const OPERATION: &str = "get an access token";
/// An answer is a few hundred bytes.
const LONGEST: usize = 64 * 1024;
/// An access token is replaced so long before its end, or with a quarter of its life left, whichever is shorter.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// How long a token is taken to be good for when the server does not say (RFC 6749 5.1).
const UNSAID: SignedDuration = SignedDuration::from_mins(10);

/// What the token endpoint grants.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) access: AccessToken,
    /// A new one, where the server replaces it with each use.
    pub(super) refresh: Option<SecretString>,
}

#[derive(Deserialize)]
struct Success {
    access_token: String,
    expires_in: Option<i64>,
    refresh_token: Option<String>,
}

#[derive(Default, Deserialize)]
struct Failure {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Turns what the browser brought into a grant, and keeps it in `file`.
///
/// # Errors
/// As the server's; `BadAnswer` when it grants access for an hour only, without a refresh token; `Settings` when the file cannot be
/// written.
pub async fn exchange(
    client: &OAuthClient,
    attempt: &Attempt,
    redirect: &Redirect,
    file: &GrantFile,
    now: Timestamp,
) -> Result<(), Error> {
    let granted = ask(client, attempt.form(redirect), now).await?;
    let error = |kind, detail: String| Error::new(kind, OPERATION, client.token_url.as_str()).with_detail(detail);
    let refresh = granted.refresh.ok_or_else(|| {
        error(
            ErrorKind::BadAnswer,
            "it granted no refresh token: take back the access that was granted before, then log in again".to_owned(),
        )
    })?;
    let grant = Grant { refresh, access: Some(granted.access) };
    let (file, path) = (file.clone(), file.path().display().to_string());
    let written = tokio::task::spawn_blocking(move || {
        let _lock = file.lock()?;
        file.write(&grant)
    });
    match written.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(error(ErrorKind::Settings, format!("{path} cannot be written: {why}"))),
        Err(_) => Err(error(ErrorKind::Settings, format!("{path} was not written"))),
    }
}

/// Asks for a new access token.
pub(super) async fn refresh(client: &OAuthClient, refresh: &SecretString, now: Timestamp) -> Result<Granted, Error> {
    let form = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh.expose_secret().to_owned())];
    ask(client, form, now).await
}

async fn ask(client: &OAuthClient, form: Vec<(&'static str, String)>, now: Timestamp) -> Result<Granted, Error> {
    let url = &client.token_url;
    if url.scheme() != "https" && !is_loopback(url) {
        return Err(Error::new(ErrorKind::Insecure, OPERATION, url.as_str()));
    }
    let secret = match &client.client_secret {
        Some(secret) => Some(
            secret
                .get()
                .await
                .map_err(|why| Error::new(ErrorKind::Settings, OPERATION, url.as_str()).with_detail(why).unsent())?,
        ),
        None => None,
    };
    let failed = |error| failure(error, OPERATION, url);
    let http = client_builder().build().map_err(failed)?;
    let sent = http
        .post(url.clone())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json")
        .body(body(&client.client_id, secret.as_ref(), form))
        .send();
    let mut answer = sent.await.map_err(failed)?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LONGEST {
            return Err(Error::new(ErrorKind::TooLarge, OPERATION, url.as_str()));
        }
        body.extend_from_slice(&chunk);
    }
    read(status, &body, now).map_err(|(kind, detail)| Error::new(kind, OPERATION, url.as_str()).with_detail(detail))
}

/// The form with who sends it (RFC 6749 2.3.1).
fn body(client_id: &str, secret: Option<&SecretString>, form: Vec<(&'static str, String)>) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form).append_pair("client_id", client_id);
    if let Some(secret) = secret {
        body.append_pair("client_secret", secret.expose_secret());
    }
    body.finish()
}

/// Reads an answer (RFC 6749 5.1, 5.2). What is in it of tokens is in no message.
fn read(status: u16, body: &[u8], now: Timestamp) -> Result<Granted, (ErrorKind, String)> {
    if status == 200 {
        let success: Success = serde_json::from_slice(body)
            .map_err(|_| (ErrorKind::BadAnswer, "it is no token; check token_url".to_owned()))?;
        let life = success.expires_in.map_or(UNSAID, SignedDuration::from_secs).max(SignedDuration::ZERO);
        let after = |span: SignedDuration| now.checked_add(span).unwrap_or(Timestamp::MAX);
        return Ok(Granted {
            access: AccessToken {
                token: success.access_token.into(),
                renew_at: after(life - AHEAD.min(life / 4)),
                expires_at: after(life),
            },
            refresh: success.refresh_token.filter(|token| !token.is_empty()).map(SecretString::from),
        });
    }
    let Failure { error, error_description } = serde_json::from_slice(body).unwrap_or_default();
    let kind = match (status, error.as_str()) {
        (400..=499, "invalid_grant") => ErrorKind::LoginEnded,
        (400..=499, "invalid_client" | "unauthorized_client" | "invalid_scope") | (401, _) => ErrorKind::Settings,
        (429, _) => ErrorKind::TooManyRequests { retry_after: None },
        (503, _) => ErrorKind::Unavailable { retry_after: None },
        (500..=599, _) => ErrorKind::Server(status),
        _ => ErrorKind::Rejected { status },
    };
    Err((kind, format!("{error} {error_description}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_is_renewed_ahead_of_its_end() {
        let granted = |body: &str| read(200, body.as_bytes(), at(1000)).unwrap();
        let hour = granted(r#"{"access_token":"a","expires_in":3600,"token_type":"Bearer"}"#);
        assert_eq!((hour.access.renew_at, hour.access.expires_at), (at(1000 + 3300), at(1000 + 3600)));
        assert!(hour.refresh.is_none());
        let short = granted(r#"{"access_token":"a","expires_in":8,"refresh_token":"r"}"#);
        assert_eq!((short.access.renew_at, short.access.expires_at), (at(1006), at(1008)));
        assert_eq!(short.refresh.unwrap().expose_secret(), "r");
        assert_eq!(granted(r#"{"access_token":"a"}"#).access.expires_at, at(1600));
    }

    #[test]
    fn what_the_endpoint_refuses_is_told_apart() {
        let kind = |status, body: &str| read(status, body.as_bytes(), at(0)).unwrap_err().0;
        assert_eq!(
            kind(400, r#"{"error":"invalid_grant","error_description":"Token has been revoked."}"#),
            ErrorKind::LoginEnded
        );
        assert_eq!(kind(401, r#"{"error":"invalid_client"}"#), ErrorKind::Settings);
        assert_eq!(kind(400, r#"{"error":"invalid_request"}"#), ErrorKind::Rejected { status: 400 });
        assert_eq!(kind(502, "<html>"), ErrorKind::Server(502));
        assert_eq!(kind(503, ""), ErrorKind::Unavailable { retry_after: None });
        assert_eq!(kind(200, "<html>"), ErrorKind::BadAnswer);
    }
}
