//! Tools for tests of an integration: run it and check its graph.
//!
//! ```
//! use integration_sdk::prelude::*;
//! use integration_sdk::Integration;
//! use integration_testing_kit::{Collected, assert_complete, assert_entity, assert_graph};
//!
//! # /// A planet.
//! # #[derive(EntityKind)]
//! # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
//! # struct Planet { #[entity(key)] id: String, name: String }
//! # #[step(id = "fetch-planets", name = "Fetch planets")]
//! # async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
//! #     planets.add(Planet { id: "planet:earth".into(), name: "Earth".into() }).await?;
//! #     Ok(())
//! # }
//! # fn space() -> Integration { Integration::without_provider::<()>("space", "Space").step(fetch_planets()) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let space = space();
//! let collected = Collected::run(&space, [("SPACE_API_KEY", "any")]).await;
//!
//! assert_complete!(collected);
//! assert_graph!(collected, { space_planet: 1 });
//! assert_entity!(collected, "planet:earth", { name: "Earth" });
//! collected.coverage().assert_whole();
//! # }
//! ```
//!
//! A run uses the real runtime, a store in a temporary folder, and HTTP to a provider on loopback (see [`fake`]) or
//! [recorded responses](Run::recorded). Every object is validated, and a finding fails the test.
//!
//! This crate is separate from `integration-testing`, so that only tests compile it: programs need
//! `integration-testing` for `--sample`. It reads the environment only for [`Run::recorded`].
#![deny(missing_docs)]

mod collected;
mod coverage;
mod error;
mod expectation;
mod gap;
mod object;
mod recordings;
mod run;
mod snapshot;

pub use collected::Collected;
pub use coverage::{Coverage, Declared};
pub use error::RunError;
pub use gap::Gap;
#[doc(hidden)]
pub use integration_sdk::serde_json::json;
pub use integration_testing as fake;
pub use recordings::assert_no_secrets;
pub use run::Run;
pub use snapshot::Snapshot;
