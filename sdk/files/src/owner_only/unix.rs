//! File modes of Unix.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{Access, OFlags};
use rustix::io::Errno;

use super::Writable;

const FILE: u32 = 0o600;
pub(super) const FOLDER: u32 = 0o700;

/// Restricts new files to their owner, and prevents following a symbolic link.
pub(super) fn protect(options: &mut OpenOptions) {
    // The bits of a flag fit into this type, and `custom_flags` expects those of the C library.
    options.mode(FILE).custom_flags((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed());
}

/// Removes the permissions of others, and restores those of the owner after an unusual umask.
pub(super) fn restrict(file: &File) -> io::Result<()> {
    let found = file.metadata()?;
    let wanted = match (found.is_file(), found.is_dir()) {
        (true, _) => FILE,
        (_, true) => FOLDER,
        _ => return Ok(()),
    };
    if found.mode() & 0o077 == 0 && found.mode() & wanted == wanted {
        return Ok(());
    }
    match file.set_permissions(Permissions::from_mode(wanted)) {
        // A file system without modes, such as FAT, gets its permissions when it is mounted.
        Err(error)
            if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported)
                && found.uid() == rustix::process::geteuid().as_raw() =>
        {
            Ok(())
        }
        done => done,
    }
}

/// Returns whether this process can write a path.
pub(super) fn writable(path: &Path) -> Writable {
    let Ok(found) = std::fs::metadata(path) else { return Writable::Yes };
    if found.mode() & 0o222 == 0 {
        return Writable::No;
    }
    match rustix::fs::access(path, Access::WRITE_OK) {
        Err(Errno::ROFS) => Writable::No,
        Err(Errno::ACCESS | Errno::PERM) => Writable::ByOthers,
        // Any other error appears again when the path is written.
        _ => Writable::Yes,
    }
}

/// Returns whether a file is a named pipe or a socket.
pub(super) fn is_pipe(found: &Metadata) -> bool {
    found.file_type().is_fifo() || found.file_type().is_socket()
}

/// Creates one folder.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER).create(path)?;
    // An unusual umask may have removed the owner's own permissions.
    let found = std::fs::symlink_metadata(path)?;
    if found.is_dir() && found.mode() & 0o777 != FOLDER {
        std::fs::set_permissions(path, Permissions::from_mode(FOLDER))?;
    }
    Ok(())
}
