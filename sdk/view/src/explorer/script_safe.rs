//! JSON for a `<script>` element, in which no text can end the element or start a comment.

use std::io::{self, Write};

/// A writer that replaces `<` by `\u003c`. In JSON, `<` occurs only in strings, so the meaning stays the same.
pub(super) struct ScriptSafe<W>(pub(super) W);

impl<W: Write> Write for ScriptSafe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        for (at, part) in bytes.split(|&byte| byte == b'<').enumerate() {
            if at > 0 {
                self.0.write_all(b"\\u003c")?;
            }
            self.0.write_all(part)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
