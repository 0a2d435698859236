//! Requests of people for a run, as files in the data directory.
//!
//! The permissions of the data directory decide who may request a run, so neither a port nor a token is needed. A request
//! stays until a scheduler has stored it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use integration_files::{input, owner_only};

const FOLDER: &str = "requests";
/// The maximum length of the name of an instance, in bytes.
const LONGEST_NAME: u64 = 1_024;
/// The maximum number of requests that are read at once.
const MOST: usize = 10_000;

/// Requests a run of an instance from the scheduler of a data directory.
///
/// The scheduler reads the request within a few seconds, or when it starts. Several requests before that cause one run.
///
/// # Errors
/// The error of the operating system.
pub fn request_run(directory: &Path, instance: &str) -> io::Result<()> {
    let folder = directory.join(FOLDER);
    owner_only::create_folder(&folder)?;
    // The name of an instance is no file name. A new file appears under its final name with its contents.
    let name = format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
    let incomplete = folder.join(format!(".{name}"));
    owner_only::create_new(&incomplete)?.write_all(instance.as_bytes())?;
    fs::rename(&incomplete, folder.join(name))
}

/// The requests of a data directory, as the scheduler sees them.
#[derive(Debug)]
pub(crate) struct RequestFolder {
    folder: PathBuf,
    /// The files that were read and not removed yet.
    taken: BTreeSet<PathBuf>,
}

impl RequestFolder {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { folder: directory.join(FOLDER), taken: BTreeSet::new() }
    }

    /// Returns the requested instances. Files that cannot be read are left alone.
    pub(crate) fn read(&mut self) -> io::Result<BTreeSet<String>> {
        let mut instances = BTreeSet::new();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(instances),
            Err(error) => return Err(error),
        };
        for entry in entries.take(MOST) {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            if name.as_encoded_bytes().starts_with(b".") || self.taken.contains(&path) {
                continue;
            }
            if let Ok(instance) = input::read_to_string(&path, LONGEST_NAME) {
                instances.insert(instance.trim().to_owned());
                self.taken.insert(path);
            }
        }
        Ok(instances)
    }

    /// Removes the files that were read, after the scheduler has stored their requests.
    ///
    /// A file that cannot be removed is not read again by this process, so that it does not cause endless runs.
    pub(crate) fn stored(&mut self) {
        self.taken.retain(|path| match fs::remove_file(path) {
            Ok(()) => false,
            Err(error) => error.kind() != ErrorKind::NotFound,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_instance_are_combined_and_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut requests = RequestFolder::new(folder.path());
        assert!(requests.read().expect("no folder").is_empty());
        for instance in ["east", "../west", "east"] {
            request_run(folder.path(), instance).expect("a disk");
        }
        let read = requests.read().expect("a folder");
        assert_eq!(read.into_iter().collect::<Vec<_>>(), ["../west", "east"]);
        request_run(folder.path(), "south").expect("a disk");
        requests.stored();
        // Another process reads only the request that this one has not stored.
        let left = RequestFolder::new(folder.path()).read().expect("a folder");
        assert_eq!(left.into_iter().collect::<Vec<_>>(), ["south"]);
    }

    #[test]
    fn a_file_that_cannot_be_removed_is_one_request() {
        let folder = tempfile::tempdir().expect("a folder");
        request_run(folder.path(), "east").expect("a disk");
        let mut requests = RequestFolder::new(folder.path());
        assert_eq!(requests.read().expect("a folder").len(), 1);
        assert!(requests.read().expect("a folder").is_empty());
    }
}
