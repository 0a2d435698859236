//! The files of people: one, or those of a folder.

use std::path::{Path, PathBuf};

use integration_sdk::input;

use crate::people::FileError;

/// The maximum size of a file: 128 MiB, several hundred thousand people.
const LARGEST: u64 = 128 << 20;
const EXTENSIONS: [&str; 7] = ["csv", "tsv", "json", "ndjson", "jsonl", "ldif", "ldf"];

/// Returns the files of a path, in the order of their names.
pub(crate) fn of(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let unreadable = |source| FileError::Unreadable { file: path.display().to_string(), source };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let extension = file.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str())) {
            files.push(file);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(FileError::NoFiles { folder: path.display().to_string() }),
        false => Ok(files),
    }
}

/// Returns the contents of a file.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    input::read(path, LARGEST).map_err(|source| FileError::Unreadable { file: path.display().to_string(), source })
}

/// The name of a file in messages.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let error = of(folder.path()).expect_err("no file").to_string();
        assert!(error.ends_with("contains no CSV, TSV, JSON, NDJSON, or LDIF file"), "{error}");
        for name in ["b.CSV", "a.ldif", "notes.txt"] {
            std::fs::write(path(name), "email\n").expect("a file");
        }
        assert_eq!(of(folder.path()).expect("files"), [path("a.ldif"), path("b.CSV")]);
        assert_eq!(of(&path("notes.txt")).expect("a file"), [path("notes.txt")]);
        assert!(bytes(&path("none.csv")).expect_err("no file").to_string().contains("none.csv"));
        assert_eq!(name(&path("b.CSV")), "b.CSV");
    }
}
