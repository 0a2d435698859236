//! The check of the path of an export, before anything is created there.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::dataset::DatasetError;

use super::OWN;
use super::manifest::GRAPH;

/// Rejects a symbolic link, and a path within another export that its next run would replace.
pub(super) fn check(directory: &Path) -> Result<(), DatasetError> {
    // Without a trailing slash or dot, which would follow a link.
    let named: PathBuf = directory.components().collect();
    if named.is_symlink() {
        return Err(DatasetError::Link { path: named });
    }
    let path = resolved(directory).map_err(DatasetError::io("open", directory))?;
    for (inner, outer) in path.ancestors().zip(path.ancestors().skip(1)) {
        let is_replaced = inner.file_name().is_some_and(|name| name == GRAPH) && outer.join(OWN).is_dir();
        if is_replaced || inner.file_name().is_some_and(|name| name == OWN) {
            return Err(DatasetError::Nested { path: directory.to_owned(), within: inner.to_owned() });
        }
    }
    Ok(())
}

/// Rejects a folder for exports that overlaps with the data directory.
///
/// The folder must not be in the data directory, and its graph must not contain the data directory.
///
/// # Errors
/// [`DatasetError::DataDirectory`], or [`DatasetError::Io`] if one of the paths cannot be resolved.
pub fn check_apart(directory: &Path, data_dir: &Path) -> Result<(), DatasetError> {
    let output = resolved(directory).map_err(DatasetError::io("open", directory))?;
    let data = resolved(data_dir).map_err(DatasetError::io("open", data_dir))?;
    let holds_data = [GRAPH, OWN].iter().any(|name| data.starts_with(output.join(name)));
    match output.starts_with(&data) || holds_data {
        true => Err(DatasetError::DataDirectory { path: directory.to_owned(), data_dir: data_dir.to_owned() }),
        false => Ok(()),
    }
}

/// Rejects a folder for other files, such as recordings, in the part of an export folder that is replaced.
///
/// # Errors
/// [`DatasetError::Nested`], or [`DatasetError::Io`] if one of the paths cannot be resolved.
pub fn check_kept(folder: &Path, output: &Path) -> Result<(), DatasetError> {
    let inner = resolved(folder).map_err(DatasetError::io("open", folder))?;
    let outer = resolved(output).map_err(DatasetError::io("open", output))?;
    match [GRAPH, OWN].into_iter().find(|name| inner.starts_with(outer.join(name))) {
        Some(name) => Err(DatasetError::Nested { path: folder.to_owned(), within: output.join(name) }),
        None => Ok(()),
    }
}

/// Resolves the links of a path. Its last components need not exist yet.
fn resolved(path: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    for existing in path.ancestors() {
        match existing.canonicalize() {
            // The missing components contain no links, so `..` simply leads back.
            Ok(mut found) => {
                for component in path.strip_prefix(existing).unwrap_or(Path::new("")).components() {
                    match component {
                        Component::ParentDir => drop(found.pop()),
                        component => found.push(component),
                    }
                }
                return Ok(found);
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_refused_however_it_is_written_and_a_link_above_is_not() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("real")).expect("a folder");
        symlink(at("real"), at("link")).expect("a link");
        symlink(at("nothing"), at("broken")).expect("a link");
        for name in ["link", "link/", "link/.", "broken"] {
            assert!(matches!(check(&at(name)), Err(DatasetError::Link { .. })), "{name}");
        }
        assert!(check(&at("link/out")).is_ok() && check(&at("real")).is_ok() && check(&at("new/out")).is_ok());
    }

    #[test]
    fn a_folder_within_the_replaced_part_of_an_export_is_refused_and_one_next_to_it_is_not() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("out/.integration-export")).expect("a folder");
        fs::create_dir_all(at("mine/graph")).expect("a folder");
        symlink(at("out"), at("link")).expect("a link");
        for name in [
            "out/graph",
            "out/graph/fetch-apps",
            "link/graph/x/y",
            "out/.integration-export",
            "out/.integration-export/x",
        ] {
            assert!(matches!(check(&at(name)), Err(DatasetError::Nested { .. })), "{name}");
        }
        for name in ["out", "out/other", "mine/graph", "mine/graph/x"] {
            assert!(check(&at(name)).is_ok(), "{name}");
        }
    }

    #[test]
    fn other_files_are_kept_out_of_the_replaced_part_before_it_exists() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let kept = |folder: &str, output: &str| check_kept(&place.path().join(folder), &place.path().join(output));
        for folder in ["out/graph", "out/graph/x/y", "out/.integration-export", "out/../out/graph"] {
            assert!(matches!(kept(folder, "out"), Err(DatasetError::Nested { .. })), "{folder}");
        }
        for folder in ["out", "out/recordings", "graph", "outer/graph"] {
            assert!(kept(folder, "out").is_ok(), "{folder}");
        }
    }

    #[test]
    fn the_data_directory_and_an_export_are_apart() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("data")).expect("a folder");
        symlink(at("data"), at("link")).expect("a link");
        let apart = |output: &str, data: &str| check_apart(&at(output), &at(data)).is_ok();
        assert!(
            !apart("data", "data") && !apart("data/x/y", "data") && !apart("link/x", "data") && !apart("data", "link")
        );
        assert!(!apart("out", "out/graph/data") && !apart("out", "out/.integration-export"));
        assert!(apart("out", "data") && apart("", "data") && apart("out", "out/data") && apart("database", "data"));
    }
}
