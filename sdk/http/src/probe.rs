//! Probes: requests that only check whether access is allowed.

use std::collections::BTreeSet;

/// The result of [`Request::probe`](super::Request::probe).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The status: 2xx if access is allowed, 403 if a scope is missing.
    pub status: u16,
    /// The scopes that the endpoint accepts. Each of them is sufficient.
    ///
    /// The set is empty if the provider does not report them.
    pub accepted_scopes: BTreeSet<String>,
    /// The scopes of the credentials, if the provider reports them.
    pub granted_scopes: Option<BTreeSet<String>>,
    /// The number of remaining requests, if the provider reports it.
    pub rate_remaining: Option<u64>,
}

impl Probe {
    /// Returns whether the credentials allow the request.
    pub fn is_allowed(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
