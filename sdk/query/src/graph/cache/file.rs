//! Indexes in a folder, one file for each snapshot.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use integration_files::{input, owner_only};
use integration_store::SnapshotId;

use super::{IndexCache, IndexSink, IndexSource};

/// The ending of the name of a complete index.
const COMPLETE: &str = ".index";
/// The ending of the name of an index that is being written.
const INCOMPLETE: &str = ".incomplete";
/// The age in seconds from which on an incomplete index is considered abandoned.
const ABANDONED: u64 = 24 * 60 * 60;

/// A cache in a folder. Its files are readable by their owner only, because they contain the collected properties.
///
/// When the files together exceed the limit, those that were not used for the longest time are removed.
#[derive(Debug, Clone)]
pub struct FileCache {
    folder: PathBuf,
    limit: u64,
}

impl FileCache {
    /// The default limit: 1 GiB.
    pub const LIMIT: u64 = 1 << 30;

    /// Uses a folder, which is created when the first index is written.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), limit: Self::LIMIT }
    }

    /// Sets the maximum size of all files in bytes.
    #[must_use]
    pub fn limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    fn path(&self, snapshot: &SnapshotId) -> PathBuf {
        self.folder.join(format!("{}{COMPLETE}", snapshot.file_name()))
    }

    /// Removes the least recently used files until the limit is met, and abandoned incomplete files.
    fn evict(&self, newest: &Path) {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let Some((found, name)) = entry.metadata().ok().filter(fs::Metadata::is_file).zip(name.to_str()) else {
                continue;
            };
            let used = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if name.ends_with(COMPLETE) && path != newest {
                files.push((used, found.len(), path));
            } else if name.ends_with(INCOMPLETE) && used.elapsed().is_ok_and(|age| age.as_secs() > ABANDONED) {
                drop(fs::remove_file(path));
            }
        }
        files.sort_unstable_by(|one, other| other.cmp(one));
        let mut space = self.limit.saturating_sub(fs::metadata(newest).map_or(0, |found| found.len()));
        for (_, length, path) in files {
            match space.checked_sub(length) {
                Some(rest) => space = rest,
                None => drop(fs::remove_file(path)),
            }
        }
    }
}

impl IndexCache for FileCache {
    fn open(&self, snapshot: &SnapshotId) -> Option<Arc<dyn IndexSource>> {
        let file = input::open(&self.path(snapshot)).ok()?;
        let length = file.metadata().ok()?.len();
        // The time marks the last use. It is only a hint, and another user may own the file.
        let _ = file.set_modified(SystemTime::now());
        Some(Arc::new(OpenFile { file, length }))
    }

    fn create(&self, snapshot: &SnapshotId) -> io::Result<Box<dyn IndexSink>> {
        owner_only::create_folder(&self.folder)?;
        let path = self.path(snapshot);
        let incomplete = self.folder.join(format!("{:016x}{INCOMPLETE}", random()));
        let file = owner_only::create_new(&incomplete)?;
        Ok(Box::new(NewFile {
            cache: self.clone(),
            incomplete: Some(incomplete),
            path,
            out: BufWriter::with_capacity(1 << 18, file),
        }))
    }

    fn remove(&self, snapshot: &SnapshotId) {
        // A file that cannot be removed is ignored again when it is read.
        drop(fs::remove_file(self.path(snapshot)));
    }
}

/// Returns a number for a name that no other process uses.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// A file under a temporary name.
struct NewFile {
    cache: FileCache,
    incomplete: Option<PathBuf>,
    path: PathBuf,
    out: BufWriter<File>,
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl IndexSink for NewFile {
    fn finish(mut self: Box<Self>) -> io::Result<Arc<dyn IndexSource>> {
        self.out.flush()?;
        // The file need not survive a crash of the system: without all of its bytes, it is built again.
        if let Some(incomplete) = &self.incomplete {
            fs::rename(incomplete, &self.path)?;
        }
        self.incomplete = None;
        self.cache.evict(&self.path);
        let file = input::open(&self.path)?;
        let length = file.metadata()?.len();
        Ok(Arc::new(OpenFile { file, length }))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(incomplete) = &self.incomplete {
            drop(fs::remove_file(incomplete));
        }
    }
}

struct OpenFile {
    file: File,
    length: u64,
}

impl IndexSource for OpenFile {
    fn length(&self) -> u64 {
        self.length
    }

    #[cfg(unix)]
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, position)
    }

    #[cfg(windows)]
    fn read_at(&self, mut position: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, buffer, position)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    position += read as u64;
                    buffer = &mut buffer[read..];
                }
            }
        }
        Ok(())
    }
}
