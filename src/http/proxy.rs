//! Who is asking: the peer, or the guest that a trusted proxy names in `X-Forwarded-For`. Start with [`client_ip`].

use axum::http::HeaderMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The address of the other end of a connection, as the server puts it into a request's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// The guest's address, as far as it is known, in a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientIp(pub(super) Option<IpAddr>);

/// Which addresses are those of our own proxies, by the config. Cheap to clone.
#[derive(Clone)]
pub struct TrustedProxies(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

/// None.
impl Default for TrustedProxies {
    fn default() -> TrustedProxies {
        TrustedProxies::new(|_| false)
    }
}

impl TrustedProxies {
    /// Those that `is_trusted` says are ours.
    pub fn new(is_trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> TrustedProxies {
        TrustedProxies(Arc::new(is_trusted))
    }

    fn contains(&self, address: IpAddr) -> bool {
        (self.0)(address)
    }
}

impl fmt::Debug for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustedProxies")
    }
}

/// The guest's address: the right-most hop of `X-Forwarded-For` that is no trusted proxy, if the peer is one; else the
/// peer. A hop that cannot be read ends the walk at the last address that can be trusted to be true.
pub(super) fn client_ip(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &TrustedProxies) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.contains(address);
    let mut client = peer?.to_canonical();
    if !is_trusted(client) {
        return Some(client);
    }
    let hops = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).collect();
    for hop in hops.into_iter().rev() {
        match parse_hop(hop.trim()) {
            Some(address) => client = address,
            None => break,
        }
        if !is_trusted(client) {
            break;
        }
    }
    Some(client)
}

/// An address, with or without a port, the brackets of IPv6 with or without.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<String> = trusted.iter().map(|prefix| (*prefix).to_owned()).collect();
        let trusted =
            TrustedProxies::new(move |address| trusted.iter().any(|prefix| address.to_string().starts_with(prefix)));
        client_ip(Some(peer.parse().unwrap()), &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn a_stranger_cannot_name_another_address() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"], &["127.0.0.1"]), "203.0.113.9");
    }

    #[test]
    fn the_right_most_untrusted_hop_counts() {
        let trusted = ["127.0.0.1", "10."];
        assert_eq!(client("127.0.0.1", &["198.51.100.1, 203.0.113.7, 10.1.2.3"], &trusted), "203.0.113.7");
        assert_eq!(client("127.0.0.1", &["198.51.100.1", "203.0.113.7"], &trusted), "203.0.113.7");
        assert_eq!(client("127.0.0.1", &["10.9.9.9"], &trusted), "10.9.9.9");
        assert_eq!(client("127.0.0.1", &[], &trusted), "127.0.0.1");
    }

    #[test]
    fn a_hop_that_cannot_be_read_ends_the_walk() {
        assert_eq!(client("127.0.0.1", &["203.0.113.7, unknown"], &["127.0.0.1"]), "127.0.0.1");
    }

    #[test]
    fn hops_may_carry_ports_brackets_and_mapped_addresses() {
        let trusted = ["127.0.0.1", "fd00:"];
        assert_eq!(client("::ffff:127.0.0.1", &["203.0.113.7:4711"], &trusted), "203.0.113.7");
        assert_eq!(client("fd00::1", &["[2001:db8::5]:443"], &trusted), "2001:db8::5");
        assert_eq!(client("fd00::1", &["[2001:db8::5]"], &trusted), "2001:db8::5");
    }
}
