//! An open folder on Unix. All files in it are accessed through its descriptor.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{self as sys, Access, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{Found, Kind, unix};

/// An open folder. Names in it are single path components, and symbolic links are never followed.
///
/// Every method returns the error of the operating system.
#[derive(Debug)]
pub struct Folder {
    handle: File,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder. Symbolic links in `path` itself are the caller's choice and are followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = sys::open(path, flags, Mode::empty())?;
        Ok(Self { handle: handle.into(), path: path.to_owned() })
    }

    /// The path with which the folder was opened, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a subfolder.
    pub fn folder(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = sys::openat(&self.handle, name.as_ref(), flags, Mode::empty())?;
        Ok(Self { handle: handle.into(), path: self.path.join(name) })
    }

    /// Creates a folder, which must not exist.
    pub fn create_folder(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let name = name.as_ref();
        sys::mkdirat(&self.handle, name, Mode::RWXU)?;
        // An unusual umask may have removed the owner's own permissions, without which the folder cannot be opened.
        let made = sys::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode;
        if !Mode::from_raw_mode(made).contains(Mode::RWXU) {
            std::fs::set_permissions(self.path.join(name), Permissions::from_mode(unix::FOLDER))?;
        }
        self.folder(name)
    }

    /// Creates a file, which must not exist.
    pub fn create_new(&self, name: impl AsRef<Path>) -> io::Result<File> {
        self.file(name.as_ref(), OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)
    }

    /// Opens a file for reading and writing, and creates it if it is missing.
    pub fn open_or_create(&self, name: impl AsRef<Path>) -> io::Result<File> {
        self.file(name.as_ref(), OFlags::RDWR | OFlags::CREATE)
    }

    fn file(&self, name: &Path, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(sys::openat(&self.handle, name, flags, Mode::RUSR | Mode::WUSR)?);
        unix::restrict(&file)?;
        Ok(file)
    }

    /// Opens a regular file for reading.
    pub fn read(&self, name: impl AsRef<Path>) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(sys::openat(&self.handle, name.as_ref(), flags, Mode::empty())?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
    }

    /// Returns the kind of a directory entry; `None` if it does not exist.
    pub fn look(&self, name: impl AsRef<Path>) -> io::Result<Option<Found>> {
        match sys::statat(&self.handle, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => {
                let kind = match FileType::from_raw_mode(found.st_mode) {
                    FileType::RegularFile => Kind::File,
                    FileType::Directory => Kind::Folder,
                    FileType::Symlink => Kind::Link,
                    _ => Kind::Other,
                };
                Ok(Some(Found { kind, inode: Some(found.st_ino) }))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns whether a name still refers to an open file.
    pub fn holds(&self, name: impl AsRef<Path>, file: &File) -> io::Result<bool> {
        let inode = file.metadata()?.ino();
        Ok(self.look(name)?.is_some_and(|found| found.inode == Some(inode)))
    }

    /// Returns all names in the folder, sorted.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in sys::Dir::read_from(&self.handle)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Returns an error if this process may not add or remove names in the folder.
    pub fn check_writable(&self) -> io::Result<()> {
        Ok(sys::accessat(&self.handle, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty())?)
    }

    /// Renames a file, replacing an existing file of the new name.
    pub fn rename(&self, name: impl AsRef<Path>, to: &Self, new: impl AsRef<Path>) -> io::Result<()> {
        Ok(sys::renameat(&self.handle, name.as_ref(), &to.handle, new.as_ref())?)
    }

    /// Exchanges two names atomically; returns `false` if the system does not support it.
    pub fn exchange(&self, name: impl AsRef<Path>, with: &Self, other: impl AsRef<Path>) -> io::Result<bool> {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            let flags = sys::RenameFlags::EXCHANGE;
            match sys::renameat_with(&self.handle, name.as_ref(), &with.handle, other.as_ref(), flags) {
                Ok(()) => Ok(true),
                Err(error) if [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&error) => {
                    Ok(false)
                }
                Err(error) => Err(error.into()),
            }
        }
        #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
        {
            let _ = (name, with, other);
            Ok(false)
        }
    }

    /// Removes a file or a symbolic link.
    pub fn remove_file(&self, name: impl AsRef<Path>) -> io::Result<()> {
        Ok(sys::unlinkat(&self.handle, name.as_ref(), AtFlags::empty())?)
    }

    /// Removes an empty folder.
    pub fn remove_folder(&self, name: impl AsRef<Path>) -> io::Result<()> {
        Ok(sys::unlinkat(&self.handle, name.as_ref(), AtFlags::REMOVEDIR)?)
    }

    /// Waits until the names in the folder are on disk.
    pub fn sync(&self) -> io::Result<()> {
        match self.handle.sync_all() {
            // Some file systems do not support this for folders.
            Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_in_a_folder_is_followed() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let outside = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(outside.path().join("file"), "precious").expect("a file");
        symlink(outside.path(), place.path().join("folder")).expect("a link");
        symlink(outside.path().join("file"), place.path().join("file")).expect("a link");
        let folder = Folder::open(place.path()).expect("a folder");
        assert!(folder.folder("folder").is_err() && folder.read("file").is_err());
        assert!(folder.create_new("file").is_err() && folder.open_or_create("file").is_err());
        let kind = |name| folder.look(name).expect("a look").map(|found| found.kind);
        assert_eq!((kind("folder"), kind("file"), kind("none")), (Some(Kind::Link), Some(Kind::Link), None));
        assert_eq!(folder.names().expect("names"), ["file", "folder"]);
    }

    #[test]
    fn two_folders_change_places_at_one_instant() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::open(place.path()).expect("a folder");
        let one = folder.create_folder("one").expect("a folder");
        one.create_new("mine").expect("a file");
        folder.create_folder("two").expect("a folder");
        let (one, two) = (folder.look("one").expect("a look"), folder.look("two").expect("a look"));
        if folder.exchange("one", &folder, "two").expect("an exchange") {
            assert_eq!((folder.look("two").expect("a look"), folder.look("one").expect("a look")), (one, two));
            assert_eq!(folder.folder("two").expect("a folder").names().expect("names"), ["mine"]);
        }
        assert!(
            folder.remove_folder("two").is_err() || folder.remove_folder("one").is_err(),
            "one of them is not empty"
        );
    }
}
