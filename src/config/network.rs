//! Addresses: where to listen, and whose word is taken for a client's address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address and a port; port 0 takes a free one.
    Addr(SocketAddr),
    /// The sockets that systemd passes (`LISTEN_FDS`).
    Systemd,
}

impl Listen {
    pub(super) fn parse(text: &str) -> Result<Listen, String> {
        if text == "systemd" {
            return Ok(Listen::Systemd);
        }
        address(text).map(Listen::Addr).map_err(|advice| format!("{advice}, or \"systemd\""))
    }
}

/// Reads `127.0.0.1:8080` or `[::1]:8080`.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let shown = text.escape_debug();
        let port = text.rsplit(':').next().filter(|port| port.parse::<u16>().is_ok());
        let port = port.unwrap_or("8080");
        format!(
            "\"{shown}\" is no address; write an IP address and a port, such as \"127.0.0.1:{port}\" or \"[::]:{port}\""
        )
    })
}

/// A network in CIDR notation (RFC 4632), or one address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `127.0.0.1`, `10.0.0.0/8` or `fd00::/8`.
    pub fn parse(text: &str) -> Result<Network, String> {
        let advice = || {
            let shown = text.escape_debug();
            format!("\"{shown}\" is no address; write \"127.0.0.1\", or a network as \"10.0.0.0/8\"")
        };
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| advice())?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => full,
            Some(prefix) => prefix.parse::<u8>().ok().filter(|prefix| *prefix <= full).ok_or_else(advice)?,
        };
        let network = Network { address, prefix };
        match network.bits(address) == bits(address) {
            true => Ok(network),
            false => Err(format!("\"{text}\" has bits after its prefix; write \"{}/{prefix}\"", network.first())),
        }
    }

    /// True when the address is in it. An IPv4 address in IPv6 form (`::ffff:10.0.0.1`) is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && self.bits(address) == bits(self.address)
    }

    /// The bits of an address that count here.
    fn bits(&self, address: IpAddr) -> u128 {
        let host_bits = if address.is_ipv4() { 32 } else { 128 } - u32::from(self.prefix);
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        bits(address) & mask
    }

    fn first(&self) -> IpAddr {
        let bits = self.bits(self.address);
        match self.address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(0))),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_in_both_forms() {
        let holds = |network: &str, address: &str| Network::parse(network).unwrap().contains(address.parse().unwrap());
        assert!(holds("127.0.0.1", "127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3") && !holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("fd00::/8", "fdff::1") && !holds("fd00::/8", "fe80::1"));
        assert!(holds("0.0.0.0/0", "8.8.8.8") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("::/0", "::1") && !holds("::/0", "127.0.0.1"));
    }

    #[test]
    fn what_is_no_network_is_told_what_to_write() {
        for (text, part) in [
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("10.0.0.0/33", "10.0.0.0/8"),
            ("proxy", "127.0.0.1"),
            ("fd00::1/8", "fd00::/8"),
        ] {
            assert!(Network::parse(text).unwrap_err().contains(part), "{text}");
        }
        assert!(Listen::parse("localhost:99").unwrap_err().contains("\"127.0.0.1:99\""));
        assert_eq!(Listen::parse("systemd"), Ok(Listen::Systemd));
    }
}
