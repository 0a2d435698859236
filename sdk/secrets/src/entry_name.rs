//! The names of entries of the vault.

/// The maximum length of a name, in bytes.
pub(crate) const LONGEST_NAME: usize = 200;

/// Returns whether a text can be the name of an entry.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(char::is_control)
}
