//! The forms of credentials that have one: patterns, and the fixed texts that make them quick to rule out.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{RegexSet, RegexSetBuilder};
use regex::{Captures, Regex};

use super::chance::is_secret;
use super::{REDACTED, SecretKind};

/// Each form: its kind and the pattern. Of a match, the group `keep` is no secret, and what is in the group `secret` is one
/// only where it is unguessable. Each match contains one of [`LITERALS`].
pub(super) const FORMS: [(SecretKind, &str); 13] = [
    (
        SecretKind::PrivateKey,
        r"(?s)-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    (
        SecretKind::Authorization,
        r"(?P<keep>\b(?:Bearer|bearer|BEARER|Basic|basic|BASIC)(?:\s|%20)+)(?P<secret>[A-Za-z0-9._~+/-]{12,}=*)",
    ),
    (SecretKind::Jwt, r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    // A URL as the parameter of another one.
    (
        SecretKind::UrlPassword,
        r"(?P<keep>%3[Aa]%2[Ff]%2[Ff])(?:[A-Za-z0-9._~!$'()*+,;=-]|%(?:[013-9A-Fa-f][0-9A-Fa-f]|2[0-9A-Ea-e]))*%3[Aa](?:[A-Za-z0-9._~!$'()*+,;=-]|%(?:[013-9A-Fa-f][0-9A-Fa-f]|2[0-9A-Ea-e]))+%40",
    ),
    (SecretKind::UrlPassword, r#"(?P<keep>jdbc:oracle:[a-z0-9]+:)[^\s/@:"'<>]+/[^\s@"'<>]+@"#),
    (SecretKind::AwsKey, r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    (SecretKind::HerokuKey, r"\bHRKU-[A-Za-z0-9_-]{20,}"),
    (SecretKind::GitHubToken, r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,})"),
    (SecretKind::GitLabToken, r"\bglpat-[A-Za-z0-9_-]{16,}"),
    (SecretKind::SlackToken, r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    (SecretKind::GoogleKey, r"\bAIza[A-Za-z0-9_-]{35}"),
    (SecretKind::StripeKey, r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    (SecretKind::NpmToken, r"\bnpm_[A-Za-z0-9]{36}"),
];

static SET: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = FORMS.map(|(_, pattern)| pattern);
    RegexSetBuilder::new(patterns).unicode(false).build().expect("the patterns are constants")
});
static EACH: LazyLock<[Regex; FORMS.len()]> =
    LazyLock::new(|| FORMS.map(|(_, pattern)| Regex::new(pattern).expect("the patterns are constants")));

/// Fixed texts of which every match of a form contains one.
pub(super) const LITERALS: [&str; 29] = [
    "PRIVATE KEY",
    "earer",
    "EARER",
    "asic ",
    "ASIC ",
    "asic\t",
    "asic\n",
    "asic\r",
    "asic%20",
    "ASIC%20",
    "eyJ",
    "%3A%2F%2F",
    "%3a%2f%2f",
    "%3A%2f%2f",
    "jdbc:oracle",
    "AKIA",
    "ASIA",
    "HRKU-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xox",
    "AIza",
    "k_live_",
    "npm_",
];

static LITERAL: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(LITERALS).expect("the literals are constants"));

/// Whether a form may occur in a text; `false` is certain.
pub(super) fn may_occur(text: &str) -> bool {
    LITERAL.is_match(text)
}

/// The kinds of the forms that occur in a text.
pub(super) fn kinds(text: &str) -> Vec<SecretKind> {
    if !may_occur(text) {
        return Vec::new();
    }
    let forms = SET.matches(text.as_bytes()).into_iter();
    forms.filter(|form| EACH[*form].captures_iter(text).any(|found| is_secret(&found))).map(|at| FORMS[at].0).collect()
}

/// The text without the secrets that have a form; `None` if there are none.
pub(super) fn take_out(text: &str) -> Option<String> {
    if !may_occur(text) {
        return None;
    }
    let mut clean = None;
    for form in SET.matches(text.as_bytes()) {
        let replaced = EACH[form].replace_all(clean.as_deref().unwrap_or(text), |found: &Captures<'_>| {
            let kept = found.name("keep").map_or("", |kept| kept.as_str());
            match FORMS[form].0 {
                _ if !is_secret(found) => found[0].to_owned(),
                // A URL without its password is a URL still.
                SecretKind::UrlPassword => kept.to_owned(),
                _ => format!("{kept}{REDACTED}"),
            }
        });
        clean = Some(replaced.into_owned());
    }
    clean.filter(|clean| clean != text)
}
