//! Class schemas from our own set and from folders of other people's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Registry;
use serde_json::Value;

/// Where class schemas live in the registry; never fetched.
pub(super) const BASE: &str = "schema:///classes/";

/// A schema that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The folder or file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not JSON.
    #[error("{path} is not JSON: {source}", path = path.display())]
    NotJson {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The schema is not valid or refers to one that is not there.
    #[error("the schema of {name} cannot be used: {reason}")]
    Invalid {
        /// Class or type.
        name: String,
        /// Why.
        reason: String,
    },
}

pub(super) fn own() -> Result<BTreeMap<String, Value>, SchemaError> {
    let parse = |(name, text): &(&str, &str)| {
        let schema = serde_json::from_str(text)
            .map_err(|source| SchemaError::NotJson { path: format!("{name}.json").into(), source })?;
        Ok(((*name).to_owned(), normalized(name, schema)))
    };
    integration_schemas::CLASSES.iter().map(parse).collect()
}

/// Reads every `*.json` of a folder as a class schema, named by its file.
///
/// # Errors
/// [`SchemaError`] where a file cannot be read or is not JSON.
pub fn load_directory(directory: &Path) -> Result<BTreeMap<String, Value>, SchemaError> {
    let unreadable = |source| SchemaError::Unreadable { path: directory.to_owned(), source };
    let mut classes = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned) else { continue };
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read(&path).map_err(|source| SchemaError::Unreadable { path: path.clone(), source })?;
        let schema = serde_json::from_slice(&text).map_err(|source| SchemaError::NotJson { path, source })?;
        classes.insert(name.clone(), normalized(&name, schema));
    }
    Ok(classes)
}

/// Gives a schema an identifier that validators accept: published sets name themselves and their parents by bare
/// fragments (`#User`), which are not identifiers.
fn normalized(name: &str, mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("$id".into(), format!("{BASE}{name}.json").into());
    }
    rewrite_references(&mut schema);
    schema
}

fn rewrite_references(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref") {
                let class = reference.strip_prefix('#').filter(|class| !class.is_empty() && !class.starts_with('/'));
                if let Some(class) = class {
                    *reference = format!("{BASE}{class}.json");
                }
            }
            object.values_mut().for_each(rewrite_references);
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite_references),
        _ => {}
    }
}

pub(super) fn registry(classes: &BTreeMap<String, Value>) -> Result<Registry<'static>, SchemaError> {
    let mut builder = Registry::new();
    for (name, schema) in classes {
        builder = builder
            .add(format!("{BASE}{name}.json"), schema.clone())
            .map_err(|error| SchemaError::Invalid { name: name.clone(), reason: error.to_string() })?;
    }
    builder.prepare().map_err(|error| SchemaError::Invalid { name: "a class".into(), reason: error.to_string() })
}
