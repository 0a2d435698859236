//! Reading a graph in the exchange layout, one object at a time.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::wrapper::Wrapper;
use super::{DatasetError, content, export};

/// An object of a file, parsed or as text.
#[derive(Debug)]
pub struct Found<'a, T = Value> {
    /// The file.
    pub file: &'a Path,
    /// The wrapper.
    pub wrapper: Wrapper,
    /// The object.
    pub object: T,
}

/// The numbers of files and objects that were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    /// Files.
    pub files: u64,
    /// Objects in wrappers of entities.
    pub entities: u64,
    /// Objects in wrappers of relationships.
    pub relationships: u64,
}

/// Visits every object of a graph while keeping only one in memory.
///
/// Files are visited in the order of their paths, but those in folders named `relationships` come last. Thus the ends
/// of a relationship are usually known before the relationship itself. The names of files do not matter otherwise.
///
/// # Errors
/// [`DatasetError`] if there is no graph, or if a file cannot be read or does not conform to the layout.
pub fn read(directory: &Path, visit: impl FnMut(Found<'_>)) -> Result<Read, DatasetError> {
    read_as(directory, visit)
}

/// Visits every object as text, for callers that parse it later or in parallel.
///
/// # Errors
/// As [`read`].
pub fn read_text(directory: &Path, mut visit: impl FnMut(Found<'_, Box<str>>)) -> Result<Read, DatasetError> {
    read_as(directory, |Found { file, wrapper, object }: Found<'_, Box<RawValue>>| {
        visit(Found { file, wrapper, object: object.into() });
    })
}

fn read_as<T: DeserializeOwned>(directory: &Path, mut visit: impl FnMut(Found<'_, T>)) -> Result<Read, DatasetError> {
    export::settle(&fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned()));
    let mut counts = Read::default();
    for path in &listed(directory)?.graph {
        let json = content::open(path).map_err(DatasetError::io("read", path))?;
        let mut parser = serde_json::Deserializer::from_reader(json);
        let mut found = |wrapper, object: T| {
            match wrapper {
                Wrapper::Entities => counts.entities += 1,
                Wrapper::Relationships => counts.relationships += 1,
            }
            visit(Found { file: path, wrapper, object });
        };
        let read = Document(&mut found).deserialize(&mut parser).and_then(|()| parser.end());
        read.map_err(|source| match source.is_io() {
            true => DatasetError::io("read", path)(source.into()),
            false => DatasetError::Malformed { path: path.clone(), source },
        })?;
        counts.files += 1;
    }
    Ok(counts)
}

/// Returns the files of a graph folder that [`read`] ignores because of their names, sorted by path.
///
/// Links to missing files are among them.
///
/// # Errors
/// [`DatasetError`] if there is no graph, or if a folder cannot be read.
pub fn unread(directory: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    Ok(listed(directory)?.other)
}

/// The files below the graph folder.
#[derive(Default)]
struct Listed {
    /// Files of the graph, in the order in which they are read.
    graph: Vec<PathBuf>,
    other: Vec<PathBuf>,
}

fn listed(directory: &Path) -> Result<Listed, DatasetError> {
    let graph = directory.join("graph");
    if !graph.is_dir() {
        return Err(DatasetError::Missing { path: directory.to_owned() });
    }
    let (mut folders, mut seen, mut listed) = (vec![graph], BTreeSet::new(), Listed::default());
    while let Some(folder) = folders.pop() {
        // Symbolic links can form cycles, so each folder is read only once.
        if !seen.insert(fs::canonicalize(&folder).map_err(DatasetError::io("read", &folder))?) {
            continue;
        }
        for entry in fs::read_dir(&folder).map_err(DatasetError::io("read", &folder))? {
            let path = entry.map_err(DatasetError::io("read", &folder))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if content::is_of_a_graph(&path) {
                listed.graph.push(path);
            } else {
                listed.other.push(path);
            }
        }
    }
    listed.graph.sort_by_cached_key(|path| (is_of_relationships(path), path.clone()));
    listed.other.sort();
    Ok(listed)
}

fn is_of_relationships(path: &Path) -> bool {
    path.parent().and_then(Path::file_name).is_some_and(|folder| folder == Wrapper::Relationships.folder())
}

type Visit<'a, T> = &'a mut dyn FnMut(Wrapper, T);

/// A file: an object with one or both wrappers.
struct Document<'a, T>(Visit<'a, T>);

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Document<'_, T> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Document<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `entities` or `relationships`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut wrapped = false;
        while let Some(name) = map.next_key::<String>()? {
            let wrapper = match name.as_str() {
                "entities" => Wrapper::Entities,
                "relationships" => Wrapper::Relationships,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            wrapped = true;
            map.next_value_seed(Objects(wrapper, &mut *self.0))?;
        }
        if wrapped { Ok(()) } else { Err(serde::de::Error::custom("neither `entities` nor `relationships` is there")) }
    }
}

struct Objects<'a, T>(Wrapper, Visit<'a, T>);

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Objects<'_, T> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Objects<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(object) = items.next_element()? {
            (self.1)(self.0, object);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = directory.path().join("graph").join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        directory
    }

    #[test]
    fn objects_of_any_file_name_are_visited_in_the_order_of_the_paths() {
        let directory = graph(&[
            ("b/x.json", r#"{"relationships": [{"_key": "3"}]}"#),
            ("a/deep/er/y.json", r#"{"entities": [{"_key": "1"}, {"_key": "2"}], "other": [0]}"#),
            ("a/notes.txt", "no JSON"),
        ]);
        let mut keys = Vec::new();
        let counts = read(directory.path(), |found| keys.push(found.object["_key"].to_string())).expect("a graph");
        assert_eq!(keys, ["\"1\"", "\"2\"", "\"3\""]);
        assert_eq!(counts, Read { files: 2, entities: 2, relationships: 1 });
    }

    #[test]
    fn relationships_come_last_where_folders_tell_and_text_is_as_it_stands_in_the_file() {
        let directory = graph(&[
            ("a/relationships/x.json", r#"{"relationships": [{"_key":  "2"}]}"#),
            ("b/entities/x.json", r#"{"entities": [{"_key": "1"}]}"#),
        ]);
        let mut texts = Vec::new();
        read_text(directory.path(), |found| texts.push(found.object.into_string())).expect("a graph");
        assert_eq!(texts, [r#"{"_key": "1"}"#, r#"{"_key":  "2"}"#]);
    }

    #[test]
    fn a_broken_file_is_named_with_its_line() {
        let directory = graph(&[("a.json", "{\"entities\": [\n{]}")]);
        let error = read(directory.path(), |_| ()).expect_err("broken").to_string();
        assert!(error.contains("a.json") && error.contains("line 2"), "{error}");
        let directory = graph(&[("a.json", "{}")]);
        assert!(matches!(read(directory.path(), |_| ()), Err(DatasetError::Malformed { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_are_followed_once_and_a_pipe_is_an_error_at_once() {
        let directory = graph(&[("a/x.json", r#"{"entities": [{"_key": "1"}]}"#)]);
        let folder = directory.path().join("graph/a");
        for name in ["one", "two"] {
            std::os::unix::fs::symlink("..", folder.join(name)).expect("a link");
        }
        assert_eq!(read(directory.path(), |_| ()).expect("a graph").entities, 1);
        let made = std::process::Command::new("mkfifo").arg(folder.join("y.json")).status().expect("mkfifo");
        assert!(made.success());
        let error = read(directory.path(), |_| ()).expect_err("a pipe").to_string();
        assert!(error.contains("y.json") && error.contains("a named pipe"), "{error}");
    }

    /// `{"entities":[{"_key":"k-000000001",...}]}`, compressed by the zlib module of Node.js.
    const BROTLI: &str = "1b69006004a26da67e5941eb3743b12d8df1c8f820e2975986a893e383eaaf077a1ab5051288078e43ba3abe89d4\
                          7f63befaeaf621f74687fd0823264f26a0df1c84f64ed35e42ed68840b94b799597702bdae42c9790e";

    fn brotli() -> Vec<u8> {
        let pairs = BROTLI.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
        pairs.map(|pair| u8::from_str_radix(pair, 16).expect("a byte")).collect()
    }

    #[test]
    fn compressed_files_are_read_whatever_their_names() {
        let directory = graph(&[("c.json.br", r#" {"entities": [{"_key": "plain"}]}"#), ("d.br.txt", "no JSON")]);
        fs::write(directory.path().join("graph/a.json"), brotli()).expect("a file");
        fs::write(directory.path().join("graph/b.json.br"), brotli()).expect("a file");
        let mut keys = Vec::new();
        let counts = read(directory.path(), |found| keys.push(found.object["_key"].to_string())).expect("a graph");
        assert_eq!(keys, ["\"k-000000001\"", "\"k-000000001\"", "\"plain\""]);
        assert_eq!(counts.files, 3);
    }

    #[test]
    fn a_damaged_compressed_file_is_named() {
        let cut = brotli().split_last_chunk::<20>().expect("more bytes").0.to_vec();
        for (name, bytes) in
            [("a.json.br", cut.clone()), ("a.json", cut), ("a.json.br", vec![0xff; 40]), ("a.json", vec![0xff; 40])]
        {
            let directory = graph(&[]);
            fs::create_dir(directory.path().join("graph")).expect("a folder");
            fs::write(directory.path().join("graph").join(name), &bytes).expect("a file");
            let error = read(directory.path(), |_| ()).expect_err("damaged").to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_folder_without_a_graph_is_an_error() {
        let directory = tempfile::tempdir().expect("a temporary folder");
        assert!(matches!(read(directory.path(), |_| ()), Err(DatasetError::Missing { .. })));
    }
}
