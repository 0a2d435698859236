//! Hosts of addresses.

use std::net::IpAddr;

/// Returns whether a host is this machine, so that a connection to it needs neither encryption nor a proxy.
///
/// The host is a name or an address as in a URL, with or without brackets. Names are compared without regard to case. No
/// name is resolved: a name other than `localhost` may lead to another machine.
#[doc(hidden)]
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_and_localhost_are_this_machine() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "localhost.example.com", "db.localhost", "[localhost", "10.0.0.1", "0.0.0.0", "[::2]", "127.1"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
