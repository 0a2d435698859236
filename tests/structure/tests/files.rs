//! The files of this repository follow the rules of `CONTRIBUTING.md`.

use std::fs;
use std::path::{Path, PathBuf};

use integration_structure::{Modules, rust_files};

/// The maximum number of lines of a file.
const MOST_LINES: usize = 600;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the `src` folders of all crates below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        let is_skipped = ["target", "templates", ".git"].iter().any(|name| path.ends_with(name));
        if !path.is_dir() || is_skipped {
            continue;
        }
        if path.ends_with("src") && folder.join("Cargo.toml").is_file() {
            found.push(path);
        } else {
            found.extend(sources(&path));
        }
    }
    found
}

#[test]
fn no_files_of_a_crate_use_each_other_in_a_circle() {
    let sources = sources(&workspace());
    assert!(sources.len() > 30, "{sources:?}");
    let mut circles = Vec::new();
    for src in &sources {
        let modules = Modules::read(src).expect("readable files");
        for circle in modules.cycles() {
            circles.push(circle.iter().map(|file| file.display().to_string()).collect::<Vec<_>>());
        }
    }
    assert!(circles.is_empty(), "move the common items into another file: {circles:#?}");
}

#[test]
fn no_file_is_too_long() {
    let files: Vec<PathBuf> = ["sdk", "integration-heroku", "schemas", "docs", "tests"]
        .iter()
        .flat_map(|folder| rust_files(&workspace().join(folder)).expect("readable folders"))
        .collect();
    assert!(files.len() > 500);
    let lines = |file: &PathBuf| fs::read_to_string(file).expect("a text").lines().count();
    let long: Vec<_> = files.iter().filter(|file| lines(file) > MOST_LINES).collect();
    assert!(long.is_empty(), "{long:#?}");
}
