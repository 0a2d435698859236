//! Systems without modes: plain files and folders.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

pub(super) fn protect(_: &mut OpenOptions) {}

pub(super) fn restrict(_: &File) -> io::Result<()> {
    Ok(())
}

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}
