//! Variables from the environment and from `.env` files. The process environment is never changed.
//!
//! ```text
//!   strongest:  the process environment
//!               .env.NAME    with --instance NAME
//!   weakest:    .env
//! ```
//!
//! A field may be set by several variables (`HEROKU_API_KEY`, `API_KEY`). The strongest layer that sets any of them
//! determines the field, so that an instance never combines its credentials with those of another instance.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use integration_instances::{ConfigValue, Instance};
use integration_sdk::config::{Field, Values};
use integration_sdk::url::Url;
use integration_sdk::{Integration, input};

use crate::dotenv::{self, Encoding, Reason, SkippedLine};

/// The maximum number of line numbers in a warning.
const SHOWN_LINES: usize = 10;

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Environment,
    File(PathBuf),
    Sample,
    Instance(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("the environment"),
            Self::File(path) => path.display().fmt(f),
            Self::Sample => f.write_str("the fake provider"),
            Self::Instance(name) => write!(f, "the instance {name}"),
        }
    }
}

/// An error in a file of variables. Messages never contain the file's content, which may be secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VariablesError {
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}, line {line}: {reason}", path = path.display())]
    Malformed { path: PathBuf, line: usize, reason: Reason },
    #[error("{path} is encoded in UTF-16, the default of PowerShell: save it as UTF-8", path = path.display())]
    Utf16 { path: PathBuf },
}

/// An address with a different origin than the secret that is sent to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MismatchedAddress {
    address: String,
    origin: Origin,
    secret: String,
    elsewhere: Origin,
    host: String,
}

impl fmt::Display for MismatchedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, origin, secret, elsewhere, host } = self;
        write!(
            f,
            "{secret} is set by {elsewhere}, but {address}, which names the host {host}, by {origin}: set both in the same place"
        )
    }
}

/// The reason for reading a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// The file is read by default.
    Default,
    /// The file was selected with `--instance`.
    Named,
}

/// The variables of one origin.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) origin: Origin,
    pub(crate) variables: BTreeMap<String, String>,
}

/// All variables, strongest layer first.
#[derive(Clone)]
pub(crate) struct Variables {
    layers: Vec<Layer>,
    /// The path of the instance's file, if the file does not exist.
    pub(crate) absent: Option<PathBuf>,
}

impl Variables {
    /// Reads the environment and the files of a folder.
    pub(crate) fn read(
        folder: &Path,
        instance: Option<&str>,
        integration: &Integration,
    ) -> Result<Self, VariablesError> {
        let names = Values::new(integration.id(), []);
        let fields = integration.fields().iter().flat_map(|field| names.variables_of(field.name)).collect();
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let environment = Layer { origin: Origin::Environment, variables: variables.collect() };
        let (mut files, mut absent) = (Vec::new(), None);
        if let Some(instance) = instance {
            let path = folder.join(format!(".env.{instance}"));
            match file(&path, &fields, &environment, Need::Named)? {
                Some(layer) => files.push(layer),
                None => absent = Some(path),
            }
        }
        files.extend(file(&folder.join(".env"), &fields, &environment, Need::Default)?);
        Ok(Self { layers: std::iter::once(environment).chain(files).collect(), absent })
    }

    /// Finds an address and a secret with different origins.
    ///
    /// Such a secret may be sent to the wrong host.
    pub(crate) fn mismatched_address(&self, integration: &Integration, values: &Values) -> Option<MismatchedAddress> {
        let source = |field: &Field| self.source(&values.variables_of(field.name));
        let is_address = |field: &&Field| !field.masked && values.read::<Url>(field.name, None).is_ok();
        let place = |origin: &Origin| matches!(origin, Origin::File(_));
        let secrets = || integration.fields().iter().filter(|field| field.masked).filter_map(source);
        integration.fields().iter().filter(is_address).filter_map(|field| Some((field, source(field)?))).find_map(
            |(field, (address, origin))| {
                let (secret, elsewhere) = secrets().find(|(_, other)| place(other) != place(&origin))?;
                let host = values.read::<Url>(field.name, None).ok()?.host_str()?.to_owned();
                Some(MismatchedAddress { address, origin, secret, elsewhere, host })
            },
        )
    }

    /// The variables of the fake provider only, so that it never receives a real key.
    pub(crate) fn sample(values: Vec<(String, String)>) -> Self {
        let layer = Layer { origin: Origin::Sample, variables: values.into_iter().collect() };
        Self { layers: vec![layer], absent: None }
    }

    /// The fields that a configured instance sets. Secrets are represented by their references.
    pub(crate) fn instance(integration: &Integration, instance: &Instance) -> Self {
        let shown = |value: &ConfigValue| match value {
            ConfigValue::Secret(reference) => reference.to_string(),
            plain => plain.plain_text().unwrap_or_default(),
        };
        let variables = instance.config.iter().map(|(field, value)| (variable(integration, field), shown(value)));
        let layer = Layer { origin: Origin::Instance(instance.name.to_string()), variables: variables.collect() };
        Self { layers: vec![layer], absent: None }
    }

    /// Returns the value of the first of some variables that is set.
    pub(crate) fn value(&self, candidates: &[&str]) -> Option<&str> {
        self.layers.iter().find_map(|layer| {
            let set = candidates.iter().find(|name| is_set(layer, name))?;
            layer.variables.get(*set).map(|value| value.trim())
        })
    }

    /// Returns the first variable that sets a field, with its origin.
    pub(crate) fn source(&self, candidates: &[String]) -> Option<(String, Origin)> {
        self.layers.iter().find_map(|layer| {
            let set = candidates.iter().find(|name| is_set(layer, name))?;
            Some((set.clone(), layer.origin.clone()))
        })
    }

    /// Merges the layers into the values of an integration.
    pub(crate) fn values(&self, integration: &Integration) -> Values {
        let names = Values::new(integration.id(), []);
        let mut merged = BTreeMap::new();
        for layer in self.layers.iter().rev() {
            for field in integration.fields() {
                let candidates = names.variables_of(field.name);
                if candidates.iter().any(|name| is_set(layer, name)) {
                    candidates.iter().for_each(|name| drop(merged.remove(name)));
                }
            }
            let set = layer.variables.iter().filter(|(name, _)| is_set(layer, name));
            merged.extend(set.map(|(name, value)| (name.clone(), value.clone())));
        }
        Values::new(integration.id(), merged)
    }
}

fn is_set(layer: &Layer, name: &str) -> bool {
    layer.variables.get(name).is_some_and(|value| !value.trim().is_empty())
}

/// Reads a file of variables, if it exists.
///
/// Invalid lines are an error if they set a field, and a warning otherwise.
fn file(
    path: &Path,
    fields: &BTreeSet<String>,
    environment: &Layer,
    need: Need,
) -> Result<Option<Layer>, VariablesError> {
    let bytes = match input::read(path, input::SETTINGS) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) if need == Need::Named => return Err(VariablesError::Unreadable { path: path.to_owned(), source }),
        // A folder named `.env` is probably a virtual environment of Python.
        Err(error) => {
            tracing::warn!("ignoring {}: {error}", path.display());
            return Ok(None);
        }
    };
    let parsed = match dotenv::parse(&bytes, &environment.variables) {
        Ok(parsed) => parsed,
        Err(Encoding::Utf16) if need == Need::Named => return Err(VariablesError::Utf16 { path: path.to_owned() }),
        Err(Encoding::Utf16) => {
            tracing::warn!(
                "ignoring {}: it is encoded in UTF-16, the default of PowerShell; save it as UTF-8",
                path.display()
            );
            return Ok(None);
        }
    };
    if let Some(SkippedLine { line, reason, .. }) = parsed.skipped.iter().find(|skipped| fields.contains(&skipped.name))
    {
        return Err(VariablesError::Malformed { path: path.to_owned(), line: *line, reason: *reason });
    }
    let mut by_reason: BTreeMap<Reason, Vec<usize>> = BTreeMap::new();
    for SkippedLine { line, reason, .. } in &parsed.skipped {
        by_reason.entry(*reason).or_default().push(*line);
    }
    for (reason, lines) in by_reason {
        let more = if lines.len() > SHOWN_LINES { " and more" } else { "" };
        let lines: Vec<_> = lines.iter().take(SHOWN_LINES).map(usize::to_string).collect();
        tracing::warn!("{}: ignoring lines ({reason}): {}{more}", path.display(), lines.join(", "));
    }
    Ok(Some(Layer { origin: Origin::File(path.to_owned()), variables: parsed.variables }))
}

/// Returns the strongest variable of a field.
pub(crate) fn variable(integration: &Integration, field: &str) -> String {
    Values::new(integration.id(), []).variables_of(field).swap_remove(0)
}

#[cfg(test)]
mod tests {
    use integration_sdk::config::ConfigError;

    use super::*;

    /// A test account.
    #[derive(Debug, integration_sdk::Config)]
    struct Account {
        /// The key.
        #[allow(dead_code)]
        api_key: String,
    }

    fn layer(origin: Origin, pairs: &[(&str, &str)]) -> Layer {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Layer { origin, variables: variables.collect() }
    }

    fn key(layers: Vec<Layer>) -> Result<String, ConfigError> {
        let space = Integration::without_provider::<Account>("space", "Space");
        Variables { layers, absent: None }.values(&space).read("api_key", None)
    }

    #[test]
    fn the_strongest_layer_determines_a_field_with_any_of_its_variables() {
        let east = layer(Origin::File(".env.east".into()), &[("API_KEY", "east")]);
        let shared = layer(Origin::File(".env".into()), &[("SPACE_API_KEY", "shared")]);
        assert_eq!(key(vec![east.clone(), shared.clone()]), Ok("east".into()));
        let blank = layer(Origin::Environment, &[("API_KEY", " ")]);
        assert_eq!(key(vec![blank, shared]), Ok("shared".into()));
    }

    fn read(folder: &Path, instance: Option<&str>) -> Result<Variables, VariablesError> {
        Variables::read(folder, instance, &Integration::without_provider::<Account>("space", "Space"))
    }

    #[test]
    fn a_malformed_line_of_a_field_is_reported_by_number_and_not_by_text() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(".env");
        std::fs::write(&path, "# a comment\nA=\"two\nlines\"\nSPACE_API_KEY: s3cret\n").expect("a file");
        let error = read(folder.path(), None).err().expect("malformed").to_string();
        assert!(error.ends_with(".env, line 4: not in the form NAME=value"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn lines_of_other_programs_are_not_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(".env");
        for text in [&b"OTHER: yaml\nAPP=two words\nCITY=Z\xfcrich\nSPACE_API_KEY=key\n"[..], b"\xff\xfeA\0=\0"] {
            std::fs::write(&path, text).expect("a file");
            let variables = read(folder.path(), None).expect("no error");
            let set = variables.source(&["SPACE_API_KEY".to_owned()]);
            assert_eq!(set.is_some(), text.ends_with(b"key\n"));
        }
        std::fs::remove_file(&path).expect("removed");
        std::fs::create_dir(&path).expect("a folder");
        assert!(read(folder.path(), None).is_ok(), "a folder named .env is ignored");
        std::fs::create_dir(folder.path().join(".env.east")).expect("a folder");
        assert!(read(folder.path(), Some("east")).is_err(), "a file of --instance must be readable");
    }

    #[test]
    fn a_missing_file_sets_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(read(folder.path(), None).expect("no error").layers.len(), 1);
    }

    /// An account with an address.
    #[derive(Debug, integration_sdk::Config)]
    struct Remote {
        /// The key.
        #[allow(dead_code)]
        api_key: integration_sdk::secrecy::SecretString,
        /// The address.
        #[config(default = "https://api.example.com")]
        #[allow(dead_code)]
        api_url: Url,
    }

    #[test]
    fn an_address_with_another_origin_than_the_key_is_reported() {
        let space = Integration::without_provider::<Remote>("space", "Space");
        let mismatch = |layers: Vec<Layer>| {
            let variables = Variables { layers, absent: None };
            variables.mismatched_address(&space, &variables.values(&space)).map(|found| found.to_string())
        };
        let environment = |pairs: &[_]| layer(Origin::Environment, pairs);
        let files = |pairs: &[_]| layer(Origin::File(".env".into()), pairs);
        let (key, url) = (("SPACE_API_KEY", "k"), ("API_URL", "https://evil.example/x"));
        assert_eq!(
            mismatch(vec![environment(&[key]), files(&[url])]).as_deref(),
            Some(
                "SPACE_API_KEY is set by the environment, but API_URL, which names the host evil.example, by .env: set both in the same place"
            )
        );
        assert!(mismatch(vec![environment(&[url]), files(&[key])]).is_some());
        assert_eq!(mismatch(vec![environment(&[key, url]), files(&[url])]), None);
        assert_eq!(mismatch(vec![layer(Origin::File(".env.east".into()), &[key]), files(&[url])]), None);
        assert_eq!(mismatch(vec![environment(&[key])]), None);
    }
}
