//! Graph formats: OpenGraph, GraphML, JSON graph.

use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use integration_sink::conformance::{Contents, Expected, Target, check};
use integration_sink::{Events, Manifest, Record, Report, Sink, SnapshotSource, SourceOptions, transfer};
use integration_sink_files::GraphFile;
use integration_store::{Kind, MemoryGraph};
use serde_json::{Value, json};

use super::{parted, place};

/// A target with the form of its nodes and edges.
struct Graph {
    place: tempfile::TempDir,
    sink: fn(&Path) -> GraphFile,
    read: fn(&str, PathBuf) -> Vec<Value>,
    form: fn(&Record, &Names) -> Value,
}

/// The ids of a node, or of both ends of an edge.
struct Names {
    id: String,
    from: String,
    to: String,
    instance: String,
}

impl Graph {
    fn check(sink: fn(&Path) -> GraphFile, read: fn(&str, PathBuf) -> Vec<Value>, form: fn(&Record, &Names) -> Value) {
        let create = async || Self { place: place(), sink, read, form };
        block_on(check(create, Contents::Replaced));
    }
}

impl Target for Graph {
    fn sink(&self) -> Box<dyn Sink> {
        Box::new((self.sink)(&self.place.path().join("target.json")))
    }

    async fn read(&self) -> Vec<Value> {
        let path = self.place.path().join("target.json");
        (self.read)(&fs::read_to_string(&path).expect("a file"), path)
    }

    fn expected(&self, record: &Record, manifest: &Manifest, snapshot: usize) -> Expected {
        let is_dangling = record.object.ends.as_ref().is_some_and(|(_, to)| to.as_str() == "user:gone");
        if is_dangling || record.object.kind == Kind::MappedRelationship {
            return Expected::Refused;
        }
        let id = &manifest.snapshots[snapshot].id;
        let named = |key: &str| format!("{}/{}/{key}", id.integration, id.instance);
        let (from, to) = match &record.object.ends {
            Some((from, to)) => (named(from.as_str()), named(to.as_str())),
            None => Default::default(),
        };
        let names = Names { id: named(record.object.key.as_str()), from, to, instance: id.instance.to_string() };
        Expected::Written((self.form)(record, &names))
    }
}

fn class_of(properties: &Value) -> Value {
    match &properties["_class"] {
        list @ Value::Array(_) => list.clone(),
        one => json!([one]),
    }
}

fn label_of(record: &Record, properties: &Value) -> Value {
    let name = properties.get("displayName").filter(|name| name.is_string());
    name.cloned().unwrap_or_else(|| json!(record.object.key))
}

#[test]
fn the_json_graph_conforms() {
    let read = |text: &str, _: PathBuf| {
        let graph: BTreeMap<String, &serde_json::value::RawValue> = serde_json::from_str(text).expect("a graph");
        let list = |name: &str| {
            let list: Vec<&serde_json::value::RawValue> = serde_json::from_str(graph[name].get()).expect("a list");
            list.into_iter().map(|object| {
                let members: BTreeMap<String, &serde_json::value::RawValue> =
                    serde_json::from_str(object.get()).expect("an object");
                let value = |(name, value): (String, &serde_json::value::RawValue)| match name.as_str() {
                    "rawData" => (name, json!(value.get())),
                    _ => (name, serde_json::from_str(value.get()).expect("a value")),
                };
                members.into_iter().map(value).collect::<Value>()
            })
        };
        list("nodes").chain(list("links")).collect()
    };
    let form = |record: &Record, names: &Names| {
        let object = &record.object;
        let properties = parted(&object.properties);
        let mut json = json!({"type": object.object_type, "integration": "acme", "instance": names.instance,
                              "stale": object.is_stale});
        match object.kind {
            Kind::Entity => {
                json["id"] = json!(names.id);
                json["label"] = label_of(record, &properties);
                json["class"] = class_of(&properties);
            }
            _ => {
                (json["source"], json["target"]) = (json!(names.from), json!(names.to));
                (json["key"], json["label"]) = (json!(object.key), json!("HAS"));
            }
        }
        json["properties"] = properties;
        if let Some(raw) = &object.raw {
            json["rawData"] = json!(raw);
        }
        json
    };
    Graph::check(GraphFile::json_graph, read, form);
}

#[test]
fn graph_ml_conforms() {
    const SHOWN: [&str; 5] = ["label", "_key", "_type", "_class", "text"];
    let read = |text: &str, _: PathBuf| {
        let document = roxmltree::Document::parse(text).expect("XML");
        let find = |name: &'static str| {
            document
                .descendants()
                .filter(move |node| node.has_tag_name(("http://graphml.graphdrawing.org/xmlns", name)))
        };
        let attribute =
            |node: roxmltree::Node<'_, '_>, name: &str| node.attribute(name).expect("an attribute").to_owned();
        let keys: BTreeMap<String, String> =
            find("key").map(|key| (attribute(key, "id"), attribute(key, "attr.name"))).collect();
        let names: std::collections::BTreeSet<(String, String)> =
            find("key").map(|key| (attribute(key, "for"), attribute(key, "attr.name"))).collect();
        assert_eq!(names.len(), keys.len(), "the names of attributes are unique");
        let object = |node: roxmltree::Node<'_, '_>, ids: &[&str]| {
            let ids = ids.iter().map(|id| ((*id).to_owned(), json!(attribute(node, id))));
            let data = node
                .children()
                .filter(|child| child.is_element())
                .map(|data| (keys[&attribute(data, "key")].clone(), json!(data.text().unwrap_or_default())));
            ids.chain(data.filter(|(name, _)| SHOWN.contains(&name.as_str()))).collect::<Value>()
        };
        let nodes = find("node").map(|node| object(node, &["id"]));
        nodes.chain(find("edge").map(|edge| object(edge, &["source", "target"]))).collect()
    };
    let form = |record: &Record, names: &Names| {
        let allowed =
            |text: &str| text.replace(|letter| matches!(letter, '\0'..='\u{8}' | '\u{fffe}' | '\u{ffff}'), "\u{fffd}");
        let properties = parted(&record.object.properties);
        let mut json = json!({"_key": allowed(record.object.key.as_str()), "_type": record.object.object_type});
        if let Value::String(text) = &properties["text"] {
            json["text"] = json!(allowed(text));
        }
        match record.object.kind {
            Kind::Entity => {
                json["id"] = json!(allowed(&names.id));
                json["label"] = json!(allowed(label_of(record, &properties).as_str().expect("a text")));
                json["_class"] = json!(class_of(&properties).to_string());
            }
            _ => {
                (json["source"], json["target"]) = (json!(names.from), json!(names.to));
                (json["label"], json["_class"]) = (json!("HAS"), json!("HAS"));
            }
        }
        json
    };
    Graph::check(GraphFile::graph_ml, read, form);
}

#[test]
fn open_graph_conforms() {
    fn schema(name: &str) -> jsonschema::Validator {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(name);
        let schema: Value = serde_json::from_str(&fs::read_to_string(path).expect("a schema")).expect("JSON");
        jsonschema::validator_for(&schema).expect("a JSON Schema")
    }
    fn check_schema(name: &str, document: &Value) {
        let errors: Vec<String> =
            schema(name).iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    let read = |text: &str, path: PathBuf| {
        let document: Value = serde_json::from_str(text).expect("JSON");
        check_schema("opengraph.json", &document);
        let extension = fs::read_to_string(path.with_extension("extension.json")).expect("an extension schema");
        let extension: Value = serde_json::from_str(&extension).expect("JSON");
        check_schema("opengraph-extension.json", &extension);
        let known: Vec<&Value> =
            extension["relationship_kinds"].as_array().expect("a list").iter().map(|of| &of["name"]).collect();
        let list = |name: &str| document["graph"][name].as_array().expect("a list").clone();
        assert!(list("edges").iter().all(|edge| known.contains(&&edge["kind"])), "every kind is in the extension");
        // The edges from members to groups are added to those of the graph.
        let is_own = |edge: &Value| !edge["kind"].as_str().is_some_and(|kind| kind.ends_with("HasRoleIn"));
        let shown = |mut object: Value| {
            let properties = object["properties"].as_object_mut().expect("an object");
            properties
                .retain(|name, _| ["_key", "_class", "text", "texts", "numbers", "d", "Name"].contains(&name.as_str()));
            object
        };
        list("nodes").into_iter().chain(list("edges").into_iter().filter(is_own)).map(shown).collect()
    };
    let form = |record: &Record, names: &Names| {
        let plain = |id: &str| id.replace('%', "%25").replace(':', "%3A");
        let properties = parted(&record.object.properties);
        let mut kept = json!({"_key": record.object.key, "_class": properties["_class"]});
        for name in ["text", "texts", "numbers", "Name"] {
            match &properties[name] {
                Value::Null => {}
                Value::Array(elements) => {
                    kept[name] = elements.iter().filter(|element| !element.is_null()).cloned().collect();
                }
                other => kept[name] = other.clone(),
            }
        }
        // Lists with elements of one type stay as they are.
        if !properties["d"].is_null() {
            kept["d"] = properties["d"].clone();
        }
        if record.object.kind != Kind::Entity {
            return json!({"kind": "Acme_HAS", "start": {"value": plain(&names.from)}, "end": {"value": plain(&names.to)},
                          "properties": kept});
        }
        let words = |name: &str| {
            let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
            name.split('_').map(capital).collect::<String>()
        };
        let object_type = record.object.object_type.as_str();
        let mut kinds = vec![format!("Acme_{}", words(object_type.strip_prefix("acme_").unwrap_or(object_type)))];
        for class in class_of(&properties).as_array().expect("a list") {
            kinds.push(format!("Acme_Class_{}", class.as_str().expect("a class")));
        }
        json!({"id": plain(&names.id), "kinds": kinds, "properties": kept})
    };
    Graph::check(GraphFile::open_graph, read, form);
}

/// Writes objects into a file, and returns its text and the report.
fn written(sink: fn(&Path) -> GraphFile, objects: &[Value]) -> (String, Report) {
    let (place, graph) = (place(), MemoryGraph::of(objects.iter().cloned()).expect("a graph"));
    let path = place.path().join("target");
    let report = block_on(async {
        let source = SnapshotSource::open(vec![Arc::new(graph)], &SourceOptions::default()).await.expect("a source");
        transfer(&mut sink(&path), &source, &Events::ignored(), pending()).await.expect("a transfer")
    });
    (fs::read_to_string(&path).expect("a file"), report)
}

#[test]
fn a_value_in_graph_ml_does_not_depend_on_other_types() {
    let user = json!({"_key": "u", "_type": "acme_user", "_class": "User", "name": "one", "size": 1});
    let team = json!({"_key": "t", "_type": "acme_team", "_class": "Team", "name": ["two"], "size": 0.5});
    let (text, report) = written(GraphFile::graph_ml, &[user, team]);
    for value in [">one</data>", ">[&quot;two&quot;]</data>", ">1</data>", ">0.5</data>", "attr.type=\"double\""] {
        assert!(text.contains(value), "{value}: {text}");
    }
    assert_eq!(report.altered(), 0);
}

#[test]
fn replaced_characters_are_reported() {
    let user = |key: &str, name: &str| json!({"_key": key, "_type": "acme_user", "_class": "User", "name": name});
    let (text, report) = written(GraphFile::graph_ml, &[user("1", "a\u{1}"), user("2", "a\n"), user("3", "\u{ffff}")]);
    assert_eq!((report.written(), report.altered()), (3, 2), "{text}");
    let (_, report) = written(GraphFile::json_graph, &[user("1", "a\u{1}")]);
    assert_eq!(report.altered(), 0);
}
