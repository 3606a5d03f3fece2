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

/// Where the config lets credentials go beyond the account's own site.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    pub(crate) plain: PlainHttp,
    /// Further hosts, over https.
    pub(crate) hosts: Vec<String>,
}

/// Whether the credentials of the account at `account` may be sent to `target`: over https to the same site or a trusted host, over
/// plain http on this machine, or where the config allows plain http. Never by plain http when the account is https.
pub(crate) fn may_carry_credentials(account: &Url, target: &Url, trust: &Trust) -> bool {
    match target.scheme() {
        "https" => same_site(account, target) || is_trusted(target, &trust.hosts),
        "http" if account.scheme() == "http" => {
            let both_here = is_loopback(account) && is_loopback(target);
            both_here || (trust.plain == PlainHttp::OwnHost && account.host() == target.host())
        }
        _ => false,
    }
}

fn is_trusted(target: &Url, hosts: &[String]) -> bool {
    let target = target.host_str().unwrap_or_default().trim_end_matches('.');
    hosts.iter().any(|host| host.trim_end_matches('.').eq_ignore_ascii_case(target))
}

/// Whether a bearer token of the account may be sent to `target`: where a password may, and only to the account's own host. Whoever
/// gets a token can use it, and the hosts beside a large service's may be anybody's.
pub(crate) fn may_carry_token(account: &Url, target: &Url, trust: &Trust) -> bool {
    account.host() == target.host() && may_carry_credentials(account, target, trust)
}

/// The same host, or two within one name that somebody registered, by the list of public suffixes: `caldav.icloud.com` and
/// `p42-caldav.icloud.com`, but not `a.github.io` and `b.github.io`.
fn same_site(account: &Url, target: &Url) -> bool {
    match (account.host(), target.host()) {
        (Some(Host::Domain(account)), Some(Host::Domain(target))) => {
            let (account, target) = (account.trim_end_matches('.'), target.trim_end_matches('.'));
            account == target || psl::domain_str(account).is_some_and(|site| psl::domain_str(target) == Some(site))
        }
        (Some(account), Some(target)) => account == target,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(account: &str, target: &str, plain: PlainHttp) -> bool {
        let trust = Trust { plain, hosts: vec!["caldav.fastmail.com".to_owned()] };
        may_carry_credentials(&account.parse().unwrap(), &target.parse().unwrap(), &trust)
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
            ("https://cal.cs.example.edu/", "https://login.example.edu/", true),
            ("https://a.github.io/", "https://b.github.io/", false),
            ("https://github.io/", "https://b.github.io/", false),
            ("https://cal.example.com.au/", "https://cal.other.com.au/", false),
            ("https://nas.home.arpa/", "https://cal.home.arpa/", false),
            ("https://example.edu/", "https://caldav.fastmail.com/dav/", true),
            ("https://example.edu/", "https://CalDAV.fastmail.com./dav/", true),
            ("https://example.edu/", "http://caldav.fastmail.com/dav/", false),
            ("https://example.edu/", "https://fastmail.com/dav/", false),
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
            may_carry_token(
                &account.parse().unwrap(),
                &target.parse().unwrap(),
                &Trust { plain: PlainHttp::LoopbackOnly, hosts: vec!["caldav.fastmail.com".to_owned()] },
            )
        };
        assert!(token("https://apidata.example.com/caldav/v2/", "https://apidata.example.com/caldav/v2/a/events/"));
        assert!(!token("https://apidata.example.com/", "https://attachments.example.com/"));
        assert!(!token("https://apidata.example.com/", "http://apidata.example.com/"));
        assert!(allowed("http://nas.local/", "http://nas.local:5000/", PlainHttp::OwnHost));
        assert!(!allowed("http://nas.local/", "http://other.local/", PlainHttp::OwnHost));
    }
}
