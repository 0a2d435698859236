//! References to secrets, as configurations contain them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::command::{CommandLine, CommandLineError};
use crate::entry_name::{LONGEST_NAME, is_name};

/// The place of a secret. It is not secret itself.
///
/// The text form is `env:NAME`, `file:PATH`, `command:PROGRAM ARG…`, or `vault:NAME`. JSON and YAML contain it as a string.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum SecretReference {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// The standard output of a program.
    Command(CommandLine),
    /// An entry of the vault.
    Vault(String),
}

/// A text that is no reference to a secret. The error omits the text, because it may be the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The text begins with no known scheme.
    #[error(
        "the text is no reference to a secret: expected env:NAME, file:PATH, command:PROGRAM ARG…, or vault:NAME. \
         The text itself is not shown, because it may be the secret"
    )]
    Scheme,
    /// The name of a variable is empty, or contains `=` or a character that is not printable.
    #[error("`env:` is followed by no name of a variable, such as env:HEROKU_API_KEY")]
    Variable,
    /// The path is empty.
    #[error("`file:` is followed by no path, such as file:/etc/keys/heroku")]
    Path,
    /// The command cannot be split into words.
    #[error("`command:` cannot be used: {0}")]
    Command(#[from] CommandLineError),
    /// The name of an entry is empty, too long, or contains a character that is not printable.
    #[error(
        "`vault:` is followed by no name of at most {} printable characters, such as vault:production/api_key",
        LONGEST_NAME
    )]
    Entry,
}

impl SecretReference {
    /// Returns the reference to an entry of the vault.
    ///
    /// # Errors
    /// [`ReferenceError::Entry`] if the name is empty, too long, or not printable.
    pub fn vault(name: impl Into<String>) -> Result<Self, ReferenceError> {
        let name = name.into();
        if is_name(&name) { Ok(Self::Vault(name)) } else { Err(ReferenceError::Entry) }
    }

    /// Returns whether a text begins with the scheme of a reference.
    ///
    /// It distinguishes a mistyped reference from a plain value.
    pub fn is_like(text: &str) -> bool {
        ["env:", "file:", "command:", "vault:"].iter().any(|scheme| text.starts_with(scheme))
    }
}

impl FromStr for SecretReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (scheme, rest) = text.split_once(':').ok_or(ReferenceError::Scheme)?;
        match scheme {
            "env" if is_variable(rest) => Ok(Self::Env(rest.to_owned())),
            "env" => Err(ReferenceError::Variable),
            "file" if rest.is_empty() || rest.contains('\0') => Err(ReferenceError::Path),
            "file" => Ok(Self::File(rest.into())),
            "command" => Ok(Self::Command(rest.parse()?)),
            "vault" => Self::vault(rest),
            _ => Err(ReferenceError::Scheme),
        }
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(|letter: char| letter == '=' || letter.is_control() || letter.is_whitespace())
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Command(command) => write!(f, "command:{command}"),
            Self::Vault(name) => write!(f, "vault:{name}"),
        }
    }
}

impl TryFrom<String> for SecretReference {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, ReferenceError> {
        text.parse()
    }
}

impl From<SecretReference> for String {
    fn from(reference: SecretReference) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_scheme_is_read_and_written() {
        for text in
            ["env:HEROKU_API_KEY", "file:/etc/keys/heroku", "command:op read 'op://vault/key'", "vault:east/api_key"]
        {
            let reference: SecretReference = text.parse().expect("a reference");
            assert_eq!(reference.to_string(), text);
            let json = serde_json::to_value(&reference).expect("JSON");
            assert_eq!(json, text);
            assert_eq!(serde_json::from_value::<SecretReference>(json).expect("a reference"), reference);
        }
    }

    #[test]
    fn an_error_never_shows_the_text() {
        let key = "HRKU-s3cret";
        for text in
            [key.to_owned(), format!("heroku:{key}"), format!("env:{key}=1"), format!("command:'{key}"), String::new()]
        {
            let error = text.parse::<SecretReference>().expect_err("no reference");
            assert!(!format!("{error} {error:?}").contains(key), "{error}");
            let error = serde_json::from_value::<SecretReference>(text.into()).expect_err("no reference");
            assert!(!error.to_string().contains(key), "{error}");
        }
        assert_eq!("file:".parse::<SecretReference>(), Err(ReferenceError::Path));
        assert_eq!("vault:".parse::<SecretReference>(), Err(ReferenceError::Entry));
        assert_eq!("env:A B".parse::<SecretReference>(), Err(ReferenceError::Variable));
    }

    proptest! {
        #[test]
        fn a_reference_survives_its_text(text in "(env|file|command|vault|x):.{0,40}") {
            if let Ok(reference) = text.parse::<SecretReference>() {
                prop_assert_eq!(reference.to_string().parse::<SecretReference>(), Ok(reference));
            }
        }
    }
}
