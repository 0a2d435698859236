//! The errors of database servers as targets.

/// The reason why a database server cannot be a target. No message contains a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The text is no address of a database.
    #[error("the address of the database is unusable: {0}")]
    Address(String),
    /// The address contains a password.
    #[error(
        "the address of the database contains a password, which is visible in the list of processes: remove it, and \
         pass the password in another way, such as {other_ways}"
    )]
    Password {
        /// The variables that may contain the password.
        other_ways: &'static str,
    },
    /// The connection to another machine would not be encrypted.
    #[error(
        "the connection to {host} would not be encrypted: use {scheme}+s://, or add ?encryption=none if the network is \
         trusted"
    )]
    Plain {
        /// The host of the address.
        host: String,
        /// The scheme of the address.
        scheme: String,
    },
    /// TLS cannot be used on this machine.
    #[error("an encrypted connection is not possible: {0}")]
    Tls(String),
    /// The server cannot be reached, or it refuses the user.
    #[error("cannot connect to {target}: {reason}")]
    Connect {
        /// The server, and the database if it is known.
        target: String,
        /// The cause.
        reason: String,
    },
}
