//! Fuzz target: exported files from other programs must be read or refused.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use integration_sdk::dataset;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let entities = folder.path().join("graph/entities");
    fs::create_dir_all(&entities).expect("a folder in it");
    (folder, entities.join("0.json"))
});

fuzz_target!(|bytes: &[u8]| {
    let (folder, file) = &*FOLDER;
    fs::write(file, bytes).expect("a file in a temporary folder");
    let mut met = 0;
    let parsed = dataset::read(folder.path(), |_| met += 1);
    let texts = dataset::read_text(folder.path(), |_| {});
    match (parsed, texts) {
        (Ok(read), Ok(same)) => {
            assert_eq!(read, same);
            assert_eq!(read.entities + read.relationships, met);
        }
        // The tree parser refuses some numbers and depths that the text parser accepts.
        (Err(_), _) => {}
        (Ok(_), Err(error)) => panic!("the tree parser accepts a file that the text parser refuses: {error}"),
    }
});
