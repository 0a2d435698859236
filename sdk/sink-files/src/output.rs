//! A file that is being written.

use std::fs::File;
use std::io::{self, BufWriter, Write};

/// The number of bytes written at once.
const BUFFER: usize = 1 << 18;

/// A buffered file that counts its bytes.
#[derive(Debug)]
pub(crate) struct Output {
    file: BufWriter<File>,
    bytes: u64,
}

impl Output {
    pub(crate) fn new(file: File) -> Self {
        Self { file: BufWriter::with_capacity(BUFFER, file), bytes: 0 }
    }

    /// Waits until the file is on disk, because the earlier result is removed afterwards. Returns its size.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        Ok(self.bytes)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a text as JSON.
pub(crate) fn json_text(text: &str, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(out, text).map_err(io::Error::from)
}

/// Writes a line break and, before each element but the first, a comma. `number` counts the elements.
pub(crate) fn separate(number: &mut u64, out: &mut Output) -> io::Result<()> {
    *number += 1;
    out.write_all(if *number == 1 { b"\n" } else { b",\n" })
}
