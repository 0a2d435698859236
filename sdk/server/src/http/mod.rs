//! The HTTP endpoint for service managers and Prometheus: `GET /healthz`, `/readyz`, and `/metrics`.
//!
//! The endpoint reads nothing from a request except its method, its path, and its `Host`. It is bounded in time, memory,
//! and connections.

mod host;
mod listener;

pub use host::AllowedHosts;
pub use listener::Endpoint;
