//! The options of a fake provider.

use crate::{Access, Dialect, Latency, PageLimits, RateBucket};

/// Options that apply to all routes of a provider.
#[derive(Debug, Clone)]
pub struct ProviderOptions {
    /// The accepted tokens; by default no token is required.
    pub access: Access,
    /// The rate bucket; none by default.
    pub rate: Option<RateBucket>,
    /// The delay of replies.
    pub latency: Latency,
    /// The page size of routes without their own.
    pub page_limits: PageLimits,
    /// The longest request body.
    pub body_limit: usize,
    /// Whether bodies are compressed for clients that accept gzip.
    pub compresses: bool,
    /// Whether pages are rendered once and reused, so that a measurement counts only the client. Lists must not change.
    pub keeps_pages: bool,
    /// The header names and the shape of errors.
    pub dialect: Dialect,
}

impl Default for ProviderOptions {
    fn default() -> Self {
        Self {
            access: Access::open(),
            rate: None,
            latency: Latency::None,
            page_limits: PageLimits::default(),
            body_limit: 16 * 1024 * 1024,
            compresses: true,
            keeps_pages: false,
            dialect: Dialect::default(),
        }
    }
}
