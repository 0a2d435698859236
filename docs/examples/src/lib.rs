//! The code of the guides in `docs`. The tests run it and check that every Rust block of the guides is part of a file here.
//!
//! [`features`] is the step that `writing-an-integration.md` adds to the Heroku integration. It imports [`client`] and
//! [`types`] under the names that a file of that integration would use. [`acme`] is a complete integration for an invented
//! provider. [`pagination`] belongs to a page of `how-to`.

pub mod acme;
pub mod features;
pub mod pagination;

/// The modules of the Heroku integration.
pub use integration_heroku::{client, types};
