//! Addresses without their credentials.

use integration_sdk::url::Url;

/// Returns the host of an address, with its port if the address names one.
pub(super) fn host(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Returns the scheme, host, and path of an address, without user information, query, and fragment.
pub(super) fn without_credentials(address: &str) -> Option<String> {
    let mut url = Url::parse(address).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    if url.cannot_be_a_base() {
        return (!url.path().contains('@')).then(|| url.to_string());
    }
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    (cleared.is_ok() || (url.username().is_empty() && url.password().is_none())).then(|| url.to_string())
}

/// The number of characters from which a part of a path may be a credential.
const LONG: usize = 16;

/// Returns an address without credentials, also those in its path.
///
/// The addresses of chat services end with a token. A part of the path that is long and contains a digit becomes `***`.
pub(super) fn without_secret_path(address: &str) -> Option<String> {
    let mut url = Url::parse(&without_credentials(address)?).ok()?;
    let Some(parts) = url.path_segments() else { return Some(url.to_string()) };
    let is_secret = |part: &str| part.len() >= LONG && part.bytes().any(|byte| byte.is_ascii_digit());
    let parts: Vec<String> =
        parts.map(|part| if is_secret(part) { "***".to_owned() } else { part.to_owned() }).collect();
    url.set_path(&parts.join("/"));
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credentials_of_an_address_remain() {
        assert_eq!(host("syslog+tls://logs.example.com:12345").as_deref(), Some("logs.example.com:12345"));
        assert_eq!(host("https://user:s3cret@in.example.com/v1?key=s3cret").as_deref(), Some("in.example.com"));
        assert_eq!((host("not an address"), host("urn:x:y")), (None, None));
        let cleaned = [
            ("https://user:s3cret@hooks.example.com/a/b?key=s3cret#s3cret", Some("https://hooks.example.com/a/b")),
            (
                "https://github.com/heroku/heroku-buildpack-ruby",
                Some("https://github.com/heroku/heroku-buildpack-ruby"),
            ),
            ("urn:buildpack:heroku/ruby?key=s3cret", Some("urn:buildpack:heroku/ruby")),
            ("mailto:s3cret@example.com", None),
            ("heroku/ruby", None),
        ];
        for (address, expected) in cleaned {
            assert_eq!(without_credentials(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn tokens_in_paths_are_masked() {
        let masked = [
            (
                "https://hooks.chat.example/services/T024BE7LD/B03K1/2Zx8vQpLrT5yUw9NsKdA?x=1",
                "https://hooks.chat.example/services/T024BE7LD/B03K1/***",
            ),
            (
                "https://ci.example.com/heroku/deployments-of-production",
                "https://ci.example.com/heroku/deployments-of-production",
            ),
            ("https://ci.example.com", "https://ci.example.com/"),
        ];
        for (address, expected) in masked {
            assert_eq!(without_secret_path(address).as_deref(), Some(expected), "{address}");
        }
    }
}
