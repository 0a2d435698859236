//! The source of the configured instances.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures::future::BoxFuture;
use integration_scheduler::Settings;

/// The source of the configured instances, for example a file.
pub trait Source: Send + 'static {
    /// Returns the settings of all instances if they may have changed since the last call.
    ///
    /// The server calls this function every few seconds. The first call returns settings.
    ///
    /// # Errors
    /// [`SourceError`] if the configuration cannot be read. The server keeps the earlier settings and asks again.
    fn poll(&mut self) -> BoxFuture<'_, Result<Option<BTreeMap<String, Settings>>, SourceError>>;
}

/// A configuration that cannot be read. The message names the place and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// A file whose changes are recognised by its metadata.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("instances.yaml");
/// use integration_server::WatchedFile;
///
/// let mut file = WatchedFile::new(&path);
/// assert!(file.has_changed(), "nothing is known about it yet");
/// assert!(!file.has_changed());
/// std::fs::write(&path, "instances: []")?;
/// assert!(file.has_changed());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct WatchedFile {
    path: PathBuf,
    last: Option<Option<Stamp>>,
}

/// The metadata that changes with the contents. A file that was replaced by a rename has another inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    inode: u64,
}

impl WatchedFile {
    /// Watches a file, which may be missing.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), last: None }
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the file has changed since the last call. The first call returns `true`.
    ///
    /// The metadata is read before the caller reads the contents, so a change during the reading is seen by the next call.
    pub fn has_changed(&mut self) -> bool {
        let now = Stamp::of(&self.path).ok();
        let has_changed = self.last != Some(now);
        self.last = Some(now);
        has_changed
    }

    /// Makes the next call of [`has_changed`](Self::has_changed) return `true`, for example because reading has failed.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Ok(Self { modified: metadata.modified().ok(), size: metadata.len(), inode })
    }
}
