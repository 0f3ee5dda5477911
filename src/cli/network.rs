//! Under which addresses this machine may be reached.

use std::net::{IpAddr, SocketAddr, UdpSocket};

/// The IPv4 addresses of the local network: what a phone beside us would type.
pub(super) fn addresses() -> Vec<IpAddr> {
    let networks = sysinfo::Networks::new_with_refreshed_list();
    let all = networks.values().flat_map(|data| data.ip_networks());
    let mut addresses: Vec<IpAddr> = all.map(|network| network.addr).collect();
    addresses.retain(|address| match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(_) => false,
    });
    addresses.sort();
    addresses.dedup();
    addresses
}

/// The one that others most likely reach: the one that the way out of this machine begins with,
/// else the first.
pub(super) fn likely() -> Option<IpAddr> {
    let all = addresses();
    let outward = || -> std::io::Result<IpAddr> {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        // Connecting a datagram socket sends nothing; it only asks the routing table. The address
        // is one of documentation (RFC 5737).
        socket.connect("192.0.2.1:9")?;
        Ok(socket.local_addr()?.ip())
    };
    let outward = outward().ok().filter(|address| all.contains(address));
    outward.or_else(|| all.first().copied())
}

/// Under which name or address a browser on this machine comes in, with the port; an address that
/// was named is the only one.
pub(super) fn local(address: SocketAddr) -> String {
    let any = address.ip() == std::net::Ipv4Addr::LOCALHOST || address.ip().is_unspecified();
    if any {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_one_that_answers() {
        let check = |listen: &str, shown: &str| {
            assert_eq!(local(listen.parse().unwrap()), shown, "{listen}");
        };
        check("127.0.0.1:8443", "localhost:8443");
        check("0.0.0.0:8443", "localhost:8443");
        check("[::]:8443", "localhost:8443");
        check("[::1]:8443", "[::1]:8443");
        check("192.0.2.7:8444", "192.0.2.7:8444");
        check("[2001:db8::7]:8443", "[2001:db8::7]:8443");
    }

    #[test]
    fn the_likely_address_is_one_of_ours() {
        let all = addresses();
        assert_eq!(likely().is_some(), !all.is_empty());
        assert!(likely().is_none_or(|address| all.contains(&address)));
        assert!(all.iter().all(|address| !address.is_loopback()));
    }
}
