//! The key of the vault.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use integration_files::{input, owner_only};
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::error::SecretError;
use crate::file;
use crate::vault_error::{VaultError, at};

/// The number of bytes of a key.
const LENGTH: usize = 32;

/// The maximum size of a key file, in bytes.
const LONGEST_FILE: u64 = 4096;

/// The place of the key.
#[derive(Clone)]
#[non_exhaustive]
pub enum KeySource {
    /// A file, which is created with the first entry.
    File(PathBuf),
    /// A key in base64, for example from an environment variable.
    Value(SecretString),
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

impl KeySource {
    /// Returns the keys. A file has two keys while they are being changed.
    pub(super) fn read(&self) -> Result<Vec<Key>, VaultError> {
        match self {
            Self::Value(text) => Ok(vec![Key::parse(text.expose_secret(), self)?]),
            Self::File(path) => match file::check_mode(path) {
                Ok(()) => {
                    let text = input::read_to_string(path, LONGEST_FILE).map_err(at("read", path))?;
                    let text = Zeroizing::new(text);
                    let keys: Result<Vec<Key>, _> =
                        text.split_whitespace().map(|line| Key::parse(line, self)).collect();
                    keys.and_then(|keys| if keys.is_empty() { Err(self.form()) } else { Ok(keys) })
                }
                Err(SecretError::Exposed { path, mode }) => Err(VaultError::KeyExposed { path, mode }),
                Err(SecretError::File { path, source }) if source.kind() == ErrorKind::NotFound => {
                    Err(VaultError::NoKeyFile { path })
                }
                Err(SecretError::File { path, source }) => Err(at("read", &path)(source)),
                Err(_) => Err(self.form()),
            },
        }
    }

    /// Returns the key for new entries. A missing file is created.
    pub(super) fn read_or_create(&self) -> Result<Key, VaultError> {
        if let Self::File(path) = self
            && !path.exists()
        {
            let key = Key::generate()?;
            path.parent().map_or(Ok(()), owner_only::create_folder).map_err(at("create the folder of", path))?;
            // Another process may have created it in the meantime; its key counts.
            match owner_only::create_new(path) {
                Ok(mut file) => {
                    let put = file.write_all(lines(&[&key]).as_bytes()).and_then(|()| file.sync_all());
                    put.map_err(at("write", path))?;
                    return Ok(key);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(at("write", path)(error)),
            }
        }
        // The last key of a file is the newest.
        self.read()?.pop().ok_or_else(|| self.form())
    }

    /// Returns the place for messages.
    pub(super) fn place(&self) -> String {
        match self {
            Self::File(path) => format!("the key file {}", path.display()),
            Self::Value(_) => "the key of the vault in the environment".to_owned(),
        }
    }

    fn form(&self) -> VaultError {
        VaultError::KeyForm { place: self.place() }
    }
}

/// Replaces a key file.
pub(super) fn write(path: &Path, keys: &[&Key]) -> Result<(), VaultError> {
    owner_only::replace(path, lines(keys).as_bytes()).map_err(at("write", path))
}

fn lines(keys: &[&Key]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for key in keys {
        STANDARD.encode_string(*key.bytes, &mut text);
        text.push('\n');
    }
    text
}

/// A key of 256 random bits.
pub(super) struct Key {
    bytes: Zeroizing<[u8; LENGTH]>,
}

impl Key {
    /// Creates a random key.
    pub(super) fn generate() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        SystemRandom::new().fill(&mut *bytes).map_err(|_| VaultError::Cipher)?;
        Ok(Self { bytes })
    }

    fn parse(text: &str, source: &KeySource) -> Result<Self, VaultError> {
        let decoded = STANDARD.decode(text.trim()).map(Zeroizing::new);
        let bytes = decoded.ok().and_then(|bytes| <[u8; LENGTH]>::try_from(bytes.as_slice()).ok());
        Ok(Self { bytes: Zeroizing::new(bytes.ok_or_else(|| source.form())?) })
    }

    /// Returns the identifier of the key: 96 bits of a digest, from which the key cannot be guessed.
    pub(super) fn id(&self) -> String {
        let mut text = Zeroizing::new(b"integration-secrets key id\0".to_vec());
        text.extend_from_slice(&*self.bytes);
        URL_SAFE_NO_PAD.encode(&digest(&SHA256, &text).as_ref()[..12])
    }

    /// Returns the cipher with this key.
    pub(super) fn cipher(&self) -> Result<LessSafeKey, VaultError> {
        let key = UnboundKey::new(&AES_256_GCM, &*self.bytes).map_err(|_| VaultError::Cipher)?;
        Ok(LessSafeKey::new(key))
    }
}
