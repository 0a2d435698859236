//! The HTTP client of a provider: sends requests, waits, retries, and decodes responses.
//!
//! ```text
//!   Provider (an integration's client)        Endpoint: address, headers, limits
//!      │ get("/teams/{id}/apps", &[&id])
//!      ▼
//!   Request ──json──▶ T
//!      │ ranges, list, pages                  Listing<T>: a stream of Item { value, raw }
//!      ▼                                        │ polled when its page is used up
//!   Pages: one loop for every Pagination ◀──────┘
//!      │ one page
//!      ▼
//!   Http::fetch: attempts, pauses, errors     RetryPolicy, ProviderError
//!      │ one attempt                           Condition: a cached response replaces a 304
//!      ▼
//!   Admission: one queue                       gate after a rate limit, RateBudget, in-flight limit
//!      │
//!      ▼
//!   Transport: one wire request, one wire response         the network, a recording, or a function
//! ```
//!
//! All clones of an [`Http`] share its connections, its in-flight limit, the model of the provider's rate budget, and
//! the pause that a rate limit demands. Time is monotonic throughout. The wall clock is read only for a date in
//! `Retry-After` that arrives without the provider's own `Date`. Dropping a future cancels its request. Pages are
//! fetched lazily, when their first element is polled.
//!
//! ```no_run
//! use integration_http::{Endpoint, Http, RangePagination};
//! use futures::TryStreamExt;
//! use serde_json::Value;
//!
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let http = Http::connect(Endpoint::new("https://api.acme.example".parse()?).bearer(&"token".to_owned().into()))?;
//! let mut apps = http.get("/teams/{id}/apps", &[&"blue"]).ranges::<Value>(RangePagination { order_by: "id", max: 200 });
//! while let Some(app) = apps.try_next().await? {
//!     println!("{}", app.value["name"]);
//! }
//! # Ok(()) }
//! ```
//!
//! This crate depends on no provider, no step, and no store. It never exposes a secret: headers appear in no log and
//! no error, and an error quotes nothing of the query or the body except the provider's code and message.
//!
//! Authors of integrations use this crate as `integration_sdk::http`, which adds the interface to their clients.
#![deny(missing_docs)]

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
mod endpoint_error;
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
mod room;
mod seen;
mod text;
mod transport;
mod usage;
mod wire;

#[cfg(test)]
pub(crate) mod testing_server;
#[cfg(test)]
mod tests;

pub use account::AccountKey;
pub use budget::{BudgetState, RateBudget};
pub use client::{Http, OnUnread};
pub use conditional::{AnswerKey, CachedResponse, MemoryResponseCache, ResponseCache};
pub use connections::NetworkConnector;
pub use endpoint::{Endpoint, ErrorBody, TimeLimits};
pub use endpoint_error::EndpointError;
pub use error::{ProviderError, ProviderErrorKind};
pub use integration_graph::run::{RequestCounts, Usage};
pub use listing::{Item, Listing};
pub use memory::Reservation;
pub use network::Network;
pub use pages::{Answer, Next, Page, Pagination};
pub use paginations::{CursorPagination, LinkPagination, PageNumberPagination};
pub use probe::Probe;
pub use provider::VerifiedAccount;
pub use ranges::RangePagination;
pub use request::{Argument, Request};
pub use retry::RetryPolicy;
pub use room::Work;
pub use transport::{Connector, Transport, respond_with};
pub use wire::{TransportError, WireRequest, WireResponse};
// These types occur in requests and responses of transports.
pub use reqwest::header::HeaderMap;
pub use reqwest::{Method, StatusCode};
