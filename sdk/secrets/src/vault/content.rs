//! The content of the file, and the encryption of its entries.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use integration_files::{input, owner_only};
use ring::aead::{Aad, NONCE_LEN, Nonce};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use super::key::Key;
use crate::vault_error::{VaultError, at};

/// The version of the file form.
const VERSION: u32 = 1;

/// The content of the file.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    version: u32,
    /// The identifier of the key of all entries.
    key: String,
    entries: BTreeMap<String, Entry>,
}

/// An encrypted secret. Both values are in base64.
#[derive(Serialize, Deserialize)]
struct Entry {
    nonce: String,
    sealed: String,
}

/// The part of a file that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Content {
    /// Reads the file. A missing file has no entries.
    pub(super) fn read(path: &Path) -> Result<Self, VaultError> {
        let bytes = match input::read(path, input::DOCUMENT) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(at("read", path)(error)),
        };
        let damaged =
            |error: serde_json::Error| VaultError::Damaged { path: path.to_owned(), reason: error.to_string() };
        let Version { version } = serde_json::from_slice(&bytes).map_err(damaged)?;
        if version > VERSION {
            return Err(VaultError::Newer { path: path.to_owned() });
        }
        serde_json::from_slice(&bytes).map_err(damaged)
    }

    /// Replaces the file.
    pub(super) fn write(&self, path: &Path) -> Result<(), VaultError> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| at("write", path)(error.into()))?;
        owner_only::replace(path, &text).map_err(at("write", path))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Returns the nonce of an entry, which is another one for each value.
    pub(super) fn nonce(&self, name: &str) -> Option<String> {
        self.entries.get(name).map(|entry| entry.nonce.clone())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn is_sealed_with(&self, key: &Key) -> bool {
        self.key == key.id()
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.entries.remove(name).is_some()
    }

    /// Adds or replaces an entry.
    pub(super) fn seal(&mut self, name: &str, secret: &str, key: &Key) -> Result<(), VaultError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| VaultError::Cipher)?;
        // The tag is appended in place: without the reserve, the vector would move and leave a copy of the secret.
        let cipher = key.cipher()?;
        let mut sealed = Vec::with_capacity(secret.len() + cipher.algorithm().tag_len());
        sealed.extend_from_slice(secret.as_bytes());
        let nonce_value = Nonce::assume_unique_for_key(nonce);
        cipher.seal_in_place_append_tag(nonce_value, associated(name), &mut sealed).map_err(|_| VaultError::Cipher)?;
        (self.version, self.key) = (VERSION, key.id());
        let entry = Entry { nonce: STANDARD.encode(nonce), sealed: STANDARD.encode(sealed) };
        self.entries.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Decrypts an entry.
    pub(super) fn open(&self, name: &str, key: &Key, path: &Path) -> Result<SecretString, VaultError> {
        let opened = self.entries.get(name).and_then(|entry| entry.open(name, key));
        opened.ok_or_else(|| VaultError::Altered { path: path.to_owned(), name: name.to_owned() })
    }

    /// Returns the same entries under another key.
    pub(super) fn under(&self, former: &Key, key: &Key, path: &Path) -> Result<Self, VaultError> {
        use secrecy::ExposeSecret;

        let mut content = Self::default();
        for name in self.entries.keys() {
            content.seal(name, self.open(name, former, path)?.expose_secret(), key)?;
        }
        Ok(content)
    }
}

impl Entry {
    fn open(&self, name: &str, key: &Key) -> Option<SecretString> {
        let nonce = Nonce::try_assume_unique_for_key(&STANDARD.decode(&self.nonce).ok()?).ok()?;
        let mut sealed = Zeroizing::new(STANDARD.decode(&self.sealed).ok()?);
        let opened = key.cipher().ok()?.open_in_place(nonce, associated(name), &mut sealed).ok()?;
        Some(SecretString::from(std::str::from_utf8(opened).ok()?))
    }
}

/// The associated data of an entry.
fn associated(name: &str) -> Aad<Vec<u8>> {
    Aad::from([b"integration-secrets 1\0", name.as_bytes()].concat())
}
