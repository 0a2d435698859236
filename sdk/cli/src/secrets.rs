//! The secrets of a data directory: the vault with its key, and the resolver of references.

use std::env::var_os;
use std::path::{Path, PathBuf};

use integration_secrets::{KeySource, Resolver, SecretString, Vault};

/// The variable with the key of the vault, in base64.
pub(crate) const KEY: &str = "INTEGRATION_VAULT_KEY";
/// The variable with the path of the key file.
pub(crate) const KEY_FILE: &str = "INTEGRATION_VAULT_KEY_FILE";
/// The name of the key file in the data directory, and of the credential of a service.
const FILE: &str = "vault.key";

/// Returns the vault of a data directory.
///
/// The key is the variable [`KEY`], the file that [`KEY_FILE`] names, the credential `vault.key` of the service, or the file
/// `vault.key` in the data directory, in this order.
pub(crate) fn vault(data_dir: &Path) -> Vault {
    Vault::new(data_dir, key(data_dir))
}

fn key(data_dir: &Path) -> KeySource {
    let set = |name: &str| var_os(name).filter(|value| !value.is_empty());
    if let Some(key) = set(KEY) {
        return KeySource::Value(SecretString::from(key.to_string_lossy().into_owned()));
    }
    let credential =
        || set("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(FILE)).filter(|path| path.exists());
    let path = set(KEY_FILE).map(PathBuf::from).or_else(credential);
    KeySource::File(path.unwrap_or_else(|| data_dir.join(FILE)))
}

/// Returns the resolver of references that a person writes on the command line. Relative paths are below the current
/// directory.
pub(crate) fn resolver(data_dir: &Path) -> Resolver {
    Resolver::new().variables(|name| var_os(name)).vault(vault(data_dir))
}
