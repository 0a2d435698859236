//! Commands in messages, quoted so that a POSIX shell reads them as they were meant.

use std::path::Path;

use crate::options::DATA_DIR;
use crate::visible::visible;

/// Quotes a word for a POSIX shell if it contains other characters than those of plain names.
pub(crate) fn quoted(word: &str) -> String {
    let word = visible(word);
    let is_plain = |letter: char| letter.is_alphanumeric() || "_@%+=:,./-".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Returns [`quoted`] of a path.
pub(crate) fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// Returns the program name with the options that select the integration and the data directory.
pub(crate) fn called(program: &str, integration: Option<&str>, data_dir: &Path) -> String {
    let mut command = quoted(program);
    if let Some(id) = integration {
        command += &format!(" --integration {}", quoted(id));
    }
    if data_dir != Path::new(DATA_DIR) {
        command += &format!(" --data-dir {}", quoted_path(data_dir));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_a_shell_would_change_are_quoted() {
        for plain in ["data", "/a/b-c_d.e", "Zo\u{eb}", "a=b:c,d@e%f+g"] {
            assert_eq!(quoted(plain), plain);
        }
        for (word, expected) in [
            ("my data;x", "'my data;x'"),
            ("", "''"),
            ("~", "'~'"),
            ("a'b", r"'a'\''b'"),
            ("$(x)`y`\"", "'$(x)`y`\"'"),
            ("a\u{202e}b", r"'a\u{202e}b'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_the_original_word() {
        for word in ["my data;x", "a'b''c", "$HOME *?[a] & | < > \\ \" #", "'", "{a,b}"] {
            let line = format!("printf %s {}", quoted(word));
            let read = std::process::Command::new("sh").args(["-c", &line]).output().expect("a shell");
            assert_eq!(String::from_utf8_lossy(&read.stdout), word, "{line}");
        }
    }

    #[test]
    fn the_default_integration_and_data_directory_are_left_out() {
        assert_eq!(called("space", None, Path::new(DATA_DIR)), "space");
        assert_eq!(called("space", None, Path::new("my data")), "space --data-dir 'my data'");
        assert_eq!(called("space", Some("crew"), Path::new(DATA_DIR)), "space --integration crew");
    }
}
