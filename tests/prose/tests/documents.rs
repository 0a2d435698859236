//! The comments and documents of this repository follow the rules of `CONTRIBUTING.md`.

use std::path::Path;

use integration_prose::{Count, count_below};

/// The maximum number of constructions per 1,000 words of a folder. Comparable projects have between 0.9 and 2.3.
const LIMIT: f64 = 3.0;
/// The maximum number of constructions per 1,000 words of one file.
const FILE_LIMIT: f64 = 6.0;
/// The number of constructions that any file may contain, because a rate of a short file is a coincidence.
const ALLOWED: usize = 2;

const FOLDERS: [&str; 22] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "docs",
    "docs/architecture.md",
    "docs/examples",
    "docs/glossary.md",
    "docs/performance.md",
    "docs/tutorial.md",
    "integration-heroku",
    "schemas",
    "sdk",
    "sdk/cli",
    "sdk/files",
    "sdk/graph",
    "sdk/http",
    "sdk/macros",
    "sdk/recording",
    "sdk/schema",
    "sdk/testing",
    "sdk/view",
    "tests",
];

#[test]
fn comments_and_documents_read_as_native_english() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut complaints = Vec::new();
    for folder in FOLDERS {
        let (total, files) = count_below(&workspace.join(folder)).expect("a readable folder");
        assert!(total.words > 100, "{folder} has no prose: the measurement is wrong");
        if total.per_thousand() > LIMIT {
            complaints.push(format!("{folder}: {:.1} of at most {LIMIT}", total.per_thousand()));
        }
        let is_over = |count: &Count| count.hits.len() > ALLOWED && count.per_thousand() > FILE_LIMIT;
        let over = files.iter().filter(|(_, count)| is_over(count));
        complaints.extend(over.map(|(path, count)| format!("{}: {:?}", path.display(), count.hits)));
    }
    assert!(complaints.is_empty(), "see \"Prose\" in CONTRIBUTING.md\n{}", complaints.join("\n"));
}
