//! The JSON of a graph file, which other programs may have compressed with Brotli or gzip.
//!
//! Gzip has a magic number. The SDK for TypeScript optionally compresses its graph files without changing their names. Brotli data has no magic
//! number. Therefore a file counts as compressed if it does not start as a JSON object, but its decompressed content
//! does.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use brotli_decompressor::Decompressor;
use flate2::read::MultiGzDecoder;

use crate::input;

/// The maximum size of a decompressed file: 512 MiB. A few compressed bytes can become gigabytes.
pub(super) const DECOMPRESSED: u64 = 512 << 20;
/// The number of bytes read at once.
const BUFFER: usize = 1 << 18;
/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The maximum length of white space before a JSON object.
const WHITE_SPACE: usize = 64;

/// Returns whether the name of a path is that of a graph file: `*.json`, or `*.br` and `*.gz` if compressed.
pub(super) fn is_of_a_graph(path: &Path) -> bool {
    path.extension().and_then(OsStr::to_str).is_some_and(|name| matches!(name, "json" | "br" | "gz"))
}

/// Opens the JSON of a file.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    open_within(path, DECOMPRESSED)
}

fn open_within(path: &Path, limit: u64) -> io::Result<Box<dyn BufRead>> {
    let mut plain = BufReader::with_capacity(BUFFER, input::open(path)?);
    let is_named_so = path.extension().is_some_and(|extension| extension == "br");
    let first = plain.fill_buf()?;
    if begins_as_object(first) {
        return Ok(Box::new(plain));
    }
    if first.starts_with(&GZIP) {
        return Ok(Bounded::boxed(Codec::Gzip(Box::new(MultiGzDecoder::new(plain))), limit));
    }
    // Text contains no such bytes, so that a text is never reported as a damaged stream.
    let is_binary = first.iter().any(|byte| *byte >= 0x80 || (*byte < b' ' && !byte.is_ascii_whitespace()));
    let mut start = Vec::new();
    let mut probe = brotli(input::open(path)?);
    let decompressed = Read::by_ref(&mut probe).take(WHITE_SPACE as u64).read_to_end(&mut start);
    if begins_as_object(&start) {
        return Ok(Bounded::boxed(Codec::Brotli(Box::new(brotli(plain))), limit));
    }
    let is_cut = probe.get_mut().has_ended;
    match decompressed {
        Err(error) if is_cut && (is_named_so || is_binary) => Err(Damaged::Cut("Brotli").of(error.kind())),
        Err(error) if is_named_so => Err(Damaged::Neither(error.to_string()).of(error.kind())),
        // The content is neither JSON nor Brotli. The parser reports the JSON error.
        _ if is_named_so => Ok(Box::new(Cursor::new(start))),
        _ => Ok(Box::new(plain)),
    }
}

fn brotli<R: Read>(from: R) -> Decompressor<Source<R>> {
    Decompressor::new(Source { from, has_ended: false }, BUFFER)
}

fn begins_as_object(bytes: &[u8]) -> bool {
    bytes.iter().take(WHITE_SPACE).find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// The reason why a compressed file cannot be read.
#[derive(Debug, thiserror::Error)]
enum Damaged {
    #[error("it is neither JSON nor compressed with Brotli ({0})")]
    Neither(String),
    #[error("its {0} stream is cut off: copy or export the file again")]
    Cut(&'static str),
    #[error("other bytes follow its {0} stream: copy or export the file again")]
    Followed(&'static str),
    #[error("its gzip stream is cut off, or other bytes follow it: copy or export the file again")]
    CutOrFollowed,
    #[error("its {0} stream is damaged ({1})")]
    Invalid(&'static str, String),
}

impl Damaged {
    fn of(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self)
    }
}

/// A reader that remembers whether its end was requested.
///
/// A decompressor reads on only if its stream is incomplete.
struct Source<R> {
    from: R,
    has_ended: bool,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.has_ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

/// A compressed file.
enum Codec {
    Brotli(Box<Decompressor<Source<BufReader<File>>>>),
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
}

impl Codec {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let kind = io::ErrorKind::InvalidData;
        match self {
            Self::Gzip(gzip) => gzip.read(buffer).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput => Damaged::CutOrFollowed.of(kind),
                _ => Damaged::Invalid("gzip", error.to_string()).of(kind),
            }),
            Self::Brotli(brotli) => match brotli.read(buffer) {
                Ok(0) if !buffer.is_empty() => Self::check_end(brotli).map(|()| 0),
                Ok(read) => Ok(read),
                Err(_) if brotli.get_mut().has_ended => Err(Damaged::Cut("Brotli").of(kind)),
                Err(error) => Err(Damaged::Invalid("Brotli", error.to_string()).of(kind)),
            },
        }
    }

    /// Checks that nothing follows the stream. The decompressor reports this only if it is read after its end.
    fn check_end(brotli: &mut Decompressor<Source<BufReader<File>>>) -> io::Result<()> {
        let is_followed = brotli.read(&mut [0]).is_err() || !brotli.get_mut().from.fill_buf()?.is_empty();
        if is_followed { Err(Damaged::Followed("Brotli").of(io::ErrorKind::InvalidData)) } else { Ok(()) }
    }
}

/// A reader of decompressed bytes that fails beyond a limit.
struct Bounded {
    from: Codec,
    left: u64,
    limit: u64,
}

impl Bounded {
    fn boxed(from: Codec, limit: u64) -> Box<dyn BufRead> {
        Box::new(BufReader::with_capacity(BUFFER, Self { from, left: limit, limit }))
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(input::Unsuitable::TooLarge(self.limit))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of three million letters, compressed by the zlib module of Node.js.
    const BOMB: [u8; 40] = [
        0x9b, 0xd0, 0xc6, 0x2d, 0xf8, 0x1d, 0xa7, 0xc5, 0x9a, 0x13, 0x0c, 0xdb, 0x41, 0xbd, 0x15, 0xb6, 0xd7, 0xa7,
        0x74, 0xba, 0x5a, 0xa4, 0x2c, 0x6d, 0x6e, 0x5a, 0xa2, 0xc9, 0x6f, 0x85, 0xc0, 0x46, 0xb2, 0xf4, 0xe5, 0xf9,
        0xb6, 0xac, 0x03, 0xe5,
    ];

    #[test]
    fn a_few_bytes_that_become_many_are_read_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, BOMB).unwrap();
        let read = |limit| {
            let mut json = String::new();
            open_within(&path, limit).unwrap().read_to_string(&mut json).map(|_| json.len())
        };
        assert_eq!(read(DECOMPRESSED).unwrap(), 3_000_017);
        assert!(read(1 << 20).unwrap_err().to_string().contains("larger than 1 MiB"));
    }

    /// Reads a file with this name and content to its end.
    fn read(name: &str, content: &[u8], limit: u64) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let mut json = String::new();
        let read = open_within(&path, limit).and_then(|mut from| from.read_to_string(&mut json));
        read.map(|_| json).map_err(|error| error.to_string())
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_read_by_its_content_and_within_the_limit() {
        let text = format!("{{\"entities\":[{}1]}}", "1,".repeat(50_000));
        for name in ["a.json.gz", "a.json", "a.gz", "a.json.br"] {
            assert_eq!(read(name, &gzip(&text), DECOMPRESSED).as_ref(), Ok(&text), "{name}");
        }
        let parts = [gzip("{\"entities\":"), gzip("[]}")].concat();
        assert_eq!(read("a.json.gz", &parts, DECOMPRESSED), Ok("{\"entities\":[]}".into()));
        assert!(read("a.json.gz", &gzip(&text), 1 << 10).unwrap_err().contains("larger than"));
    }

    #[test]
    fn a_stream_that_is_cut_or_followed_by_other_bytes_is_named_so() {
        let zipped = gzip("{\"entities\":[]}");
        for length in [4, 12, zipped.len() - 9, zipped.len() - 1] {
            let told = read("a.json.gz", &zipped[..length], DECOMPRESSED).unwrap_err();
            assert!(told.contains("its gzip stream is cut off"), "{length}: {told}");
        }
        for name in ["a.json", "a.json.br"] {
            for length in [1, 5, 20, 39] {
                let told = read(name, &BOMB[..length], DECOMPRESSED).unwrap_err();
                assert!(told.contains("its Brotli stream is cut off"), "{name} {length}: {told}");
            }
        }
        for rest in [&b"x"[..], &[0; 600_000]] {
            let told = read("a.json", &[&BOMB[..], rest].concat(), DECOMPRESSED).unwrap_err();
            assert!(told.contains("other bytes follow its Brotli stream"), "{told}");
            let told = read("a.json.gz", &[&zipped[..], rest].concat(), DECOMPRESSED).unwrap_err();
            assert!(told.contains("other bytes follow it"), "{told}");
        }
        assert_eq!(read("a.json", b"[not an object]", DECOMPRESSED).unwrap(), "[not an object]");
    }
}
