//! A password that is fetched from where it is kept when the first request needs it. See [`Password`].

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use std::fmt;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Fetches a password, or says why it cannot be had.
type Fetch = dyn Fn() -> BoxFuture<'static, Result<SecretString, String>> + Send + Sync;

/// A password, or the way to it: whoever sends nothing needs none. Cheap to clone; the clones fetch it once.
#[derive(Clone)]
pub enum Password {
    /// It is known.
    Known(SecretString),
    /// It is fetched at the first request. What failed is tried again at the next.
    Kept(Arc<Kept>),
}

/// Where a password is kept.
pub struct Kept {
    fetch: Box<Fetch>,
    fetched: OnceCell<SecretString>,
}

impl Password {
    /// One that is fetched when it is needed.
    pub fn kept(
        fetch: impl Fn() -> BoxFuture<'static, Result<SecretString, String>> + Send + Sync + 'static,
    ) -> Password {
        Password::Kept(Arc::new(Kept { fetch: Box::new(fetch), fetched: OnceCell::new() }))
    }

    /// The password itself, or why it cannot be had, in words.
    pub async fn get(&self) -> Result<SecretString, String> {
        match self {
            Password::Known(password) => Ok(password.clone()),
            Password::Kept(kept) => kept.fetched.get_or_try_init(|| (kept.fetch)()).await.cloned(),
        }
    }
}

impl From<SecretString> for Password {
    fn from(password: SecretString) -> Password {
        Password::Known(password)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn it_is_fetched_when_it_is_needed_until_it_is_there_and_then_no_more() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let password = Password::kept(move || {
            let number = count.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { if number == 0 { Err("it is locked".to_owned()) } else { Ok("hunter2".into()) } })
        });
        assert_eq!(asked.load(Ordering::SeqCst), 0);
        assert_eq!(password.get().await.unwrap_err(), "it is locked");
        for _ in 0..2 {
            assert_eq!(password.clone().get().await.unwrap().expose_secret(), "hunter2");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert_eq!(format!("{password:?}"), "Password");
    }
}
