//! Reading of YAML, and of JSON as its subset, without showing values in errors.

use serde::de::DeserializeOwned;
use serde_saphyr::{Error, Location, Spanned};

use crate::error::{Problem, ReadError};

/// Reads a text. Only `true` and `false` are booleans.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    // A snippet of the text may contain a secret.
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().and_then(line_of);
        Problem::new(line, None, message(error.without_snippet())).into()
    })
}

/// Returns the line of a value.
pub(crate) fn line<T>(spanned: &Spanned<T>) -> Option<u64> {
    line_of(spanned.referenced)
}

fn line_of(location: Location) -> Option<u64> {
    (location != Location::UNKNOWN).then(|| location.line())
}

/// The message of an error. Messages of other kinds may contain a value.
fn message(error: &Error) -> String {
    let one_of = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            format!("the field `{field}` is unknown, expected one of {}", one_of(expected))
        }
        Error::SerdeUnknownVariant { expected, .. } => format!("the value is not one of {}", one_of(expected)),
        Error::SerdeMissingField { field, .. } => format!("the field `{field}` is missing"),
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
            format!("the value has another type, expected {expected}")
        }
        Error::Unexpected { expected, .. } => format!("the value has another type, expected {expected}"),
        Error::DuplicateMappingKey { .. } => "a field is given twice".to_owned(),
        Error::Eof { .. } => "the text is empty or ends too early".to_owned(),
        Error::QuotingRequired { .. } => "a text that looks like a number or a boolean needs quotes".to_owned(),
        Error::ExternalMessage { .. } => {
            "the text is not valid YAML; check the indentation, and quote values that contain `: ` or ` #`".to_owned()
        }
        _ => "the text is not valid YAML, or a value has another type than expected".to_owned(),
    }
}
