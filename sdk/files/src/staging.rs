//! Replacement of a folder or a file as a whole.
//!
//! ```text
//!   PARENT/NAME                   the target: the earlier result, then the new one
//!   PARENT/.NAME.staging/lock     held by the process that replaces the target
//!                       /new      the new result until it is complete; afterwards the earlier one, until it is removed
//! ```
//!
//! A process that is killed at any time leaves the earlier or the new result under the name of the target, never a
//! mixture. The next process removes the leftovers. Everything is accessible to the owner only.
//!
//! ```
//! # let place = tempfile::tempdir()?;
//! use integration_files::staging::Staging;
//! use std::io::Write;
//!
//! let target = place.path().join("report.json");
//! let staging = Staging::open(&target)?;
//! staging.create_file()?.write_all(b"{}")?;
//! assert!(!target.exists());
//! staging.publish_file()?;
//! assert_eq!(std::fs::read(&target)?, b"{}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::owner_only::{self, Folder, Kind};
use crate::work_folder::{LOCK, LockError, lock};

const NEW: &str = "new";
/// The name of an earlier result between two renames, on file systems without an atomic exchange.
const EARLIER: &str = "earlier";

/// A target that cannot be replaced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StagingError {
    /// The path ends with `..` or is a root.
    #[error("{} is not the name of a file or a folder", .0.display())]
    Nameless(PathBuf),
    /// The target is a symbolic link.
    #[error("{} is a symbolic link; name its destination instead", .0.display())]
    Link(PathBuf),
    /// Another process replaces the target.
    #[error("another process writes to {}; wait for its end", .0.display())]
    Busy(PathBuf),
    /// The operating system returned an error.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The operation.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
}

impl StagingError {
    fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// A new result for a target. Dropping it discards the new result.
#[derive(Debug)]
pub struct Staging {
    parent: Folder,
    own: Folder,
    own_name: OsString,
    name: OsString,
    /// Closed after the folder has been removed.
    _lock: File,
}

impl Staging {
    /// Locks a target and removes the leftovers of a killed process. The parent folder is created if it is missing.
    ///
    /// # Errors
    /// [`StagingError`] if the target is a link, if another process replaces it, or if its parent is not writable.
    pub fn open(target: &Path) -> Result<Self, StagingError> {
        let named: PathBuf = target.components().collect();
        let name = named.file_name().ok_or_else(|| StagingError::Nameless(target.to_owned()))?.to_owned();
        if named.is_symlink() {
            return Err(StagingError::Link(named));
        }
        let parent = match named.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        owner_only::create_folder(parent).map_err(StagingError::io("make", parent))?;
        let folder = Folder::open(parent).map_err(StagingError::io("open", parent))?;
        folder.check_writable().map_err(StagingError::io("write to", parent))?;
        let mut own_name = OsString::from(".");
        own_name.push(&name);
        own_name.push(".staging");
        let (own, lock) = lock(&folder, &own_name).map_err(|error| match error {
            LockError::Busy => StagingError::Busy(named.clone()),
            LockError::Io { action, path, source } => StagingError::Io { action, path, source },
        })?;
        let staging = Self { parent: folder, own, own_name, name, _lock: lock };
        staging.recover().map_err(StagingError::io("restore", &named))?;
        Ok(staging)
    }

    /// Returns the target's kind; `None` if it does not exist.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn target(&self) -> io::Result<Option<Kind>> {
        Ok(self.parent.look(&self.name)?.map(|found| found.kind))
    }

    /// Returns whether the target is a regular file that begins with a mark, by which a program recognises its files.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn is_marked(&self, mark: &[u8]) -> io::Result<bool> {
        if self.target()? != Some(Kind::File) {
            return Ok(false);
        }
        let mut beginning = Vec::with_capacity(mark.len());
        self.parent.read(&self.name)?.take(mark.len() as u64).read_to_end(&mut beginning)?;
        Ok(beginning == mark)
    }

    /// Opens the target, which is a file, for reading.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn target_file(&self) -> io::Result<File> {
        self.parent.read(&self.name)
    }

    /// Opens the target, which is a folder.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn target_folder(&self) -> io::Result<Folder> {
        self.parent.folder(&self.name)
    }

    /// Creates the folder for the new result.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn create_folder(&self) -> io::Result<Folder> {
        self.own.create_folder(NEW)
    }

    /// Creates the file for the new result.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn create_file(&self) -> io::Result<File> {
        self.own.create_new(NEW)
    }

    /// Returns the path of the new result, for libraries that open files by name.
    pub fn path(&self) -> PathBuf {
        self.own.path().join(NEW)
    }

    /// Replaces the target by the new file, which must be on disk.
    ///
    /// # Errors
    /// The error of the operating system. The earlier result is then unchanged.
    pub fn publish_file(self) -> io::Result<()> {
        self.own.rename(NEW, &self.parent, &self.name)?;
        self.parent.sync()
    }

    /// Replaces the target by the new folder, whose files must be on disk, and removes the earlier folder.
    ///
    /// # Errors
    /// The error of the operating system. The target is then the earlier folder, or the next process restores it.
    pub fn publish_folder(self) -> io::Result<()> {
        match self.target()? {
            None => self.own.rename(NEW, &self.parent, &self.name)?,
            Some(_) if self.parent.exchange(&self.name, &self.own, NEW)? => {}
            Some(_) => {
                self.parent.rename(&self.name, &self.own, EARLIER)?;
                self.own.rename(NEW, &self.parent, &self.name)?;
            }
        }
        self.parent.sync()
    }

    /// Restores the target after a kill between two renames, and removes everything else.
    fn recover(&self) -> io::Result<()> {
        if self.own.look(EARLIER)?.is_some() && self.target()?.is_none() {
            self.own.rename(EARLIER, &self.parent, &self.name)?;
        }
        self.clear()
    }

    fn clear(&self) -> io::Result<()> {
        for name in self.own.names()? {
            if name != LOCK {
                remove(&self.own, &name)?;
            }
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // An error leaves files for the next process, which removes them first.
        if self.clear().is_ok() && self.own.remove_file(LOCK).is_ok() {
            let _ = self.parent.remove_folder(&self.own_name);
        }
    }
}

/// Removes a file, a link, or a folder with its contents. Links are not followed.
fn remove(folder: &Folder, name: &OsStr) -> io::Result<()> {
    match folder.look(name)?.map(|found| found.kind) {
        None => Ok(()),
        Some(Kind::Folder) => {
            let inner = folder.folder(name)?;
            for name in inner.names()? {
                remove(&inner, &name)?;
            }
            folder.remove_folder(name)
        }
        Some(_) => folder.remove_file(name),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn write(staging: &Staging, text: &str) {
        let folder = staging.create_folder().expect("a folder");
        folder.create_new("file").and_then(|mut file| file.write_all(text.as_bytes())).expect("a file");
    }

    #[test]
    fn a_folder_is_replaced_as_a_whole_and_nothing_else_stays() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let target = place.path().join("new/target");
        for text in ["one", "two"] {
            let staging = Staging::open(&target).expect("a staging folder");
            write(&staging, text);
            staging.publish_folder().expect("a publication");
            assert_eq!(fs::read_to_string(target.join("file")).expect("a file"), text);
        }
        let staging = Staging::open(&target).expect("a staging folder");
        write(&staging, "three");
        drop(staging);
        assert_eq!(fs::read_to_string(target.join("file")).expect("a file"), "two");
        let names: Vec<_> = fs::read_dir(target.parent().expect("a parent")).expect("a folder").collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn one_process_at_a_time_replaces_a_target() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let target = place.path().join("target");
        let _first = Staging::open(&target).expect("a staging folder");
        assert!(matches!(Staging::open(&target), Err(StagingError::Busy(_))));
    }

    #[test]
    fn the_leftovers_of_a_killed_process_are_removed_and_the_earlier_result_is_restored() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let target = place.path().join("target");
        let own = place.path().join(".target.staging");
        fs::create_dir_all(own.join("new/entities")).expect("a folder");
        fs::write(own.join("new/entities/part"), "half").expect("a file");
        // Killed between the two renames of a file system without an exchange.
        fs::create_dir_all(own.join("earlier")).expect("a folder");
        fs::write(own.join("earlier/file"), "old").expect("a file");
        drop(Staging::open(&target).expect("a staging folder"));
        assert_eq!(fs::read_to_string(target.join("file")).expect("a file"), "old");
        assert!(!own.exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_neither_replaced_nor_followed() {
        use std::os::unix::fs::symlink;
        let place = tempfile::tempdir().expect("a temporary folder");
        let precious = place.path().join("precious");
        fs::write(&precious, "precious").expect("a file");
        symlink(&precious, place.path().join("link")).expect("a link");
        assert!(matches!(Staging::open(&place.path().join("link")), Err(StagingError::Link(_))));
        assert!(matches!(Staging::open(&place.path().join("..")), Err(StagingError::Nameless(_))));
        let own = place.path().join(".target.staging");
        fs::create_dir(&own).expect("a folder");
        symlink(&precious, own.join("new")).expect("a link");
        drop(Staging::open(&place.path().join("target")).expect("a staging folder"));
        assert_eq!(fs::read_to_string(precious).expect("a file"), "precious");
    }
}
