//! Addresses without their secret parts.

use integration_sdk::url::Url;

/// Returns a URL without user information, query, and fragment, which may contain credentials.
///
/// The result is `None` for a text that is no URL with a host. Such a text may be anything.
pub fn without_query(address: &str) -> Option<Url> {
    let mut url = Url::parse(address).ok().filter(Url::has_host)?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_port_and_path_stay() {
        let clean = |text: &str| without_query(text).map(String::from);
        let whole = "https://ada:secret@idp.example:8443/sso/saml?key=secret#secret";
        assert_eq!(clean(whole).as_deref(), Some("https://idp.example:8443/sso/saml"));
        assert_eq!(clean("syslog://secret@logs.example:514").as_deref(), Some("syslog://logs.example:514"));
        for odd in ["", "secret", "mailto:ada@example.com", "https://", "urn:example:idp"] {
            assert_eq!(clean(odd), None, "{odd}");
        }
    }
}
