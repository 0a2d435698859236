//! A folder that one process at a time works in: its lock, and the removal of the lock with the folder.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::owner_only::Folder;

/// The name of the lock file in the folder.
pub const LOCK: &str = "lock";
/// The maximum number of attempts to lock. An attempt fails only if another process cleans up at the same time.
const ATTEMPTS: usize = 20;

/// A folder that cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process works in the folder.
    #[error("another process works in the folder")]
    Busy,
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

/// Creates a folder in `parent` if it is missing, and locks it until the returned file is closed.
///
/// A process that removes the folder removes [`LOCK`] first, while it holds the lock.
///
/// # Errors
/// [`LockError`] if another process holds the lock, or if the folder is not usable.
pub fn lock(parent: &Folder, name: &OsStr) -> Result<(Folder, File), LockError> {
    let path = parent.path().join(name);
    let failed = |action, path| move |source| LockError::Io { action, path, source };
    let mut missing = None;
    for _ in 0..ATTEMPTS {
        let own = match parent.create_folder(name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => parent.folder(name),
            created => created,
        };
        let file = own.and_then(|own| own.open_or_create(LOCK).map(|file| (own, file)));
        let (own, file) = match file {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                missing = Some(error);
                continue;
            }
            Err(error) => return Err(failed("use", path)(error)),
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(LockError::Busy),
            Err(TryLockError::Error(error)) => return Err(failed("lock", path.join(LOCK))(error)),
            Ok(()) => {}
        }
        // The last user may have removed the file after it was opened here.
        if own.holds(LOCK, &file).map_err(failed("use", path.clone()))? {
            return Ok((own, file));
        }
    }
    // Some file systems have folders in which nothing can be created, and say that the new folder is missing.
    Err(missing.map_or(LockError::Busy, failed("create", path)))
}
