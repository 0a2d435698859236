//! Acme as a graph of entities and relationships.

pub mod client;
pub mod config;
pub mod sample;
pub mod steps;
pub mod types;

use integration_sdk::Integration;

use client::Api;

/// Declares the integration.
pub fn integration() -> Integration {
    Integration::of::<Api>("acme", "Acme")
        .step(steps::fetch_users())
        .step(steps::fetch_projects())
        .step(steps::fetch_members())
        .secret_fields(["token", "secret", "password"])
}
