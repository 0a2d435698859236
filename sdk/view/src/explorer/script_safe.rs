//! JSON inside of a `<script>`: no `<`, so that nothing in it can end the element or begin a comment.

use std::io::{self, Write};

/// Writes `\u003c` for `<`, which in JSON occurs in strings only and means the same there.
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
