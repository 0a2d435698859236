//! The monthly usage of teams and applications, which Heroku bills. The ingestion source is off by default.
//!
//! ```text
//!   heroku_team ──▶ fetch-usage    1 request a team    usage of the team, and of each application in it
//! ```
//!
//! The prices of add-ons and of process types are properties of these entities. They do not depend on this source.

mod types;
mod usage;

pub use types::*;
pub use usage::*;

use integration_sdk::step::{IngestionSource, Step};

/// The ingestion source of the usage, off by default.
pub fn sources() -> Vec<IngestionSource> {
    let description = "Monthly usage of enterprise teams and their applications: 1 request a team.";
    vec![IngestionSource::new("usage", "Usage", description).off_by_default()]
}

/// The steps of the usage.
pub fn all() -> Vec<Step> {
    vec![fetch_usage()]
}
