//! Text behind encodings: percent-encoding of any depth, HTML entities, and escapes of JSON within a text.
//!
//! A search reads the [`Unhidden`] text and then converts the positions of its hits to positions in the original. Text
//! is decoded only once, because a unit such as `%2540` or `&amp;#58;` yields one character even if it was encoded
//! several times.

use std::ops::Range;

use memchr::{memchr2, memchr3};

/// Entities of characters that separate the parts of a URL or of JSON.
const ENTITIES: [(&[u8], u8); 17] = [
    (b"colon;", b':'),
    (b"sol;", b'/'),
    (b"bsol;", b'\\'),
    (b"commat;", b'@'),
    (b"quot;", b'"'),
    (b"QUOT;", b'"'),
    (b"apos;", b'\''),
    (b"equals;", b'='),
    (b"quest;", b'?'),
    (b"num;", b'#'),
    (b"percnt;", b'%'),
    (b"period;", b'.'),
    (b"lowbar;", b'_'),
    (b"plus;", b'+'),
    (b"lt;", b'<'),
    (b"gt;", b'>'),
    (b"amp;", b'&'),
];

/// Whether a text may hide characters. The result `false` is certain.
pub(super) fn may_hide(text: &[u8]) -> bool {
    memchr2(b'%', b'&', text).is_some()
}

/// Decodes the percent-encoding or the entity at the start of `bytes`. Returns its byte and its length.
pub(super) fn unit(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes.first()? {
        b'%' => percent(bytes),
        b'&' => entity(bytes),
        _ => None,
    }
}

fn percent(bytes: &[u8]) -> Option<(u8, usize)> {
    let digits = |at: usize| hexadecimal(bytes.get(at..at + 2)?);
    let mut at = 1;
    while bytes.get(at..at + 2) == Some(b"25") && digits(at + 2).is_some() {
        at += 2;
    }
    Some((digits(at)?, at + 2))
}

fn entity(bytes: &[u8]) -> Option<(u8, usize)> {
    let mut at = 1;
    while bytes.get(at..).is_some_and(|rest| rest.starts_with(b"amp;") && is_entity(&rest[4..])) {
        at += 4;
    }
    let rest = &bytes[at..];
    if rest.first() != Some(&b'#') {
        let (name, byte) = ENTITIES.iter().find(|(name, _)| rest.starts_with(name))?;
        return Some((*byte, at + name.len()));
    }
    let (radix, start) = if matches!(rest.get(1), Some(b'x' | b'X')) { (16, 2) } else { (10, 1) };
    let digits = rest[start..].iter().take(8).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let digits = std::str::from_utf8(&rest[start..start + digits]).ok()?;
    let byte = u32::from_str_radix(digits, radix).ok().and_then(|code| u8::try_from(code).ok()).filter(u8::is_ascii)?;
    let end = start + digits.len();
    Some((byte, at + end + usize::from(rest.get(end) == Some(&b';'))))
}

fn is_entity(rest: &[u8]) -> bool {
    rest.first() == Some(&b'#') || ENTITIES.iter().any(|(name, _)| rest.starts_with(name))
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(*digits.first()?)? << 4 | digit(*digits.get(1)?)?)
}

/// Decodes an escape of JSON or of a program. Returns its characters and its length.
///
/// Some programs write `://` as a colon followed by backslashes, so these count as slashes.
fn escape(bytes: &[u8], follows_colon: bool) -> Option<(&'static str, u8, usize)> {
    let run = bytes.iter().take_while(|byte| **byte == b'\\').count();
    let digits = |length: usize| hexadecimal(bytes.get(run + length..run + length + 2)?).filter(u8::is_ascii);
    match bytes.get(run) {
        Some(byte @ (b'/' | b'"' | b'\'')) => Some(("", *byte, run + 1)),
        Some(b'u') if bytes.get(run + 1..run + 3) == Some(b"00") => digits(3).map(|byte| ("", byte, run + 5)),
        Some(b'x') => digits(1).map(|byte| ("", byte, run + 3)),
        _ if follows_colon && run >= 2 => Some(("//", 0, run)),
        _ => None,
    }
}

/// Decodes a unit as [`unit`] does, or an escape with backslashes.
///
/// Returns its byte and its length, or no byte for a line break, because lines of base64 are broken at any place.
pub(super) fn repeated_unit(bytes: &[u8]) -> Option<(Option<u8>, usize)> {
    if bytes.first()? != &b'\\' {
        let (byte, length) = unit(bytes)?;
        return Some((Some(byte).filter(|byte| !matches!(byte, b'\r' | b'\n')), length));
    }
    let run = bytes.iter().take_while(|byte| **byte == b'\\').count();
    let rest = &bytes[run..];
    let code = |digits: &[u8], radix| u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok();
    let (code, length) = match rest.first()? {
        b'n' | b'r' => return Some((None, run + 1)),
        b'u' if rest.get(1) == Some(&b'{') => {
            let length = rest[2..].iter().take(6).take_while(|byte| byte.is_ascii_hexdigit()).count();
            rest.get(2 + length).filter(|byte| **byte == b'}')?;
            (code(&rest[2..2 + length], 16)?, length + 3)
        }
        b'u' => (code(rest.get(1..5)?, 16)?, 5),
        b'x' => (code(rest.get(1..3)?, 16)?, 3),
        b'0' | b'1' => (code(rest.get(..3)?, 8)?, 3),
        // An even number of backslashes before a quote ends a string of JSON.
        b'"' if run % 2 == 0 => return None,
        byte if byte.is_ascii_punctuation() => (u32::from(*byte), 1),
        _ => return None,
    };
    // Full-width letters have their own code points.
    let plain = if (0xFF01..=0xFF5E).contains(&code) { code - 0xFEE0 } else { code };
    let byte = u8::try_from(plain).ok().filter(u8::is_ascii)?;
    Some((Some(byte), run + length))
}

/// Whether a text hides a character.
fn hides(source: &str) -> bool {
    let bytes = source.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr3(b'%', b'&', b'\\', &bytes[at..]) {
        at += found;
        if bytes[at] == b'\\' || unit(&bytes[at..]).is_some_and(|(byte, _)| byte.is_ascii()) {
            return true;
        }
        at += 1;
    }
    false
}

/// A text without its encodings.
pub(super) struct Unhidden<'a> {
    source: &'a str,
    text: String,
}

impl<'a> Unhidden<'a> {
    /// Decodes a text; `None` if it hides nothing.
    pub(super) fn of(source: &'a str) -> Option<Self> {
        if !hides(source) {
            return None;
        }
        let mut text = String::with_capacity(source.len());
        each_piece(source, |piece, _| text.push_str(piece));
        (text != source).then_some(Self { source, text })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Converts positions in the text to positions in the original. They must be in order and must not overlap.
    pub(super) fn original(&self, places: &mut [&mut Range<usize>]) {
        let (mut next, mut read, mut at) = (0, 0, 0);
        let mut bounds: Vec<&mut usize> = Vec::with_capacity(places.len() * 2);
        places.iter_mut().for_each(|place| bounds.extend([&mut place.start, &mut place.end]));
        each_piece(self.source, |piece, length| {
            while let Some(bound) = bounds.get_mut(next).filter(|bound| ***bound < at + piece.len()) {
                // A bound is never inside an encoded unit that yields two characters.
                **bound = if piece.len() == length { read + (**bound - at) } else { read };
                next += 1;
            }
            (at, read) = (at + piece.len(), read + length);
        });
        bounds[next..].iter_mut().for_each(|bound| **bound = self.source.len());
    }
}

/// Calls `each` with the decoded pieces of a text and their original lengths.
///
/// A piece with an equal length is unchanged.
fn each_piece(source: &str, mut each: impl FnMut(&str, usize)) {
    let bytes = source.as_bytes();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = memchr3(b'%', b'&', b'\\', &bytes[at..]) {
        at += found;
        let (pair, byte, length) = match bytes[at] {
            b'\\' => match escape(&bytes[at..], at > 0 && bytes[at - 1] == b':') {
                Some(escape) => escape,
                None => {
                    at += bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
                    continue;
                }
            },
            _ => match unit(&bytes[at..]).filter(|(byte, _)| byte.is_ascii()) {
                Some((byte, length)) => ("", byte, length),
                None => {
                    at += 1;
                    continue;
                }
            },
        };
        if copied < at {
            each(&source[copied..at], at - copied);
        }
        let mut single = [0; 4];
        let piece = if pair.is_empty() { char::from(byte).encode_utf8(&mut single) } else { pair };
        // Two backslashes have the same length as two slashes but are not unchanged, so they are passed on one by one.
        if piece.len() == length {
            piece.char_indices().for_each(|(place, _)| each(&piece[place..=place], 1));
        } else {
            each(piece, length);
        }
        at += length;
        copied = at;
    }
    if copied < source.len() {
        each(&source[copied..], source.len() - copied);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unhidden(text: &str) -> String {
        Unhidden::of(text).map_or_else(|| text.to_owned(), |unhidden| unhidden.text)
    }

    #[test]
    fn one_unit_is_one_character_however_often_it_was_encoded() {
        for text in [
            "https%3A%2F%2Fu%3ap%40h",
            "https%253A%252F%252Fu%25253ap%2540h",
            "https&colon;&#x2f;&#47;u&#58;p&commat;h",
            "https&amp;colon;&#x2F;&sol;u&amp;amp;#58p&#64;h",
            r"https:\/\/u:p@h",
            r"https:\\/\\/u:p@h",
            r"https:\\u:p@h",
            r"https:\u002f\u002Fu\x3ap\\u0040h",
        ] {
            assert_eq!(unhidden(text), "https://u:p@h", "{text}");
        }
        for text in ["100%", "a & b &c;", r"C:\new\x", "%C3%A4", "&#228;", "%zz", "plain"] {
            assert_eq!(unhidden(text), text);
        }
    }

    proptest! {
        #[test]
        fn places_are_those_of_the_original(text in "([a-z:/@]|%40|%2540|&amp;#58;|\\\\\\\\/|é|:\\\\\\\\|%zz){0,12}", from in 0_usize..30) {
            if let Some(unhidden) = Unhidden::of(&text) {
                let found = unhidden.text().char_indices().nth(from).filter(|(_, letter)| !"/é".contains(*letter));
                if let Some((start, letter)) = found {
                    let mut place = start..start + letter.len_utf8();
                    unhidden.original(&mut [&mut place]);
                    let piece = &text[place];
                    prop_assert_eq!(super::tests::unhidden(piece), letter.to_string());
                }
            }
        }
    }
}
