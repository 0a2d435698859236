//! The text of a file: its encoding is recognised by its byte order mark or its contents.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The bytes that are examined to recognise UTF-16 without a byte order mark.
const SAMPLE: usize = 1_024;

/// Decodes a file. Without `label`, the encoding is that of the byte order mark, or UTF-16 by its zero bytes, or UTF-8
/// if all bytes fit, or Windows-1252.
///
/// Characters that do not exist in the encoding become U+FFFD.
pub(crate) fn decode(bytes: &[u8], label: Option<&'static Encoding>) -> String {
    let (text, ..) = label.unwrap_or_else(|| recognised(bytes)).decode(bytes);
    text.into_owned()
}

fn recognised(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if let Some(encoding) = utf_16(&bytes[..bytes.len().min(SAMPLE)]) {
        return encoding;
    }
    if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { WINDOWS_1252 }
}

/// Recognises UTF-16: nearly all letters of headings and addresses have a zero byte, and text has no other.
fn utf_16(sample: &[u8]) -> Option<&'static Encoding> {
    let pairs = sample.len() / 2;
    let zeros = |offset: usize| sample.chunks_exact(2).filter(|pair| pair[offset] == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    match pairs >= 2 {
        true if second * 2 > pairs && first * 10 < pairs => Some(UTF_16LE),
        true if first * 2 > pairs && second * 10 < pairs => Some(UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Name;E-Mail\nZoë Müller;zoe@example.com\n";

    fn utf_16(text: &str, little: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn the_encodings_of_exports_are_recognised() {
        let marked = [b"\xef\xbb\xbf", TEXT.as_bytes()].concat();
        let ansi: Vec<u8> = TEXT.chars().map(|letter| u8::try_from(u32::from(letter)).expect("Latin-1")).collect();
        let mut files = vec![TEXT.as_bytes().to_vec(), marked, ansi];
        for little in [true, false] {
            for mark in [true, false] {
                files.push(utf_16(TEXT, little, mark));
            }
        }
        for file in files {
            assert_eq!(decode(&file, None), TEXT);
        }
    }

    #[test]
    fn a_named_encoding_wins_and_no_bytes_are_an_error() {
        let label = Encoding::for_label(b"iso-8859-2");
        assert_eq!(decode(b"\xa3ukasz", label), "Łukasz");
        assert_eq!(decode(b"a\xff", Some(UTF_8)), "a\u{fffd}");
        assert_eq!((decode(b"", None), decode(b"\0", None)), (String::new(), "\0".to_owned()));
    }
}
