//! Tests of the guides. Their code runs, their blocks match it, and the README shows real output.

mod acme;
mod blocks;
mod features;
mod how_to;
mod readme;
mod testing;

use std::path::{Path, PathBuf};

/// The root folder of the workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
