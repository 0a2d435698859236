//! The steps of the integration, from requests to emitted objects.
//!
//! ```text
//!   fetch-account ─┬─▶ fetch-members ─────────┐
//!                  └─▶ fetch-teams ─┬─▶ fetch-team-members
//!                                   ├─▶ fetch-apps ───┐
//!                                   └─▶ fetch-addons ─┴─▶ build-relationships
//! ```

mod account;
mod addons;
mod apps;
mod members;
mod relationships;
mod team_members;
mod teams;

pub use account::fetch_account;
pub use addons::fetch_addons;
pub use apps::fetch_apps;
pub use members::fetch_members;
pub use relationships::build_relationships;
pub use team_members::fetch_team_members;
pub use teams::fetch_teams;

use integration_sdk::step::Step;

/// All steps, in the order in which the documentation lists them.
pub fn all() -> [Step; 7] {
    [
        fetch_account(),
        fetch_teams(),
        fetch_members(),
        fetch_apps(),
        fetch_addons(),
        fetch_team_members(),
        build_relationships(),
    ]
}
