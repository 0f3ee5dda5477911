//! Who counts as one sender.

use std::net::{IpAddr, Ipv6Addr};

/// An address as limits count it: an IPv4 address, or an IPv6 network of 64 bits,
/// because a single subscriber holds all of one and could change within it at will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(IpAddr);

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(IpAddr::V4(v4)),
            IpAddr::V6(v6) => {
                let network = v6.to_bits() & !u128::from(u64::MAX);
                Self(IpAddr::V6(Ipv6Addr::from_bits(network)))
            }
        }
    }
}

/// The client behind trusted proxies. `forwarded` is the value of `X-Forwarded-For`,
/// several headers joined by commas: each proxy appends whom it heard from.
///
/// Read from the right, for as long as the one who wrote the entry is trusted. So a peer
/// that is not trusted is the client itself, whatever it claims, and what a client put
/// into the header itself is never reached. An entry that is no address ends the search.
pub fn client_address(
    peer: IpAddr,
    forwarded: Option<&str>,
    trusted: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let mut client = peer.to_canonical();
    let entries = forwarded.unwrap_or("").rsplit(',').map(str::trim);
    for entry in entries {
        if !trusted(client) {
            break;
        }
        match entry.parse::<IpAddr>() {
            Ok(before) => client = before.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn counts_ipv4_by_address_and_ipv6_by_network() {
        let check = |a: &str, b: &str, same: bool| {
            assert_eq!(
                Address::from(ip(a)) == Address::from(ip(b)),
                same,
                "{a} and {b}"
            );
        };
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", "192.0.2.2", false);
        check("192.0.2.1", "::ffff:192.0.2.1", true);
        check("::ffff:192.0.2.1", "::ffff:192.0.2.2", false);
        check("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true);
        check("2001:db8:1:2::1", "2001:db8:1:3::1", false);
        check("::1", "127.0.0.1", false);
    }

    #[test]
    fn believes_only_trusted_proxies() {
        let trusted = |address: IpAddr| address.to_string().starts_with("10.");
        let check = |peer: &str, header: Option<&str>, client: &str| {
            let found = client_address(ip(peer), header, trusted);
            assert_eq!(found, ip(client), "{peer} {header:?}");
        };
        check("192.0.2.1", None, "192.0.2.1");
        check("192.0.2.1", Some("198.51.100.7"), "192.0.2.1");
        check("10.0.0.1", None, "10.0.0.1");
        check("10.0.0.1", Some("198.51.100.7"), "198.51.100.7");
        check("::ffff:10.0.0.1", Some("198.51.100.7"), "198.51.100.7");
        check(
            "10.0.0.1",
            Some("1.1.1.1, 198.51.100.7 , 10.0.0.2"),
            "198.51.100.7",
        );
        check("10.0.0.1", Some("10.9.9.9,10.0.0.2"), "10.9.9.9");
        check("10.0.0.1", Some("198.51.100.7, unknown"), "10.0.0.1");
        check("10.0.0.1", Some(""), "10.0.0.1");
        check("10.0.0.1", Some("2001:db8::1"), "2001:db8::1");
    }
}
