//! Values under the names of secrets in query strings and connection strings: `?token=…`, `;Password=…`.

use std::ops::Range;

use memchr::memchr_iter;

use super::names::is_secret_name;
use super::userinfo::is_stand_in;

/// The places of such values, in the order of the text.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut spans: Vec<Range<usize>> = Vec::new();
    for equals in memchr_iter(b'=', bytes) {
        if spans.last().is_some_and(|last| equals < last.end) {
            continue;
        }
        let name = name_before(&text[..equals]);
        // A position in a program, such as `token == x`, is no parameter.
        if name.is_empty() || !is_secret_name(name) {
            continue;
        }
        let start = equals + 1;
        let value = text[start..].split(ends_value).next().unwrap_or_default();
        if !value.is_empty() && !value.starts_with('=') && !is_stand_in(&value.replace("%5B", "[").replace("%5D", "]"))
        {
            spans.push(start..start + value.len());
        }
    }
    spans
}

fn name_before(text: &str) -> &str {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | ' ');
    let name = &text[text.trim_end_matches(is_of_name).len()..];
    // The words before belong to a sentence, except in `Shared Access Key=`.
    name.trim_end().rsplit(' ').next().unwrap_or_default()
}

fn ends_value(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '&' | ';' | '"' | '\'' | '<' | '>' | '#' | ',' | '\\' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        spans(text).into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn values_under_the_names_of_secrets_are_found() {
        for (text, values) in [
            ("https://h/x?token=abc&page=2&client_secret=d%20e#f", vec!["abc", "d%20e"]),
            ("Server=h;User Id=u;Password=a=b/c;Encrypt=yes", vec!["a=b/c"]),
            ("jdbc:mysql://h/db?user=u&password=p", vec!["p"]),
            ("DefaultEndpointsProtocol=https;AccountKey=Zm9v==;EndpointSuffix=x", vec!["Zm9v=="]),
            ("failed with api_key=k1, and Password = no", vec!["k1"]),
            ("https://h/x?sv=1&sig=abc%3D", vec!["abc%3D"]),
        ] {
            assert_eq!(found(text), values, "{text}");
        }
    }

    #[test]
    fn positions_and_stand_ins_are_no_secrets() {
        for text in [
            "https://h/?page_token=abc",
            "?token=[redacted]",
            "?token=%5Bredacted%5D",
            "token==x",
            "a=b",
            "password=",
            "x=token",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
