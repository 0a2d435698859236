//! The secrets that this program sends, in every form in which a provider may repeat them.
//!
//! A secret is met as it is, in upper or lower case, percent-encoded, hexadecimal, or in base64, there also in the middle of a
//! longer text. Each form has one stand-in, so that two texts that agree still agree afterwards.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::chance::has_digit_or_case;

/// The text in the place of such a secret.
const STAND_IN: &str = "[secret]";
/// Shorter secrets are taken out of messages only: in data they are words.
const SHORTEST_IN_DATA: usize = 8;
/// From this length on even lower-case words are no coincidence.
const LONG: usize = 16;
const SHORTEST: usize = 4;

/// Finds the secrets of one client.
#[derive(Clone, Default)]
pub(crate) struct OwnSecrets {
    in_messages: Option<AhoCorasick>,
    in_data: Option<AhoCorasick>,
}

impl fmt::Debug for OwnSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnSecrets")
    }
}

impl OwnSecrets {
    /// The secrets are values of headers, such as `Bearer abc`, or secret settings.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let all: BTreeSet<String> = secrets.into_iter().flat_map(parts).filter(|part| part.len() >= SHORTEST).collect();
        let long = all.iter().filter(|secret| is_conspicuous(secret));
        Self {
            in_data: finder(long.flat_map(|secret| forms(secret))),
            in_messages: finder(all.iter().flat_map(|secret| forms(secret))),
        }
    }

    /// Whether data hold one.
    pub(crate) fn are_in(&self, data: &[u8]) -> bool {
        self.in_data.as_ref().is_some_and(|finder| finder.is_match(data))
    }

    /// Data without them; `None` if there are none.
    pub(crate) fn out_of_data(&self, data: &[u8]) -> Option<Vec<u8>> {
        let finder = self.in_data.as_ref().filter(|finder| finder.is_match(data))?;
        let mut clean = Vec::with_capacity(data.len());
        finder.replace_all_with_bytes(data, &mut clean, |_, _, clean| {
            clean.extend_from_slice(STAND_IN.as_bytes());
            true
        });
        Some(clean)
    }

    /// Text of data without them.
    pub(crate) fn out_of_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        replaced(self.in_data.as_ref(), text)
    }

    /// A message without them; here short ones count as well.
    pub(crate) fn out_of_message<'a>(&self, text: &'a str) -> Cow<'a, str> {
        replaced(self.in_messages.as_ref(), text)
    }
}

fn replaced<'a>(finder: Option<&AhoCorasick>, text: &'a str) -> Cow<'a, str> {
    match finder.filter(|finder| finder.is_match(text)) {
        Some(finder) => {
            let mut clean = String::with_capacity(text.len());
            finder.replace_all_with(text, &mut clean, |_, _, clean| {
                clean.push_str(STAND_IN);
                true
            });
            Cow::Owned(clean)
        }
        None => Cow::Borrowed(text),
    }
}

/// A header such as `Bearer abc` is a secret in its last word; one such as `Basic dTpw` also in what that word encodes.
fn parts(value: &str) -> Vec<String> {
    let last = value.trim().rsplit(' ').next().unwrap_or_default();
    let encoded = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let decoded =
        encoded.and_then(|(_, text)| STANDARD.decode(text.trim()).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    let password = decoded.and_then(|pair| Some(pair.split_once(':')?.1.to_owned()));
    std::iter::once(last.to_owned()).chain(password).collect()
}

/// Whether a secret is too odd to be met in data by chance.
fn is_conspicuous(secret: &str) -> bool {
    secret.len() >= LONG || secret.len() >= SHORTEST_IN_DATA && has_digit_or_case(secret)
}

fn finder(forms: impl Iterator<Item = String>) -> Option<AhoCorasick> {
    let forms: BTreeSet<String> = forms.collect();
    if forms.is_empty() {
        return None;
    }
    // The longest counts: one form can begin like another.
    let mut builder = AhoCorasickBuilder::new();
    builder.match_kind(MatchKind::LeftmostLongest).build(forms).ok()
}

fn forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for cased in [secret.to_owned(), secret.to_lowercase(), secret.to_uppercase()] {
        for kept in ["-_.!~*'()", "-_.*", "-_.~", "-_.~!$&'()*+,;=:@/", ""] {
            let encoded = percent_encoded(&cased, kept);
            forms.extend([with_lower_digits(&encoded), encoded]);
        }
        forms.push(cased);
    }
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.extend([hex.to_uppercase(), hex]);
    for before in 0..3 {
        forms.extend(base64_within(secret, before));
    }
    forms
}

fn percent_encoded(text: &str, kept: &str) -> String {
    let encode = |byte: u8| match char::from(byte) {
        letter if letter.is_ascii_alphanumeric() || kept.contains(letter) => letter.to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Percent-encoded text whose digits are written as `%2f`.
fn with_lower_digits(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digits, rest) = part.split_at(part.len().min(2));
        format!("{text}%{}{rest}", digits.to_lowercase())
    })
}

/// The letters that stand for a secret in base64 of a longer text, if that many bytes are before it (modulo 3).
fn base64_within(secret: &str, before: usize) -> Vec<String> {
    let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
    // The first and the last letter hold bits of the bytes around.
    let range = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
    [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD].map(|alphabet| alphabet.encode(&bytes)[range.clone()].to_owned()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "HRKU-bR3akerDistinct+Key/01234567==";

    fn own() -> OwnSecrets {
        OwnSecrets::new([format!("Bearer {KEY}").as_str()])
    }

    fn hidden(text: &str) -> String {
        own().out_of_text(text).into_owned()
    }

    #[test]
    fn a_secret_is_taken_out_in_every_form() {
        let percent = percent_encoded(KEY, "-_.!~*'()");
        assert_eq!(percent, "HRKU-bR3akerDistinct%2BKey%2F01234567%3D%3D");
        let hex: String = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in [
            KEY.to_owned(),
            KEY.to_uppercase(),
            KEY.to_lowercase(),
            percent.clone(),
            percent.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d"),
            hex,
        ] {
            assert_eq!(hidden(&format!("a {form} b")), "a [secret] b", "{form}");
        }
    }

    #[test]
    fn base64_hides_no_secret_wherever_it_begins() {
        for before in ["", "u", "u:", "ab:", "user:"] {
            for alphabet in [&STANDARD, &base64::engine::general_purpose::URL_SAFE] {
                let text = alphabet.encode(format!("{before}{KEY}, and more"));
                let clean = hidden(&text);
                assert!(clean.contains("[secret]"), "{before}: {clean}");
                let longest = clean.split("[secret]").map(str::len).max().unwrap_or_default();
                assert!(longest <= 16, "{clean}");
            }
        }
    }

    #[test]
    fn the_password_of_basic_credentials_is_a_secret_by_itself() {
        let own = OwnSecrets::new([format!("Basic {}", STANDARD.encode("ada:correct-horse-7")).as_str()]);
        assert_eq!(own.out_of_text("you are ada with correct-horse-7"), "you are ada with [secret]");
    }

    #[test]
    fn words_are_secrets_in_messages_only_and_single_letters_never() {
        let own = OwnSecrets::new(["Bearer s3cret", "k", ""]);
        assert_eq!(own.out_of_message("no s3cret k"), "no [secret] k");
        assert_eq!(own.out_of_data(b"no s3cret k"), None);
        assert!(!own.are_in(b"s3cret"));
        assert_eq!(OwnSecrets::new(["password"]).out_of_text("{\"password\":1}"), "{\"password\":1}");
    }
}
