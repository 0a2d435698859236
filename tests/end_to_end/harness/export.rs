//! An exported graph: its files and the objects in them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// A graph in the exchange layout.
#[derive(Clone, PartialEq, Eq)]
pub struct Graph {
    /// The files by their paths below `graph`.
    files: BTreeMap<String, Vec<u8>>,
}

/// Objects by key.
pub type Objects = BTreeMap<String, Value>;

impl Graph {
    /// Reads the folder `graph` of an export. A missing folder is an empty graph.
    pub fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for path in files_below(folder) {
            let name = path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned();
            files.insert(name, std::fs::read(&path).expect("a file"));
        }
        Self { files }
    }

    /// All objects of the graph.
    pub fn objects(&self) -> Objects {
        let mut objects = Objects::new();
        for object in self.files.values().flat_map(|file| objects_of(file)) {
            let key = object["_key"].as_str().expect("a key").to_owned();
            assert!(objects.insert(key.clone(), object).is_none(), "two objects have the key {key}");
        }
        objects
    }

    /// The objects of a type.
    pub fn of_type(&self, object_type: &str) -> Objects {
        let mut objects = self.objects();
        objects.retain(|_, object| object["_type"] == object_type);
        objects
    }

    /// The applications of a team, as the provider describes them.
    pub fn apps_of(&self, team: &str) -> Vec<Value> {
        let apps = self.of_type("heroku_application").into_values().filter(|app| app["teamId"] == team);
        apps.map(|app| app["_rawData"][0]["rawData"].clone()).collect()
    }

    /// The concatenated contents of all files.
    pub fn bytes(&self) -> Vec<u8> {
        self.files.values().flatten().copied().collect()
    }
}

fn objects_of(file: &[u8]) -> Vec<Value> {
    let document: Value = serde_json::from_slice(file).expect("JSON");
    let Value::Object(wrapper) = document else { panic!("a file of the exchange layout contains an object") };
    let mut lists = wrapper.into_iter();
    match (lists.next(), lists.next()) {
        (Some((name, Value::Array(objects))), None) if name == "entities" || name == "relationships" => objects,
        other => panic!("a file of the exchange layout contains one list, of entities or of relationships: {other:?}"),
    }
}

/// All files below a folder.
pub fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Panics with the first different objects if two graphs are not equal byte for byte.
#[track_caller]
pub fn assert_same(graph: &Graph, expected: &Graph) {
    if graph == expected {
        return;
    }
    assert_same_objects(&graph.objects(), &expected.objects());
    let names = |graph: &Graph| graph.files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(graph), names(expected), "the objects are equal, but the file names differ");
    panic!("the objects are equal, but their order or their JSON differs");
}

/// Panics with the first different objects if two sets of objects are not equal.
#[track_caller]
pub fn assert_same_objects(objects: &Objects, expected: &Objects) {
    let missing: Vec<_> = expected.keys().filter(|key| !objects.contains_key(*key)).take(5).collect();
    let others: Vec<_> = objects.keys().filter(|key| !expected.contains_key(*key)).take(5).collect();
    assert!(
        missing.is_empty() && others.is_empty(),
        "{} objects instead of {}; missing: {missing:?}; unexpected: {others:?}",
        objects.len(),
        expected.len()
    );
    for (key, object) in objects {
        assert_eq!(object, &expected[key], "{key}");
    }
}
