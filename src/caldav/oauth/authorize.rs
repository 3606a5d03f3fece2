//! One attempt to be granted access: the address that a person opens (RFC 6749 4.1.1), with the proof that nobody else can use
//! what comes back (PKCE, RFC 7636), and the address that the browser is sent to afterwards (RFC 8252 7.3). Pure. Start with
//! [`Attempt`].

use super::OAuthClient;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

/// An attempt that has begun. Debug does not print its secrets.
#[derive(Debug)]
pub struct Attempt {
    verifier: SecretString,
    state: SecretString,
    redirect: Url,
}

/// What the browser brought.
#[derive(Debug)]
pub struct Redirect {
    /// Good for one exchange.
    pub code: SecretString,
}

/// Why an address that was opened or pasted grants nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// It belongs to no attempt, or to another one: somebody else may have sent it. The attempt goes on.
    #[error("this address does not belong to this login; copy the whole address that the browser shows at the end")]
    Foreign,
    /// The person or the server said no. The attempt is over.
    #[error("access was not granted: {0}")]
    Refused(String),
}

impl Attempt {
    /// `random` is 64 bytes that nobody can guess; `redirect` is where the browser comes back, on this machine.
    pub fn new(random: [u8; 64], redirect: Url) -> Attempt {
        let (verifier, state) = random.split_at(32);
        // 43 characters, as RFC 7636 4.1 advises.
        let text = |bytes: &[u8]| SecretString::from(URL_SAFE_NO_PAD.encode(bytes));
        Attempt { verifier: text(verifier), state: text(state), redirect }
    }

    /// The address that the person opens. Asks for a grant that outlasts the browser (`access_type`, `prompt`: Google's words for
    /// it and OpenID Connect's; who does not know them passes over them, RFC 6749 3.1).
    pub fn url(&self, client: &OAuthClient, login_hint: Option<&str>) -> Url {
        let mut url = client.auth_url.clone();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose_secret()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.client_id)
            .append_pair("redirect_uri", self.redirect.as_str())
            .append_pair("scope", &client.scope)
            .append_pair("state", self.state.expose_secret())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("access_type", "offline")
            .append_pair("prompt", "consent");
        if let Some(hint) = login_hint {
            url.query_pairs_mut().append_pair("login_hint", hint);
        }
        url
    }

    /// Reads the query that the browser came back with. Only that of this very attempt counts.
    ///
    /// # Errors
    /// `Foreign` for any other; `Refused` when this attempt was turned down.
    pub fn read(&self, query: &str) -> Result<Redirect, RedirectError> {
        let value = |wanted: &str| {
            form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value)
        };
        let state = value("state").ok_or(RedirectError::Foreign)?;
        if !bool::from(state.as_bytes().ct_eq(self.state.expose_secret().as_bytes())) {
            return Err(RedirectError::Foreign);
        }
        if let Some(error) = value("error") {
            let said = value("error_description").unwrap_or_default();
            let line = format!("{error} {said}");
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
            return Err(RedirectError::Refused(line.trim().to_owned()));
        }
        let code = value("code").filter(|code| !code.is_empty()).ok_or(RedirectError::Foreign)?;
        Ok(Redirect { code: code.into_owned().into() })
    }

    /// Reads a pasted address, or its query.
    ///
    /// # Errors
    /// As [`Attempt::read`].
    pub fn read_address(&self, address: &str) -> Result<Redirect, RedirectError> {
        let address = address.trim();
        self.read(address.split_once('?').map_or(address, |(_, query)| query))
    }

    /// The form of RFC 6749 4.1.3 that turns the code into a grant.
    pub(super) fn form(&self, redirect: &Redirect) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", redirect.code.expose_secret().to_owned()),
            ("redirect_uri", self.redirect.to_string()),
            ("code_verifier", self.verifier.expose_secret().to_owned()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> Attempt {
        let random = std::array::from_fn(|index| u8::try_from(index).unwrap());
        Attempt::new(random, "http://127.0.0.1:21600/".parse().unwrap())
    }

    fn client() -> OAuthClient {
        OAuthClient {
            client_id: "desk".to_owned(),
            client_secret: None,
            auth_url: "https://auth.example.edu/o?tenant=a".parse().unwrap(),
            token_url: "https://auth.example.edu/t".parse().unwrap(),
            scope: "calendar".to_owned(),
        }
    }

    #[test]
    fn the_challenge_is_the_hash_of_the_verifier_and_the_secrets_stay_here() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let attempt = Attempt { verifier: verifier.into(), ..attempt() };
        let url = attempt.url(&client(), Some("emmy@example.edu"));
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).unwrap().1.as_str();
        assert_eq!(value("code_challenge"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!((value("code_challenge_method"), value("tenant")), ("S256", "a"));
        assert_eq!((value("redirect_uri"), value("login_hint")), ("http://127.0.0.1:21600/", "emmy@example.edu"));
        assert!(!url.as_str().contains(verifier) && !format!("{attempt:?}").contains(verifier));
    }

    #[test]
    fn only_the_answer_to_this_very_attempt_counts() {
        let attempt = attempt();
        let state = attempt.state.expose_secret().to_owned();
        let code = |query: &str| attempt.read(query).map(|redirect| redirect.code.expose_secret().to_owned());
        assert_eq!(code(&format!("state={state}&code=4%2FxY")), Ok("4/xY".to_owned()));
        for foreign in [
            "",
            "code=1",
            "code=1&state=",
            "code=1&state=AAAA",
            &format!("state={state}"),
            &format!("state={state}&code="),
        ] {
            assert_eq!(code(foreign), Err(RedirectError::Foreign), "{foreign}");
        }
        assert_eq!(code("error=access_denied&state=AAAA"), Err(RedirectError::Foreign));
        let refused = code(&format!("error=access_denied&error_description=no%0Athanks&state={state}"));
        assert_eq!(refused, Err(RedirectError::Refused("access_denied no thanks".to_owned())));
        let pasted = attempt.read_address(&format!("  http://127.0.0.1:21600/?code=1&state={state}\n"));
        assert_eq!(pasted.unwrap().code.expose_secret(), "1");
    }

    #[test]
    fn two_attempts_share_nothing() {
        let other = Attempt::new([7; 64], "http://127.0.0.1:1/".parse().unwrap());
        assert_ne!(other.state.expose_secret(), attempt().state.expose_secret());
        assert_ne!(other.verifier.expose_secret(), attempt().verifier.expose_secret());
        assert_eq!(attempt().verifier.expose_secret().len(), 43);
    }
}
