//! Escapes characters in foreign text that control terminals or build servers, or mislead readers.

use std::io;
use std::path::{Path, PathBuf};

use integration_view::is_hidden;
use serde::{Serialize, Serializer};

/// Returns a foreign text as one line without control sequences.
///
/// Control characters, bidirectional marks, and invisible characters are escaped, for example as `\u{1b}`. Line breaks
/// become spaces. Commands of build servers, which begin with `::` or words such as `##[error]`, are escaped as well.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => shown.push(' '),
            '[' if ends_in_command(&shown) => escape(letter, &mut shown),
            ':' if shown.trim_start() == ":" => escape(letter, &mut shown),
            letter if is_hidden(letter) => escape(letter, &mut shown),
            letter => shown.push(letter),
        }
    }
    shown
}

/// Escapes the control characters that JSON allows without escapes.
pub(crate) fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter != '\n' && is_hidden(letter) {
            let mut units = [0; 2];
            shown.extend(letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// A writer that escapes like [`visible_json`]. It receives whole pieces of text, as a serializer writes them.
#[derive(Debug)]
pub(crate) struct VisibleJson<W>(pub(crate) W);

impl<W: io::Write> io::Write for VisibleJson<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            // Most pieces are signs and plain names.
            Ok(text) if !text.is_ascii() || text.bytes().any(|byte| byte.is_ascii_control()) => {
                self.0.write_all(visible_json(text).as_bytes())?;
            }
            _ => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Text of several lines, such as a message about wrong usage, each of them [`visible`].
pub(crate) fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines.join("\n") + "\n"
}

fn escape(letter: char, shown: &mut String) {
    shown.extend(letter.escape_unicode());
}

/// Returns whether a bracket would complete a command, such as `##[`, `##vso[`, or `##teamcity[`.
fn ends_in_command(text: &str) -> bool {
    text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).ends_with("##")
}

/// Serializes a path as text, with U+FFFD for bytes that are not Unicode.
pub(crate) fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Returns the result of [`lossy`] for a path that may be missing.
pub(crate) fn lossy_option<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
}

/// Returns the results of [`lossy`] for several paths.
pub(crate) fn lossy_list<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_text_controls_neither_a_terminal_nor_a_build_server() {
        assert_eq!(visible("a\u{1b}]52;c;ZXZpbA==\u{7}\n::error::x"), "a\\u{1b}]52;c;ZXZpbA==\\u{7} ::error::x");
        assert_eq!(visible("\u{9b}31m\u{202e}gpj.exe\u{2069}"), "\\u{9b}31m\\u{202e}gpj.exe\\u{2069}");
        assert_eq!(visible("\n ::set-output name=x::y"), "  :\\u{3a}set-output name=x::y");
        assert_eq!(visible("##[error]a ##vso[task b #[c"), "##\\u{5b}error]a ##vso\\u{5b}task b #[c");
        assert_eq!(visible("Zoë 👩‍👩‍👧 a::b [c]"), "Zoë 👩‍👩‍👧 a::b [c]");
    }

    #[test]
    fn json_means_the_same_without_its_control_characters() {
        let value = serde_json::json!({"a\u{9b}": "\u{202e}b\u{7f}\u{e0041}\n"});
        let shown = visible_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!shown.contains(['\u{9b}', '\u{202e}', '\u{7f}', '\u{e0041}']), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
        let mut written = Vec::new();
        serde_json::to_writer_pretty(VisibleJson(&mut written), &value).expect("memory");
        assert_eq!(String::from_utf8_lossy(&written), shown);
    }
}
