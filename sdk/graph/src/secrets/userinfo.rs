//! User and password in URLs, also inside longer texts: `https://u:p@h`, `//u:p@h`, `jdbc:postgresql://u:p@h1,h2/db`.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};

use super::chance::{has_digit_or_case, has_high_entropy, is_placeholder};

/// The maximum distance of the `@` after a password with a slash.
const FARTHEST: usize = 200;
/// The maximum number of spaces in a password. More spaces indicate a sentence.
const MOST_BLANKS: usize = 3;

/// Schemes of services whose credentials count even without slashes. After other words a colon has too many meanings.
const SERVICES: [&str; 23] = [
    "postgres",
    "postgresql",
    "mysql",
    "mysql2",
    "mariadb",
    "mongodb",
    "mongodb+srv",
    "redis",
    "rediss",
    "amqp",
    "amqps",
    "mssql",
    "sqlserver",
    "ldap",
    "ldaps",
    "smtp",
    "smtps",
    "clickhouse",
    "https",
    "http",
    "ftp",
    "ws",
    "wss",
];
/// The protocols in data source names of Go, such as `u:p@tcp(h:3306)/db`.
const PROTOCOLS: [&str; 4] = ["tcp(", "unix(", "tcp6(", "cloudsql("];
/// Full-width slashes.
const WIDE_SLASHES: &str = "\u{ff0f}\u{ff0f}";

static SLASHES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"//"));

/// Returns the positions of users with passwords, each including its `@`, in text order.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(found) = SLASHES.find(&bytes[from..]) {
        let start = from + found + 2;
        let authority = until(&text[start..], ends_authority);
        let end = match authority.rfind('@') {
            Some(at) if is_credential(&text[..start], &authority[..at]) => start + at + 1,
            Some(_) => start,
            None => behind_odd_password(text, start, authority)
                .or_else(|| behind_blank_password(text, start, authority))
                .or_else(|| behind_quoted_password(text, start, authority))
                .or_else(|| behind_cut_password(text, start, authority))
                .unwrap_or(start),
        };
        if end > start {
            spans.push(start..end);
        }
        from = end.max(start + authority.len());
        // The last two of `///` may start a URL.
        if authority.is_empty() && bytes.get(start) == Some(&b'/') {
            from = start - 1;
        }
    }
    spans.extend(without_slashes(text));
    spans
}

/// Returns the positions of credentials without slashes, such as `postgres:u:p@h`, or with unusual ones.
fn without_slashes(text: &str) -> impl Iterator<Item = Range<usize>> {
    // The search starts from `@`, which is rarer than a colon.
    memchr_iter(b'@', text.as_bytes()).filter_map(move |at| {
        let start = match () {
            () if PROTOCOLS.iter().any(|protocol| text[at + 1..].starts_with(protocol)) => user_before(text, at)?,
            () => behind_scheme(text, at)?,
        };
        let (_, password) = user_and_password(&text[start..at])?;
        (!password.is_empty() && !is_stand_in(password)).then_some(start..at + 1)
    })
}

/// Returns the start of the characters before `at` that can belong to credentials.
fn begin_before(text: &str, at: usize, ends: fn(&u8) -> bool) -> Option<usize> {
    let length = text.as_bytes()[..at].iter().rev().take(FARTHEST).take_while(|byte| !ends(byte)).count();
    (at - length..at).find(|begin| text.is_char_boundary(*begin))
}

fn ends_word(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`')
}

/// Returns the start of the user in `u:p@tcp(h:3306)/db`.
fn user_before(text: &str, at: usize) -> Option<usize> {
    let begin = begin_before(text, at, ends_word)?;
    let colon = begin + memchr(b':', &text.as_bytes()[begin..at])?;
    Some(text[begin..colon].rfind(['=', '(', ',', ';', '/']).map_or(begin, |before| begin + before + 1))
}

/// Returns the start of the user after a scheme.
fn behind_scheme(text: &str, at: usize) -> Option<usize> {
    let begin = begin_before(text, at, |byte| ends_word(byte) || *byte == b'@')?;
    // Browsers read `https:/\u:p@h` as `https://u:p@h`.
    let before = text[..begin].trim_end_matches(['/', '\\']);
    if before.len() < begin && before.strip_suffix(':').is_some_and(ends_with_scheme) {
        return Some(begin);
    }
    if let Some(slashes) = text[begin..at].rfind(WIDE_SLASHES) {
        return Some(begin + slashes + WIDE_SLASHES.len());
    }
    let starts = memchr_iter(b':', &text.as_bytes()[begin..at])
        .filter(|colon| ends_with_scheme(&text[begin..begin + colon]))
        .map(|colon| begin + colon + 1)
        .map(|start| start + usize::from(text.as_bytes()[start] == b'/'));
    // The scheme of an enclosing URL comes first, and a path is no user.
    let mut of_users = starts.filter(|start| user_and_password(&text[*start..at]).is_some());
    of_users.next()
}

/// Splits credentials without slashes into user and password.
fn user_and_password(userinfo: &str) -> Option<(&str, &str)> {
    userinfo.split_once([':', '\u{ff1a}']).filter(|(user, _)| !user.contains('/'))
}

fn ends_with_scheme(text: &str) -> bool {
    let is_of_scheme = |letter: char| letter.is_ascii_alphanumeric() || letter == '+';
    let scheme = &text[text.trim_end_matches(is_of_scheme).len()..];
    SERVICES.iter().any(|service| service.eq_ignore_ascii_case(scheme))
}

fn until(text: &str, ends: fn(char) -> bool) -> &str {
    text.split(ends).next().unwrap_or_default()
}

fn ends_text(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || matches!(letter, '"' | '\'' | '<' | '>' | '\\' | '`')
}

fn ends_authority(letter: char) -> bool {
    ends_text(letter) || matches!(letter, '/' | '?' | '#')
}

/// Whether the part before an `@` contains a password or is a token.
fn is_credential(before: &str, userinfo: &str) -> bool {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    if !password.is_empty() {
        return !is_stand_in(password);
    }
    let keyed = ["ssh://", "sftp://"].iter().any(|scheme| ends_with(before, scheme));
    before.ends_with("://") && !keyed && has_high_entropy(user) && has_digit_or_case(user)
}

fn ends_with(text: &str, end: &str) -> bool {
    let at = text.len().checked_sub(end.len());
    at.and_then(|at| text.get(at..)).is_some_and(|last| last.eq_ignore_ascii_case(end))
}

/// Finds the end of a password with an unencoded slash.
///
/// The slash seems to start a path, and the beginning of the password then looks like a port.
fn behind_odd_password(text: &str, start: usize, authority: &str) -> Option<usize> {
    let (user, beginning) = authority.split_once(':')?;
    let is_port = beginning.bytes().all(|byte| byte.is_ascii_digit());
    if is_port || user.starts_with('[') {
        return None;
    }
    let rest = until(&text[start..], ends_text);
    let at = memchr(b'@', &rest.as_bytes()[..rest.len().min(FARTHEST)])?;
    let password = &rest[user.len() + 1..at];
    let has_host = rest[at + 1..].starts_with(|letter: char| letter.is_alphanumeric() || letter == '[');
    (has_host && !is_stand_in(password)).then_some(start + at + 1)
}

/// Finds the end of a password with a few spaces, such as `https://u:correct horse@h`.
fn behind_blank_password(text: &str, start: usize, authority: &str) -> Option<usize> {
    let (user, beginning) = authority.split_once(':')?;
    let is_port = beginning.bytes().all(|byte| byte.is_ascii_digit()) || beginning.eq_ignore_ascii_case("port");
    if is_port || user.starts_with('[') || !text[..start].ends_with("://") {
        return None;
    }
    let ends =
        |letter: char| ends_text(letter) && (letter.is_ascii() || letter.is_control()) && !matches!(letter, ' ' | '\t');
    let rest = text[start..].split(ends).next().unwrap_or_default();
    let at = memchr(b'@', &rest.as_bytes()[..rest.len().min(FARTHEST)])?;
    let password = &rest[user.len() + 1..at];
    let blanks = password.chars().filter(|letter| letter.is_whitespace()).count();
    // A sentence contains other URLs, or addresses after spaces.
    let is_one = blanks <= MOST_BLANKS && !password.contains("//") && !password.ends_with([' ', '\t']);
    let has_host = rest[at + 1..].starts_with(|letter: char| letter.is_alphanumeric() || letter == '[');
    (is_one && has_host && !is_stand_in(password)).then_some(start + at + 1)
}

/// Finds the end of a password in quotes or brackets, such as `https://u:"p"@h`.
fn behind_quoted_password(text: &str, start: usize, authority: &str) -> Option<usize> {
    let begin = start + authority.len();
    let close = match text.as_bytes().get(begin)? {
        b'<' => '>',
        quote @ (b'"' | b'\'' | b'`') => char::from(*quote),
        _ => return None,
    };
    if !authority.ends_with(':') {
        return None;
    }
    let rest = until(&text[begin + 1..], |letter| letter.is_whitespace() || letter == '/');
    let length = rest.find(&format!("{close}@")).filter(|length| *length > 0 && *length < FARTHEST)?;
    let end = begin + 1 + length + close.len_utf8();
    let password = if close == '>' { &text[begin..end] } else { &rest[..length] };
    (!is_stand_in(password)).then_some(end + 1)
}

/// Finds the end of a password that ends the text.
///
/// Programs that search an address for its host may cut the text at the `@`.
fn behind_cut_password(text: &str, start: usize, authority: &str) -> Option<usize> {
    let (user, password) = authority.split_once(':')?;
    let end = start + authority.len();
    let is_cut = matches!(text.as_bytes().get(end), None | Some(b'"')) && text[..start].ends_with("://");
    let is_port = password.bytes().all(|byte| byte.is_ascii_digit()) || password.eq_ignore_ascii_case("port");
    (is_cut && !is_port && !user.starts_with('[') && !is_stand_in(password)).then_some(end)
}

/// Whether a value is a placeholder for a password: words in brackets, stars, or a variable.
pub(super) fn is_stand_in(value: &str) -> bool {
    let is_within = |(open, close): &(&str, &str)| value.starts_with(open) && value.ends_with(close);
    let variables = [("${", "}"), ("$(", ")")];
    let words = [("[", "]"), ("{", "}"), ("<", ">"), ("%", "%"), ("*", "*")];
    is_placeholder(value)
        || variables.iter().any(is_within)
        || is_shell_variable(value)
        // A generated password can be in brackets by chance or by mistake.
        || words.iter().any(is_within) && !(has_high_entropy(value) && has_digit_or_case(value.trim_matches(BRACKETS)))
}

const BRACKETS: [char; 8] = ['[', ']', '{', '}', '<', '>', '%', '*'];

fn is_shell_variable(value: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    value.strip_prefix('$').is_some_and(|name| name.len() >= 2 && name.bytes().all(is_of_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str) -> String {
        let mut clean = text.to_owned();
        spans(text).into_iter().rev().for_each(|span| clean.replace_range(span, ""));
        clean
    }

    #[test]
    fn passwords_are_found_in_urls_of_every_form() {
        for (text, clean) in [
            ("https://user:S3CR3T@h/x", "https://h/x"),
            ("see https://user:S3CR3T@h/x, and //u:S3CR3T@h/x here", "see https://h/x, and //h/x here"),
            ("jdbc:postgresql://user:S3CR3T@h/db?a=b", "jdbc:postgresql://h/db?a=b"),
            ("postgres://u:S3CR3T@h1,h2:99999/db", "postgres://h1,h2:99999/db"),
            ("HTTPS://U:S3CR3T@H/", "HTTPS://H/"),
            ("https://u:S3CR3T@h ost/x", "https://h ost/x"),
            ("redis://:S3CR3T@h:6379", "redis://h:6379"),
            ("https://a.example/r/https:u:S3CR3T@h", "https://a.example/r/https:h"),
            ("https://a.example:8080/?next=https:u:S3CR3T@h", "https://a.example:8080/?next=https:h"),
            ("https://a.example/r/postgres:u:S3CR3T@h", "https://a.example/r/postgres:h"),
            ("https://u:S3@CR3T@h/x", "https://h/x"),
            ("https://u:S3/CR3T@h/x", "https://h/x"),
            ("amqp://u:S3#CR3T?@h/x", "amqp://h/x"),
            ("https://[2001:db8::1]/?to=//u:S3CR3T@h", "https://[2001:db8::1]/?to=//h"),
            ("file:///u//v:S3CR3T@h", "file:///u//h"),
            ("ssh:////v:S3CR3T@h", "ssh:////h"),
            ("{\"a\":\"https://u:S3CR3T@h\",\"b\":\"a@b\"}", "{\"a\":\"https://h\",\"b\":\"a@b\"}"),
            ("https://0a1B2c3D4e5F6a7B8c9D@github.com/x.git", "https://github.com/x.git"),
            ("https://0a1B2c3D4e5F6a7B8c9D:@api.example.com", "https://api.example.com"),
            ("https://u:*S3CR3T@h", "https://h"),
            ("https://u:S3 CR3T@h/x", "https://h/x"),
            ("see postgres://u:my\tS3 CR3T@h:1/x, or", "see postgres://h:1/x, or"),
            ("redis://0a1B2c3D4e5F6a7B8c9D@h:6379", "redis://h:6379"),
            ("postgres:u:S3CR3T@h/d", "postgres:h/d"),
            ("x-Redis:/:S3C/R3T@h:1, z", "x-Redis:/h:1, z"),
            ("mongodb+srv:u:S3CR3T@h", "mongodb+srv:h"),
            ("https://u:S3CR3T", "https://"),
            ("{\"a\":\"https://u:S3CR3T\",\"b\":1}", "{\"a\":\"https://\",\"b\":1}"),
        ] {
            assert_eq!(without(text), clean);
            assert!(!without(text).contains("S3"), "{text}");
        }
    }

    #[test]
    fn urls_without_a_password_stay() {
        for text in [
            "ssh://git@heroku.com/app.git",
            "https://ada@bitbucket.org/team/x.git",
            "https://u:@h/",
            "https://host.example:8443/teams?at=12:30@noon",
            "https://example.com:8080/a@b",
            "https://[2001:db8::1]:8080/x@y",
            "postgres://user:${PASSWORD}@db",
            "https://user:[redacted]@h",
            "http://PORT: a@b",
            "http://localhost:PORT",
            "http://localhost:8080",
            "http://localhost:8080 and mail ada@example.com",
            "listens on http://PORT:PORT or so, mail ada@x",
            "https://host:name and then a longer sentence for ada@example.com",
            "ssh://64f0c2b1e4b0a1b2c3d4e5f6@app.example/x.git",
            "// 0a1B2c3D4e5F6a7B8c9D@h",
            "git clone host://a:b/c",
            "mail a@b.example // c@d.example",
            "x@y",
            "heroku-postgresql:standard-0, a@b",
            "plans postgres:x:y, and postgres:u:${PASSWORD}@h",
            "at:u:p@h",
            r"C:\Users\ada:x@h",
            "say https:example and mail ada@example.com",
            "u@tcp(h:3306)/db",
            "https://u:<password>@h",
            "https://u:\"$PASSWORD\"@h",
        ] {
            assert_eq!(without(text), text);
        }
    }
}
