//! The interface between an integration and its provider.

use std::collections::BTreeSet;
use std::fmt;

use super::{Endpoint, Http, ProviderError};

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

/// The result of [`Provider::verify`] for credentials that the provider did not refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifiedAccount {
    /// The owner of the credentials; `None` if the provider does not name one.
    pub subject: Option<String>,
    /// The reason why the owner is unknown, for display.
    pub subject_unknown: Option<String>,
    /// The scopes of the credentials, if the provider names them.
    pub scopes: Option<BTreeSet<String>>,
}

impl VerifiedAccount {
    /// Creates the account of a known owner.
    pub fn of(subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..Self::default() }
    }

    /// Creates an account for accepted credentials whose owner is unknown, with the reason.
    ///
    /// Only rejected credentials (401) end a job. If the credentials lack access to their own account, the job collects
    /// the data that they can access.
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
