//! The guides' code runs, their blocks are that code, and what the README prints is what is printed.

mod acme;
mod blocks;
mod how_to;
mod readme;
mod spaces;
mod testing;

use std::path::{Path, PathBuf};

/// The folder of the workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
