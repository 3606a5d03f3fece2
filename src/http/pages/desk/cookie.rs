//! The cookie of a session at the desk (RFC 6265): this site's alone, out of reach of scripts, and sent with no request that another
//! site makes. The only cookie there is.

use axum::http::{HeaderMap, HeaderValue, header};

/// Over https: the prefix has browsers refuse one that is not `Secure`, or that another host of the domain has set.
const SECURE: &str = "__Host-officehours-desk";
/// Over http, on one's own machine.
const PLAIN: &str = "officehours-desk";

/// The cookie for pages under a public URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    secure: bool,
}

impl Cookie {
    pub(super) fn of(public_url: &str) -> Cookie {
        Cookie { secure: public_url.starts_with("https://") }
    }

    fn name(self) -> &'static str {
        if self.secure { SECURE } else { PLAIN }
    }

    /// What the browser has of it.
    pub(super) fn read(self, headers: &HeaderMap) -> Option<String> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| *name == self.name()).map(|(_, value)| value.to_owned()).next()
    }

    /// Has the browser keep it, for so many seconds.
    pub(super) fn keep(self, token: &str, seconds: i64) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.name();
        // `Path=/` is what the prefix asks for, whatever the path of the public URL.
        let text = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// Has the browser forget it.
    pub(super) fn forget(self) -> Option<HeaderValue> {
        self.keep("", 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_https_it_has_the_prefix_that_no_other_host_can_set() {
        let (secure, plain) = (Cookie::of("https://meet.example.edu/x"), Cookie::of("http://127.0.0.1:8080"));
        let kept = secure.keep("abc", 60).unwrap();
        assert_eq!(kept, "__Host-officehours-desk=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(plain.forget().unwrap(), "officehours-desk=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
        let headers = |lines: &[&str]| {
            HeaderMap::from_iter(lines.iter().map(|line| (header::COOKIE, HeaderValue::from_str(line).unwrap())))
        };
        let sent = headers(&["a=b; officehours-desk=plain", "x=y;__Host-officehours-desk=abc"]);
        assert_eq!(secure.read(&sent).as_deref(), Some("abc"));
        assert_eq!(plain.read(&sent).as_deref(), Some("plain"));
        assert_eq!(secure.read(&headers(&["officehours-desk=plain"])), None, "one without the prefix is none");
    }
}
