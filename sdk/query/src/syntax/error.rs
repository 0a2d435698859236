//! The form of the parser's messages, which users of JupiterOne know.

use crate::diagnostic::{Diagnostic, Location};

use super::tree::Span;

/// The greatest number of errors that are reported for one text.
pub(super) const MAX_ERRORS: usize = 20;

/// Returns a diagnostic `Error parsing query. PROBLEM at line N column M`.
pub(super) fn at(text: &str, problem: &str, span: Span) -> Diagnostic {
    let Location { line, column } = Location::of(text, span.start);
    Diagnostic::new(format!("Error parsing query. {problem} at line {line} column {column}"), span)
}
