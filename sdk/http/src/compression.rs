//! Decompression of responses before their bodies are decoded.

use std::io::{self, ErrorKind, Read};

use flate2::read::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};

use super::wire::TransportError;

/// The encoding that every request accepts.
///
/// Every provider that compresses responses supports gzip.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip");

/// The largest allocation that relies on an announced length.
///
/// Headers and compressed bodies can announce a wrong length, so a larger buffer grows only with the data.
pub(super) const BELIEVED_LENGTH: usize = 1 << 20;

/// The number of bytes to decompress before memory is reserved for more.
const PIECE: usize = 256 << 10;

/// Returns the decompressed body, of at most `limit` bytes.
///
/// The limit is a protection, because a few compressed bytes can expand to gigabytes. Headers that describe the
/// compressed bytes are removed. `fit` reserves memory for a total number of bytes.
pub(super) fn undone(
    headers: &mut HeaderMap,
    body: Vec<u8>,
    limit: usize,
    mut fit: impl FnMut(usize) -> Result<(), TransportError>,
) -> Result<Vec<u8>, TransportError> {
    let names: Vec<HeaderValue> = headers.get_all(CONTENT_ENCODING).into_iter().cloned().collect();
    let mut plain = body;
    for name in names.iter().rev().filter_map(|name| name.to_str().ok()).flat_map(|names| names.rsplit(',')) {
        plain = match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => plain,
            // Some providers send the header with responses that have no body.
            _ if plain.is_empty() => plain,
            "gzip" | "x-gzip" => unzipped(&plain, limit, |bytes| fit(plain.len() + bytes))?,
            other => return Err(TransportError::UnrequestedCompression(other.to_owned())),
        };
    }
    if headers.remove(CONTENT_ENCODING).is_some() {
        headers.remove(CONTENT_LENGTH);
    }
    Ok(plain)
}

fn unzipped(
    zipped: &[u8],
    limit: usize,
    mut fit: impl FnMut(usize) -> Result<(), TransportError>,
) -> Result<Vec<u8>, TransportError> {
    let mut plain = Vec::with_capacity(length_of(zipped).min(BELIEVED_LENGTH).min(limit));
    let mut decoder = MultiGzDecoder::new(zipped);
    // One byte more than expected, so that a partly filled piece is recognized as the last one.
    let mut piece = length_of(zipped).min(PIECE) + 1;
    loop {
        piece = piece.min(limit - plain.len() + 1);
        fit((plain.len() + piece).min(limit))?;
        let read = decoder.by_ref().take(piece as u64).read_to_end(&mut plain).map_err(|error| damaged(&error))?;
        if plain.len() > limit {
            return Err(TransportError::TooLarge);
        }
        if read < piece {
            return Ok(plain);
        }
        piece = PIECE;
    }
}

fn damaged(error: &io::Error) -> TransportError {
    TransportError::Connection(match error.kind() {
        ErrorKind::UnexpectedEof => "the gzip compression of the body is cut off".into(),
        _ => "the body is declared as gzip, but is not valid gzip".into(),
    })
}

/// Returns the uncompressed length from the end of a gzip member (RFC 1952, section 2.3.1).
fn length_of(zipped: &[u8]) -> usize {
    zipped.last_chunk().map_or(0, |length| usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing_server::zipped;
    use super::*;

    fn compressed_as(names: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("7"));
        for name in names {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        headers
    }

    fn undone_of(names: &[&'static str], body: Vec<u8>, limit: usize) -> Result<Vec<u8>, String> {
        undone(&mut compressed_as(names), body, limit, |_| Ok(())).map_err(|broken| broken.to_string())
    }

    #[test]
    fn headers_of_a_compressed_body_go_and_those_of_another_stay() {
        let mut headers = compressed_as(&["gzip"]);
        assert_eq!(undone(&mut headers, zipped(b"[]"), 10, |_| Ok(())).ok().unwrap(), b"[]");
        assert!(headers.is_empty());
        let mut headers = compressed_as(&[]);
        assert_eq!(undone(&mut headers, b"[]".to_vec(), 10, |_| Ok(())).ok().unwrap(), b"[]");
        assert_eq!(headers, compressed_as(&[]));
    }

    #[test]
    fn compressions_are_undone_from_the_last_to_the_first() {
        let twice = zipped(&zipped(b"[]"));
        for names in [&["gzip, X-GZIP"][..], &["gzip", "gzip"], &["identity, gzip", "", "gzip,"]] {
            assert_eq!(undone_of(names, twice.clone(), 100).as_deref(), Ok(&b"[]"[..]), "{names:?}");
        }
    }

    #[test]
    fn what_was_not_asked_for_is_named() {
        assert_eq!(
            undone_of(&["br"], b"[]".to_vec(), 10),
            Err("the body is compressed as `br`, which was not requested".into())
        );
        assert_eq!(undone_of(&["br"], Vec::new(), 10), Ok(Vec::new()), "an empty body needs no decompression");
    }

    #[test]
    fn a_bomb_is_larger_than_the_limit() {
        let bomb = zipped(&vec![b' '; 50 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(undone_of(&["gzip"], bomb, 1 << 20), Err("the body is larger than the limit".into()));
        assert_eq!(undone_of(&["gzip"], zipped(b"12345"), 5).as_deref(), Ok(&b"12345"[..]));
    }

    proptest! {
        #[test]
        fn a_body_that_is_cut_or_no_gzip_is_damaged(plain: Vec<u8>, cut in 1_usize..200, noise in "[^\\x1f]{1,40}") {
            let whole = zipped(&plain);
            prop_assert_eq!(undone_of(&["gzip"], whole.clone(), 1000).unwrap(), plain);
            let cut = whole[..whole.len().saturating_sub(cut).max(1)].to_vec();
            prop_assert!(undone_of(&["gzip"], cut, 1000).unwrap_err().contains("compression"));
            prop_assert!(undone_of(&["gzip"], noise.into_bytes(), 1000).is_err());
        }
    }
}
