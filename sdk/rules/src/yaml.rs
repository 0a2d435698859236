//! Reading of YAML, with messages for users.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

/// Reads YAML, or JSON as its subset. The error has the place and the lines around it.
///
/// With `strict_booleans`, only `true` and `false` are booleans, so that a text such as `no` needs no quotes.
///
/// # Errors
/// A text for users, of several lines.
pub fn read<T: DeserializeOwned>(text: &str, strict_booleans: bool) -> Result<T, String> {
    let options = serde_saphyr::options! { strict_booleans: strict_booleans };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.render_with_formatter(&Messages);
        // The caller writes this word itself.
        message.strip_prefix("error: ").map(str::to_owned).unwrap_or(message)
    })
}

const NESTED: &str = "the text is nested too deeply, or too large because of its aliases";

/// The messages of errors. Those of the library name its functions and options, which no user has.
struct Messages;

impl MessageFormatter for Messages {
    fn format_message<'a>(&self, error: &'a Error) -> Cow<'a, str> {
        let one_of = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match error {
            Error::DuplicateMappingKey { key: Some(key), .. } => format!("the field `{key}` is given twice").into(),
            Error::DuplicateMappingKey { .. } => "a field is given twice".into(),
            Error::MultipleDocuments { .. } => {
                "the text has several documents, separated by `---`: write one list instead".into()
            }
            Error::Budget { .. } => NESTED.into(),
            Error::SerdeUnknownField { field, expected, .. } => {
                format!("the field `{field}` is unknown, expected one of {}", one_of(expected)).into()
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                format!("`{variant}` is unknown, expected one of {}", one_of(expected)).into()
            }
            Error::SerdeMissingField { field, .. } => format!("the field `{field}` is missing").into(),
            Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => {
                format!("the value has another type, expected {expected}").into()
            }
            other => match UserMessageFormatter.format_message(other) {
                // The scanner has a limit of its own.
                message if message.contains("recursion limit") => NESTED.into(),
                message => message,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    #[test]
    fn messages_name_no_functions_of_the_library() {
        let deep = "[".repeat(3_000);
        let aliases = (1..40).fold("a0: &a0 [x]\n".to_owned(), |text, at| {
            text + &format!("a{at}: &a{at} [*a{last}, *a{last}]\n", last = at - 1)
        });
        for (text, part) in [
            ("name: a\nname: b\n", "the field `name` is given twice"),
            ("name: a\n---\nname: b\n", "several documents"),
            (deep.as_str(), "nested too deeply"),
            (aliases.as_str(), "nested too deeply"),
        ] {
            let error = read::<Value>(text, true).expect_err(part);
            assert!(error.contains(part), "{error}");
            for word in ["Policy", "from_str", "budget", "Options", "recursion"] {
                assert!(!error.contains(word), "{error}");
            }
        }
        let error = read::<BTreeMap<String, u8>>("a: 1\nb: text\n", true).expect_err("no number");
        assert!(error.contains("2") && error.contains("b: text") && !error.starts_with("error:"), "{error}");
    }
}
