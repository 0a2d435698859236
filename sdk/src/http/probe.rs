//! What may be asked, told by an answer that nobody reads.

use std::collections::BTreeSet;

/// What [`Request::probe`](super::Request::probe) learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The status: 2xx where it may be asked, 403 where a scope is missing.
    pub status: u16,
    /// The scopes that the endpoint accepts, any of which will do; none where the provider does not tell.
    pub accepted_scopes: BTreeSet<String>,
    /// The scopes that the credentials hold, where the provider tells.
    pub granted_scopes: Option<BTreeSet<String>>,
    /// How many requests are left, where the provider tells.
    pub rate_remaining: Option<u64>,
}

impl Probe {
    /// Whether the credentials may ask this.
    pub fn is_allowed(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
