//! Where a password may go (RFC 6764 8, RFC 9110 15.4): a pure answer for each address, by [`may_carry_credentials`].

use url::{Host, Url};

/// Whether this is an address of the machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What a plain-http address of the account allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    /// Only on this machine.
    LoopbackOnly,
    /// On the account's own host: the config says `insecure = true`.
    OwnHost,
}

/// Whether the credentials of the account at `account` may be sent to `target`: over https to the same site, over plain http on
/// this machine, or where the config allows plain http. Never by plain http when the account is https.
pub(crate) fn may_carry_credentials(account: &Url, target: &Url, plain: PlainHttp) -> bool {
    match target.scheme() {
        "https" => same_site(account, target),
        "http" if account.scheme() == "http" => {
            let both_here = is_loopback(account) && is_loopback(target);
            both_here || (plain == PlainHttp::OwnHost && account.host() == target.host())
        }
        _ => false,
    }
}

/// Whether a bearer token of the account may be sent to `target`: where a password may, and only to the account's own host. Whoever
/// gets a token can use it, and the hosts beside a large service's may be anybody's.
pub(crate) fn may_carry_token(account: &Url, target: &Url, plain: PlainHttp) -> bool {
    account.host() == target.host() && may_carry_credentials(account, target, plain)
}

/// The same host, one within the other, or two within one registered name (`caldav.icloud.com` and `p42-caldav.icloud.com`).
fn same_site(account: &Url, target: &Url) -> bool {
    match (account.host(), target.host()) {
        (Some(Host::Domain(account)), Some(Host::Domain(target))) => {
            let site = site(account.trim_end_matches('.'));
            let target = target.trim_end_matches('.');
            target == site || target.strip_suffix(site).is_some_and(|rest| rest.ends_with('.'))
        }
        (Some(account), Some(target)) => account == target,
        _ => false,
    }
}

/// The account's own name, or its parent where that is a name that somebody registered. Without the list of public suffixes a
/// short second level under a country (`co.uk`, `edu.au`) counts as public, so the guess errs towards the narrower site.
fn site(host: &str) -> &str {
    let Some((_, parent)) = host.split_once('.') else { return host };
    let labels: Vec<&str> = parent.split('.').collect();
    match labels.as_slice() {
        [] | [_] => host,
        [second, top] if top.len() == 2 && second.len() <= 3 => host,
        _ => parent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(account: &str, target: &str, plain: PlainHttp) -> bool {
        may_carry_credentials(&account.parse().unwrap(), &target.parse().unwrap(), plain)
    }

    #[test]
    fn a_password_stays_within_the_site_and_encrypted() {
        for (account, target, expected) in [
            ("https://cal.example.edu/", "https://cal.example.edu:8443/dav/", true),
            ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com/", true),
            ("https://fastmail.com/", "https://caldav.fastmail.com/", true),
            ("https://www.example.com/", "https://example.com/", true),
            ("https://example.co.uk/", "https://dav.example.co.uk/", true),
            ("https://example.co.uk/", "https://other.co.uk/", false),
            ("https://example.edu/", "https://evil.edu/", false),
            ("https://cal.example.edu/", "https://cal.example.edu.evil.com/", false),
            ("https://cal.example.edu/", "https://evilexample.edu/", false),
            ("https://cal.example.edu/", "http://cal.example.edu/", false),
            ("https://192.0.2.1/", "https://192.0.2.2/", false),
            ("http://127.0.0.1:5232/", "http://localhost:8080/", true),
            ("http://127.0.0.1:5232/", "http://cal.example.edu/", false),
            ("http://127.0.0.1:5232/", "https://cal.example.edu/", false),
            ("http://cal.example.edu/", "http://cal.example.edu/", false),
            ("http://cal.example.edu/", "https://cal.example.edu/", true),
        ] {
            assert_eq!(allowed(account, target, PlainHttp::LoopbackOnly), expected, "{account} -> {target}");
        }
        let token = |account: &str, target: &str| {
            may_carry_token(&account.parse().unwrap(), &target.parse().unwrap(), PlainHttp::LoopbackOnly)
        };
        assert!(token("https://apidata.example.com/caldav/v2/", "https://apidata.example.com/caldav/v2/a/events/"));
        assert!(!token("https://apidata.example.com/", "https://attachments.example.com/"));
        assert!(!token("https://apidata.example.com/", "http://apidata.example.com/"));
        assert!(allowed("http://nas.local/", "http://nas.local:5000/", PlainHttp::OwnHost));
        assert!(!allowed("http://nas.local/", "http://other.local/", PlainHttp::OwnHost));
    }
}
