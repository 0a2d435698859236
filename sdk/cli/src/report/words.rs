//! Numbers, times and lists as people read them.

use indicatif::HumanCount;
use textwrap::{Options, WordSplitter, WrapAlgorithm};

/// A number of things: `1 step`, `2,000 steps`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", HumanCount(count), if count == 1 { one } else { many })
}

/// A time in milliseconds, to two or three digits: `830 ms`, `1.2 s`, `3 min 05 s`.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..60_000 => format!("{} s", ms / 1_000),
        60_000..3_600_000 => format!("{} min {:02} s", ms / 60_000, ms / 1_000 % 60),
        _ => format!("{} h {:02} min", ms / 3_600_000, ms / 60_000 % 60),
    }
}

/// Names joined by commas.
pub(crate) fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

/// A paragraph between margins, its lines after the first indented by `hang` more.
pub(crate) fn paragraph(text: &str, width: usize, indent: usize, hang: usize) -> String {
    let (first, rest) = (" ".repeat(indent), " ".repeat(indent + hang));
    // Ids are full of dashes, and whoever copies one wants it whole.
    let options =
        Options::new(width).word_splitter(WordSplitter::NoHyphenation).wrap_algorithm(WrapAlgorithm::FirstFit);
    let options = options.break_words(false);
    textwrap::fill(text, options.initial_indent(&first).subsequent_indent(&rest)) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        assert_eq!([counted(1, "step", "steps"), counted(1_234_567, "step", "steps")], ["1 step", "1,234,567 steps"]);
        assert_eq!([83, 1_290, 61_000, 7_260_000].map(duration), ["83 ms", "1.2 s", "1 min 01 s", "2 h 01 min"]);
    }

    #[test]
    fn a_paragraph_keeps_its_margins() {
        assert_eq!(paragraph("one two three", 9, 2, 2), "  one two\n    three\n");
        assert_eq!(paragraph("one two three", usize::MAX, 0, 2), "one two three\n");
    }
}
