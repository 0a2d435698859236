//! Systems without modes and folder descriptors: plain files, located by their paths.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Found, Kind};

pub(super) fn protect(_: &mut OpenOptions) {}

pub(super) fn restrict(_: &File) -> io::Result<()> {
    Ok(())
}

pub(super) fn is_pipe(_: &fs::Metadata) -> bool {
    false
}

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// A folder, identified by its path. Entries are checked before they are opened.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        fs::read_dir(path)?;
        Ok(Self { path: path.to_owned() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn folder(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        self.refuse_link(name.as_ref())?;
        Self::open(&self.path.join(name))
    }

    pub(crate) fn create_folder(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let path = self.path.join(name);
        fs::create_dir(&path)?;
        Ok(Self { path })
    }

    pub(crate) fn create_new(&self, name: impl AsRef<Path>) -> io::Result<File> {
        File::create_new(self.path.join(name))
    }

    pub(crate) fn open_or_create(&self, name: impl AsRef<Path>) -> io::Result<File> {
        self.refuse_link(name.as_ref())?;
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(self.path.join(name))
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> io::Result<File> {
        match self.look(name.as_ref())?.map(|found| found.kind) {
            None => Err(ErrorKind::NotFound.into()),
            Some(Kind::File) => File::open(self.path.join(name)),
            Some(_) => Err(io::Error::other("it is not a regular file")),
        }
    }

    pub(crate) fn look(&self, name: impl AsRef<Path>) -> io::Result<Option<Found>> {
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

    pub(crate) fn holds(&self, name: impl AsRef<Path>, _: &File) -> io::Result<bool> {
        Ok(self.look(name)?.is_some())
    }

    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let names = fs::read_dir(&self.path)?.map(|entry| entry.map(|entry| entry.file_name()));
        let mut names = names.collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    pub(crate) fn check_writable(&self) -> io::Result<()> {
        match fs::metadata(&self.path)?.permissions().readonly() {
            true => Err(ErrorKind::PermissionDenied.into()),
            false => Ok(()),
        }
    }

    pub(crate) fn rename(&self, name: impl AsRef<Path>, to: &Self, new: impl AsRef<Path>) -> io::Result<()> {
        fs::rename(self.path.join(name), to.path.join(new))
    }

    pub(crate) fn exchange(&self, _: impl AsRef<Path>, _: &Self, _: impl AsRef<Path>) -> io::Result<bool> {
        Ok(false)
    }

    pub(crate) fn remove_file(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    pub(crate) fn remove_folder(&self, name: impl AsRef<Path>) -> io::Result<()> {
        fs::remove_dir(self.path.join(name))
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn refuse_link(&self, name: &Path) -> io::Result<()> {
        match self.look(name)?.map(|found| found.kind) {
            Some(Kind::Link) => Err(io::Error::other("it is a symbolic link, which is not followed")),
            _ => Ok(()),
        }
    }
}
