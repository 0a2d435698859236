//! The file of a data directory.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use integration_files::{input, owner_only};

use crate::document::{parse, to_yaml};
use crate::error::InstancesError;
use crate::instance::Instance;

/// The name of the file in the data directory.
pub const FILE: &str = "instances.yaml";

/// The file whose lock excludes other writers.
const LOCK: &str = "instances.lock";

/// Reads the instances of a data directory. A missing file contains none.
///
/// # Errors
/// [`InstancesError`] if the file cannot be read, or its content is not usable.
pub fn read(data_dir: &Path, integration: &str) -> Result<Vec<Instance>, InstancesError> {
    let path = data_dir.join(FILE);
    match input::read_to_string(&path, input::DOCUMENT) {
        Ok(text) => parse(&text, integration).map_err(|source| InstancesError::Content { path, source }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(InstancesError::File { action: "read", path, source }),
    }
}

/// The opened file, which no other process can change.
///
/// ```
/// use integration_instances::{Instance, InstanceFile, check_name, read};
///
/// # let folder = tempfile::tempdir()?;
/// let mut file = InstanceFile::open(folder.path(), "heroku")?;
/// file.instances.push(Instance::new(check_name("production")?, "heroku"));
/// file.save()?;
/// assert_eq!(read(folder.path(), "heroku")?[0].name.as_str(), "production");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct InstanceFile {
    path: PathBuf,
    /// The instances, in the order of the file.
    pub instances: Vec<Instance>,
    /// The lock ends when the file is closed.
    _lock: File,
}

impl InstanceFile {
    /// Opens the file of a data directory for a change, and waits until other processes have ended theirs.
    ///
    /// # Errors
    /// [`InstancesError`] if the file cannot be read, or its content is not usable.
    pub fn open(data_dir: &Path, integration: &str) -> Result<Self, InstancesError> {
        let path = data_dir.join(LOCK);
        let failed = |source| InstancesError::File { action: "lock", path: path.clone(), source };
        owner_only::create_folder(data_dir).map_err(failed)?;
        let lock = owner_only::open(&path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self { path: data_dir.join(FILE), instances: read(data_dir, integration)?, _lock: lock })
    }

    /// Replaces the file. Its comments are lost.
    ///
    /// # Errors
    /// [`InstancesError`] if the file cannot be written; it then keeps its content.
    pub fn save(&self) -> Result<(), InstancesError> {
        let text = to_yaml(&self.instances)?;
        let failed = |source| InstancesError::File { action: "write", path: self.path.clone(), source };
        owner_only::replace(&self.path, text.as_bytes()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::check_name;

    #[test]
    fn a_file_is_created_changed_and_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read(folder.path(), "heroku").expect("no file").is_empty());
        for name in ["east", "west"] {
            let mut file = InstanceFile::open(folder.path(), "heroku").expect("a file");
            file.instances.push(Instance::new(check_name(name).expect("a name"), "heroku"));
            file.save().expect("a disk");
        }
        let names: Vec<String> = read(folder.path(), "zoom")
            .expect("a file")
            .into_iter()
            .map(|instance| instance.name.to_string())
            .collect();
        assert_eq!(names, ["east", "west"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.path().join(FILE)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        std::fs::write(&path, "instances:\n  - nam: x\n").expect("a file");
        let error = InstanceFile::open(folder.path(), "heroku").expect_err("misspelt").to_string();
        assert!(error.contains("instances.yaml, line 2") && error.contains("`nam`"), "{error}");
        std::fs::remove_file(&path).expect("removed");
        std::fs::create_dir(&path).expect("a folder");
        assert!(matches!(read(folder.path(), "heroku"), Err(InstancesError::File { .. })));
    }
}
