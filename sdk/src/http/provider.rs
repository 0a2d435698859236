//! What an integration says about its provider.

use std::collections::BTreeSet;

use super::{Endpoint, Http, ProviderError};

/// An integration's typed client over [`Http`].
pub trait Provider: Send + Sync + Sized + 'static {
    /// What the client must be told.
    type Config: crate::config::Config;
    /// Where the provider is and how it wants to be asked.
    fn endpoint(config: &Self::Config) -> Endpoint;
    /// The client, over connections that others use too.
    fn new(http: Http) -> Self;
    /// Checks the credentials, before the first step.
    fn verify(&self) -> impl Future<Output = Result<Access, ProviderError>> + Send;
    /// Finds out which scopes the credentials hold, where [`verify`](Self::verify) does not tell; may cost a few requests.
    /// Asked only by those who look before a run.
    fn probe_scopes(&self) -> impl Future<Output = Result<Option<BTreeSet<String>>, ProviderError>> + Send {
        std::future::ready(Ok(None))
    }
}

/// What [`Provider::verify`] learned of the credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Who they belong to.
    pub subject: String,
    /// The scopes they hold, where the provider tells.
    pub scopes: Option<BTreeSet<String>>,
}
