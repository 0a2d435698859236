//! The secrets that this program sends, in every form in which a provider may repeat them.
//!
//! A secret may be repeated unchanged, in hexadecimal, or in base64, also within a longer encoded text. Each of these
//! may have any case, and may be percent-encoded, written as HTML entities to any depth, or with backslashes as in JSON
//! within a text. Every form has the same placeholder, so that two equal texts remain equal.
//!
//! Data is searched once with a vectorised search for a fragment of each form ([`FRAGMENT`]). Only the surroundings of
//! a hit are compared with the whole form. Encoded data is decoded in windows around its encoded letters.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, Input, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memchr3;

use super::chance::has_digit_or_case;
use super::hidden;

/// The text that replaces a secret of the client.
const STAND_IN: &str = "[secret]";
/// The minimum length of secrets that are removed from data. Shorter ones may be words there; messages lose them too.
const SHORTEST_IN_DATA: usize = 8;
/// The length from which even a lower-case word cannot occur by chance.
const LONG: usize = 16;
const SHORTEST: usize = 4;
/// The length of the fragment by which a form is found. No form is shorter.
const FRAGMENT: usize = SHORTEST;
/// The size of the windows in which encoded data is decoded.
const WINDOW: usize = 64 << 10;
/// The maximum length of an encoded letter, such as `%25252541`.
const LONGEST_UNIT: usize = 9;
/// The minimum length of a line of base64 that continues on the next line.
const SHORTEST_LINE: usize = 56;

/// A searcher for the secrets of one client.
#[derive(Clone, Default)]
pub struct OwnSecrets {
    in_messages: Option<Arc<Finder>>,
    in_data: Option<Arc<Finder>>,
}

impl fmt::Debug for OwnSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnSecrets")
    }
}

impl OwnSecrets {
    /// Creates a searcher. The secrets are values of headers, such as `Bearer abc`, or secret settings.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let all: BTreeSet<String> = secrets.into_iter().flat_map(parts).filter(|part| part.len() >= SHORTEST).collect();
        let long = all.iter().filter(|secret| is_conspicuous(secret));
        Self {
            in_data: Finder::new(long.flat_map(|secret| forms(secret))).map(Arc::new),
            in_messages: Finder::new(all.iter().flat_map(|secret| forms(secret))).map(Arc::new),
        }
    }

    /// Whether data contains a secret.
    pub fn are_in(&self, data: &[u8]) -> bool {
        self.in_data.as_ref().is_some_and(|finder| !finder.places(data).is_empty())
    }

    /// Removes secrets from data; `None` if it contains none.
    pub fn out_of_data(&self, data: &[u8]) -> Option<Vec<u8>> {
        self.in_data.as_ref()?.without(data)
    }

    /// Removes secrets from text in data.
    pub fn out_of_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        replaced(self.in_data.as_deref(), text)
    }

    /// Removes secrets from a message, including short ones.
    pub fn out_of_message<'a>(&self, text: &'a str) -> Cow<'a, str> {
        replaced(self.in_messages.as_deref(), text)
    }
}

fn replaced<'a>(finder: Option<&Finder>, text: &'a str) -> Cow<'a, str> {
    match finder.and_then(|finder| finder.without(text.as_bytes())) {
        Some(clean) => Cow::Owned(String::from_utf8_lossy(&clean).into_owned()),
        None => Cow::Borrowed(text),
    }
}

/// Returns the secret parts of a header.
///
/// In `Bearer abc` this is the last word. In `Basic dTpw` it is also the password that the last word encodes.
fn parts(value: &str) -> Vec<String> {
    let last = value.trim().rsplit(' ').next().unwrap_or_default();
    let encoded = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let decoded =
        encoded.and_then(|(_, text)| STANDARD.decode(text.trim()).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    let password = decoded.and_then(|pair| Some(pair.split_once(':')?.1.to_owned()));
    std::iter::once(last.to_owned()).chain(password).collect()
}

/// Whether a secret is unusual enough not to occur in data by chance.
fn is_conspicuous(secret: &str) -> bool {
    secret.len() >= LONG || secret.len() >= SHORTEST_IN_DATA && has_digit_or_case(secret)
}

/// A text to search for, in any case or unchanged.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    text: Vec<u8>,
    in_any_case: bool,
}

fn forms(secret: &str) -> Vec<Form> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let in_any_case = |text: String| Form { text: text.into_bytes(), in_any_case: true };
    let mut forms = vec![in_any_case(secret.to_owned()), in_any_case(hex)];
    let wide = |letter: char| char::from_u32(u32::from(letter) + 0xFEE0).filter(|_| letter.is_ascii_graphic());
    forms.push(in_any_case(secret.chars().map(|letter| wide(letter).unwrap_or(letter)).collect()));
    // The quotes and backslashes of a secret have backslashes in JSON, also within a text.
    let escaped = |text: &str| text.replace('\\', r"\\").replace('"', r#"\""#);
    forms.extend([escaped(secret), escaped(&escaped(secret))].map(in_any_case));
    for cased in [secret.to_owned(), secret.to_lowercase(), secret.to_uppercase()] {
        for before in 0..3 {
            let encoded = base64_within(&cased, before);
            forms.extend(encoded.map(|text| Form { text: text.into_bytes(), in_any_case: false }));
        }
        // Letters beyond ASCII have upper and lower case as well.
        forms.push(in_any_case(cased));
    }
    forms
}

/// Returns the letters that represent a secret within the base64 of a longer text.
///
/// They depend on the number of bytes before the secret, modulo 3.
fn base64_within(secret: &str, before: usize) -> [String; 2] {
    let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
    // The first and the last letter also contain bits of the neighbouring bytes.
    let range = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
    [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD].map(|alphabet| alphabet.encode(&bytes)[range.clone()].to_owned())
}

/// A searcher that finds forms by their fragments.
struct Finder {
    fragments: AhoCorasick,
    /// For each fragment, the forms that contain it and its position in them.
    holders: Vec<Vec<(usize, usize)>>,
    forms: Vec<Form>,
    longest: usize,
}

impl Finder {
    fn new(forms: impl Iterator<Item = Form>) -> Option<Self> {
        let forms: BTreeSet<Form> = forms.filter(|form| form.text.len() >= FRAGMENT).collect();
        let forms: Vec<Form> = forms.into_iter().collect();
        let mut holders: BTreeMap<Vec<u8>, Vec<(usize, usize)>> = BTreeMap::new();
        for (number, form) in forms.iter().enumerate() {
            let (at, fragment) = form.fragment()?;
            for cased in cases(fragment, form.in_any_case) {
                holders.entry(cased).or_default().push((number, at));
            }
        }
        let longest = forms.iter().map(|form| form.text.len()).max()?;
        // Only this kind of search is vectorised.
        let mut builder = AhoCorasickBuilder::new();
        let fragments = builder.match_kind(MatchKind::LeftmostFirst).build(holders.keys()).ok()?;
        Some(Self { fragments, holders: holders.into_values().collect(), forms, longest })
    }

    fn without(&self, data: &[u8]) -> Option<Vec<u8>> {
        let places = self.places(data);
        let mut copied = places.first().map(|_| 0)?;
        let mut clean = Vec::with_capacity(data.len());
        for place in places {
            clean.extend_from_slice(&data[copied..place.start]);
            clean.extend_from_slice(STAND_IN.as_bytes());
            copied = place.end;
        }
        clean.extend_from_slice(&data[copied..]);
        Some(clean)
    }

    /// Returns the positions of the forms, in order and without overlaps.
    fn places(&self, data: &[u8]) -> Vec<Range<usize>> {
        let mut places = self.plain(data);
        self.encoded(data, &mut places);
        places.sort_unstable_by_key(|place| (place.start, place.end));
        places.dedup_by(|next, last| {
            let overlaps = next.start < last.end;
            if overlaps {
                last.end = last.end.max(next.end);
            }
            overlaps
        });
        places
    }

    fn plain(&self, data: &[u8]) -> Vec<Range<usize>> {
        let (mut places, mut from) = (Vec::new(), 0);
        while let Some(found) = self.fragments.find(Input::new(data).range(from..)) {
            from = found.start() + 1;
            for (number, at) in &self.holders[found.pattern().as_usize()] {
                let form = &self.forms[*number];
                let place = found.start().checked_sub(*at).map(|start| start..start + form.text.len());
                places.extend(place.filter(|place| data.get(place.clone()).is_some_and(|text| form.is(text))));
            }
        }
        places
    }

    /// Adds the positions of encoded forms.
    fn encoded(&self, data: &[u8], places: &mut Vec<Range<usize>>) {
        let window = WINDOW.max(4 * self.longest * LONGEST_UNIT);
        let mut from = 0;
        while let Some(found) = memchr3(b'%', b'&', b'\\', &data[from..]) {
            if let Some(length) = harmless_run(data, from + found) {
                from += found + length;
                continue;
            }
            let begin = (from + found).saturating_sub(self.longest);
            let (mut at, mut last, mut hides) = (begin, from + found, false);
            let (mut decoded, mut starts) = (Vec::new(), Vec::new());
            while at < data.len() && at <= last + self.longest && at - begin < window {
                let (byte, length) = match hidden::repeated_unit(&data[at..]) {
                    Some((byte, length)) => {
                        (last, hides) = (at + length, true);
                        (byte, length)
                    }
                    None => (Some(data[at]), 1),
                };
                if let Some(byte) = byte {
                    decoded.push(byte);
                    starts.push(at);
                }
                at += length;
            }
            starts.push(at);
            if hides {
                places.extend(self.plain(&decoded).into_iter().map(|place| starts[place.start]..starts[place.end]));
            }
            // A form that is cut by the end of a full window is complete in the next window.
            let is_full = at < data.len() && at <= last + self.longest;
            from = if is_full { at.saturating_sub(self.longest * LONGEST_UNIT).max(from + found + 1) } else { at };
        }
    }
}

/// Returns the length of a sign or a run of backslashes that hides no letter of a secret.
fn harmless_run(data: &[u8], at: usize) -> Option<usize> {
    let run = data[at..].iter().take_while(|byte| **byte == b'\\').count();
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    match hidden::repeated_unit(&data[at..]) {
        // Forms of secrets with a quote have their own backslashes.
        Some((Some(b'"'), _)) if run > 0 => Some(run),
        Some((None, length)) if run > 0 => {
            let is_long = at >= SHORTEST_LINE && data[at - SHORTEST_LINE..at].iter().all(is_base64);
            (!is_long).then_some(length)
        }
        Some(_) => None,
        None => Some(run.max(1)),
    }
}

impl Form {
    fn is(&self, text: &[u8]) -> bool {
        if self.in_any_case { self.text.eq_ignore_ascii_case(text) } else { self.text == text }
    }

    /// Returns the fragment with the fewest variants of case, and its position.
    fn fragment(&self) -> Option<(usize, &[u8])> {
        let letters = |fragment: &[u8]| fragment.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
        self.text.windows(FRAGMENT).enumerate().min_by_key(|(_, fragment)| letters(fragment))
    }
}

/// Returns a fragment in all variants of case.
fn cases(fragment: &[u8], in_any_case: bool) -> Vec<Vec<u8>> {
    let mut cases = vec![Vec::new()];
    for byte in fragment {
        let has_cases = in_any_case && byte.is_ascii_alphabetic();
        let mut others = if has_cases { cases.clone() } else { Vec::new() };
        // One bit determines the case of a letter.
        others.iter_mut().for_each(|case: &mut Vec<u8>| case.push(byte ^ 0x20));
        cases.iter_mut().for_each(|case| case.push(*byte));
        cases.extend(others);
    }
    cases
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

    /// Percent-encodes a text completely or in part.
    fn percent(text: &str, is_kept: fn(char) -> bool) -> String {
        text.chars()
            .map(|letter| if is_kept(letter) { letter.to_string() } else { format!("%{:02X}", letter as u32) })
            .collect()
    }

    #[test]
    fn a_secret_is_taken_out_in_every_form() {
        let some = percent(KEY, |letter| letter.is_ascii_alphanumeric());
        assert_eq!(some, "HRKU%2DbR3akerDistinct%2BKey%2F01234567%3D%3D");
        let all = percent(KEY, |_| false);
        let hex: String = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mixed: String = KEY
            .char_indices()
            .map(|(at, letter)| if at % 2 == 0 { letter.to_ascii_lowercase() } else { letter.to_ascii_uppercase() })
            .collect();
        for form in [
            KEY.to_owned(),
            KEY.to_uppercase(),
            KEY.to_lowercase(),
            mixed.clone(),
            some.to_lowercase(),
            percent(&some, |letter| letter != '%'),
            percent(&percent(&some, |letter| letter != '%'), |letter| letter != '%'),
            percent(&all, |letter| letter != '%'),
            percent(&all, |letter| letter != '%').to_lowercase(),
            percent(&mixed, |letter| letter.is_ascii_digit()),
            KEY.chars().map(|letter| format!("&#{};", letter as u32)).collect(),
            KEY.chars().map(|letter| format!("&#x{:x};", letter as u32)).collect(),
            percent(&hex, |_| false),
            KEY.replace('/', r"\/").replace('+', r"\u002B").replace('=', r"\\u003d"),
            KEY.replace('+', r"\x2b").replace('/', r"\057").replace('=', r"\="),
            KEY.chars().map(|letter| format!("\\u{:04x}", letter as u32)).collect(),
            KEY.chars().map(|letter| format!("\\\\x{:02X}", letter as u32)).collect(),
            KEY.chars().map(|letter| format!("\\u{{{:x}}}", letter as u32)).collect(),
            KEY.chars().map(|letter| format!("\\uff{:02x}", letter as u32 - 0x20)).collect(),
            KEY.chars().filter_map(|letter| char::from_u32(letter as u32 + 0xFEE0)).collect(),
            some,
            all,
            hex.to_uppercase(),
            hex,
        ] {
            assert_eq!(hidden(&format!("a {form} b")), "a [secret] b", "{form}");
            assert_eq!(hidden(&format!("é%20{form}")), "é%20[secret]", "{form}");
        }
    }

    #[test]
    fn base64_hides_no_secret_wherever_it_begins() {
        for before in ["", ":", "u", "u:", "ab:", "user:"] {
            for key in [KEY.to_owned(), KEY.to_lowercase(), KEY.to_uppercase()] {
                for after in ["", ", and more"] {
                    for alphabet in
                        [&STANDARD, &STANDARD_NO_PAD, &base64::engine::general_purpose::URL_SAFE, &URL_SAFE_NO_PAD]
                    {
                        let text = alphabet.encode(format!("{before}{key}{after}"));
                        for text in [percent(&text, |letter| letter.is_ascii_alphanumeric()), text] {
                            let clean = hidden(&text);
                            assert!(clean.contains("[secret]"), "{before}: {clean}");
                            let longest = clean.split("[secret]").map(str::len).max().unwrap_or_default();
                            assert!(longest <= 24, "{clean}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn lines_of_base64_hide_no_secret() {
        let text = STANDARD.encode(format!("{}{KEY} and more {}", "a".repeat(40), "b".repeat(60)));
        for (width, end) in [(76, r"\r\n"), (64, r"\n"), (64, r"\\n"), (60, "%0A")] {
            let lines: Vec<&str> =
                (0..text.len()).step_by(width).map(|at| &text[at..text.len().min(at + width)]).collect();
            let clean = hidden(&lines.join(end));
            assert!(clean.contains("[secret]"), "{width}: {clean}");
        }
    }

    #[test]
    fn a_secret_with_quotes_is_found_in_json_within_a_text() {
        let own = OwnSecrets::new([r#"a1"B2c3\D4e5F6"#]);
        for form in [r#"a1"B2c3\D4e5F6"#, r#"a1\"B2c3\\D4e5F6"#, r#"a1\\\"B2c3\\\\D4e5F6"#] {
            assert_eq!(own.out_of_text(&format!("[\\\"{form}\\\"]")), r#"[\"[secret]\"]"#);
        }
        let raw = r#"{"a":"C:\\dir\\","b":"\n\t\"\u00e9"}"#;
        assert_eq!(own.out_of_data(raw.as_bytes()), None);
    }

    #[test]
    fn an_encoded_secret_is_found_across_windows() {
        let all = percent(KEY, |_| false);
        for before in (WINDOW - 200..WINDOW + 20).step_by(7) {
            let data = format!("{}{all}{}", "%61".repeat(before / 3), "b".repeat(3_000));
            let clean = hidden(&data);
            assert!(clean.contains("[secret]") && clean.len() == data.len() - all.len() + 8, "{before}");
        }
    }

    #[test]
    fn secrets_within_each_other_have_one_stand_in() {
        let own = OwnSecrets::new(["s3cret-of-mine", "client-s3cret-of-mine"]);
        assert_eq!(own.out_of_text("a client-S3cret-of-mine, s3cret-of-minE"), "a [secret], [secret]");
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
