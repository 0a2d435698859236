//! Reading of secrets from their places.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use secrecy::SecretString;
use secrecy::zeroize::Zeroize;

use crate::error::{LONGEST_SECRET, SecretError};
use crate::file;
use crate::reference::SecretReference;
use crate::vault::Vault;

/// The time after which a command is ended.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

type Variables = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// Reads secrets from their places.
#[derive(Clone)]
pub struct Resolver {
    variables: Variables,
    base: PathBuf,
    vault: Option<Vault>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("base", &self.base).field("vault", &self.vault).finish_non_exhaustive()
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new()
    }
}

impl Resolver {
    /// Creates a resolver without variables and without a vault.
    pub fn new() -> Self {
        Self { variables: Arc::new(|_| None), base: PathBuf::new(), vault: None }
    }

    /// Sets the source of environment variables, in programs `std::env::var_os`.
    #[must_use]
    pub fn variables(mut self, variables: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        self.variables = Arc::new(variables);
        self
    }

    /// Sets the folder of relative paths, by default the current directory.
    #[must_use]
    pub fn base(mut self, folder: impl Into<PathBuf>) -> Self {
        self.base = folder.into();
        self
    }

    /// Sets the vault.
    #[must_use]
    pub fn vault(mut self, vault: Vault) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Reads a secret. Line breaks at its end are removed.
    ///
    /// # Errors
    /// [`SecretError`] if the place cannot be read, is accessible to other users, or contains no text.
    pub async fn resolve(&self, reference: &SecretReference) -> Result<SecretString, SecretError> {
        let bytes = match reference {
            SecretReference::Env(name) => {
                let value = (self.variables)(name).ok_or_else(|| SecretError::Variable { name: name.clone() })?;
                value.into_encoded_bytes()
            }
            SecretReference::File(path) => {
                let (path, credentials) = self.path(path)?;
                file::read(&path, credentials.as_deref())?
            }
            SecretReference::Command(command) => command.output(COMMAND_LIMIT).await?,
            SecretReference::Vault(name) => {
                let vault = self.vault.as_ref();
                let vault = vault.ok_or_else(|| SecretError::NoVault { reference: reference.to_string() })?;
                return Ok(vault.get(name)?);
            }
        };
        text(bytes, reference)
    }
}

impl Resolver {
    /// Returns a text that changes with the place of a secret: a new entry of the vault, or another version of a file.
    ///
    /// It reveals nothing about the secret. `None` means that the place has no state that can be read without the secret, as a
    /// variable or a command, or cannot be read.
    pub fn state_of(&self, reference: &SecretReference) -> Option<String> {
        match reference {
            SecretReference::Vault(name) => self.vault.as_ref()?.state_of(name),
            SecretReference::File(path) => {
                let metadata = self.path(path).ok()?.0.metadata().ok()?;
                let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
                Some(format!("{} {}", modified.as_nanos(), metadata.len()))
            }
            SecretReference::Env(_) | SecretReference::Command(_) => None,
        }
    }

    /// Returns the path of a file, and the directory of credentials.
    fn path(&self, path: &Path) -> Result<(PathBuf, Option<PathBuf>), SecretError> {
        let credentials = (self.variables)("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Ok((self.base.join(file::expanded(path, credentials.as_deref())?), credentials))
    }
}

/// Returns the text of a secret without the line breaks at its end. All other copies are overwritten.
fn text(bytes: Vec<u8>, reference: &SecretReference) -> Result<SecretString, SecretError> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        error.into_bytes().zeroize();
        SecretError::Encoding { reference: reference.to_string() }
    })?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.trim().is_empty() {
        return Err(SecretError::Empty { reference: reference.to_string() });
    }
    if text.len() as u64 > LONGEST_SECRET {
        text.zeroize();
        return Err(SecretError::TooLong { reference: reference.to_string() });
    }
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn resolver() -> Resolver {
        Resolver::new().variables(|name| match name {
            "KEY" => Some("s3cret\r\n".into()),
            "BLANK" => Some(" \n".into()),
            _ => None,
        })
    }

    async fn read(text: &str) -> Result<String, SecretError> {
        let reference = text.parse().expect("a reference");
        resolver().resolve(&reference).await.map(|secret| secret.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn a_variable_is_read_without_its_line_break() {
        assert_eq!(read("env:KEY").await.expect("a secret"), "s3cret");
        assert!(matches!(read("env:NONE").await, Err(SecretError::Variable { .. })));
        assert!(matches!(read("env:BLANK").await, Err(SecretError::Empty { .. })));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_relative_file_is_below_the_base() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, "two\nlines\n\n").expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("ours");
        let reference = "file:key".parse().expect("a reference");
        let secret = resolver().base(folder.path()).resolve(&reference).await.expect("a secret");
        assert_eq!(secret.expose_secret(), "two\nlines");
        let state = resolver().base(folder.path()).state_of(&reference);
        std::fs::write(&path, b"\xff\xfe").expect("a file");
        assert_ne!(state, resolver().base(folder.path()).state_of(&reference), "another version of the file");
        let error = resolver().base(folder.path()).resolve(&reference).await.expect_err("no text");
        assert!(matches!(error, SecretError::Encoding { .. }));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_is_run_without_a_shell() {
        assert_eq!(read("command:echo $KEY ';' ls").await.expect("a secret"), "$KEY ; ls");
        assert!(matches!(read("command:true").await, Err(SecretError::Empty { .. })));
    }

    #[tokio::test]
    async fn an_entry_needs_a_vault() {
        assert!(matches!(read("vault:east/api_key").await, Err(SecretError::NoVault { .. })));
    }

    #[test]
    fn a_resolver_shows_no_variables() {
        assert!(!format!("{:?}", resolver()).contains("s3cret"));
    }
}
