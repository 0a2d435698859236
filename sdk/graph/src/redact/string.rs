//! Lenient decoding of JSON strings: unpaired surrogates become U+FFFD.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

/// Returns the length of a string literal between its quotes. `text` starts after the opening quote.
pub(crate) fn length(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', text.as_bytes().get(at..)?)?;
        match text.as_bytes()[at] {
            b'"' => return Some(at),
            _ => at += 2,
        }
    }
}

/// Decodes a literal.
pub fn read(literal: &str) -> Cow<'_, str> {
    if memchr(b'\\', literal.as_bytes()).is_none() {
        return Cow::Borrowed(literal);
    }
    let mut text = String::with_capacity(literal.len());
    let mut parts = literal.split('\\');
    text.push_str(parts.next().unwrap_or_default());
    let mut rest = &literal[text.len()..];
    while let Some(escape) = rest.strip_prefix('\\') {
        let (letter, length) = escaped(escape);
        text.push(letter);
        let behind = &escape[length..];
        let plain = memchr(b'\\', behind.as_bytes()).unwrap_or(behind.len());
        text.push_str(&behind[..plain]);
        rest = &behind[plain..];
    }
    Cow::Owned(text)
}

/// Decodes an escape, and returns its length without the backslash.
fn escaped(escape: &str) -> (char, usize) {
    let Some(letter) = escape.chars().next() else { return (char::REPLACEMENT_CHARACTER, 0) };
    let plain = match letter {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(escape),
        other => other,
    };
    (plain, letter.len_utf8())
}

fn unicode(escape: &str) -> (char, usize) {
    let unit = |text: &str| text.strip_prefix('u').and_then(|text| u32::from_str_radix(text.get(..4)?, 16).ok());
    let Some(first) = unit(escape) else { return (char::REPLACEMENT_CHARACTER, 1) };
    if let Some(letter) = char::from_u32(first) {
        return (letter, 5);
    }
    let second = escape[5..].strip_prefix('\\').and_then(unit);
    match second.filter(|second| first < 0xDC00 && (0xDC00..0xE000).contains(second)) {
        Some(second) => {
            let letter = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            (char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
        }
        None => (char::REPLACEMENT_CHARACTER, 5),
    }
}

/// Replaces unpaired surrogates in JSON text by U+FFFD without changing its length.
///
/// Unicode text cannot contain them.
#[doc(hidden)]
pub fn mend_surrogates(json: &mut [u8]) {
    const MENDED: &[u8] = b"\\ufffd";
    let mut from = 0;
    while let Some(found) = memmem::find(&json[from..], b"\\u") {
        let at = from + found;
        let backslashes = json[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        from = at + 2;
        if backslashes % 2 == 1 {
            continue;
        }
        let half = surrogate(&json[at..]);
        let next = json.get(at + 6..).and_then(surrogate);
        match (half, next) {
            (Some(Half::First), Some(Half::Second)) => from = at + 12,
            (Some(_), _) => json[at..at + 6].copy_from_slice(MENDED),
            (None, _) => {}
        }
    }
}

enum Half {
    First,
    Second,
}

fn surrogate(json: &[u8]) -> Option<Half> {
    let [b'\\', b'u', b'd' | b'D', second, third, fourth, ..] = json else { return None };
    if !(third.is_ascii_hexdigit() && fourth.is_ascii_hexdigit()) {
        return None;
    }
    match second {
        b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Half::First),
        b'c'..=b'f' | b'C'..=b'F' => Some(Half::Second),
        _ => None,
    }
}

/// Passes each string with an escape to `edit`, and replaces it by the result.
#[doc(hidden)]
pub fn edit_escaped(json: &str, mut edit: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let (mut edited, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(quote) = memchr(b'"', &json.as_bytes()[at..]) {
        let start = at + quote + 1;
        let Some(length) = length(&json[start..]) else { break };
        let literal = &json[start..start + length];
        at = start + length + 1;
        let changed = match read(literal) {
            Cow::Owned(text) => edit(&text),
            Cow::Borrowed(_) => None,
        };
        if let Some(changed) = changed {
            edited.push_str(&json[copied..start - 1]);
            edited.push_str(&serde_json::Value::from(changed).to_string());
            copied = at;
        }
    }
    if copied == 0 {
        return None;
    }
    edited.push_str(&json[copied..]);
    Some(edited)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mended(json: &str) -> String {
        let mut json = json.as_bytes().to_vec();
        mend_surrogates(&mut json);
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn half_a_pair_is_replaced_and_a_whole_one_kept() {
        for (json, kept) in [
            (r#""Zo\ud83d""#, r#""Zo\ufffd""#),
            (r#""\uDC00x""#, r#""\ufffdx""#),
            (r#""\ud83d\ude00\ud83d""#, r#""\ud83d\ude00\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\\ud83d \\\ud83d""#, r#""\\ud83d \\\ufffd""#),
            (r#""\u00e9 \ud7ff \ue000""#, r#""\u00e9 \ud7ff \ue000""#),
        ] {
            assert_eq!(mended(json), kept);
            assert!(serde_json::from_str::<String>(&mended(json)).is_ok(), "{json}");
        }
    }

    #[test]
    fn only_strings_with_escapes_are_edited() {
        let json = r#"{"a":"plain","b\/":["x\u0041","\n"]}"#;
        let edited = edit_escaped(json, |text| text.strip_prefix('x').map(|rest| format!("\"{rest}")));
        assert_eq!(edited.as_deref(), Some(r#"{"a":"plain","b\/":["\"A","\n"]}"#));
        assert_eq!(edit_escaped(json, |_| None), None);
    }

    proptest! {
        #[test]
        fn literals_are_read_as_a_parser_reads_them(text in "(\\PC|[\\n\"\\\\/]|[a-f])*", ascii in any::<bool>()) {
            let mut json = serde_json::to_string(&text).unwrap();
            if ascii {
                let mut units = [0; 2];
                json = json.chars().map(|letter| match letter {
                    letter if letter.is_ascii() => letter.to_string(),
                    letter => letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
                }).collect();
            }
            prop_assert_eq!(length(&json[1..]), Some(json.len() - 2));
            prop_assert_eq!(read(&json[1..json.len() - 1]), text);
            prop_assert_eq!(&mended(&json), &json);
        }
    }
}
