//! E-mail addresses in the form in which they are compared.

/// Returns an e-mail address in lower case, or `None` if the text is not one.
///
/// Prefixes such as `mailto:` and `SMTP:` are removed. Local parts are compared without regard to case, as all common
/// mail systems do.
pub(crate) fn normalised(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    let text = match text.split_once(':') {
        Some((prefix, rest)) if ["smtp", "mailto"].iter().any(|known| prefix.eq_ignore_ascii_case(known)) => rest,
        _ => text,
    };
    let (local, domain) = text.rsplit_once('@')?;
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "<>(),;:\"[]\\@".contains(letter);
    let fits = !local.is_empty() && !domain.is_empty() && !domain.starts_with('.') && !domain.ends_with('.');
    (fits && !text.replacen('@', "", 1).contains(odd)).then(|| text.to_lowercase())
}

/// Returns the addresses in texts of one or several addresses each.
pub(crate) fn all<'a>(texts: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = String> {
    let parts = |text: &'a str| text.split([',', ';', '|', ' ', '\n']);
    texts.into_iter().flat_map(parts).filter_map(normalised)
}

/// Returns the domain of an address.
pub(crate) fn domain(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_lower_case() {
        for text in ["Ada@Example.COM", " ada@example.com ", "<ada@example.com>", "SMTP:ada@example.com"] {
            assert_eq!(normalised(text).as_deref(), Some("ada@example.com"), "{text}");
        }
        assert_eq!(normalised("ada+ops@example.com").as_deref(), Some("ada+ops@example.com"));
        for text in ["", "ada", "@example.com", "ada@", "a b@example.com", "a@b@c.com", "ada@.com", "x500:/o=a@b"] {
            assert_eq!(normalised(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_of_addresses_has_any_separator() {
        let found: Vec<_> = all(["a@x.com; B@x.com", "c@x.com,none", "d@x.com|e@x.com"]).collect();
        assert_eq!(found, ["a@x.com", "b@x.com", "c@x.com", "d@x.com", "e@x.com"]);
        assert_eq!(domain("a@x.com"), Some("x.com"));
    }
}
