//! The hosts of databases.

use std::net::IpAddr;

/// Returns whether a host is this machine, so that a connection to it needs no encryption.
///
/// The host is a name or an address as in a URL, with or without brackets. No name is resolved: a name other than
/// `localhost` may lead to another machine.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
