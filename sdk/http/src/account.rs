//! Account keys: names of credentials that do not reveal them.

use std::fmt;
use std::num::NonZeroU32;

use ring::pbkdf2;
use secrecy::ExposeSecret;

use super::Endpoint;

/// The number of PBKDF2 rounds.
///
/// The key is stored, and a password can be weak. OWASP recommends this number for PBKDF2-HMAC-SHA256, so that the
/// stored key does not help to guess the password.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).expect("not zero");

/// The name of an account: 64 hexadecimal digits that identify its credentials.
///
/// The key is derived from the provider's address, the credentials, the integration, and the instance. Equal input
/// gives the same key in every run, and different input gives a different key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey(String);

impl AccountKey {
    /// Derives the key, which takes about a tenth of a second of processor time.
    pub(super) fn of(endpoint: &Endpoint, integration: &str, instance: &str) -> Self {
        let salt = parts([endpoint.base().as_str(), integration, instance]);
        let secrets = endpoint.secrets.iter().flat_map(|(name, value)| [name.as_str(), value.expose_secret()]);
        let mut digest = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &salt, &parts(secrets), &mut digest);
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Creates a key from its text, such as that of a stored response.
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Joins texts unambiguously: each text is preceded by its length.
fn parts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut joined = Vec::new();
    for text in texts {
        joined.extend((text.len() as u64).to_be_bytes());
        joined.extend(text.as_bytes());
    }
    joined
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn key(base: &str, token: &str, instance: &str) -> AccountKey {
        AccountKey::of(&Endpoint::new(base.parse().unwrap()).bearer(&SecretString::from(token)), "example", instance)
    }

    #[test]
    fn credentials_instances_and_addresses_are_told_apart_and_named_alike_in_every_run() {
        let one = key("https://api.example.com", "s3cret", "default");
        assert_eq!(one.as_str(), "6d2d2f6bd80dfb300f1be4cab5a528910be899bd816e3b4c3b4057bc05f2b275");
        for other in [
            key("https://api.example.com", "other", "default"),
            key("https://api.example.com", "s3cret", "east"),
            key("https://api.example.org", "s3cret", "default"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn what_is_split_in_another_way_is_something_else() {
        assert_ne!(parts(["ab", "c"]), parts(["a", "bc"]));
    }
}
