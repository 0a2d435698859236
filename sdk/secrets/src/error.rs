//! The errors of reading secrets.

use std::path::PathBuf;
use std::time::Duration;

use crate::vault_error::VaultError;

/// The maximum size of a secret, in bytes: 64 KiB, enough for any key or certificate.
pub(crate) const LONGEST_SECRET: u64 = 64 << 10;

/// The reason why a secret cannot be read. No variant contains the secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The variable is not set.
    #[error("the environment variable {name} is not set")]
    Variable {
        /// The name of the variable.
        name: String,
    },
    /// The file cannot be read.
    #[error("cannot read the secret in {path}: {source}", path = path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Other users can read or replace the file.
    #[error(
        "the secret in {path} is not read, because other users can access the file (mode {mode:04o}): run `chmod 600 {path}`",
        path = path.display()
    )]
    Exposed {
        /// The path.
        path: PathBuf,
        /// The mode of the file.
        mode: u32,
    },
    /// The path begins with the directory of credentials, but the process has none.
    #[error(
        "{path} is a credential of systemd, but CREDENTIALS_DIRECTORY is not set: add LoadCredential= to the unit",
        path = path.display()
    )]
    NoCredentials {
        /// The path.
        path: PathBuf,
    },
    /// The program cannot be run.
    #[error("cannot run the program {program} for a secret: {source}")]
    Command {
        /// The program, without its arguments.
        program: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The program ended with an error.
    #[error("the program {program}, run for a secret, failed ({status}): run it by hand to see its message")]
    CommandFailed {
        /// The program, without its arguments.
        program: String,
        /// The exit status.
        status: String,
    },
    /// The program did not end in time.
    #[error("the program {program}, run for a secret, did not end within {} s", limit.as_secs_f32())]
    CommandTimeout {
        /// The program, without its arguments.
        program: String,
        /// The limit.
        limit: Duration,
    },
    /// The text is too long for a secret.
    #[error("the secret of {reference} is longer than {} KiB", LONGEST_SECRET >> 10)]
    TooLong {
        /// The reference.
        reference: String,
    },
    /// The place contains no text.
    #[error("the secret of {reference} is empty")]
    Empty {
        /// The reference.
        reference: String,
    },
    /// The bytes are not UTF-8.
    #[error("the secret of {reference} is no text in UTF-8")]
    Encoding {
        /// The reference.
        reference: String,
    },
    /// The caller has no vault.
    #[error("{reference} needs a vault, which is not available here: use env:, file:, or command:")]
    NoVault {
        /// The reference.
        reference: String,
    },
    /// The vault cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
}
