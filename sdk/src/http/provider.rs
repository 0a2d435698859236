//! What an integration says about its provider.

use std::collections::BTreeSet;
use std::fmt;

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
    fn verify(&self) -> impl Future<Output = Result<VerifiedAccount, ProviderError>> + Send;
    /// Finds out which scopes the credentials hold, where [`verify`](Self::verify) does not tell; may cost a few requests.
    /// Asked only by those who look before a run.
    fn probe_scopes(&self) -> impl Future<Output = Result<Option<BTreeSet<String>>, ProviderError>> + Send {
        std::future::ready(Ok(None))
    }
}

/// The result of [`Provider::verify`] for credentials that the provider did not refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifiedAccount {
    /// The owner of the credentials; `None` if the provider does not name one.
    pub subject: Option<String>,
    /// The reason why the owner is unknown, for people.
    pub subject_unknown: Option<String>,
    /// The scopes of the credentials, if the provider names them.
    pub scopes: Option<BTreeSet<String>>,
}

impl VerifiedAccount {
    /// Credentials of a known owner.
    pub fn of(subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..Self::default() }
    }

    /// Credentials that the provider accepts without naming their owner, and the reason.
    ///
    /// Only a refusal of the credentials (401) ends a job. If they may not read their own account, the job collects
    /// what they may read.
    pub fn of_unknown(reason: impl fmt::Display) -> Self {
        Self { subject_unknown: Some(reason.to_string()), ..Self::default() }
    }

    /// Adds the scopes of the credentials.
    #[must_use]
    pub fn with_scopes(mut self, scopes: BTreeSet<String>) -> Self {
        self.scopes = Some(scopes);
        self
    }
}
