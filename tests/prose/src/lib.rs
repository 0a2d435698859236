//! Measures the English of comments, documents, and help texts.
//!
//! Some constructions are frequent in translated prose and rare in the code of native writers: a relative clause instead of
//! a noun, `where` instead of `if`, objects that speak, and outdated words. [`Count::per_thousand`] is the number of
//! such constructions per 1,000 words. `CONTRIBUTING.md` states the rules behind them.
#![deny(missing_docs)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{fs, io};

use regex::Regex;

/// The patterns, each with the rule that a match breaks.
const PATTERNS: [(&str, &str); 4] = [
    (
        "name the thing instead of using a relative clause as a noun",
        r"\b([Ww]hat|[Ww]hoever|[Ww]hatever|those (?:who|that)|[Nn]obody|[Ee]verybody|[Ss]omebody)\b",
    ),
    (
        "use `if` or `when` for a condition and `where` for a place",
        r"\b[Ww]here (?:it|there|they|one|an?|the|that|no|some|nothing|what|its)\b",
    ),
    ("things report, return, or depend; they do not speak", r"\b(told|tells|tell|asked|asks)\b"),
    (
        "use the modern word",
        r"\b(at the most|at the least|anew|beside|kept apart|in the place of|of its own|on (?:its|their) way|at hand|so many|begun|passed over|but for)\b",
    ),
];

static RULES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    PATTERNS.iter().map(|(rule, pattern)| (*rule, Regex::new(pattern).expect("a constant pattern"))).collect()
});
static FENCED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)```.*?```").expect("a constant pattern"));
static INLINE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`[^`\n]*`|\]\([^)]*\)").expect("a constant pattern"));
static COMMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^\s*(?://[/!]?|/\*+|\*)\s?(.*)$").expect("a constant pattern"));

/// Folders without prose of this project.
const SKIPPED: [&str; 4] = ["target", ".git", "node_modules", "snapshots"];

/// The words of a text, and the constructions to avoid in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// The number of words.
    pub words: usize,
    /// Each construction with the rule that it breaks.
    pub hits: Vec<(&'static str, String)>,
}

impl Count {
    /// Counts plain text, such as a help text.
    pub fn of(text: &str) -> Self {
        let matches = |(rule, pattern): &(&'static str, Regex)| -> Vec<(&'static str, String)> {
            pattern.find_iter(text).map(|found| (*rule, found.as_str().to_owned())).collect()
        };
        Self { words: text.split_whitespace().count(), hits: RULES.iter().flat_map(matches).collect() }
    }

    /// Constructions to avoid per 1,000 words.
    pub fn per_thousand(&self) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let (hits, words) = (self.hits.len() as f64, self.words.max(1) as f64);
        1_000.0 * hits / words
    }

    fn add(&mut self, other: &Self) {
        self.words += other.words;
        self.hits.extend(other.hits.iter().cloned());
    }
}

/// The prose of a file: the comments of source code, or the text of Markdown.
fn prose(path: &Path, source: &str) -> String {
    if path.extension().is_some_and(|extension| extension == "md") {
        let text = FENCED.replace_all(source, " ");
        return INLINE.replace_all(&text, " ").into_owned();
    }
    let comments: Vec<&str> = COMMENT.captures_iter(source).filter_map(|line| Some(line.get(1)?.as_str())).collect();
    INLINE.replace_all(&comments.join("\n"), " ").into_owned()
}

/// Counts every file below a path; returns the total and the count of each file.
///
/// # Errors
/// The path, or a folder or file below it, cannot be read.
pub fn count_below(path: &Path) -> io::Result<(Count, Vec<(PathBuf, Count)>)> {
    let (mut total, mut files) = (Count::default(), Vec::new());
    let mut waiting = vec![path.to_owned()];
    while let Some(next) = waiting.pop() {
        if next.is_dir() {
            let inside = fs::read_dir(&next)?.map(|entry| entry.map(|entry| entry.path()));
            let inside = inside.collect::<io::Result<Vec<_>>>()?;
            waiting.extend(inside.into_iter().filter(|path| !SKIPPED.iter().any(|skipped| path.ends_with(skipped))));
        } else if next.extension().is_some_and(|extension| ["rs", "md", "js"].iter().any(|known| extension == *known)) {
            let count = Count::of(&prose(&next, &fs::read_to_string(&next)?));
            total.add(&count);
            files.push((next, count));
        }
    }
    Ok((total, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(text: &str) -> Vec<String> {
        Count::of(text).hits.into_iter().map(|(_, hit)| hit).collect()
    }

    #[test]
    fn constructions_to_avoid_are_found_and_others_are_not() {
        assert_eq!(hits("Returns what it found; nobody is told where it is."), ["what", "nobody", "where it", "told"]);
        assert_eq!(hits("The folder where Heroku writes, besides others, takes at most ten."), [""; 0]);
        assert_eq!(Count::of("told one two three").per_thousand(), 250.0);
    }

    #[test]
    fn only_prose_counts() {
        let rust = "/// Finds `what` it is told.\nlet what = 1; // what\n    // Nobody.\n";
        assert_eq!(prose(Path::new("a.rs"), rust), "Finds   it is told.\nNobody.");
        let markdown = "Text `what` and [link](what.md).\n```sh\ntell\n```\nEnd.";
        assert_eq!(prose(Path::new("a.md"), markdown), "Text   and [link .\n \nEnd.");
    }
}
