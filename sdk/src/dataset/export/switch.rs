//! The switch from the earlier graph to the new one, and the recovery after an interruption.
//!
//! ```text
//!   DIR/.integration-export/<staging>/{graph, summary.json, manifest.json}
//!      1  move DIR/summary.json away
//!      2  exchange with DIR/graph                atomically, if the file system supports it
//!      3  rename to DIR/summary.json
//!      4  rename to DIR/.integration-export/manifest.json
//!      5  remove the earlier files, the staging folder and the journal
//! ```
//!
//! `DIR/summary.json` never describes another graph than `DIR/graph`: it does not exist between 1 and 3.
//!
//! Each step detects whether it is already done, so the sequence can be repeated after a kill. A file system without an
//! atomic exchange needs two renames. If the process is killed between them, the next start finishes them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};

use crate::dataset::DatasetError;
use crate::owner_only::Folder;

use super::manifest::{GRAPH, GraphFile, Journal, MANIFEST, SUMMARY, Stage};

/// The name of the earlier graph between the two renames.
const EARLIER: &str = "earlier";
/// The earlier summary until the new one is in its place.
const EARLIER_SUMMARY: &str = "earlier.json";

/// Finishes or undoes an interrupted export.
pub(super) fn recover(root: &Folder, own: &Folder) -> Result<(), DatasetError> {
    Journal::remove_draft(own);
    match Journal::read(own)? {
        None => Ok(()),
        Some(journal) if journal.stage == Stage::Writing => discard(own, &journal),
        Some(journal) => forward(root, own, &journal),
    }
}

/// Removes the staging folder and keeps the earlier graph.
pub(super) fn discard(own: &Folder, journal: &Journal) -> Result<(), DatasetError> {
    if let Some(staging) = staging(own, journal)? {
        remove_graph(&staging, GRAPH, &journal.files);
        remove_staging(own, &staging, journal);
    }
    Journal::remove(own)
}

/// Replaces the earlier graph by the complete new one.
pub(super) fn forward(root: &Folder, own: &Folder, journal: &Journal) -> Result<(), DatasetError> {
    if let Some(staging) = staging(own, journal)? {
        let replace = |name: &str| DatasetError::io("replace", root.path().join(name));
        take_summary(root, &staging).map_err(replace(SUMMARY))?;
        if let Err(error) = switch_graph(root, &staging, journal) {
            // The earlier graph stays, and so does its summary; if this fails too, the next start continues.
            let _ = move_if_there(&staging, EARLIER_SUMMARY, SUMMARY, root);
            return Err(replace(GRAPH)(error));
        }
        for (name, to) in [(SUMMARY, root), (MANIFEST, own)] {
            move_if_there(&staging, name, name, to).map_err(DatasetError::io("replace", to.path().join(name)))?;
        }
        root.sync().and_then(|()| own.sync()).map_err(replace(GRAPH))?;
        remove_graph(&staging, GRAPH, &journal.earlier);
        remove_graph(&staging, EARLIER, &journal.earlier);
        remove_staging(own, &staging, journal);
    }
    Journal::remove(own)
}

fn staging(own: &Folder, journal: &Journal) -> Result<Option<Folder>, DatasetError> {
    match own.folder(&journal.staging) {
        Ok(folder) => Ok(Some(folder)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DatasetError::io("read", own.path().join(&journal.staging))(error)),
    }
}

fn switch_graph(root: &Folder, staging: &Folder, journal: &Journal) -> io::Result<()> {
    let (there, staged) = (root.look(GRAPH)?, staging.look(GRAPH)?);
    let Some(staged) = staged else { return Ok(()) };
    let is_new = journal.graph.is_none() || staged.inode == journal.graph;
    match there {
        None => staging.rename(GRAPH, root, GRAPH),
        // The graphs have been exchanged already: the staged one is the earlier graph.
        Some(_) if !is_new => Ok(()),
        Some(_) if root.exchange(GRAPH, staging, GRAPH)? => Ok(()),
        Some(_) => {
            root.rename(GRAPH, staging, EARLIER)?;
            staging.rename(GRAPH, root, GRAPH)
        }
    }
}

/// Removes the summary if the new one is still in the staging folder, because it is then the earlier one.
fn take_summary(root: &Folder, staging: &Folder) -> io::Result<()> {
    match staging.look(SUMMARY)? {
        Some(_) => move_if_there(root, SUMMARY, EARLIER_SUMMARY, staging),
        None => Ok(()),
    }
}

fn move_if_there(from: &Folder, name: &str, new: &str, to: &Folder) -> io::Result<()> {
    match from.rename(name, to, new) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

/// Removes the named files of a graph, and folders that become empty. All other files stay.
fn remove_graph(staging: &Folder, graph: &str, files: &[GraphFile]) {
    let removed = remove_files(staging, graph, files);
    if let Err(error) = removed {
        let path = staging.path().join(graph);
        tracing::warn!("files of an earlier export could not be removed from {}: {error}", path.display());
    }
}

fn remove_files(staging: &Folder, graph: &str, files: &[GraphFile]) -> io::Result<()> {
    let Some(root) = there(staging.folder(graph))? else { return Ok(()) };
    let mut steps: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for file in files {
        steps.entry(&file.step).or_default().entry(&file.wrapper).or_default().insert(&file.name);
    }
    for (step, wrappers) in steps {
        let Some(folder) = there(root.folder(step))? else { continue };
        for (wrapper, names) in wrappers {
            let Some(inner) = there(folder.folder(wrapper))? else { continue };
            for name in names {
                there(inner.remove_file(name))?;
            }
            there(folder.remove_folder(wrapper))?;
        }
        there(root.remove_folder(step))?;
    }
    there(staging.remove_folder(graph)).map(drop)
}

fn remove_staging(own: &Folder, staging: &Folder, journal: &Journal) {
    let removed = [SUMMARY, EARLIER_SUMMARY, MANIFEST]
        .into_iter()
        .try_for_each(|name| there(staging.remove_file(name)).map(drop));
    if let Err(error) = removed.and_then(|()| own.remove_folder(&journal.staging)) {
        tracing::warn!("the staging folder {} could not be removed: {error}", staging.path().display());
    }
}

/// Maps the error "not found" to `None`.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
