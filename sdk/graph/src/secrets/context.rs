//! Secrets that their surroundings reveal: options of commands, cookies, elements of XML, netrc, and webhooks.
//!
//! The search runs only on texts that contain one of the fixed texts of [`names`](super::names).

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::names::{is_secret_name, is_secret_value};
use super::userinfo::is_stand_in;

/// The patterns. The groups `option` and `element` are names, and the numbered groups are values.
///
/// No pattern continues behind a double quote, so that a search of a whole JSON document finds every match.
static CONTEXT: LazyLock<Regex> = LazyLock::new(|| {
    let value = r#""[^"\r\n]+"|'[^'"\r\n]+'|[^\s"'<>\\,;|&-][^\s"'<>\\,;|&]*"#;
    let patterns = [
        format!(r"--(?P<option>[A-Za-z][A-Za-z0-9_-]*)[ \t]+(?P<v1>{value})"),
        format!(r#"\b(?:mysql|mariadb)[a-z]*[ \t](?:[^"\r\n|;&]*?[ \t])?-p(?P<v2>{value})"#),
        format!(r"\bsshpass[ \t]+-p[ \t]*(?P<v3>{value})"),
        r#"\b(?:[Ss]et-|SET-)?[Cc]ookie["']?[ \t]*[:=][ \t]*["']?[^\s=:;"'<>\\]+=(?P<v4>[^\r\n"'<>\\]+)"#.to_owned(),
        r#"<(?:[A-Za-z0-9]+:)?(?P<element>[A-Za-z0-9_.-]+)(?:[ \t](?:[^<>"]|="[^<>"]*")*)?>(?P<v5>[^<>"]+)</"#
            .to_owned(),
        format!(r#"\bmachine\s+[^\s"]+\s+(?:login\s+[^\s"]+\s+)?password\s+(?P<v6>{value})"#),
        r"\bhooks\.slack\.com/(?:services|workflows|triggers)/(?P<v7>[A-Z][A-Za-z0-9/_+-]{7,})".to_owned(),
    ];
    Regex::new(&patterns.join("|")).expect("the patterns are constants")
});

/// Words that follow an option in a sentence.
const PROSE: [&str; 30] = [
    "to",
    "is",
    "are",
    "for",
    "and",
    "or",
    "with",
    "flag",
    "flags",
    "option",
    "options",
    "as",
    "in",
    "the",
    "a",
    "an",
    "if",
    "when",
    "from",
    "can",
    "must",
    "argument",
    "parameter",
    "instead",
    "also",
    "on",
    "at",
    "was",
    "takes",
    "needs",
];

/// The beginnings of references, which name the place of a secret and are not secret themselves.
const REFERENCES: [&str; 4] = ["env:", "file:", "vault:", "command:"];

/// Returns the positions of such secrets in text order.
pub(super) fn spans(text: &str) -> impl Iterator<Item = Range<usize>> {
    CONTEXT.captures_iter(text).filter_map(|found| {
        let value = ["v1", "v2", "v3", "v4", "v5", "v6", "v7"].iter().find_map(|group| found.name(group))?;
        let is_quoted = value.as_str().starts_with(['"', '\'']) && value.len() > 1;
        let place = if is_quoted { value.start() + 1..value.end() - 1 } else { value.range() };
        let letters = &text[place.clone()];
        let is_meant = match (found.name("option"), found.name("element")) {
            (Some(name), _) => {
                let is_reference = REFERENCES.iter().any(|begin| letters.starts_with(begin));
                is_secret_name(name.as_str()) && !is_reference && (is_quoted || !PROSE.contains(&letters))
            }
            (_, Some(name)) => is_secret_value(name.as_str(), letters),
            _ => true,
        };
        (is_meant && !is_stand_in(letters)).then_some(place)
    })
}
