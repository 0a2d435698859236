//! The manifest of the files of an export, and the journal of a running one.

use std::io::{ErrorKind, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::dataset::{DatasetError, Wrapper};
use crate::graph::JobId;
use crate::input;
use crate::owner_only::Folder;

pub(super) const SUMMARY: &str = "summary.json";
pub(super) const GRAPH: &str = "graph";
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const JOURNAL: &str = "journal.json";
const JOURNAL_DRAFT: &str = "journal.new";
/// The version of both documents.
const FORMAT: &str = "integration-export/1";

/// A file of the graph: `graph/<step>/<entities or relationships>/<name>.json`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct GraphFile {
    pub(super) step: String,
    pub(super) wrapper: String,
    pub(super) name: String,
}

impl TryFrom<String> for GraphFile {
    type Error = String;

    /// Accepts only paths inside the folder, because a manifest may be part of a foreign folder.
    fn try_from(path: String) -> Result<Self, String> {
        let plain = |part: &str| {
            let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
            !part.is_empty() && !part.starts_with('.') && part.chars().all(fits)
        };
        let parts: Vec<&str> = path.split('/').collect();
        let wrappers = [Wrapper::Entities.folder(), Wrapper::Relationships.folder()];
        if let [GRAPH, step, wrapper, name] = parts.as_slice()
            && wrappers.contains(wrapper)
            && plain(step)
            && plain(name)
            && name.ends_with(".json")
        {
            return Ok(Self { step: (*step).to_owned(), wrapper: (*wrapper).to_owned(), name: (*name).to_owned() });
        }
        Err(format!("{path:?} is not a file of a graph"))
    }
}

impl From<GraphFile> for String {
    fn from(file: GraphFile) -> Self {
        format!("{GRAPH}/{}/{}/{}", file.step, file.wrapper, file.name)
    }
}

/// The files of the export in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: String,
    /// The job that produced the graph.
    pub(super) job: JobId,
    pub(super) files: Vec<GraphFile>,
}

impl Manifest {
    pub(super) fn new(job: JobId, files: Vec<GraphFile>) -> Self {
        Self { format: FORMAT.to_owned(), job, files }
    }

    /// Reads the manifest of a folder; `None` if it has none.
    pub(super) fn read(own: &Folder) -> Result<Option<Self>, DatasetError> {
        let manifest: Option<Self> = document(own, MANIFEST)?;
        match manifest {
            Some(manifest) if manifest.format != FORMAT => Err(unusable(own, MANIFEST)),
            manifest => Ok(manifest),
        }
    }

    pub(super) fn write(&self, folder: &Folder) -> Result<(), DatasetError> {
        write(folder, MANIFEST, self)
    }
}

/// The progress of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stage {
    /// The staging folder is being filled, and the earlier graph is unchanged.
    Writing,
    /// The staging folder is complete. From this point on, the export is finished, never undone.
    Switching,
}

/// The state from which an interrupted export is undone or finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    format: String,
    pub(super) stage: Stage,
    /// The name of the staging folder.
    pub(super) staging: String,
    /// The inode of the new graph, which stays the same when the folder is moved.
    pub(super) graph: Option<u64>,
    /// The files of the new graph.
    pub(super) files: Vec<GraphFile>,
    /// The files of the earlier graph.
    pub(super) earlier: Vec<GraphFile>,
}

impl Journal {
    pub(super) fn new(staging: String, files: Vec<GraphFile>, earlier: Vec<GraphFile>) -> Self {
        Self { format: FORMAT.to_owned(), stage: Stage::Writing, staging, graph: None, files, earlier }
    }

    pub(super) fn read(own: &Folder) -> Result<Option<Self>, DatasetError> {
        let journal: Option<Self> = document(own, JOURNAL)?;
        let fits = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match journal {
            Some(journal) if journal.format != FORMAT || !fits(&journal.staging) => Err(unusable(own, JOURNAL)),
            journal => Ok(journal),
        }
    }

    /// Replaces the journal atomically.
    pub(super) fn write(&self, own: &Folder) -> Result<(), DatasetError> {
        match own.remove_file(JOURNAL_DRAFT) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(DatasetError::io("replace", own.path().join(JOURNAL_DRAFT))(error));
            }
            _ => {}
        }
        write(own, JOURNAL_DRAFT, self)?;
        let replaced = own.rename(JOURNAL_DRAFT, own, JOURNAL).and_then(|()| own.sync());
        replaced.map_err(DatasetError::io("write", own.path().join(JOURNAL)))
    }

    pub(super) fn remove(own: &Folder) -> Result<(), DatasetError> {
        own.remove_file(JOURNAL).map_err(DatasetError::io("remove", own.path().join(JOURNAL)))
    }

    /// Removes an incomplete draft.
    pub(super) fn remove_draft(own: &Folder) {
        // The next write replaces the draft in any case, so an error is harmless.
        let _ = own.remove_file(JOURNAL_DRAFT);
    }
}

fn document<T: DeserializeOwned>(folder: &Folder, name: &str) -> Result<Option<T>, DatasetError> {
    let path = folder.path().join(name);
    let file = match folder.read(name) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DatasetError::io("read", path)(error)),
    };
    let mut text = Vec::new();
    file.take(input::DOCUMENT).read_to_end(&mut text).map_err(DatasetError::io("read", path))?;
    serde_json::from_slice(&text).map(Some).map_err(|_| unusable(folder, name))
}

fn unusable(folder: &Folder, name: &str) -> DatasetError {
    DatasetError::Foreign { path: folder.path().to_owned(), found: name.to_owned() }
}

pub(super) fn write(folder: &Folder, name: &str, document: &impl Serialize) -> Result<(), DatasetError> {
    let written = serde_json::to_vec_pretty(document).map_err(std::io::Error::other).and_then(|text| {
        let mut file = folder.create_new(name)?;
        file.write_all(&text)?;
        file.sync_all()
    });
    written.map_err(DatasetError::io("write", folder.path().join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_nothing_outside_of_its_graph() {
        let parse = |path: &str| GraphFile::try_from(path.to_owned());
        let path = "graph/fetch-apps/entities/heroku_application-00001.json";
        assert_eq!(parse(path).map(String::from).as_deref(), Ok(path));
        for path in [
            "graph/../entities/a.json",
            "graph/fetch/entities/../../../a.json",
            "/graph/fetch/entities/a.json",
            "graph/fetch/mine/a.json",
            "graph/fetch/entities/a.txt",
            "graph/fetch/entities/.json",
            "graph/fetch/entities/a\\b.json",
            "graph/fetch/a.json",
            "summary.json",
        ] {
            assert!(parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_is_not_ours_is_not_taken_for_a_manifest() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::open(place.path()).expect("a folder");
        assert_eq!(Manifest::read(&folder).expect("none"), None);
        for text in ["{}", "[", r#"{"format":"mine/1","job":"a","files":[]}"#] {
            std::fs::write(place.path().join(MANIFEST), text).expect("a file");
            assert!(matches!(Manifest::read(&folder), Err(DatasetError::Foreign { .. })), "{text}");
        }
    }
}
