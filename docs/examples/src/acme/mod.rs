//! The integration of the guide, for the invented provider Acme. It uses every part of the SDK.

mod client;
mod config;
mod records;
mod steps;
mod types;

use std::process::ExitCode;

use integration_cli::Program;
use integration_sdk::Integration;
use integration_sdk::graph::StepId;
use integration_sdk::step::{DisabledReason, IngestionSource};

pub use client::Acme;
pub use config::AcmeConfig;
pub use records::fetch_records;
pub use types::{Event, Project, ProjectHasUser, User, UserIsPerson, UserPerformedEvent};

/// Declares the integration.
pub fn integration() -> Integration {
    Integration::of::<Acme>("acme", "Acme")
        .source(IngestionSource::new("events", "Events", "Who did what in the last 30 days.").off_by_default())
        .step(steps::fetch_users())
        .step(steps::fetch_projects())
        .step(steps::fetch_members())
        .step(steps::fetch_second_factors())
        .step(steps::fetch_subscription())
        .step(steps::fetch_events())
        .disable_steps(without_projects)
        .on_entity(|_, entity| {
            entity.properties.remove("notes");
        })
        .secret_fields(["token", "webhook_secret"])
}

fn without_projects(config: &AcmeConfig) -> Vec<(StepId, DisabledReason)> {
    if config.projects { Vec::new() } else { vec![(StepId::literal("fetch-projects"), DisabledReason::Config)] }
}

/// Runs the command line of this integration.
pub fn main() -> ExitCode {
    Program::new(integration()).version(env!("CARGO_PKG_VERSION")).main()
}
