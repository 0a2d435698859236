//! Reading of files that other people or programs wrote.
//!
//! A path can refer to a pipe without a writer, to an endless device, or to a file larger than the memory. Therefore
//! every file that this program did not write itself is opened here: only regular files, and only up to a given size.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("settings.json");
//! # std::fs::write(&path, "{}")?;
//! use integration_files::input;
//!
//! let bytes = input::read(&path, input::DOCUMENT)?;
//! assert_eq!(bytes, b"{}");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// The maximum size of a settings file, such as `.env`: 1 MiB.
pub const SETTINGS: u64 = 1 << 20;
/// The maximum size of a whole document, such as a schema: 16 MiB.
pub const DOCUMENT: u64 = 16 << 20;
/// The maximum size of one file of a recording: 512 MiB.
pub const RECORDING: u64 = 512 << 20;

/// The reason why a path is not read. It is the inner error of the returned [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsuitable {
    /// The path does not refer to a regular file.
    #[error("it is {0}, and only regular files are read")]
    NotRegular(&'static str),
    /// The file is larger than the limit.
    #[error("it is larger than {mebibytes} MiB, the most that is read of such a file", mebibytes = .0.div_ceil(1 << 20))]
    TooLarge(u64),
}

impl From<Unsuitable> for io::Error {
    fn from(reason: Unsuitable) -> Self {
        let kind = match reason {
            Unsuitable::NotRegular(_) => io::ErrorKind::InvalidInput,
            Unsuitable::TooLarge(_) => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, reason)
    }
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// [`io::Error`] if the path cannot be opened or read; its inner error is [`Unsuitable`] if it is not a regular file
/// or is larger than `limit`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    if file.metadata()?.len() > limit {
        return Err(Unsuitable::TooLarge(limit).into());
    }
    let mut bytes = Vec::new();
    // The file can grow in the meantime, and some file systems report no sizes.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(Unsuitable::TooLarge(limit).into()) } else { Ok(bytes) }
}

/// Reads a regular file of at most `limit` bytes as text in UTF-8.
///
/// # Errors
/// The same as [`read`], and [`io::ErrorKind::InvalidData`] if the file is not UTF-8.
pub fn read_to_string(path: &Path, limit: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, limit)?);
    text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// Opens a regular file for reading without waiting for the other end of a pipe.
///
/// # Errors
/// [`io::Error`] if the path cannot be opened; its inner error is [`Unsuitable`] if it is not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().read(true))
}

/// Opens a regular or missing file with other options, such as for writing.
///
/// # Errors
/// The same as [`open`].
pub fn open_with(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // Opening a device can have effects, so the type is checked first. It is checked again afterwards, because the path
    // may refer to another file by then. In that case, the flag prevents the call from waiting.
    match std::fs::metadata(path) {
        Ok(metadata) => refuse_irregular(&metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    refuse_irregular(&file.metadata()?)?;
    Ok(file)
}

/// Checks a file that another library opens: it must be regular or not exist.
///
/// # Errors
/// [`io::Error`] with [`Unsuitable`] as its inner error, or if the metadata of the path cannot be read.
pub fn check(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(metadata) => refuse_irregular(&metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn refuse_irregular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(Unsuitable::NotRegular(name_of(metadata.file_type())).into()) }
}

#[cfg(unix)]
fn name_of(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => "no regular file",
    }
}

#[cfg(not(unix))]
fn name_of(kind: FileType) -> &'static str {
    if kind.is_dir() { "a folder" } else { "no regular file" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(result: io::Result<impl std::fmt::Debug>) -> Unsuitable {
        let error = result.expect_err("refused");
        *error.get_ref().and_then(|inner| inner.downcast_ref()).expect("a reason of this module")
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(reason(read(&path, 4)), Unsuitable::TooLarge(4));
        assert_eq!(read_to_string(&path, 5).unwrap(), "12345");
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_to_string(&path, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read(&folder.path().join("b"), 4).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_devices_sockets_and_folders_are_refused_at_once_through_links_too() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        std::os::unix::fs::symlink(at("pipe"), at("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        assert_eq!(reason(open(&at("pipe"))), Unsuitable::NotRegular("a named pipe"));
        assert_eq!(
            reason(open_with(&at("link"), OpenOptions::new().write(true))),
            Unsuitable::NotRegular("a named pipe")
        );
        assert_eq!(reason(read(Path::new("/dev/zero"), 10)), Unsuitable::NotRegular("a device"));
        assert_eq!(reason(check(&at("socket"))), Unsuitable::NotRegular("a socket"));
        assert_eq!(reason(open(folder.path())), Unsuitable::NotRegular("a folder"));
        assert!(check(&at("nothing")).is_ok());
    }
}
