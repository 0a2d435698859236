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

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use integration_sdk::Integration;
use integration_sdk::config::Values;
use integration_sdk::input;

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
    pub(crate) fn read(folder: &Path, instance: Option<&str>) -> Result<Self, VariablesError> {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut layers = vec![Layer { origin: Origin::Environment, variables: environment.collect() }];
        let mut absent = None;
        if let Some(instance) = instance {
            let path = folder.join(format!(".env.{instance}"));
            match file(&path)? {
                Some(layer) => layers.push(layer),
                None => absent = Some(path),
            }
        }
        layers.extend(file(&folder.join(".env"))?);
        Ok(Self { layers, absent })
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

fn file(path: &Path) -> Result<Option<Layer>, VariablesError> {
    let text = match input::read_to_string(path, input::SETTINGS) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(VariablesError::Unreadable { path: path.to_owned(), source }),
    };
    let text = text.trim_start_matches('\u{feff}');
    let variables = dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>();
    let variables =
        variables.map_err(|error| VariablesError::Malformed { path: path.to_owned(), line: line_of(text, &error) })?;
    Ok(Some(Layer { origin: Origin::File(path.to_owned()), variables }))
}

/// The line on which the parser stopped: it tells the text of a line (several, inside quotes), not the number.
fn line_of(text: &str, error: &dotenvy::Error) -> usize {
    let stopped = match error {
        dotenvy::Error::LineParse(line, _) => text.find(line.as_str()),
        _ => None,
    };
    text[..stopped.unwrap_or(0)].matches('\n').count() + 1
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

    #[test]
    fn a_malformed_file_is_told_by_its_line_and_not_by_its_text() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(".env");
        std::fs::write(&path, "# a comment\nA=\"two\nlines\"\nAPI KEY s3cret\n").expect("a file");
        let error = file(&path).err().expect("malformed").to_string();
        assert!(error.ends_with(".env, line 4: not of the form NAME=value"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_sets_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(file(&folder.path().join(".env")).expect("no error").is_none());
    }
}
