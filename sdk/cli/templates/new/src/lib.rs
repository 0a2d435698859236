//! {{title}} as a graph of entities and relationships.

pub mod client;
pub mod config;
pub mod sample;
pub mod steps;
pub mod types;

use integration_sdk::Integration;

use client::Api;

/// Declares the integration.
pub fn integration() -> Integration {
    Integration::of::<Api>("{{name}}", "{{title}}")
        .step(steps::fetch_users())
        .secret_fields(["token", "secret", "password"])
}
