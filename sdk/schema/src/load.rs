//! Class schemas, from the built-in set and from folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::{Registry, ValidationError};
use serde_json::Value;

use integration_files::input;

use super::address::address;
use super::describe_error;
use super::problem::{SchemaError, SchemaProblem, problem};
use super::reference;

pub(super) fn own() -> Result<BTreeMap<String, Value>, SchemaError> {
    let parse = |(name, text): &(&str, &str)| match serde_json::from_str(text) {
        Ok(schema) => Ok(((*name).to_owned(), schema)),
        Err(error) => {
            Err(SchemaError::Invalid(vec![problem(name, None::<PathBuf>, "", format!("it is not JSON: {error}"))]))
        }
    };
    integration_schemas::CLASSES.iter().map(parse).collect()
}

/// Reads every `*.json` file of a folder as a class schema.
///
/// The name of the class is its `$id` (`#User`) or else the name of its file. The schemas may refer to each other and
/// to the built-in ones.
///
/// # Errors
/// [`SchemaError`] if the folder cannot be read, or with all errors of its schemas, each with file and JSON pointer.
pub fn load_directory(directory: &Path) -> Result<BTreeMap<String, Value>, SchemaError> {
    let mut problems = Vec::new();
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut all = own()?;
    for path in json_files(directory)? {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let schema: Value = match read(&path) {
            Ok(schema) => schema,
            Err(reason) => {
                problems.push(problem(&stem, Some(path), "", reason));
                continue;
            }
        };
        let id = schema["$id"].as_str().and_then(|id| id.strip_prefix('#')).filter(|id| !id.contains('/'));
        let name = id.filter(|id| !id.is_empty()).map_or(stem, str::to_owned);
        problems.extend(against_the_draft(&name, Some(&path), &schema));
        if let Some(other) = files.get(&name) {
            let reason = format!("{} already defines the class {name}", other.display());
            problems.push(problem(&name, Some(path), "/$id", reason));
            continue;
        }
        files.insert(name.clone(), path);
        all.insert(name, schema);
    }
    if files.is_empty() && problems.is_empty() {
        return Err(SchemaError::Empty { path: directory.to_owned() });
    }
    for mut broken in reference::resolve(&mut all) {
        broken.file = files.get(&broken.schema).cloned();
        problems.push(broken);
    }
    if !problems.is_empty() {
        problems.sort_by(|a, b| (&a.file, &a.pointer).cmp(&(&b.file, &b.pointer)));
        return Err(SchemaError::Invalid(problems));
    }
    all.retain(|name, _| files.contains_key(name));
    Ok(all)
}

fn json_files(directory: &Path) -> Result<Vec<PathBuf>, SchemaError> {
    let unreadable = |source| SchemaError::Unreadable { path: directory.to_owned(), source };
    let entries = fs::read_dir(directory).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(unreadable)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Value, String> {
    let text = input::read(path, input::DOCUMENT).map_err(|error| format!("it cannot be read: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("it is not JSON: {error}"))
}

/// Checks a schema against the meta-schema of its draft.
pub(super) fn against_the_draft(name: &str, file: Option<&Path>, schema: &Value) -> Vec<SchemaProblem> {
    let validator = jsonschema::draft7::meta::validator();
    let errors = validator.iter_errors(schema);
    let told = |error: ValidationError<'_>| {
        let (pointer, reason) = describe_error(&error);
        problem(name, file, &pointer, reason)
    };
    errors.map(told).collect()
}

pub(super) fn registry(classes: &BTreeMap<String, Value>) -> Result<Registry<'static>, SchemaError> {
    let refuse = |name: &str, error: &dyn std::fmt::Display| {
        SchemaError::Invalid(vec![problem(name, None::<PathBuf>, "", error.to_string())])
    };
    let mut builder = Registry::new();
    for (name, schema) in classes {
        builder = builder.add(address(name), schema.clone()).map_err(|error| refuse(name, &error))?;
    }
    builder.prepare().map_err(|error| refuse("a class", &error))
}
