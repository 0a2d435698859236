//! The comments and documents of this repository follow the rules of `CONTRIBUTING.md`.

use std::path::Path;

use integration_prose::count_below;

/// The limit of each folder, in constructions per 1,000 words. Comparable projects have between 0.9 and 2.3.
///
/// A limit above 3 preserves the present state until its folder is rewritten. Limits must never be raised.
const LIMITS: [(&str, f64); 21] = [
    ("CONTRIBUTING.md", 3.0),
    ("README.md", 3.0),
    ("docs", 3.0),
    ("docs/architecture.md", 3.0),
    ("docs/examples", 3.0),
    ("docs/glossary.md", 3.0),
    ("docs/performance.md", 3.0),
    ("docs/tutorial.md", 3.0),
    ("integration-heroku", 3.0),
    ("schemas", 3.0),
    ("sdk", 3.0),
    ("sdk/cli", 3.0),
    ("sdk/files", 3.0),
    ("sdk/graph", 3.0),
    ("sdk/http", 3.0),
    ("sdk/macros", 3.0),
    ("sdk/recording", 3.0),
    ("sdk/schema", 3.0),
    ("sdk/testing", 3.0),
    ("sdk/view", 3.0),
    ("tests", 3.0),
];

#[test]
fn comments_and_documents_read_as_native_english() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut complaints = Vec::new();
    for (folder, limit) in LIMITS {
        let (total, mut files) = count_below(&workspace.join(folder)).expect("a readable folder");
        assert!(total.words > 100, "{folder} has no prose: the measurement is wrong");
        if total.per_thousand() > limit {
            files.sort_by_key(|(_, count)| std::cmp::Reverse(count.hits.len()));
            let worst = files.first().map(|(path, count)| format!("{}: {:?}", path.display(), count.hits));
            complaints.push(format!("{folder}: {:.1} of at most {limit}; {worst:?}", total.per_thousand()));
        }
    }
    assert!(complaints.is_empty(), "see \"Prose\" in CONTRIBUTING.md\n{}", complaints.join("\n"));
}
