//! What looks like a credential by its form, whatever holds it: an answer, a recording, a graph.
//!
//! One list for all who look: raw data, properties, messages and recordings lose what it finds, checks of recordings and of
//! graphs complain of it. It owns
//! the patterns and never shows what they match. Redaction takes out of everything that is stored or shown what it finds.
//!
//! ```
//! use integration_sdk::secrets::{self, SecretKind};
//!
//! assert_eq!(secrets::kinds_in("postgres://app:tr0ub4dor@db.example/x"), [SecretKind::UrlPassword]);
//! assert_eq!(secrets::take_out("see postgres://app:tr0ub4dor@db.example/x"), "see postgres://db.example/x");
//! ```

use std::borrow::Cow;
use std::fmt;

mod chance;
mod forms;
mod names;
mod own;
mod parameter;
mod userinfo;

#[cfg(feature = "recording")]
pub(crate) use chance::is_placeholder;
pub(crate) use chance::is_unguessable;
pub(crate) use names::{is_secret_name, may_name_secrets};
pub(crate) use own::OwnSecrets;

/// The text in the place of a secret.
pub const REDACTED: &str = "[redacted]";

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

/// Whether any text of a JSON document may hold a secret; `false` is certain, and found without parsing it.
pub fn may_be_in(json: &str) -> bool {
    // A backslash may hide a letter of one.
    memchr::memchr(b'\\', json.as_bytes()).is_some() || is_suspect(json)
}

/// Whether a text without escapes may hold a secret; `false` is certain.
fn is_suspect(text: &str) -> bool {
    forms::may_occur(text) || !userinfo::spans(text).is_empty() || !parameter::spans(text).is_empty()
}

/// The kinds of secrets that a text holds.
pub fn kinds_in(text: &str) -> Vec<SecretKind> {
    let mut kinds = forms::kinds(text);
    if !userinfo::spans(text).is_empty() {
        kinds.push(SecretKind::UrlPassword);
    }
    if parameter::spans(text).into_iter().any(|span| is_unguessable(&text[span])) {
        kinds.push(SecretKind::NamedSecret);
    }
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// The text without its secrets.
pub fn take_out(text: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(text);
    let without = |text: &str, spans: Vec<std::ops::Range<usize>>, stand_in: &str| {
        let mut clean = text.to_owned();
        spans.into_iter().rev().for_each(|span| clean.replace_range(span, stand_in));
        clean
    };
    for (spans, stand_in) in [(userinfo::spans as fn(&str) -> _, ""), (parameter::spans, REDACTED)] {
        let spans: Vec<_> = spans(&clean);
        if !spans.is_empty() {
            clean = Cow::Owned(without(&clean, spans, stand_in));
        }
    }
    if let Some(without_forms) = forms::take_out(&clean) {
        clean = Cow::Owned(without_forms);
    }
    clean
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
        for (kind, _) in forms::FORMS {
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
}
