//! Files and folders that only their owner can access, for all collected data.
//!
//! Files have the mode 0600 and folders 0700, independently of the umask. Except for devices and pipes, no function
//! writes through a symbolic link at the end of a path. Existing folders keep their mode. On systems without such
//! modes, the functions create plain files and folders.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! use integration_files::owner_only;
//! use std::io::Write;
//!
//! let folder = folder.join("exports");
//! owner_only::create_folder(&folder)?;
//! owner_only::create(&folder.join("graph.json"))?.write_all(b"{}")?;
//! # #[cfg(unix)] {
//! use std::os::unix::fs::PermissionsExt;
//! assert_eq!(folder.join("graph.json").metadata()?.permissions().mode() & 0o777, 0o600);
//! # }
//! # Ok::<(), std::io::Error>(())
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;
#[cfg(not(unix))]
mod portable;
#[cfg(not(unix))]
use portable as system;

#[cfg(unix)]
pub use folder::Folder;
#[cfg(not(unix))]
pub use portable::Folder;

/// The kind of a directory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, or a device.
    Other,
}

/// A directory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The kind.
    pub kind: Kind,
    /// The number that identifies the entry across renames, if the system provides one.
    pub inode: Option<u64>,
}

/// Creates a file, or truncates an existing one and restricts it to its owner.
///
/// If the path leads to a device, or to a pipe below `/dev` such as `/dev/stdout`, it is opened unchanged.
///
/// # Errors
/// The error of the operating system. Symbolic links, files of other users, and named pipes are rejected. A named pipe
/// would wait for a reader.
pub fn create(path: &Path) -> io::Result<File> {
    if let Some(device) = device(path)? {
        return Ok(device);
    }
    let file = opened(path, OpenOptions::new().write(true).create(true))?;
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Creates a file, which must not exist.
///
/// # Errors
/// The error of the operating system; `AlreadyExists` if the name is in use.
pub fn create_new(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().write(true).create_new(true))
}

/// Opens a file for reading and writing, and restricts it to its owner.
///
/// The contents are kept. A missing file is created.
///
/// # Errors
/// The error of the operating system. Symbolic links and files of other users are rejected.
pub fn open(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().read(true).write(true).create(true))
}

/// Replaces the contents of a file as a whole. A missing file is created.
///
/// A process that is killed, or a disk that is full, leaves the old contents or the new ones. The new contents are on
/// disk when the function returns. They are first written to a file beside it, whose name ends in `.incomplete`, so
/// callers in several processes hold a lock of their own.
///
/// # Errors
/// The error of the operating system. Symbolic links, folders, and devices are rejected, because another file would
/// take their place.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(contents))
}

/// Replaces the contents of a file as [`replace`] does, with contents that a function writes piece by piece.
///
/// # Errors
/// Those of [`replace`], and those of the function, after which the old contents remain.
pub fn replace_with(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "it is a symbolic link, which is not followed: name the file itself",
            ));
        }
        Ok(found) if !found.is_file() => {
            return Err(io::Error::new(ErrorKind::InvalidInput, "only regular files are replaced"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "the path has no file name"));
    };
    let mut incomplete = name.to_owned();
    incomplete.push(".incomplete");
    let incomplete = path.with_file_name(incomplete);
    let put = || {
        let mut file = create(&incomplete)?;
        write(&mut file)?;
        file.sync_all()?;
        fs::rename(&incomplete, path)
    };
    put().inspect_err(|_| {
        // The error of the write is the one to report.
        let _ = fs::remove_file(&incomplete);
    })?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Folder::open(parent.unwrap_or(Path::new(".")))?.sync()
}

/// The permission of this process to write a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writable {
    /// The path can be written, or it does not exist.
    Yes,
    /// Only other users can write it.
    ByOthers,
    /// No process can write it: its file system is read-only, or its mode allows writing to nobody.
    No,
}

/// Returns whether this process can write a file or a folder, without opening it.
///
/// A mode without the permission to write is respected even if the process is privileged.
pub fn writable(path: &Path) -> Writable {
    system::writable(path)
}

/// Creates a folder with its missing parents.
///
/// # Errors
/// The error of the operating system, for example if the name refers to a file.
pub fn create_folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_folder(parent)?;
    }
    match system::make_folder(path) {
        // Another process may have created it in the meantime.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

fn opened(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    system::protect(options);
    let file = options.open(path).map_err(|error| match path.is_symlink() {
        true => io::Error::new(error.kind(), "it is a symbolic link, which is not followed: name the file itself"),
        false => error,
    })?;
    system::restrict(&file)?;
    Ok(file)
}

/// Opens a device, or any existing path below `/dev`; `None` for other paths.
fn device(path: &Path) -> io::Result<Option<File>> {
    let found = fs::metadata(path).ok();
    let is_device = found.as_ref().is_some_and(|found| !found.is_file() && !found.is_dir());
    if found.is_some_and(|found| system::is_pipe(&found)) && !path.starts_with("/dev") {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is a named pipe, and only regular files are written"));
    }
    // Standard output may be a regular file that the shell has already opened.
    if is_device || (path.starts_with("/dev") && path.exists()) {
        return OpenOptions::new().write(true).open(path).map(Some);
    }
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn new_files_and_folders_are_for_their_owner_only() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = place.path().join("a/b");
        create_folder(&folder).expect("a folder");
        create_folder(&folder).expect("a folder that is there");
        assert_eq!((mode(&folder), mode(&place.path().join("a"))), (0o700, 0o700));
        for (name, make) in [("1", create as fn(&Path) -> io::Result<File>), ("2", create_new), ("3", open)] {
            make(&folder.join(name)).expect("a file");
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        assert_eq!(create_new(&folder.join("1")).expect_err("it is there").kind(), ErrorKind::AlreadyExists);
        assert!(create_folder(&folder.join("1")).is_err(), "a file is no folder");
    }

    #[test]
    fn an_existing_file_is_restricted_and_emptied_or_kept() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let path = place.path().join("page.html");
        fs::write(&path, "old and long").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("ours");
        open(&path).expect("a file");
        assert_eq!((mode(&path), fs::read_to_string(&path).expect("text")), (0o600, "old and long".to_owned()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
        create(&path).expect("a file").write_all(b"new").expect("written");
        assert_eq!((mode(&path), fs::read_to_string(&path).expect("text")), (0o600, "new".to_owned()));
    }

    #[test]
    fn a_folder_that_was_there_keeps_its_mode() {
        let place = tempfile::tempdir().expect("a temporary folder");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        create_folder(place.path()).expect("it is there");
        assert_eq!(mode(place.path()), 0o755);
    }

    #[test]
    fn nothing_is_written_through_a_symbolic_link() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let (victim, link) = (place.path().join("victim"), place.path().join("link"));
        fs::write(&victim, "precious").expect("a file");
        symlink(&victim, &link).expect("a link");
        let dangling = place.path().join("dangling");
        symlink(place.path().join("nothing"), &dangling).expect("a link");
        for path in [&link, &dangling] {
            for make in [create, create_new, open] {
                let error = make(path).expect_err("a link").to_string();
                assert!(error.contains("symbolic link"), "{error}");
            }
        }
        assert_eq!(fs::read_to_string(&victim).expect("text"), "precious");
        assert!(!place.path().join("nothing").exists());
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_remains_beside_it() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let path = place.path().join("state.json");
        replace(&path, b"old and long").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
        let reader = File::open(&path).expect("a file");
        replace(&path, b"new").expect("a file");
        assert_eq!((mode(&path), fs::read_to_string(&path).expect("text")), (0o600, "new".to_owned()));
        assert_eq!(io::read_to_string(reader).expect("text"), "old and long", "a reader keeps what it opened");
        assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_link_or_a_folder_is_not_replaced() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let (victim, link, folder) =
            (place.path().join("victim"), place.path().join("link"), place.path().join("folder"));
        fs::write(&victim, "precious").expect("a file");
        symlink(&victim, &link).expect("a link");
        fs::create_dir(&folder).expect("a folder");
        assert!(replace(&link, b"x").expect_err("a link").to_string().contains("symbolic link"));
        assert!(replace(&folder, b"x").is_err() && replace(Path::new("/dev/null"), b"x").is_err());
        assert_eq!(fs::read_to_string(&victim).expect("text"), "precious");
        assert!(replace(&place.path().join("missing/state.json"), b"x").is_err());
    }

    #[test]
    fn a_named_pipe_is_refused_at_once() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let (pipe, link) = (place.path().join("pipe"), place.path().join("link"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        symlink(&pipe, &link).expect("a link");
        for path in [&pipe, &link] {
            assert!(create(path).expect_err("a pipe").to_string().contains("a named pipe"), "{}", path.display());
        }
    }

    #[test]
    fn a_device_is_opened_as_it_is() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let link = place.path().join("null");
        symlink("/dev/null", &link).expect("a link");
        let before = mode(Path::new("/dev/null"));
        for path in [Path::new("/dev/null"), &link] {
            create(path).expect("a device").write_all(b"gone").expect("written");
        }
        assert_eq!(mode(Path::new("/dev/null")), before);
    }
}
