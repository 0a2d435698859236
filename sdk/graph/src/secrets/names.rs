//! Names of fields and parameters whose values are credentials.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use crate::rfc_3339;

use super::REDACTED;
use super::chance::has_high_entropy;
use super::userinfo::is_stand_in;

/// The values under the name of a secret that are secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SecretValues {
    /// Ordinary words as well, except under the names of questions, such as `has_password`.
    All,
    /// Values with high entropy, and those that the kind of name defines.
    Generated,
}

/// Endings of names of secrets, without separators, each with the values that are secret.
///
/// The first names have no separators in some programs. The others consist of several words.
const SECRETS: [(&str, SecretValues); 22] = [
    ("token", SecretValues::All),
    ("secret", SecretValues::All),
    ("password", SecretValues::All),
    ("passwd", SecretValues::All),
    ("passphrase", SecretValues::All),
    ("apikey", SecretValues::All),
    ("privatekey", SecretValues::All),
    ("accesskey", SecretValues::All),
    ("secretkey", SecretValues::All),
    ("accountkey", SecretValues::All),
    ("authorization", SecretValues::Generated),
    ("credential", SecretValues::Generated),
    ("signature", SecretValues::Generated),
    ("signingkey", SecretValues::All),
    ("encryptionkey", SecretValues::All),
    ("hmackey", SecretValues::All),
    ("masterkey", SecretValues::All),
    ("sharedkey", SecretValues::All),
    ("sshkey", SecretValues::Generated),
    ("keybase", SecretValues::All),
    ("sessionid", SecretValues::Generated),
    ("cookie", SecretValues::Generated),
];
/// Last words of names of secrets that are too short to be searched for within words.
const SHORT: [&str; 4] = ["pass", "pwd", "otp", "psk"];
/// Words before `token` that make it a position in a list instead of a secret.
const POSITIONS: [&str; 5] = ["next", "page", "cursor", "continuation", "sync"];

/// Names of collections of settings, whose values are all secret. A list of texts contains only the names of settings.
const SETTINGS: [&str; 3] = ["configvar", "envvar", "environmentvariable"];
/// The name under which a value among settings is judged. No provider uses it.
const SETTING: &str = "\0setting";
/// The name under which a value in an object below the name of a secret is judged. No provider uses it.
const WITHIN_SECRET: &str = "\0secret";
/// Names in an object below the name of a secret whose values describe the secret.
const DESCRIPTIONS: [&str; 46] = [
    "id",
    "ids",
    "uuid",
    "guid",
    "name",
    "names",
    "type",
    "kind",
    "scope",
    "scopes",
    "state",
    "status",
    "description",
    "label",
    "title",
    "algorithm",
    "alg",
    "version",
    "format",
    "created",
    "updated",
    "expires",
    "expiration",
    "owner",
    "user",
    "username",
    "login",
    "email",
    "href",
    "ref",
    "region",
    "role",
    "permissions",
    "permission",
    "required",
    "message",
    "comment",
    "note",
    "source",
    "provider",
    "issuer",
    "audience",
    "subject",
    "method",
    "object",
    "error",
];
/// Last words of further names that describe a secret, such as `created_at` and `keyId`.
const DESCRIBING: [&str; 8] = ["id", "at", "on", "date", "time", "type", "name", "status"];
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

/// Fixed texts, one of which occurs in every text with a secret name, in any case.
///
/// The texts lack the last letters of the names. The last ones occur in texts that show a secret without such a name.
/// Each text has at least four letters and there are at most 64, so that the search is vectorised.
const LITERALS: [&str; 64] = [
    "oken",
    "OKEN",
    "ecret",
    "ECRET",
    "pass",
    "Pass",
    "PASS",
    "pwd\"",
    "PWD\"",
    "pwd=",
    "Pwd=",
    "PWD=",
    "otp\"",
    "psk\"",
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
    "gKey",
    "nKey",
    "rKey",
    "cKey",
    "hKey",
    "dKey",
    "_Key",
    "-Key",
    " Key",
    "TKEY",
    "SKEY",
    "EKEY",
    "_KEY",
    "-KEY",
    "_key",
    "-key",
    " key",
    "?key",
    "&key",
    "uthoriz",
    "UTHORIZ",
    "redential",
    "REDENTIAL",
    "ignature",
    "IGNATURE",
    "sionId",
    "sion_id",
    "sion-id",
    "SSION_ID",
    "ookie",
    "_var",
    "gVar",
    "_VAR",
    "g-var",
    "nvVar",
    "ntVar",
    "sig=",
    "sig\"",
    "mysql",
    "hooks.slack",
];

static LITERAL: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut builder = AhoCorasickBuilder::new();
    builder.match_kind(MatchKind::LeftmostFirst).build(LITERALS).expect("the literals are constants")
});

/// Whether a field or parameter with this name contains a secret.
pub fn is_secret_name(name: &str) -> bool {
    if is_short(name) {
        return true;
    }
    if !may_name_secrets(name) {
        return false;
    }
    let plain = plain(name);
    let singular = plain.strip_suffix('s').unwrap_or(&plain);
    SECRETS.iter().any(|(end, _)| singular.ends_with(end)) && !POSITIONS.iter().any(|word| plain.contains(word))
}

/// Whether a name is or ends with a short word for a secret, such as `dbPass` and `DB_PWD`.
fn is_short(name: &str) -> bool {
    let ends = |word: &&&str| ends_with(name.as_bytes(), word);
    let Some(word) = SHORT.iter().find(ends) else { return name.eq_ignore_ascii_case("sig") };
    let (before, last) = name.split_at(name.len() - word.len());
    let is_capital = last.starts_with(|letter: char| letter.is_ascii_uppercase());
    !before.ends_with(|letter: char| letter.is_ascii_alphanumeric())
        || is_capital && before.ends_with(|letter: char| letter.is_ascii_lowercase())
}

fn ends_with(name: &[u8], word: &str) -> bool {
    name.len() >= word.len() && name[name.len() - word.len()..].eq_ignore_ascii_case(word.as_bytes())
}

/// Whether a value under a name is a secret.
///
/// Under any name of a secret, a value with high entropy is one. An ordinary word is one only under some of these
/// names.
pub fn is_secret_value(name: &str, value: &str) -> bool {
    if name == SETTING {
        return !value.is_empty() && value != REDACTED;
    }
    if name == WITHIN_SECRET {
        return !is_stand_in(value) && !is_state(value);
    }
    if is_stand_in(value) || !is_secret_name(name) {
        return false;
    }
    if is_state(value) || is_public(name, value) {
        return false;
    }
    if has_high_entropy(value) {
        return true;
    }
    let plain = plain(name);
    if plain.ends_with("authorization") {
        return is_authorization(value);
    }
    if plain.ends_with("cookie") {
        return value.contains('=');
    }
    is_always_secret(name, &plain)
}

fn is_always_secret(name: &str, plain: &str) -> bool {
    let is_ending = |(end, values): &(&str, SecretValues)| *values == SecretValues::All && plain.ends_with(end);
    (is_short(name) || SECRETS.iter().any(is_ending)) && !is_question(name)
}

/// Whether a value is public: a public key under a name such as `ssh_key`, or a folder in `PWD`.
pub(super) fn is_public(name: &str, value: &str) -> bool {
    let value = value.trim_start();
    let is_folder = ends_with(name.as_bytes(), "pwd") && value.starts_with(['/', '~', '.']);
    is_folder
        || plain(name).ends_with("sshkey")
            && ["ssh-", "ecdsa-", "sk-", "AAAA"].iter().any(|start| value.starts_with(start))
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
/// This is the name of the field, except among settings and below the name of a secret.
pub fn name_within<'a>(parent: Option<&str>, name: &'a str) -> &'a str {
    match parent {
        Some(parent) if parent == SETTING || is_settings_name(parent) => SETTING,
        Some(parent) if is_above_secrets(parent) && !is_description(name) => WITHIN_SECRET,
        _ => name,
    }
}

/// Whether the texts in an object in a field with this name are secrets.
fn is_above_secrets(parent: &str) -> bool {
    if parent == WITHIN_SECRET {
        return true;
    }
    if !is_secret_name(parent) {
        return false;
    }
    let plain = plain(parent);
    is_always_secret(parent, plain.strip_suffix('s').unwrap_or(&plain))
}

fn is_description(name: &str) -> bool {
    let last = name.rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    let start = last.rfind(|letter: char| letter.is_ascii_uppercase()).unwrap_or_default();
    let is_one = |words: &[&str], name: &str| words.iter().any(|word| word.eq_ignore_ascii_case(name));
    let has_words_before = last.len() < name.len() || start > 0;
    // In an abbreviation, such as `keyID`, the last capital does not start the word.
    let ends = is_one(&DESCRIBING, &last[start..]) || last.ends_with("ID");
    is_one(&DESCRIPTIONS, name) || has_words_before && ends || is_question(name)
}

/// Whether a name may be that of a secret, judged by its last letters. The result `false` is certain.
pub(super) fn may_end_name(name: &[u8]) -> bool {
    let ends = |byte: &u8| matches!(byte.to_ascii_lowercase(), b'n' | b't' | b'd' | b'e' | b'y' | b'l' | b'g');
    let may_end = match name {
        [.., before, b's' | b'S'] => ends(before),
        [.., last] => ends(last),
        [] => false,
    };
    may_end || SHORT.iter().any(|word| ends_with(name, word))
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

pub(super) fn is_state(value: &str) -> bool {
    let value = value.trim();
    STATES.iter().any(|state| value.eq_ignore_ascii_case(state)) || rfc_3339(value).is_ok()
}

/// Whether a text may contain names of secrets. The result `false` is certain except for names of mixed case.
///
/// The property `_key`, which every object of a graph has, does not count.
pub(crate) fn may_name_secrets(text: &str) -> bool {
    let is_property = |start: usize, end: usize| {
        &text[start..end] == "_key" && text[..start].ends_with('"') && text[end..].starts_with("\":")
    };
    LITERAL.find_iter(text).any(|found| !is_property(found.start(), found.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_an_object_is_no_name_of_a_secret() {
        assert!(!is_secret_name("_key") && !may_name_secrets(r#"{"_class":"HAS","_key":"a|has|b"}"#));
        for text in [
            r#"{"_key":"a","token":"b"}"#,
            r#"{"_key":"?token=b"}"#,
            r#"{"_keys":"a"}"#,
            r#"{"a_key":"a"}"#,
            r#"{"_key" : "a"}"#,
            r#"["_key"]"#,
            r#"{\"_key\":\"a\"}"#,
            "_key=a",
        ] {
            assert!(may_name_secrets(text), "{text}");
        }
    }

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
            "pass",
            "dbPass",
            "DB_PASS",
            "pwd",
            "otp",
            "wifi-psk",
            "sessionId",
            "session_id",
            "signing_key",
            "encryptionKey",
            "ssh_key",
            "hmac_key",
            "masterKey",
            "pre_shared_key",
            "SECRET_KEY_BASE",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "nextToken",
            "page_token",
            "NextContinuationToken",
            "token_type",
            "password_updated_at",
            "key",
            "design",
            "bypass",
            "compass",
            "laptop",
            "BYPASS",
            "session",
            "public_key",
        ] {
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
            (name_within(Some("refresh_token"), "value"), "word"),
            (name_within(Some("passwords"), "a"), "word"),
            (name_within(Some(name_within(Some("api_key"), "deep")), "hash"), "word"),
            ("pass", "word"),
            ("db_pwd", "word"),
            ("otp", "123456"),
            ("session_id", "0a1B2c3D4e5F6a7B8c9D"),
            ("ssh_key", "b3BlbnNzaC1rZXktdjEAAAAA"),
            ("cookie", "sid=word"),
            ("authorization", "Basic dTpw"),
            ("Authorization", "token abc"),
            ("signature", "01234567-89ab-cdef-0123-456789abcdef"),
        ] {
            assert!(is_secret_value(name, value), "{name}: {value}");
            assert!(name.starts_with('\0') || may_end_name(name.as_bytes()), "{name}");
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
            (name_within(Some("token"), "id"), "01234567-89ab-cdef-0123-456789abcdef"),
            (name_within(Some("tokens"), "userName"), "ada"),
            (name_within(Some("token"), "created_at"), "yesterday"),
            (name_within(Some("token"), "x"), "enabled"),
            (name_within(Some("token"), "x"), "2024-01-01T00:00:00Z"),
            (name_within(Some("max_tokens"), "x"), "many"),
            (name_within(Some("next_token"), "x"), "many"),
            ("PWD", "/app"),
            ("ssh_key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada"),
            ("cookie", "session"),
            ("variables", "a"),
        ] {
            assert!(!is_secret_value(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn every_secret_name_is_met_by_a_fixed_text_in_the_usual_cases() {
        let searched = LITERALS;
        assert!(searched.len() <= 64 && searched.iter().all(|literal| literal.len() >= 4));
        assert!(aho_corasick::packed::Searcher::new(searched).is_some());
        for (word, _) in &SECRETS[..13] {
            let upper = word.to_uppercase();
            let title = format!("{}{}", &upper[..1], &word[1..]);
            for name in [*word, &upper, &title, &format!("x-{word}"), &format!("X_{upper}S")] {
                assert!(is_secret_name(name), "{name}");
                assert!(may_end_name(name.as_bytes()), "{name}");
            }
        }
    }
}
