//! The errors of the vault.

use std::path::{Path, PathBuf};

use crate::entry_name::LONGEST_NAME;

/// The reason why the vault cannot be used. No variant contains a secret or a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The name of an entry is unusable.
    #[error("the name of a secret has 1 to {LONGEST_NAME} printable characters")]
    Name,
    /// There is no such entry.
    #[error("the vault has no secret {name:?}: enter it again")]
    NoEntry {
        /// The name of the entry.
        name: String,
    },
    /// The entries were encrypted with another key.
    #[error("{key} does not open {path}, which was encrypted with another key: restore that key, or enter the secrets again", path = path.display())]
    WrongKey {
        /// The file of the vault.
        path: PathBuf,
        /// The place of the key.
        key: String,
    },
    /// The entry was altered, or copied from another name.
    #[error("the secret {name:?} in {path} was altered and cannot be decrypted: enter it again", path = path.display())]
    Altered {
        /// The file of the vault.
        path: PathBuf,
        /// The name of the entry.
        name: String,
    },
    /// The file has another form.
    #[error("{path} is no vault, or is damaged ({reason}): restore it from a backup, or remove it and enter the secrets again", path = path.display())]
    Damaged {
        /// The file of the vault.
        path: PathBuf,
        /// The defect.
        reason: String,
    },
    /// A later version of the program wrote the file.
    #[error("{path} was written by a newer version of this program", path = path.display())]
    Newer {
        /// The file of the vault.
        path: PathBuf,
    },
    /// The key file is missing, although there are entries.
    #[error("the key file {path} is missing: restore it, or remove the vault and enter the secrets again", path = path.display())]
    NoKeyFile {
        /// The path of the key file.
        path: PathBuf,
    },
    /// The key has another form.
    #[error("{place} contains no key: expected 32 random bytes in base64, such as from `openssl rand -base64 32`")]
    KeyForm {
        /// The place of the key.
        place: String,
    },
    /// Other users can read the key file.
    #[error("the key file {path} is not used, because other users can access it (mode {mode:04o}): run `chmod 600 {path}`", path = path.display())]
    KeyExposed {
        /// The path of the key file.
        path: PathBuf,
        /// The mode of the file.
        mode: u32,
    },
    /// The key of the caller is changed without a new key.
    #[error("the key comes from the configuration of the process: provide the new key")]
    NoNewKey,
    /// The system provides no random bytes, or the cipher failed.
    #[error("the secret cannot be encrypted: the system provides no random bytes")]
    Cipher,
    /// A file cannot be accessed.
    #[error("cannot {action} {path}: {source}", path = path.display())]
    File {
        /// The failed action.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

/// Returns a function that adds the path to an error of the operating system.
pub(crate) fn at(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> VaultError {
    let path = path.to_owned();
    move |source| VaultError::File { action, path, source }
}
