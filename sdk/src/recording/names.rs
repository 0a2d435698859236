//! Fields, parameters and headers whose names say that they hold a credential. What a value says by its form is in
//! [`secrets`](crate::secrets).

use serde_json::Value;
use url::Url;

use crate::redact::REDACTED;

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
    fn a_url_loses_its_credentials_and_keeps_the_rest() {
        let url = "https://me:pw@h.example/a%20b?api_key=abc&next_token=5&q=%C3%A4".parse().unwrap();
        let clean = clean_url(&url);
        assert_eq!(clean.as_str(), "https://h.example/a%20b?api_key=%5Bredacted%5D&next_token=5&q=%C3%A4");
    }
}
