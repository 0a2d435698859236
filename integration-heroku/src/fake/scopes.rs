//! OAuth scopes that include other ones.

/// The scopes that include reading.
pub(super) const READERS: [&str; 5] = ["global", "read", "read-protected", "write", "write-protected"];
/// The scopes that include reading `/account`. Notably, `read` is not sufficient.
pub(super) const IDENTITY: [&str; 2] = ["global", "identity"];
