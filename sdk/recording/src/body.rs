//! Bodies in HAR files: text, base64, or chunks, compressed or not, depending on the tool.

use std::io::{self, Read};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::IgnoredAny;

use super::har::Content;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
const BROTLI_BUFFER: usize = 8 << 10;

/// The reason why a recorded body cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("its body was not recorded")]
    Absent,
    #[error(
        "it is a 304 (not modified), and only the cache of the client contained its body; record again without a cache"
    )]
    NotModified,
    #[error("its body is declared as {0}, but is not valid {0}")]
    Damaged(&'static str),
    #[error("its body is compressed as `{0}`, which is not supported")]
    UnknownCompression(String),
    #[error("its body is larger than the limit of {0} bytes")]
    TooLarge(usize),
}

/// Returns the decoded body, of at most `limit` bytes.
///
/// `compression` is the `Content-Encoding` of the response.
pub(super) fn decode(content: &Content, compression: Option<&str>, limit: usize) -> Result<Vec<u8>, BodyError> {
    let Some(text) = &content.text else {
        return if content.size.unwrap_or_default() > 0 { Err(BodyError::Absent) } else { Ok(Vec::new()) };
    };
    let encoding = content.encoding.as_deref().unwrap_or_default().trim();
    let bytes = if is_json(text) {
        // The tool stored JSON as a value instead of text. Its encoding describes the original text.
        return within(text.clone().into_bytes(), limit);
    } else if encoding.eq_ignore_ascii_case("base64") {
        chunks(text, base64).ok_or(BodyError::Damaged("base64"))?
    } else if content.is_binary == Some(true)
        || ["hex", "hexadecimal"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
    {
        let bytes = chunks(text, spaced_hexadecimal).ok_or(BodyError::Damaged("hexadecimal text"))?;
        // The header may be missing. No text starts with these bytes.
        if compression.is_none() && is_gzip(&bytes) { decompress(bytes, "gzip", limit)? } else { bytes }
    } else if ["binary", "latin1"].iter().any(|name| encoding.eq_ignore_ascii_case(name)) {
        text.chars().map(u8::try_from).collect::<Result<_, _>>().map_err(|_| BodyError::Damaged("binary text"))?
    } else {
        match unmarked_chunks(text).filter(|_| compression.is_some()) {
            Some(bytes) => bytes,
            // Text contains no compressed bytes, so the tool has already decompressed the body.
            None => return within(text.as_bytes().to_vec(), limit),
        }
    };
    let mut bytes = within(bytes, limit)?;
    for name in compression.unwrap_or_default().split(',').rev().map(str::trim).filter(|name| !name.is_empty()) {
        bytes = decompress(bytes, name, limit)?;
    }
    Ok(bytes)
}

/// Encodes a body for HAR: as text if it is UTF-8, otherwise in base64.
pub(super) fn encode(bytes: &[u8]) -> (String, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => (BASE64.encode(bytes), Some("base64".to_owned())),
    }
}

/// Returns whether a text is JSON other than a list of chunks.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{') || text.starts_with('[') && serde_json::from_str::<Vec<String>>(text).is_err()
}

fn within(bytes: Vec<u8>, limit: usize) -> Result<Vec<u8>, BodyError> {
    if bytes.len() > limit { Err(BodyError::TooLarge(limit)) } else { Ok(bytes) }
}

/// Decodes the whole text, or each of the chunks that it lists as a JSON array.
fn chunks(text: &str, decode: fn(&str) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    if !text.trim_start().starts_with('[') {
        return decode(text);
    }
    let pieces: Vec<String> = serde_json::from_str(text).ok()?;
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for piece in pieces {
        bytes.extend(decode(&piece)?);
    }
    Some(bytes)
}

/// Decodes hexadecimal chunks of compressed bytes that no field declares.
///
/// They are recognized by their first bytes.
fn unmarked_chunks(text: &str) -> Option<Vec<u8>> {
    let bytes = if text.starts_with('[') { chunks(text, hexadecimal)? } else { return None };
    (is_gzip(&bytes) || is_zlib(&bytes)).then_some(bytes)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    // Some tools break the lines, and some use the URL-safe alphabet.
    let letters = text.bytes().filter(|letter| !letter.is_ascii_whitespace()).map(|letter| match letter {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    });
    BASE64.decode(letters.collect::<Vec<_>>()).ok()
}

fn spaced_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    hexadecimal(&digits)
}

pub(super) fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Returns whether the first two bytes are a zlib header.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

/// Decompresses a body, or returns it unchanged if it is not compressed.
///
/// Browsers keep the header of a compression that they have removed.
fn decompress(bytes: Vec<u8>, name: &str, limit: usize) -> Result<Vec<u8>, BodyError> {
    let undone = bytes.is_empty() || serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
    match name.to_ascii_lowercase().as_str() {
        "identity" => Ok(bytes),
        _ if undone => Ok(bytes),
        "gzip" | "x-gzip" if is_gzip(&bytes) => {
            read(flate2::read::MultiGzDecoder::new(&*bytes), limit)?.ok_or(BodyError::Damaged("gzip"))
        }
        "gzip" | "x-gzip" => Ok(bytes),
        "deflate" => {
            let zlib = if is_zlib(&bytes) { read(flate2::read::ZlibDecoder::new(&*bytes), limit)? } else { None };
            let raw = || read(flate2::read::DeflateDecoder::new(&*bytes), limit);
            undone_text(zlib.map_or_else(raw, |bytes| Ok(Some(bytes)))?, bytes, "deflate")
        }
        "br" => {
            let plain = read(brotli_decompressor::Decompressor::new(&*bytes, BROTLI_BUFFER), limit)?;
            undone_text(plain, bytes, "brotli")
        }
        _ => Err(BodyError::UnknownCompression(name.to_owned())),
    }
}

/// Returns the decompressed body, or the original one if it is text.
///
/// Deflate and brotli have no signature. Text that is not such a stream was never compressed.
fn undone_text(plain: Option<Vec<u8>>, bytes: Vec<u8>, name: &'static str) -> Result<Vec<u8>, BodyError> {
    match plain {
        Some(plain) => Ok(plain),
        None if std::str::from_utf8(&bytes).is_ok() => Ok(bytes),
        None => Err(BodyError::Damaged(name)),
    }
}

/// Decompresses a stream, or returns `None` if it is invalid.
///
/// A few bytes can expand to gigabytes, so the output is limited.
fn read(from: impl Read, limit: usize) -> Result<Option<Vec<u8>>, BodyError> {
    match read_within(from, limit) {
        Ok(Some(bytes)) => Ok(Some(bytes)),
        Ok(None) => Err(BodyError::TooLarge(limit)),
        Err(_) => Ok(None),
    }
}

/// Reads everything, or returns `None` for more than `limit` bytes.
fn read_within(from: impl Read, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let longest = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    from.take(longest).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn content(text: String) -> Content {
        Content { text: Some(text), ..Content::default() }
    }

    fn in_base64(text: String) -> Content {
        Content { encoding: Some("base64".into()), ..content(text) }
    }

    fn in_hexadecimal(text: String) -> Content {
        Content { is_binary: Some(true), ..content(text) }
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn array(pieces: impl Iterator<Item = String>) -> String {
        serde_json::to_string(&pieces.collect::<Vec<_>>()).unwrap()
    }

    /// Builds a stream of one stored block.
    fn brotli(bytes: &[u8]) -> Vec<u8> {
        if bytes.is_empty() {
            return vec![0x06];
        }
        let head = u32::try_from(bytes.len() - 1).unwrap() << 4 | 1 << 20;
        [&head.to_le_bytes()[..3], bytes, &[0x03]].concat()
    }

    fn compressed(bytes: &[u8], name: &str) -> Vec<u8> {
        let level = Compression::fast();
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), level);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
        match name {
            "gzip" => gzip.write_all(bytes).and_then(|()| gzip.finish()).unwrap(),
            "deflate" => zlib.write_all(bytes).and_then(|()| zlib.finish()).unwrap(),
            "raw deflate" => raw.write_all(bytes).and_then(|()| raw.finish()).unwrap(),
            "br" => brotli(bytes),
            _ => bytes.to_vec(),
        }
    }

    proptest! {
        #[test]
        fn whatever_the_form_the_bytes_come_back(
            bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
            piece in 1_usize..700,
            form in prop::sample::select(vec!["gzip", "deflate", "raw deflate", "br", ""]),
        ) {
            let wire = compressed(&bytes, form);
            let header = Some(form.strip_prefix("raw ").unwrap_or(form)).filter(|name| !name.is_empty());
            let forms = [
                in_base64(BASE64.encode(&wire)),
                in_base64(array(wire.chunks(piece).map(|piece| BASE64.encode(piece)))),
                in_hexadecimal(hex(&wire)),
                in_hexadecimal(array(wire.chunks(piece).map(hex))),
            ];
            for content in forms {
                prop_assert_eq!(decode(&content, header, LIMIT), Ok(bytes.clone()), "{:?}", content);
            }
        }

        #[test]
        fn what_is_recorded_here_is_read_here(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            let (text, encoding) = encode(&bytes);
            let content = Content { encoding, ..content(text) };
            prop_assert_eq!(decode(&content, None, LIMIT), Ok(bytes));
        }

        #[test]
        fn text_that_is_undone_already_is_left_alone(text in "\\PC*", header in prop::sample::select(vec!["gzip", "deflate", "br"])) {
            prop_assert_eq!(decode(&content(text.clone()), Some(header), LIMIT), Ok(text.into_bytes()));
        }

        #[test]
        fn nothing_makes_it_panic_or_pass_the_limit(
            text in "\\PC*|[0-9a-f]*|(\\[(\"[0-9a-zA-Z+/=]*\",?)*\\])",
            encoding in prop::option::of(prop::sample::select(vec!["base64", "utf-8"])),
            is_binary in prop::option::of(any::<bool>()),
            header in prop::option::of(prop::sample::select(vec!["gzip", "deflate", "br", "gzip, br", "zstd", "x"])),
        ) {
            let content = Content { encoding: encoding.map(str::to_owned), is_binary, ..content(text) };
            if let Ok(bytes) = decode(&content, header, 100) {
                prop_assert!(bytes.len() <= 100);
            }
        }

        #[test]
        fn damaged_streams_are_errors_or_text_and_never_a_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 1..300),
            at in any::<prop::sample::Index>(),
            form in prop::sample::select(vec!["gzip", "deflate", "br"]),
        ) {
            bytes = compressed(&bytes, form);
            let at = at.index(bytes.len());
            bytes[at] ^= 0x55;
            let _ = decode(&in_base64(BASE64.encode(&bytes)), Some(form), LIMIT);
        }
    }

    #[test]
    fn unmarked_hexadecimal_chunks_are_known_by_what_they_hold() {
        let wire = compressed(b"{\"id\":1}", "gzip");
        let text = array(wire.chunks(7).map(hex));
        assert_eq!(decode(&content(text.clone()), Some("gzip"), LIMIT), Ok(b"{\"id\":1}".to_vec()));
        assert_eq!(decode(&content(text.clone()), None, LIMIT), Ok(text.into_bytes()));
        let list = "[\"cafe\",\"1f8b\"]".to_owned();
        assert_eq!(decode(&content(list.clone()), Some("gzip"), LIMIT), Ok(list.into_bytes()));
    }

    #[test]
    fn bodies_that_are_labelled_as_hexadecimal_are_read_whole_or_in_pieces() {
        let wire = compressed(b"{\"id\":1}", "gzip");
        let labelled = |text: String| Content { encoding: Some("hex".into()), ..content(text) };
        for (text, header) in [
            (hex(&wire), Some("gzip")),
            (hex(&wire).to_uppercase(), None),
            (array(wire.chunks(5).map(hex)), Some("gzip")),
            (hex(b"{\"id\":1}"), None),
            (hex(b"{\"id\":1}"), Some("gzip")),
            (hex(&compressed(b"{\"id\":1}", "br")), Some("br")),
        ] {
            assert_eq!(decode(&labelled(text.clone()), header, LIMIT), Ok(b"{\"id\":1}".to_vec()), "{text}");
        }
        assert_eq!(decode(&labelled("no".into()), None, LIMIT), Err(BodyError::Damaged("hexadecimal text")));
        for label in ["utf8", "utf-8", "UTF-8", ""] {
            let content = Content { encoding: Some(label.into()), ..content("{\"id\":1}".into()) };
            assert_eq!(decode(&content, None, LIMIT), Ok(b"{\"id\":1}".to_vec()), "{label}");
        }
        let latin1 = Content { encoding: Some("binary".into()), ..content("\u{1f}\u{8b}\u{e9}".into()) };
        assert_eq!(decode(&latin1, None, LIMIT), Ok(vec![0x1f, 0x8b, 0xe9]));
    }

    #[test]
    fn a_browser_keeps_the_header_of_what_it_has_undone() {
        let plain = in_base64(BASE64.encode("[1, 2]"));
        for header in ["gzip", "deflate", "br"] {
            assert_eq!(decode(&plain, Some(header), LIMIT), Ok(b"[1, 2]".to_vec()), "{header}");
        }
    }

    #[test]
    fn a_bomb_is_refused_and_a_missing_body_is_said() {
        let bomb = in_base64(BASE64.encode(compressed(&vec![0; LIMIT], "gzip")));
        assert_eq!(decode(&bomb, Some("gzip"), 10_000), Err(BodyError::TooLarge(10_000)));
        let absent = Content { size: Some(7), ..Content::default() };
        assert_eq!(decode(&absent, None, LIMIT), Err(BodyError::Absent));
        assert_eq!(decode(&Content::default(), None, LIMIT), Ok(Vec::new()));
    }

    #[test]
    fn real_brotli_is_read() {
        // `{"team":"a"}` forty times in an array, from a compressor that really compresses.
        let wire = hexadecimal(REAL_BROTLI).unwrap();
        let plain = decode(&in_base64(BASE64.encode(wire)), Some("br"), LIMIT).unwrap();
        assert_eq!(plain, format!("[{}]", vec![r#"{"team":"a"}"#; 40].join(",")).into_bytes());
    }

    const REAL_BROTLI: &str = "1b0802f89d07760c99065a58b8d3bcb05a64ab6c6f86b5d1954e5fb17495220c4603a1ed9e4002";
}
