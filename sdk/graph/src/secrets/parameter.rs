//! Values under the names of secrets within a text: `?token=…`, `;Password='…'`, `"api_key": "…"`, `X-Api-Key: …`.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::chance::{has_digit_or_case, has_high_entropy};
use super::context;
use super::names::{is_public, is_secret_name, is_secret_value, is_state, may_end_name, may_name_secrets};
use super::userinfo::is_stand_in;

/// Returns the positions of such values in text order.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    if !may_name_secrets(text) {
        return Vec::new();
    }
    let mut spans = assigned(text);
    spans.extend(labelled(text));
    spans.extend(context::spans(text));
    spans
}

/// Whether the strings of a JSON document may contain such values. The result `false` is certain.
///
/// The document must contain names of secrets and no backslashes.
pub(super) fn may_be_in_strings(json: &str) -> bool {
    // Either a colon follows a name in single quotes, or a string contains a header.
    !assigned(json).is_empty()
        || labels(json, |before| !before.ends_with('"')).next().is_some()
        || context::spans(json).next().is_some()
}

/// Finds values after `=`, `:=`, or `=>`, also with blanks around it.
fn assigned(text: &str) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for equals in memchr_iter(b'=', text.as_bytes()) {
        if spans.last().is_some_and(|last| equals < last.end) {
            continue;
        }
        let before = &text[..equals];
        let label = without_quote(before);
        let name = name_before(label);
        let is_named = !name.is_empty() && is_secret_name(name);
        if !is_named && !is_key_parameter(label, name) {
            continue;
        }
        let rest = &text[equals + 1..];
        let rest = rest.strip_prefix('>').unwrap_or(rest).trim_start_matches([' ', '\t']);
        let start = text.len() - rest.len();
        let value = quoted(text, start).unwrap_or_else(|| {
            let start = start + usize::from(text[start..].starts_with(['"', '\'']));
            let value = text[start..].split(ends_value).next().unwrap_or_default();
            start..start + value.len()
        });
        let letters = &text[value.clone()];
        // An expression in a program, such as `token == x`, is not a parameter.
        let is_told = letters.is_empty() || letters.starts_with('=') || letters == "~" || is_stand_in(letters);
        let is_told = is_told || label.len() < before.len() && is_state(letters);
        let is_meant = if is_named { !is_public(name, letters) } else { is_generated(letters) };
        if is_meant && !is_told && !is_stand_in(&letters.replace("%5B", "[").replace("%5D", "]")) {
            spans.push(value);
        }
    }
    spans
}

/// Whether a name is the `key` of a query. Its value is secret if it is generated.
fn is_key_parameter(label: &str, name: &str) -> bool {
    name == "key" && label[..label.len() - name.len()].ends_with(['?', '&'])
}

fn is_generated(value: &str) -> bool {
    has_high_entropy(value) && has_digit_or_case(value)
}

/// Removes the end of a quoted name, such as `"password" =>` and `["password"] =`, and the colon of `:=`.
fn without_quote(before: &str) -> &str {
    let name = before.strip_suffix(':').unwrap_or(before).trim_end_matches([' ', '\t']);
    name.strip_suffix(']').unwrap_or(name).strip_suffix(['"', '\'']).unwrap_or(name)
}

/// Finds values after a colon. The name is in quotes as in JSON, or without quotes as in a header.
fn labelled(text: &str) -> impl Iterator<Item = Range<usize>> {
    labels(text, |_| true)
}

fn labels(text: &str, is_meant: fn(&str) -> bool) -> impl Iterator<Item = Range<usize>> {
    memchr_iter(b':', text.as_bytes()).filter_map(move |colon| {
        let before = text[..colon].trim_end();
        let letters = before.as_bytes().strip_suffix(b"\"").or(before.as_bytes().strip_suffix(b"'"));
        if !is_meant(before) || !may_end_name(letters.unwrap_or(before.as_bytes())) {
            return None;
        }
        let quote = before.chars().next_back().filter(|letter| matches!(letter, '"' | '\''));
        let name = match quote {
            Some(quote) => before[..before.len() - 1].rsplit(quote).next()?,
            // Times and ports contain colons as well.
            None if before.ends_with(|letter: char| letter.is_ascii_alphabetic()) => name_before(before),
            None => return None,
        };
        if !is_secret_name(name) {
            return None;
        }
        let start = text.len() - text[colon + 1..].trim_start().len();
        if let Some(value) = quoted(text, start) {
            return is_secret_value(name, &text[value.clone()]).then_some(value);
        }
        // Prose can follow a label without quotes.
        let value = text[start..].split(|letter| ends_value(letter) || letter == '}').next()?;
        (is_generated(value) && !value.contains("://") && is_secret_value(name, value))
            .then(|| start..start + value.len())
    })
}

/// Returns the text between the quote at `start` and the next quote of the same kind.
fn quoted(text: &str, start: usize) -> Option<Range<usize>> {
    let quote = *text.as_bytes().get(start).filter(|byte| matches!(byte, b'"' | b'\''))?;
    let (begin, mut at) = (start + 1, start + 1);
    loop {
        let found = at + memchr(quote, &text.as_bytes()[at..])?;
        if text.as_bytes()[found - 1] != b'\\' || found == begin {
            return Some(begin..found);
        }
        at = found + 1;
    }
}

fn name_before(text: &str) -> &str {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | ' ');
    let name = &text[text.trim_end_matches(is_of_name).len()..];
    // Earlier words belong to a sentence, except in `Shared Access Key=`.
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
            ("Password='two words';token=\"y\";secret=\"z", vec!["two words", "y", "z"]),
            (r#"sent {"api_key": "k1", "password":"a\"b", "page": "2"}"#, vec!["k1", r#"a\"b"#]),
            ("{'secret' : 'k1', 'has_password': 'true'}", vec!["k1"]),
            ("X-Api-Key: 0a1B2c3D4e5F6a7B8c9D\nAccept: x", vec!["0a1B2c3D4e5F6a7B8c9D"]),
            ("password = \"k1\"\napi_key = k2\ntoken\t=\t'k3'", vec!["k1", "k2", "k3"]),
            ("{ :password => \"k1\", 'secret'=> 'k2' }", vec!["k1", "k2"]),
            ("c[\"SECRET\"] = 'k1' # set", vec!["k1"]),
            ("password := \"k1\"", vec!["k1"]),
            ("SECRET_KEY_BASE=k1 DB_PASS=k2 PGPASSWORD= k3", vec!["k1", "k2", "k3"]),
            ("https://h/x?key=0a1B2c3D4e5F6a7B8c9D&a=b", vec!["0a1B2c3D4e5F6a7B8c9D"]),
            ("x --password k1 --db-token 'k2' --secret=k3 -v", vec!["k1", "k2", "k3"]),
            ("mysqldump -u root -pk1 db; mysql -p'k2'; sshpass -p k3 ssh h", vec!["k1", "k2", "k3"]),
            ("Cookie: sid=k1; b=c\nSet-Cookie: sid=k2; Path=/\nx", vec!["k1; b=c", "k2; Path=/"]),
            ("<a><password>k1</password><api-key type='x'>k2</api-key></a>", vec!["k1", "k2"]),
            ("machine h.example login u password k1\nmachine h password k2", vec!["k1", "k2"]),
            ("https://hooks.slack.com/services/T0000/B0000/XXXXyyyy", vec!["T0000/B0000/XXXXyyyy"]),
        ] {
            let mut all = found(text);
            all.sort_by_key(|value| value.as_ptr().addr());
            assert_eq!(all, values, "{text}");
            assert!(text.contains('"') || may_be_in_strings(text), "{text}");
        }
    }

    #[test]
    fn positions_and_stand_ins_are_no_secrets() {
        for text in [
            "https://h/?page_token=abc",
            "?token=[redacted]",
            "?token=%5Bredacted%5D",
            "token==x",
            "if token == x and password =~ /x/ or secret != y",
            "PWD=/app",
            "https://h/x?key=plan&sort=name",
            "https://h/x?key=PROJECT-12",
            "use --password to sign in, or --token and a name",
            "--password $DB_PASSWORD --token <token> --password-stdin x",
            "cookie: a small file",
            "Cookie: [redacted]",
            "mysql -u root -p",
            "<password></password> <token/> <name>ada</name>",
            "<password>required</password>",
            "enter login or password here",
            "https://hooks.slack.com/services/[redacted]",
            "a=b",
            "password=",
            "x=token",
            "password: see the manual",
            "Reset your password: https://h.example/reset/0a1B2c3D4e5F",
            r#"{"token": null, "password": true, "secret": "[redacted]", "token_type": "bearer"}"#,
            r#"{"token_expires_at": "2024-01-01T00:00:00Z", "token": }"#,
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
