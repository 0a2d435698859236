//! Secrets: references to their place, and a vault for those that a person enters.
//!
//! A configuration contains a [`SecretReference`] in place of a secret. A [`Resolver`] reads the secret at each use, so that
//! a rotated secret takes effect without a change of the configuration:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use integration_secrets::{Resolver, SecretReference};
//! use secrecy::ExposeSecret;
//!
//! let reference: SecretReference = "env:HEROKU_API_KEY".parse()?;
//! let resolver = Resolver::new().variables(|name| (name == "HEROKU_API_KEY").then(|| "s3cret".into()));
//! let secret = resolver.resolve(&reference).await?;
//! assert_eq!(secret.expose_secret(), "s3cret");
//! assert_eq!(format!("{reference} {secret:?}"), "env:HEROKU_API_KEY SecretBox<str>([REDACTED])");
//! # Ok(())
//! # }
//! ```
//!
//! | reference | secret |
//! | --- | --- |
//! | `env:NAME` | an environment variable |
//! | `file:PATH` | a file that only its owner can read; `$CREDENTIALS_DIRECTORY/NAME` is a credential of systemd |
//! | `command:PROGRAM ARG…` | the standard output of a program, run without a shell |
//! | `vault:NAME` | a secret that a person entered, encrypted in a [`Vault`] |
//!
//! No error, debug output, or serialised form of this crate contains a secret. The crate reads no environment: the caller
//! passes a function that returns variables.
//!
//! # Keyring of the operating system
//!
//! The vault does not use it. Jobs run unattended, and a keyring is locked until its user has logged in. The crates that
//! access keyrings add a D-Bus client or a C library. A program with a keyring has a command that prints a secret
//! (`secret-tool lookup`, `security find-generic-password -w`, `op read`), which `command:` runs.
#![deny(missing_docs)]

mod command;
mod entry_name;
mod error;
mod file;
mod reference;
mod resolve;
mod vault;
mod vault_error;

pub use command::{CommandLine, CommandLineError};
pub use error::SecretError;
pub use reference::{ReferenceError, SecretReference};
pub use resolve::Resolver;
pub use secrecy::{ExposeSecret, SecretString};
pub use vault::{KeySource, Vault};
pub use vault_error::VaultError;
