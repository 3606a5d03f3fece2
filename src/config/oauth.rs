//! `auth` of an account: a login by OAuth 2.0, by default at Google.

use super::Surroundings;
use super::file::Section;
use super::secret::{self, Secret};
use super::value::text;
use toml::de::DeValue;
use url::Url;

/// Where Google asks its people.
const GOOGLE_AUTH: &str = "https://accounts.google.com/o/oauth2/v2/auth";
/// Where Google gives tokens.
const GOOGLE_TOKEN: &str = "https://oauth2.googleapis.com/token";
/// To read and to write calendars, as Google calls it.
const GOOGLE_SCOPE: &str = "https://www.googleapis.com/auth/calendar";
/// Where Google's calendars are. The account's principal is below it, at `ADDRESS/user`.
const GOOGLE_CALDAV: &str = "https://apidata.googleusercontent.com/caldav/v2/";

/// How an account logs in by OAuth (RFC 6749). `officehours login` makes the grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth {
    /// This program, as registered with the authorization server.
    pub client_id: String,
    /// Its secret; `None`: it has none.
    pub client_secret: Option<Secret>,
    /// Where the host goes to grant access.
    pub auth_url: Url,
    /// Where tokens come from: https, or plain http to this machine.
    pub token_url: Url,
    /// What is asked for.
    pub scope: String,
    /// The address at the server whose calendars are meant.
    pub username: Option<String>,
}

/// Reads `auth = { google = { … } }`.
pub(super) fn oauth(account: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<OAuth> {
    let auth = account.section("auth")?;
    if !auth.has("google") {
        auth.missing("google", "auth = { google = { client_id = \"…\", client_secret = { file = \"…\" } } }");
    }
    let google = auth.section("google")?;
    let client_id = google.require("client_id", "client_id = \"….apps.googleusercontent.com\"", text);
    let client_secret = secret::read(&google, "client_secret", surroundings);
    let elsewhere = google.written(&["auth_url", "token_url"]);
    match elsewhere.as_slice() {
        [] if !google.has("client_secret") => {
            google.missing("client_secret", "client_secret = { file = \"…\" }; Google asks for it");
        }
        ["auth_url"] => google.missing("token_url", "token_url = \"https://…\", of the same server as auth_url"),
        ["token_url"] => google.missing("auth_url", "auth_url = \"https://…\", of the same server as token_url"),
        _ => {}
    }
    let auth_url = google.read_or("auth_url", GOOGLE_AUTH.parse().ok(), |value| endpoint(value).map(Some));
    let token_url = google.read_or("token_url", GOOGLE_TOKEN.parse().ok(), |value| endpoint(value).map(Some));
    let scope = google.read_or("scope", GOOGLE_SCOPE.to_owned(), text);
    let username = account.read("username", text);
    Some(OAuth { client_id: client_id?, client_secret, auth_url: auth_url?, token_url: token_url?, scope, username })
}

impl OAuth {
    /// The account's address where none is written: at Google, the principal of its guide for this person.
    pub(super) fn caldav(&self, host_address: Option<&str>) -> Option<Url> {
        let address = self.username.as_deref().or(host_address)?;
        if self.auth_url.as_str() != GOOGLE_AUTH {
            return None;
        }
        let mut url: Url = GOOGLE_CALDAV.parse().ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().push(address).push("user");
        Some(url)
    }
}

fn endpoint(value: &DeValue<'_>) -> Result<Url, String> {
    let url = super::host::http_url(value)?;
    match url.scheme() == "https" || super::host::is_loopback(&url) {
        true => Ok(url),
        false => Err("plain http would send the login in clear; write https://".to_owned()),
    }
}
