//! The check of the `Host` of a request.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// The names under which the endpoint may be requested.
///
/// A page in a browser can send requests to this machine under a name of its own, which resolves to a loopback address (DNS
/// rebinding). Its requests contain that name. An IP address cannot be rebound, so addresses are always allowed, and so
/// is `localhost`.
///
/// ```
/// use integration_server::AllowedHosts;
///
/// let hosts = AllowedHosts::new(["collector.internal".to_owned()]);
/// assert!(hosts.allows("127.0.0.1:9464") && hosts.allows("localhost") && hosts.allows("[::1]:9464"));
/// assert!(hosts.allows("Collector.Internal.:9464"));
/// assert!(!hosts.allows("attacker.example"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts(BTreeSet<String>);

impl AllowedHosts {
    /// Allows names in addition to addresses and `localhost`.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().map(|name| normal(&name)).collect())
    }

    /// Returns whether a `Host` header, with or without a port, is allowed.
    pub fn allows(&self, host: &str) -> bool {
        let Some(name) = name_of(host) else { return false };
        name.parse::<IpAddr>().is_ok() || name == "localhost" || self.0.contains(&name)
    }
}

/// Returns the name or the address of a `Host` header; `None` if it has another form.
fn name_of(host: &str) -> Option<String> {
    let is_port = |text: &str| text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let is_complete = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return is_complete.then(|| address.to_owned());
    }
    match host.split_once(':') {
        Some((name, port)) => is_port(port).then(|| normal(name)),
        None => Some(normal(host)),
    }
}

fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_listed_names_are_allowed() {
        let hosts = AllowedHosts::new(["metrics.example".to_owned()]);
        for host in ["127.0.0.1", "127.0.0.1:80", "10.0.0.7:9464", "[::1]", "[::1]:1", "LOCALHOST:1", "metrics.example"]
        {
            assert!(hosts.allows(host), "{host}");
        }
        for host in [
            "",
            "example",
            "localhost.attacker.example",
            "127.0.0.1.attacker.example",
            "127.0.0.1:80:80",
            "[::1",
            "[::1]x",
            "[attacker.example]",
            "localhost:port",
            "metrics.example:999999",
            "a@localhost",
        ] {
            assert!(!hosts.allows(host), "{host}");
        }
    }
}
