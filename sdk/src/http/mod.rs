//! The provider's client (placeholder until the room is filled).
#![allow(missing_docs)]
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub struct Http;
#[derive(Clone, Debug)]
pub struct Endpoint;
impl Endpoint {
    #[must_use]
    pub fn in_flight(self, _: usize) -> Self {
        self
    }
}
#[derive(Clone, Debug, Default)]
pub struct Access {
    pub subject: String,
    pub scopes: Option<BTreeSet<String>>,
}
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
pub struct Usage {
    pub requests: u64,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderErrorKind {
    Authentication,
    Authorization,
    NotFound,
    RetriesExceeded,
    Unexpected,
}
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ProviderError {
    pub kind: ProviderErrorKind,
    pub message: String,
}
impl ProviderError {
    pub fn code(&self) -> &'static str {
        "PROVIDER_API_ERROR"
    }
}
pub trait Provider: Send + Sync + Sized + 'static {
    type Config: crate::config::Config;
    fn endpoint(config: &Self::Config) -> Endpoint;
    fn new(http: Http) -> Self;
    fn verify(&self) -> impl Future<Output = Result<Access, ProviderError>> + Send;
}
impl Http {
    pub fn connect(_: Endpoint) -> Result<Self, ProviderError> {
        Ok(Self)
    }
    pub fn for_step(&self) -> Self {
        self.clone()
    }
    pub fn usage(&self) -> Usage {
        Usage::default()
    }
}
