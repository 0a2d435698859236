//! Texts with references to secrets.

use std::str::FromStr;

use integration_secrets::{ExposeSecret, Resolver, SecretError, SecretReference, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A text that may contain references to secrets: a whole reference such as `env:TOKEN`, or parts such as
/// `Bearer ${env:TOKEN}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretText(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Secret(SecretReference),
}

impl SecretText {
    /// Returns the text with its secrets.
    ///
    /// # Errors
    /// [`SecretError`] if a secret cannot be read.
    pub async fn resolve(&self, resolver: &Resolver) -> Result<SecretString, SecretError> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text += part,
                Part::Secret(reference) => text += resolver.resolve(reference).await?.expose_secret(),
            }
        }
        Ok(SecretString::from(text))
    }

    /// Returns the text, if it contains no reference.
    pub fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl FromStr for SecretText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(reference) = text.parse::<SecretReference>() {
            return Ok(Self(vec![Part::Secret(reference)]));
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (reference, after) = after.split_once('}').ok_or("a `${` has no `}`")?;
            parts.extend(Some(before).filter(|text| !text.is_empty()).map(|text| Part::Text(text.to_owned())));
            parts.push(Part::Secret(reference.parse().map_err(|error| format!("{error}"))?));
            rest = after;
        }
        parts.extend(Some(rest).filter(|text| !text.is_empty()).map(|text| Part::Text(text.to_owned())));
        Ok(Self(parts))
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn references_are_resolved_as_a_whole_and_within_a_text() {
        let resolver = Resolver::new().variables(|name| (name == "TOKEN").then(|| "s3cret".into()));
        for (text, expected) in [
            ("env:TOKEN", "s3cret"),
            ("Bearer ${env:TOKEN}", "Bearer s3cret"),
            ("${env:TOKEN}/${env:TOKEN}.", "s3cret/s3cret."),
            ("https://example.com/a", "https://example.com/a"),
            ("", ""),
        ] {
            let parsed: SecretText = text.parse().expect(text);
            assert_eq!(parsed.resolve(&resolver).await.expect(text).expose_secret(), expected);
        }
        assert!("a ${env:TOKEN".parse::<SecretText>().is_err());
        assert!("a ${b}".parse::<SecretText>().is_err());
        let missing: SecretText = "env:OTHER".parse().expect("a reference");
        assert!(missing.resolve(&resolver).await.is_err());
        assert_eq!((missing.plain(), "text".parse::<SecretText>().expect("a text").plain()), (None, Some("text")));
    }
}
