//! Files with a secret, and the check of their modes.

use std::path::{Component, Path, PathBuf};

use integration_files::input;

use crate::error::{LONGEST_SECRET, SecretError};

/// The word that stands for the directory of a service's credentials, as in the units of systemd.
pub(crate) const CREDENTIALS: &str = "$CREDENTIALS_DIRECTORY";

/// The folders in which container engines place secrets, mode 0444, for the processes of one container.
const CONTAINER: [&str; 2] = ["/run/secrets", "/var/run/secrets"];

/// Reads a file with a secret.
///
/// A file that its group or all users can read is refused, except where the system itself limits the access: in the
/// directory of a service's credentials, and in the secrets of a container.
pub(crate) fn read(path: &Path, credentials: Option<&Path>) -> Result<Vec<u8>, SecretError> {
    let failed = |source| SecretError::File { path: path.to_owned(), source };
    if !is_protected(path, credentials) {
        check_mode(path)?;
    }
    input::read(path, LONGEST_SECRET).map_err(failed)
}

/// Returns whether the system itself limits the access to a file.
fn is_protected(path: &Path, credentials: Option<&Path>) -> bool {
    let mut folders = CONTAINER.iter().map(Path::new).chain(credentials);
    !path.components().any(|part| part == Component::ParentDir) && folders.any(|folder| path.starts_with(folder))
}

/// Returns an error if other users can read a file.
#[cfg(unix)]
pub(crate) fn check_mode(path: &Path) -> Result<(), SecretError> {
    use std::os::unix::fs::MetadataExt;

    let found = std::fs::metadata(path).map_err(|source| SecretError::File { path: path.to_owned(), source })?;
    let mode = found.mode() & 0o777;
    // A readable file exposes the secret, and a writable one allows its replacement.
    if found.is_file() && mode & 0o066 != 0 {
        return Err(SecretError::Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Returns no error, because the system has no modes.
#[cfg(not(unix))]
pub(crate) fn check_mode(_: &Path) -> Result<(), SecretError> {
    Ok(())
}

/// Returns the path with the directory of credentials in place of its word.
pub(crate) fn expanded(path: &Path, credentials: Option<&Path>) -> Result<PathBuf, SecretError> {
    match (path.strip_prefix(CREDENTIALS), credentials) {
        (Ok(rest), Some(folder)) => Ok(folder.join(rest)),
        (Ok(_), None) => Err(SecretError::NoCredentials { path: path.to_owned() }),
        (Err(_), _) => Ok(path.to_owned()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(folder: &Path, mode: u32) -> PathBuf {
        let path = folder.join("key");
        fs::write(&path, "s3cret\n").expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("ours");
        path
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().expect("a folder");
        for mode in [0o600, 0o400, 0o700] {
            assert_eq!(read(&file(folder.path(), mode), None).expect("a secret"), b"s3cret\n");
        }
        for mode in [0o640, 0o604, 0o644, 0o620] {
            let error = read(&file(folder.path(), mode), None).expect_err("exposed").to_string();
            assert!(error.contains("chmod 600") && error.contains(&format!("{mode:04o}")), "{error}");
        }
    }

    #[test]
    fn a_credential_of_systemd_is_read_whatever_its_mode() {
        let folder = tempfile::tempdir().expect("a folder");
        file(folder.path(), 0o440);
        let path = expanded(Path::new("$CREDENTIALS_DIRECTORY/key"), Some(folder.path())).expect("a path");
        assert_eq!(read(&path, Some(folder.path())).expect("a secret"), b"s3cret\n");
        assert!(read(&path, None).is_err(), "elsewhere, the mode counts");
        let around = folder.path().join("inner/../key");
        fs::create_dir(folder.path().join("inner")).expect("a folder");
        assert!(read(&around, Some(&folder.path().join("inner"))).is_err(), "the path leads out of the directory");
        let error = expanded(Path::new("$CREDENTIALS_DIRECTORY/key"), None).expect_err("no directory").to_string();
        assert!(error.contains("LoadCredential"), "{error}");
    }

    #[test]
    fn only_regular_files_of_a_bounded_size_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(read(&folder.path().join("none"), None), Err(SecretError::File { .. })));
        assert!(read(folder.path(), None).is_err() && read(Path::new("/dev/zero"), None).is_err());
        let long = folder.path().join("long");
        fs::write(&long, vec![b'a'; usize::try_from(LONGEST_SECRET).expect("small") + 1]).expect("a file");
        fs::set_permissions(&long, Permissions::from_mode(0o600)).expect("ours");
        assert!(read(&long, None).is_err());
    }
}
