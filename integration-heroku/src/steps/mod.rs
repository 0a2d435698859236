//! The steps of the integration, from requests to emitted objects.
//!
//! ```text
//!   fetch-account ─┬─▶ fetch-members ─┬────────▶ fetch-invitations
//!                  │                  ├────────▶ fetch-team-members
//!                  │                  └──────────────────┐
//!                  └─▶ fetch-teams ─┬─▶ fetch-apps ──────┼─▶ fetch-access
//!                                   ├─▶ fetch-spaces ────┴─▶ build-placements
//!                                   └─▶ fetch-addons ──────▶ build-relationships
//! ```
//!
//! The step `fetch-team-members` reads `fetch-teams` as well, as does every step with a list per team.

mod access;
mod account;
mod addons;
mod apps;
mod invitations;
mod members;
mod people;
mod placements;
mod relationships;
mod spaces;
mod team_members;
mod teams;

pub use access::fetch_access;
pub use account::fetch_account;
pub use addons::fetch_addons;
pub use apps::fetch_apps;
pub use invitations::fetch_invitations;
pub use members::fetch_members;
pub use placements::build_placements;
pub use relationships::build_relationships;
pub use spaces::fetch_spaces;
pub use team_members::fetch_team_members;
pub use teams::fetch_teams;

use integration_sdk::step::Step;

/// All steps, in the order in which the documentation lists them.
pub fn all() -> Vec<Step> {
    vec![
        fetch_account(),
        fetch_teams(),
        fetch_members(),
        fetch_apps(),
        fetch_addons(),
        fetch_spaces(),
        fetch_team_members(),
        fetch_access(),
        fetch_invitations(),
        build_relationships(),
        build_placements(),
    ]
}
