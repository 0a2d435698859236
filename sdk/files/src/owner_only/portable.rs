//! Systems without modes and folder descriptors: plain files, located by their paths.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Found, Kind, Writable};

pub(super) fn protect(_: &mut OpenOptions) {}

pub(super) fn restrict(_: &File) -> io::Result<()> {
    Ok(())
}

pub(super) fn is_pipe(_: &fs::Metadata) -> bool {
    false
}

pub(super) fn writable(path: &Path) -> Writable {
    match fs::metadata(path) {
        Ok(found) if found.permissions().readonly() => Writable::No,
        _ => Writable::Yes,
    }
}

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// A folder, identified by its path. Entries are checked before they are opened.
///
/// Every method returns the error of the operating system.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens a folder. Symbolic links in `path` itself are the caller's choice and are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::read_dir(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// The path with which the folder was opened, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a subfolder.
    pub fn folder(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        self.refuse_link(name.as_ref())?;
        Self::open(&self.path.join(name))
    }

    /// Creates a folder, which must not exist.
    pub fn create_folder(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let path = self.path.join(name);
        fs::create_dir(&path)?;
        Ok(Self { path })
    }

    /// Creates a file, which must not exist.
    pub fn create_new(&self, name: impl AsRef<Path>) -> io::Result<File> {
        File::create_new(self.path.join(name))
    }

    /// Opens a file for reading and writing, and creates it if it is missing.
    pub fn open_or_create(&self, name: impl AsRef<Path>) -> io::Result<File> {
        self.refuse_link(name.as_ref())?;
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(self.path.join(name))
    }

    /// Opens a regular file for reading.
    pub fn read(&self, name: impl AsRef<Path>) -> io::Result<File> {
        match self.look(name.as_ref())?.map(|found| found.kind) {
            None => Err(ErrorKind::NotFound.into()),
            Some(Kind::File) => File::open(self.path.join(name)),
            Some(_) => Err(io::Error::other("it is not a regular file")),
        }
    }

    /// Returns the kind of a directory entry; `None` if it does not exist.
    pub fn look(&self, name: impl AsRef<Path>) -> io::Result<Option<Found>> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(found) => {
                let kind = match found.file_type() {
                    kind if kind.is_symlink() => Kind::Link,
                    kind if kind.is_dir() => Kind::Folder,
                    kind if kind.is_file() => Kind::File,
                    _ => Kind::Other,
                };
                Ok(Some(Found { kind, inode: None }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns whether a name still refers to an open file.
    pub fn holds(&self, name: impl AsRef<Path>, _: &File) -> io::Result<bool> {
        Ok(self.look(name)?.is_some())
    }

    /// Returns all names in the folder, sorted.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let names = fs::read_dir(&self.path)?.map(|entry| entry.map(|entry| entry.file_name()));
        let mut names = names.collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    /// Returns an error if this process may not add or remove names in the folder.
    pub fn check_writable(&self) -> io::Result<()> {
        match fs::metadata(&self.path)?.permissions().readonly() {
            true => Err(ErrorKind::PermissionDenied.into()),
            false => Ok(()),
        }
    }

    /// Renames a file, replacing an existing file of the new name.
    pub fn rename(&self, name: impl AsRef<Path>, to: &Self, new: impl AsRef<Path>) -> io::Result<()> {
        fs::rename(self.path.join(name), to.path.join(new))
    }

    /// Exchanges two names atomically; returns `false` if the system does not support it.
    pub fn exchange(&self, _: impl AsRef<Path>, _: &Self, _: impl AsRef<Path>) -> io::Result<bool> {
        Ok(false)
    }

    /// Removes a file or a symbolic link.
    pub fn remove_file(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    /// Removes an empty folder.
    pub fn remove_folder(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::remove_dir(self.path.join(name))
    }

    /// Waits until the names in the folder are on disk.
    pub fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn refuse_link(&self, name: &Path) -> io::Result<()> {
        match self.look(name)?.map(|found| found.kind) {
            Some(Kind::Link) => Err(io::Error::other("it is a symbolic link, which is not followed")),
            _ => Ok(()),
        }
    }
}
