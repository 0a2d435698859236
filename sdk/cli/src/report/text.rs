//! Numbers, durations, lists, and paragraphs for people.

use integration_sdk::Timestamp;
pub(crate) use integration_view::number::{counted, duration};
use textwrap::{Options, WordSplitter, WrapAlgorithm};

/// Joins names with commas.
pub(crate) fn list<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

/// Formats a time in UTC, to the second.
pub(crate) fn moment(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.millis()).map(instant).unwrap_or_default()
}

/// Formats a time of the rules in the same way.
pub(crate) fn instant(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Wraps a paragraph; all lines after the first are indented by additional `hang` columns.
pub(crate) fn paragraph(text: &str, width: usize, indent: usize, hang: usize) -> String {
    let (first, rest) = (" ".repeat(indent), " ".repeat(indent + hang));
    // Ids contain dashes and must stay complete, so that they can be copied.
    let options =
        Options::new(width).word_splitter(WordSplitter::NoHyphenation).wrap_algorithm(WrapAlgorithm::FirstFit);
    let options = options.break_words(false);
    textwrap::fill(text, options.initial_indent(&first).subsequent_indent(&rest)) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_keeps_its_margins() {
        assert_eq!(paragraph("one two three", 9, 2, 2), "  one two\n    three\n");
        assert_eq!(paragraph("one two three", usize::MAX, 0, 2), "one two three\n");
    }
}
