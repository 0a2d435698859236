//! A writer that leaves colours out.

use std::io::{self, Write};

use anstream::adapter::StripBytes;

/// Removes the colours from the text that it passes on.
pub(crate) struct Plain<W> {
    inner: W,
    state: StripBytes,
}

impl<W: Write> Plain<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, state: StripBytes::new() }
    }
}

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in self.state.strip_next(bytes) {
            self.inner.write_all(piece)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed_wherever_the_text_is_cut() {
        let text = "a\u{1b}[1mb\u{1b}[0m\nä\n".as_bytes();
        for cut in 0..text.len() {
            let mut out = Vec::new();
            let mut plain = Plain::new(&mut out);
            plain.write_all(&text[..cut]).and_then(|()| plain.write_all(&text[cut..])).expect("memory");
            assert_eq!(String::from_utf8_lossy(&out), "ab\nä\n", "{cut}");
        }
    }
}
