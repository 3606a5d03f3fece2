//! Access tokens that are always fresh: kept, renewed ahead of their end, one renewal at a time in all processes that share the
//! grant's file. Start with [`AccessTokens::token`].

use super::grant::{AccessToken, Grant, GrantFile};
use super::{OAuthClient, token};
use crate::availability::Clock;
use crate::caldav::error::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The access tokens of one account. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct AccessTokens {
    shared: Arc<Shared>,
}

struct Shared {
    client: OAuthClient,
    file: GrantFile,
    clock: Clock,
    /// What logs in again: `officehours login noether/work`.
    login: String,
    /// Held while a token is got: everybody else waits for that one.
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    access: Option<AccessToken>,
    /// The refresh token that the server has refused: nothing is asked with it again.
    refused: Option<SecretString>,
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessTokens({})", self.shared.file.path().display())
    }
}

impl AccessTokens {
    /// The tokens of the grant in `file`; `login` is the command that makes it.
    pub fn new(client: OAuthClient, file: GrantFile, login: String, clock: Clock) -> AccessTokens {
        AccessTokens { shared: Arc::new(Shared { client, file, clock, login, held: Mutex::default() }) }
    }

    /// A token that is good now. `spent` is one that the calendar server has just refused, whatever its clock says.
    ///
    /// # Errors
    /// `LoginEnded` when there is no grant, or the server has ended it: then nothing is sent until somebody has logged in again.
    /// Else as the token endpoint's.
    pub(in crate::caldav) async fn token(&self, spent: Option<&SecretString>) -> Result<SecretString, Error> {
        let Shared { client, clock, held, .. } = &*self.shared;
        let mut held = held.lock().await;
        let is_spent =
            |access: &AccessToken| spent.is_some_and(|spent| spent.expose_secret() == access.token.expose_secret());
        let fresh = |access: &&AccessToken| clock.now() < access.renew_at && !is_spent(access);
        if let Some(access) = held.access.as_ref().filter(fresh) {
            return Ok(access.token.clone());
        }
        // Another process may have renewed it, or somebody logged in again.
        let (lock, grant) = self.locked().await?;
        let Some(grant) = grant else { return Err(self.ended("nobody has logged in yet")) };
        // Whatever is left of the access tokens of an ended grant: the server would refuse them one by one.
        if held.refused.as_ref().is_some_and(|refused| refused.expose_secret() == grant.refresh.expose_secret()) {
            return Err(self.ended("the server has ended the login"));
        }
        if let Some(access) = grant.access.as_ref().filter(fresh) {
            held.access = Some(access.clone());
            return Ok(access.token.clone());
        }
        let granted = match token::refresh(client, &grant.refresh, clock.now()).await {
            Ok(granted) => granted,
            Err(error) if *error.kind() == ErrorKind::LoginEnded => {
                *held = Held { access: None, refused: Some(grant.refresh.clone()) };
                self.keep(lock, Grant { refresh: grant.refresh, access: None }).await?;
                return Err(self.ended(error.detail().unwrap_or_default()));
            }
            // It was to be renewed ahead of its end: it still serves.
            Err(error) if error.is_temporary() => {
                let usable = |access: &&AccessToken| clock.now() < access.expires_at && !is_spent(access);
                match grant.access.as_ref().filter(usable) {
                    Some(access) => {
                        tracing::warn!(%error, "An access token could not be renewed; the present one is used to its end.");
                        return Ok(access.token.clone());
                    }
                    None => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        let renewed = Grant { refresh: granted.refresh.unwrap_or(grant.refresh), access: Some(granted.access.clone()) };
        self.keep(lock, renewed).await?;
        let token = granted.access.token.clone();
        *held = Held { access: Some(granted.access), refused: None };
        Ok(token)
    }

    /// What is kept of the grant, under its lock.
    async fn locked(&self) -> Result<(File, Option<Grant>), Error> {
        let file = self.shared.file.clone();
        self.off_thread(move || {
            let lock = file.lock()?;
            let grant = file.read()?;
            Ok((lock, grant))
        })
        .await
    }

    /// Keeps a grant, then gives the lock back.
    async fn keep(&self, lock: File, grant: Grant) -> Result<(), Error> {
        let file = self.shared.file.clone();
        self.off_thread(move || {
            file.write(&grant)?;
            drop(lock);
            Ok(())
        })
        .await
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let failed = |what: String| {
            let path = self.shared.file.path().display();
            Error::new(ErrorKind::Settings, "use the login", path.to_string()).with_detail(what)
        };
        match tokio::task::spawn_blocking(job).await {
            Ok(done) => done.map_err(|error| failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn ended(&self, why: &str) -> Error {
        let Shared { client, login, .. } = &*self.shared;
        let why = if why.is_empty() { String::new() } else { format!("{why}; ") };
        Error::new(ErrorKind::LoginEnded, "log in", client.token_url.as_str())
            .with_detail(format!("{why}log in again: {login}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::scripted::{Log, answer, serve_raw};
    use super::*;
    use jiff::Timestamp;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// A grant whose token endpoint answers with `endpoint`, and a clock that the test sets.
    async fn bench(
        endpoint: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> (AccessTokens, Log, Arc<AtomicI64>, tempfile::TempDir) {
        let (url, log) = serve_raw(move |seen| endpoint(&seen.body)).await;
        let client = OAuthClient {
            client_id: "desk".to_owned(),
            client_secret: Some(SecretString::from("s3cret").into()),
            auth_url: url.clone(),
            token_url: url,
            scope: "calendar".to_owned(),
        };
        let folder = tempfile::tempdir().unwrap();
        let file = GrantFile::new(folder.path().join("grant.json"));
        file.write(&Grant { refresh: "first".into(), access: None }).unwrap();
        let second = Arc::new(AtomicI64::new(0));
        let seconds = second.clone();
        let clock = Clock::new(move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap());
        (AccessTokens::new(client, file, "officehours login noether/work".to_owned(), clock), log, second, folder)
    }

    fn granted(number: usize) -> String {
        answer(200, "", &format!(r#"{{"access_token":"t{number}","expires_in":3600,"refresh_token":"r{number}"}}"#))
    }

    async fn token(tokens: &AccessTokens) -> String {
        tokens.token(None).await.unwrap().expose_secret().to_owned()
    }

    #[tokio::test]
    async fn a_token_serves_until_shortly_before_its_end_and_refresh_tokens_rotate() {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let (tokens, log, second, _folder) = bench(move |_| granted(count.fetch_add(1, Ordering::SeqCst) + 1)).await;
        assert_eq!(token(&tokens).await, "t1");
        second.store(3299, Ordering::SeqCst);
        assert_eq!(token(&tokens).await, "t1");
        second.store(3300, Ordering::SeqCst);
        assert_eq!(token(&tokens).await, "t2");
        // Another process finds what this one got.
        let beside = AccessTokens::new(
            tokens.shared.client.clone(),
            tokens.shared.file.clone(),
            String::new(),
            tokens.shared.clock.clone(),
        );
        assert_eq!(token(&beside).await, "t2");
        let spent = tokens.token(None).await.unwrap();
        assert_eq!(tokens.token(Some(&spent)).await.unwrap().expose_secret(), "t3", "refused before its end");
        let asked: Vec<String> = log.lock().unwrap().iter().map(|seen| seen.body.clone()).collect();
        let with =
            |word: &str| format!("grant_type=refresh_token&refresh_token={word}&client_id=desk&client_secret=s3cret");
        assert_eq!(asked, [with("first"), with("r1"), with("r2")]);
    }

    #[tokio::test]
    async fn many_who_need_a_token_at_once_cause_one_request() {
        let (tokens, log, _, _folder) = bench(|_| granted(1)).await;
        let all = futures_util::future::join_all((0..20).map(|_| token(&tokens))).await;
        assert!(all.iter().all(|token| token == "t1"));
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_ended_login_is_asked_for_once_and_says_what_to_do() {
        let (tokens, log, _, _folder) = bench(|body| match body.contains("again") {
            true => granted(1),
            false => answer(400, "", r#"{"error":"invalid_grant","error_description":"revoked"}"#),
        })
        .await;
        for _ in 0..3 {
            let error = tokens.token(None).await.unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::LoginEnded);
            assert!(error.to_string().contains("log in again: officehours login noether/work"), "{error}");
            assert!(!error.to_string().contains("s3cret"));
        }
        assert_eq!(log.lock().unwrap().len(), 1, "a refused grant is not tried again");
        // Somebody logs in again, in another process.
        tokens.shared.file.write(&Grant { refresh: "again".into(), access: None }).unwrap();
        assert_eq!(token(&tokens).await, "t1");
    }

    #[tokio::test]
    async fn while_the_token_endpoint_is_away_the_present_token_serves_to_its_end() {
        let up = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let is_up = up.clone();
        let (tokens, _, second, _folder) = bench(move |_| match is_up.load(Ordering::SeqCst) {
            true => granted(1),
            false => answer(503, "", ""),
        })
        .await;
        assert_eq!(token(&tokens).await, "t1");
        up.store(false, Ordering::SeqCst);
        second.store(3599, Ordering::SeqCst);
        assert_eq!(token(&tokens).await, "t1");
        second.store(3600, Ordering::SeqCst);
        assert_eq!(tokens.token(None).await.unwrap_err().kind(), &ErrorKind::Unavailable { retry_after: None });
    }
}
