//! A reader who follows `docs/tutorial.md` obtains exactly this crate.
//!
//! The test creates a new integration, applies the blocks of the page, runs its commands, and compares the files. A block
//! `rust file=PATH` contains a whole file; a block `rust add=PATH` is appended to the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_integration-acme");

/// The fenced blocks of the page: the words after the opening fence, and the text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(words) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            blocks.push((words, text.map(|line| format!("{line}\n")).collect()));
        }
    }
    blocks
}

fn checkout() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    folder.canonicalize().expect("the workspace")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs the program of the finished tutorial and returns its output.
fn run(folder: &Path, words: &str) -> String {
    let mut command = Command::new(PROGRAM);
    let output = command
        .args(words.split_whitespace())
        .current_dir(folder)
        .output();
    let output = output.expect("the program starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{words}: {}", said(&output.stderr));
    said(&output.stdout)
}

/// Executes a block of commands, except Cargo's own work, and returns the last output.
fn obey(folder: &Path, commands: &str) -> String {
    let mut printed = String::new();
    for line in commands.lines() {
        if let Some(words) = line.strip_prefix("cargo run -- ") {
            printed = run(folder, words);
        } else if let Some(path) = line.strip_prefix("rm -r ") {
            fs::remove_dir_all(folder.join(path)).expect("a folder");
        } else {
            let known = [
                "cargo run --manifest-path ",
                "cd ",
                "cargo test",
                "INSTA_UPDATE=",
            ];
            assert!(known.iter().any(|begin| line.starts_with(begin)), "{line}");
        }
    }
    printed
}

/// Applies all blocks before the part that requires an account.
fn follow(page: &str, folder: &Path) {
    let (page, _) = page.split_once("\n## 7. ").expect("a seventh part");
    let mut printed = String::new();
    for (words, text) in blocks(page) {
        match words
            .split_once(' ')
            .and_then(|(_, place)| place.split_once('='))
        {
            Some(("file", path)) => fs::write(folder.join(path), &text).expect("a file"),
            Some((_, path)) => {
                let gap = if path.ends_with(".rs") { "\n" } else { "" };
                let whole = read(&folder.join(path)) + gap + &text;
                fs::write(folder.join(path), whole).expect("a file");
            }
            None if words == "sh" => printed = obey(folder, &text),
            // The failure of a test, which a later part fixes, is not the output of a command.
            None if text.starts_with("the object counts differ") => {}
            None => assert_eq!(printed, text),
        }
    }
}

#[test]
fn the_tutorial_leads_to_this_crate() {
    let space =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tutorial-{}", std::process::id()));
    fs::create_dir_all(&space).expect("a folder");
    run(&space, &format!("new acme --sdk {}", checkout().display()));
    let folder = space.join("integration-acme");
    follow(&read(&checkout().join("docs/tutorial.md")), &folder);

    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = "src/main.rs src/lib.rs src/config.rs src/client.rs src/sample.rs src/types.rs src/steps.rs \
        tests/collect.rs README.md .gitignore schemas/types/acme_user.json schemas/types/acme_project.json \
        schemas/types/acme_project_has_user.json";
    for file in files.split_whitespace() {
        assert_eq!(read(&folder.join(file)), read(&here.join(file)), "{file}");
    }
    // The paths to the SDK differ between the two folders.
    let manifest = |folder: &Path| {
        let text = read(&folder.join("Cargo.toml"));
        text.lines()
            .filter(|line| !line.contains("path = "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(manifest(&folder), manifest(here));
    assert!(
        folder
            .join("tests/recordings/users/recording-00001.har")
            .is_file()
    );
    fs::remove_dir_all(&space).expect("a folder");
}
