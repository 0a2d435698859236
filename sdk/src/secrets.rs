//! What looks like a credential by its form, whatever holds it: an answer, a recording, a graph.
//!
//! One list for all who look: recordings take out what it finds, checks of recordings and of graphs complain of it. It owns
//! the patterns and never shows what they match. Who knows the names of fields and headers as well adds what these tell.
//! This module is behind the feature `recording`.
//!
//! ```
//! use integration_sdk::secrets::{self, SecretKind};
//!
//! assert_eq!(secrets::kinds_in("postgres://app:tr0ub4dor@db.example/x"), [SecretKind::UrlPassword]);
//! assert_eq!(secrets::take_out("see postgres://app:tr0ub4dor@db.example/x"), "see postgres://db.example/x");
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use regex::bytes::{RegexSet, RegexSetBuilder};
use regex::{Captures, Regex};

use crate::redact::REDACTED;

/// Chance in a value, in bits, from which on it is no word that a person has chosen.
const CHANCE: f64 = 40.0;
const SHORTEST_SECRET: usize = 8;

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SecretKind {
    /// A private key in PEM.
    PrivateKey,
    /// `Bearer` or `Basic` and a credential.
    Authorization,
    /// A signed token (JWT).
    Jwt,
    /// A URL with a password.
    UrlPassword,
    /// The id of a key of AWS.
    AwsKey,
    /// An API key of Heroku.
    HerokuKey,
    /// A token of GitHub.
    GitHubToken,
    /// A token of GitLab.
    GitLabToken,
    /// A token of Slack.
    SlackToken,
    /// An API key of Google.
    GoogleKey,
    /// A key of Stripe for real payments.
    StripeKey,
    /// A token of npm.
    NpmToken,
    /// Something unguessable in a field or parameter whose name says that it is secret.
    NamedSecret,
    /// A header that carries credentials.
    SecretHeader,
}

impl SecretKind {
    /// As a sentence names it: `a GitHub token`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::PrivateKey => "a private key",
            Self::Authorization => "a credential of `Authorization`",
            Self::Jwt => "a JSON web token",
            Self::UrlPassword => "a URL with a password",
            Self::AwsKey => "an AWS access key",
            Self::HerokuKey => "a Heroku API key",
            Self::GitHubToken => "a GitHub token",
            Self::GitLabToken => "a GitLab token",
            Self::SlackToken => "a Slack token",
            Self::GoogleKey => "a Google API key",
            Self::StripeKey => "a Stripe key",
            Self::NpmToken => "an npm token",
            Self::NamedSecret => "an unguessable value under the name of a secret",
            Self::SecretHeader => "a header that carries credentials",
        }
    }
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}

/// Each form: its kind and the pattern. Of a match, the group `keep` is no secret, and what is in the group `secret` is one
/// only where it is unguessable. Each pattern begins with a fixed text, which is what makes the search fast.
const FORMS: [(SecretKind, &str); 12] = [
    (
        SecretKind::PrivateKey,
        r"(?s)-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    (
        SecretKind::Authorization,
        r"(?P<keep>\b(?:Bearer|bearer|BEARER|Basic|basic|BASIC)\s+)(?P<secret>[A-Za-z0-9._~+/-]{12,}=*)",
    ),
    (SecretKind::Jwt, r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    // A word in brackets, stars or a variable in the place of the password is none.
    (
        SecretKind::UrlPassword,
        r#"(?P<keep>://)[^\s/:@?#"'<>\\]*:(?:[^\s/@?#"'\\\[*<>{$]|\$[^\s/@?#"'<>\\{])[^\s/@?#"'<>\\]*@"#,
    ),
    (SecretKind::AwsKey, r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    (SecretKind::HerokuKey, r"\bHRKU-[A-Za-z0-9_-]{20,}"),
    (SecretKind::GitHubToken, r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})"),
    (SecretKind::GitLabToken, r"\bglpat-[A-Za-z0-9_-]{16,}"),
    (SecretKind::SlackToken, r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    (SecretKind::GoogleKey, r"\bAIza[A-Za-z0-9_-]{35}"),
    (SecretKind::StripeKey, r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    (SecretKind::NpmToken, r"\bnpm_[A-Za-z0-9]{36}"),
];

static SET: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = FORMS.map(|(_, pattern)| pattern);
    RegexSetBuilder::new(patterns).unicode(false).build().expect("the patterns are constants")
});
static EACH: LazyLock<[Regex; FORMS.len()]> =
    LazyLock::new(|| FORMS.map(|(_, pattern)| Regex::new(pattern).expect("the patterns are constants")));

/// Whether any text of a JSON document may hold a secret; `false` is certain, and found without parsing it.
pub fn may_be_in(json: &str) -> bool {
    // A backslash may hide a letter of one.
    json.contains('\\') || SET.is_match(json.as_bytes())
}

/// What a text holds.
pub fn kinds_in(text: &str) -> Vec<SecretKind> {
    let forms = SET.matches(text.as_bytes()).into_iter();
    forms.filter(|form| EACH[*form].captures_iter(text).any(|found| is_secret(&found))).map(|at| FORMS[at].0).collect()
}

/// The text without its secrets.
pub fn take_out(text: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(text);
    for form in SET.matches(text.as_bytes()) {
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

/// A value that stands where a secret was.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || matches!(value, REDACTED | "[secret]")
        || value.eq_ignore_ascii_case("redacted")
        || value.chars().all(|letter| matches!(letter, '*' | 'x' | 'X' | '•' | '.'))
}

/// Whether a value has more chance in it than a word that a person has chosen.
pub(crate) fn is_unguessable(value: &str) -> bool {
    let length = value.chars().count();
    if length < SHORTEST_SECRET || is_placeholder(value) || value.chars().any(char::is_whitespace) {
        return false;
    }
    let mut counts = BTreeMap::new();
    value.chars().for_each(|letter| *counts.entry(letter).or_insert(0_u32) += 1);
    let length = f64::from(u32::try_from(length).unwrap_or(u32::MAX));
    let share = |count: &u32| f64::from(*count) / length;
    let bits: f64 = counts.values().map(|count| -share(count).log2() * f64::from(*count)).sum();
    bits >= CHANCE
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A text of each kind and what is left of it. Put together here, so that no search for secrets stumbles over this file.
    fn examples() -> Vec<(SecretKind, String, &'static str)> {
        let long = "a1B2c3D4e5".repeat(4);
        let pem = |word: &str| format!("-----{word} RSA {}-----", ["PRIVATE", "KEY"].join(" "));
        vec![
            (SecretKind::PrivateKey, format!("{}\nMIIEow\n{}", pem("BEGIN"), pem("END")), "[redacted]"),
            (SecretKind::Authorization, format!("Bearer {long}"), "Bearer [redacted]"),
            (SecretKind::Authorization, "Basic dXNlcjpwYXNzd29yZDEyMw==".to_owned(), "Basic [redacted]"),
            (SecretKind::Jwt, format!("eyJ{}.eyJ{}.{}", &long[..12], &long[..12], &long[..12]), "[redacted]"),
            (
                SecretKind::UrlPassword,
                ["postgres://u", "p4ss@db.example:5432/d"].join(":"),
                "postgres://db.example:5432/d",
            ),
            (SecretKind::AwsKey, format!("AKIA{}", "ABCDEFGH23456789"), "[redacted]"),
            (SecretKind::HerokuKey, format!("HRKU-{}", "01234567-89ab-cdef-0123-456789abcdef"), "[redacted]"),
            (SecretKind::GitHubToken, format!("ghp_{}", &long[..36]), "[redacted]"),
            (SecretKind::GitLabToken, format!("glpat-{}", &long[..20]), "[redacted]"),
            (SecretKind::SlackToken, format!("xoxb-{}", &long[..20]), "[redacted]"),
            (SecretKind::GoogleKey, format!("AIza{}", &long[..35]), "[redacted]"),
            (SecretKind::StripeKey, format!("sk_live_{}", &long[..24]), "[redacted]"),
            (SecretKind::NpmToken, format!("npm_{}", &long[..36]), "[redacted]"),
        ]
    }

    #[test]
    fn each_kind_is_known_by_its_form_also_inside_a_text_and_is_taken_out() {
        let examples = examples();
        for (kind, _) in FORMS {
            assert!(examples.iter().any(|(example, ..)| *example == kind), "{kind}");
        }
        for (kind, text, clean) in examples {
            let inside = format!("see {text} there");
            assert_eq!(kinds_in(&inside), [kind], "{kind}");
            assert!(may_be_in(&json!({"text": text}).to_string()), "{kind}");
            assert_eq!(take_out(&inside), format!("see {clean} there"));
            assert!(kinds_in(&take_out(&inside)).is_empty(), "{kind}");
        }
    }

    #[test]
    fn what_merely_resembles_a_secret_is_none() {
        for text in [
            "basic understanding of bearer instruments",
            "Basic internationalisation",
            "Bearer authentication-required-here",
            "01234567-89ab-cdef-0123-456789abcdef",
            "https://api.example.com:8443/teams?at=12:30@noon",
            "https://example.com:8080/a@b",
            "https://[2001:db8::1]:8080/x@y",
            "https://user:[redacted]@example.com",
            "postgres://user:${PASSWORD}@db",
            "amqp://user:***@mq",
            "ssh://git@host.example/x.git",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----",
            "HRKU-short",
            "eyJ.eyJ.x",
        ] {
            assert_eq!((kinds_in(text), take_out(text)), (Vec::new(), Cow::Borrowed(text)));
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
}
