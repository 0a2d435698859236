//! Entered secrets, encrypted at rest.
//!
//! The file is JSON. Each entry is sealed with AES-256-GCM under a random nonce, with its name as associated data, so that
//! an entry copied to another name cannot be opened. A digest of the key identifies the key before an entry is opened.
//!
//! An attacker who can write the file can restore an earlier version of an entry under the same name; that cannot be
//! recognised without state elsewhere.

mod content;
mod key;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use integration_files::owner_only;
use secrecy::{ExposeSecret, SecretString};

use crate::entry_name::is_name;
use crate::vault_error::VaultError;
use content::Content;
use key::Key;

pub use key::KeySource;

/// The file of the vault in the data directory.
const FILE: &str = "secrets.vault";
/// The file whose lock excludes other writers.
const LOCK: &str = "secrets.lock";

/// The entered secrets of a data directory.
///
/// Every call reads the file, so that several processes may use one vault. Changes exclude each other by a lock, and
/// replace the file as a whole.
///
/// ```
/// use integration_secrets::{ExposeSecret, KeySource, Vault};
///
/// # let folder = tempfile::tempdir()?;
/// let vault = Vault::new(folder.path(), KeySource::File(folder.path().join("vault.key")));
/// vault.set("production/api_key", &"s3cret".into())?;
/// assert_eq!(vault.get("production/api_key")?.expose_secret(), "s3cret");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Vault {
    folder: PathBuf,
    key: Arc<KeySource>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("folder", &self.folder).field("key", &self.key).finish()
    }
}

impl Vault {
    /// Creates the vault of a folder. Nothing is read or written yet.
    pub fn new(folder: impl Into<PathBuf>, key: KeySource) -> Self {
        Self { folder: folder.into(), key: Arc::new(key) }
    }

    /// Returns the path of the encrypted file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Returns the names of the entries, sorted. It needs no key.
    ///
    /// # Errors
    /// [`VaultError`] if the file cannot be read.
    pub fn names(&self) -> Result<Vec<String>, VaultError> {
        Ok(Content::read(&self.path())?.names())
    }

    /// Returns an entry.
    ///
    /// # Errors
    /// [`VaultError::NoEntry`] if there is none; other errors if the key is missing or wrong, or the file was altered.
    pub fn get(&self, name: &str) -> Result<SecretString, VaultError> {
        let content = Content::read(&self.path())?;
        if !content.has(name) {
            return Err(VaultError::NoEntry { name: name.to_owned() });
        }
        content.open(name, &self.key_of(&content)?, &self.path())
    }

    /// Returns a text that changes with every new value of an entry. It needs no key, and reveals nothing about the secret.
    pub(crate) fn state_of(&self, name: &str) -> Option<String> {
        Content::read(&self.path()).ok()?.nonce(name)
    }

    /// Adds or replaces an entry. With the first entry, a missing key file is created.
    ///
    /// # Errors
    /// [`VaultError`] if the name is unusable, the key does not open the other entries, or the file cannot be written.
    pub fn set(&self, name: &str, secret: &SecretString) -> Result<(), VaultError> {
        if !is_name(name) {
            return Err(VaultError::Name);
        }
        let _lock = self.lock()?;
        let mut content = Content::read(&self.path())?;
        let key = if content.is_empty() { self.key.read_or_create()? } else { self.key_of(&content)? };
        content.seal(name, secret.expose_secret(), &key)?;
        content.write(&self.path())
    }

    /// Removes an entry, and returns whether there was one. It needs no key.
    ///
    /// # Errors
    /// [`VaultError`] if the file cannot be read or written.
    pub fn remove(&self, name: &str) -> Result<bool, VaultError> {
        if !self.path().exists() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        let mut content = Content::read(&self.path())?;
        let existed = content.remove(name);
        if existed {
            content.write(&self.path())?;
        }
        Ok(existed)
    }

    /// Encrypts all entries under a new key.
    ///
    /// A key file is replaced. It contains both keys until the entries are written, so that a process that is killed leaves
    /// no entry without its key. If the key comes from the caller, `new` is the key to use from now on.
    ///
    /// # Errors
    /// [`VaultError`] if an entry cannot be opened, or a file cannot be written. The entries then keep their key.
    pub fn change_key(&self, new: Option<&KeySource>) -> Result<(), VaultError> {
        let _lock = self.lock()?;
        let content = Content::read(&self.path())?;
        if content.is_empty() {
            return Ok(());
        }
        let former = self.key_of(&content)?;
        let (key, own_file) = match (new, &*self.key) {
            (Some(new), _) => (new.read_or_create()?, None),
            (None, KeySource::File(path)) => (Key::generate()?, Some(path)),
            (None, KeySource::Value(_)) => return Err(VaultError::NoNewKey),
        };
        if let Some(path) = own_file {
            key::write(path, &[&former, &key])?;
        }
        content.under(&former, &key, &self.path())?.write(&self.path())?;
        own_file.map_or(Ok(()), |path| key::write(path, &[&key]))
    }

    /// Returns the key that opens the entries.
    fn key_of(&self, content: &Content) -> Result<Key, VaultError> {
        let keys = self.key.read()?;
        let found = keys.into_iter().find(|key| content.is_sealed_with(key));
        found.ok_or_else(|| VaultError::WrongKey { path: self.path(), key: self.key.place() })
    }

    fn lock(&self) -> Result<File, VaultError> {
        let path = self.folder.join(LOCK);
        let failed = |source| VaultError::File { action: "lock", path: path.clone(), source };
        let lock = owner_only::open(&path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(lock)
    }
}
