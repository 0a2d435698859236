//! Every Rust block of the documents is part of a compiled file. Every link has a target.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace;

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|known| known == extension) {
            found.push(path);
        }
    }
    found
}

/// The lines without indentation, because blocks and files may be indented differently.
fn flush_left(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim())).collect()
}

/// The fenced blocks of Rust code.
fn blocks(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in markdown.lines() {
        match &mut open {
            Some(_) if line.trim() == "```" => blocks.extend(open.take()),
            Some(block) => *block += &format!("{line}\n"),
            None if line.trim_start().starts_with("```rust") => open = Some(String::new()),
            None => {}
        }
    }
    blocks
}

#[test]
fn every_block_of_rust_is_a_piece_of_a_compiled_file() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources: Vec<String> = files(examples, "rs").iter().map(|path| flush_left(&read(path))).collect();
    let mut seen = 0;
    for document in documents() {
        for block in blocks(&read(&document)) {
            seen += 1;
            let piece = flush_left(&block);
            let known = sources.iter().any(|source| source.contains(&piece));
            assert!(known, "{}: this block is in no file of docs/examples:\n{block}", document.display());
        }
    }
    assert!(seen > 10, "only {seen} blocks");
}

/// All documents of the repository that contain code or links.
fn documents() -> Vec<PathBuf> {
    let mut documents = files(&workspace().join("docs"), "md");
    documents
        .extend(["README.md", "integration-heroku/README.md", "schemas/README.md"].map(|name| workspace().join(name)));
    documents
}

/// The anchors of the headings.
fn anchors(markdown: &str) -> Vec<String> {
    let headings =
        markdown.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut seen = 0;
    for document in documents() {
        let text = read(&document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(char::is_whitespace) {
                continue;
            }
            seen += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = if path.is_empty() { document.clone() } else { document.with_file_name(path) };
            assert!(file.exists(), "{}: {link}", document.display());
            let known = || anchors(&read(&file)).iter().any(|known| known == anchor);
            assert!(anchor.is_empty() || known(), "{}: no heading {link}", document.display());
        }
    }
    assert!(seen > 30, "only {seen} links");
}

#[test]
fn the_guide_shows_the_whole_file_of_the_new_step_in_thirty_lines() {
    let step = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/features.rs"));
    let guide = read(&workspace().join("docs/writing-an-integration.md"));
    assert!(blocks(&guide).contains(&step));
    assert!(step.lines().count() <= 30, "{} lines", step.lines().count());
}
