//! Where others reach this machine.

use std::net::IpAddr;

/// Addresses under which others may reach this machine.
pub fn lan_addresses() -> Vec<IpAddr> {
    let networks = sysinfo::Networks::new_with_refreshed_list();
    let mut addresses: Vec<IpAddr> = networks
        .values()
        .flat_map(|n| n.ip_networks())
        .map(|n| n.addr)
        .filter(|a| a.is_ipv4() && !a.is_loopback())
        .collect();
    addresses.sort();
    addresses
}

/// The authority under which another device comes to the page that was asked as `host`: the same,
/// where that is not this machine's own name for itself; else the first of `elsewhere`.
///
/// None where this machine listens for itself alone.
pub(super) fn authority(host: &str, elsewhere: impl FnOnce() -> Option<String>) -> Option<String> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, Some(port)),
        _ => (host, None),
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>();
    let is_local = name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|a| a.is_loopback());
    if !is_local {
        return Some(host.to_owned());
    }
    let name = elsewhere()?;
    Some(match port {
        Some(port) => format!("{name}:{port}"),
        None => name,
    })
}

#[cfg(test)]
mod tests {
    use super::authority;

    #[test]
    fn another_device_is_sent_where_it_can_come() {
        let check = |host: &str, elsewhere: Option<&str>, expected: Option<&str>| {
            let found = authority(host, || elsewhere.map(str::to_owned));
            assert_eq!(found.as_deref(), expected, "{host}");
        };
        let lan = Some("192.0.2.7");
        for same in [
            "demo.example:8443",
            "192.0.2.9",
            "[2001:db8::7]:8443",
            "demo",
        ] {
            check(same, lan, Some(same));
            check(same, None, Some(same));
        }
        check("localhost:8443", lan, Some("192.0.2.7:8443"));
        check("LOCALHOST", lan, Some("192.0.2.7"));
        check("127.0.0.1:8444", lan, Some("192.0.2.7:8444"));
        check("[::1]:8444", lan, Some("192.0.2.7:8444"));
        check("[::1]", lan, Some("192.0.2.7"));
        check("localhost:8443", None, None);
    }
}
