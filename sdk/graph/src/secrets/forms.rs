//! Credentials with a recognisable form: their patterns, and fixed texts that rule them out quickly.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use regex::Regex;
use regex::bytes::{RegexSet, RegexSetBuilder};

use super::SecretKind;
use super::chance::is_secret;
use super::userinfo::is_stand_in;

/// The forms, each with its kind and its pattern.
///
/// In a match, the group `keep` is not part of the secret. The group `secret` is a secret only if it has high entropy,
/// and the group `pair` only if it is not a pair of user and group. Each match contains one of [`LITERALS`].
pub(super) const FORMS: [(SecretKind, &str); 16] = [
    (
        SecretKind::PrivateKey,
        r"(?s)-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    (
        SecretKind::Authorization,
        r"(?P<keep>\b(?:Bearer|bearer|BEARER|Basic|basic|BASIC)[ \t]+)(?P<secret>[A-Za-z0-9._~+/-]{12,}=*)",
    ),
    // After the name of the header, any credential counts.
    (
        SecretKind::Authorization,
        r#"(?P<keep>(?i:authorization["']?\s*[:=]\s*["']?(?:token|basic|bearer|api-?key|key|negotiate|ntlm|ssws|splunk)[\s+]+))[^\s"'<>\\,;]+"#,
    ),
    (
        SecretKind::Authorization,
        r#"(?P<keep>(?i:authorization["']?\s*[:=]\s*["']?(?:digest|oauth|hawk|aws4-hmac-sha256)[\s+]+))[^\r\n<>\\]+"#,
    ),
    (
        SecretKind::Authorization,
        r#"(?P<keep>(?:\bcurl\s(?:[^\r\n]*?\s)??(?:-u|-U)[\s=]*|--(?:proxy-)?user[\s=]+))(?P<pair>"[^"\r\n]*:[^"\r\n]+"|'[^'\r\n]*:[^'\r\n]+'|[^\s"':/]*:[^\s"']+)"#,
    ),
    (
        SecretKind::Authorization,
        r#"(?P<keep>\bcurl\s(?:[^\r\n]*?\s)??(?:-b|--cookie)[\s=]*["']?[^\s=;"'<>\\]+=)[^\s"'<>\\;]+(?:;\s*[^\s"'<>\\;=]+=[^\s"'<>\\;]*)*"#,
    ),
    (SecretKind::Jwt, r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
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

/// Fixed texts, one of which occurs in every match of a form.
///
/// The vectorised search becomes slow with short texts and with many texts. Each text therefore has at least four
/// letters, and there are at most 32.
const LITERALS: [&str; 32] = [
    "PRIVATE KEY",
    "earer",
    "EARER",
    "asic ",
    "ASIC ",
    "asic\t",
    "uthorization",
    "UTHORIZATION",
    "curl",
    "-user",
    ".eyJ",
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
    "xoxa-",
    "xoxb-",
    "xoxe-",
    "xoxo-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "AIza",
    "k_live_",
    "npm_",
];

static LITERAL: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut builder = AhoCorasickBuilder::new();
    builder.match_kind(MatchKind::LeftmostFirst).build(LITERALS).expect("the literals are constants")
});

/// Whether a form may occur in a text. The result `false` is certain.
fn may_occur(text: &str) -> bool {
    LITERAL.is_match(text)
}

/// Whether a form occurs in a text.
pub(super) fn occur(text: &str) -> bool {
    may_occur(text) && SET.is_match(text.as_bytes())
}

/// Returns the positions of secrets with a recognisable form, and their kinds.
pub(super) fn spans(text: &str) -> Vec<(SecretKind, Range<usize>)> {
    if !may_occur(text) {
        return Vec::new();
    }
    let mut spans = Vec::new();
    for form in SET.matches(text.as_bytes()) {
        let found = EACH[form].captures_iter(text).filter_map(|found| {
            let whole = found.get(0)?;
            let start = found.name("keep").map_or(whole.start(), |kept| kept.end());
            let is_meant = is_secret(&found) && found.name("pair").is_none_or(|pair| is_credential(pair.as_str()));
            (is_meant && !is_stand_in(&text[start..whole.end()])).then_some((FORMS[form].0, start..whole.end()))
        });
        spans.extend(found);
    }
    spans
}

/// Whether a pair is a user and a password.
///
/// Pairs such as `1000:1000` and `node:node` are the user and the group of a process instead.
fn is_credential(pair: &str) -> bool {
    let (user, password) = pair.trim_matches(['"', '\'']).split_once(':').unwrap_or_default();
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    user != password && !(is_number(user) && is_number(password)) && !is_stand_in(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_for_fixed_texts_is_a_vectorised_one() {
        assert!(LITERALS.len() <= 32 && LITERALS.iter().all(|literal| literal.len() >= 4));
        assert!(aho_corasick::packed::Searcher::new(LITERALS).is_some());
    }
}
