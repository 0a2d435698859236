//! The comments and documents of this repository keep to the rules of `CONTRIBUTING.md`.

use std::path::Path;

use integration_prose::count_below;

/// The limit of a whole folder, in constructions per 1,000 words. Comparable projects are between 0.9 and 2.3.
const LIMIT: f64 = 3.0;
/// The limit of one file, and the number of constructions that any file may have.
const FILE_LIMIT: f64 = 8.0;
const FILE_ALLOWANCE: usize = 2;

#[test]
fn comments_and_documents_read_as_native_english() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut complaints = Vec::new();
    for folder in ["sdk", "integration-heroku", "docs", "schemas", "tests", "README.md", "CONTRIBUTING.md"] {
        let (total, files) = count_below(&workspace.join(folder)).expect("a readable folder");
        assert!(total.words > 100, "{folder} has no prose: the measurement is wrong");
        if total.per_thousand() > LIMIT {
            complaints.push(format!("{folder}: {:.1} per 1,000 words, at most {LIMIT}", total.per_thousand()));
        }
        for (path, count) in files {
            if count.hits.len() > FILE_ALLOWANCE && count.per_thousand() > FILE_LIMIT {
                let path = path.strip_prefix(&workspace).expect("a file of the workspace").display();
                complaints.push(format!("{path}: {:.1} per 1,000 words: {:?}", count.per_thousand(), count.hits));
            }
        }
    }
    assert!(complaints.is_empty(), "see \"Prose\" in CONTRIBUTING.md\n{}", complaints.join("\n"));
}
