//! Fuzz target: recordings from any tool, including broken ones, must be replayed or refused.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use integration_recording::{Replay, find_secrets};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    fs::write(FOLDER.path().join("recorded.har"), bytes).expect("a file in a temporary folder");
    if let Ok(replay) = Replay::open(FOLDER.path()) {
        let _ = replay.exchanges();
    }
    let _ = find_secrets(FOLDER.path());
});
