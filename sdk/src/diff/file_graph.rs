//! A graph in files: an export of any program, or the result of a query.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::dataset::{self, DatasetError, Found, Wrapper};
use crate::graph::run::Summary;
use crate::secrets;

use super::absent::KeyDigest;
use super::coverage::Coverage;
use super::files_error::FilesError;
use super::files_index::{Canonical, identity, kind_of};
use super::foreign;

/// A graph in files: a folder in the exchange layout, or the result of a query with `RETURN TREE`.
#[derive(Debug)]
pub struct FileGraph {
    path: PathBuf,
    is_tree: bool,
    coverage: Coverage,
    summary: Option<Summary>,
}

impl FileGraph {
    /// Opens a graph and reads its summary, if there is one.
    ///
    /// # Errors
    /// [`FilesError`] if there is no graph, or if its summary is damaged.
    pub fn open(path: &Path) -> Result<Self, FilesError> {
        let mut graph =
            Self { path: path.to_owned(), is_tree: !path.is_dir(), coverage: Coverage::default(), summary: None };
        if graph.is_tree {
            fs::metadata(path).map_err(DatasetError::io("read", path))?;
        } else if !path.join("graph").is_dir() {
            return Err(DatasetError::Missing { path: path.to_owned() }.into());
        } else {
            (graph.coverage, graph.summary) = foreign::read(path)?;
        }
        Ok(graph)
    }

    /// Returns the path of the graph.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the summary, if this program wrote it.
    pub fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// Returns the gaps of the graph.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Passes every object that `wanted` accepts to `visit`.
    pub(super) fn read(
        &self,
        wanted: impl Fn(&KeyDigest) -> bool,
        mut visit: impl FnMut(Canonical),
    ) -> Result<(), FilesError> {
        let mut failed = None;
        let mut numbers = Numbers::default();
        let mut take = |file: &Path, wrapper, object: Map<String, Value>, number| match Canonical::of(wrapper, object) {
            Ok(object) if wanted(&object.identity()) => visit(object),
            Ok(_) => {}
            Err(member) => {
                let (path, list) = (file.to_owned(), list_of(wrapper));
                failed.get_or_insert(FilesError::Unidentified { path, list, number, member });
            }
        };
        if self.is_tree {
            dataset::read_tree(&self.path, |Found { file, wrapper, object }| {
                take(file, wrapper, object, numbers.next(file, wrapper));
            })?;
        } else {
            dataset::read_text(&self.path, |Found { file, wrapper, object }| {
                let number = numbers.next(file, wrapper);
                if Header::identity(wrapper, &object).is_none_or(|identity| wanted(&identity)) {
                    // An element that is no object has no members.
                    take(file, wrapper, serde_json::from_str(&object).unwrap_or_default(), number);
                }
            })?;
        }
        failed.map_or(Ok(()), Err)
    }
}

fn list_of(wrapper: Wrapper) -> &'static str {
    match wrapper {
        Wrapper::Entities => "entities",
        Wrapper::Relationships => "relationships",
    }
}

/// The numbers of the objects in the current file.
#[derive(Default)]
struct Numbers {
    file: PathBuf,
    entities: u64,
    relationships: u64,
}

impl Numbers {
    fn next(&mut self, file: &Path, wrapper: Wrapper) -> u64 {
        if self.file != file {
            *self = Self { file: file.to_owned(), ..Self::default() };
        }
        let number = match wrapper {
            Wrapper::Entities => &mut self.entities,
            Wrapper::Relationships => &mut self.relationships,
        };
        *number += 1;
        *number
    }
}

/// The members that identify an object, read without the others.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(rename = "_key", borrow)]
    key: Cow<'a, str>,
    #[serde(rename = "_type", borrow)]
    object_type: Cow<'a, str>,
    #[serde(rename = "_mapping")]
    mapping: Option<IgnoredAny>,
}

impl Header<'_> {
    /// Returns the identity of an object, unless only its complete form reveals it.
    fn identity(wrapper: Wrapper, json: &str) -> Option<KeyDigest> {
        let header: Header<'_> = serde_json::from_str(json).ok()?;
        let key = secrets::take_out(&header.key);
        Some(identity(kind_of(wrapper, header.mapping.is_some()), &header.object_type, &key))
    }
}
