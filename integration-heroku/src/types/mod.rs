//! The types of the graph: entities in a file each, and all relationships.

mod account;
mod addon;
mod addon_service;
mod address;
mod application;
mod fingerprint;
mod identity_provider;
mod invitation;
mod member;
mod pipeline;
mod relationships;
mod space;
mod space_networks;
mod team;
mod user;

pub use account::Account;
pub use addon::Addon;
pub use addon_service::AddonService;
pub use address::without_query;
pub use application::Application;
pub use fingerprint::fingerprint;
pub use identity_provider::{IdentityProvider, ProviderCertificate};
pub use invitation::Invitation;
pub use member::{AccountMember, names};
pub use pipeline::Pipeline;
pub use relationships::*;
pub use space::Space;
pub use space_networks::{SpacePeering, SpaceVpnConnection};
pub use team::Team;
pub use user::User;
