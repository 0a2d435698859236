//! The HTTP client of a provider, and the interface between it and an integration.

use std::collections::BTreeSet;

#[doc(inline)]
pub use integration_http::*;

/// An integration's typed client over [`Http`].
pub trait Provider: Send + Sync + Sized + 'static {
    /// The configuration of the client.
    type Config: crate::config::Config;
    /// Returns the endpoint of the provider.
    fn endpoint(config: &Self::Config) -> Endpoint;
    /// Creates the client over shared connections.
    fn new(http: Http) -> Self;
    /// Checks the credentials before the first step.
    fn verify(&self) -> impl Future<Output = Result<VerifiedAccount, ProviderError>> + Send;
    /// Determines the scopes of the credentials, if [`verify`](Self::verify) does not report them.
    ///
    /// The check may take a few requests. It runs only for commands that inspect the credentials before a job.
    fn probe_scopes(&self) -> impl Future<Output = Result<Option<BTreeSet<String>>, ProviderError>> + Send {
        std::future::ready(Ok(None))
    }
}
