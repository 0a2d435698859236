//! The type schemas as files: generated from the types that the program declares, and compared with them.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use integration_sdk::input;
use integration_sdk::owner_only;
use integration_sdk::schema::Schemas;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::report::text::counted;

/// In every file, so that whoever opens one knows where to change it.
const ORIGIN: &str =
    "Generated from the types that the integration declares, by `validate schemas --write`: change those.";

/// A file that is not what the program declares.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Drift {
    pub(super) file: PathBuf,
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "drift")]
enum How {
    Missing,
    /// No step declares the type any more.
    Stale,
    NotJson,
    Differs {
        at: String,
    },
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.file.display())?;
        match &self.how {
            How::Missing => f.write_str("is missing: the program declares this type"),
            How::Stale => f.write_str("is left over: no step declares this type"),
            How::NotJson => f.write_str("is not JSON"),
            How::Differs { at } if at.is_empty() => f.write_str("differs from the type that the program declares"),
            How::Differs { at } => write!(f, "differs from the type that the program declares, at {at}"),
        }
    }
}

/// What was written.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    folder: PathBuf,
    files: u64,
    /// Files of types that no step declares any more.
    removed: u64,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = counted(self.files, "type schema is", "type schemas are");
        write!(f, "{files} written to {}", self.folder.display())?;
        if self.removed > 0 {
            write!(f, ", {} removed", counted(self.removed, "stale file", "stale files"))?;
        }
        Ok(())
    }
}

/// Writes a file a type, and removes those that an earlier call wrote of types that are no more.
pub(super) fn write(schemas: &Schemas, folder: &Path) -> Result<Written, Failure> {
    owner_only::create_folder(folder).map_err(Failure::file("make", folder))?;
    let mut written = Written { folder: folder.to_owned(), files: 0, removed: 0 };
    for path in stale(schemas, folder)? {
        if read(&path)?.is_ok_and(|schema| schema["$comment"] == ORIGIN) {
            fs::remove_file(&path).map_err(Failure::file("remove", &path))?;
            written.removed += 1;
        }
    }
    for (name, schema) in generated(schemas) {
        let path = folder.join(name);
        replace(&path, &format!("{schema:#}\n")).map_err(Failure::file("write", &path))?;
        written.files += 1;
    }
    Ok(written)
}

/// Writes a new file for its owner only. One that is there keeps its mode: it is committed, and holds no collected data.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    match owner_only::create_new(path) {
        Ok(mut file) => file.write_all(text.as_bytes()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && !path.is_symlink() => fs::write(path, text),
        Err(error) => Err(error),
    }
}

/// Compares the files with what the program declares; how they are laid out does not matter.
pub(super) fn check(schemas: &Schemas, folder: &Path) -> Result<Vec<Drift>, Failure> {
    let mut drifted = Vec::new();
    for (name, declared) in generated(schemas) {
        let file = folder.join(name);
        let how = match file.exists() {
            false => Some(How::Missing),
            true => match read(&file)? {
                Err(_) => Some(How::NotJson),
                Ok(there) => difference(&there, &declared, "").map(|at| How::Differs { at }),
            },
        };
        drifted.extend(how.map(|how| Drift { file, how }));
    }
    drifted.extend(stale(schemas, folder)?.into_iter().map(|file| Drift { file, how: How::Stale }));
    Ok(drifted)
}

/// Every type schema with the name of its file.
fn generated(schemas: &Schemas) -> impl Iterator<Item = (String, Value)> {
    schemas.types().iter().map(|(name, schema)| {
        let mut schema = schema.clone();
        schema["$comment"] = ORIGIN.into();
        (format!("{name}.json"), schema)
    })
}

fn read(path: &Path) -> Result<Result<Value, serde_json::Error>, Failure> {
    let text = input::read(path, input::DOCUMENT).map_err(Failure::file("read", path))?;
    Ok(serde_json::from_slice(&text))
}

/// Files of types that no step declares.
fn stale(schemas: &Schemas, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let declared: BTreeSet<String> = schemas.types().keys().map(|name| format!("{name}.json")).collect();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Failure::file("read", folder))?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<PathBuf>, _>>();
    let mut paths = paths.map_err(Failure::file("read", folder))?;
    let is_declared = |path: &Path| path.file_name().is_some_and(|name| declared.contains(&*name.to_string_lossy()));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json") && !is_declared(path));
    paths.sort();
    Ok(paths)
}

/// The first place where two values differ.
fn difference(there: &Value, declared: &Value, place: &str) -> Option<String> {
    if there == declared {
        return None;
    }
    if let (Value::Object(there), Value::Object(declared)) = (there, declared) {
        let names: BTreeSet<&String> = there.keys().chain(declared.keys()).collect();
        for name in names {
            let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
            match (there.get(name), declared.get(name)) {
                (Some(there), Some(declared)) => {
                    if let Some(found) = difference(there, declared, &place) {
                        return Some(found);
                    }
                }
                _ => return Some(place),
            }
        }
    }
    Some(place.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use integration_sdk::graph::{Class, EntityDeclaration, ObjectType};
    use serde_json::json;

    use super::*;

    fn schemas(types: &[(&'static str, Value)]) -> Schemas {
        let mut schemas = Schemas::new(BTreeMap::new()).expect("our own schemas");
        for (name, properties) in types {
            let mut declared = EntityDeclaration::new(*name, ObjectType::literal(name), Class::literal("Site"));
            declared.schema = json!({"type": "object", "properties": properties});
            schemas.entity(&declared);
        }
        schemas
    }

    fn drifts(schemas: &Schemas, folder: &Path) -> Vec<String> {
        let name = |drift: &Drift| drift.to_string().replace(&format!("{}/", folder.display()), "");
        check(schemas, folder).expect("a folder").iter().map(name).collect()
    }

    #[test]
    fn what_is_written_does_not_drift_and_each_file_that_does_is_named_with_its_place() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        let before = schemas(&[("space_moon", json!({"size": {"type": "integer"}})), ("space_comet", json!({}))]);
        write(&before, folder).expect("files");
        assert_eq!(drifts(&before, folder), Vec::<String>::new());
        let now = schemas(&[("space_moon", json!({"size": {"type": "number"}})), ("space_planet", json!({}))]);
        assert_eq!(
            drifts(&now, folder),
            [
                "space_moon.json differs from the type that the program declares, at /properties/size/type",
                "space_planet.json is missing: the program declares this type",
                "space_comet.json is left over: no step declares this type",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn new_files_are_for_their_owner_and_no_link_is_written_through() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = place.path().join("types");
        let declared = schemas(&[("space_moon", json!({}))]);
        write(&declared, &folder).expect("files");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        let file = folder.join("space_moon.json");
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("ours");
        write(&declared, &folder).expect("files");
        assert_eq!(mode(&file), 0o644);
        let victim = place.path().join("victim");
        fs::rename(&file, &victim).expect("it is moved");
        symlink(&victim, &file).expect("a link");
        let before = fs::read_to_string(&victim).expect("text");
        let other = schemas(&[("space_moon", json!({"size": {"type": "integer"}}))]);
        assert!(write(&other, &folder).is_err());
        assert_eq!(fs::read_to_string(&victim).expect("text"), before);
    }

    #[test]
    fn writing_removes_what_it_once_wrote_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        write(&schemas(&[("space_comet", json!({}))]), folder).expect("files");
        fs::write(folder.join("mine.json"), "{}").expect("a file");
        let written = write(&schemas(&[("space_moon", json!({}))]), folder).expect("files");
        assert_eq!((written.files, written.removed), (1, 1));
        assert!(folder.join("mine.json").exists() && !folder.join("space_comet.json").exists());
    }
}
