//! The types of the graph: entities in a file each, and all relationships.

mod account;
mod addon;
mod application;
mod invitation;
mod member;
mod relationships;
mod space;
mod team;
mod user;

pub use account::Account;
pub use addon::Addon;
pub use application::Application;
pub use invitation::Invitation;
pub use member::{AccountMember, names};
pub use relationships::*;
pub use space::Space;
pub use team::Team;
pub use user::User;
