//! OAuth 2.0 for accounts whose server takes no password (RFC 6749), such as Google's: how a person grants access at a browser
//! (`authorize`: RFC 7636, RFC 8252), the token endpoint (`token`), what is kept of a grant (`grant`), and access tokens that are
//! always fresh (`access`). Start with [`OAuthClient`] and [`AccessTokens`].

mod access;
mod authorize;
mod grant;
mod token;

pub use access::AccessTokens;
pub use authorize::{Attempt, Redirect, RedirectError};
pub use grant::GrantFile;
pub use token::exchange;

use super::Password;
use url::Url;

/// This program as an authorization server knows it. Debug does not print the secret.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// As registered with the authorization server.
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<Password>,
    /// The authorization endpoint: where the person goes.
    pub auth_url: Url,
    /// The token endpoint: https, or plain http to this machine.
    pub token_url: Url,
    /// What is asked for.
    pub scope: String,
}
