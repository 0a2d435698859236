//! Export of a job's graph in the exchange layout, replacing an earlier export.
//!
//! ```text
//!   DIR/graph, DIR/summary.json            the exchange layout
//!   DIR/.integration-export/lock           held by the process that uses DIR
//!                          /manifest.json  the files of the export that DIR holds
//!                          /journal.json   a running export: undone or finished if it is killed
//!                          /<staging>/     the new graph until it is complete
//! ```
//!
//! An [`ExportFolder`] is opened before a job starts, so that unusable folders are detected early. It rejects a folder
//! that is not writable, that another process uses, or that contains files that the manifest does not name. Only files
//! that the manifest names are replaced or removed, and no symbolic link is followed, neither `DIR` nor one below it.

mod files;
mod manifest;
mod occupants;
mod place;
mod switch;

use std::fs::File;
use std::io;
use std::path::Path;

use integration_files::work_folder::{self, LOCK, LockError};

use crate::graph::JobId;
use crate::graph::run::Summary;
use crate::owner_only::{self, Folder};
use crate::store::{Count, Snapshot};

use super::DatasetError;
use manifest::{GRAPH, JOURNAL, Journal, Manifest, SUMMARY, Stage};

pub use place::{check_apart, check_kept};

/// The folder in `DIR` that is not part of the layout.
const OWN: &str = ".integration-export";

/// The number of exported objects and files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Entities.
    pub entities: u64,
    /// Relationships, including mapped ones.
    pub relationships: u64,
    /// Files of the graph.
    pub files: u64,
}

/// Exports the graph and the summary of a job, replacing an earlier export.
///
/// # Errors
/// As [`ExportFolder::open`] and [`ExportFolder::write`].
pub async fn export(snapshot: &Snapshot, directory: &Path, summary: &Summary) -> Result<Exported, DatasetError> {
    ExportFolder::open(directory)?.write(snapshot, summary).await
}

/// An export folder that is locked for this process until the value is dropped.
#[derive(Debug)]
pub struct ExportFolder {
    root: Folder,
    own: Folder,
    _lock: File,
    manifest: Option<Manifest>,
    /// Whether the folder did not exist before.
    is_new: bool,
    /// Whether the last switch failed, so that the next process finishes it.
    is_unfinished: bool,
}

impl ExportFolder {
    /// Opens or creates an export folder, and recovers from an interrupted export.
    ///
    /// # Errors
    /// [`DatasetError`] if the folder is a symbolic link, if it is inside the graph of another export, if it is not writable,
    /// if another process uses it, or if it contains files that no earlier export wrote.
    pub fn open(directory: &Path) -> Result<Self, DatasetError> {
        place::check(directory)?;
        let is_new = !directory.exists();
        owner_only::create_folder(directory).map_err(DatasetError::io("make", directory))?;
        let root = Folder::open(directory).map_err(DatasetError::io("open", directory))?;
        root.check_writable().map_err(DatasetError::io("write to", directory))?;
        let (own, lock) = lock(&root)?;
        let mut folder = Self { root, own, _lock: lock, manifest: None, is_new, is_unfinished: false };
        folder.recover()?;
        folder.manifest = Manifest::read(&folder.own)?;
        occupants::check(&folder.root, folder.manifest.as_ref())?;
        Ok(folder)
    }

    /// The job whose graph the folder contains; `None` if it contains no graph.
    pub fn job(&self) -> Option<&JobId> {
        self.manifest.as_ref().map(|manifest| &manifest.job)
    }

    /// Writes the graph and the summary of a job, and switches to them atomically.
    ///
    /// # Errors
    /// [`DatasetError::Unfinished`] if the new graph is complete, but the switch to it fails: the next process that opens
    /// the folder finishes it. After every other [`DatasetError`], the folder contains the earlier graph.
    pub async fn write(&mut self, snapshot: &Snapshot, summary: &Summary) -> Result<Exported, DatasetError> {
        // Foreign files may have been added while the job ran.
        occupants::check(&self.root, self.manifest.as_ref())?;
        let counts_by_step_and_type = snapshot.counts().await?;
        let earlier = self.manifest.as_ref().map(|manifest| manifest.files.clone()).unwrap_or_default();
        let staging = format!("new-{}", JobId::generate());
        let mut journal = Journal::new(staging, files::planned(&counts_by_step_and_type), earlier);
        journal.write(&self.own)?;
        let staged = self.stage(snapshot, summary, &counts_by_step_and_type, &mut journal).await;
        match staged {
            Ok((exported, manifest)) => {
                self.switch(&journal)?;
                self.manifest = Some(manifest);
                Ok(exported)
            }
            Err(error) => {
                // The original error is more useful. The next start removes the remaining files.
                let _ = switch::discard(&self.own, &journal);
                Err(error)
            }
        }
    }

    /// Switches to the new graph, with a second attempt after a temporary failure.
    fn switch(&mut self, journal: &Journal) -> Result<(), DatasetError> {
        let Err(error) = switch::forward(&self.root, &self.own, journal) else { return Ok(()) };
        tracing::info!("the switch to the new graph is repeated: {error}");
        switch::forward(&self.root, &self.own, journal).map_err(|source| {
            self.is_unfinished = true;
            DatasetError::Unfinished { path: self.root.path().to_owned(), source: Box::new(source) }
        })
    }

    /// Fills the staging folder and then marks it as complete in the journal.
    async fn stage(
        &self,
        snapshot: &Snapshot,
        summary: &Summary,
        counts_by_step_and_type: &[Count],
        journal: &mut Journal,
    ) -> Result<(Exported, Manifest), DatasetError> {
        let path = self.own.path().join(&journal.staging);
        let staging = self.own.create_folder(&journal.staging).map_err(DatasetError::io("make", &path))?;
        let graph = staging.create_folder(GRAPH).map_err(DatasetError::io("make", path.join(GRAPH)))?;
        let exported = files::write(snapshot, &graph, counts_by_step_and_type).await?;
        manifest::write(&staging, SUMMARY, summary)?;
        let manifest = Manifest::new(summary.job.clone(), journal.files.clone());
        manifest.write(&staging)?;
        occupants::check(&self.root, self.manifest.as_ref())?;
        let found = staging.look(GRAPH).map_err(DatasetError::io("read", path.join(GRAPH)))?;
        journal.graph = found.and_then(|found| found.inode);
        journal.stage = Stage::Switching;
        journal.write(&self.own)?;
        Ok((exported, manifest))
    }

    fn recover(&self) -> Result<(), DatasetError> {
        switch::recover(&self.root, &self.own)
    }

    /// Removes all traces of the export from a folder that contains none.
    fn tidy(&self) -> io::Result<()> {
        self.own.remove_file(LOCK)?;
        self.root.remove_folder(OWN)?;
        if self.is_new { std::fs::remove_dir(self.root.path()) } else { Ok(()) }
    }
}

impl Drop for ExportFolder {
    fn drop(&mut self) {
        // The caller has reported the state of the folder, so it must not change any more.
        if self.is_unfinished {
            return;
        }
        // The next process that opens the folder encounters the same error and reports it.
        let recovered = self.recover().is_ok();
        let is_unused = matches!(Manifest::read(&self.own), Ok(None));
        if recovered && is_unused {
            let _ = self.tidy();
        }
    }
}

/// Finishes or undoes an export that was killed in a folder, before the folder is read.
///
/// Nothing happens if the folder has no such export, if another process uses it, or if it cannot be written: either of the
/// two graphs can be read as it is.
pub(super) fn settle(directory: &Path) {
    if !directory.join(OWN).join(JOURNAL).exists() {
        return;
    }
    if let Err(error) = ExportFolder::open(directory) {
        tracing::info!("an export that was ended early is left in {}: {error}", directory.display());
    }
}

/// Creates the folder of the export in `root` and locks it.
fn lock(root: &Folder) -> Result<(Folder, File), DatasetError> {
    work_folder::lock(root, OWN.as_ref()).map_err(|error| match error {
        LockError::Busy => DatasetError::Busy { path: root.path().to_owned() },
        LockError::Io { action, path, source } => DatasetError::io(action, path)(source),
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_switch_that_fails_is_reported_as_unfinished_and_stays_for_the_next_process() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let own = place.path().join(OWN);
        let mut folder = ExportFolder::open(place.path()).expect("an export folder");
        let mut journal = Journal::new("new-1".to_owned(), Vec::new(), Vec::new());
        fs::create_dir_all(own.join("new-1").join(GRAPH)).expect("a folder");
        let manifest = Manifest::new(JobId::generate(), Vec::new());
        manifest.write(&folder.own.folder("new-1").expect("a folder")).expect("a manifest");
        journal.stage = Stage::Switching;
        journal.write(&folder.own).expect("a journal");
        // A file cannot replace a folder that is not empty.
        fs::create_dir_all(own.join("manifest.json/x")).expect("a folder");
        let error = folder.switch(&journal).expect_err("the switch fails");
        assert!(matches!(&error, DatasetError::Unfinished { .. }), "{error}");
        assert!(error.to_string().contains("is complete, but is not in its place yet"), "{error}");
        fs::remove_dir_all(own.join("manifest.json")).expect("a folder");
        drop(folder);
        assert!(own.join(JOURNAL).exists(), "the state must not change after the report");
        let next = ExportFolder::open(place.path()).expect("an export folder");
        assert_eq!(next.job(), Some(&manifest.job));
        assert!(place.path().join(GRAPH).is_dir() && !own.join(JOURNAL).exists());
    }
}
