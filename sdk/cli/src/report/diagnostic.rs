//! Mistakes in queries.

use integration_query::diagnostic::Diagnostic;

/// Returns a mistake in a query with its likely remedy, without its place.
pub(crate) fn in_one_line(diagnostic: &Diagnostic) -> String {
    match &diagnostic.help {
        Some(help) => format!("{}; {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    }
}
