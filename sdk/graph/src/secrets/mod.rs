//! Credentials that are recognised by their form or their name, in responses, recordings, and graphs.
//!
//! One list of rules (`docs/how-to/secrets.md`): redaction removes their matches from everything that is stored or
//! printed, and the checks of recordings and graphs report them. The module owns the patterns and never shows a match.
//!
//! Nearly all texts contain no secret. Each search therefore starts with a vectorised search for fixed texts or single
//! characters; [`may_be_in`] does this for a whole JSON document. Only texts with `%`, `&`, or `\` are decoded and
//! searched again.
//!
//! ```
//! use integration_graph::secrets::{self, SecretKind};
//!
//! assert_eq!(secrets::kinds_in("postgres://app:tr0ub4dor@db.example/x"), [SecretKind::UrlPassword]);
//! assert_eq!(secrets::take_out("see postgres://app:tr0ub4dor@db.example/x"), "see postgres://db.example/x");
//! ```

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::ops::Range;

mod chance;
mod context;
mod forms;
mod hidden;
mod names;
mod own;
mod parameter;
mod userinfo;

pub(crate) use chance::has_high_entropy;
pub use chance::is_placeholder;
use hidden::Unhidden;
pub use names::{is_secret_name, is_secret_value, name_within};
pub(crate) use names::{is_settings_name, may_name_secrets};
pub use own::OwnSecrets;

/// The text that replaces a secret.
pub const REDACTED: &str = "[redacted]";

/// The kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SecretKind {
    /// A private key in PEM.
    PrivateKey,
    /// A credential after `Bearer` or `Basic`.
    Authorization,
    /// A signed token (JWT).
    Jwt,
    /// A URL with a password.
    UrlPassword,
    /// An AWS access key id.
    AwsKey,
    /// A Heroku API key.
    HerokuKey,
    /// A GitHub token.
    GitHubToken,
    /// A GitLab token.
    GitLabToken,
    /// A Slack token.
    SlackToken,
    /// A Google API key.
    GoogleKey,
    /// A live key of Stripe.
    StripeKey,
    /// An npm token.
    NpmToken,
    /// A value with high entropy in a field or parameter with the name of a secret.
    NamedSecret,
    /// A header with credentials.
    SecretHeader,
}

impl SecretKind {
    /// Returns the name of the kind for a sentence, such as `a GitHub token`.
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

/// Whether a JSON document may contain a secret. The result `false` is certain and needs no parser.
pub fn may_be_in(json: &str) -> bool {
    may_be_in_named(json, may_name_secrets(json))
}

/// Like [`may_be_in`], if it is known whether the document may contain names of secrets.
pub(crate) fn may_be_in_named(json: &str, has_names: bool) -> bool {
    // A backslash may hide a letter of a secret.
    memchr::memchr(b'\\', json.as_bytes()).is_some()
        || is_suspect(json, has_names)
        || hidden::may_hide(json.as_bytes())
            && Unhidden::of(json).is_some_and(|unhidden| is_suspect(unhidden.text(), may_name_secrets(unhidden.text())))
}

/// Whether a document without escapes may contain a secret. The result `false` is certain.
fn is_suspect(json: &str, has_names: bool) -> bool {
    forms::occur(json) || !userinfo::spans(json).is_empty() || has_names && parameter::may_be_in_strings(json)
}

/// Whether a text is made only of bytes that cannot form a secret; `true` is certain.
///
/// Most keys of objects are such texts, for example UUIDs. Every form contains an upper-case letter, a blank, an
/// underscore, one of `@:=%&\\`, the `g` of `glpat-`, or the `x` of `xoxb-`.
#[doc(hidden)]
pub fn is_harmless(text: &str) -> bool {
    text.bytes().all(|byte| HARMLESS[usize::from(byte)])
}

/// The bytes of [`is_harmless`], as a table.
const HARMLESS: [bool; 256] = {
    let harmless = b"0123456789abcdefhijklmnopqrstuvwyz-|./";
    let (mut table, mut at) = ([false; 256], 0);
    while at < harmless.len() {
        table[harmless[at] as usize] = true;
        at += 1;
    }
    table
};

/// A part of a text that is a secret.
struct Found {
    kind: SecretKind,
    place: Range<usize>,
    stand_in: &'static str,
}

/// Returns the secrets of a text without decoding it, in order and without overlaps.
fn found(text: &str) -> Vec<Found> {
    let users = userinfo::spans(text).into_iter().map(|place| (SecretKind::UrlPassword, place));
    let named = parameter::spans(text).into_iter().map(|place| (SecretKind::NamedSecret, place));
    let mut all: Vec<Found> = users
        .chain(named)
        .chain(forms::spans(text))
        .map(|(kind, place)| {
            // A URL without its password remains a valid URL.
            let stand_in = if kind == SecretKind::UrlPassword { "" } else { REDACTED };
            Found { kind, place, stand_in }
        })
        .collect();
    all.sort_by_key(|found| (found.place.start, Reverse(found.place.end)));
    all.dedup_by(|next, last| {
        let overlaps = next.place.start < last.place.end;
        if overlaps && next.place.end > last.place.end {
            (last.place.end, last.stand_in) = (next.place.end, REDACTED);
        }
        overlaps
    });
    all
}

/// Returns the secrets that encodings hide, at their positions in the original text.
fn found_hidden(text: &str) -> Vec<Found> {
    let Some(unhidden) = Unhidden::of(text) else { return Vec::new() };
    let mut all = found(unhidden.text());
    let mut places: Vec<_> = all.iter_mut().map(|found| &mut found.place).collect();
    unhidden.original(&mut places);
    all
}

/// Returns the kinds of secrets in a text.
pub fn kinds_in(text: &str) -> Vec<SecretKind> {
    let is_certain = |found: &Found, text: &str| {
        found.kind != SecretKind::NamedSecret || has_high_entropy(text.get(found.place.clone()).unwrap_or_default())
    };
    let all = found(text).into_iter().chain(found_hidden(text));
    let mut kinds: Vec<_> = all.filter(|found| is_certain(found, text)).map(|found| found.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Removes the secrets from a text.
pub fn take_out(text: &str) -> Cow<'_, str> {
    if is_harmless(text) {
        return Cow::Borrowed(text);
    }
    let mut clean = Cow::Borrowed(text);
    for search in [found, found_hidden] {
        let all = search(&clean);
        if !all.is_empty() {
            let mut without = clean.into_owned();
            all.into_iter().rev().for_each(|found| without.replace_range(found.place, found.stand_in));
            clean = Cow::Owned(without);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Texts of each kind and their remainders. They are assembled here, so that scanners find no secrets in this file.
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
            assert!(!is_harmless(&text), "{kind}");
            assert_eq!(take_out(&inside), format!("see {clean} there"));
            assert!(kinds_in(&take_out(&inside)).is_empty(), "{kind}");
        }
    }

    #[test]
    fn passwords_of_urls_are_taken_out_however_the_url_is_written() {
        for (text, clean) in [
            (r"https:\/\/u:S3CR3T@h", r"https:\/\/h"),
            (r"https:\\/\\/u:S3CR3T@h\\/x", r"https:\\/\\/h\\/x"),
            (r"https:\\u:S3CR3T@h\x", r"https:\\h\x"),
            (r"https:\u002f\u002fu:S3CR3T@h", r"https:\u002f\u002fh"),
            ("https%3A%2F%2Fu%3AS3CR3T%40h", "https%3A%2F%2Fh"),
            ("to=https%253A%252F%252Fu%253AS3CR3T%2540h%252Fx", "to=https%253A%252F%252Fh%252Fx"),
            ("https%25253A//u%3aS3CR3T@h", "https%25253A//h"),
            ("https&colon;&#x2f;&#x2F;u&#58;S3CR3T&commat;h", "https&colon;&#x2f;&#x2F;h"),
            ("https://u:S3%43R3T%40h/x", "https://h/x"),
            ("https://u:S3 CR3T\tx@h/x", "https://h/x"),
            ("postgres:u:S3CR3T@h/d", "postgres:h/d"),
            ("DATABASE redis::S3CR3T@h:1", "DATABASE redis:h:1"),
            ("mongodb+srv:/u:S3CR3T@h", "mongodb+srv:/h"),
            ("https://0a1B2c3D4e5F6a7B8c9D@h/x", "https://h/x"),
            ("https%3A%2F%2F0a1B2c3D4e5F6a7B8c9D%40h", "https%3A%2F%2Fh"),
            ("https:u:S3CR3T@h/x", "https:h/x"),
            ("http:/u:S3CR3T@h", "http:/h"),
            (r"https:/\u:S3CR3T@h", r"https:/\h"),
            ("see https://u:\"S3CR3T\"@h", "see https://h"),
            ("https://u:S3CR3T\u{2028}@h", "https://h"),
            (
                "\u{ff48}\u{ff54}\u{ff54}\u{ff50}\u{ff1a}\u{ff0f}\u{ff0f}u:S3CR3T@h",
                "\u{ff48}\u{ff54}\u{ff54}\u{ff50}\u{ff1a}\u{ff0f}\u{ff0f}h",
            ),
            ("dsn u:S3CR3T@tcp(h:3306)/db", "dsn tcp(h:3306)/db"),
            ("dsn=u:S3@CR3T@unix(/s)/db", "dsn=unix(/s)/db"),
            ("https://u:{0a1B2c3D4e5F6a7B}@h", "https://h"),
            ("https://u:<0a1B2c3D4e5F6a7B>@h", "https://h"),
            ("https://u:[0a1B2c3D4e5F6a7B]@h", "https://h"),
        ] {
            assert_eq!(take_out(text), clean, "{text}");
            assert_eq!(kinds_in(text), [SecretKind::UrlPassword], "{text}");
            assert!(may_be_in(&json!([text]).to_string()), "{text}");
            assert_eq!(take_out(clean), clean);
        }
    }

    #[test]
    fn options_in_sentences_and_references_to_secrets_stay() {
        for text in [
            "--api-key takes the place of the key",
            "pass --api-key file:PATH",
            "--password env:PGPASSWORD",
            "--api-key vault:jupiterone",
            "--secret needs the place of a secret",
        ] {
            assert_eq!(take_out(text), text);
        }
        assert_eq!(take_out("--api-key abc"), "--api-key [redacted]");
    }

    #[test]
    fn credentials_behind_their_labels_are_taken_out_even_if_they_are_words() {
        for (text, clean) in [
            ("Authorization: token abc", "Authorization: token [redacted]"),
            ("authorization: Basic dTpw, x", "authorization: Basic [redacted], x"),
            ("-H 'Authorization: Bearer abc' h", "-H 'Authorization: Bearer [redacted]' h"),
            ("Proxy-Authorization=Bearer%20abc&x", "Proxy-Authorization=[redacted]&x"),
            (r#"{"Authorization": "Bearer abc"}"#, r#"{"Authorization": "[redacted]"}"#),
            (r#"{\"authorization\":\"Bearer abc\"}"#, r#"{\"authorization\":\"[redacted]\"}"#),
            ("Authorization: Digest username=\"u\", response=\"r\"\nx", "Authorization: Digest [redacted]\nx"),
            ("curl -s -u u:p https://h", "curl -s -u [redacted] https://h"),
            ("curl -uu:p https://h", "curl -u[redacted] https://h"),
            ("curl --user 'u:p q' https://h", "curl --user [redacted] https://h"),
            ("run --user=u:p", "run --user=[redacted]"),
            ("curl -s -b session=abc https://h", "curl -s -b session=[redacted] https://h"),
            ("curl -b 'sid=abc; a=b' h", "curl -b 'sid=[redacted]' h"),
            ("password = abc", "password = [redacted]"),
            (r#"{\"cmd\":\"x --token abc\"}"#, r#"{\"cmd\":\"x --token [redacted]\"}"#),
            (r#"password = \"abc\" x"#, r#"password = \"[redacted]\" x"#),
            ("&lt;password&gt;abc&lt;/password&gt;", "&lt;password&gt;[redacted]&lt;/password&gt;"),
            ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: sid=[redacted]"),
            ("mysql -pabc", "mysql -p[redacted]"),
            ("hooks.slack.com/services/TAB/BCD/efg", "hooks.slack.com/services/[redacted]"),
            (r#"{"api_key": "abc", "page": 2}"#, r#"{"api_key": "[redacted]", "page": 2}"#),
            (r#"{\"api_key\": \"abc\"}"#, r#"{\"api_key\": \"[redacted]\"}"#),
            ("next=%2Fx%3Ftoken%3Dabc%26y%3D1", "next=%2Fx%3Ftoken%3D[redacted]%26y%3D1"),
        ] {
            assert_eq!(take_out(text), clean, "{text}");
            assert!(may_be_in(&json!([text]).to_string()), "{text}");
            assert_eq!(take_out(clean), clean);
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
            "https://user:{PASSWORD}@h and https://user:<your-password-here>@h",
            "https://user:[redacted]@h, plan http:x",
            "the --password option, mysql -u root -p",
            "amqp://user:***@mq",
            "ssh://git@host.example/x.git",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----",
            "HRKU-short",
            "heroku-postgresql:standard-0",
            "docker run --user 1000:1000 -u node:node x",
            "curl -u \"$USER:${PASSWORD}\" h",
            "Authorization: Bearer [redacted]",
            "authorization is required",
            r"C:\\Users\\ada:x\\a@b",
            "https://h.example/login?email=ada%40example.com&at=12%3A30",
            "a%20b &amp; c@d.example",
            "eyJ.eyJ.x",
        ] {
            assert_eq!((kinds_in(text), take_out(text)), (Vec::new(), Cow::Borrowed(text)));
        }
    }
}
