//! Fuzz target: class schemas from other sources must compile or be refused with a reason.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use integration_sdk::schema::{Schemas, load_directory};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    fs::write(FOLDER.path().join("Class.json"), bytes).expect("a file in a temporary folder");
    let checked = load_directory(FOLDER.path()).and_then(Schemas::new).and_then(|schemas| schemas.check_all());
    if let Err(error) = checked {
        assert!(!error.to_string().is_empty());
    }
});
