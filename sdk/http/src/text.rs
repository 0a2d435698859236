//! The preparation of external text for one line of a message.

/// Shortens text to one line of `longest` characters, without control characters.
pub(super) fn one_line(text: &str, longest: usize) -> String {
    let clean: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= longest {
        return words;
    }
    words.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_control_characters_become_spaces_and_long_text_is_cut() {
        assert_eq!(one_line("a\r\n\tb\u{1b}[31mc  d", 40), "a b [31mc d");
        assert_eq!(one_line("äöüäöü", 4), "äöü…");
    }
}
