//! Names and ids. They are parsed once at the border and trusted afterwards.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A text that is not a valid name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {rule}")]
pub struct InvalidName {
    what: &'static str,
    text: String,
    rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        name!($(#[$doc])* $name, $what, $rule, $valid, |text| std::borrow::Cow::Borrowed(text));
    };
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr, $kept:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("Parses a ", $what, ".\n\n# Errors\n[`InvalidName`] unless it is ", $rule, ".")]
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
                let kept: fn(&str) -> std::borrow::Cow<'_, str> = $kept;
                let text = kept(text.as_ref());
                let text = text.as_ref();
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(InvalidName { what: $what, text: text.chars().take(80).collect(), rule: $rule })
                }
            }

            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }
    };
}

fn is_kebab(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

name!(
    /// The `_key` of an object; unique in a job.
    ///
    /// A key never contains a credential (see [`secrets`](crate::secrets)). Credentials are replaced in every key in the same
    /// way, so that relationships keep their ends.
    ObjectKey, "key", "not empty, without control characters",
    |text| !text.is_empty() && !text.chars().any(char::is_control),
    crate::secrets::take_out
);
name!(
    /// The `_type` of an object: `vendor_resource`, or `vendor_resource_verb_resource` of a relationship.
    ObjectType, "type", "snake case of at least 3 characters",
    |text| text.len() >= 3 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
);
name!(
    /// The `_class` of an entity, such as `Team`.
    Class, "class", "a name of letters and digits that begins with a capital",
    |text| text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
);
name!(
    /// The id of a step, such as `fetch-teams`.
    StepId, "step id", "lower-case letters, digits and dashes", is_kebab
);
name!(
    /// The id of a job: a UUID of version 7, so that ids sort by creation time.
    JobId, "job id", "letters, digits and dashes",
    |text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
);

name!(
    /// The name of an instance: one configured account of an integration. The default is `default`.
    InstanceId, "instance", "not empty", |text| !text.is_empty()
);

impl Default for InstanceId {
    fn default() -> Self {
        Self(Arc::from("default"))
    }
}

impl InstanceId {
    /// Creates a name from a literal in the source of a program.
    ///
    /// # Panics
    /// If the text is empty: an error of the program, raised at the first use.
    pub fn literal(text: &'static str) -> Self {
        match Self::new(text) {
            Ok(name) => name,
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the name with a prefix, separated by a colon.
    #[must_use]
    pub fn prefixed(&self, prefix: &str) -> Self {
        Self(Arc::from(format!("{prefix}:{self}")))
    }
}

impl JobId {
    /// Creates an id that is greater than every earlier one of this process.
    pub fn generate() -> Self {
        let id = match u64::try_from(Timestamp::now().millis()) {
            Ok(_) => uuid::Uuid::now_v7(),
            // A clock before 1970, which ids cannot express.
            Err(_) => uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 0, 0)),
        };
        Self(Arc::from(id.to_string()))
    }
}

impl ObjectKey {
    /// Parses a key that the store contains.
    ///
    /// Its credentials were removed when the key was created, so they are not searched for again.
    ///
    /// # Errors
    /// [`InvalidName`] if it is empty or contains control characters.
    pub fn stored(text: &str) -> Result<Self, InvalidName> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Self::new(text);
        }
        Ok(Self(Arc::from(text)))
    }
}

impl StepId {
    /// Creates an id from a literal in the source of an integration.
    ///
    /// # Panics
    /// If the text is not a step id: an error of the integration, raised at the first start.
    pub fn literal(text: &'static str) -> Self {
        match Self::new(text) {
            Ok(id) => id,
            Err(error) => panic!("{error}"),
        }
    }
}

impl ObjectType {
    /// Creates a type from a literal in the source of an integration.
    ///
    /// # Panics
    /// If the text is not a type name: an error of the integration, raised at the first start.
    pub fn literal(text: &'static str) -> Self {
        match Self::new(text) {
            Ok(name) => name,
            Err(error) => panic!("{error}"),
        }
    }
}

impl Class {
    /// Joins several classes into the text that the store uses.
    pub fn joined(classes: &[Self]) -> Arc<str> {
        match classes {
            [one] => Arc::clone(&one.0),
            several => several.iter().map(Self::as_str).collect::<Vec<_>>().join(",").into(),
        }
    }

    /// Creates a class from a literal in the source of an integration.
    ///
    /// # Panics
    /// If the text is not a class name: an error of the integration, raised at the first start.
    pub fn literal(text: &'static str) -> Self {
        match Self::new(text) {
            Ok(name) => name,
            Err(error) => panic!("{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_holds_a_password() {
        let key = ObjectKey::new("https://user:s3cret@h.example/x").unwrap();
        assert_eq!(key.as_str(), "https://h.example/x");
        let read: ObjectKey = serde_json::from_str("\"https://user:s3cret@h.example/x\"").unwrap();
        assert_eq!(read, key);
    }
}
