//! Named values from the environment and from `.env` files; the process environment is read and never changed.
//!
//! ```text
//!   strongest:  the process environment
//!               .env.NAME    with --instance NAME
//!   weakest:    .env
//! ```
//!
//! A field may be set by several variables (`HEROKU_API_KEY`, `API_KEY`). The strongest layer that sets any of them
//! decides the field, so that an instance never works with half of another one's credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use integration_sdk::config::{Field, Values};
use integration_sdk::url::Url;
use integration_sdk::{Integration, input};

use crate::dotenv::{self, Encoding, SkippedLine};

/// Lines that a warning names.
const SHOWN_LINES: usize = 10;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Environment,
    File(PathBuf),
    Sample,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("the environment"),
            Self::File(path) => path.display().fmt(f),
            Self::Sample => f.write_str("the sample"),
        }
    }
}

/// A file of variables that cannot be read. What stands in it is not repeated: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VariablesError {
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}, line {line}: not of the form NAME=value", path = path.display())]
    Malformed { path: PathBuf, line: usize },
    #[error("{path} is in UTF-16, as PowerShell writes files: save it as UTF-8", path = path.display())]
    Utf16 { path: PathBuf },
}

/// An address that comes from somewhere else than the secret that is sent there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StrangeAddress {
    address: String,
    origin: Origin,
    secret: String,
    elsewhere: Origin,
    host: String,
}

impl fmt::Display for StrangeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, origin, secret, elsewhere, host } = self;
        write!(
            f,
            "{secret} from {elsewhere} is sent to {host}, which {address} from {origin} names: both should come from one place"
        )
    }
}

/// Whether a file was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Usual,
    Named,
}

/// Variables of one origin.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) origin: Origin,
    pub(crate) variables: BTreeMap<String, String>,
}

/// All that is known, the strongest layer first.
#[derive(Clone)]
pub(crate) struct Variables {
    layers: Vec<Layer>,
    /// The file that an instance would have, where there is none.
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
        files.extend(file(&folder.join(".env"), &fields, &environment, Need::Usual)?);
        Ok(Self { layers: std::iter::once(environment).chain(files).collect(), absent })
    }

    /// An address and a secret that come from different places: the secret may go to a host that it is not meant for.
    pub(crate) fn strange_address(&self, integration: &Integration, values: &Values) -> Option<StrangeAddress> {
        let source = |field: &Field| self.source(&values.variables_of(field.name));
        let is_address = |field: &&Field| !field.masked && values.read::<Url>(field.name, None).is_ok();
        let place = |origin: &Origin| matches!(origin, Origin::File(_));
        let secrets = || integration.fields().iter().filter(|field| field.masked).filter_map(source);
        integration.fields().iter().filter(is_address).filter_map(|field| Some((field, source(field)?))).find_map(
            |(field, (address, origin))| {
                let (secret, elsewhere) = secrets().find(|(_, other)| place(other) != place(&origin))?;
                let host = values.read::<Url>(field.name, None).ok()?.host_str()?.to_owned();
                Some(StrangeAddress { address, origin, secret, elsewhere, host })
            },
        )
    }

    /// The values that lead to an imitation of the provider, and nothing else: no real key goes there.
    pub(crate) fn sample(values: Vec<(String, String)>) -> Self {
        let layer = Layer { origin: Origin::Sample, variables: values.into_iter().collect() };
        Self { layers: vec![layer], absent: None }
    }

    /// Which variable sets a field, and where it is set.
    pub(crate) fn source(&self, candidates: &[String]) -> Option<(String, Origin)> {
        self.layers.iter().find_map(|layer| {
            let set = candidates.iter().find(|name| is_set(layer, name))?;
            Some((set.clone(), layer.origin.clone()))
        })
    }

    /// The values for an integration.
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

/// A file of variables, if it exists. Lines that concern a field must be understood; others are warned about.
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
        // A folder of that name is a virtual environment of Python.
        Err(error) => {
            tracing::warn!("{} is not read: {error}", path.display());
            return Ok(None);
        }
    };
    let parsed = match dotenv::parse(&bytes, &environment.variables) {
        Ok(parsed) => parsed,
        Err(Encoding::Utf16) if need == Need::Named => return Err(VariablesError::Utf16 { path: path.to_owned() }),
        Err(Encoding::Utf16) => {
            tracing::warn!(
                "{} is not read: it is in UTF-16, as PowerShell writes files; save it as UTF-8",
                path.display()
            );
            return Ok(None);
        }
    };
    if let Some(SkippedLine { line, .. }) = parsed.skipped.iter().find(|passed| fields.contains(&passed.name)) {
        return Err(VariablesError::Malformed { path: path.to_owned(), line: *line });
    }
    if !parsed.skipped.is_empty() {
        let lines: Vec<_> = parsed.skipped.iter().take(SHOWN_LINES).map(|line| line.line.to_string()).collect();
        let more = if parsed.skipped.len() > SHOWN_LINES { " and more" } else { "" };
        let (path, lines) = (path.display(), lines.join(", "));
        tracing::warn!("{path}: lines that are not of the form NAME=value are passed over: {lines}{more}");
    }
    Ok(Some(Layer { origin: Origin::File(path.to_owned()), variables: parsed.variables }))
}

#[cfg(test)]
mod tests {
    use integration_sdk::config::ConfigError;

    use super::*;

    /// Somewhere.
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
        let space = Integration::offline::<Account>("space", "Space");
        Variables { layers, absent: None }.values(&space).read("api_key", None)
    }

    #[test]
    fn the_strongest_layer_decides_a_field_whichever_variable_it_uses() {
        let east = layer(Origin::File(".env.east".into()), &[("API_KEY", "east")]);
        let shared = layer(Origin::File(".env".into()), &[("SPACE_API_KEY", "shared")]);
        assert_eq!(key(vec![east.clone(), shared.clone()]), Ok("east".into()));
        let blank = layer(Origin::Environment, &[("API_KEY", " ")]);
        assert_eq!(key(vec![blank, shared]), Ok("shared".into()));
    }

    fn read(folder: &Path, instance: Option<&str>) -> Result<Variables, VariablesError> {
        Variables::read(folder, instance, &Integration::offline::<Account>("space", "Space"))
    }

    #[test]
    fn a_malformed_line_of_a_field_is_told_by_its_number_and_not_by_its_text() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(".env");
        std::fs::write(&path, "# a comment\nA=\"two\nlines\"\nSPACE_API_KEY: s3cret\n").expect("a file");
        let error = read(folder.path(), None).err().expect("malformed").to_string();
        assert!(error.ends_with(".env, line 4: not of the form NAME=value"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn what_concerns_no_field_stops_nothing() {
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
        assert!(read(folder.path(), None).is_ok(), "a folder of that name is not ours");
        std::fs::create_dir(folder.path().join(".env.east")).expect("a folder");
        assert!(read(folder.path(), Some("east")).is_err(), "a file that was asked for must be read");
    }

    #[test]
    fn a_file_that_is_not_there_sets_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(read(folder.path(), None).expect("no error").layers.len(), 1);
    }

    /// Somewhere else.
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
    fn an_address_from_elsewhere_than_the_key_is_named() {
        let space = Integration::offline::<Remote>("space", "Space");
        let strange = |layers: Vec<Layer>| {
            let variables = Variables { layers, absent: None };
            variables.strange_address(&space, &variables.values(&space)).map(|strange| strange.to_string())
        };
        let environment = |pairs: &[_]| layer(Origin::Environment, pairs);
        let files = |pairs: &[_]| layer(Origin::File(".env".into()), pairs);
        let (key, url) = (("SPACE_API_KEY", "k"), ("API_URL", "https://evil.example/x"));
        assert_eq!(
            strange(vec![environment(&[key]), files(&[url])]).as_deref(),
            Some(
                "SPACE_API_KEY from the environment is sent to evil.example, which API_URL from .env names: both should come from one place"
            )
        );
        assert!(strange(vec![environment(&[url]), files(&[key])]).is_some());
        assert_eq!(strange(vec![environment(&[key, url]), files(&[url])]), None);
        assert_eq!(strange(vec![layer(Origin::File(".env.east".into()), &[key]), files(&[url])]), None);
        assert_eq!(strange(vec![environment(&[key])]), None);
    }
}
