//! Removal of secrets from stored responses.

mod copy;
mod plain;
mod quoted;
mod rule;
mod string;
#[cfg(test)]
mod tests;

pub use copy::{CopyError, Edit, edited};
pub use quoted::without_quoted;
pub use rule::clean_strings;
pub use rule::{REDACTED, Redaction};
pub use string::{edit_escaped, mend_surrogates};
