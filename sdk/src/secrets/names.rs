//! Names of fields and parameters whose values are credentials.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use crate::graph::rfc_3339;

use super::REDACTED;
use super::chance::has_high_entropy;
use super::userinfo::is_stand_in;

const SECRETS: [&str; 13] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "privatekey",
    "accesskey",
    "secretkey",
    "accountkey",
    "authorization",
    "credential",
    "signature",
];
/// Words before `token` that make it a position in a list instead of a secret.
const POSITIONS: [&str; 5] = ["next", "page", "cursor", "continuation", "sync"];

/// Endings of names whose values are secret even if they are ordinary words.
///
/// Names of questions, such as `has_password`, are an exception.
const ALWAYS: [&str; 10] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "privatekey",
    "accesskey",
    "secretkey",
    "accountkey",
];
/// Names of collections of settings, whose values are all secret. A list of texts contains only the names of settings.
const SETTINGS: [&str; 3] = ["configvar", "envvar", "environmentvariable"];
/// The name under which a value among settings is judged. No provider uses it.
const SETTING: &str = "\0setting";
/// The first words of names of questions and limits, such as `has_password` and `maxTokens`.
const QUESTIONS: [&str; 20] = [
    "has", "is", "needs", "require", "requires", "required", "uses", "allow", "allows", "enable", "enabled", "max",
    "min", "must", "supports", "can", "should", "force", "show", "with",
];
/// Values that describe the state of a secret instead of being one.
const STATES: [&str; 20] = [
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "undefined",
    "enabled",
    "disabled",
    "required",
    "optional",
    "set",
    "unset",
    "hidden",
    "present",
    "missing",
    "n/a",
];
/// The first words of `Authorization` values.
const SCHEMES: [&str; 11] =
    ["basic", "bearer", "token", "digest", "apikey", "api-key", "key", "oauth", "negotiate", "hawk", "ssws"];

/// Fixed texts, one of which occurs in every secret name, in any case.
///
/// The texts lack the last letters of the names.
static LITERAL: LazyLock<AhoCorasick> = LazyLock::new(|| {
    // Each text has at least four letters, so that the search is vectorised.
    let literals = [
        "oken",
        "OKEN",
        "ecret",
        "ECRET",
        "assw",
        "ASSW",
        "assphrase",
        "ASSPHRASE",
        "ikey",
        "IKEY",
        "tekey",
        "sskey",
        "ntkey",
        "iKey",
        "IKey",
        "tKey",
        "sKey",
        "eKey",
        "_Key",
        "-Key",
        " Key",
        "TKEY",
        "SKEY",
        "EKEY",
        "_KEY",
        "-KEY",
        " KEY",
        "_key",
        "-key",
        " key",
        "uthoriz",
        "UTHORIZ",
        "redential",
        "REDENTIAL",
        "ignature",
        "IGNATURE",
        "g_var",
        "gVar",
        "G_VAR",
        "g-var",
        "nv_var",
        "nvVar",
        "NV_VAR",
        "nt_var",
        "ntVar",
        "NT_VAR",
        "sig=",
        "SIG=",
        "sig\"",
        "sig'",
    ];
    let mut builder = AhoCorasickBuilder::new();
    builder.match_kind(MatchKind::LeftmostFirst).build(literals).expect("the literals are constants")
});

/// Whether a field or parameter with this name contains a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    if !may_name_secrets(name) {
        return name.eq_ignore_ascii_case("sig");
    }
    let plain = plain(name);
    let singular = plain.strip_suffix('s').unwrap_or(&plain);
    SECRETS.iter().any(|end| singular.ends_with(end)) && !POSITIONS.iter().any(|word| plain.contains(word))
}

/// Whether a value under a name is a secret.
///
/// Under any name of a secret, a value with high entropy is one. An ordinary word is one only under some of these
/// names.
pub(crate) fn is_secret_value(name: &str, value: &str) -> bool {
    if name == SETTING {
        return !value.is_empty() && value != REDACTED;
    }
    if is_stand_in(value) || !is_secret_name(name) {
        return false;
    }
    if is_state(value) {
        return false;
    }
    if has_high_entropy(value) {
        return true;
    }
    let plain = plain(name);
    if plain.ends_with("authorization") {
        return is_authorization(value);
    }
    ALWAYS.iter().any(|end| plain.ends_with(end)) && !is_question(name)
}

/// Whether an object in a field with this name contains settings, each of which is secret.
pub(crate) fn is_settings_name(name: &str) -> bool {
    if !may_name_secrets(name) {
        return false;
    }
    let plain = plain(name);
    SETTINGS.contains(&plain.strip_suffix('s').unwrap_or(&plain))
}

/// Returns the name by which the value of an object's field is judged.
///
/// This is the name of the field, except among settings.
pub(crate) fn name_within<'a>(parent: Option<&str>, name: &'a str) -> &'a str {
    if parent.is_some_and(|parent| parent == SETTING || is_settings_name(parent)) { SETTING } else { name }
}

/// Whether a name may be that of a secret, judged by its last letters. The result `false` is certain.
pub(super) fn may_end_name(name: &[u8]) -> bool {
    let ends = |byte: &u8| matches!(byte.to_ascii_lowercase(), b'n' | b't' | b'd' | b'e' | b'y' | b'l' | b'g');
    match name {
        [.., before, b's' | b'S'] => ends(before),
        [.., last] => ends(last),
        [] => false,
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a value consists of a scheme and credentials, such as `Basic dTpw`.
fn is_authorization(value: &str) -> bool {
    let scheme = value.split_once(char::is_whitespace).filter(|(_, credential)| !is_stand_in(credential));
    scheme.is_some_and(|(scheme, _)| SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)))
}

fn is_question(name: &str) -> bool {
    let first = name.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    let end =
        first.char_indices().skip(1).find(|(_, letter)| letter.is_ascii_uppercase()).map_or(first.len(), |(at, _)| at);
    end < name.len() && QUESTIONS.iter().any(|word| first[..end].eq_ignore_ascii_case(word))
}

fn is_state(value: &str) -> bool {
    let value = value.trim();
    STATES.iter().any(|state| value.eq_ignore_ascii_case(state)) || rfc_3339(value).is_ok()
}

/// Whether a text may contain names of secrets. The result `false` is certain except for names of mixed case.
pub(crate) fn may_name_secrets(text: &str) -> bool {
    LITERAL.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_a_secret_from_a_position_and_a_property_of_it() {
        for name in [
            "token",
            "access_token",
            "clientSecret",
            "PASSWORD",
            "x-api-key",
            "refreshTokens",
            "private_key",
            "sig",
            "API_KEY",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["nextToken", "page_token", "NextContinuationToken", "token_type", "password_updated_at", "key", "design"]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_value_under_a_certain_name_is_secret_even_if_it_is_a_word() {
        for (name, value) in [
            ("password", "hunter2"),
            ("api_key", "k1"),
            ("apikey", "12345"),
            ("x-api-key", "abc"),
            ("clientSecret", "two words"),
            ("private_key", "MIIE"),
            ("token", "t"),
            ("reset_password_token", "abc"),
            (name_within(Some("config_vars"), "a"), "true"),
            (name_within(Some("CONFIG_VARS"), "name"), "a"),
            (name_within(Some("envVars"), "a"), "a"),
            (name_within(Some(SETTING), "a"), "a"),
            ("authorization", "Basic dTpw"),
            ("Authorization", "token abc"),
            ("signature", "01234567-89ab-cdef-0123-456789abcdef"),
        ] {
            assert!(is_secret_value(name, value), "{name}: {value}");
            assert!(name == SETTING || may_end_name(name.as_bytes()), "{name}");
        }
        for (name, value) in [
            ("has_password", "yes, one"),
            ("isSecret", "perhaps"),
            ("max_tokens", "4096"),
            ("maxToken", "4096"),
            ("password", "true"),
            ("password", ""),
            ("password", "[redacted]"),
            ("token", "***"),
            ("token", "2024-01-01T00:00:00Z"),
            ("token_expires_at", "2024-01-01T00:00:00Z"),
            ("token", "9999-12-31T23:59:59Z"),
            ("token_type", "bearer"),
            ("token_id", "01234567-89ab-cdef-0123-456789abcdef"),
            ("secrets", "DB_PASSWORD"),
            ("credential", "default"),
            ("authorization", "required"),
            ("next_token", "01234567-89ab-cdef-0123-456789abcdef"),
            ("config_vars", "DATABASE_URL"),
            (name_within(Some("config"), "a"), "a"),
            ("variables", "a"),
        ] {
            assert!(!is_secret_value(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn every_secret_name_is_met_by_a_fixed_text_in_the_usual_cases() {
        for word in SECRETS {
            let upper = word.to_uppercase();
            let title = format!("{}{}", &upper[..1], &word[1..]);
            for name in [word, &upper, &title, &format!("x-{word}"), &format!("X_{upper}S")] {
                assert!(is_secret_name(name), "{name}");
                assert!(may_end_name(name.as_bytes()), "{name}");
            }
        }
    }
}
