//! The client of a provider: asks, waits, asks again, and turns answers into typed values.
//!
//! ```text
//!   Provider (an integration's client)        says where: Endpoint
//!      │ get("/teams/{id}/apps", &[&id])
//!      ▼
//!   Request ──json──▶ T
//!      │ ranges, list, pages                  Listing<T>: a stream of Item { value, raw }
//!      ▼                                        │ wants an element, its page is used up
//!   Pages: one loop for every Pagination ◀──────┘
//!      │ one page
//!      ▼
//!   Http::fetch: attempts, pauses, verdicts   RetryPolicy, ProviderError
//!      │ one attempt                           Condition: a kept answer in the place of a 304
//!      ▼
//!   Admission: one queue                       gate of a rate limit, RateBudget, Limit of requests in flight
//!      │
//!      ▼
//!   Http::exchange: one request on the wire, one raw answer    Wire: the network, or recordings
//! ```
//!
//! All clones of an [`Http`] share its connections, its limit of requests in flight, the model of the provider's rate
//! budget and the pause that a rate limit demands. Time is monotonic throughout: the wall clock is read only against a
//! date in `Retry-After` that comes without the provider's own. A future that is dropped is a request that is
//! cancelled. A page is asked for when its first element is.
//!
//! This module knows no provider, no step and no graph, and never shows a secret: headers are in no log and no error,
//! and an error quotes neither a query nor a body beyond the provider's own code and message.

mod account;
mod admission;
mod answer;
mod budget;
mod call;
mod client;
mod compression;
mod conditional;
mod connections;
mod endpoint;
mod error;
mod lenient;
mod limit;
mod listing;
mod memory;
mod network;
mod pages;
mod paginations;
mod probe;
mod provider;
mod ranges;
mod received;
mod request;
mod retry;
mod seen;
mod text;
mod usage;
mod wire;

#[cfg(test)]
pub(crate) mod testing_server;
#[cfg(test)]
mod tests;

pub(crate) use account::AccountKey;
pub use budget::{BudgetState, RateBudget};
pub use client::Http;
pub use conditional::{AnswerKey, CachedResponse, MemoryResponseCache, ResponseCache};
pub use endpoint::{Endpoint, EndpointError, ErrorBody, TimeLimits};
pub use error::{ProviderError, ProviderErrorKind};
pub use listing::{Item, Listing};
pub use network::Network;
pub use pages::{Answer, Next, Page, Pagination};
pub use paginations::{CursorPagination, LinkPagination, PageNumberPagination};
pub use probe::Probe;
pub use provider::{Provider, VerifiedAccount};
pub use ranges::RangePagination;
pub use request::{Argument, Request};
pub use retry::RetryPolicy;
pub use usage::{RequestCounts, Usage};
pub(crate) use wire::Tape;
#[cfg(feature = "recording")]
pub(crate) use {compression::read_within, text::without_quoted};
