//! The names of fields, parameters, and headers that contain credentials.
//!
//! Credentials that are recognized by their value are the subject of [`secrets`](integration_graph::secrets).

use url::Url;

use integration_graph::redact::{REDACTED, Redaction};
use integration_graph::secrets::is_secret_name;

/// Returns whether a header must never be recorded.
pub(super) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    is_secret_name(&name) || name.contains("cookie") || name.ends_with("-authenticate") || name.contains("session")
}

/// Removes user, password, and secret parameter values from a URL.
///
/// A parameter is secret by its name, or because the integration declares it as secret.
pub(super) fn clean_url(url: &Url, redaction: &Redaction) -> Url {
    let mut clean = url.clone();
    // These calls fail only for URLs that cannot contain credentials.
    let _ = clean.set_username("");
    let _ = clean.set_password(None);
    if let Some(query) = url.query().and_then(|query| clean_form(query, redaction)) {
        clean.set_query(Some(&query));
    }
    clean
}

/// Removes the values of secret fields from a query or a form.
///
/// Returns `None` if it contains none.
pub(super) fn clean_form(form: &str, redaction: &Redaction) -> Option<String> {
    let hides = |name: &str| redaction.hides_field(name) || is_secret_name(name);
    let pairs = || url::form_urlencoded::parse(form.as_bytes());
    if !pairs().any(|(name, value)| hides(&name) && value != REDACTED) {
        return None;
    }
    let clean = pairs().map(|(name, value)| {
        let value = if hides(&name) { REDACTED.into() } else { value };
        (name, value)
    });
    Some(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(clean).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_loses_its_credentials_and_keeps_the_rest() {
        let url = "https://me:pw@h.example/a%20b?api_key=abc&next_token=5&q=%C3%A4".parse().unwrap();
        let clean = clean_url(&url, &Redaction::default());
        assert_eq!(clean.as_str(), "https://h.example/a%20b?api_key=%5Bredacted%5D&next_token=5&q=%C3%A4");
    }
}
