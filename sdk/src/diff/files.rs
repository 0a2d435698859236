//! The changes between two graphs in files.
//!
//! The objects of a file have any order. The first pass over the files keeps digests of each object, 80 bytes; the second
//! pass keeps the text of the different objects only.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::dataset::DatasetError;
use crate::graph::history::ObjectKind;

use super::absent::{Absent, KeyDigest, added, removed};
use super::change::{ChangeOptions, ChangesByType, GraphSide, ObjectChange};
use super::describe::{Described, Pair, describe};
use super::file_graph::FileGraph;
use super::files_error::FilesError;
use super::files_index::{Canonical, Index, identity};
use super::files_text::{Text, Texts};
use super::judge;

/// Two graphs in files.
#[derive(Debug)]
pub struct Files {
    /// The older graph.
    pub older: FileGraph,
    /// The newer graph.
    pub newer: FileGraph,
}

/// A note that a graph contains several different descriptions of some objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated {
    /// The folder or file.
    pub path: PathBuf,
    /// The number of descriptions that are not compared.
    pub descriptions: u64,
    /// The least key of such an object.
    pub key: String,
}

/// Two graphs in files whose objects have been compared by their digests.
pub struct FileComparison<'a> {
    files: &'a Files,
    older: Index,
    newer: Index,
}

impl std::fmt::Debug for FileComparison<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileComparison").field("files", self.files).finish_non_exhaustive()
    }
}

impl Files {
    /// Opens two graphs.
    ///
    /// # Errors
    /// As [`FileGraph::open`].
    pub fn open(older: &Path, newer: &Path) -> Result<Self, FilesError> {
        Ok(Self { older: FileGraph::open(older)?, newer: FileGraph::open(newer)? })
    }

    /// Returns the two files of a folder with the results of two queries, in the order of their names.
    ///
    /// The result is `None` if the folder contains anything else.
    ///
    /// # Errors
    /// [`FilesError`] if the folder cannot be read.
    pub fn pair_in(folder: &Path) -> Result<Option<[PathBuf; 2]>, FilesError> {
        let failed = || DatasetError::io("read", folder);
        let entries = std::fs::read_dir(folder).map_err(failed())?;
        let paths: Result<BTreeSet<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let paths: Vec<PathBuf> = paths.map_err(failed())?.into_iter().collect();
        Ok(<[PathBuf; 2]>::try_from(paths).ok().filter(|pair| pair.iter().all(|path| path.is_file())))
    }

    /// Reads both graphs once.
    ///
    /// # Errors
    /// [`FilesError`] if a file cannot be read.
    pub fn compare(&self) -> Result<FileComparison<'_>, FilesError> {
        let index = |graph: &FileGraph| {
            let mut index = Index::default();
            graph.read(|_| true, |object| index.add(&object)).map(|()| index)
        };
        Ok(FileComparison { files: self, older: index(&self.older)?, newer: index(&self.newer)? })
    }
}

impl FileComparison<'_> {
    /// Returns the types of both graphs.
    pub fn types(&self) -> BTreeSet<&str> {
        self.older.types.iter().chain(&self.newer.types).map(|(_, object_type)| object_type.as_str()).collect()
    }

    /// Returns the graphs with several descriptions of an object. The one with the greatest `updatedOn` is compared.
    pub fn repeated(&self) -> Vec<Repeated> {
        let halves = [(&self.files.older, &self.older), (&self.files.newer, &self.newer)];
        let note = |(graph, index): (&FileGraph, &Index)| {
            let (descriptions, key) = (index.repeated.0, index.repeated.1.clone()?);
            Some(Repeated { path: graph.path().to_owned(), descriptions, key })
        };
        halves.into_iter().filter_map(note).collect()
    }

    /// Passes the changes to `visit`, in the order of kinds, types, and keys, and counts them.
    ///
    /// # Errors
    /// [`FilesError`] if a file cannot be read, or changed since the first pass.
    pub fn changes(
        &self,
        options: &ChangeOptions,
        mut visit: impl FnMut(ObjectChange),
    ) -> Result<ChangesByType, FilesError> {
        let mut counts = ChangesByType::default();
        let different = self.different(options, &mut counts);
        let mut texts = Texts::default();
        for (graph, index, side) in
            [(&self.files.older, &self.older, GraphSide::From), (&self.files.newer, &self.newer, GraphSide::To)]
        {
            let mut missing: HashSet<&KeyDigest> =
                different.iter().filter(|identity| index.entries.contains_key(*identity)).collect();
            let keep = |object: Canonical| {
                if index.keeps(&object) && missing.remove(&object.identity()) {
                    texts.add(&object, side, options);
                }
            };
            if !different.is_empty() {
                graph.read(|identity| different.contains(identity), keep)?;
            }
            if !missing.is_empty() {
                return Err(FilesError::Changed { path: graph.path().to_owned() });
            }
        }
        texts.sort();
        let mut walk = Walk {
            options,
            comparison: self,
            older: Absent::from(self.files.older.coverage()),
            newer: Absent::from(self.files.newer.coverage()),
        };
        let mut texts = texts.iter().peekable();
        while let Some(first) = texts.next() {
            let second = texts.next_if(|next| next.identity() == first.identity());
            let (before, now) = match (first.side, second) {
                (GraphSide::From, second) => (Some(first), second),
                (GraphSide::To, _) => (None, Some(first)),
            };
            walk.describe(before, now).report(&mut counts, &mut visit);
        }
        Ok(counts)
    }

    /// Returns the objects whose text is needed. Objects that differ in ignored raw data only are counted.
    fn different(&self, options: &ChangeOptions, counts: &mut ChangesByType) -> HashSet<KeyDigest> {
        let mut different = HashSet::new();
        for (identity, old) in &self.older.entries {
            let (kind, object_type) = self.older.type_of(old);
            match self.newer.entries.get(identity) {
                Some(new) if new.is_same(old) => {}
                Some(new) if new.properties == old.properties && !options.raw => {
                    if options.wants(object_type) {
                        counts.add_raw_only(*kind, object_type);
                    }
                }
                Some(_) if options.wants(object_type) => drop(different.insert(*identity)),
                Some(_) => {}
                None => drop(is_needed(*kind, object_type, options).then(|| different.insert(*identity))),
            }
        }
        for (identity, new) in &self.newer.entries {
            let (kind, object_type) = self.newer.type_of(new);
            if !self.older.entries.contains_key(identity) && is_needed(*kind, object_type, options) {
                different.insert(*identity);
            }
        }
        different
    }

    /// Returns whether the raw data of an object of both graphs differs.
    fn raw_differs(&self, text: &Text<'_>) -> bool {
        let identity = identity(text.kind, text.object_type, text.key);
        let raw = |index: &Index| index.entries.get(&identity).map(|entry| entry.raw);
        raw(&self.older) != raw(&self.newer)
    }
}

/// Returns whether an object of one graph is compared. The absence of an entity also concerns its relationships.
fn is_needed(kind: ObjectKind, object_type: &str, options: &ChangeOptions) -> bool {
    options.wants(object_type) || kind == ObjectKind::Entity
}

struct Walk<'a> {
    options: &'a ChangeOptions,
    comparison: &'a FileComparison<'a>,
    older: Absent<'a>,
    newer: Absent<'a>,
}

impl Walk<'_> {
    fn describe<'t>(&mut self, before: Option<Text<'t>>, now: Option<Text<'t>>) -> Described<'t> {
        let (older, newer) = (&mut self.older, &mut self.newer);
        let (text, (change, gap)) = match (before, now) {
            (Some(old), Some(new)) => {
                let (before, now) = (old.json().joined(), new.json().joined());
                (new, judge::explained(new.object_type, &before, &now, older.coverage, newer.coverage))
            }
            (Some(old), None) => (old, old.lone(|object| removed(object, older, newer))),
            (None, Some(new)) => (new, new.lone(|object| added(object, older, newer))),
            (None, None) => return Described::Same,
        };
        if !self.options.wants(text.object_type) {
            return Described::Same;
        }
        let pair = Pair {
            kind: text.kind,
            object_type: text.object_type,
            key: text.key,
            before: before.map(|text| text.json()),
            now: now.map(|text| text.json()),
            raw_changed: self.comparison.raw_differs(&text),
            is_stale: false,
        };
        describe(&pair, &change, self.options, gap)
    }
}
