//! The check that an export replaces only files of an earlier export.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use crate::dataset::DatasetError;
use crate::owner_only::{Folder, Kind};

use super::manifest::{GRAPH, GraphFile, Manifest, SUMMARY};

/// Rejects a folder with graph files that its manifest does not name.
pub(super) fn check(root: &Folder, manifest: Option<&Manifest>) -> Result<(), DatasetError> {
    let files = manifest.map(|manifest| manifest.files.as_slice()).unwrap_or_default();
    match kind(root, SUMMARY.as_ref())? {
        None => {}
        Some(Kind::File) if manifest.is_some() => {}
        Some(kind) => return Err(foreign(root, SUMMARY.to_owned(), kind)),
    }
    match kind(root, GRAPH.as_ref())? {
        None => Ok(()),
        Some(Kind::Folder) => {
            let graph = root.folder(GRAPH).map_err(DatasetError::io("read", root.path().join(GRAPH)))?;
            let files: BTreeSet<[&str; 3]> =
                files.iter().map(|GraphFile { step, wrapper, name }| [step.as_str(), wrapper, name]).collect();
            check_level(root, &graph, &mut Vec::new(), &files)
        }
        Some(kind) => Err(foreign(root, GRAPH.to_owned(), kind)),
    }
}

/// Checks the folder `graph/<place>` and everything below it.
fn check_level<'a>(
    root: &Folder,
    folder: &Folder,
    place: &mut Vec<&'a str>,
    files: &BTreeSet<[&'a str; 3]>,
) -> Result<(), DatasetError> {
    folder.check_writable().map_err(DatasetError::io("write to", folder.path()))?;
    for name in folder.names().map_err(DatasetError::io("read", folder.path()))? {
        let depth = place.len();
        let named = files.iter().find(|path| path[..depth] == place[..] && OsStr::new(path[depth]) == name);
        let found = || format!("{GRAPH}/{}", place.iter().map(|part| format!("{part}/")).collect::<String>());
        let kind = kind(folder, &name)?;
        match (named, kind, depth) {
            (Some(path), Some(Kind::Folder), 0 | 1) => {
                let inner = folder.folder(&name).map_err(DatasetError::io("read", folder.path().join(&name)))?;
                place.push(path[depth]);
                check_level(root, &inner, place, files)?;
                place.pop();
            }
            (Some(_), Some(Kind::File), 2) => {}
            (_, kind, _) => {
                let found = found() + &name.to_string_lossy();
                return Err(foreign(root, found, kind.unwrap_or(Kind::Other)));
            }
        }
    }
    Ok(())
}

fn kind(folder: &Folder, name: &OsStr) -> Result<Option<Kind>, DatasetError> {
    let found = folder.look(name).map_err(DatasetError::io("read", folder.path().join(name)))?;
    Ok(found.map(|found| found.kind))
}

fn foreign(root: &Folder, found: String, kind: Kind) -> DatasetError {
    let path = root.path().to_owned();
    match kind {
        Kind::Link => DatasetError::Link { path: path.join(found) },
        _ => DatasetError::Foreign { path, found },
    }
}
