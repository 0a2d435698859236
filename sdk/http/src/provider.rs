//! The account that a provider confirms.

use std::collections::BTreeSet;
use std::fmt;

/// The result of checking credentials that the provider did not refuse.
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
