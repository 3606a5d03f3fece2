//! Basic authentication (RFC 7617), compared in constant time. Start with [`Digest`].

use super::answer::{Answer, empty, with_header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// A digest of `user:password`: all of one length, so that comparing tells nothing.
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(user: &str, password: &str) -> Digest {
        Digest(Sha256::digest(format!("{user}:{password}")).into())
    }

    /// Whether the request carries the login.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let given = || -> Option<Vec<u8>> {
            let (scheme, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(value.trim()).ok())?
        };
        given().is_some_and(|given| {
            let given: [u8; 32] = Sha256::digest(given).into();
            bool::from(given.ct_eq(&self.0))
        })
    }
}

/// 401.
pub(super) fn challenge() -> Answer {
    with_header(
        empty(StatusCode::UNAUTHORIZED),
        WWW_AUTHENTICATE,
        "Basic realm=\"officehours demo\", charset=\"UTF-8\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_login_is_admitted() {
        let login = Digest::of("emmy", "pä:ss");
        let admits = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            login.admits(&headers)
        };
        assert!(admits(&format!("bAsIc {}", STANDARD.encode("emmy:pä:ss"))));
        for wrong in ["emmy:pass", "emmy", "", ":", "emmy:pä:ss "] {
            assert!(!admits(&format!("Basic {}", STANDARD.encode(wrong))), "{wrong}");
        }
        for wrong in ["Basic", "Basic ???", "Bearer x", ""] {
            assert!(!admits(wrong), "{wrong}");
        }
        assert!(!login.admits(&HeaderMap::new()));
    }
}
