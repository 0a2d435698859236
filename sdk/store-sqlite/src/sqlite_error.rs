//! Conversion of errors from and to those of SQLite.

use std::path::Path;

use super::StoreError;

/// Converts an error of SQLite.
pub(super) fn failed(path: &Path, source: rusqlite::Error) -> StoreError {
    StoreError::Failed { store: path.display().to_string(), source: Box::new(source) }
}

/// Converts an error of interpreting stored data into an error of reading it.
pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}
