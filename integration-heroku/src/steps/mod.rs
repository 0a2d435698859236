//! The steps of the integration, from requests to emitted objects.
//!
//! ```text
//!   fetch-account ─┬─▶ fetch-members ──────────────────────┬──────▶ fetch-invitations
//!                  │                                       ├──────▶ fetch-team-members
//!                  └─▶ fetch-teams ─▶ fetch-independent-teams ──┐
//!                                                               ├─▶ fetch-apps ─▶ fetch-personal-apps ─▶ fetch-access
//!                                                               ├─▶ fetch-addons ─▶ fetch-personal-addons ─▶ fetch-addon-services
//!                                                               ├─▶ fetch-spaces ─▶ the network of each space
//!                                                               └─▶ fetch-pipelines ─▶ fetch-pipeline-stages
//! ```
//!
//! Each step with a list per team follows the steps that emit teams. The steps `build-*` and `fetch-attachments` link
//! objects of several steps. The steps of teams and spaces that annotate them delay no other step.

mod access;
mod account;
mod addon_services;
mod addons;
mod apps;
mod attachments;
mod identity_providers;
mod invitations;
mod members;
mod owners;
mod people;
mod personal;
mod pipelines;
mod placements;
mod relationships;
mod space_networks;
mod spaces;
mod team_members;
mod team_settings;
mod teams;

pub use access::fetch_access;
pub use account::fetch_account;
pub use addon_services::fetch_addon_services;
pub use addons::fetch_addons;
pub use apps::fetch_apps;
pub use attachments::fetch_attachments;
pub use identity_providers::fetch_identity_providers;
pub use invitations::fetch_invitations;
pub use members::fetch_members;
pub use owners::build_application_owners;
pub use personal::{fetch_personal_addons, fetch_personal_apps};
pub use pipelines::{build_pipeline_owners, fetch_pipeline_stages, fetch_pipelines};
pub use placements::build_placements;
pub use relationships::build_relationships;
pub use space_networks::{fetch_space_addresses, fetch_space_peerings, fetch_space_rules, fetch_space_vpn_connections};
pub use spaces::fetch_spaces;
pub use team_members::fetch_team_members;
pub use team_settings::{fetch_team_features, fetch_team_preferences};
pub use teams::{fetch_independent_teams, fetch_teams};

use integration_sdk::step::Step;

/// All steps, in the order in which the documentation lists them.
pub fn all() -> Vec<Step> {
    vec![
        fetch_account(),
        fetch_teams(),
        fetch_independent_teams(),
        fetch_members(),
        fetch_identity_providers(),
        fetch_apps(),
        fetch_personal_apps(),
        fetch_addons(),
        fetch_personal_addons(),
        fetch_spaces(),
        fetch_space_rules(),
        fetch_space_addresses(),
        fetch_space_peerings(),
        fetch_space_vpn_connections(),
        fetch_team_members(),
        fetch_team_preferences(),
        fetch_team_features(),
        fetch_access(),
        fetch_invitations(),
        fetch_pipelines(),
        fetch_pipeline_stages(),
        build_relationships(),
        build_placements(),
        build_application_owners(),
        build_pipeline_owners(),
        fetch_attachments(),
        fetch_addon_services(),
    ]
}
