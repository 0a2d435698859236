//! What looks like a secret. A secret that is found is never shown: only where it is, and what kind.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexSet, RegexSetBuilder};
use serde_json::Value;

use super::pointer::Pointer;

/// Kinds of secrets and how they look. Each pattern begins with a fixed text, which is what makes the search fast.
const KINDS: [(&str, &str); 11] = [
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    ("a bearer token", BEARER),
    ("a JSON web token", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    ("a URL with a password", r#"://[^\s/:@?#"\\]*:(?:[^\s/@?#"\\\[*<{$]|\$[^\s/@?#"\\{])[^\s/@?#"\\]*@"#),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a Heroku API key", r"\bHRKU-[A-Za-z0-9_-]{20,}"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,})"),
    ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a Google API key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}"),
];
const BEARER: &str = r"\b(?:Bearer|bearer|BEARER)\s+[A-Za-z0-9._~+/-]{16,}=*";

static PATTERNS: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = KINDS.iter().map(|(_, pattern)| pattern);
    RegexSetBuilder::new(patterns).unicode(false).build().expect("the patterns are written here, and tested")
});
static BEARERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!("(?-u){BEARER}")).expect("the pattern is written here, and tested"));

/// Whether there may be a secret in the JSON text of an object; `false` is certain.
pub(super) fn possible(json: &str) -> bool {
    // A backslash may hide a letter of one.
    json.contains('\\') || PATTERNS.is_match(json.as_bytes())
}

/// The kinds of secrets that a text holds.
fn kinds(text: &str) -> impl Iterator<Item = &'static str> {
    let found = PATTERNS.matches(text.as_bytes());
    let found: Vec<&str> =
        found.into_iter().map(|kind| KINDS[kind]).filter(|kind| is_one(kind, text)).map(|kind| kind.0).collect();
    found.into_iter()
}

/// Prose speaks of bearers too; a token has a digit in it.
fn is_one((_, pattern): &(&str, &str), text: &str) -> bool {
    *pattern != BEARER
        || BEARERS.find_iter(text.as_bytes()).any(|found| found.as_bytes().iter().any(u8::is_ascii_digit))
}

/// A text that is shown, such as a key or a name: without what looks like a secret.
pub(super) fn masked(text: &str) -> Cow<'_, str> {
    match kinds(text).next() {
        Some(kind) => Cow::Owned(format!("[{kind}]")),
        None => Cow::Borrowed(text),
    }
}

/// Visits each secret of an object with its place: values and names, raw data included.
pub(super) fn each(value: &Value, pointer: &mut Pointer, visit: &mut impl FnMut(&Pointer, &'static str)) {
    match value {
        Value::String(text) => kinds(text).for_each(|kind| visit(pointer, kind)),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                pointer.within_item(at, |pointer| each(item, pointer, visit));
            }
        }
        Value::Object(object) => {
            for (name, value) in object {
                pointer.within(&masked(name), |pointer| {
                    kinds(name).for_each(|kind| visit(pointer, kind));
                    each(value, pointer, visit);
                });
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Examples are put together here, so that no search for secrets stumbles over this file.
    fn examples() -> Vec<(&'static str, String)> {
        let long = "a1B2c3D4e5".repeat(4);
        vec![
            ("a private key", ["-----BEGIN RSA PRIVATE", "KEY-----\nMIIE"].join(" ")),
            ("a bearer token", format!("Authorization: Bearer {long}")),
            ("a JSON web token", format!("eyJ{}.eyJ{}.{}", &long[..12], &long[..12], &long[..12])),
            ("a URL with a password", ["postgres://u", "p4ss@db.example.com:5432/d"].join(":")),
            ("an AWS access key", format!("AKIA{}", "ABCDEFGH23456789")),
            ("a Heroku API key", format!("HRKU-{}", "01234567-89ab-cdef-0123-456789abcdef")),
            ("a GitHub token", format!("ghp_{}", &long[..36])),
            ("a Slack token", format!("xoxb-{}", &long[..20])),
            ("a Google API key", format!("AIza{}", &long[..35])),
            ("a Stripe key", format!("sk_live_{}", &long[..24])),
            ("an npm token", format!("npm_{}", &long[..36])),
        ]
    }

    #[test]
    fn each_kind_is_known_by_its_looks_also_inside_a_text() {
        let examples = examples();
        assert_eq!(examples.len(), KINDS.len());
        for (kind, text) in examples {
            assert_eq!(kinds(&format!("see {text} there")).collect::<Vec<_>>(), [kind]);
            assert!(possible(&json!({"text": text}).to_string()), "{kind}");
            assert_eq!(masked(&text), format!("[{kind}]"));
        }
    }

    #[test]
    fn what_merely_resembles_a_secret_is_none() {
        let harmless = [
            "ssh://git@heroku.com/app.git",
            "https://example.com:8080/a@b",
            "https://[2001:db8::1]:8080/x@y",
            "https://user:[redacted]@example.com",
            "postgres://user:${PASSWORD}@db",
            "amqp://user:***@mq",
            "Bearer authentication-required-here",
            "-----BEGIN PUBLIC KEY-----",
            "HRKU-short",
            "eyJ.eyJ.x",
            "01234567-89ab-cdef-0123-456789abcdef",
        ];
        for text in harmless {
            assert_eq!(kinds(text).next(), None, "{text}");
        }
    }

    #[test]
    fn a_secret_is_found_in_values_and_names_at_any_depth_and_its_place_does_not_show_it() {
        let key = format!("HRKU-{}", "0".repeat(36));
        let object = json!({"a/b": [1, {"c": key}], "d": {&key: true}});
        let mut found = Vec::new();
        each(&object, &mut Pointer::default(), &mut |pointer, kind| found.push(format!("{pointer} {kind}")));
        assert_eq!(found, ["/a~1b/1/c a Heroku API key", "/d/[a Heroku API key] a Heroku API key"]);
    }
}
