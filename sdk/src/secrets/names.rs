//! Names of fields and parameters that say that their value is a credential.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

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
/// A position in a list is called a token, too, and is none.
const POSITIONS: [&str; 5] = ["next", "page", "cursor", "continuation", "sync"];

/// Fixed texts of which every secret name contains one, without its last letters and its case.
static LITERAL: LazyLock<AhoCorasick> = LazyLock::new(|| {
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
        "Key",
        "KEY",
        "_key",
        "-key",
        "uthoriz",
        "UTHORIZ",
        "redential",
        "REDENTIAL",
        "ignature",
        "IGNATURE",
    ];
    AhoCorasick::new(literals).expect("the literals are constants")
});

/// Whether a field or parameter of that name holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    if !may_name_secrets(name) {
        return name.eq_ignore_ascii_case("sig");
    }
    let letters = name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    let plain: String = letters.collect();
    let singular = plain.strip_suffix('s').unwrap_or(&plain);
    SECRETS.iter().any(|end| singular.ends_with(end)) && !POSITIONS.iter().any(|word| plain.contains(word))
}

/// Whether a text may hold such a name; `false` is certain, except for names of mixed case.
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
    fn every_secret_name_is_met_by_a_fixed_text_in_the_usual_cases() {
        for word in SECRETS {
            let upper = word.to_uppercase();
            let title = format!("{}{}", &upper[..1], &word[1..]);
            for name in [word, &upper, &title, &format!("x-{word}"), &format!("X_{upper}S")] {
                assert!(is_secret_name(name), "{name}");
            }
        }
    }
}
