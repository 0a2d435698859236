//! Lines and columns of a text.

/// A line and a column, both counted from 1. A column is one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Location {
    /// Returns the location of a byte. An offset after the end is the end; one within a character is its start.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        let before = &text[..floor(text, offset)];
        let start = before.rfind('\n').map_or(0, |feed| feed + 1);
        Self { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
    }
}

/// Returns the greatest boundary between characters that is at most `offset`.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters_and_lines_start_after_a_feed() {
        let text = "añb\ncd";
        let at = |offset| {
            let location = Location::of(text, offset);
            (location.line, location.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (1, 2), "an offset within a character is its start");
        assert_eq!(at(3), (1, 3));
        assert_eq!(at(5), (2, 1));
        assert_eq!(at(100), (2, 3));
    }
}
