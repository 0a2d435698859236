//! Checks of the targets of webhooks, against requests to internal services.
//!
//! The address of a rule may come from a template, and so from the provider's data. Two checks are necessary: of the URL
//! before its name is resolved, and of the resolved addresses, to which the caller then connects. Otherwise a name could
//! resolve to another address in between.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::{AddressKind, kind_of};

/// The targets that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TargetPolicy {
    /// Whether addresses that are not public are accepted.
    pub allow_private: bool,
    /// Whether `http:` is accepted.
    pub allow_http: bool,
}

/// A target that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The scheme is not accepted.
    #[error("the scheme `{0}` is not accepted for webhooks, use https")]
    Scheme(String),
    /// The address contains a user name or a password.
    #[error("the address contains a user name or a password, use a header instead")]
    Credentials,
    /// The address has no host.
    #[error("the address has no host")]
    Host,
    /// The name belongs to this machine or to an internal network.
    #[error("`{0}` is a name of this machine or of an internal network, which webhooks must not reach")]
    Name(String),
    /// The address is not public.
    #[error("`{0}` is not a public address, which webhooks must not reach")]
    Address(IpAddr),
    /// The name has no address.
    #[error("the name of the target has no address")]
    NoAddress,
}

/// Returns whether a header of this name contains credentials, which belong into the settings of deliveries.
pub fn is_credential_header(name: &str) -> bool {
    const CREDENTIALS: [&str; 8] = [
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "private-token",
    ];
    CREDENTIALS.iter().any(|credential| name.trim().eq_ignore_ascii_case(credential))
}

/// Returns whether an address contains a secret: a user, or a token of a known form.
pub fn has_secret(address: &str) -> bool {
    let has_user = |url: &Url| !url.username().is_empty() || url.password().is_some();
    address.parse().is_ok_and(|url| has_user(&url)) || !integration_graph::secrets::kinds_in(address).is_empty()
}

/// Checks the URL of a target before its name is resolved.
///
/// # Errors
/// [`TargetError`] if the policy does not accept the target.
pub fn check_target(url: &Url, policy: TargetPolicy) -> Result<(), TargetError> {
    match url.scheme() {
        "https" => {}
        "http" if policy.allow_http => {}
        other => return Err(TargetError::Scheme(other.to_owned())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::Credentials);
    }
    match url.host().ok_or(TargetError::Host)? {
        Host::Domain(name) if !policy.allow_private && is_internal(name) => Err(TargetError::Name(name.to_owned())),
        Host::Domain(_) => Ok(()),
        Host::Ipv4(address) => check_addresses(&[IpAddr::V4(address)], policy),
        Host::Ipv6(address) => check_addresses(&[IpAddr::V6(address)], policy),
    }
}

/// Checks the addresses to which the name of a target resolves. One address that is not accepted refuses the target.
///
/// # Errors
/// [`TargetError`] if there is no address, or if the policy does not accept one of them.
pub fn check_addresses(addresses: &[IpAddr], policy: TargetPolicy) -> Result<(), TargetError> {
    if addresses.is_empty() {
        return Err(TargetError::NoAddress);
    }
    let refused = addresses.iter().find(|address| !policy.allow_private && kind_of(**address) != AddressKind::Public);
    refused.map_or(Ok(()), |address| Err(TargetError::Address(*address)))
}

/// Returns whether a name cannot belong to the internet: it has one label, or a suffix for internal networks.
fn is_internal(name: &str) -> bool {
    const SUFFIXES: [&str; 7] = [".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".corp"];
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    !name.contains('.') || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, policy: TargetPolicy) -> Result<(), TargetError> {
        check_target(&text.parse().expect(text), policy)
    }

    #[test]
    fn public_targets_are_accepted() {
        for text in [
            "https://hooks.slack.com/services/x",
            "https://example.com:8443/a?b=c",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
        ] {
            assert_eq!(check(text, TargetPolicy::default()), Ok(()), "{text}");
        }
    }

    #[test]
    fn internal_targets_are_refused_in_every_spelling() {
        for text in [
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://metadata.google.internal/",
            "https://printer.local/",
            "https://intranet/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://169.254.169.254/latest",
            "https://0/",
            "https://１２７.０.０.１/",
            "http://example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user@example.com/",
            "https://:secret@example.com/",
            "https://example.com@10.0.0.1/",
        ] {
            assert!(check(text, TargetPolicy::default()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_policy_can_accept_them() {
        let policy = TargetPolicy { allow_private: true, allow_http: true };
        for text in ["http://localhost:8080/", "https://10.0.0.1/", "http://[::1]/"] {
            assert_eq!(check(text, policy), Ok(()), "{text}");
        }
        assert!(check("ftp://example.com/", policy).is_err());
        assert_eq!(check("http://8.8.8.8/", TargetPolicy { allow_http: true, allow_private: false }), Ok(()));
    }

    #[test]
    fn one_private_address_refuses_the_name() {
        let address = |text: &str| text.parse::<IpAddr>().expect(text);
        let policy = TargetPolicy::default();
        assert_eq!(check_addresses(&[address("8.8.8.8")], policy), Ok(()));
        assert_eq!(
            check_addresses(&[address("8.8.8.8"), address("fd00::1")], policy),
            Err(TargetError::Address(address("fd00::1")))
        );
        assert_eq!(check_addresses(&[], policy), Err(TargetError::NoAddress));
    }
}
