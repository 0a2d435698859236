//! The JSON of a graph file, which other programs may have compressed with Brotli.
//!
//! The SDK for TypeScript optionally compresses its graph files without changing their names. Brotli data has no magic
//! number. Therefore a file counts as compressed if it does not start as a JSON object, but its decompressed content
//! does.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use brotli_decompressor::Decompressor;

use crate::input;

/// The maximum size of a decompressed file: 512 MiB. A few compressed bytes can become gigabytes.
pub(super) const DECOMPRESSED: u64 = 512 << 20;
/// The number of bytes read at once.
const BUFFER: usize = 1 << 18;
/// The maximum length of white space before a JSON object.
const WHITE_SPACE: usize = 64;

/// Returns whether the name of a path is that of a graph file: `*.json`, `*.json.br`, or `*.br`.
pub(super) fn is_of_a_graph(path: &Path) -> bool {
    path.extension().and_then(OsStr::to_str).is_some_and(|name| matches!(name, "json" | "br"))
}

/// Opens the JSON of a file.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    open_within(path, DECOMPRESSED)
}

fn open_within(path: &Path, limit: u64) -> io::Result<Box<dyn BufRead>> {
    let mut plain = BufReader::with_capacity(BUFFER, input::open(path)?);
    let is_named_so = path.extension().is_some_and(|extension| extension == "br");
    if begins_as_object(plain.fill_buf()?) {
        return Ok(Box::new(plain));
    }
    let mut start = Vec::new();
    let decompressed = decompressor(input::open(path)?).take(WHITE_SPACE as u64).read_to_end(&mut start);
    if begins_as_object(&start) {
        return Ok(Box::new(BufReader::with_capacity(
            BUFFER,
            Bounded { from: decompressor(plain), left: limit, limit },
        )));
    }
    match decompressed {
        Err(error) if is_named_so => Err(io::Error::new(error.kind(), Damaged(error))),
        // The content is neither JSON nor Brotli. The parser reports the JSON error.
        _ if is_named_so => Ok(Box::new(Cursor::new(start))),
        _ => Ok(Box::new(plain)),
    }
}

fn decompressor<R: Read>(from: R) -> Decompressor<R> {
    Decompressor::new(from, BUFFER)
}

fn begins_as_object(bytes: &[u8]) -> bool {
    bytes.iter().take(WHITE_SPACE).find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// A file whose content does not match its name.
#[derive(Debug, thiserror::Error)]
#[error("it is neither JSON nor compressed with Brotli ({0})")]
struct Damaged(io::Error);

/// A reader of decompressed bytes that fails beyond a limit.
struct Bounded<R> {
    from: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer).map_err(|error| {
            io::Error::new(error.kind(), format!("it is not a whole file compressed with Brotli: {error}"))
        })?;
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
}
