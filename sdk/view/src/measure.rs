//! The size of text, estimated without a font.
//!
//! The reader's machine chooses the font, so widths are estimated for the widest common fonts (DejaVu, Verdana). A box
//! may be slightly too wide, but never too narrow.

use unicode_width::UnicodeWidthChar;

/// A font of the drawings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Font {
    /// The sans-serif font of the system.
    Sans,
    /// The bold sans-serif font of the system.
    Bold,
    /// The monospace font of the system.
    Mono,
}

const ELLIPSIS: char = '…';

/// Estimates the width of a text in pixels, rounded up generously.
pub(crate) fn width(text: &str, font: Font, size: f64) -> f64 {
    text.chars().map(|char| advance(char, font)).sum::<f64>() * size
}

/// Shortens a text to `room` pixels, with an ellipsis if something is omitted.
pub(crate) fn fit(text: &str, font: Font, size: f64, room: f64) -> String {
    shorten(text, room / size, |char| advance(char, font))
}

/// Returns the number of terminal columns that a text occupies.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// Shortens a text to `room` terminal columns, with an ellipsis if something is omitted.
pub(crate) fn fit_columns(text: &str, room: usize) -> String {
    shorten(text, room as f64, |char| cells(char) as f64)
}

/// Breaks a text between words into lines that fit. A word that is too long gets a separate line.
pub(crate) fn wrapped(text: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if fits(&format!("{line} {word}")) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn shorten(text: &str, room: f64, advance: impl Fn(char) -> f64) -> String {
    let (mut used, mut kept) = (0.0, 0);
    for (at, char) in text.char_indices() {
        // Each mark without width counts a little, so that a text cannot contain an unlimited number of them.
        used += advance(char).max(0.05);
        if used > room {
            return format!("{}{ELLIPSIS}", text[..kept].trim_end());
        }
        if used + advance(ELLIPSIS) <= room {
            kept = at + char.len_utf8();
        }
    }
    text.to_owned()
}

/// Returns the width of a character in units of the font size.
fn advance(char: char, font: Font) -> f64 {
    let wide = cells(char) == 2;
    match font {
        Font::Mono if wide => 1.25,
        Font::Mono => 0.615,
        Font::Sans => sans(char, wide),
        Font::Bold => sans(char, wide) * 1.1,
    }
}

fn sans(char: char, wide: bool) -> f64 {
    match char {
        _ if wide => 1.1,
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.35,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' => 1.0,
        'A'..='Z' => 0.76,
        'a'..='z' | '0'..='9' | '·' => 0.64,
        char if char.is_ascii() => 0.84,
        _ => 0.9,
    }
}

/// Returns the number of terminal columns of a character.
///
/// A combining mark has none; wide scripts and emoji have two.
fn cells(char: char) -> usize {
    char.width().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_fits_stays_whole() {
        assert_eq!(fit_columns("abcd", 4), "abcd");
        assert_eq!(fit_columns("abcde", 4), "abc…");
        assert_eq!(fit_columns("日本語", 5), "日本…");
    }

    #[test]
    fn a_shortened_text_is_as_narrow_as_asked_for() {
        let long = "Wörter and a lot of them, 日本語 ".repeat(400);
        for font in [Font::Sans, Font::Bold, Font::Mono] {
            for room in [40.0, 100.0, 333.0] {
                assert!(width(&fit(&long, font, 13.0, room), font, 13.0) <= room);
            }
        }
    }

    #[test]
    fn marks_without_width_come_to_an_end() {
        let pile = "a".to_owned() + &"\u{301}".repeat(10_000);
        assert!(fit_columns(&pile, 20).chars().count() < 500);
    }
}
