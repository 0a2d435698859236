//! The code of the guides in `docs`. Each block of Rust there is a piece of a file here, word for word; the tests see to it,
//! and run it.
//!
//! [`spaces`] is the step that `writing-an-integration.md` adds to the Heroku plugin. It is written as if it were a file of
//! the plugin: [`client`] and [`types`] are the plugin's modules under the names that it uses. [`acme`] is a whole
//! integration, for an invented provider; [`pagination`] belongs to a page of `how-to`.

pub mod acme;
pub mod pagination;
pub mod spaces;

/// The plugin's modules.
pub use integration_heroku::{client, types};
