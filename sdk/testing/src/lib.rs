//! A fake provider over real HTTP on loopback, for tests and samples without an account.
//!
//! A [`FakeProvider`] serves [`Route`]s the way a hosted API does: lists in ranges or pages, entity tags, tokens with
//! scopes, a rate bucket, and latency. While it runs, a test can switch [`Fault`]s on and read the log of requests.
//! It listens on 127.0.0.1 only, and stops when its [`Running`] handle is dropped.
//!
//! ```
//! use integration_testing::{Fault, FakeProvider, Reply, Route};
//! use serde_json::json;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let provider = FakeProvider::start([
//!     Route::document("/account", json!({"id": "a1"})),
//!     Route::list("/teams", vec![json!({"id": "t1"}), json!({"id": "t2"})]).sortable(["id"]),
//! ])
//! .await
//! .unwrap();
//! provider.fault(Fault::Status(Reply::html(503, "<h1>Back soon</h1>")).on("/teams").first(1));
//! // ... run a client against provider.url() ...
//! assert_eq!(provider.requests(), 0);
//! provider.shutdown().await;
//! # });
//! ```
//!
//! How a request passes:
//!
//! ```text
//! connection -> exchange: log -> latency -> faults that replace the answer
//!                         -> required headers -> token -> route -> rate bucket -> scopes -> handler
//!                         -> page of a list -> entity tag -> faults of the body -> connection
//! ```
//!
//! This crate contains nothing about a particular provider: names of headers and the shape of errors are in [`Dialect`].
#![deny(missing_docs)]

mod access;
mod answer;
mod body;
mod bucket;
mod compression;
mod connection;
mod dialect;
mod exchange;
mod fault;
mod kept;
mod latency;
mod list;
mod log;
mod options;
mod pages;
mod path;
mod provider;
mod range;
mod reply;
mod request;
mod route;

pub use access::Access;
pub use answer::Answer;
pub use bucket::{RateBucket, RetryAfter};
pub use dialect::{Dialect, Refusal, RequiredHeader};
pub use fault::{Fault, FaultId, FaultRule};
pub use hyper::{Method, StatusCode, header};
pub use latency::Latency;
pub use list::{PageLimits, Rows};
pub use log::LoggedRequest;
pub use options::ProviderOptions;
pub use pages::Pages;
pub use provider::{FakeProvider, Running, StartError};
pub use reply::Reply;
pub use request::Request;
pub use route::Route;
