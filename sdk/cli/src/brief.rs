//! Shortens long ids and paths in texts for people.
//!
//! JSON, SARIF and JUnit output always contains the complete text.

use textwrap::core::display_width;

/// The maximum width of a word in columns; longer than any id or path that people type.
const WORD: usize = 120;
/// The maximum width of a text in columns, such as a provider's message.
const TEXT: usize = 1_500;
const ELLIPSIS: char = '…';

/// Cuts long words in the middle, and the whole text if it is very long.
pub(crate) fn brief(text: &str) -> String {
    let words = text.split_inclusive(' ').map(|word| match word.strip_suffix(' ') {
        Some(bare) => cut(bare, WORD) + " ",
        None => cut(word, WORD),
    });
    cut(&words.collect::<String>(), TEXT)
}

/// Cuts a text to at most `most` columns by replacing its middle with an ellipsis.
pub(crate) fn cut(text: &str, most: usize) -> String {
    // The common case does not need the display width: no character has more columns than bytes.
    if text.len() <= most || display_width(text) <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(1);
    let begin = taken(text.chars(), room.div_ceil(2));
    let end: String = taken(text.chars().rev(), room / 2).chars().rev().collect();
    format!("{begin}{ELLIPSIS}{end}")
}

/// Takes as many letters as fit into the columns.
fn taken(letters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut left = columns;
    let fits = |letter: &char| {
        let width = display_width(letter.encode_utf8(&mut [0; 4]));
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    letters.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_in_the_middle_and_others_stay() {
        assert_eq!(brief("app 01a20f63-3876 of team x  is gone"), "app 01a20f63-3876 of team x  is gone");
        let id = format!("begin{}end", "x".repeat(1_000_000));
        let shown = brief(&format!("app {id} is gone"));
        assert!(
            shown.starts_with("app beginxxx") && shown.contains("xx…xx") && shown.ends_with("xend is gone"),
            "{shown}"
        );
        assert_eq!(display_width(&shown), "app  is gone".len() + WORD);
        assert_eq!(cut("äöüß", 3), "ä…ß");
        assert_eq!(display_width(&cut(&"漢".repeat(100), 10)), 9);
        assert_eq!(cut("short", 5), "short");
    }

    #[test]
    fn a_text_of_many_words_is_cut_as_a_whole() {
        let shown = brief(&"word ".repeat(10_000));
        assert_eq!(display_width(&shown), TEXT);
    }
}
