//! What looks like a credential: by its form, or by the name of the field that holds it.
//!
//! One judgement for both sides: a recorder takes out what [`find_secrets`](super::find_secrets) would complain of.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};
use serde_json::Value;
use url::Url;

use crate::redact::REDACTED;

/// Chance in a value, in bits, from which on it is no word that a person has chosen.
const CHANCE: f64 = 40.0;
const SHORTEST_SECRET: usize = 8;

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SecretKind {
    /// `Bearer` or `Basic` and a credential.
    Authorization,
    /// A key of a provider that marks its keys, such as `HRKU-…`.
    ProviderKey,
    /// The id of a key of AWS.
    AwsKey,
    /// A private key in PEM.
    PrivateKey,
    /// A signed token (JWT).
    Jwt,
    /// A URL with a password.
    UrlPassword,
    /// Something unguessable in a field or parameter whose name says that it is secret.
    NamedSecret,
    /// A header that carries credentials.
    SecretHeader,
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorization => "a credential of `Authorization`",
            Self::ProviderKey => "a provider's key",
            Self::AwsKey => "a key of AWS",
            Self::PrivateKey => "a private key",
            Self::Jwt => "a signed token (JWT)",
            Self::UrlPassword => "a URL with a password",
            Self::NamedSecret => "an unguessable value under the name of a secret",
            Self::SecretHeader => "a header that carries credentials",
        })
    }
}

/// Each form: its kind, the pattern, and what of a match is no secret (the group `keep`).
const FORMS: [(SecretKind, &str); 6] = [
    (SecretKind::Authorization, r"(?P<keep>\b(?i:bearer|basic)\s+)(?P<secret>[A-Za-z0-9._~+/-]{12,}=*)"),
    (
        SecretKind::ProviderKey,
        r"\b(?:HRKU-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|sk_live_\w{16,}|AIza[\w-]{35})",
    ),
    (SecretKind::AwsKey, r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    (SecretKind::PrivateKey, r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)"),
    (SecretKind::Jwt, r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    (SecretKind::UrlPassword, r#"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]*://)[^\s/?\#:@"'<>\\]*:[^\s/?\#@"'<>\\]+@"#),
];

static SET: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(FORMS.map(|(_, pattern)| pattern)).expect("the patterns are constants"));
static EACH: LazyLock<[Regex; 6]> =
    LazyLock::new(|| FORMS.map(|(_, pattern)| Regex::new(pattern).expect("the patterns are constants")));

/// What a text holds by its form.
pub(super) fn kinds_in(text: &str) -> Vec<SecretKind> {
    let forms = SET.matches(text).into_iter();
    forms.filter(|form| EACH[*form].captures_iter(text).any(|found| is_secret(&found))).map(|at| FORMS[at].0).collect()
}

/// The text without what its form gives away.
pub(super) fn take_out(text: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(text);
    for form in SET.matches(text) {
        let replaced = EACH[form].replace_all(&clean, |found: &Captures<'_>| {
            let kept = found.name("keep").map_or("", |kept| kept.as_str());
            match FORMS[form].0 {
                _ if !is_secret(found) => found[0].to_owned(),
                // A URL without its password is a URL still.
                SecretKind::UrlPassword => kept.to_owned(),
                _ => format!("{kept}{REDACTED}"),
            }
        });
        clean = Cow::Owned(replaced.into_owned());
    }
    clean
}

/// A word of prose can follow `basic`, too.
fn is_secret(found: &Captures<'_>) -> bool {
    found.name("secret").is_none_or(|secret| is_unguessable(secret.as_str()) && has_digit_or_case(secret.as_str()))
}

fn has_digit_or_case(text: &str) -> bool {
    let has = |kind: fn(&char) -> bool| text.chars().skip(1).any(|letter| kind(&letter));
    has(char::is_ascii_digit) || has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase)
}

/// Whether a field or parameter of that name holds a secret. A position in a list is called a token, too, and is none.
pub(super) fn is_secret_name(name: &str) -> bool {
    const SECRETS: [&str; 12] = [
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "apikey",
        "privatekey",
        "accesskey",
        "secretkey",
        "authorization",
        "credential",
        "signature",
    ];
    const POSITIONS: [&str; 5] = ["next", "page", "cursor", "continuation", "sync"];
    let letters = name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    let plain: String = letters.collect();
    let singular = plain.strip_suffix('s').unwrap_or(&plain);
    SECRETS.iter().any(|end| singular.ends_with(end)) && !POSITIONS.iter().any(|word| plain.contains(word))
}

/// Whether a header is never to be recorded.
pub(super) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    is_secret_name(&name) || name.contains("cookie") || name.ends_with("-authenticate") || name.contains("session")
}

/// A value that stands where a secret was.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || matches!(value, REDACTED | "[secret]")
        || value.eq_ignore_ascii_case("redacted")
        || value.chars().all(|letter| matches!(letter, '*' | 'x' | 'X' | '•' | '.'))
}

/// Whether a value has more chance in it than a word that a person has chosen.
pub(super) fn is_unguessable(value: &str) -> bool {
    let length = value.chars().count();
    if length < SHORTEST_SECRET || is_placeholder(value) || value.chars().any(char::is_whitespace) {
        return false;
    }
    let mut counts = std::collections::BTreeMap::new();
    value.chars().for_each(|letter| *counts.entry(letter).or_insert(0_u32) += 1);
    let length = f64::from(u32::try_from(length).unwrap_or(u32::MAX));
    let share = |count: &u32| f64::from(*count) / length;
    let bits: f64 = counts.values().map(|count| -share(count).log2() * f64::from(*count)).sum();
    bits >= CHANCE
}

/// The URL without user and password, and without the values of parameters whose names say that they are secret.
pub(super) fn clean_url(url: &Url) -> Url {
    let mut clean = url.clone();
    // A URL that can have neither has neither.
    let _ = clean.set_username("");
    let _ = clean.set_password(None);
    if clean.query_pairs().any(|(name, _)| is_secret_name(&name)) {
        let pairs = url.query_pairs().map(|(name, value)| {
            let value = if is_secret_name(&name) { REDACTED.into() } else { value };
            (name, value)
        });
        clean.query_pairs_mut().clear().extend_pairs(pairs);
    }
    clean
}

/// Calls `visit` with every string of a JSON value and the name of the field that holds it.
pub(super) fn walk_mut(value: &mut Value, field: Option<&str>, visit: &mut impl FnMut(Option<&str>, &mut String)) {
    match value {
        Value::String(text) => visit(field, text),
        Value::Array(items) => items.iter_mut().for_each(|item| walk_mut(item, field, visit)),
        Value::Object(object) => object.iter_mut().for_each(|(name, value)| walk_mut(value, Some(name), visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----";

    #[test]
    fn credentials_are_known_by_their_form_and_taken_out() {
        let cases = [
            ("Bearer 01234567-89ab-cdef-0123-456789abcdef", SecretKind::Authorization, "Bearer [redacted]"),
            ("say Basic dXNlcjpwYXNzd29yZDEyMw== to", SecretKind::Authorization, "say Basic [redacted] to"),
            ("HRKU-AAbbCCddEEffGGhhIIjjKKll", SecretKind::ProviderKey, "[redacted]"),
            ("id AKIAIOSFODNN7EXAMPLE.", SecretKind::AwsKey, "id [redacted]."),
            (PEM, SecretKind::PrivateKey, "[redacted]"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_-1", SecretKind::Jwt, "[redacted]"),
            ("to https://me:pw@h.example/x and on", SecretKind::UrlPassword, "to https://h.example/x and on"),
        ];
        for (text, kind, clean) in cases {
            assert_eq!(kinds_in(text), [kind], "{text}");
            assert_eq!(take_out(text), clean);
            assert!(kinds_in(&take_out(text)).is_empty());
        }
    }

    #[test]
    fn prose_ids_and_plain_urls_are_no_credentials() {
        for text in [
            "basic understanding of bearer instruments",
            "Basic internationalisation",
            "01234567-89ab-cdef-0123-456789abcdef",
            "https://api.example.com:8443/teams?at=12:30@noon",
            "ssh://git@host.example/x.git",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert_eq!((kinds_in(text), take_out(text)), (Vec::new(), Cow::Borrowed(text)));
        }
    }

    #[test]
    fn a_name_tells_a_secret_from_a_position_and_a_property_of_it() {
        for name in ["token", "access_token", "clientSecret", "PASSWORD", "x-api-key", "refreshTokens", "private_key"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["nextToken", "page_token", "NextContinuationToken", "token_type", "password_updated_at", "key"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn chance_is_told_from_words() {
        for secret in ["01234567-89ab-cdef-0123-456789abcdef", "Zx9!kQ2#vB7$", "5f4dcc3b5aa765d61d8327deb882cf99"] {
            assert!(is_unguessable(secret), "{secret}");
        }
        for word in ["bearer", "[redacted]", "required", "****************", "two words and more words", ""] {
            assert!(!is_unguessable(word), "{word}");
        }
    }

    #[test]
    fn a_url_loses_its_credentials_and_keeps_the_rest() {
        let url = "https://me:pw@h.example/a%20b?api_key=abc&next_token=5&q=%C3%A4".parse().unwrap();
        let clean = clean_url(&url);
        assert_eq!(clean.as_str(), "https://h.example/a%20b?api_key=%5Bredacted%5D&next_token=5&q=%C3%A4");
    }
}
