//! Removal of secrets from stored responses.

mod copy;
mod plain;
mod rule;
mod string;
#[cfg(test)]
mod tests;

pub(crate) use copy::{CopyError, Edit, edited};
pub(crate) use rule::clean_strings;
pub use rule::{REDACTED, Redaction};
pub(crate) use string::{edit_escaped, mend_surrogates};
